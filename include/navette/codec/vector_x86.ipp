// Vector code for x86-64: SSSE3, AVX2, AVX-512 and the SHA extensions. Written with the compilers' vector types, since
// <immintrin.h> alone costs as much to include as this library.
#pragma once

#include <navette/codec/vector_utf8.ipp>
#include <navette/codec/vector.hpp>

#include <cstring>
#include <type_traits>

#if defined(NAVETTE_VECTOR_X86)

// g++ does not align the stack for wider vectors on Windows.
#  if !defined(_WIN32) || defined(__clang__)
#    define NAVETTE_VECTOR_WIDE 1
#  endif

// a - b, but never less than zero.
#  if __has_builtin(__builtin_elementwise_sub_sat)
#    define NAVETTE_MINUS_SATURATED(bits, a, b) __builtin_elementwise_sub_sat(a, b)
#  else
#    define NAVETTE_MINUS_SATURATED(bits, a, b) vec(__builtin_ia32_psubusb##bits(chars(a), chars(b)))
#  endif

namespace navette::detail {

namespace ssse3 {

#  define NAVETTE_TARGET __attribute__((target("ssse3")))
using vec   = unsigned char __attribute__((vector_size(16)));
using chars = char __attribute__((vector_size(16)));

NAVETTE_VECTOR_OP vec  table_of(utf8_class::table t) noexcept { return t; }
NAVETTE_VECTOR_OP vec  lookup(vec table, vec index) noexcept {
    return vec(__builtin_ia32_pshufb128(chars(table), chars(index)));
}
// Its high bit is set where `v` is at least that much.
template <unsigned char Least>
NAVETTE_VECTOR_OP vec high_bit_from(vec v) noexcept {
    return NAVETTE_MINUS_SATURATED(128, v, vec{} + static_cast<unsigned char>(Least - 0x80));
}
NAVETTE_VECTOR_OP bool has_high_bit(vec v) noexcept { return __builtin_ia32_pmovmskb128(chars(v)) != 0; }
NAVETTE_VECTOR_OP bool has_bit(vec v) noexcept { return __builtin_ia32_pmovmskb128(chars(v == 0)) != 0xffff; }
template <int N>
NAVETTE_VECTOR_OP vec before(vec earlier, vec v) noexcept {
    constexpr int i = 16 - N;
    return __builtin_shufflevector(earlier, v, i, i + 1, i + 2, i + 3, i + 4, i + 5, i + 6, i + 7, i + 8, i + 9, i + 10,
                                   i + 11, i + 12, i + 13, i + 14, i + 15);
}
#  include <navette/codec/vector_kernels.inc>
#  undef NAVETTE_TARGET

} // namespace ssse3

#  if defined(NAVETTE_VECTOR_WIDE)

namespace avx2 {

#    define NAVETTE_TARGET __attribute__((target("avx2")))
using vec   = unsigned char __attribute__((vector_size(32)));
using chars = char __attribute__((vector_size(32)));
using quads = long long __attribute__((vector_size(32)));

NAVETTE_VECTOR_OP vec  table_of(utf8_class::table t) noexcept {
    return __builtin_shufflevector(t, t, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
                                   10, 11, 12, 13, 14, 15);
}
NAVETTE_VECTOR_OP vec lookup(vec table, vec index) noexcept {
    return vec(__builtin_ia32_pshufb256(chars(table), chars(index)));
}
template <unsigned char Least>
NAVETTE_VECTOR_OP vec high_bit_from(vec v) noexcept {
    return NAVETTE_MINUS_SATURATED(256, v, vec{} + static_cast<unsigned char>(Least - 0x80));
}
NAVETTE_VECTOR_OP bool has_high_bit(vec v) noexcept { return __builtin_ia32_pmovmskb256(chars(v)) != 0; }
NAVETTE_VECTOR_OP bool has_bit(vec v) noexcept { return __builtin_ia32_ptestz256(quads(v), quads(v)) == 0; }
template <int N>
NAVETTE_VECTOR_OP vec before(vec earlier, vec v) noexcept {
    const quads across = __builtin_shufflevector(quads(earlier), quads(v), 2, 3, 4, 5);
#    if defined(__clang__)
    return vec(__builtin_ia32_palignr256(chars(v), chars(across), 16 - N));
#    else
    return vec(__builtin_ia32_palignr256(quads(v), across, 8 * (16 - N)));
#    endif
}
#    include <navette/codec/vector_kernels.inc>

// What tchar (RFC 9110, 5.6.2) is by the two halves of a character: each upper half below 8 has a bit.
inline constexpr utf8_class::table token_by_high = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80};
inline constexpr utf8_class::table token_by_low  = {
    0xe8, 0xfc, 0xf8, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xf8, 0xf8, 0xf4, 0x54, 0xd0, 0x54, 0xf4, 0x70};

// A bit for each character that is not one.
NAVETTE_VECTOR_OP unsigned not_token(vec v) noexcept {
    const vec classes = lookup(table_of(token_by_low), v & 15) & lookup(table_of(token_by_high), v >> 4);
    return static_cast<unsigned>(__builtin_ia32_pmovmskb256(chars(classes == 0)));
}
// The same for what most values are made of, from SP to `~`. The additions turn these into the smallest numbers.
NAVETTE_VECTOR_OP unsigned not_printable(vec v) noexcept {
    return static_cast<unsigned>(__builtin_ia32_pmovmskb256(chars(chars(v + 0x60) > static_cast<char>('~' + 0x60))));
}

// Where the line ends is looked for from its front, so that the next line need not wait for this one's colon.
NAVETTE_TARGET inline field_line_parts field_line(const char* text, std::size_t size) noexcept {
    constexpr std::size_t width = sizeof(vec);
    if (size < width) return {};
    const unsigned name_ends = not_token(load(text));
    if (name_ends == 0) return {};
    // The last vector overlaps the one before.
    for (std::size_t i = 0; i < size; i += width) {
        const std::size_t begin = size - i < width ? size - width : i;
        const unsigned    ends  = not_printable(load(text + begin)) >> (i - begin);
        if (ends == 0) continue;
        const auto colon = static_cast<std::size_t>(__builtin_ctz(name_ends));
        if (colon == 0 || text[colon] != ':') return {};
        return {colon, i + static_cast<std::size_t>(__builtin_ctz(ends))};
    }
    return {};
}
#    undef NAVETTE_TARGET

} // namespace avx2

