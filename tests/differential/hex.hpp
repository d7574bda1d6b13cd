// Bytes as hex and back, two digits each.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace differential {

inline std::string to_hex(std::string_view bytes) {
    constexpr char digits[] = "0123456789abcdef";
    std::string hex;
    hex.reserve(bytes.size() * 2);
    for (const char c : bytes) {
        hex += digits[static_cast<unsigned char>(c) >> 4];
        hex += digits[static_cast<unsigned char>(c) & 15];
    }
    return hex;
}

/// Printable ASCII as it is, every other byte as <NN>.
inline std::string readable(std::string_view bytes) {
    std::string text;
    for (const char c : bytes)
        if (c >= ' ' && c <= '~') text += c;
        else text += '<' + to_hex(std::string_view(&c, 1)) + '>';
    return text;
}

inline std::string from_hex(std::string_view hex) {
    const auto digit = [](char c) {
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'a' && c <= 'f') return c - 'a' + 10;
        throw std::invalid_argument("not a hex digit");
    };
    if (hex.size() % 2 != 0) throw std::invalid_argument("half a byte");
    std::string bytes;
    for (std::size_t i = 0; i < hex.size(); i += 2)
        bytes += static_cast<char>(digit(hex[i]) << 4 | digit(hex[i + 1]));
    return bytes;
}

} // namespace differential
