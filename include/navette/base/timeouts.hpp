// Every deadline of a connection, with its default and the reason.
// Sizes are in limits.hpp.
#pragma once

#include <navette/base/instant.hpp>

namespace navette {

/// How long a connection waits for what. Zero turns a deadline off.
struct timeouts {
    duration connect     = seconds(10);  ///< until the transport stands, name resolution and all addresses included
    duration proxy       = seconds(10);  ///< until a proxy has opened its tunnel; each of a chain has as long
    duration tls         = seconds(10);  ///< until TLS is laid over the transport
    duration handshake   = seconds(10);  ///< until the opening handshake is complete; in all, not for each byte
    duration idle        = duration{};   ///< without a byte received; off, since heartbeat does better
    duration ping_every  = seconds(20);  ///< without a byte received until a ping is sent; below the 30 s and 60 s at which proxies cut
    duration pong_within = seconds(20);  ///< after that ping, without a byte received, the connection is lost
    duration close_within = seconds(5);  ///< for the closing handshake and the transport's end (RFC 6455, 7.1.1)
    duration write_stall = seconds(30);  ///< without a byte taken while output waits: ends the peer that never reads
};

/// The deadline `after` from `now`; never if it is off.
constexpr instant deadline(instant now, duration after) noexcept {
    return after == duration{} ? instant::never() : now + after;
}

} // namespace navette
