// Writes an HTTP/1.1 head. The one place where strings of the user's go on the wire in an opening handshake: each is
// checked here, and what is refused leaves nothing behind (RFC 9110, 5.5; RFC 9112, 11.1).
#pragma once

#include <navette/base/buffer.hpp>
#include <navette/base/config.hpp>
#include <navette/base/errc.hpp>
#include <navette/handshake/http_fields.hpp>
#include <navette/handshake/known_fields.hpp>

#include <cstdint>
#include <string_view>

namespace navette {

/// Whether a field may be sent: its name is a token, its value cannot end its line. `errc::invalid_field`.
[[nodiscard]] constexpr errc check_field(const http_field& field) noexcept {
    return is_token(field.name) && is_field_value(field.value) ? errc{} : errc::invalid_field;
}

/// Appends one head to a buffer, all or nothing: the first error is kept, and `finish` then takes back what was
/// written. Nothing else may append or consume in between.
class http_writer {
    buffer&     out_;
    std::size_t begin_;
    errc        error_{};

public:
    explicit http_writer(buffer& out) noexcept : out_(out), begin_(out.size()) {}
    http_writer(const http_writer&) = delete;
    http_writer& operator=(const http_writer&) = delete;

    /// A piece of a line. `errc::invalid_field` if it has a character that no line may hold.
    void text(std::string_view piece) noexcept;
    void number(std::uint64_t value) noexcept;
    void end_line() noexcept { raw("\r\n"); }

    /// The first line of a response, whose status has three digits (RFC 9112, 4). `errc::invalid_field`.
    void status_line(unsigned status, std::string_view reason) noexcept;

    /// A whole field line. `errc::invalid_field`. `known`, if it is not `other`, is what which_field says of the name.
    void field(const http_field& field, known_field known = known_field::other) noexcept;
    void fields(const http_fields& fields) noexcept;

    /// Keeps `error` if it is the first.
    void fail(errc error) noexcept;
    bool failed() const noexcept { return error_ != errc{}; }

    /// Ends the head with its empty line. Any error, `errc::out_of_memory` among them: the buffer is as it was.
    [[nodiscard]] errc finish() noexcept;

private:
    void raw(std::string_view bytes) noexcept;
    void line(std::string_view begin, std::string_view end) noexcept;
};

} // namespace navette

#if !defined(NAVETTE_SEPARATE_COMPILATION)
#  include <navette/handshake/http_writer.ipp>
#endif
