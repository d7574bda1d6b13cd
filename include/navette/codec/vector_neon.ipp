// Vector code for AArch64: NEON, which every such processor has. Little-endian only; a big-endian program uses the
// portable code.
#pragma once

#include <navette/codec/vector_utf8.ipp>
#include <navette/codec/vector.hpp>

#include <cstring>
#include <type_traits>

#if defined(NAVETTE_VECTOR_NEON)

namespace navette::detail {

namespace neon {

#  define NAVETTE_TARGET
using vec   = unsigned char __attribute__((vector_size(16)));
using quads = std::uint64_t __attribute__((vector_size(16)));

NAVETTE_VECTOR_OP vec  table_of(utf8_class::table t) noexcept { return t; }
NAVETTE_VECTOR_OP vec  lookup(vec table, vec index) noexcept {
#  if defined(__clang__)
    using chars = signed char __attribute__((neon_vector_type(16)));
    constexpr int unsigned_bytes = 48;  // how clang names the type of the result
    return vec(__builtin_neon_vqtbl1q_v(chars(table), chars(index), unsigned_bytes));
#  else
    return __builtin_shuffle(table, index);
#  endif
}
// Its high bit is set where `v` is at least that much.
template <unsigned char Least>
NAVETTE_VECTOR_OP vec  high_bit_from(vec v) noexcept { return vec(v >= Least); }
NAVETTE_VECTOR_OP bool has_bit(vec v) noexcept { return (quads(v)[0] | quads(v)[1]) != 0; }
NAVETTE_VECTOR_OP bool has_high_bit(vec v) noexcept { return has_bit(v & 0x80); }
template <int N>
NAVETTE_VECTOR_OP vec before(vec earlier, vec v) noexcept {
    constexpr int i = 16 - N;
    return __builtin_shufflevector(earlier, v, i, i + 1, i + 2, i + 3, i + 4, i + 5, i + 6, i + 7, i + 8, i + 9, i + 10,
                                   i + 11, i + 12, i + 13, i + 14, i + 15);
}
#  include <navette/codec/vector_kernels.inc>
#  undef NAVETTE_TARGET

} // namespace neon

NAVETTE_INLINE const vector_code* native_code_of(instruction_set set) noexcept {
    static constexpr vector_code of_neon{instruction_set::neon, &neon::mask, &neon::utf8, &neon::unmask_utf8, nullptr, nullptr};
    return set == instruction_set::neon ? &of_neon : nullptr;
}

} // namespace navette::detail

#endif // NAVETTE_VECTOR_NEON
