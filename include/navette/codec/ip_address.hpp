// IP addresses written as text: dotted IPv4, and IPv6 (RFC 3986, 3.2.2; RFC 4291, 2.2). Without a zone, a port or
// brackets; the older forms of IPv4, such as 127.1 and 0x7f000001, are none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace navette {

/// An address in network order. What is no address has size 0.
struct ip_address {
    std::array<std::byte, 16> bytes{};
    std::uint8_t              size = 0;   ///< 4, 16 or 0

    constexpr explicit operator bool() const noexcept { return size != 0; }
    friend constexpr bool operator==(const ip_address&, const ip_address&) noexcept = default;
};

/// Four numbers from 0 to 255 without leading zeros.
constexpr ip_address parse_ipv4(std::string_view text) noexcept {
    ip_address parsed;
    for (std::size_t i = 0; i < 4; ++i) {
        unsigned    value  = 0;
        std::size_t digits = 0;
        for (; digits < text.size() && digits < 4 && text[digits] >= '0' && text[digits] <= '9'; ++digits)
            value = value * 10 + static_cast<unsigned>(text[digits] - '0');
        if (digits == 0 || value > 255 || (digits > 1 && text.front() == '0')) return {};
        parsed.bytes[i] = static_cast<std::byte>(value);
        text.remove_prefix(digits);
        if (i == 3) break;
        if (!text.starts_with('.')) return {};
        text.remove_prefix(1);
    }
    if (!text.empty()) return {};
    parsed.size = 4;
    return parsed;
}

/// Eight groups of one to four hexadecimal digits, of which `::` stands for one or more that are zero, and an IPv4
/// address for the last two.
constexpr ip_address parse_ipv6(std::string_view text) noexcept {
    constexpr std::size_t none = 17;

    ip_address  parsed;
    std::size_t written = 0;      // bytes
    std::size_t gap     = none;   // how many of them stand before `::`
    if (text.starts_with("::")) {
        gap = 0;
        text.remove_prefix(2);
    }
    while (!text.empty()) {
        unsigned    value  = 0;
        std::size_t digits = 0;
        for (; digits < text.size(); ++digits) {
            const char c     = text[digits];
            const char lower = static_cast<char>(c | 0x20);
            if (c >= '0' && c <= '9') value = value * 16 + static_cast<unsigned>(c - '0');
            else if (lower >= 'a' && lower <= 'f') value = value * 16 + static_cast<unsigned>(lower - 'a' + 10);
            else break;
            if (digits == 4) return {};
        }
        if (digits < text.size() && text[digits] == '.') {
            const ip_address last = parse_ipv4(text);
            if (!last || written > 12) return {};
            for (std::size_t i = 0; i < 4; ++i) parsed.bytes[written++] = last.bytes[i];
            break;
        }
        if (digits == 0 || written == 16) return {};
        parsed.bytes[written++] = static_cast<std::byte>(value >> 8);
        parsed.bytes[written++] = static_cast<std::byte>(value & 0xff);
        text.remove_prefix(digits);
        if (text.empty()) break;
        if (text.front() != ':' || text.size() == 1) return {};
        text.remove_prefix(1);
        if (text.front() == ':') {
            if (gap != none) return {};
            gap = written;
            text.remove_prefix(1);
        }
    }
    if (gap == none ? written != 16 : written > 14) return {};
    if (gap != none) {   // what stands behind the gap moves to the end
        for (std::size_t i = 16; written > gap;) {
            parsed.bytes[--i]       = parsed.bytes[--written];
            parsed.bytes[written] = std::byte{0};
        }
    }
    parsed.size = 16;
    return parsed;
}

/// An address of either kind.
constexpr ip_address parse_ip(std::string_view text) noexcept {
    const ip_address parsed = parse_ipv4(text);
    return parsed ? parsed : parse_ipv6(text);
}

} // namespace navette
