#include <navette/codec/mask.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/instruction_sets.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

using namespace navette;

namespace {

constexpr masking_key key{std::byte{0x37}, std::byte{0xfa}, std::byte{0x21}, std::byte{0x3d}};

// RFC 6455, 5.3, word for word: octet i of the result is octet i of the payload XOR octet i mod 4 of the key.
std::vector<std::byte> masked_slowly(const_byte_span payload, masking_key k, std::size_t offset) {
    std::vector<std::byte> result;
    for (std::size_t i = 0; i < payload.size(); ++i)
        result.push_back(payload[i] ^ k[(offset + i) % 4]);
    return result;
}

std::vector<std::byte> numbered(std::size_t size) {
    std::vector<std::byte> made(size);
    for (std::size_t i = 0; i < size; ++i) made[i] = static_cast<std::byte>(i * 37 + 11);
    return made;
}

template <std::size_t N>
constexpr std::array<std::byte, N> masked_zeros(std::size_t offset) {
    std::array<std::byte, N> made{};
    apply_mask(made, key, offset);
    return made;
}

// RFC 6455, 5.7: "Hello", masked.
static_assert([] {
    std::array<std::byte, 5> payload{};
    for (std::size_t i = 0; i < 5; ++i) payload[i] = static_cast<std::byte>("Hello"[i]);
    apply_mask(payload, key);
    for (std::size_t i = 0; i < 5; ++i)
        if (payload[i] != static_cast<std::byte>("\x7f\x9f\x4d\x51\x58"[i])) return false;
    return true;
}());

} // namespace

TEST_CASE("masking Hello gives the bytes of the RFC's example", "[mask][6455:5.3][6455:5.7][C80]") {
    auto payload = text_bytes("Hello");
    apply_mask(payload, key);
    CHECK(payload == bytes("7f 9f 4d 51 58"));
}

TEST_CASE("masking is right at every alignment, length and offset, and touches nothing else",
          "[mask][6455:5.3][C80][S14]") {
    NAVETTE_EACH_INSTRUCTION_SET;
    constexpr std::size_t alignments = 64, longest = 300, guard = 16;
    constexpr std::byte untouched{0xa5};
    const auto payload = numbered(longest);
    alignas(64) std::array<std::byte, alignments + longest + guard> memory{};
    alignas(64) std::array<std::byte, alignments + longest + guard> target{};
    std::size_t tried = 0;

    for (std::size_t offset = 0; offset < 4; ++offset) {
        const auto expected = masked_slowly(payload, key, offset);
        for (std::size_t start = 0; start < alignments; ++start)
            for (std::size_t size = 0; size <= longest; ++size) {
                memory.fill(untouched);
                target.fill(untouched);
                const byte_span in_place = byte_span(memory).subspan(start, size);
                for (std::size_t i = 0; i < size; ++i) in_place[i] = payload[i];

                // the target stands at another alignment than the source
                const byte_span copied =
                    byte_span(target).subspan((start * 7 + 3) % alignments, size);
                copy_masked(copied.data(), in_place, key, offset);
                apply_mask(in_place, key, offset);

                // what is right is put back, so that all of both must be untouched then
                const auto restore = [&](byte_span masked) {
                    const bool right = std::equal(masked.begin(), masked.end(), expected.begin());
                    if (right) std::fill(masked.begin(), masked.end(), untouched);
                    return right;
                };
                const auto is_untouched = [=](std::byte b) { return b == untouched; };
                const bool right = restore(in_place) && restore(copied) &&
                                   std::all_of(memory.begin(), memory.end(), is_untouched) &&
                                   std::all_of(target.begin(), target.end(), is_untouched);
                if (!right) FAIL("start " << start << ", size " << size << ", offset " << offset);
                ++tried;
            }
    }
    CHECK(tried == 4 * alignments * (longest + 1));
}

TEST_CASE("a payload that is cut at any two places is masked as if it were whole",
          "[mask][6455:5.3][C80][S45]") {
    NAVETTE_EACH_INSTRUCTION_SET;
    const auto payload = numbered(150);
    const auto expected = masked_slowly(payload, key, 0);
    std::size_t cuts = 0;
    for (std::size_t first = 0; first <= payload.size(); ++first)
        for (std::size_t second = first; second <= payload.size(); ++second) {
            auto cut = payload;
            const byte_span all(cut);
            apply_mask(all.first(first), key, 0);
            apply_mask(all.subspan(first, second - first), key, first);
            apply_mask(all.subspan(second), key, second);
            if (cut != expected) FAIL("cut at " << first << " and " << second);
            ++cuts;
        }
    CHECK(cuts == 151 * 152 / 2);
}

TEST_CASE("large payloads are masked right at random sizes, places and offsets", "[mask][6455:5.3][C80]") {
    NAVETTE_EACH_INSTRUCTION_SET;
    const auto payload = numbered(1 << 20);
    std::uint32_t random = 1;
    const auto below = [&random](std::size_t bound) {
        random = random * 1664525u + 1013904223u;
        return (random >> 8) % bound;
    };
    for (int round = 0; round < 20; ++round) {
        const std::size_t start = below(200), size = below(payload.size() - start), offset = below(9);
        auto masked = payload;
        apply_mask(byte_span(masked).subspan(start, size), key, offset);
        auto expected = payload;
        const auto middle = masked_slowly(const_byte_span(payload).subspan(start, size), key, offset);
        std::copy(middle.begin(), middle.end(), expected.begin() + static_cast<std::ptrdiff_t>(start));
        if (masked != expected) FAIL("start " << start << ", size " << size << ", offset " << offset);
    }
    CHECK(payload == numbered(1 << 20));
}

TEST_CASE("masking twice gives the payload back", "[mask][6455:5.3]") {
    auto payload = numbered(131);
    apply_mask(payload, key, 3);
    CHECK(payload != numbered(131));
    apply_mask(payload, key, 3);
    CHECK(payload == numbered(131));
}

TEST_CASE("copy_masked may copy a payload onto itself", "[mask]") {
    NAVETTE_EACH_INSTRUCTION_SET;
    auto payload = numbered(200);
    copy_masked(payload.data(), payload, key, 1);
    CHECK(payload == masked_slowly(numbered(200), key, 1));
}

TEST_CASE("an offset of any size counts modulo four", "[mask]") {
    const std::size_t offset =
        GENERATE(std::size_t{4}, std::size_t{1} << 31, static_cast<std::size_t>(-4));
    auto payload = numbered(40);
    apply_mask(payload, key, offset + 1);
    CHECK(payload == masked_slowly(numbered(40), key, 1));
    CHECK(rotate(key, offset + 2) == rotate(key, 2));
}

TEST_CASE("a rotated key masks the rest of a payload as the key does with its offset", "[mask]") {
    for (std::size_t offset = 0; offset < 9; ++offset) {
        auto payload = numbered(21);
        apply_mask(payload, rotate(key, offset));
        CHECK(payload == masked_slowly(numbered(21), key, offset));
    }
}

TEST_CASE("an empty payload needs no memory", "[mask]") {
    const byte_span nothing;
    REQUIRE(nothing.data() == nullptr);
    apply_mask(nothing, key, 3);
    copy_masked(nullptr, nothing, key, 3);   // the sanitizers would tell
}

TEST_CASE("masking while compiling and masking while running agree", "[mask]") {
    NAVETTE_EACH_INSTRUCTION_SET;
    constexpr auto compiled = masked_zeros<77>(2);
    std::vector<std::byte> run(77);
    apply_mask(run, key, 2);
    CHECK(run == bytes(const_byte_span(compiled)));
}
