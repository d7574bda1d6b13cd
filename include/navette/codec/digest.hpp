// MD5 (RFC 1321) and SHA-256 (FIPS 180-4), which Digest authentication is made of (RFC 7616). MD5 is broken; both stand
// here for that protocol alone and are written to be short, not fast.
#pragma once

#include <navette/base/bytes.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace navette {

namespace detail {

// What the two differ in: the words of their state, the order of bytes in a word, and how a block is taken in.
struct md5_rounds {
    using words = std::array<std::uint32_t, 4>;
    static constexpr words initial{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    static constexpr bool  high_byte_first = false;

    // floor(2^32 * |sin(i + 1)|) (RFC 1321, 3.4).
    static constexpr std::uint32_t sines[64] = {
        0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
        0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
        0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
        0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
        0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
        0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
        0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
        0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
    };
    static constexpr int turns[16] = {7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21};

    static constexpr void compress(words& state, const std::array<std::uint32_t, 16>& block) noexcept {
        auto [a, b, c, d] = state;
        for (unsigned i = 0; i < 64; ++i) {
            const unsigned      round  = i / 16;
            const std::uint32_t mixed  = round == 0   ? (b & c) | (~b & d)
                                         : round == 1 ? (d & b) | (~d & c)
                                         : round == 2 ? b ^ c ^ d
                                                      : c ^ (b | ~d);
            const unsigned      at     = round == 0 ? i : round == 1 ? 5 * i + 1 : round == 2 ? 3 * i + 5 : 7 * i;
            const std::uint32_t turned = std::rotl(a + mixed + sines[i] + block[at % 16], turns[round * 4 + i % 4]);
            a = d;
            d = c;
            c = b;
            b += turned;
        }
        state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d};
    }
};

struct sha256_rounds {
    using words = std::array<std::uint32_t, 8>;
    static constexpr words initial{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    static constexpr bool  high_byte_first = true;

    // The fractions of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2).
    static constexpr std::uint32_t roots[64] = {
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    };

    static constexpr void compress(words& state, std::array<std::uint32_t, 16> w) noexcept {
        auto [a, b, c, d, e, f, g, h] = state;
        for (unsigned t = 0; t < 64; ++t) {
            // Word t of the schedule lies at t % 16 (6.2.2).
            std::uint32_t& word = w[t % 16];
            if (t >= 16) {
                const std::uint32_t x = w[(t + 1) % 16], y = w[(t + 14) % 16];
                word += (std::rotr(x, 7) ^ std::rotr(x, 18) ^ x >> 3) + w[(t + 9) % 16] +
                        (std::rotr(y, 17) ^ std::rotr(y, 19) ^ y >> 10);
            }
            const std::uint32_t choice = (e & f) ^ (~e & g), majority = (a & b) ^ (a & c) ^ (b & c);
            const std::uint32_t first =
                h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) + choice + roots[t] + word;
            const std::uint32_t second = (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + majority;
            h = g;
            g = f;
            f = e;
            e = d + first;
            d = c;
            c = b;
            b = a;
            a = first + second;
        }
        const words more{a, b, c, d, e, f, g, h};
        for (std::size_t i = 0; i < state.size(); ++i) state[i] += more[i];
    }
};

} // namespace detail

/// Hashes what comes in pieces, however it is cut.
template <class Rounds>
class block_hash {
    // Invariant: the last length_ % 64 bytes wait in block_ for the rest of their block, in words of their order.
    typename Rounds::words        state_ = Rounds::initial;
    std::array<std::uint32_t, 16> block_{};
    std::uint64_t                 length_ = 0;

    static constexpr unsigned shift(unsigned i) noexcept {
        return Rounds::high_byte_first ? 24 - 8 * (i % 4) : 8 * (i % 4);
    }

    constexpr void put(std::uint8_t byte) noexcept {
        const auto at = static_cast<unsigned>(length_++ % 64);
        block_[at / 4] |= static_cast<std::uint32_t>(byte) << shift(at);
        if (at != 63) return;
        Rounds::compress(state_, block_);
        block_ = {};
    }

public:
    using digest = std::array<std::byte, sizeof(typename Rounds::words)>;

    constexpr void update(std::string_view text) noexcept {
        for (const char c : text) put(static_cast<std::uint8_t>(c));
    }
    constexpr void update(const_byte_span bytes) noexcept {
        for (const std::byte b : bytes) put(static_cast<std::uint8_t>(b));
    }

    /// The digest of all that was fed; afterwards the object is as new.
    [[nodiscard]] constexpr digest finish() noexcept {
        // A one, zeros, and the length in bits in the last eight bytes of a block.
        const std::uint64_t bits = length_ * 8;
        put(0x80);
        while (length_ % 64 != 56) put(0);
        for (unsigned i = 0; i < 8; ++i)
            put(static_cast<std::uint8_t>(bits >> (Rounds::high_byte_first ? 56 - 8 * i : 8 * i) & 0xff));
        digest made{};
        for (unsigned i = 0; i < made.size(); ++i) made[i] = static_cast<std::byte>(state_[i / 4] >> shift(i) & 0xff);
        *this = {};
        return made;
    }
};

using md5_hash    = block_hash<detail::md5_rounds>;
using sha256_hash = block_hash<detail::sha256_rounds>;

} // namespace navette
