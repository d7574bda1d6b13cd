// What a peer brings to the benchmark: variants, each a piece of work that Google Benchmark times, and that is checked,
// by the same code, for the bytes that it delivers. The loops are templates, so that a peer's own translation unit
// inlines what a program that uses the peer would inline. C++17, because one of the peers is.
#pragma once

#include "corpus.hpp"

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace bench {

/// Where a timed variant delivers: nothing is read, nothing can be left out.
struct timed_sink {
    void operator()(const void* data, std::size_t size) {
        // In registers: benchmark::DoNotOptimize sends both through memory, which costs as much as a short frame.
        asm volatile("" : : "r"(data), "r"(size) : "memory");
    }
    void end_message() {}
    void response(const void* data, std::size_t size) { (*this)(data, size); }
};

/// Where a checked variant delivers: FNV-1a over all bytes and over the ends of messages, whatever the pieces.
class checked_sink {
    std::uint64_t sum_ = 0xcbf29ce484222325;

    void mix(unsigned value) { sum_ = (sum_ ^ value) * 0x100000001b3; }

public:
    void operator()(const void* data, std::size_t size);
    void end_message() { mix(0x100); }

    /// An answer to an opening handshake: peers write its fields differently, so its Sec-WebSocket-Accept alone counts.
    void response(const void* data, std::size_t size);

    std::uint64_t sum() const { return sum_; }
};

/// What one iteration of a variant does.
struct cost {
    std::size_t operations = 1; ///< frames, messages, handshakes; a pass over a buffer is one
    std::size_t bytes      = 0; ///< of payload
};

/// One pass over all texts of a size.
inline cost cost_of_texts(script s, std::size_t size) {
    return {text_count(s, size), text_count(s, size) * size};
}

/// One row: `group/peer/size`.
struct variant {
    std::string group, peer;
    std::size_t size;
    /// Of what it delivers; empty for a floor, which delivers nothing.
    std::function<std::uint64_t()> sum;
    std::function<void(benchmark::State&)> time;
};

using suite = std::vector<variant>;

/// Base of work that delivers nothing to check.
struct floor_work {};

/// Adds a row. `make()` makes the work, a callable that takes a sink and does one iteration.
template <class Make>
void add(suite& all, std::string_view group, std::string_view peer, std::size_t size, cost each,
         Make make) {
    variant row{std::string(group), std::string(peer), size, {}, {}};
    if constexpr (!std::is_base_of_v<floor_work, decltype(make())>)
        row.sum = [make] {
            auto work = make();
            checked_sink sink;
            work(sink);
            return sink.sum();
        };
    row.time = [make, each](benchmark::State& state) {
        auto work = make();
        timed_sink sink;
        work(sink);
        for (auto _ : state) {
            work(sink);
            benchmark::ClobberMemory();
        }
        state.counters["operations"] = static_cast<double>(each.operations);
        state.counters["bytes"]      = static_cast<double>(each.bytes);
    };
    all.push_back(std::move(row));
}

/// Work on texts in turn: `routine(at, size)` unmasks, or tells whether a text is valid, or does the one and tells the
/// other.
template <class Routine>
struct unmasking {
    Routine routine;
    texts all;

    template <class Sink>
    void operator()(Sink& sink) {
        for (std::size_t i = 0; i < all.count(); ++i) {
            routine(all[i], all.size());
            sink(all[i], all.size());
        }
    }
};

template <class Routine>
struct validating {
    Routine routine;
    texts all;

    template <class Sink>
    void operator()(Sink& sink) {
        for (std::size_t i = 0; i < all.count(); ++i) {
            const bool valid = routine(all[i], all.size());
            sink(&valid, 1);
        }
    }
};

template <class Routine>
struct unmasking_and_validating {
    Routine routine;
    texts all;

    template <class Sink>
    void operator()(Sink& sink) {
        for (std::size_t i = 0; i < all.count(); ++i) {
            const bool valid = routine(all[i], all.size());
            sink(all[i], all.size());
            sink(&valid, 1);
        }
    }
};

/// Adds rows of unmasking, for each size. Both groups run the same copy of the code.
template <class Routine>
void add_masks(suite& all, std::string_view peer, Routine routine) {
    for (const std::size_t size : payload_sizes)
        for (const std::size_t gap : {std::size_t{0}, masked_header_size(size)})
            add(all, gap == 0 ? "mask" : "mask-unaligned", peer, size, cost_of_texts(script::ascii, size),
                [=] { return unmasking<Routine>{routine, texts(script::ascii, size, gap)}; });
}

/// Adds rows of what is done to text, for each script and size: `make(script, size)`.
template <class Make>
void add_texts(suite& all, std::string_view group, std::string_view peer, Make make) {
    for (const script s : scripts)
        for (const std::size_t size : payload_sizes) {
            const auto work = [=] { return make(s, size); };
            add(all, group_of(group, s), peer, size, cost_of_texts(s, size), work);
        }
}

template <class Routine>
void add_utf8(suite& all, std::string_view peer, Routine routine) {
    add_texts(all, "utf8", peer,
              [=](script s, std::size_t size) { return validating<Routine>{routine, texts(s, size)}; });
}

template <class Routine>
void add_fused(suite& all, std::string_view peer, Routine routine) {
    add_texts(all, "fused", peer, [=](script s, std::size_t size) {
        return unmasking_and_validating<Routine>{routine, texts(s, size)};
    });
}

/// Adds rows of receiving, for each role, kind and size: `make(wire, size, incoming)`.
template <class Make>
void add_receive(suite& all, std::string_view peer, Make make) {
    const auto add_size = [&](std::string group, std::size_t size, masked incoming, content kind) {
        const wire* const from = &wire_of(size, incoming, kind);
        const auto work        = [=] { return make(*from, size, incoming); };
        add(all, group, peer, size, {from->frames, from->payloads.size()}, work);
    };
    for (const masked incoming : {masked::yes, masked::no}) {
        const std::string group = incoming == masked::yes ? "receive-masked" : "receive-unmasked";
        for (const std::size_t size : frame_sizes) add_size(group, size, incoming, content::binary);
        add_size(group + "-text", text_frame_size, incoming, content::text);
    }
}

/// Adds rows of echoing, for each size: `make(wire, size)`.
template <class Make>
void add_echo(suite& all, std::string_view peer, Make make) {
    for (const std::size_t size : echo_sizes) {
        const wire* const from = &wire_of(size, masked::yes);
        const auto work        = [=] { return make(*from, size); };
        add(all, "echo", peer, size, {from->frames, from->payloads.size()}, work);
    }
}

/// Adds a row of a server's or a client's opening handshake: `make()`.
template <class Make>
void add_server_handshake(suite& all, std::string_view peer, Make make) {
    add(all, "handshake-server", peer, chrome_request.size(), {1, chrome_request.size()}, make);
}
template <class Make>
void add_client_handshake(suite& all, std::string_view peer, Make make) {
    add(all, "handshake-client", peer, answer_size, {1, answer_size}, make);
}

/// The sum that every checked row of this group and size must have, computed slowly and without any peer.
std::uint64_t expected_sum(std::string_view group, std::size_t size);

void add_floor(suite&);
void add_navette(suite&);
void add_beast(suite&);
void add_websocketpp(suite&);
void add_wslay(suite&);
void add_simdjson(suite&);

} // namespace bench
