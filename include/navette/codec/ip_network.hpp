// Networks of IP addresses, written as an address and the length of a prefix (RFC 4632, 3.1; RFC 4291, 2.3).
// Knows nothing of interfaces and routes.
#pragma once

#include <navette/codec/ip_address.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace navette {

/// The IPv4 address that an IPv4-mapped IPv6 address stands for (RFC 4291, 2.5.5.2); any other as it is.
constexpr ip_address unmapped(const ip_address& address) noexcept {
    if (address.size != 16) return address;
    for (std::size_t i = 0; i < 12; ++i)
        if (address.bytes[i] != (i < 10 ? std::byte{0} : std::byte{0xff})) return address;
    ip_address made;
    for (std::size_t i = 0; i < 4; ++i) made.bytes[i] = address.bytes[12 + i];
    made.size = 4;
    return made;
}

/// All addresses that begin with the same bits. What is no network has an address of size 0, and contains nothing.
struct ip_network {
    ip_address   address{};
    std::uint8_t prefix = 0;   ///< bits, at most 32 or 128

    constexpr explicit operator bool() const noexcept { return bool(address); }

    /// Whether `one`, or the IPv4 address that it maps, is in it.
    constexpr bool contains(const ip_address& one) const noexcept {
        const ip_address plain = unmapped(one);
        if (!address || plain.size != address.size) return false;
        for (std::size_t i = 0; i < prefix; ++i) {
            const auto bit = static_cast<std::byte>(0x80 >> i % 8);
            if (((plain.bytes[i / 8] ^ address.bytes[i / 8]) & bit) != std::byte{0}) return false;
        }
        return true;
    }
};

/// "10.0.0.0/8", "fd00::/8", or an address alone for a network of one. Bits behind the prefix must be zero.
constexpr ip_network parse_ip_network(std::string_view text) noexcept {
    const std::size_t slash = text.find('/');
    ip_network        made{parse_ip(text.substr(0, slash))};
    if (!made.address) return {};
    const unsigned bits   = made.address.size * 8u;
    unsigned       prefix = bits;
    if (slash != std::string_view::npos) {
        const std::string_view digits = text.substr(slash + 1);
        if (digits.empty() || digits.size() > 3 || (digits.size() > 1 && digits.front() == '0')) return {};
        prefix = 0;
        for (const char c : digits) {
            if (c < '0' || c > '9') return {};
            prefix = prefix * 10 + static_cast<unsigned>(c - '0');
        }
        if (prefix > bits) return {};
    }
    for (unsigned i = prefix; i < bits; ++i)
        if ((made.address.bytes[i / 8] & static_cast<std::byte>(0x80 >> i % 8)) != std::byte{0}) return {};
    made.prefix = static_cast<std::uint8_t>(prefix);
    return made;
}

} // namespace navette
