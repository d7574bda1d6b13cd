#include <navette/codec/utf8.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/reference_utf8.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

using namespace navette;

namespace {

static_assert(is_valid_utf8("") && is_valid_utf8("navette"));
static_assert(is_valid_utf8("\u03ba\u1f79\u03c3\u03bc\u03b5 \U0001f600"));
static_assert(!is_valid_utf8("\xc0\xaf") && !is_valid_utf8("\xed\xa0\x80"));
static_assert(!is_valid_utf8("\xf4\x90\x80\x80") && !is_valid_utf8("\xe2\x82"));

verdict judged(const_byte_span text) {
    utf8_validator validator;
    const std::size_t taken = validator.feed(text);
    if (validator.failed() != (taken != text.size()))
        FAIL("failed() and the size taken do not agree");
    return {taken, validator.complete()};
}

// Compares with the reference, and counts: a loop that never ran would show.
struct comparison {
    std::size_t done = 0;
    void operator()(const_byte_span text, const verdict& expected) {
        if (judged(text) != expected) FAIL(to_hex(text));
        ++done;
    }
    void operator()(const_byte_span text) { operator()(text, judged_slowly(text)); }
};

constexpr std::byte operator""_b(unsigned long long value) { return static_cast<std::byte>(value); }

// Characters of every size, side by side in many ways, and ASCII for longer than a block.
const std::string mixture =
    "na\u00efve \u20ac\U0001f600\u03ba\u1f79\u03c3\u03bc\u03b5 ASCII for a while, so long "
    "\U0010ffff\ud7ff\ue000\u07ff\u0800";

} // namespace

TEST_CASE("every scalar value is valid, alone and in one long text",
          "[utf8][6455:8.1][C101][S51]") {
    std::string all;
    for (std::uint32_t scalar = 0; scalar <= 0x10ffff; ++scalar) {
        if (is_surrogate(scalar)) continue;
        const std::string one = encoded(scalar);
        if (!is_valid_utf8(one)) FAIL("U+" << std::hex << scalar);
        all += one;
    }
    CHECK(is_valid_utf8(all));
    CHECK(all.size() == 128 + 2 * 1920 + 3 * 61440 + 4 * 1048576);
}

TEST_CASE("every scalar value may be cut between any two of its bytes",
          "[utf8][6455:5.6][C103][S51]") {
    std::size_t cuts = 0;
    for (std::uint32_t scalar = 0x80; scalar <= 0x10ffff; ++scalar) {
        if (is_surrogate(scalar)) continue;
        const std::string one = encoded(scalar);
        for (std::size_t cut = 1; cut < one.size(); ++cut) {
            utf8_validator text;
            const bool first =
                text.feed(std::string_view(one).substr(0, cut)) == cut && !text.complete();
            const bool second =
                text.feed(std::string_view(one).substr(cut)) == one.size() - cut && text.complete();
            if (!first || !second) FAIL("U+" << std::hex << scalar << " cut at " << cut);
            ++cuts;
        }
    }
    CHECK(cuts == 1920 + 2 * 61440 + 3 * 1048576);
}

TEST_CASE("surrogates are refused at their second byte", "[utf8][3629:3][C102]") {
    for (std::uint32_t surrogate = 0xd800; surrogate <= 0xdfff; ++surrogate)
        REQUIRE(judged(as_bytes(encoded(surrogate))) == verdict{1, false});
}

