// The bodies of uri.hpp.
#pragma once

#include <navette/base/bytes.hpp>
#include <navette/codec/http_grammar.hpp>
#include <navette/handshake/uri.hpp>

namespace navette {

namespace detail {

constexpr bool is_alpha(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_hex_digit(char c) noexcept {
    return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'f');
}

// unreserved and sub-delims (RFC 3986, 2.2 and 2.3): what a registered name is made of, besides percent-encoding.
constexpr bool is_name_char(char c) noexcept {
    return is_alpha(c) || is_digit(c) ||
           std::string_view("-._~!$&'()*+,;=").find(c) != std::string_view::npos;
}

// What paths and queries are made of (3.3, 3.4).
constexpr bool is_path_char(char c) noexcept {
    return is_name_char(c) || c == ':' || c == '@' || c == '/';
}
constexpr bool is_query_char(char c) noexcept { return is_path_char(c) || c == '?'; }

// Whether `text` consists of characters that `is_allowed` lets through and of percent-encoded ones (RFC 3986, 2.1).
constexpr bool is_uri_text(std::string_view text, bool (*is_allowed)(char) noexcept) noexcept {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            if (text.size() - i < 3 || !is_hex_digit(text[i + 1]) || !is_hex_digit(text[i + 2]))
                return false;
            i += 2;
        } else if (!is_allowed(text[i])) {
            return false;
        }
    }
    return true;
}

// Four numbers from 0 to 255 without leading zeros (RFC 3986, 3.2.2).
constexpr bool is_ipv4_address(std::string_view text) noexcept {
    int numbers = 0;
    while (numbers < 4) {
        std::size_t digits = 0;
        unsigned value = 0;
        for (; digits < text.size() && digits < 4 && is_digit(text[digits]); ++digits)
            value = value * 10 + static_cast<unsigned>(text[digits] - '0');
        if (digits == 0 || value > 255 || (digits > 1 && text.front() == '0')) return false;
        text.remove_prefix(digits);
        if (++numbers < 4) {
            if (!text.starts_with('.')) return false;
            text.remove_prefix(1);
        }
    }
    return text.empty();
}

// Eight groups of one to four hexadecimal digits, of which `::` stands for one or more and an IPv4 address for the
// last two (RFC 3986, 3.2.2). Without a zone.
constexpr bool is_ipv6_address(std::string_view text) noexcept {
    int groups = 0;
    bool compressed = text.starts_with("::");
    if (compressed) text.remove_prefix(2);
    while (!text.empty()) {
        const std::size_t digits = lesser(text.find_first_of(":."), text.size());
        if (digits < text.size() && text[digits] == '.') {
            if (!is_ipv4_address(text)) return false;
            groups += 2;
            break;
        }
        if (digits == 0 || digits > 4) return false;
        for (const char c : text.substr(0, digits))
            if (!is_hex_digit(c)) return false;
        ++groups;
        text.remove_prefix(digits);
        if (text.empty()) break;
        text.remove_prefix(1);
        if (text.empty()) return false;
        if (text.front() == ':') {
            if (compressed) return false;
            compressed = true;
            text.remove_prefix(1);
        }
    }
    return compressed ? groups <= 7 : groups == 8;
}

constexpr bool is_host(std::string_view host, bool ipv6) noexcept {
    return ipv6 ? is_ipv6_address(host) : !host.empty() && is_uri_text(host, is_name_char);
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
    if (text.find('@') != std::string_view::npos) return errc::uri_has_userinfo;
    authority parsed;
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
    if (!detail::is_uri_text(target.path, detail::is_path_char)) return errc::invalid_path;
    if (!detail::is_uri_text(target.query, detail::is_query_char)) return errc::invalid_path;
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
