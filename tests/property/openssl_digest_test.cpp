#include <navette/codec/base64.hpp>
#include <navette/codec/sha1.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/instruction_sets.hpp"

#include <openssl/evp.h>
#include <string>
#include <vector>

using namespace navette;

namespace {

constexpr std::size_t longest = 1'024;

// Bytes that repeat at no length of a block.
std::vector<std::byte> scattered(std::size_t size) {
    std::vector<std::byte> made(size);
    std::uint32_t          state = 2'463'534'242u + static_cast<std::uint32_t>(size);
    for (std::byte& b : made) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        b = static_cast<std::byte>(state >> 24);
    }
    return made;
}

const unsigned char* raw(const std::vector<std::byte>& bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

std::vector<std::byte> digest_by_openssl(const std::vector<std::byte>& of) {
    std::vector<std::byte> made(20);
    REQUIRE(EVP_Digest(of.data(), of.size(), reinterpret_cast<unsigned char*>(made.data()), nullptr, EVP_sha1(), nullptr) == 1);
    return made;
}

std::string base64_by_openssl(const std::vector<std::byte>& of) {
    std::string made(base64_size(of.size()) + 1, '\0');   // it writes a terminator
    const int   size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(made.data()), raw(of), static_cast<int>(of.size()));
    made.resize(static_cast<std::size_t>(size));
    return made;
}

} // namespace

TEST_CASE("SHA-1 is OpenSSL's for every length to 1,024, by every instruction set, however it is cut",
          "[property][sha1][6455:4.2.2]") {
    NAVETTE_EACH_INSTRUCTION_SET;
    std::size_t wrong = 0;
    for (std::size_t size = 0; size <= longest; ++size) {
        const auto text     = scattered(size);
        const auto expected = digest_by_openssl(text);
        for (const std::size_t cut : {std::size_t{0}, size / 3, size}) {
            sha1 hash;
            hash.update(const_byte_span(text).first(cut));
            hash.update(const_byte_span(text).subspan(cut));
            const auto digest = hash.finish();
            wrong += !std::equal(digest.begin(), digest.end(), expected.begin(), expected.end());
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("base64 is OpenSSL's for every length to 1,024, and is read back", "[property][base64][6455:4.1]") {
    std::size_t wrong = 0;
    for (std::size_t size = 0; size <= longest; ++size) {
        const auto  bytes = scattered(size);
        std::string text(base64_size(size), '?');
        text.resize(base64_encode(bytes, text.data()));
        wrong += text != base64_by_openssl(bytes);
        std::vector<std::byte> back(size + 2);
        const std::size_t      read = base64_decode(text, back);
        back.resize(read == base64_invalid ? 0 : read);
        wrong += back != bytes;
    }
    CHECK(wrong == 0);
}
