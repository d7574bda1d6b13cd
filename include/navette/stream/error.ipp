// The categories behind stream/error.hpp; what they say comes from the table in base/errc.hpp.
// Conditions have one of their own: two values of one category are equal when their numbers are (std::error_category).
#pragma once

#include <navette/stream/error.hpp>

namespace navette {
namespace detail {

class errc_category final : public std::error_category {
    static bool is_known(int value) noexcept {
        return value >= 1 && static_cast<std::size_t>(value) <= std::size(error_table);
    }

public:
    const char* name() const noexcept override { return "navette"; }

    std::string message(int value) const override {
        if (!is_known(value)) return value == 0 ? "success" : "unknown error";
        const error_facts& known = facts(static_cast<errc>(value));
        std::string text(known.sentence);
        if (*known.clause != 0) text.append(" (").append(known.clause).append(")");
        return text;
    }

    std::error_condition default_error_condition(int value) const noexcept override {
        if (!is_known(value)) return {value, *this};
        return make_error_condition(facts(static_cast<errc>(value)).whose);
    }
};

class blame_category final : public std::error_category {
public:
    const char* name() const noexcept override { return "navette.blame"; }

    std::string message(int value) const override {
        constexpr std::string_view sentences[] = {
            "the connection has ended",   "the peer broke the protocol",
            "the peer exceeded a limit",  "the opening handshake failed",
            "a deadline passed",          "this machine could not",
            "the call was not allowed",
        };
        if (value < 1 || static_cast<std::size_t>(value) > std::size(sentences)) return "unknown";
        return std::string(sentences[value - 1]);
    }
};

inline void append_hexadecimal(std::string& text, std::byte b) {
    constexpr char digits[] = "0123456789abcdef";
    text += digits[std::to_integer<unsigned>(b) >> 4];
    text += digits[std::to_integer<unsigned>(b) & 15];
}

// The bytes of a line or a field's value, and what of a frame is text.
inline void append_quoted(std::string& text, std::string_view bytes) {
    constexpr std::size_t most = 120;
    text += '"';
    for (const char c : bytes.substr(0, most)) {
        if (c == '"' || c == '\\') text += '\\';
        if (c >= ' ' && c <= '~') {
            text += c;
        } else {
            text += "\\x";
            append_hexadecimal(text, static_cast<std::byte>(c));
        }
    }
    text += bytes.size() > most ? "\"..." : "\"";
}

} // namespace detail

NAVETTE_INLINE std::string explanation(std::error_code why, const_byte_span broken_by) {
    const std::string_view bytes    = as_text(broken_by);
    const bool             in_frame = why == blame::protocol_violation || why == blame::limit_exceeded;
    // A server that has said 101 and goes on in HTTP, since it takes another view of the request. As a header of a frame its
    // 'H' is a Close with more to follow.
    const bool  is_http = why == errc::fragmented_control && bytes.starts_with("HTTP/");
    std::string text    = is_http ? "the peer sent HTTP after 101 (RFC 6455, 5)" : why.message();
    if (bytes.empty()) return text;
    text += ":";
    if (in_frame && !is_http) {
        for (const std::byte b : broken_by) {
            text += ' ';
            detail::append_hexadecimal(text, b);
        }
    } else {
        text += ' ';
        detail::append_quoted(text, bytes);
    }
    return text;
}

NAVETTE_INLINE const std::error_category& error_category() noexcept {
    static const detail::errc_category category;
    return category;
}

NAVETTE_INLINE std::error_condition make_error_condition(blame b) noexcept {
    static const detail::blame_category category;
    return {static_cast<int>(b) + 1, category};
}

} // namespace navette
