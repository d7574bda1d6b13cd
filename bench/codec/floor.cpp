// The floors: what copying the bytes alone costs, and the XOR that any compiler makes of the plainest loop over words.
#include "corpus.hpp"
#include "peer.hpp"

#include <cstring>

namespace bench {

namespace {

struct copy {
    const std::string& from;
    std::string        to{from};

    explicit copy(const std::string& source) : from(source) {}

    template <class Sink>
    void operator()(Sink& sink) {
        std::memcpy(to.data(), from.data(), from.size());
        sink(to.data(), to.size());
    }
};

struct copy_texts {
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

struct xor_loop {
    texts payloads;

    xor_loop(std::size_t size, std::size_t gap) : payloads(script::ascii, size, gap) {}

    template <class Sink>
    void operator()(Sink& sink) {
        std::uint64_t mask = 0;
        std::memcpy(&mask, text_key.data(), 4);
        mask |= mask << 32;
        for (std::size_t i = 0; i < payloads.count(); ++i) {
            xor_words(payloads[i], payloads.size(), mask);
            sink(payloads[i], payloads.size());
        }
    }
};

struct copy_to_all {
    std::string              frame = "1234" + prepared_text();
    std::vector<std::string> outputs{connection_count, frame};

    template <class Sink>
    void operator()(Sink& sink) {
        for (std::string& out : outputs) {
            std::memcpy(out.data(), frame.data(), frame.size());
            sink(out.data(), out.size());
        }
    }
};

struct answering {
    std::string request{chrome_request}, response;

    template <class Sink>
    void operator()(Sink& sink) {
        answer(request, response);
        sink(response.data(), response.size());
    }
};

void add_copy(suite& all, std::string_view group, std::size_t size, std::size_t operations, const std::string& source) {
    add(all, group, "memcpy", size, {operations, source.size()}, [&source] { return copy(source); }, checked::no);
}

} // namespace

void add_floor(suite& all) {
    for (const std::size_t size : payload_sizes) {
        const auto add_texts = [&](std::string_view group, script s) {
            add(all, group, "memcpy", size, cost_of_texts(s, size), [=] { return copy_texts(s, size); }, checked::no);
        };
        add_texts("mask", script::ascii);
        add_texts("mask-unaligned", script::ascii);
        for (const script s : scripts) {
            add_texts(group_of("utf8", s), s);
            add_texts(group_of("fused", s), s);
        }
        const cost each = cost_of_texts(script::ascii, size);
        add(all, "mask", "xor-loop", size, each, [size] { return xor_loop(size, 0); });
        add(all, "mask-unaligned", "xor-loop", size, each, [size] { return xor_loop(size, masked_header_size(size)); });
    }
    for (const std::size_t size : frame_sizes)
        for (const masked is_masked : {masked::yes, masked::no}) {
            const wire& w = wire_of(size, is_masked);
            add_copy(all, is_masked == masked::yes ? "receive-masked" : "receive-unmasked", size, w.frames, w.bytes);
        }
    for (const std::size_t size : echo_sizes) {
        const wire& w = wire_of(size, masked::yes);
        add_copy(all, "echo", size, w.frames, w.bytes);
    }
    static const std::string request(chrome_request);
    add_copy(all, "handshake-server", request.size(), 1, request);
    add(all, "handshake-client", "answering-alone", answer_size, {1, answer_size}, [] { return answering(); }, checked::no);
    add(all, "prepared", "memcpy", prepared_size, {connection_count, connection_count * prepared_size},
        [] { return copy_to_all(); }, checked::no);
}

} // namespace bench
