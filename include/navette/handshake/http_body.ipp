// The bodies of http_body.hpp.
#pragma once

#include <navette/base/bytes.hpp>
#include <navette/handshake/http_body.hpp>

#include <limits>

namespace navette {

namespace detail {

constexpr bool parse_length(std::string_view digits, std::uint64_t& value) noexcept {
    value = 0;
    for (const char c : digits) {
        if (c < '0' || c > '9') return false;
        const auto digit = static_cast<std::uint64_t>(c - '0');
        if (value > (std::numeric_limits<std::uint64_t>::max() - digit) / 10) return false;
        value = value * 10 + digit;
    }
    return !digits.empty();
}

} // namespace detail

NAVETTE_INLINE result<body_length> read_body_length(const known_fields& fields,
                                                    bool is_request) noexcept {
    if (fields.has(known_field::transfer_encoding)) {
        if (fields.has(known_field::content_length))
            return errc::unexpected_body; // RFC 9112, 6.3: an attempt at smuggling
        std::size_t chunked = 0;
        bool is_last = false;
        fields.for_each_element(known_field::transfer_encoding, [&](std::string_view coding) {
            is_last = iequals(coding, "chunked");
            chunked += is_last ? 1 : 0;
        });
        if (is_last && chunked == 1) return body_length{body_length::kind::chunked};
        if (is_request) return errc::unexpected_body;
        return body_length{body_length::kind::until_close};
    }
    if (!fields.has(known_field::content_length)) return body_length{};

    std::uint64_t length   = 0;
    bool          is_first = true, is_valid = true;
    fields.for_each(known_field::content_length, [&](std::string_view value) {
        std::uint64_t n = 0;

        is_valid = is_valid && detail::parse_length(value, n) && (is_first || length == n);
        is_first = false;
        length   = n;
    });
    if (!is_valid) return errc::unexpected_body;
    return body_length{body_length::kind::known, length};
}

NAVETTE_INLINE body_reader::body_reader(const body_length& length, std::size_t max) noexcept
    : room_(max) {
    switch (length.how) {
    case body_length::kind::known: left_ = length.bytes; break;
    case body_length::kind::chunked: break;
    case body_length::kind::none_given:
    case body_length::kind::until_close: left_ = std::numeric_limits<std::uint64_t>::max(); break;
    }
    if (length.how == body_length::kind::chunked) state_ = max == 0 ? state::done : state::size;
    else if (left_ == 0) state_ = state::whole;
    else state_ = max == 0 ? state::done : state::plain;
}

NAVETTE_INLINE bool body_reader::receive(byte_span& in, buffer& to) noexcept {
    while (!in.empty() && state_ < state::whole) {
        const bool goes_on =
            state_ == state::plain || state_ == state::data ? keep(in, to) : read_framing(in);
        if (!goes_on && state_ != state::whole) state_ = state::done;
    }
    return state_ >= state::whole;
}

// Content. False: no more of it can be kept, or it has ended.
NAVETTE_INLINE bool body_reader::keep(byte_span& in, buffer& to) noexcept {
    auto n = static_cast<std::size_t>(lesser<std::uint64_t>(lesser(in.size(), room_), left_));
    if (to.is_fixed()) n = lesser(n, to.capacity() - to.size());
    if (n == 0 || !to.append(in.first(n))) return false;
    in = in.subspan(n);
    room_ -= n;
    left_ -= n;
    if (left_ != 0) return room_ != 0;
    state_ = state_ == state::plain ? state::whole : state::data_end;
    return state_ != state::whole;
}

// One byte of what stands around the chunks (RFC 9112, 7.1). False: it is malformed, or the last chunk has come.
NAVETTE_INLINE bool body_reader::read_framing(byte_span& in) noexcept {
    constexpr std::uint16_t max_line  = 256;
    constexpr std::string_view digits = "0123456789abcdef";

    const char c = static_cast<char>(in.front());
    in           = in.subspan(1);
    if (state_ == state::data_end) {
        state_ = state::data_line_feed;
        return c == '\r';
    }
    if (state_ == state::data_line_feed) {
        state_ = state::size;
        line_  = 0;
        return c == '\n';
    }
    if (state_ == state::size_line_feed) {
        if (c == '\n') state_ = left_ == 0 ? state::whole : state::data;
        return state_ == state::data;
    }
    if (++line_ > max_line) return false;
    if (c == '\r') {
        state_ = state::size_line_feed;
        return line_ > 1;
    }
    if (state_ == state::extension) return is_field_char(c);
    if (line_ > 1 && (c == ';' || is_ows(c))) {
        state_ = state::extension;
        return true;
    }
    const std::size_t digit = digits.find(to_lower(c));
    if (digit == std::string_view::npos || left_ >> 60 != 0) return false;
    left_ = left_ << 4 | digit;
    return true;
}

} // namespace navette
