#include <navette/codec/sha1.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/instruction_sets.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

using namespace navette;

namespace {

std::vector<std::byte> digest_of(std::string_view text) {
    const sha1_digest digest = sha1_of(text);
    return {digest.begin(), digest.end()};
}

std::vector<std::byte> numbered(std::size_t size) {
    std::vector<std::byte> made(size);
    for (std::size_t i = 0; i < size; ++i) made[i] = static_cast<std::byte>(i * 7 + 3);
    return made;
}

static_assert(sha1_of("abc")[0] == std::byte{0xa9} && sha1_of("abc")[19] == std::byte{0x9d});

} // namespace

TEST_CASE("the digests of RFC 3174 and FIPS 180 come out", "[sha1][3174:7.3]") {
    NAVETTE_EACH_INSTRUCTION_SET;
    CHECK(digest_of("") == bytes("da39a3ee 5e6b4b0d 3255bfef 95601890 afd80709"));
    CHECK(digest_of("abc") == bytes("a9993e36 4706816a ba3e2571 7850c26c 9cd0d89d"));
    CHECK(digest_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
          bytes("84983e44 1c3bd26e baae4aa1 f95129e5 e54670f1"));
    CHECK(digest_of("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                    "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu") ==
          bytes("a49b2446 a02c645b f419f995 b6709125 3a04a259"));
}

TEST_CASE("a million times the letter a has the digest of RFC 3174", "[sha1][3174:7.3]") {
    NAVETTE_EACH_INSTRUCTION_SET;
    const std::string whole(1'000'000, 'a');
    CHECK(digest_of(whole) == bytes("34aa973c d4c4daa4 f61eeb2b dbad2731 6534016f"));
    sha1 hash;
    for (int i = 0; i < 1'000; ++i) hash.update(std::string_view(whole).substr(0, 1'000));
    CHECK(hash.finish() == sha1_of(whole));
}

TEST_CASE("the digests of all lengths up to 300 are those of another implementation", "[sha1]") {
    NAVETTE_EACH_INSTRUCTION_SET;
    // Each digest goes into one more hash; the result is what Python's hashlib gives for the same texts.
    sha1 of_all;
    for (std::size_t size = 0; size <= 300; ++size) of_all.update(sha1_of(numbered(size)));
    const sha1_digest digest = of_all.finish();
    CHECK(bytes(const_byte_span(digest)) == bytes("43debf50 06166594 c976375f 1c06253e 43d53ddf"));
}

TEST_CASE("a text has one digest, wherever it is cut", "[sha1]") {
    NAVETTE_EACH_INSTRUCTION_SET;
    std::size_t cuts = 0;
    for (std::size_t size = 0; size <= 300; ++size) {
        const auto whole = numbered(size);
        const sha1_digest expected = sha1_of(whole);
        for (std::size_t cut = 0; cut <= size; ++cut) {
            sha1 hash;
            hash.update(const_byte_span(whole).first(cut));
            hash.update(const_byte_span(whole).subspan(cut));
            if (hash.finish() != expected) FAIL("size " << size << ", cut at " << cut);
            ++cuts;
        }
    }
    CHECK(cuts == 301 * 302 / 2);
}

TEST_CASE("a text fed byte by byte has the same digest", "[sha1]") {
    NAVETTE_EACH_INSTRUCTION_SET;
    const auto whole = numbered(200);
    sha1 hash;
    for (const std::byte b : whole) hash.update(const_byte_span(&b, 1));
    CHECK(hash.finish() == sha1_of(whole));
}

TEST_CASE("bytes and text hash alike, also above 127", "[sha1]") {
    NAVETTE_EACH_INSTRUCTION_SET;
    const std::string text = "\x80\xff\x7f navette";
    CHECK(sha1_of(text) == sha1_of(as_bytes(text)));
}

TEST_CASE("a hash that has finished begins a new text", "[sha1]") {
    NAVETTE_EACH_INSTRUCTION_SET;
    sha1 hash;
    hash.update("something else");
    static_cast<void>(hash.finish());
    hash.update("abc");
    CHECK(hash.finish() == sha1_of("abc"));
}