namespace avx512 {

#    define NAVETTE_TARGET __attribute__((target("avx512f,avx512bw,avx512vl")))
using vec   = unsigned char __attribute__((vector_size(64)));
using chars = char __attribute__((vector_size(64)));
using quads = long long __attribute__((vector_size(64)));

NAVETTE_VECTOR_OP vec  table_of(utf8_class::table t) noexcept {
    using halves = long long __attribute__((vector_size(16)));
    return vec(__builtin_shufflevector(halves(t), halves(t), 0, 1, 0, 1, 0, 1, 0, 1));
}
NAVETTE_VECTOR_OP vec lookup(vec table, vec index) noexcept {
#    if defined(__clang__)
    return vec(__builtin_ia32_pshufb512(chars(table), chars(index)));
#    else
    return vec(__builtin_ia32_pshufb512_mask(chars(table), chars(index), chars{}, ~0ull));
#    endif
}
template <unsigned char Least>
NAVETTE_VECTOR_OP vec high_bit_from(vec v) noexcept {
    const vec below = vec{} + static_cast<unsigned char>(Least - 0x80);
#    if defined(__clang__)
    return NAVETTE_MINUS_SATURATED(512, v, below);
#    else
    return vec(__builtin_ia32_psubusb512_mask(chars(v), chars(below), chars{}, ~0ull));
#    endif
}
NAVETTE_VECTOR_OP bool has_high_bit(vec v) noexcept { return __builtin_ia32_cvtb2mask512(chars(v)) != 0; }
NAVETTE_VECTOR_OP bool has_bit(vec v) noexcept { return __builtin_ia32_cvtb2mask512(chars(v != 0)) != 0; }
template <int N>
NAVETTE_VECTOR_OP vec before(vec earlier, vec v) noexcept {
    const quads across = __builtin_shufflevector(quads(earlier), quads(v), 6, 7, 8, 9, 10, 11, 12, 13);
#    if defined(__clang__)
    return vec(__builtin_ia32_palignr512(chars(v), chars(across), 16 - N));
#    else
    return vec(__builtin_ia32_palignr512(quads(v), across, 8 * (16 - N)));
#    endif
}
#    include <navette/codec/vector_kernels.inc>
#    undef NAVETTE_TARGET

} // namespace avx512

#  endif // NAVETTE_VECTOR_WIDE

