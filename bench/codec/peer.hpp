// What a peer brings to the benchmark: variants, each a piece of work that is timed by Google Benchmark and, by the same
// code, checked once for the bytes that it delivers. The loop stands here as a template, so that a peer's own translation
// unit inlines what a program that uses the peer would inline. C++17, because one of the peers is.
#pragma once

#include "corpus.hpp"

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {

/// Where a timed variant delivers: nothing is read, nothing can be left out.
struct timed_sink {
    void operator()(const void* data, std::size_t size) {
        benchmark::DoNotOptimize(data);
        benchmark::DoNotOptimize(size);
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
    std::size_t operations = 1;   ///< frames, messages, handshakes; a pass over a buffer is one
    std::size_t bytes      = 0;   ///< of payload
};

/// One pass over all texts of a size.
inline cost cost_of_texts(script s, std::size_t size) { return {text_count(s, size), text_count(s, size) * size}; }

/// One row: `group/peer/size`.
struct variant {
    std::string                          group, peer;
    std::size_t                          size;
    std::function<std::uint64_t()>       sum;    ///< of what it delivers; empty for a floor, which delivers nothing
    std::function<void(benchmark::State&)> time;
};

using suite = std::vector<variant>;

enum class checked : bool { no, yes };

/// Adds a row. `make()` makes the work, a callable that takes a sink and does one iteration.
template <class Make>
void add(suite& all, std::string_view group, std::string_view peer, std::size_t size, cost each, Make make,
         checked check = checked::yes) {
    variant row{std::string(group), std::string(peer), size, {}, {}};
    if (check == checked::yes)
        row.sum = [make] {
            auto         work = make();
            checked_sink sink;
            work(sink);
            return sink.sum();
        };
    row.time = [make, each](benchmark::State& state) {
        auto       work = make();
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

/// The sum that every checked row of this group and size must have, computed slowly and without any peer.
std::uint64_t expected_sum(std::string_view group, std::size_t size);

void add_floor(suite&);
void add_navette(suite&);
void add_beast(suite&);
void add_websocketpp(suite&);
void add_wslay(suite&);
void add_simdjson(suite&);

} // namespace bench
