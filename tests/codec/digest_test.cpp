#include <navette/codec/digest.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

using namespace navette;

namespace {

template <class Hash>
std::vector<std::byte> digest_of(std::string_view text) {
    Hash hash;
    hash.update(text);
    const auto digest = hash.finish();
    return {digest.begin(), digest.end()};
}

std::vector<std::byte> numbered(std::size_t size) {
    std::vector<std::byte> made(size);
    for (std::size_t i = 0; i < size; ++i) made[i] = static_cast<std::byte>(i * 7 + 3);
    return made;
}

template <class Hash>
constexpr std::byte first_byte_of_abc() {
    Hash hash;
    hash.update("abc");
    return hash.finish()[0];
}
static_assert(first_byte_of_abc<md5_hash>() == std::byte{0x90} && first_byte_of_abc<sha256_hash>() == std::byte{0xba});

} // namespace

TEST_CASE("the MD5 digests of RFC 1321 come out", "[digest][1321:A.5]") {
    CHECK(digest_of<md5_hash>("") == bytes("d41d8cd98f00b204e9800998ecf8427e"));
    CHECK(digest_of<md5_hash>("a") == bytes("0cc175b9c0f1b6a831c399e269772661"));
    CHECK(digest_of<md5_hash>("abc") == bytes("900150983cd24fb0d6963f7d28e17f72"));
    CHECK(digest_of<md5_hash>("message digest") == bytes("f96b697d7cb7938d525a2f31aaf161d0"));
    CHECK(digest_of<md5_hash>("abcdefghijklmnopqrstuvwxyz") == bytes("c3fcd3d76192e4007dfb496cca67e13b"));
    CHECK(digest_of<md5_hash>("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") ==
          bytes("d174ab98d277d9f5a5611c2c9f419d9f"));
    CHECK(digest_of<md5_hash>("12345678901234567890123456789012345678901234567890123456789012345678901234567890") ==
          bytes("57edf4a22be3c955ac49da2e2107b67a"));
}

TEST_CASE("the SHA-256 digests of FIPS 180 come out", "[digest]") {
    CHECK(digest_of<sha256_hash>("") == bytes("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    CHECK(digest_of<sha256_hash>("abc") == bytes("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    CHECK(digest_of<sha256_hash>("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
          bytes("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"));
}

TEST_CASE("a million times the letter a has the digests that others find", "[digest]") {
    const std::string whole(1'000'000, 'a');
    CHECK(digest_of<md5_hash>(whole) == bytes("7707d6ae4e027c70eea2a935c2296f21"));
    CHECK(digest_of<sha256_hash>(whole) == bytes("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
}

TEMPLATE_TEST_CASE("the digests of all lengths up to 300 are those of another implementation", "[digest]", md5_hash, sha256_hash) {
    // Each digest goes into one more hash; the result is what Python's hashlib gives for the same texts.
    TestType of_all;
    for (std::size_t size = 0; size <= 300; ++size) {
        TestType one;
        one.update(const_byte_span(numbered(size)));
        of_all.update(const_byte_span(one.finish()));
    }
    const auto digest = of_all.finish();
    CHECK(bytes(const_byte_span(digest)) ==
          (digest.size() == 16 ? bytes("bbc8219ce2f09cb1b1235ce3b7ef018c")
                               : bytes("7d917fbd2cf49ddff9ad0a8706bba32d204e92e71d2e369c5a03d6af29278c9f")));
}

TEMPLATE_TEST_CASE("a text has one digest, wherever it is cut", "[digest]", md5_hash, sha256_hash) {
    for (const std::size_t size : {0u, 1u, 55u, 56u, 63u, 64u, 65u, 119u, 120u, 128u, 200u}) {
        const auto whole = numbered(size);
        TestType once;
        once.update(const_byte_span(whole));
        const auto expected = once.finish();
        for (std::size_t cut = 0; cut <= size; ++cut) {
            TestType hash;
            hash.update(const_byte_span(whole).first(cut));
            hash.update(as_text(const_byte_span(whole).subspan(cut)));
            if (hash.finish() != expected) FAIL("size " << size << ", cut at " << cut);
        }
        CHECK(expected.size() >= 16);
    }
}

TEMPLATE_TEST_CASE("a hash that has finished begins a new text", "[digest]", md5_hash, sha256_hash) {
    TestType hash;
    hash.update("something else");
    static_cast<void>(hash.finish());
    hash.update("abc");
    CHECK(hash.finish()[0] == first_byte_of_abc<TestType>());
}
