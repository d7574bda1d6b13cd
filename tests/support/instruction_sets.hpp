// Runs a case once for each set of instructions that this machine has: the first line of the case is
// NAVETTE_EACH_INSTRUCTION_SET.
#pragma once

#include "support/catch.hpp"

#include <navette/codec/vector.hpp>

#include <vector>

namespace navette {

inline std::vector<instruction_set> instruction_sets() {
    std::vector<instruction_set> supported;
    using enum instruction_set;
    for (const instruction_set set : {portable, ssse3, avx2, avx512, neon})
        if (is_supported(set)) supported.push_back(set);
    return supported;
}

inline const char* name(instruction_set set) {
    switch (set) {
    case instruction_set::portable: return "portable";
    case instruction_set::ssse3:    return "SSSE3";
    case instruction_set::avx2:     return "AVX2";
    case instruction_set::avx512:   return "AVX-512";
    case instruction_set::neon:     return "NEON";
    }
    return "unknown";
}

// Uses `set` for as long as it lives.
class using_instruction_set {
    instruction_set before_ = instruction_set_in_use();

public:
    explicit using_instruction_set(instruction_set set) { REQUIRE(use_instruction_set(set)); }
    using_instruction_set(const using_instruction_set&) = delete;
    using_instruction_set& operator=(const using_instruction_set&) = delete;
    ~using_instruction_set() { use_instruction_set(before_); }
};

} // namespace navette

#define NAVETTE_EACH_INSTRUCTION_SET                                                                                    \
    const auto instructions = GENERATE(from_range(navette::instruction_sets()));                                        \
    const navette::using_instruction_set instructions_in_use(instructions);                                             \
    INFO("with " << navette::name(instructions))
