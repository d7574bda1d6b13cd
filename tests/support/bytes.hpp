// The wire in tests: bytes written as hex, joined, and printed as hex by Catch2; errors printed by name.
// Everything stands in the global namespace, so that a test reads `bytes("88 02 03EA")`.
#pragma once

#include "support/catch.hpp"

#include <navette/base/bytes.hpp>
#include <navette/base/errc.hpp>

#include <cstddef>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

/// The bytes that `hex` writes: two digits each, spaces and line ends anywhere between two bytes.
/// Throws std::invalid_argument for anything else, so that a typing mistake fails the case.
inline std::vector<std::byte> bytes(std::string_view hex) {
    const auto refuse = [&](const char* why) { throw std::invalid_argument(why + (": " + std::string(hex))); };
    const auto digit = [&](char c) {
        if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
        if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
        if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
        refuse("not a hex digit");
        return 0u;
    };
    std::vector<std::byte> made;
    for (std::size_t i = 0; i < hex.size();) {
        if (hex[i] == ' ' || hex[i] == '\n') {
            ++i;
            continue;
        }
        const unsigned high = digit(hex[i]);
        if (i + 1 == hex.size() || hex[i + 1] == ' ' || hex[i + 1] == '\n') refuse("half a byte");
        made.push_back(static_cast<std::byte>(high << 4 | digit(hex[i + 1])));
        i += 2;
    }
    return made;
}

/// A copy of `view`, to be compared with `bytes("...")`: a span has no `==`.
inline std::vector<std::byte> bytes(navette::const_byte_span view) { return {view.begin(), view.end()}; }

/// The bytes of `text` as it stands.
inline std::vector<std::byte> text_bytes(std::string_view text) { return bytes(navette::as_bytes(text)); }

/// All `parts`, one behind the other.
template <class... Parts>
std::vector<std::byte> concat(const Parts&... parts) {
    std::vector<std::byte> made;
    const auto append = [&](navette::const_byte_span part) { made.insert(made.end(), part.begin(), part.end()); };
    (append(parts), ...);
    return made;
}

/// `view` as hex, two digits a byte, with its length in front of a long one.
inline std::string to_hex(navette::const_byte_span view) {
    constexpr char digits[] = "0123456789abcdef";
    constexpr std::size_t shown = 160;
    std::string hex;
    for (std::size_t i = 0; i < view.size() && i < shown; ++i) {
        if (i > 0) hex += ' ';
        hex += digits[static_cast<unsigned>(view[i]) >> 4];
        hex += digits[static_cast<unsigned>(view[i]) & 15];
    }
    if (view.size() > shown) hex = std::to_string(view.size()) + " bytes: " + hex + " ...";
    return "{" + hex + "}";
}

namespace Catch {

template <>
struct StringMaker<navette::byte_span> {
    static std::string convert(navette::byte_span view) { return to_hex(view); }
};

template <>
struct StringMaker<navette::const_byte_span> {
    static std::string convert(navette::const_byte_span view) { return to_hex(view); }
};

template <>
struct StringMaker<std::vector<std::byte>> {
    static std::string convert(const std::vector<std::byte>& view) { return to_hex(view); }
};

template <>
struct StringMaker<navette::errc> {
    static std::string convert(navette::errc e) {
        if (e == navette::errc{}) return "errc{}";
        const auto row = static_cast<std::size_t>(e) - 1;
        if (row >= std::size(navette::error_table)) return "errc(" + std::to_string(row + 1) + ")";
        return "errc::" + std::string(navette::error_table[row].name);
    }
};

} // namespace Catch
