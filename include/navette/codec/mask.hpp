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

// Eight bytes of masking key, as they lie in memory, so that byte i masks byte i: a key that goes through bytes in memory
// makes the next load wait for them.
using mask_word = std::uint64_t;

constexpr mask_word rotate(mask_word mask, std::size_t offset) noexcept {
    const unsigned bits = 8 * (offset & 3);
    if (std::endian::native == std::endian::little) return mask >> bits | mask << ((64 - bits) & 63);
    return mask << bits | mask >> ((64 - bits) & 63);
}

constexpr mask_word mask_of(masking_key key, std::size_t offset = 0) noexcept {
    return rotate(std::bit_cast<std::uint32_t>(key) * (mask_word{1} << 32 | 1), offset);
}

template <class Word>
Word load_as(const std::byte* from) noexcept {
    Word word;
    std::memcpy(&word, from, sizeof word);
    return word;
}

// Masks the first and the last N words, which overlap if there are less than 2 * N: all are read before any is written,
// with loads and stores that ask for no alignment. Returns what was written, combined by OR, which tells whether it is
// ASCII without reading it again.
template <std::size_t N, class Word>
NAVETTE_ALWAYS_INLINE Word mask_ends(std::byte* to, const std::byte* from, std::size_t size, Word mask,
                                     Word last_mask) noexcept {
    const std::size_t end = size - N * sizeof(Word);
    Word words[2][N], all = 0;
    for (std::size_t i = 0; i < N; ++i) {
        words[0][i] = load_as<Word>(from + i * sizeof(Word)) ^ mask;
        words[1][i] = load_as<Word>(from + i * sizeof(Word) + end) ^ last_mask;
        all |= words[0][i] | words[1][i];
    }
    std::memcpy(to, words[0], sizeof words[0]);
    std::memcpy(to + end, words[1], sizeof words[1]);
    return all;
}

// Precondition: size <= short_payload.
NAVETTE_ALWAYS_INLINE mask_word mask_short(std::byte* to, const std::byte* from, std::size_t size,
                                           mask_word mask) noexcept {
    static_assert(short_payload == 8 * sizeof(mask_word));
    const mask_word last = rotate(mask, size);
    if (size >= sizeof mask) {
        if (size <= 2 * sizeof mask) return mask_ends<1>(to, from, size, mask, last);
        if (size <= 4 * sizeof mask) return mask_ends<2>(to, from, size, mask, last);
        return mask_ends<4>(to, from, size, mask, last);
    }
    using half = std::uint32_t;
    if (size >= sizeof(half)) return mask_ends<1>(to, from, size, static_cast<half>(mask), static_cast<half>(last));
    const auto key = std::bit_cast<std::array<std::byte, sizeof mask>>(mask);
    auto       all = std::byte{0};
    for (std::size_t i = 0; i < size; ++i) all |= to[i] = from[i] ^ key[i];
    return static_cast<mask_word>(all);
}

// The same for any size.
inline mask_word mask_portably(std::byte* to, const std::byte* from, std::size_t size, mask_word mask) noexcept {
    mask_word all = 0;
    while (size > short_payload) {
        all |= mask_ends<4>(to, from, short_payload, mask, mask);
        to += short_payload;
        from += short_payload;
        size -= short_payload;
    }
    return all | mask_short(to, from, size, mask);
}

inline void mask_long(std::byte* to, const std::byte* from, std::size_t size, mask_word mask) noexcept {
    if (const auto mask_vectors = vectors().mask)
        mask_vectors(to, from, size, static_cast<std::uint32_t>(mask));
    else
        mask_portably(to, from, size, mask);
}

} // namespace detail

/// Writes `from` to `to`, masked or unmasked, which is the same (RFC 6455, 5.3). `to` has room for from.size() bytes
/// and is from.data() itself or does not overlap it. `offset`: how many bytes of the payload came before `from`.
constexpr void copy_masked(std::byte* to, const_byte_span from, masking_key key,
                           std::size_t offset = 0) noexcept {
    if (std::is_constant_evaluated())
        for (std::size_t i = 0; i < from.size(); ++i) to[i] = from[i] ^ key[(offset + i) & 3];
    else if (from.size() <= detail::short_payload)
        detail::mask_short(to, from.data(), from.size(), detail::mask_of(key, offset));
    else
        detail::mask_long(to, from.data(), from.size(), detail::mask_of(key, offset));
}

/// Masks or unmasks `payload` in place. `offset`: how many bytes of the payload came before this piece.
constexpr void apply_mask(byte_span payload, masking_key key, std::size_t offset = 0) noexcept {
    copy_masked(payload.data(), payload, key, offset);
}

} // namespace navette
