// The bodies of uri.hpp.
#pragma once

#include <navette/base/bytes.hpp>
#include <navette/codec/http_grammar.hpp>
#include <navette/codec/ip_address.hpp>
#include <navette/handshake/uri.hpp>

#include <array>

namespace navette {

namespace detail {

constexpr bool is_alpha(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_hex_digit(char c) noexcept {
    return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'f');
}

// What a text may be made of, besides percent-encoding (RFC 3986, 2.1).
enum class uri_text : unsigned char {
    name  = 1,   // unreserved and sub-delims: registered names (2.2, 2.3)
    path  = 2,   // (3.3)
    query = 4,   // (3.4)
};

inline constexpr std::array<unsigned char, 256> uri_chars = [] {
    std::array<unsigned char, 256> allowed{};
    for (unsigned char c = '-'; c < 127; ++c)
        if (is_alpha(static_cast<char>(c)) || is_digit(static_cast<char>(c))) allowed[c] = 7;
    for (const char c : std::string_view("-._~!$&'()*+,;=")) allowed[static_cast<unsigned char>(c)] = 7;
    for (const char c : std::string_view(":@/")) allowed[static_cast<unsigned char>(c)] = 6;
    allowed['?'] = 4;
    return allowed;
}();

// What most hosts and paths are made of, which stands for itself in every part of a URI.
struct plain_uri_text {
    static constexpr bool has(char c) noexcept { return is_alpha(c) || is_digit(c) || c == '-' || c == '.'; }
#if defined(NAVETTE_TEXT_VECTORS)
    static auto most(text_vector v) noexcept {
        return (text_vector((v | 0x20) - 'a') < 26) | (text_vector(v - '0') < 10) | (v == '-') | (v == '.');
    }
#endif
};

constexpr bool is_uri_text(std::string_view text, uri_text kind) noexcept {
    for (std::size_t i = skip<plain_uri_text>(text); i < text.size(); ++i) {
        if ((uri_chars[static_cast<unsigned char>(text[i])] & static_cast<unsigned char>(kind)) != 0) continue;
        if (text[i] != '%' || text.size() - i < 3 || !is_hex_digit(text[i + 1]) || !is_hex_digit(text[i + 2])) return false;
        i += 2;
    }
    return true;
}

constexpr bool is_host(std::string_view host, bool ipv6) noexcept {
    return ipv6 ? bool(parse_ipv6(host)) : !host.empty() && is_uri_text(host, uri_text::name);
}

// The number behind the colon; an empty one is 0 (RFC 3986, 3.2.3).
constexpr errc parse_port(std::string_view digits, std::uint16_t& port) noexcept {
    std::uint32_t value = 0;
    for (const char c : digits) {
        if (!is_digit(c)) return errc::invalid_port;
        value = value * 10 + static_cast<std::uint32_t>(c - '0');
        if (value > 65535) return errc::invalid_port;
    }
    if (value == 0 && !digits.empty()) return errc::invalid_port;
    port = static_cast<std::uint16_t>(value);
    return {};
}

} // namespace detail

NAVETTE_INLINE result<uri_parts> split_uri(std::string_view text) noexcept {
    uri_parts parts;
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || colon == 0 || !detail::is_alpha(text.front()))
        return errc::invalid_uri;
    parts.scheme = text.substr(0, colon);
    for (const char c : parts.scheme) // RFC 3986, 3.1
        if (!detail::is_alpha(c) && !detail::is_digit(c) && c != '+' && c != '-' && c != '.')
            return errc::invalid_uri;

    std::string_view rest = text.substr(colon + 1);
    if (const std::size_t hash = rest.find('#'); hash != std::string_view::npos) {
        parts.has_fragment = true;
        parts.fragment     = rest.substr(hash + 1);
        rest               = rest.substr(0, hash);
    }
    if (const std::size_t mark = rest.find('?'); mark != std::string_view::npos) {
        parts.has_query = true;
        parts.query     = rest.substr(mark + 1);
        rest            = rest.substr(0, mark);
    }
    if (rest.starts_with("//")) {
        rest.remove_prefix(2);
        const std::size_t slash = lesser(rest.find('/'), rest.size());

        parts.has_authority = true;
        parts.authority     = rest.substr(0, slash);
        rest                = rest.substr(slash);
    }
    parts.path = rest;
    return parts;
}

NAVETTE_INLINE result<authority> parse_authority(std::string_view text) noexcept {
    authority parsed;
    if (detail::skip<detail::plain_uri_text>(text) == text.size() && !text.empty()) {   // a host and nothing else
        parsed.host = text;
        return parsed;
    }
    if (text.find('@') != std::string_view::npos) return errc::uri_has_userinfo;
    parsed.ipv6 = text.starts_with('[');
    if (parsed.ipv6) {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos) return errc::invalid_host;
        parsed.host = text.substr(1, end - 1);
        text        = text.substr(end + 1);
    } else {
        parsed.host = text.substr(0, text.find(':'));
        text        = text.substr(parsed.host.size());
    }
    if (!detail::is_host(parsed.host, parsed.ipv6)) return errc::invalid_host;
    if (text.empty()) return parsed;
    if (text.front() != ':') return errc::invalid_host;
    if (const errc e = detail::parse_port(text.substr(1), parsed.port); e != errc{}) return e;
    return parsed;
}

NAVETTE_INLINE std::uint16_t default_port(std::string_view scheme) noexcept {
    if (iequals(scheme, "ws") || iequals(scheme, "http")) return 80;
    if (iequals(scheme, "wss") || iequals(scheme, "https")) return 443;
    return 0;
}

NAVETTE_INLINE errc check_uri(const uri& target) noexcept {
    if (!detail::is_host(target.host, target.ipv6)) return errc::invalid_host;
    if (target.port == 0) return errc::invalid_port;
    if (!target.path.starts_with('/')) return errc::invalid_path;
    if (!detail::is_uri_text(target.path, detail::uri_text::path)) return errc::invalid_path;
    if (!detail::is_uri_text(target.query, detail::uri_text::query)) return errc::invalid_path;
    return {};
}

NAVETTE_INLINE result<uri> parse_uri(std::string_view text) noexcept {
    const auto parts = split_uri(text);
    if (!parts) return parts.error();
    uri target;
    target.secure = iequals(parts->scheme, "wss");
    if (!target.secure && !iequals(parts->scheme, "ws")) return errc::unsupported_scheme;
    if (parts->has_fragment) return errc::uri_has_fragment; // RFC 6455, 3: not even an empty one
    if (!parts->has_authority) return errc::invalid_host;

    const auto from = parse_authority(parts->authority);
    if (!from) return from.error();
    target.host  = from->host;
    target.ipv6  = from->ipv6;
    target.port  = from->port_or(default_port(parts->scheme));
    target.query = parts->query;
    if (!parts->path.empty()) target.path = parts->path;
    if (const errc e = check_uri(target); e != errc{}) return e;
    return target;
}

} // namespace navette
