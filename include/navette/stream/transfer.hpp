// Reading, writing and ending over any blocking stream, with the deadlines that a stream alone does not keep: a total
// one for many reads, a stall of writes, a bounded wait for the end. Over a stream without a clock they wait for ever.
#pragma once

#include <navette/base/bytes.hpp>
#include <navette/base/timeouts.hpp>
#include <navette/stream/stream.hpp>

#include <array>

namespace navette {

/// The time on the stream's clock. One without a clock, or an any_stream that holds such, stands still at zero.
template <sync_stream S>
instant now_of(S& stream) {
    if constexpr (deadline_stream<S>) return stream.now();
    else return instant{};
}

/// `read_some` that also fails with `std::errc::timed_out`, reading nothing, when `until` has passed: a peer that never
/// stops sending does not defer it.
template <sync_stream S>
io_result<std::size_t> read_until(S& stream, byte_span in, instant until) {
    if constexpr (deadline_stream<S>) {
        if (stream.now() >= until) return std::make_error_code(std::errc::timed_out);
        stream.read_expires_at(until);
    }
    return stream.read_some(in);
}

/// Sends all of `first` and then all of `second`, with gather writes if the stream has them. `errc::write_timeout` when
/// not a byte was taken for `stall` (zero: no such bound), or when `until` has passed; else the stream's error.
template <sync_stream S>
std::error_code write_all(S& stream, const_byte_span first, const_byte_span second, duration stall,
                          instant until = instant::never()) {
    while (!first.empty() || !second.empty()) {
        if constexpr (deadline_stream<S>) {
            const instant now = stream.now();
            if (now >= until) return errc::write_timeout;
            stream.write_expires_at(lesser(until, deadline(now, stall)));
        }
        const auto taken = [&] {
            if constexpr (gather_stream<S>)
                return stream.write_some(std::array<const_byte_span, 2>{first, second});
            else
                return stream.write_some(first.empty() ? second : first);
        }();
        if (!taken && taken.error() == std::errc::timed_out) return errc::write_timeout;
        if (!taken) return taken.error();
        const std::size_t of_first = lesser(*taken, first.size());
        first  = first.subspan(of_first);
        second = second.subspan(lesser(*taken - of_first, second.size()));
    }
    return {};
}

/// Reads and discards until the peer ends its direction, an error or `until`. An end that comes before all that the peer
/// sent has been read takes back, on TCP, what this side wrote last: its Close frame or its answer (RFC 6455, 7.1.1).
template <sync_stream S>
void discard_until_end(S& stream, byte_span scratch, instant until) {
    for (;;)
        if (const auto got = read_until(stream, scratch, until); !got || *got == 0) return;
}

} // namespace navette
