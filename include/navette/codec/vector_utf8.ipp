// What the vector code tells of a byte of UTF-8 from its two halves (RFC 3629, 4), as tables for a lookup of sixteen
// bytes, and the macro that all of its instruction sets share.
#pragma once

#include <navette/codec/vector.hpp>

#if defined(NAVETTE_VECTOR_X86) || defined(NAVETTE_VECTOR_NEON)

#  define NAVETTE_VECTOR_OP NAVETTE_TARGET NAVETTE_ALWAYS_INLINE

namespace navette::detail {

// Why two neighbours are wrong. A byte has the bit as the first of the two if the bit's rule is about it, and as the
// second if it breaks that rule.
namespace utf8_class {

inline constexpr unsigned char lead         = 0x01;  // a lead byte: no continuation byte comes
inline constexpr unsigned char e0           = 0x02;  // E0: 80 to 9F comes, an overlong form
inline constexpr unsigned char ed           = 0x04;  // ED: A0 to BF comes, a surrogate
inline constexpr unsigned char f0           = 0x08;  // F0, and F5 to FF: 80 to 8F comes, an overlong form
inline constexpr unsigned char f4           = 0x10;  // F4, and F5 to FF: 90 to BF comes, above U+10FFFF
inline constexpr unsigned char ascii        = 0x20;  // ASCII: a continuation byte comes
inline constexpr unsigned char c0           = 0x40;  // C0 and C1: a continuation byte comes, an overlong form
inline constexpr unsigned char continuation = 0x80;  // a continuation byte: another one comes, which must be asked for

using table = unsigned char __attribute__((vector_size(16)));

// As the first of two, by the upper and by the lower half: the bits that stand in both.
inline constexpr table first_by_high = {
    ascii, ascii, ascii, ascii, ascii, ascii, ascii, ascii, continuation, continuation, continuation, continuation,
    lead | c0, lead, lead | e0 | ed, lead | f0 | f4};

inline constexpr unsigned char any  = lead | ascii | continuation;
inline constexpr unsigned char f5up = any | f0 | f4;
inline constexpr table first_by_low = {
    any | c0 | e0 | f0, any | c0, any, any, any | f4, f5up, f5up, f5up, f5up, f5up, f5up, f5up, f5up, f5up | ed, f5up, f5up};

inline constexpr table second_by_high = {
    lead, lead, lead, lead, lead, lead, lead, lead,
    continuation | ascii | c0 | e0 | f0, continuation | ascii | c0 | e0 | f4,
    continuation | ascii | c0 | ed | f4, continuation | ascii | c0 | ed | f4, lead, lead, lead, lead};

} // namespace utf8_class

} // namespace navette::detail

#endif
