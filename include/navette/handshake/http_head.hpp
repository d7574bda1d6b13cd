// The head of an HTTP/1.1 message, start line and fields (RFC 9112, 2 to 5): found, bounded and checked as it comes, in
// time linear in its size however it is split. Strict: what the grammar does not allow fails. Fields are not given
// their meaning, bodies are not read.
#pragma once

#include <navette/base/buffer.hpp>
#include <navette/base/config.hpp>
#include <navette/base/errc.hpp>
#include <navette/base/limits.hpp>
#include <navette/handshake/known_fields.hpp>

#include <cstdint>
#include <string_view>

namespace navette {

enum class http_head_status : std::uint8_t { need_more, complete, failed };

/// Which start line a head has.
enum class http_message : std::uint8_t { request, response };

/// Reads one head. What lies whole in the input is checked and viewed where it is; what comes in pieces is collected in
/// a buffer of the caller's. Borrows that buffer and the limits.
class http_head {
    // Invariant: of the head's bytes, [0, scanned_) have been searched for line ends and [0, line_) are lines that were
    // checked. They lie at the front of *storage_, or, complete in the input, in text_. Once it has failed, text_ is the line
    // at which it did.
    buffer*          storage_;
    const limits*    limits_;
    std::string_view text_{};
    std::size_t      earlier_ = 0;   // bytes of heads before this one, counted against the same limit
    std::size_t      scanned_ = 0;
    std::size_t      line_    = 0;
    std::size_t      start_   = 0;   // of the start line: 2 behind an empty line
    std::size_t      fields_  = 0;   // of the first field line; 0: the start line has not come yet
    std::size_t      count_   = 0;
    known_fields     known_{};       // while they come: of the input's lines
    http_message     message_;
    http_head_status status_ = http_head_status::need_more;
    errc             error_{};

public:
    /// `storage` is emptied. Of `limits`, the lines, fields and size of a handshake apply.
    http_head(http_message message, buffer& storage,
              const limits& bounds = default_limits) noexcept;
    http_head(http_message, buffer&, const limits&&) = delete;

    /// Takes the head's bytes off the front of `in`; those behind it stay there. Errors:
    /// - `errc::bad_start_line`, `bad_line_end`, `bad_field_name`, `bad_field_value`, `folded_line`
    /// - `errc::line_too_long`, of a request line `errc::target_too_long`; `errc::too_many_fields`
    /// - `errc::head_too_big`: longer than the limit, or than a fixed `storage`; `errc::out_of_memory`
    http_head_status receive(byte_span& in) noexcept;

    /// Begins again for the head that follows an interim response; `limits::max_handshake_size` goes on to count.
    void restart() noexcept;

    /// Copies a complete head into the storage, so that it no longer depends on the input. False: no room.
    [[nodiscard]] bool keep() noexcept;

    /// Whether a byte of this head has come.
    bool has_begun() const noexcept { return scanned_ != 0; }

    http_head_status status() const noexcept { return status_; }
    errc error() const noexcept { return error_; }

    /// The head's first line, without its end. Precondition: complete. Lives, like the fields, as long as the memory of
    /// the input that `receive` was last given or, for a head that came in pieces, of the storage.
    std::string_view start_line() const noexcept;

    /// The fields. Precondition: complete.
    http_fields fields() const noexcept;

    /// The known ones among them, or among those that were adopted. Precondition: complete, or adopted. Lives as long as
    /// the fields.
    const known_fields& known() const noexcept { return known_; }

    /// What broke the rule that `why` names: of a head that failed its line without its end, as far as it came; of a complete
    /// one the start line, or the value of the field that the rule is about: of several the first, for bad_subprotocols and
    /// bad_extensions the first that is wrong. Empty: the rule is about none, or that is missing. Lives as start_line does.
    std::string_view broken_by(errc why) const noexcept;

    /// In place of receive, for a message that somebody else read: takes its fields, which it borrows, for known() alone.
    void adopt(const http_fields& fields) noexcept { known_ = known_fields(fields); }

private:
    http_head_status fail(errc error, std::string_view line = {}) noexcept;
    std::string_view text() const noexcept;
    void scan(std::string_view head) noexcept;
    void take_field_lines(std::string_view head) noexcept;
    errc check_size(std::string_view head) const noexcept;
    errc check_line(std::string_view line) noexcept;
    errc check_field_line(std::string_view line) noexcept;
    errc overlong_line(std::string_view line) const noexcept;
    errc no_room() const noexcept;
};

/// The parts of a request line (RFC 9112, 3). Views into it.
struct request_line {
    std::string_view method{}, target{};
    unsigned version_major = 0, version_minor = 0;
};

/// The parts of a status line (RFC 9112, 4). Views into it.
struct status_line {
    unsigned version_major = 0, version_minor = 0, status = 0;
    std::string_view reason{};
};

/// Reads a request line; what the target is made of is not checked. `errc::bad_start_line`.
[[nodiscard]] errc parse_request_line(std::string_view line, request_line& parsed) noexcept;

/// The parts of a request line that parse_request_line has taken before.
[[nodiscard]] request_line split_request_line(std::string_view line) noexcept;

/// Reads a status line; the phrase may be empty, even without the space before it. `errc::bad_start_line`.
[[nodiscard]] errc parse_status_line(std::string_view line, status_line& parsed) noexcept;

} // namespace navette

#if !defined(NAVETTE_SEPARATE_COMPILATION)
#  include <navette/handshake/http_head.ipp>
#endif
