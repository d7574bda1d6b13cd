#include <navette/base/timeouts.hpp>

#include "support/catch.hpp"

#include <chrono>

using namespace navette;

TEST_CASE("every deadline has its default", "[timeouts][6455:7.1.1]") {
    const timeouts t;
    CHECK(t.connect == std::chrono::seconds(10));
    CHECK(t.handshake == std::chrono::seconds(10));
    CHECK(t.idle == std::chrono::seconds(0));
    CHECK(t.ping_every == std::chrono::seconds(20));
    CHECK(t.pong_within == std::chrono::seconds(20));
    CHECK(t.close_within == std::chrono::seconds(5));
    CHECK(t.write_stall == std::chrono::seconds(30));
}

TEST_CASE("a program names the deadlines that it changes, in any unit", "[timeouts]") {
    const timeouts t{.idle = std::chrono::minutes(1), .close_within = std::chrono::milliseconds(250)};
    CHECK(t.idle.nanoseconds == 60'000'000'000);
    CHECK(t.close_within.nanoseconds == 250'000'000);
    CHECK(t.connect == seconds(10));
}

TEST_CASE("a deadline is so long from now", "[timeouts]") {
    CHECK(deadline(instant(5), seconds(1)) == instant(1'000'000'005));
    CHECK(deadline(instant(5), navette::duration(1)) == instant(6));
}

TEST_CASE("a deadline of zero never comes", "[timeouts]") {
    CHECK(deadline(instant(5), navette::duration{}) == instant::never());
    CHECK(deadline(instant(5), timeouts{}.idle) == instant::never());
}

TEST_CASE("a deadline beyond the end of time never comes", "[timeouts]") {
    CHECK(deadline(instant(5), seconds(1LL << 60)) == instant::never());
}
