// Bodies of vector.hpp: the choice. What there is to choose from stands beside it, a file for each kind of processor.
#pragma once

#include <navette/codec/vector.hpp>
#include <navette/codec/vector_neon.ipp>
#include <navette/codec/vector_x86.ipp>

namespace navette {
namespace detail {

NAVETTE_INLINE const vector_code* vector_code_of(instruction_set set) noexcept {
    static constexpr vector_code portable{instruction_set::portable, nullptr, nullptr, nullptr, nullptr, nullptr};
    if (set == instruction_set::portable) return &portable;
#if defined(NAVETTE_VECTOR_X86) || defined(NAVETTE_VECTOR_NEON)
    return native_code_of(set);
#else
    return nullptr;
#endif
}

NAVETTE_INLINE void set_vector_code(const vector_code* code) noexcept {
#if defined(__GNUC__)
    __atomic_store_n(&chosen_vector_code, code, __ATOMIC_RELEASE);
#else
    chosen_vector_code = code;
#endif
}

NAVETTE_INLINE const vector_code& choose_vector_code() noexcept {
    const vector_code* best = nullptr;
    for (auto set = std::uint8_t{0}; set <= static_cast<std::uint8_t>(instruction_set::neon); ++set)  // ever better
        if (const vector_code* const code = vector_code_of(static_cast<instruction_set>(set))) best = code;
    set_vector_code(best);
    return *best;
}

} // namespace detail

NAVETTE_INLINE bool is_supported(instruction_set set) noexcept { return detail::vector_code_of(set) != nullptr; }

NAVETTE_INLINE instruction_set instruction_set_in_use() noexcept { return detail::vectors().set; }

NAVETTE_INLINE bool use_instruction_set(instruction_set set) noexcept {
    const detail::vector_code* const code = detail::vector_code_of(set);
    if (code != nullptr) detail::set_vector_code(code);
    return code != nullptr;
}

} // namespace navette