// SHA-1 with the SHA extensions, which keep the words the other way round: the first one in the highest place.
namespace sha {

#  define NAVETTE_TARGET __attribute__((target("sha,ssse3")))
using quad = int __attribute__((vector_size(16)));

NAVETTE_VECTOR_OP quad sum(quad a, quad b) noexcept {  // modulo 2^32
    using words = std::uint32_t __attribute__((vector_size(16)));
    return quad(words(a) + words(b));
}
NAVETTE_VECTOR_OP quad load(const void* from) noexcept { quad q; std::memcpy(&q, from, sizeof q); return q; }
NAVETTE_VECTOR_OP quad reversed(quad q) noexcept { return __builtin_shufflevector(q, q, 3, 2, 1, 0); }

struct rounds {
    quad abcd;
    quad e;         // before the next four rounds; word e counts alone, in the highest place
    quad words[4];  // of the schedule: the four groups of four before the next group
};

// Rounds 20 * F to 20 * F + 19, four at a time (RFC 3174, 6.1).
template <int F>
NAVETTE_VECTOR_OP void twenty(rounds& r) noexcept {
    for (int group = 5 * F; group < 5 * F + 5; ++group) {
        quad& w = r.words[group % 4];
        if (group >= 4)
            w = __builtin_ia32_sha1msg2(__builtin_ia32_sha1msg1(w, r.words[(group + 1) % 4]) ^ r.words[(group + 2) % 4],
                                        r.words[(group + 3) % 4]);
        const quad e = group == 0 ? sum(r.e, w) : __builtin_ia32_sha1nexte(r.e, w);
        r.e          = r.abcd;
        r.abcd       = __builtin_ia32_sha1rnds4(r.abcd, e, F);
    }
}

NAVETTE_TARGET inline void compress(std::uint32_t* state, const std::byte* block) noexcept {
    using chars = char __attribute__((vector_size(16)));
    const chars backwards = {15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0};
    const quad  abcd = reversed(load(state)), e = {0, 0, 0, static_cast<int>(state[4])};

    rounds r{abcd, e, {}};
    for (int i = 0; i < 4; ++i) r.words[i] = quad(__builtin_ia32_pshufb128(chars(load(block + 16 * i)), backwards));
    twenty<0>(r);
    twenty<1>(r);
    twenty<2>(r);
    twenty<3>(r);

    const quad words = reversed(sum(r.abcd, abcd));
    std::memcpy(state, &words, sizeof words);
    state[4] = static_cast<std::uint32_t>(__builtin_ia32_sha1nexte(r.e, e)[3]);
}
#  undef NAVETTE_TARGET

} // namespace sha

// CPUID and XGETBV: what the processor has and, for wide vectors, what the operating system saves.
struct processor {
    bool ssse3 = false, avx2 = false, avx512 = false, sha = false;

    struct registers { std::uint32_t a, b, c, d; };
    // Volatile: else they may be moved out of the branch that is taken once into loops, and a hypervisor takes a
    // microsecond for each.
    static registers cpuid(std::uint32_t leaf) noexcept {
        registers r;
        __asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(0));
        return r;
    }

    processor() noexcept {
        const auto bit = [](std::uint32_t word, unsigned n) { return (word >> n & 1) != 0; };
        const registers one = cpuid(1), seven = cpuid(0).a >= 7 ? cpuid(7) : registers{};
        ssse3 = bit(one.c, 9);
        sha   = ssse3 && bit(seven.b, 29);
        if (!bit(one.c, 27)) return;  // OSXSAVE
        std::uint32_t saved, above;
        __asm__ volatile("xgetbv" : "=a"(saved), "=d"(above) : "c"(0));
        avx2   = ssse3 && (saved & 0x06) == 0x06 && bit(seven.b, 5);
        avx512 = avx2 && (saved & 0xe6) == 0xe6 && bit(seven.b, 16) && bit(seven.b, 30) && bit(seven.b, 31);
    }
};

// Null: not for this machine, or not for this compiler.
NAVETTE_INLINE const vector_code* native_code_of(instruction_set set) noexcept {
    static const processor   has;
    static const auto        sha1 = has.sha ? &sha::compress : nullptr;
    static const vector_code of_ssse3{instruction_set::ssse3, &ssse3::mask, &ssse3::utf8, &ssse3::unmask_utf8, sha1, nullptr};
    if (set == instruction_set::ssse3 && has.ssse3) return &of_ssse3;
#  if defined(NAVETTE_VECTOR_WIDE)
    static const vector_code of_avx2{instruction_set::avx2, &avx2::mask, &avx2::utf8, &avx2::unmask_utf8, sha1, &avx2::field_line};
    if (set == instruction_set::avx2 && has.avx2) return &of_avx2;
    static const vector_code of_avx512{instruction_set::avx512, &avx512::mask, &avx512::utf8, &avx512::unmask_utf8, sha1,
                                         &avx2::field_line};
    if (set == instruction_set::avx512 && has.avx512) return &of_avx512;
#  endif
    return nullptr;
}

} // namespace navette::detail

#endif // NAVETTE_VECTOR_X86
