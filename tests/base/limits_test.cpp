#include <navette/base/limits.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <limits>
#include <type_traits>

using namespace navette;

TEST_CASE("a message has at most 16 MiB by default", "[limits][6455:10.4][S16]") {
    CHECK(default_limits.max_message_size == 16'777'216);
}

TEST_CASE("a message has at most 131,072 fragments by default, more than the 65,536 of the conformance suite",
          "[limits][6455:10.4][S16]") {
    CHECK(default_limits.max_fragments == 131'072);
}

TEST_CASE("pongs may pile up to 64 KiB by default", "[limits][6455:5.5.3][S16]") {
    CHECK(default_limits.max_pongs == 65'536);
}

TEST_CASE("16 MiB of output may wait by default", "[limits][S16]") { CHECK(default_limits.max_output == 16'777'216); }

TEST_CASE("a head has by default lines of 8,192 bytes, 128 fields, 64 KiB in all", "[limits][S16]") {
    CHECK(default_limits.max_handshake_line == 8'192);
    CHECK(default_limits.max_handshake_fields == 128);
    CHECK(default_limits.max_handshake_size == 65'536);
}

TEST_CASE("a client skips 8 interim responses and keeps 8 KiB of a refusal by default", "[limits][client][S16]") {
    CHECK(default_limits.max_interim_responses == 8);
    CHECK(default_limits.max_error_body == 8'192);
}

TEST_CASE("limits made by a program begin as the defaults", "[limits][S16]") {
    const limits own{.max_message_size = 1};
    CHECK(own.max_message_size == 1);
    CHECK(own.max_fragments == default_limits.max_fragments);
    CHECK(own.max_output == default_limits.max_output);
    CHECK(own.max_error_body == default_limits.max_error_body);
}

TEST_CASE("the size of a message is 64 bits wide on every machine", "[limits][S65]") {
    STATIC_REQUIRE(std::is_same_v<decltype(limits::max_message_size), std::uint64_t>);
    const limits most{.max_message_size = std::numeric_limits<std::uint64_t>::max()};
    CHECK(most.max_message_size == 0xffff'ffff'ffff'ffffu);
}
