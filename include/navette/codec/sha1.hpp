// SHA-1 (RFC 3174), which RFC 6455, 4.2.2 asks for to prove that a server understood the handshake. It is broken as a
// cryptographic hash; do not use it for anything else.
#pragma once

#include <navette/base/bytes.hpp>
#include <navette/codec/vector.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace navette {

using sha1_digest = std::array<std::byte, 20>;

/// Hashes what comes in pieces, however it is cut.
class sha1 {
    using words = std::array<std::uint32_t, 5>;

    static constexpr words initial{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};

    // Invariant: the first length_ % 64 bytes of block_ wait for the rest of their block.
    words                     state_ = initial;
    std::array<std::byte, 64> block_{};
    std::uint64_t             length_ = 0;

    static constexpr std::uint32_t rotl(std::uint32_t word, int n) noexcept { return word << n | word >> (32 - n); }

    // The rounds keep the last sixteen words of the schedule, not all eighty: word t lies at t % 16 (RFC 3174, 6.2).
    using schedule = std::array<std::uint32_t, 16>;

    NAVETTE_ALWAYS_INLINE static constexpr std::uint32_t word_at(schedule& w, std::size_t t) noexcept {
        std::uint32_t& word = w[t % 16];
        if (t < 16) return word;
        return word = rotl(w[(t - 3) % 16] ^ w[(t - 8) % 16] ^ w[(t - 14) % 16] ^ word, 1);
    }

    static constexpr void round(std::uint32_t a, std::uint32_t& b, std::uint32_t& e,
                                std::uint32_t sum) noexcept {
        e += rotl(a, 5) + sum;
        b = rotl(b, 30);
    }

    // The five words take turns instead of moving by one each round (RFC 3174, 6.1 d).
    template <class Mix>
    NAVETTE_ALWAYS_INLINE static constexpr void twenty_rounds(words& s, schedule& w, std::size_t t, std::uint32_t k,
                                                              Mix mix) noexcept {
        auto [a, b, c, d, e] = s;
        for (const std::size_t end = t + 20; t < end; t += 5) {
            round(a, b, e, mix(b, c, d) + k + word_at(w, t));
            round(e, a, d, mix(a, b, c) + k + word_at(w, t + 1));
            round(d, e, c, mix(e, a, b) + k + word_at(w, t + 2));
            round(c, d, b, mix(d, e, a) + k + word_at(w, t + 3));
            round(b, c, a, mix(c, d, e) + k + word_at(w, t + 4));
        }
        s = {a, b, c, d, e};
    }

    static constexpr void compress(words& state, const std::byte* block) noexcept {
        if (!std::is_constant_evaluated())
            if (const auto instructions = detail::vectors().sha1) return instructions(state.data(), block);
        schedule w{};
        for (std::uint32_t& word : w)
            for (int i = 0; i < 4; ++i) word = word << 8 | static_cast<std::uint32_t>(*block++);

        using word = std::uint32_t;
        constexpr auto choose   = [](word b, word c, word d) { return d ^ (b & (c ^ d)); };
        constexpr auto parity   = [](word b, word c, word d) { return b ^ c ^ d; };
        constexpr auto majority = [](word b, word c, word d) { return (b & c) | (d & (b | c)); };

        words s = state;
        twenty_rounds(s, w, 0, 0x5a827999, choose);
        twenty_rounds(s, w, 20, 0x6ed9eba1, parity);
        twenty_rounds(s, w, 40, 0x8f1bbcdc, majority);
        twenty_rounds(s, w, 60, 0xca62c1d6, parity);
        for (std::size_t i = 0; i < s.size(); ++i) state[i] += s[i];
    }

    static constexpr sha1_digest digest_of(const words& state) noexcept {
        sha1_digest digest{};
        for (std::size_t i = 0; i < state.size(); ++i) store_be32(digest.data() + 4 * i, state[i]);
        return digest;
    }

    constexpr void pad(std::size_t begin, std::size_t end) noexcept {
        for (std::size_t i = begin; i < end; ++i) block_[i] = std::byte{0};
    }

public:
    /// Hashes the next `size` characters or bytes, which it does not keep. What the library calls itself (see
    /// utf8_validator::feed).
    template <class Char>
    constexpr void update(const Char* from, std::size_t size) noexcept {
        while (size != 0) {
            const std::size_t held = static_cast<std::size_t>(length_ % 64);
            std::size_t n = 64 - held;
            if (n > size) n = size;
            if (std::is_constant_evaluated())
                for (std::size_t i = 0; i < n; ++i) block_[held + i] = static_cast<std::byte>(from[i]);
            else
                std::memcpy(block_.data() + held, from, n);
            if (held + n == 64) compress(state_, block_.data());
            from += n;
            size -= n;
            length_ += n;
        }
    }
    /// The same for a view.
    constexpr void update(const_byte_span bytes) noexcept { update(bytes.data(), bytes.size()); }
    constexpr void update(std::string_view text) noexcept { update(text.data(), text.size()); }

    /// The digest of all that was fed; afterwards the object is as new.
    [[nodiscard]] constexpr sha1_digest finish() noexcept {
        // RFC 3174, 4: a one, zeros, the length in the last eight bytes of a block
        std::size_t held = static_cast<std::size_t>(length_ % 64);
        block_[held++]   = std::byte{0x80};
        if (held > 56) {
            pad(held, 64);
            compress(state_, block_.data());
            held = 0;
        }
        pad(held, 56);
        store_be64(block_.data() + 56, length_ * 8);
        compress(state_, block_.data());

        const sha1_digest digest = digest_of(state_);
        state_  = initial;
        length_ = 0;
        return digest;
    }

    /// The digest of a message that is padded already (RFC 3174, 4): of `count` blocks of 64 bytes.
    [[nodiscard]] static constexpr sha1_digest of_blocks(const std::byte* blocks, std::size_t count) noexcept {
        words state = initial;
        for (std::size_t i = 0; i < count; ++i) compress(state, blocks + 64 * i);
        return digest_of(state);
    }
};

/// The digest of one piece.
[[nodiscard]] constexpr sha1_digest sha1_of(const_byte_span bytes) noexcept {
    sha1 hash;
    hash.update(bytes);
    return hash.finish();
}

[[nodiscard]] constexpr sha1_digest sha1_of(std::string_view text) noexcept {
    sha1 hash;
    hash.update(text.data(), text.size());
    return hash.finish();
}

} // namespace navette