TEST_CASE("every sequence of one and of two bytes is judged as by the reference",
          "[utf8][6455:8.1][C102][C105][S51]") {
    comparison compare;
    for (unsigned first = 0; first < 256; ++first) {
        compare(std::array{static_cast<std::byte>(first)});
        for (unsigned second = 0; second < 256; ++second)
            compare(std::array{static_cast<std::byte>(first), static_cast<std::byte>(second)});
    }
    CHECK(compare.done == 256 + 65'536);
}

TEST_CASE("every sequence of three bytes is judged as by the reference",
          "[utf8][6455:8.1][C102][C105][S51]") {
    comparison compare;
    std::array<std::byte, 3> three{};
    for (unsigned first = 0; first < 256; ++first)
        for (unsigned second = 0; second < 256; ++second) {
            three = {static_cast<std::byte>(first), static_cast<std::byte>(second), 0_b};
            const verdict of_two = judged_slowly(const_byte_span(three).first(2));
            for (unsigned third = 0; third < 256; ++third) {
                three[2] = static_cast<std::byte>(third);
                // what fails within two bytes fails there whatever comes third
                compare(three, of_two.taken < 2 ? of_two : judged_slowly(three));
            }
        }
    CHECK(compare.done == 16'777'216);
}

TEST_CASE("sequences of four bytes around every border are judged as by the reference",
          "[utf8][6455:8.1][C102][C105][S51]") {
    constexpr std::array border{0x00_b, 0x41_b, 0x7f_b, 0x80_b, 0x8f_b, 0x90_b, 0x9f_b,
                                0xa0_b, 0xbf_b, 0xc0_b, 0xc2_b, 0xed_b, 0xf0_b, 0xff_b};
    comparison compare;
    for (unsigned first = 0xc0; first < 256; ++first)
        for (unsigned second = 0; second < 256; ++second)
            for (const std::byte third : border)
                for (const std::byte fourth : border)
                    compare(std::array{static_cast<std::byte>(first),
                                       static_cast<std::byte>(second), third, fourth});
    CHECK(compare.done == 64 * 256 * 14 * 14);
}

TEST_CASE("a text may be cut at any two places", "[utf8][6455:5.6][C103]") {
    const std::string_view whole = mixture;
    std::size_t cuts = 0;
    for (std::size_t first = 0; first <= whole.size(); ++first)
        for (std::size_t second = first; second <= whole.size(); ++second) {
            utf8_validator text;
            const bool taken = text.feed(whole.substr(0, first)) == first &&
                               text.feed(whole.substr(first, second - first)) == second - first &&
                               text.feed(whole.substr(second)) == whole.size() - second;
            if (!taken || !text.complete()) FAIL("cut at " << first << " and " << second);
            ++cuts;
        }
    CHECK(cuts == (whole.size() + 1) * (whole.size() + 2) / 2);
}

TEST_CASE(
    "a bad byte anywhere in a text is found where it stands, wherever the text lies in memory",
    "[utf8][6455:8.1][C105][S14][S51]") {
    const auto good = text_bytes(mixture);
    comparison compare;
    for (const std::byte bad :
         {0x80_b, 0xbf_b, 0xc0_b, 0xc3_b, 0xed_b, 0xf0_b, 0xf5_b, 0xff_b, 0x41_b})
        for (std::size_t at = 0; at < good.size(); ++at)
            for (std::size_t start = 0; start < 17; ++start) {
                std::vector<std::byte> memory(start, 0x20_b);
                memory.insert(memory.end(), good.begin(), good.end());
                memory[start + at] = bad;
                compare(const_byte_span(memory).subspan(start));
            }
    CHECK(compare.done == 9 * good.size() * 17);
}

TEST_CASE("random texts in random pieces are judged as by the reference",
          "[utf8][C101][C102][C103][C105][S51]") {
    sequence random;
    std::size_t bad = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string made;
        while (made.size() < 90) {
            constexpr std::array<std::uint32_t, 5> bounds{0x80, 0x80, 0x800, 0xd800, 0x110000};
            const std::uint32_t scalar = random.below(bounds[random.below(5)]);
            made += is_surrogate(scalar) ? std::string(random.below(40), 'x') : encoded(scalar);
        }
        if (random.below(4) == 0) made.erase(made.size() - random.below(4));
        auto text = text_bytes(made);
        if (random.below(4) != 0)
            text[random.below(80)] = static_cast<std::byte>(random.below(256));

        utf8_validator validator;
        const_byte_span rest = text;
        std::size_t taken = 0;
        while (!rest.empty()) {
            const auto piece = rest.first(std::min<std::size_t>(rest.size(), random.below(50)));
            rest = rest.subspan(piece.size());
            taken += validator.feed(piece);
        }
        const verdict expected = judged_slowly(text);
        if (verdict{taken, validator.complete()} != expected) FAIL(to_hex(text));
        if (expected.taken != text.size()) ++bad;
    }
    CHECK(bad > 5'000);    // there were enough of both
    CHECK(bad < 15'000);
}

TEST_CASE("a text fails at the first impossible byte, before the rest of the character is there",
          "[utf8][6455:8.1][C105]") {
    // five Greek letters, then a lead byte that is possible, then one that makes it more than U+10FFFF
    const auto whole = bytes("ce ba e1 bd b9 cf 83 ce bc ce b5 f4 90 80 80");
    utf8_validator text;
    CHECK(text.feed(const_byte_span(whole).first(12)) == 12);
    CHECK_FALSE(text.failed());
    CHECK(text.feed(const_byte_span(whole).subspan(12, 1)) == 0);
    CHECK(text.failed());
    CHECK(judged(whole) == verdict{12, false});
}

TEST_CASE("a text that ends inside a character is neither failed nor complete",
          "[utf8][6455:8.1][C104]") {
    const std::string one =
        GENERATE(as<std::string>(), "\u00df", "\u20ac", "\uffff", "\U00010000", "\U0010ffff");
    for (std::size_t size = 1; size < one.size(); ++size) {
        utf8_validator text;
        CHECK(text.feed(std::string_view(one).substr(0, size)) == size);
        CHECK_FALSE(text.failed());
        CHECK_FALSE(text.complete());
        CHECK_FALSE(is_valid_utf8(std::string_view(one).substr(0, size)));
    }
}

TEST_CASE("noncharacters, NUL and a byte order mark are valid", "[utf8][3629:3][C107]") {
    std::vector<std::uint32_t> odd{0, 0xfeff};
    for (std::uint32_t c = 0xfdd0; c <= 0xfdef; ++c) odd.push_back(c);
    for (std::uint32_t plane = 0; plane <= 0x10; ++plane)
        odd.insert(odd.end(), {plane << 16 | 0xfffe, plane << 16 | 0xffff});
    for (const std::uint32_t c : odd) CHECK(is_valid_utf8(encoded(c)));
}

TEST_CASE("a failed text takes nothing more until it is reset", "[utf8]") {
    utf8_validator text;
    CHECK(text.feed("x\xff") == 1);
    CHECK(text.feed("a valid piece of more than one block of text") == 0);
    CHECK(text.feed("") == 0);
    CHECK(text.failed());
    CHECK_FALSE(text.complete());
    text.reset();
    CHECK(text.complete());
    CHECK(text.feed("valid") == 5);
    CHECK(text.complete());
}

TEST_CASE("an empty text is valid and needs no memory", "[utf8]") {
    utf8_validator text;
    CHECK(text.feed(const_byte_span{}) == 0);
    CHECK(text.complete());
    CHECK(is_valid_utf8(const_byte_span{}));
}

TEST_CASE("unmask_and_feed does what unmasking and then feeding do, at every length and offset",
          "[utf8][mask][C80][C101][C103]") {
    constexpr masking_key key{std::byte{0x37}, std::byte{0xfa}, std::byte{0x21}, std::byte{0x3d}};
    std::string text;
    while (text.size() < 12'400) text += mixture;
    const auto plain = text_bytes(text);
    for (const std::size_t around : {0u, 64u, 4096u, 8192u, 12288u})
        for (std::size_t size = around < 9 ? 0 : around - 9; size < around + 9; ++size)
            for (std::size_t offset = 0; offset < 4; ++offset) {
                std::vector<std::byte> payload(plain.begin(),
                                               plain.begin() + static_cast<std::ptrdiff_t>(size));
                const auto expected = payload;
                apply_mask(payload, key, offset);
                utf8_validator validator;
                const std::size_t taken = unmask_and_feed(payload, key, offset, validator);
                INFO("size " << size << ", offset " << offset);
                REQUIRE(payload == expected);
                REQUIRE(verdict{taken, validator.complete()} == judged_slowly(expected));
            }
}

TEST_CASE("unmask_and_feed finds a bad byte at its index and unmasks what lies behind it",
          "[utf8][mask][C105]") {
    constexpr masking_key key{std::byte{0xff}, std::byte{0x80}, std::byte{0x01}, std::byte{0x7e}};
    const std::size_t bad = GENERATE(0u, 1u, 4095u, 4096u, 4097u, 8191u, 8192u, 9999u);
    auto payload = text_bytes(std::string(10'000, 'n'));
    payload[bad] = 0xff_b;
    const auto plain = payload;
    apply_mask(payload, key, 6);
    utf8_validator validator;
    CHECK(unmask_and_feed(payload, key, 6, validator) == bad);
    CHECK(validator.failed());
    CHECK(payload == plain);
}

TEST_CASE("unmask_and_feed goes on where the last piece ended, and takes nothing of a failed text",
          "[utf8][mask][C103]") {
    constexpr masking_key key{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
    auto payload = text_bytes(mixture);
    apply_mask(payload, key);
    utf8_validator validator;
    for (std::size_t i = 0; i < payload.size(); ++i)
        REQUIRE(unmask_and_feed(byte_span(payload).subspan(i, 1), key, i, validator) == 1);
    CHECK(validator.complete());
    CHECK(payload == text_bytes(mixture));

    validator.feed("\xff");
    apply_mask(payload, key);
    CHECK(unmask_and_feed(payload, key, 0, validator) == 0);
    CHECK(payload == text_bytes(mixture));
}
