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

constexpr mask_word mask_of(masking_key key, std::size_t offset) noexcept {
    const mask_word twice = std::bit_cast<std::uint32_t>(key) * (mask_word{1} << 32 | 1);
    const unsigned  bits  = 8 * (offset & 3);
    if (std::endian::native == std::endian::little) return twice >> bits | twice << ((64 - bits) & 63);
    return twice << bits | twice >> ((64 - bits) & 63);
}

template <class Word>
Word load_as(const std::byte* from) noexcept {
    Word word;
    std::memcpy(&word, from, sizeof word);
    return word;
}

// The last word is read before any is written: it overlaps the others. Loads and stores ask for no alignment. Returns
// all that was written, combined by OR, which tells whether it is ASCII without reading it again.
template <class Word>
Word mask_words(std::byte* to, const std::byte* from, std::size_t size, Word mask, Word last_mask) noexcept {
    const Word last = load_as<Word>(from + size - sizeof(Word)) ^ last_mask;
    Word       all  = last;
    for (std::size_t i = 0; size - i > sizeof(Word); i += sizeof(Word)) {
        const Word word = load_as<Word>(from + i) ^ mask;
        std::memcpy(to + i, &word, sizeof word);
        all |= word;
    }
    std::memcpy(to + size - sizeof(Word), &last, sizeof last);
    return all;
}

inline mask_word mask_portably(std::byte* to, const std::byte* from, std::size_t size, masking_key key,
                               std::size_t offset) noexcept {
    const mask_word mask = mask_of(key, offset), last = mask_of(key, offset + size);
    if (size >= sizeof mask) return mask_words(to, from, size, mask, last);
    if (size >= sizeof(std::uint32_t))
        return mask_words(to, from, size, static_cast<std::uint32_t>(mask), static_cast<std::uint32_t>(last));
    auto all = std::byte{0};
    for (std::size_t i = 0; i < size; ++i) all |= to[i] = from[i] ^ key[(offset + i) & 3];
    return static_cast<mask_word>(all);
}

inline void mask_bytes(std::byte* to, const std::byte* from, std::size_t size, masking_key key,
                       std::size_t offset) noexcept {
    const auto mask_vectors = size > short_payload ? vectors().mask : nullptr;
    if (mask_vectors != nullptr)
        mask_vectors(to, from, size, static_cast<std::uint32_t>(mask_of(key, offset)));
    else
        mask_portably(to, from, size, key, offset);
}

} // namespace detail

/// Writes `from` to `to`, masked or unmasked, which is the same (RFC 6455, 5.3). `to` has room for from.size() bytes
/// and is from.data() itself or does not overlap it. `offset`: how many bytes of the payload came before `from`.
constexpr void copy_masked(std::byte* to, const_byte_span from, masking_key key,
                           std::size_t offset = 0) noexcept {
    if (!std::is_constant_evaluated()) return detail::mask_bytes(to, from.data(), from.size(), key, offset);
    for (std::size_t i = 0; i < from.size(); ++i) to[i] = from[i] ^ key[(offset + i) & 3];
}

/// Masks or unmasks `payload` in place. `offset`: how many bytes of the payload came before this piece.
constexpr void apply_mask(byte_span payload, masking_key key, std::size_t offset = 0) noexcept {
    copy_masked(payload.data(), payload, key, offset);
}

} // namespace navette
