#include <navette/codec/vector.hpp>

#include "support/catch.hpp"
#include "support/instruction_sets.hpp"

#include <navette/codec/mask.hpp>

#include <algorithm>

using namespace navette;

TEST_CASE("the portable code is always supported, and what is not supported is refused", "[vector]") {
    CHECK(is_supported(instruction_set::portable));
    const instruction_set before = instruction_set_in_use();
    using enum instruction_set;
    const instruction_set set = GENERATE(ssse3, avx2, avx512, neon, static_cast<instruction_set>(5));
    CHECK(use_instruction_set(set) == is_supported(set));
    CHECK(instruction_set_in_use() == (is_supported(set) ? set : before));
    REQUIRE(use_instruction_set(before));
}

TEST_CASE("the best supported set is in use", "[vector]") {
    const auto supported = instruction_sets();
    CHECK(instruction_set_in_use() == *std::max_element(supported.begin(), supported.end()));
}

TEST_CASE("what the compiler may take for granted is supported", "[vector]") {
#if defined(__x86_64__) && defined(__SSSE3__)
    CHECK(is_supported(instruction_set::ssse3));
#endif
#if defined(__x86_64__) && defined(__AVX2__)
    CHECK(is_supported(instruction_set::avx2));
#endif
#if defined(__aarch64__)
    CHECK(is_supported(instruction_set::neon));
#endif
    CHECK(is_supported(instruction_set::neon) == (std::max(instruction_set_in_use(), instruction_set::avx512) == instruction_set::neon));
}

TEST_CASE("a set that was lowered stays in use until another is chosen", "[vector]") {
    const instruction_set best = instruction_set_in_use();
    {
        const using_instruction_set lowered(instruction_set::portable);
        CHECK(instruction_set_in_use() == instruction_set::portable);
        CHECK(detail::vectors().mask == nullptr);
        CHECK(detail::vectors().utf8 == nullptr);
        CHECK(detail::vectors().sha1 == nullptr);
    }
    CHECK(instruction_set_in_use() == best);
}
