// The bodies of http_head.hpp.
#pragma once

#include <navette/base/bytes.hpp>
#include <navette/extension/extension_offer.hpp>
#include <navette/handshake/http_head.hpp>

namespace navette {

namespace detail {

// HTTP-version (RFC 9112, 2.3).
constexpr bool parse_http_version(std::string_view text, unsigned& major,
                                  unsigned& minor) noexcept {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (text.size() != 8 || !text.starts_with("HTTP/") || !is_digit(text[5]) || text[6] != '.' ||
        !is_digit(text[7]))
        return false;
    major = static_cast<unsigned>(text[5] - '0');
    minor = static_cast<unsigned>(text[7] - '0');
    return true;
}

} // namespace detail

NAVETTE_INLINE http_head::http_head(http_message message, buffer& storage,
                                    const limits& bounds) noexcept
    : storage_(&storage), limits_(&bounds), message_(message) {
    storage.clear();
}

NAVETTE_INLINE http_head_status http_head::receive(byte_span& in) noexcept {
    if (status_ != http_head_status::need_more) return status_;
    if (storage_->empty()) {
        scan(as_text(in));
        if (status_ == http_head_status::complete) {
            text_ = as_text(in.first(scanned_));
            in    = in.subspan(scanned_);
            known_.end(fields());
        } else if (status_ == http_head_status::need_more) {
            if (!storage_->append(in)) return fail(no_room());
            in = {};
        }
        return status_;
    }
    // Line by line, so that no byte behind the head is taken.
    while (!in.empty() && status_ == http_head_status::need_more) {
        const std::size_t most = limits_->max_handshake_size + 1 -
                                 lesser(storage_->size(), limits_->max_handshake_size);
        const std::string_view text = as_text(in.first(lesser(in.size(), most)));
        const byte_span piece       = in.first(lesser(text.find('\n'), text.size() - 1) + 1);
        if (!storage_->append(piece)) return fail(no_room());
        in = in.subspan(piece.size());
        scan(as_text(storage_->data()));
    }
    if (status_ == http_head_status::complete) known_ = known_fields(fields()); // the storage may have moved
    return status_;
}

NAVETTE_INLINE void http_head::restart() noexcept {
    earlier_ += scanned_;
    scanned_ = line_ = start_ = fields_ = count_ = 0;

    text_   = {};
    known_  = {};
    status_ = http_head_status::need_more;
    storage_->clear();
}

NAVETTE_INLINE bool http_head::keep() noexcept {
    if (text_.empty()) return true;
    if (!storage_->append(as_bytes(text_))) return false;
    text_  = {};
    known_ = known_fields(fields());
    return true;
}

NAVETTE_INLINE std::string_view http_head::text() const noexcept {
    return text_.empty() ? as_text(storage_->data()).substr(0, scanned_) : text_;
}

NAVETTE_INLINE std::string_view http_head::start_line() const noexcept {
    return text().substr(start_, fields_ - start_ - 2);
}

NAVETTE_INLINE http_fields http_head::fields() const noexcept {
    return http_fields::of_lines(text().substr(fields_, scanned_ - fields_ - 2));
}

NAVETTE_INLINE http_head_status http_head::fail(errc error, std::string_view line) noexcept {
    if (line.ends_with('\n')) line.remove_suffix(1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    error_  = error;
    text_   = line;
    status_ = http_head_status::failed;
    return status_;
}

namespace detail {

// The first line of Sec-WebSocket-Protocol with something that is no token, or with a token that has stood before; null if
// all is well (RFC 6455, 4.1 and 11.3.4). Takes the square of the number of elements, which the caller has bounded.
inline std::string_view wrong_subprotocols(const known_fields& known) noexcept {
    std::string_view wrong;
    std::size_t      before = 0;
    known.for_each(known_field::subprotocol, [&](std::string_view line) {
        if (wrong.data() != nullptr) return;
        bool        is_right = line.find('"') == std::string_view::npos;
        list_reader list(line);
        for (std::string_view token; is_right && list.next(token); ++before) {
            is_right      = is_token(token);
            std::size_t n = 0;
            known.for_each_element(known_field::subprotocol, [&](std::string_view earlier) {
                if (n++ < before && earlier == token) is_right = false;
            });
        }
        if (!is_right) wrong = line;
    });
    return wrong;
}

// The first line of Sec-WebSocket-Extensions that breaks the grammar (RFC 6455, 9.1); null if all is well.
inline std::string_view wrong_extensions(const known_fields& known) noexcept {
    std::string_view wrong;
    known.for_each(known_field::extensions, [&](std::string_view line) {
        if (equals(line, "permessage-deflate; client_max_window_bits")) return;   // as browsers write it
        extension_reader offers(line);
        for (extension_offer offer; offers.next(offer);) continue;
        if (wrong.data() == nullptr && offers.malformed()) wrong = line;
    });
    return wrong;
}

} // namespace detail

NAVETTE_INLINE std::string_view http_head::broken_by(errc why) const noexcept {
    if (status_ == http_head_status::failed) return text_;
    const auto field = [this](known_field about) { return known_.value(about); };
    switch (why) {
    case errc::bad_start_line:
    case errc::bad_target:
    case errc::target_too_long:
    case errc::method_not_allowed:
    case errc::http_version_not_supported:
    case errc::unexpected_status:
    case errc::too_many_interim_responses: return fields_ == 0 ? std::string_view{} : start_line();
    case errc::bad_host:                 return field(known_field::host);
    case errc::origin_refused:           return field(known_field::origin);
    case errc::upgrade_mismatch:         return field(known_field::upgrade);
    case errc::connection_lacks_upgrade:
    case errc::connection_mismatch:      return field(known_field::connection);
    case errc::invalid_key:              return field(known_field::key);
    case errc::accept_mismatch:          return field(known_field::accept);
    case errc::unsupported_version:      return field(known_field::version);
    case errc::bad_subprotocols:         return detail::wrong_subprotocols(known_);
    case errc::unoffered_subprotocol:    return field(known_field::subprotocol);
    case errc::bad_extensions:           return detail::wrong_extensions(known_);
    case errc::unoffered_extension:
    case errc::extension_refused:        return field(known_field::extensions);
    case errc::unexpected_body:
        return field(known_.has(known_field::transfer_encoding) ? known_field::transfer_encoding : known_field::content_length);
    default: return {};
    }
}

NAVETTE_INLINE errc http_head::no_room() const noexcept {
    return storage_->is_fixed() ? errc::head_too_big : errc::out_of_memory;
}

// Goes on where it stopped, and only over bytes that it has not seen.
NAVETTE_INLINE void http_head::scan(std::string_view head) noexcept {
    while (status_ == http_head_status::need_more) {
        take_field_lines(head);
        const std::size_t end = head.find('\n', scanned_);

        scanned_ = end == std::string_view::npos ? head.size() : end + 1;
        if (const errc e = check_size(head); e != errc{}) {
            fail(e, head.substr(line_, scanned_ - line_));
            return;
        }
        if (end == std::string_view::npos) return;
        const std::string_view line(head.data() + line_, end - line_);
        const errc             e = check_line(line);

        line_ = scanned_;
        if (e != errc{}) fail(e, line);
    }
}

// Field lines as nearly all are: whole, well-formed and within the limits. Leaves the first other one to scan.
NAVETTE_INLINE void http_head::take_field_lines(std::string_view head) noexcept {
    if (fields_ == 0 || scanned_ != line_) return;
    const bool        is_viewed = storage_->empty();
    const std::size_t longest   = limits_->max_handshake_line, most = limits_->max_handshake_fields;
    const std::size_t room      = limits_->max_handshake_size - lesser(earlier_, limits_->max_handshake_size);
    std::size_t       at = line_, count = count_;   // members would be written for each line
    for (; count < most; ++count) {
        const char* const line  = head.data() + at;
        const std::size_t size  = head.size() - at;
        const auto [colon, end] = detail::find_field_line({line, size});
        if (end == 0 || size - end < 2 || line[end] != '\r' || line[end + 1] != '\n') break;
        if (end > longest || at + end + 2 > room) break;
        at += end + 2;
        if (!is_viewed) continue;
        // Nearly all values have one space in front, and none behind.
        const std::size_t value = line[colon + 1] == ' ' ? colon + 2 : colon + 1;
        const std::string_view text(line + value, end - value);
        const bool is_bare = value < end && text.front() > ' ' && text.back() > ' ';
        known_.note({{line, colon}, is_bare ? text : trim_ows(text)});
    }
    count_   = count;
    scanned_ = line_ = at;
}

// The same error at the same byte, however the head was split: the bound that was crossed first counts.
NAVETTE_INLINE errc http_head::check_size(std::string_view head) const noexcept {
    std::string_view line = head.substr(line_, scanned_ - line_);
    if (line.ends_with('\n')) line.remove_suffix(1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::size_t room =
        limits_->max_handshake_size - lesser(earlier_, limits_->max_handshake_size);
    const std::size_t most = limits_->max_handshake_line;
    if (line.size() > most) {
        const std::size_t crossed = line_ + most + 1;
        if (crossed <= room) return overlong_line(line.substr(0, most));
    }
    return scanned_ > room ? errc::head_too_big : errc{};
}

// RFC 9112, 3: a target that is too long is told from other lines.
NAVETTE_INLINE errc http_head::overlong_line(std::string_view line) const noexcept {
    if (fields_ != 0) return errc::line_too_long;
    if (message_ == http_message::response) return errc::bad_start_line;
    const std::size_t method = line.find(' ');
    return method != std::string_view::npos && is_token(line.substr(0, method))
               ? errc::target_too_long
               : errc::bad_start_line;
}

NAVETTE_INLINE errc http_head::check_line(std::string_view line) noexcept {
    // RFC 9112, 2.2: a recipient may take LF alone; we do not.
    if (!line.ends_with('\r')) return errc::bad_line_end;
    line.remove_suffix(1);
    if (line.find('\r') != std::string_view::npos) return errc::bad_line_end; // 2.2: bare CR
    if (fields_ != 0) return check_field_line(line);

    if (line.empty() && start_ == 0 && message_ == http_message::request) {
        start_ = scanned_; // 2.2: one empty line in front
        return {};
    }
    fields_ = scanned_;
    if (message_ == http_message::request) {
        request_line request;
        return parse_request_line(line, request);
    }
    status_line status;
    return parse_status_line(line, status);
}

NAVETTE_INLINE errc http_head::check_field_line(std::string_view line) noexcept {
    if (line.empty()) {
        status_ = http_head_status::complete;
        return {};
    }
    if (++count_ > limits_->max_handshake_fields) return errc::too_many_fields;
    if (is_ows(line.front())) return errc::folded_line; // RFC 9112, 5.2, and 2.2 for the first
    const std::size_t colon = detail::skip_token_chars(line);
    if (colon == 0 || colon == line.size() || line[colon] != ':') return errc::bad_field_name; // 5.1
    const std::string_view value(line.data() + colon + 1, line.size() - colon - 1);
    if (!is_field_value(value)) return errc::bad_field_value;
    if (storage_->empty()) known_.note({{line.data(), colon}, trim_ows(value)});
    return {};
}

NAVETTE_INLINE errc parse_request_line(std::string_view line, request_line& parsed) noexcept {
    constexpr std::size_t version = std::string_view(" HTTP/1.1").size();
    const std::size_t method = detail::skip_token_chars(line);
    if (method == 0 || line.size() <= method + 1 + version || line[method] != ' ') return errc::bad_start_line;
    const char* const end = line.data() + line.size() - version;
    if (*end != ' ' || !detail::parse_http_version({end + 1, version - 1}, parsed.version_major, parsed.version_minor))
        return errc::bad_start_line;
    parsed.method = {line.data(), method};
    parsed.target = {line.data() + method + 1, end};
    return {};
}

NAVETTE_INLINE request_line split_request_line(std::string_view line) noexcept {
    constexpr std::size_t version = std::string_view(" HTTP/1.1").size();
    std::size_t method = 0;
    while (line[method] != ' ') ++method;
    const char* const end   = line.data() + line.size();
    const auto        digit = [](char c) { return static_cast<unsigned>(c - '0'); };
    return {{line.data(), method}, {line.data() + method + 1, end - version}, digit(end[-3]), digit(end[-1])};
}

NAVETTE_INLINE errc parse_status_line(std::string_view line, status_line& parsed) noexcept {
    if (!detail::parse_http_version(line.substr(0, 8), parsed.version_major, parsed.version_minor))
        return errc::bad_start_line;
    if (parsed.version_major != 1 || line.size() < 12 || line[8] != ' ')
        return errc::bad_start_line;
    parsed.status = 0;
    for (const char c : line.substr(9, 3)) {
        if (c < '0' || c > '9') return errc::bad_start_line;
        parsed.status = parsed.status * 10 + static_cast<unsigned>(c - '0');
    }
    if (parsed.status < 100) return errc::bad_start_line;
    // The space before an empty phrase, which RFC 9112, 4 demands, is often left out.
    if (line.size() == 12) return {};
    parsed.reason = line.substr(13);
    return line[12] == ' ' && is_field_value(parsed.reason) ? errc{} : errc::bad_start_line;
}

} // namespace navette
