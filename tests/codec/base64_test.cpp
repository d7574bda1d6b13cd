#include <navette/codec/base64.hpp>

#include <navette/codec/sha1.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace navette;

namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string encoded(const_byte_span from) {
    std::string to(base64_size(from.size()), '?');
    const std::size_t written = base64_encode(from, to.data());
    return written == to.size() ? to : "base64_size is wrong";
}

std::optional<std::vector<std::byte>> decoded(std::string_view from) {
    std::vector<std::byte> to(from.size());
    const std::size_t written = base64_decode(from, to);
    if (written == base64_invalid) return std::nullopt;
    to.resize(written);
    return to;
}

// RFC 4648, 4, bit by bit.
std::string encoded_slowly(const_byte_span from) {
    std::string bits;
    for (const std::byte b : from)
        for (int i = 7; i >= 0; --i) bits += (b >> i & std::byte{1}) == std::byte{1} ? '1' : '0';
    while (bits.size() % 6 != 0) bits += '0';
    std::string made;
    for (std::size_t i = 0; i < bits.size(); i += 6) {
        std::size_t sextet = 0;
        for (std::size_t k = 0; k < 6; ++k) sextet = 2 * sextet + (bits[i + k] == '1' ? 1 : 0);
        made += alphabet[sextet];
    }
    while (made.size() % 4 != 0) made += '=';
    return made;
}

std::vector<std::byte> numbered(std::size_t size, std::size_t step) {
    std::vector<std::byte> made(size);
    for (std::size_t i = 0; i < size; ++i) made[i] = static_cast<std::byte>(255 - i * step);
    return made;
}

// RFC 6455, 1.3: what a server answers to a key.
constexpr std::array<char, 28> accept_of(std::string_view key) {
    sha1 hash;
    hash.update(key);
    hash.update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    std::array<char, 28> made{};
    base64_encode(hash.finish(), made.data());
    return made;
}

constexpr auto sample = accept_of("dGhlIHNhbXBsZSBub25jZQ==");
static_assert(std::string_view(sample.data(), sample.size()) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");

static_assert(base64_size(0) == 0 && base64_size(1) == 4 && base64_size(3) == 4);
static_assert(base64_size(16) == 24);

} // namespace

TEST_CASE("the handshake's digests are encoded as the RFC and real peers encode them",
          "[base64][sha1][6455:1.3][C52]") {
    const auto answer = [](std::string_view key) {
        const auto made = accept_of(key);
        return std::string(made.data(), made.size());
    };
    CHECK(answer("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    CHECK(answer("zigDl7tK3w+TZ4Tbo1PsrA==") == "Gt6vEo8L5pzXgPWBvuIRh5wv5hM=");
    CHECK(answer("mWVGwS9Z6VXWMAsDXSGH7g==") != "+Uy0ajDrCqbMUyxNnCxY0J3vlvM=");
}

TEST_CASE("the vectors of RFC 4648 hold in both directions", "[base64][4648:10]") {
    const auto [plain, text] = GENERATE(table<std::string, std::string>({
        {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}}));
    CHECK(encoded(as_bytes(plain)) == text);
    CHECK(decoded(text) == text_bytes(plain));
}

TEST_CASE("every length up to 300 is encoded as by the reference and comes back",
          "[base64][4648:4]") {
    for (const std::size_t step : {0u, 1u, 85u, 173u})
        for (std::size_t size = 0; size <= 300; ++size) {
            const auto plain = numbered(size, step);
            const std::string text = encoded(plain);
            REQUIRE(text == encoded_slowly(plain));
            REQUIRE(decoded(text) == plain);
        }
}

TEST_CASE("each byte and each pair of bytes has exactly one form", "[base64][4648:3.5][C45]") {
    std::size_t singles = 0, pairs = 0;
    for (const char a : alphabet)
        for (const char b : alphabet) {
            const std::string text{a, b, '=', '='};
            if (const auto plain = decoded(text)) {
                ++singles;
                REQUIRE(plain->size() == 1);
                REQUIRE(encoded(*plain) == text);
            }
            for (const char c : alphabet) {
                const std::string longer{a, b, c, '='};
                const auto plain = decoded(longer);
                if (!plain) continue;
                ++pairs;
                if (plain->size() != 2 || encoded(*plain) != longer) FAIL(longer);
            }
        }
    CHECK(singles == 256);
    CHECK(pairs == 65536);
}

TEST_CASE("a character that is not of the alphabet is refused, wherever it stands",
          "[base64][4648:3.3][C45]") {
    for (unsigned value = 0; value < 256; ++value) {
        const char c = static_cast<char>(value);
        const bool known = alphabet.find(c) != std::string_view::npos;
        for (std::size_t at = 0; at < 8; ++at) {
            std::string text = "AAAAAAAA";
            text[at] = c;
            const bool pads = c == '=' && at == 7;
            INFO("byte " << value << " at " << at);
            REQUIRE(decoded(text).has_value() == (known || pads));
        }
    }
}

TEST_CASE("what is not in the canonical form is refused", "[base64][4648:3.2][4648:3.5][C45]") {
    const std::string text = GENERATE(
        as<std::string>(),
        "A", "AA", "AAA", "AAAAA",                            // no padding
        "=", "==", "===", "====", "A===", "AAAA====",         // nothing else, or too much of it
        "AA==AAAA", "AA=A", "=AAA", "A=A=", "AA= =",          // padding inside
        "AB==", "AAB=",                                       // spare bits that are not zero
        "AAAA ", " AAAA", "AAAA\r\n", "AA\nAA", "AAAA    ",   // white space
        "AA-_", "-_-_");                                      // the alphabet for URLs
    CHECK_FALSE(decoded(text));
}

TEST_CASE("of sixteen bytes the last character is A, Q, g or w", "[base64][6455:4.2.1][C45]") {
    std::string accepted;
    for (const char last : alphabet) {
        std::array<std::byte, 16> nonce{};
        const std::string text = "dGhlIHNhbXBsZSBub25jZ" + std::string{last} + "==";
        const std::size_t size = base64_decode(text, nonce);
        if (size == 16) accepted += last;
        else CHECK(size == base64_invalid);
    }
    CHECK(accepted == "AQgw");
}

TEST_CASE("a key of fifteen or seventeen bytes does not pass for one of sixteen",
          "[base64][6455:4.2.1][C45]") {
    const std::size_t size = GENERATE(0u, 1u, 15u, 16u, 17u, 18u, 32u);
    std::array<std::byte, 16> nonce{};
    CHECK((base64_decode(encoded(numbered(size, 3)), nonce) == 16) == (size == 16));
}

TEST_CASE("decoding writes no byte more than the text stands for, and none outside of its room",
          "[base64]") {
    const auto plain = numbered(10, 7);
    const std::string text = encoded(plain);
    for (const std::size_t room : {9u, 10u, 11u}) {
        std::vector<std::byte> to(16, std::byte{0xa5});
        const std::size_t written = base64_decode(text, byte_span(to).first(room));
        CHECK(written == (room < 10 ? base64_invalid : 10));
        for (std::size_t i = 10; i < to.size(); ++i) CHECK(to[i] == std::byte{0xa5});
        if (room == 9) CHECK(to[9] == std::byte{0xa5});
    }
}

TEST_CASE("decoding while compiling works", "[base64]") {
    constexpr auto nonce = [] {
        std::array<std::byte, 16> made{};
        return std::pair(base64_decode("dGhlIHNhbXBsZSBub25jZQ==", made), made);
    }();
    CHECK(nonce.first == 16);
    CHECK(bytes(const_byte_span(nonce.second)) == text_bytes("the sample nonce"));
}
