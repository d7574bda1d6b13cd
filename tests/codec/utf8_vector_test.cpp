#include <navette/codec/utf8.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/instruction_sets.hpp"
#include "support/long_run.hpp"
#include "support/reference_utf8.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// Texts that are long enough for vector code, judged by each set of instructions that this machine has, plain and masked.

using namespace navette;

namespace {

constexpr masking_key key{std::byte{0x37}, std::byte{0xfa}, std::byte{0x21}, std::byte{0x8d}};

// Feeds the text as it is and, from a masked copy of exactly its size at the same alignment, while unmasking it; both must
// agree with what is expected. Counts: a loop that never ran would show.
struct comparison {
    std::size_t            done = 0;
    std::vector<std::byte> memory{};

    void operator()(const_byte_span text, const verdict& expected, std::size_t offset = 0) {
        ++done;
        utf8_validator plain;
        const std::size_t taken = plain.feed(text);
        if (verdict{taken, plain.complete()} != expected || plain.failed() != (taken != text.size()))
            FAIL("plain, taken " << taken << " not " << expected.taken << ": " << to_hex(text));

        const std::size_t alignment = __builtin_bit_cast(std::uintptr_t, text.data()) % 64;
        memory.resize(text.size() + 128);
        const std::size_t start = (64 + alignment - __builtin_bit_cast(std::uintptr_t, memory.data()) % 64) % 64;
        const byte_span payload = byte_span(memory).subspan(start, text.size());
        copy_masked(payload.data(), text, key, offset);
        utf8_validator masked;
        const std::size_t unmasked = unmask_and_feed(payload, key, offset, masked);
        if (verdict{unmasked, masked.complete()} != expected)
            FAIL("masked, taken " << unmasked << " not " << expected.taken << ": " << to_hex(text));
        if (!std::equal(payload.begin(), payload.end(), text.begin(), text.end())) FAIL("unmasked wrongly: " << to_hex(text));
    }
    void operator()(const_byte_span text) { operator()(text, judged_slowly(text)); }
};

// At most `size` bytes of random characters, from one to four bytes each; long stretches of ASCII between them.
std::string random_text(sequence& random, std::size_t size) {
    constexpr std::array<std::uint32_t, 5> bounds{0x80, 0x800, 0x800, 0xd800, 0x110000};
    std::string made;
    const bool with_ascii = random.below(2) == 0;
    while (made.size() < size) {
        const std::uint32_t scalar = random.below(bounds[random.below(5)]);
        if (with_ascii && random.below(30) == 0) made += std::string(random.below(600), 'x');
        else if (!is_surrogate(scalar)) made += encoded(scalar);
    }
    made.resize(size);  // perhaps within a character
    return made;
}

} // namespace

TEST_CASE("every length at every alignment is judged as by the reference", "[utf8][6455:8.1][C101][C105][S14][S51]") {
    NAVETTE_EACH_INSTRUCTION_SET;
    sequence random;
    comparison compare;
    alignas(64) std::array<std::byte, 64 + 300> memory{};
    for (std::size_t size = 0; size <= 300; ++size) {
        const auto text = text_bytes(random_text(random, size));
        const auto expected = judged_slowly(text);
        for (std::size_t start = 0; start < 64; ++start) {
            std::copy(text.begin(), text.end(), memory.begin() + static_cast<std::ptrdiff_t>(start));
            const byte_span there = byte_span(memory).subspan(start, size);
            compare(there, expected, start);
            if (size == 0) continue;
            const std::size_t bad = random.below(static_cast<std::uint32_t>(size));
            there[bad] = static_cast<std::byte>(random.below(256));
            compare(there, judged_slowly(there), size);
        }
    }
    CHECK(compare.done == 64 + 2 * 300 * 64);
}

TEST_CASE("every scalar value is valid at every place of a block", "[utf8][6455:8.1][C101][S51]") {
    NAVETTE_EACH_INSTRUCTION_SET;
    comparison compare;
    // One long text, so that characters fall on all places, and cross all borders.
    std::string all;
    for (std::uint32_t scalar = 0; scalar <= 0x10ffff; ++scalar)
        if (!is_surrogate(scalar)) all += encoded(scalar);
    for (const std::size_t shift : {0u, 1u, 2u, 3u}) {
        const auto text = text_bytes(std::string(shift, 'x') + all);
        compare(text, {text.size(), true});
    }
    CHECK(compare.done == 4);
}

