#include <navette/protocol/reconnect_delay.hpp>

#include "support/bytes.hpp"

#include <set>

using namespace navette;

namespace {

// A source that draws what it is told to, and counts.
struct told {
    std::byte value{};
    bool      fails = false;
    int       draws = 0;

    static bool fill(void* self, byte_span out) noexcept {
        auto& source = *static_cast<told*>(self);
        ++source.draws;
        for (std::byte& b : out) b = source.value;
        return !source.fails;
    }
    entropy source() noexcept { return {&fill, this}; }
};

constexpr connection_loss cut{};
constexpr instant         start(1'000'000'000'000);

constexpr reconnect_policy doubling{.first = seconds(1), .factor = 2, .most = seconds(10), .held = seconds(30)};

} // namespace

TEST_CASE("pauses grow by the factor up to the longest, drawn between half and all of it", "[reconnect_delay][6455:7.2.3][C8][client]") {
    told            lowest{std::byte{0}}, highest{std::byte{0xff}};
    reconnect_delay low(doubling, lowest.source()), high(doubling, highest.source());
    for (const std::int64_t most : {1000, 2000, 4000, 8000, 10'000, 10'000}) {
        CHECK(*low.lost(cut, start) == milliseconds(most / 2));
        CHECK(*high.lost(cut, start) == milliseconds(most));
    }
}

TEST_CASE("pauses are drawn from the system's entropy, and differ", "[reconnect_delay][6455:7.2.3][C8][client]") {
    std::set<std::int64_t> seen;
    for (int i = 0; i < 20; ++i) {
        reconnect_delay pauses(doubling);
        const auto      pause = *pauses.lost(cut, start);
        CHECK(pause >= milliseconds(500));
        CHECK(pause <= seconds(1));
        seen.insert(pause.nanoseconds);
    }
    CHECK(seen.size() > 10);
}

TEST_CASE("without entropy a pause is the longest of its turn", "[reconnect_delay][C8][client]") {
    told            none{.fails = true};
    reconnect_delay pauses(doubling, none.source());
    CHECK(*pauses.lost(cut, start) == seconds(1));
    CHECK(none.draws == 1);
}

TEST_CASE("a connection that held makes the next pause a first one, a shorter one does not", "[reconnect_delay][C8][client]") {
    told            highest{std::byte{0xff}};
    reconnect_delay pauses(doubling, highest.source());
    CHECK(*pauses.lost(cut, start) == seconds(1));
    CHECK(*pauses.lost(cut, start) == seconds(2));
    pauses.opened(start);
    CHECK(*pauses.lost(cut, start + (seconds(30) - duration(1))) == seconds(4));
    pauses.opened(start);
    CHECK(*pauses.lost(cut, start + seconds(30)) == seconds(1));
    CHECK(*pauses.lost(cut, start + seconds(100)) == seconds(2));   // it was not open again
}

TEST_CASE("it gives up after so many attempts in a row", "[reconnect_delay][C8][client]") {
    reconnect_policy twice = doubling;
    twice.attempts         = 2;
    reconnect_delay pauses(twice);
    CHECK(pauses.lost(cut, start));
    CHECK(pauses.lost(cut, start));
    CHECK_FALSE(pauses.lost(cut, start));
    pauses.opened(start);
    CHECK(pauses.lost(cut, start + seconds(30)));
    twice.attempts = 0;
    CHECK_FALSE(reconnect_delay(twice).lost(cut, start));
}

TEST_CASE("which ends are worth another attempt", "[reconnect_delay][6455:7.2.3][C8][client]") {
    for (unsigned code = 1000; code <= 1015; ++code) {
        CAPTURE(code);
        const bool worth = code == 1001 || code == 1006 || code == 1011 || code == 1012 || code == 1013 || code == 1014;
        CHECK(may_reconnect({.code = static_cast<close_code>(code)}) == worth);
        CHECK(reconnect_delay(doubling).lost({.code = static_cast<close_code>(code)}, start).has_value() == worth);
    }
    for (const unsigned code : {3000u, 3999u, 4000u, 4999u}) CHECK_FALSE(may_reconnect({.code = static_cast<close_code>(code)}));
    for (const unsigned status : {408u, 425u, 429u, 500u, 502u, 503u, 504u}) CHECK(may_reconnect({.status = status}));
    for (const unsigned status : {200u, 301u, 400u, 401u, 403u, 404u, 407u, 410u, 426u, 501u, 505u})
        CHECK_FALSE(may_reconnect({.status = status}));
}

TEST_CASE("1012 asks for 5 to 30 seconds", "[reconnect_delay][C8][client]") {
    constexpr connection_loss restart{.code = close_code::service_restart};
    told lowest{std::byte{0}}, highest{std::byte{0xff}};
    CHECK(*reconnect_delay(doubling, lowest.source()).lost(restart, start) == seconds(5));
    CHECK(*reconnect_delay(doubling, highest.source()).lost(restart, start) == seconds(30));
    constexpr reconnect_policy slow{.first = seconds(100), .most = seconds(100)};
    CHECK(*reconnect_delay(slow, highest.source()).lost(restart, start) == seconds(100));
}

TEST_CASE("1013, 503 and 429 without a time ask for the longest pause", "[reconnect_delay][C8][client]") {
    told lowest{std::byte{0}};
    for (const connection_loss& loss : {connection_loss{.code = close_code::try_again_later}, connection_loss{.status = 503},
                                        connection_loss{.status = 429}})
        CHECK(*reconnect_delay(doubling, lowest.source()).lost(loss, start) == seconds(5));
    CHECK(*reconnect_delay(doubling, lowest.source()).lost({.status = 502}, start) == milliseconds(500));
}

TEST_CASE("a Retry-After is waited out, up to its bound, and a little more at random", "[reconnect_delay][9110:10.2.3][C8][client]") {
    told       lowest{std::byte{0}}, highest{std::byte{0xff}};
    const auto after = [](told& drawn, duration asked) {
        return *reconnect_delay(doubling, drawn.source()).lost({.status = 503, .retry_after = asked}, start);
    };
    CHECK(after(lowest, seconds(20)) == seconds(20));
    CHECK(after(highest, seconds(20)) == seconds(21));
    CHECK(after(lowest, seconds(3600)) == seconds(3600));
    CHECK(after(lowest, seconds(3601)) == seconds(3600));
    CHECK(after(lowest, seconds(0)) == seconds(0));
    CHECK(after(lowest, seconds(-5)) == seconds(0));
}

TEST_CASE("policies that make no sense do no harm", "[reconnect_delay][C8][client]") {
    told       highest{std::byte{0xff}};
    const auto third = [&](reconnect_policy policy) {
        reconnect_delay pauses(policy, highest.source());
        static_cast<void>(pauses.lost(cut, start));
        static_cast<void>(pauses.lost(cut, start));
        return *pauses.lost(cut, start);
    };
    CHECK(third({.first = seconds(1), .factor = 0.1}) == seconds(1));
    CHECK(third({.first = seconds(1), .factor = -1}) == seconds(1));
    CHECK(third({.first = duration{}}) == duration{});
    CHECK(third({.first = seconds(100), .most = seconds(10)}) == seconds(10));
    CHECK(third({.first = seconds(1), .factor = 1e300, .most = duration(INT64_MAX)}) == duration(INT64_MAX));
    reconnect_delay pauses({.first = duration{}}, highest.source());
    for (int i = 0; i < 100; ++i) CHECK(*pauses.lost(cut, start) == duration{});
}
