// Deadlines and keep-alive of an open connection, on a clock that is handed in (RFC 6455, 5.5.2 and 7.1.1): pings when
// nothing comes, round-trip times, idle, closing and stalled connections. Reads no clock, does no I/O.
#pragma once

#include <navette/base/buffer.hpp>
#include <navette/base/config.hpp>
#include <navette/base/timeouts.hpp>
#include <navette/protocol/event.hpp>
#include <navette/protocol/protocol.hpp>

namespace navette {

/// What a heartbeat has found.
struct heartbeat_verdict {
    instant next = instant::never();  ///< call poll again then, at the latest
    errc    expired{};  ///< `idle_timeout`, `pong_timeout`: the connection has failed, drain the output and end the transport;
                        ///< `close_timeout`, `write_timeout`: end the transport at once
};

/// Watches one connection. Every call takes the time; it must not run backwards. 88 bytes, no allocation.
///
///     heartbeat watch(times, now);
///     watch.bytes_read(now); watch.received(e, now);      // after a read, for each event
///     watch.drained(now);                                 // after a write that took bytes
///     auto [next, expired] = watch.poll(ws, now, out);    // before waiting, and when `next` has come
class heartbeat {
    duration      ping_every_, pong_within_, idle_, close_within_, write_stall_;
    instant       last_read_;
    instant       ping_sent_;
    instant       closing_since_ = instant::never();
    instant       waiting_since_ = instant::never();  // since when output waits without a byte taken
    duration      round_trip_{-1};
    std::uint32_t pings_          = 0;                // each has its number as its payload
    bool          pong_awaited_   = false;            // for the liveness test; any byte ends it
    bool          timing_         = false;            // for the round-trip time; only the pong ends it

public:
    explicit heartbeat(const timeouts& times, instant now) noexcept
        : ping_every_(times.ping_every), pong_within_(times.pong_within), idle_(times.idle),
          close_within_(times.close_within), write_stall_(times.write_stall), last_read_(now) {}

    /// Bytes have come from the peer.
    void bytes_read(instant now) noexcept {
        last_read_    = now;
        pong_awaited_ = false;
    }

    /// An event has come: of a pong that answers our latest ping, the round-trip time is taken.
    void received(const event& e, instant now) noexcept;

    /// Bytes of the output have been taken by the transport.
    void drained(instant now) noexcept {
        if (waiting_since_ != instant::never()) waiting_since_ = now;
    }

    /// Does what is due: appends a ping to `out`, or fails the connection. Without room or entropy for a ping it is tried
    /// again at the next call, `ping_every` later at the latest.
    heartbeat_verdict poll(protocol_core& ws, instant now, buffer& out) noexcept;

    /// The latest round-trip time of a ping; negative: none was measured yet.
    duration round_trip() const noexcept { return round_trip_; }

private:
    bool send_ping(protocol_core& ws, instant now, buffer& out) noexcept;
};

} // namespace navette

#if !defined(NAVETTE_SEPARATE_COMPILATION)
#  include <navette/protocol/heartbeat.ipp>
#endif
