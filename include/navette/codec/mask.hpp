// Masking: the XOR that a client puts on every payload (RFC 6455, 5.3). It hides nothing from anybody; it keeps what a
// page sends from looking like HTTP to a proxy (10.3). Knows nothing of frames; entropy.hpp is where keys come from.
#pragma once

#include <navette/base/bytes.hpp>

#include <array>
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

// Masks as many whole words as `from` has and returns their size in bytes. Loads and stores by memcpy: no alignment is
// asked for, and the two equal halves of the word make the order of its bytes irrelevant.
inline std::size_t mask_words(std::byte* to, const_byte_span from, masking_key key) noexcept {
    std::uint32_t half;
    std::memcpy(&half, key.data(), sizeof half);
    const std::uint64_t mask = std::uint64_t{half} << 32 | half;

    std::size_t done = 0;
    for (std::uint64_t block[8]; from.size() - done >= sizeof block; done += sizeof block) {
        std::memcpy(block, from.data() + done, sizeof block);
        for (std::uint64_t& word : block) word ^= mask;
        std::memcpy(to + done, block, sizeof block);
    }
    for (std::uint64_t word; from.size() - done >= sizeof word; done += sizeof word) {
        std::memcpy(&word, from.data() + done, sizeof word);
        word ^= mask;
        std::memcpy(to + done, &word, sizeof word);
    }
    return done;
}

} // namespace detail

/// Writes `from` to `to`, masked or unmasked, which is the same (RFC 6455, 5.3). `to` has room for from.size() bytes
/// and is from.data() itself or does not overlap it. `offset`: how many bytes of the payload came before `from`.
constexpr void copy_masked(std::byte* to, const_byte_span from, masking_key key,
                           std::size_t offset = 0) noexcept {
    key = rotate(key, offset);
    std::size_t i = std::is_constant_evaluated() ? 0 : detail::mask_words(to, from, key);
    for (; i < from.size(); ++i) to[i] = from[i] ^ key[i & 3];
}

/// Masks or unmasks `payload` in place. `offset`: how many bytes of the payload came before this piece.
constexpr void apply_mask(byte_span payload, masking_key key, std::size_t offset = 0) noexcept {
    copy_masked(payload.data(), payload, key, offset);
}

} // namespace navette
