// The floors: what copying the bytes alone costs, and the XOR that any compiler makes of the plainest loop over words.
#include "corpus.hpp"
#include "peer.hpp"

#include <cstring>

namespace bench {

namespace {

struct copy : floor_work {
    const std::string& from;
    std::string to{from};

    explicit copy(const std::string& source) : from(source) {}

    template <class Sink>
    void operator()(Sink& sink) {
        std::memcpy(to.data(), from.data(), from.size());
        sink(to.data(), to.size());
    }
};

struct copy_texts : floor_work {
    texts from, to;

    copy_texts(script s, std::size_t size) : from(s, size), to(s, size) {}

    template <class Sink>
    void operator()(Sink& sink) {
        for (std::size_t i = 0; i < from.count(); ++i) {
            std::memcpy(to[i], from[i], from.size());
            sink(to[i], to.size());
        }
    }
};

// Not inlined: where it is, the compiler makes vectors of one copy and not of another.
[[gnu::noinline]] void xor_words(unsigned char* at, std::size_t size, std::uint64_t mask) {
    for (std::size_t i = 0; i < size; i += 8) {
        std::uint64_t word;
        std::memcpy(&word, at + i, 8);
        word ^= mask;
        std::memcpy(at + i, &word, 8);
    }
}

void unmask(unsigned char* at, std::size_t size) {
    std::uint64_t mask = 0;
    std::memcpy(&mask, text_key.data(), 4);
    xor_words(at, size, mask | mask << 32);
}

struct copy_to_all : floor_work {
    std::string frame = "1234" + prepared_text();
    std::vector<std::string> outputs{connection_count, frame};

    template <class Sink>
    void operator()(Sink& sink) {
        for (std::string& out : outputs) {
            std::memcpy(out.data(), frame.data(), frame.size());
            sink(out.data(), out.size());
        }
    }
};

struct answering : floor_work {
    std::string request{chrome_request}, response;

    template <class Sink>
    void operator()(Sink& sink) {
        answer(request, response);
        sink(response.data(), response.size());
    }
};

} // namespace

void add_floor(suite& all) {
    add_masks(all, "xor-loop", [](unsigned char* at, std::size_t size) { return unmask(at, size); });
    for (const char* group : {"mask", "mask-unaligned"})
        for (const std::size_t size : payload_sizes)
            add(all, group, "memcpy", size, cost_of_texts(script::ascii, size),
                [size] { return copy_texts(script::ascii, size); });
    for (const char* group : {"utf8", "fused"})
        add_texts(all, group, "memcpy",
                  [](script s, std::size_t size) { return copy_texts(s, size); });
    add_receive(all, "memcpy", [](const wire& w, std::size_t, masked) { return copy(w.bytes); });
    add_echo(all, "memcpy", [](const wire& w, std::size_t) { return copy(w.bytes); });
    add_client_handshake(all, "answering-alone", [] { return answering(); });
    add(all, "prepared", "memcpy", prepared_size,
        {connection_count, connection_count * prepared_size}, [] { return copy_to_all(); });
}

} // namespace bench
