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
    const auto write = [to](std::size_t at, std::byte a, std::byte b, std::byte c) {
        const auto group = static_cast<std::uint32_t>(a) << 16 | static_cast<std::uint32_t>(b) << 8 | static_cast<std::uint32_t>(c);
        to[at]     = detail::base64_alphabet[group >> 18];
        to[at + 1] = detail::base64_alphabet[group >> 12 & 63];
        to[at + 2] = detail::base64_alphabet[group >> 6 & 63];
        to[at + 3] = detail::base64_alphabet[group & 63];
    };
    std::size_t read = 0, written = 0;
    for (; from.size() - read >= 3; read += 3, written += 4) write(written, from[read], from[read + 1], from[read + 2]);
    const std::size_t rest = from.size() - read;
    if (rest == 0) return written;
    write(written, from[read], rest == 2 ? from[read + 1] : std::byte{}, std::byte{});
    if (rest == 1) to[written + 2] = '=';
    to[written + 3] = '=';
    return written + 4;
}

/// Writes the bytes that `from` stands for to the front of `to`; returns how many. `base64_invalid`, with the content
/// of `to` unspecified, if `from` is not canonical or stands for more bytes than `to` has.
[[nodiscard]] constexpr std::size_t base64_decode(std::string_view from, byte_span to) noexcept {
    if (from.size() % 4 != 0) return base64_invalid;
    std::size_t padding = 0;
    while (padding < 2 && from.ends_with('=')) from.remove_suffix(1), ++padding;

    const std::size_t bytes = (from.size() + padding) / 4 * 3 - padding;
    if (bytes > to.size()) return base64_invalid;

    // Four characters are three bytes; those that the padding stands for count as the first of the alphabet.
    std::uint32_t group = 0;
    for (std::size_t read = 0, written = 0; read < from.size(); read += 4) {
        std::uint8_t any = 0;
        group            = 0;
        for (std::size_t i = read; i < read + 4; ++i) {
            const std::uint8_t sextet = i < from.size() ? detail::base64_sextets[static_cast<unsigned char>(from[i])] : std::uint8_t{0};
            any |= sextet;
            group = group << 6 | sextet;
        }
        if ((any & detail::no_sextet) != 0) return base64_invalid;
        for (unsigned shift = 16; written < bytes && shift <= 16; shift -= 8) to[written++] = static_cast<std::byte>(group >> shift & 0xff);
    }
    const std::uint32_t spare = group & ((1u << 8 * padding) - 1);
    return spare == 0 ? bytes : base64_invalid;   // RFC 4648, 3.5
}

} // namespace navette
