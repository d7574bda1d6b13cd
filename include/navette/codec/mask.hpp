// Masking: the XOR that a client puts on every payload (RFC 6455, 5.3). It hides nothing from anybody; it keeps what a
// page sends from looking like HTTP to a proxy (10.3). Knows nothing of frames; entropy.hpp is where keys come from.
#pragma once

#include <navette/base/bytes.hpp>
#include <navette/codec/vector.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace navette {

/// The 32 bits that a frame is masked with, in wire order.
using masking_key = std::array<std::byte, 4>;

/// The key as it stands `offset` bytes into a payload.
constexpr masking_key rotate(masking_key key, std::size_t offset) noexcept {
    return {key[offset & 3], key[(offset + 1) & 3], key[(offset + 2) & 3], key[(offset + 3) & 3]};
}

namespace detail {

constexpr mask_word mask_of(masking_key key, std::size_t offset = 0) noexcept {
    return rotate(std::bit_cast<std::uint32_t>(key) * (mask_word{1} << 32 | 1), offset);
}

// Sixteen bytes of it, where a register has as many; else eight.
#if defined(NAVETTE_VECTOR_X86) || defined(NAVETTE_VECTOR_NEON)
using mask_block = mask_word __attribute__((vector_size(16)));
inline mask_block block_of(mask_word mask) noexcept { return mask_block{mask, mask}; }
inline mask_word  word_of(const mask_block& all) noexcept { return all[0] | all[1]; }
#else
using mask_block = mask_word;
inline mask_block block_of(mask_word mask) noexcept { return mask; }
inline mask_word  word_of(mask_block all) noexcept { return all; }
#endif

// Masks the first and the last N words, which overlap if there are less than 2 * N: all are read before any is written,
// with loads and stores that ask for no alignment. Returns what was written, combined by OR, which tells whether it is
// ASCII without reading it again.
template <std::size_t N, class Word>
NAVETTE_ALWAYS_INLINE Word mask_ends(std::byte* to, const std::byte* from, std::size_t size, const Word& mask,
                                     const Word& last_mask) noexcept {
    std::byte* const to_end = to + size - N * sizeof(Word);
    Word first[N], last[N], all{};
    std::memcpy(first, from, sizeof first);
    std::memcpy(last, from + size - sizeof last, sizeof last);
    for (std::size_t i = 0; i < N; ++i) all |= (first[i] ^= mask) | (last[i] ^= last_mask);
    std::memcpy(to, first, sizeof first);
    std::memcpy(to_end, last, sizeof last);
    return all;
}

// Precondition: size <= short_payload.
NAVETTE_ALWAYS_INLINE mask_word mask_short(std::byte* to, const std::byte* from, std::size_t size,
                                           mask_word mask) noexcept {
    const mask_word last = rotate(mask, size);
    if (size >= sizeof mask) {
        if (size < 2 * sizeof mask) return mask_ends<1>(to, from, size, mask, last);
        constexpr std::size_t n = 16 / sizeof(mask_block);
        const mask_block masks = block_of(mask), last_masks = block_of(last);
        if (size <= 32) return word_of(mask_ends<n>(to, from, size, masks, last_masks));
        return word_of(mask_ends<2 * n>(to, from, size, masks, last_masks));
    }
    using half = std::uint32_t;
    if (size >= sizeof(half)) return mask_ends<1>(to, from, size, static_cast<half>(mask), static_cast<half>(last));
    const auto key = std::bit_cast<std::array<std::byte, sizeof mask>>(mask);
    auto       all = std::byte{0};
    for (std::size_t i = 0; i < size; ++i) all |= to[i] = from[i] ^ key[i];
    return static_cast<mask_word>(all);
}

// The same for any size.
NAVETTE_NEVER_INLINE mask_word mask_portably(std::byte* to, const std::byte* from, std::size_t size,
                                             mask_word mask) noexcept {
    mask_word all = 0;
    while (size > short_payload) {
        all |= mask_short(to, from, short_payload, mask);
        to += short_payload;
        from += short_payload;
        size -= short_payload;
    }
    return all | mask_short(to, from, size, mask);
}

inline void mask_long(std::byte* to, const std::byte* from, std::size_t size, mask_word mask) noexcept {
    if (const auto mask_vectors = vectors().mask)
        mask_vectors(to, from, size, mask);
    else
        mask_portably(to, from, size, mask);
}

} // namespace detail

/// Writes `from` to `to`, masked or unmasked, which is the same (RFC 6455, 5.3). `to` has room for from.size() bytes
/// and is from.data() itself or does not overlap it. `offset`: how many bytes of the payload came before `from`.
NAVETTE_ALWAYS_INLINE constexpr void copy_masked(std::byte* to, const_byte_span from, masking_key key,
                                                 std::size_t offset = 0) noexcept {
    if (std::is_constant_evaluated())
        for (std::size_t i = 0; i < from.size(); ++i) to[i] = from[i] ^ key[(offset + i) & 3];
    else if (from.size() <= detail::short_payload)
        detail::mask_short(to, from.data(), from.size(), detail::mask_of(key, offset));
    else
        detail::mask_long(to, from.data(), from.size(), detail::mask_of(key, offset));
}

/// Masks or unmasks `payload` in place. `offset`: how many bytes of the payload came before this piece.
NAVETTE_ALWAYS_INLINE constexpr void apply_mask(byte_span payload, masking_key key, std::size_t offset = 0) noexcept {
    copy_masked(payload.data(), payload, key, offset);
}

} // namespace navette
