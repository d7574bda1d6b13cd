// Views of bytes and text, and big-endian integers in them.
// The only place of the core with a reinterpret_cast.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

namespace navette {

using byte_span       = std::span<std::byte>;
using const_byte_span = std::span<const std::byte>;

// What including the library costs is watched (std::min's <algorithm> would add a third). A span or a std::string_view made
// of a pointer and a length has the compiler check a dozen concepts for each pair of types, which costs as much as a header:
// the lengths are std::size_t, the characters const.

/// The smaller of two, as std::min.
template <class T>
constexpr T lesser(T a, T b) noexcept { return b < a ? b : a; }

namespace detail {

/// The value of `from`, which becomes `to`, as std::exchange.
template <class T>
constexpr T take(T& from, std::type_identity_t<T> to = {}) noexcept {
    const T taken = from;
    from          = to;
    return taken;
}

/// The values change places, as with std::swap.
template <class T>
constexpr void swap_values(T& a, T& b) noexcept { b = take(a, b); }

} // namespace detail

/// The bytes of `text`; borrows it.
inline const_byte_span as_bytes(std::string_view text) noexcept {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// The bytes as text, unchecked; borrows them.
inline std::string_view as_text(const_byte_span bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

namespace detail {

// Copies the first and the last bytes, which overlap in the middle: most pieces are shorter than what a call of memcpy
// costs. The two places do not overlap.
inline void copy_short(std::byte* to, const void* begin, std::size_t size) noexcept {
    const auto* const from = static_cast<const std::byte*>(begin);
    const auto ends = [=](auto n) {
        std::byte first[n()], last[n()];
        std::memcpy(first, from, n());
        std::memcpy(last, from + size - n(), n());
        std::memcpy(to, first, n());
        std::memcpy(to + size - n(), last, n());
    };
    if (size > 32) std::memcpy(to, from, size);
    else if (size > 16) ends(std::integral_constant<std::size_t, 16>{});
    else if (size >= 8) ends(std::integral_constant<std::size_t, 8>{});
    else if (size >= 4) ends(std::integral_constant<std::size_t, 4>{});
    else if (size >= 2) ends(std::integral_constant<std::size_t, 2>{});
    else if (size == 1) *to = *from;
}

} // namespace detail

/// The two bytes at `p` in network order.
constexpr std::uint16_t load_be16(const std::byte* p) noexcept {
    return static_cast<std::uint16_t>(static_cast<unsigned>(p[0]) << 8 | static_cast<unsigned>(p[1]));
}

/// The eight bytes at `p` in network order.
constexpr std::uint64_t load_be64(const std::byte* p) noexcept {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i) value = value << 8 | static_cast<std::uint64_t>(p[i]);
    return value;
}

/// Writes two bytes at `p` in network order.
constexpr void store_be16(std::byte* p, std::uint16_t value) noexcept {
    p[0] = static_cast<std::byte>(value >> 8);
    p[1] = static_cast<std::byte>(value & 0xff);
}

/// Writes four bytes at `p` in network order.
constexpr void store_be32(std::byte* p, std::uint32_t value) noexcept {
    for (std::size_t i = 0; i < 4; ++i) p[i] = static_cast<std::byte>(value >> (24 - 8 * i) & 0xff);
}

/// Writes eight bytes at `p` in network order.
constexpr void store_be64(std::byte* p, std::uint64_t value) noexcept {
    for (std::size_t i = 0; i < 8; ++i) p[i] = static_cast<std::byte>(value >> (56 - 8 * i) & 0xff);
}

} // namespace navette