TEST_CASE("every pair of bytes is judged as by the reference at the borders of blocks", "[utf8][6455:8.1][C102][C105][S51]") {
    NAVETTE_EACH_INSTRUCTION_SET;
    comparison compare;
    std::vector<std::byte> text(200, std::byte{'n'});
    for (unsigned first = 0; first < 256; ++first)
        for (unsigned second = 0; second < 256; ++second) {
            // after a lead byte of three, so that continuation bytes are asked for, and after none
            for (const unsigned lead : {0x6eu, 0xe1u})
                for (const std::size_t at : {15u, 31u, 63u, 130u}) {
                    text[at - 1] = static_cast<std::byte>(lead);
                    text[at]     = static_cast<std::byte>(first);
                    text[at + 1] = static_cast<std::byte>(second);
                    const std::array three{text[at - 1], text[at], text[at + 1]};
                    verdict expected = judged_slowly(three);
                    if (expected.taken < 3) expected = {at - 1 + expected.taken, false};
                    else if (!expected.complete) expected = {at + 2, false};  // no n comes within a character
                    else expected = {text.size(), true};
                    compare(text, expected);
                    text[at - 1] = text[at] = text[at + 1] = std::byte{'n'};
                }
        }
    CHECK(compare.done == 65'536 * 2 * 4);
}

TEST_CASE("a character that ASCII interrupts is found where the ASCII begins, however much of it comes",
          "[utf8][6455:8.1][C105][S51]") {
    NAVETTE_EACH_INSTRUCTION_SET;
    comparison compare;
    for (const auto& part : {bytes("c3"), bytes("e1"), bytes("e1 80"), bytes("f1"), bytes("f1 80"), bytes("f1 80 80")})
        for (std::size_t before = 0; before < 140; ++before) {
            std::vector<std::byte> text(before + part.size() + 600, std::byte{'n'});
            std::copy(part.begin(), part.end(), text.begin() + static_cast<std::ptrdiff_t>(before));
            compare(text, {before + part.size(), false});
            text.resize(before + part.size());
            compare(text, {text.size(), false});
        }
    CHECK(compare.done == 6 * 140 * 2);
}

TEST_CASE("a bad byte is found where it stands in a long text", "[utf8][6455:8.1][C105][S51]") {
    NAVETTE_EACH_INSTRUCTION_SET;
    comparison compare;
    sequence random;
    const auto good = text_bytes(random_text(random, 700));
    for (const unsigned bad : {0x80u, 0xbfu, 0xc0u, 0xc1u, 0xc3u, 0xe0u, 0xedu, 0xf0u, 0xf4u, 0xf5u, 0xffu, 0x41u})
        for (std::size_t at = 0; at < good.size(); ++at) {
            auto text = good;
            text[at] = static_cast<std::byte>(bad);
            compare(text);
        }
    CHECK(compare.done == 12 * good.size());
}

TEST_CASE("large random texts in random pieces are judged as by the reference", "[utf8][C101][C102][C103][C105][S51]") {
    NAVETTE_EACH_INSTRUCTION_SET;
    sequence random;
    std::size_t bad = 0;
    const int rounds = is_long_run() ? 2'000 : 60;
    for (int round = 0; round < rounds; ++round) {
        auto text = text_bytes(random_text(random, 1 + random.below(round % 10 == 0 ? 200'000 : 5'000)));
        if (random.below(2) != 0)
            text[random.below(static_cast<std::uint32_t>(text.size()))] = static_cast<std::byte>(random.below(256));
        const verdict expected = judged_slowly(text);
        if (expected.taken != text.size()) ++bad;

        utf8_validator plain, masked;
        std::size_t taken = 0, unmasked = 0;
        auto payload = text;
        apply_mask(payload, key);
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t n = std::min<std::size_t>(text.size() - at, random.below(2'000));
            taken += plain.feed(const_byte_span(text).subspan(at, n));
            unmasked += unmask_and_feed(byte_span(payload).subspan(at, n), key, at, masked);
            at += n;
        }
        REQUIRE(verdict{taken, plain.complete()} == expected);
        REQUIRE(verdict{unmasked, masked.complete()} == expected);
        REQUIRE(payload == text);
    }
    CHECK(bad > static_cast<std::size_t>(rounds) / 5);
    CHECK(bad < static_cast<std::size_t>(rounds) * 4 / 5);
}

TEST_CASE("every sequence of three bytes, cut anywhere, is judged as by the reference at every place of a word",
          "[.long][utf8][6455:8.1][C102][C105][S51]") {
    NAVETTE_EACH_INSTRUCTION_SET;
    std::vector<std::byte> text(160, std::byte{'n'});
    std::size_t done = 0;
    std::array<std::byte, 4> three{std::byte{}, std::byte{}, std::byte{}, std::byte{'n'}};
    for (unsigned value = 0; value < 1u << 24; ++value) {
        three[0] = static_cast<std::byte>(value >> 16);
        three[1] = static_cast<std::byte>(value >> 8 & 0xff);
        three[2] = static_cast<std::byte>(value & 0xff);
        const verdict alone = judged_slowly(three);  // an n comes behind it
        for (std::size_t split = 0; split < 4; ++split)
            for (std::size_t place = 0; place < 8; ++place) {
                const std::size_t at = 72 + place;
                std::copy(three.begin(), three.begin() + 3, text.begin() + static_cast<std::ptrdiff_t>(at));
                utf8_validator validator;
                const std::size_t taken = validator.feed(const_byte_span(text).first(at + split)) +
                                          validator.feed(const_byte_span(text).subspan(at + split));
                const verdict expected = alone.taken < 4 ? verdict{at + alone.taken, false} : verdict{text.size(), true};
                if (verdict{taken, validator.complete()} != expected) FAIL(to_hex(three) << " at " << at << " cut at " << split);
                std::fill_n(text.begin() + static_cast<std::ptrdiff_t>(at), 3, std::byte{'n'});
                ++done;
            }
    }
    CHECK(done == std::size_t{32} << 24);
}
