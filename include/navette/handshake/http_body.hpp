// How long the body of an HTTP/1.1 message is (RFC 9112, 6), and the reading of one, chunked or not, up to a bound.
// Trailers are left out; content codings are kept as they are.
#pragma once

#include <navette/base/buffer.hpp>
#include <navette/base/config.hpp>
#include <navette/base/result.hpp>
#include <navette/handshake/known_fields.hpp>

#include <cstdint>

namespace navette {

/// How the end of a body is known.
struct body_length {
    enum class kind : std::uint8_t { none_given, known, chunked, until_close };

    kind          how   = kind::none_given;
    std::uint64_t bytes = 0;   ///< if known

    friend constexpr bool operator==(const body_length&, const body_length&) noexcept = default;
};

/// What Content-Length and Transfer-Encoding say. `errc::unexpected_body`: both together, several lengths that differ,
/// a length that is no number, in a request a last coding other than chunked. In a response, such a coding means that
/// the body ends with the connection.
result<body_length> read_body_length(const known_fields& fields, bool is_request) noexcept;

/// Reads a body into a buffer.
class body_reader {
    enum class state : std::uint8_t {
        plain, size, extension, size_line_feed, data, data_end, data_line_feed, whole, done
    };

    std::uint64_t left_  = 0;       // bytes of the body, or of its chunk, that are still to come
    std::size_t   room_  = 0;       // bytes that may still be kept
    std::uint16_t line_  = 0;       // bytes of the chunk's first line
    state         state_ = state::done;

public:
    /// Nothing to read.
    constexpr body_reader() noexcept = default;

    /// A body of `length`, of which at most `max` bytes are kept. Without a length it ends with the connection.
    body_reader(const body_length& length, std::size_t max) noexcept;

    /// Takes bytes off the front of `in` and appends what they carry to `to`. True: the body has ended, its bound is
    /// reached, `to` is full or a chunk is malformed; what came before is in `to`.
    [[nodiscard]] bool receive(byte_span& in, buffer& to) noexcept;

    /// Whether it has ended where it says itself. Behind chunks come the trailers and an empty line, which are not read.
    bool is_whole() const noexcept { return state_ == state::whole; }

private:
    bool keep(byte_span& in, buffer& to) noexcept;
    bool read_framing(byte_span& in) noexcept;
};

} // namespace navette

#if !defined(NAVETTE_SEPARATE_COMPILATION)
#  include <navette/handshake/http_body.ipp>
#endif
