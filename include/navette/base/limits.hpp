// Every number that a peer can push against, with its unit, its default and the reason.
// Times are in timeouts.hpp.
#pragma once

#include <cstddef>
#include <cstdint>

namespace navette {

/// The bounds of a connection (RFC 6455, 10.4). A protocol holds them by pointer: one object serves a whole program and
/// outlives its connections. There is no "unlimited": who wants it writes the largest value.
struct limits {
    /// Bytes of one message, after decompression, inclusive; beyond it the connection fails with 1009. 16 MiB holds
    /// what browsers send in practice, and is what the field's conformance suite sends at most.
    std::uint64_t max_message_size = std::uint64_t{16} << 20;

    /// Frames of one message, empty ones counted; beyond it 1008. Twice what the conformance suite sends.
    std::uint32_t max_fragments = 131'072;

    /// Bytes in the output above which a new pong replaces an unsent one at its end (RFC 6455, 5.5.3).
    std::size_t max_pongs = 64 * 1024;

    /// Bytes that may wait in the output queue of a connection; one message always fits into an empty queue.
    std::size_t max_output = std::size_t{16} << 20;

    /// Bytes of one line of an HTTP head, its CR LF not counted: what common servers allow.
    std::size_t max_handshake_line = 8'192;

    /// Fields of an HTTP head, repeated names counted.
    std::size_t max_handshake_fields = 128;

    /// Bytes of an HTTP head in all, start line and final CR LF included; on a client, of interim responses too.
    std::size_t max_handshake_size = 64 * 1024;

    /// Interim responses (1xx other than 101) that a client skips.
    unsigned max_interim_responses = 8;

    /// Bytes that a client keeps of the body of an answer that is not 101; the rest is left out.
    std::size_t max_error_body = 8 * 1024;
};

/// The defaults.
inline constexpr limits default_limits{};

} // namespace navette
