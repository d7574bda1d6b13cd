// Base64 (RFC 4648, 4) in its one canonical form: padding is required, the spare bits of the last character are zero,
// nothing else, no white space. Not the alphabet for URLs.
#pragma once

#include <navette/base/bytes.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace navette {

/// How many characters `n` bytes become.
constexpr std::size_t base64_size(std::size_t n) noexcept {
    return n / 3 * 4 + (n % 3 == 0 ? 0 : 4);
}

/// What base64_decode returns for a text that it refuses.
inline constexpr std::size_t base64_invalid = static_cast<std::size_t>(-1);

namespace detail {

inline constexpr std::string_view base64_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static_assert(base64_alphabet.size() == 64);

inline constexpr std::uint8_t no_sextet = 64;

// For each character its place in the alphabet, or no_sextet.
inline constexpr std::array<std::uint8_t, 256> base64_sextets = [] {
    std::array<std::uint8_t, 256> sextets{};
    for (auto& sextet : sextets) sextet = no_sextet;
    for (std::uint8_t i = 0; i < 64; ++i)
        sextets[static_cast<unsigned char>(base64_alphabet[i])] = i;
    return sextets;
}();

} // namespace detail

/// Writes the base64_size(from.size()) characters that `from` becomes to `to`; returns that number. No terminator.
constexpr std::size_t base64_encode(const_byte_span from, char* to) noexcept {
    const std::size_t size = from.size();
    const auto at = [from, size](std::size_t i) {
        return i < size ? static_cast<std::uint32_t>(from[i]) : 0u;
    };
    std::size_t written = 0;
    for (std::size_t i = 0; i < size; i += 3) {
        const std::uint32_t group = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
        for (const unsigned shift : {18u, 12u, 6u, 0u})
            to[written++] = detail::base64_alphabet[group >> shift & 63];
    }
    if (size % 3 != 0) to[written - 1] = '=';
    if (size % 3 == 1) to[written - 2] = '=';
    return written;
}

/// Writes the bytes that `from` stands for to the front of `to`; returns how many. `base64_invalid`, with the content
/// of `to` unspecified, if `from` is not canonical or stands for more bytes than `to` has.
[[nodiscard]] constexpr std::size_t base64_decode(std::string_view from, byte_span to) noexcept {
    if (from.size() % 4 != 0) return base64_invalid;
    std::size_t padding = 0;
    while (padding < 2 && from.ends_with('=')) from.remove_suffix(1), ++padding;

    const std::size_t bytes = (from.size() + padding) / 4 * 3 - padding;
    if (bytes > to.size()) return base64_invalid;

    std::uint32_t bits = 0;     // the lowest `pending` bits are still to be written
    unsigned pending = 0;
    std::size_t written = 0;
    for (const char c : from) {
        const std::uint8_t sextet = detail::base64_sextets[static_cast<unsigned char>(c)];
        if (sextet == detail::no_sextet) return base64_invalid;
        bits = (bits << 6 | sextet) & 0xfff;
        pending += 6;
        if (pending < 8) continue;
        pending -= 8;
        to[written++] = static_cast<std::byte>(bits >> pending & 0xff);
    }
    const std::uint32_t spare = bits & ((1u << pending) - 1);
    return spare == 0 ? written : base64_invalid;   // RFC 4648, 3.5
}

} // namespace navette
