#include <navette/handshake/accept_key.hpp>

#include "support/bytes.hpp"

#include <string>

using namespace navette;

namespace {

std::string accept(std::string_view key) {
    const auto text = accept_key(key);
    return {text.data(), text.size()};
}

// While compiling, too.
static_assert([] {
    const auto text = accept_key("dGhlIHNhbXBsZSBub25jZQ==");
    return std::string_view(text.data(), text.size()) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
}());

} // namespace

TEST_CASE("a key is answered as RFC 6455 shows", "[accept_key][6455:1.3][6455:4.2.2][C52]") {
    CHECK(accept("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    CHECK(accept("zigDl7tK3w+TZ4Tbo1PsrA==") == "Gt6vEo8L5pzXgPWBvuIRh5wv5hM=");
    CHECK(accept("mWVGwS9Z6VXWMAsDXSGH7g==") != "+Uy0ajDrCqbMUyxNnCxY0J3vlvM=");
}

TEST_CASE("a key is the canonical base64 form of 16 bytes", "[accept_key][6455:4.2.1][C45][S60]") {
    for (const char* key : {"dGhlIHNhbXBsZSBub25jZQ==", "AAAAAAAAAAAAAAAAAAAAAA==",
                            "/////////////////////w==", "+++++++++++++++++++++g=="}) {
        CAPTURE(key);
        CHECK(is_valid_key(key));
    }
    for (const char* key :
         {"", "=", "==", "dGhlIHNhbXBsZSBub25jZQ",
          "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ===", "dGhlIHNhbXBsZSBub25j",
          "dGhlIHNhbXBsZSBub25jZQA=", "dGhlIHNhbXBsZSBub25jZQAA",
          "dGhlIHNhbXBsZSBub25jZQAAAA==", "dGhlIHNhbXBsZSBub25jZR==", "dGhlIHNhbXBsZSBub25j=Q==",
          " GhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ= ", "dGhlIHNhbXBsZSBub25j-Q==",
          "dGhlIHNhbXBsZSBub25j_Q==", "not base64, 24 bytes ==="}) {
        CAPTURE(key);
        CHECK_FALSE(is_valid_key(key));
    }
}

TEST_CASE("only A, Q, g and w can end a key", "[accept_key][C45][S60]") {
    std::string key = "dGhlIHNhbXBsZSBub25jZ?==";
    std::string allowed;
    for (unsigned c = 0; c < 256; ++c) {
        key[21] = static_cast<char>(c);
        if (is_valid_key(key)) allowed += key[21];
    }
    CHECK(allowed == "AQgw");
}

TEST_CASE("a key may have any character of base64 in front and no other", "[accept_key][S60]") {
    for (const std::size_t at : {0u, 10u, 20u}) {
        std::string key     = "dGhlIHNhbXBsZSBub25jZQ==";
        std::size_t allowed = 0;
        for (unsigned c = 0; c < 256; ++c) {
            key[at] = static_cast<char>(c);
            allowed += is_valid_key(key) ? 1u : 0u;
        }
        CHECK(allowed == 64);
    }
}
