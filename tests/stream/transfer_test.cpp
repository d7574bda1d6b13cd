#include <navette/stream/transfer.hpp>

#include "support/bytes.hpp"
#include "support/failing_stream.hpp"
#include "support/memory_stream.hpp"
#include "support/scripted_stream.hpp"

using namespace navette;

namespace {

struct stream_with_script {
    std::shared_ptr<script> peer = std::make_shared<script>();
    scripted_stream         stream{peer};
};

} // namespace

TEST_CASE("read_until stops a peer that sends a byte whenever it is asked", "[transfer][S32]") {
    stream_with_script t;
    t.peer->endless       = [] { return text_bytes("x"); };
    t.peer->endless_every = milliseconds(100);
    const instant start = t.peer->clock;
    std::byte     b{};
    std::size_t   n = 0;
    std::error_code error;
    while (n < 1'000) {
        const auto got = read_until(t.stream, {&b, 1}, start + seconds(1));
        if (!got) {
            error = got.error();
            break;
        }
        ++n;
    }
    CHECK(error == std::errc::timed_out);
    CHECK(n == 10);
    CHECK(t.peer->clock == start + seconds(1));
}

TEST_CASE("read_until reads nothing once its time has passed, although bytes are there", "[transfer][S32]") {
    stream_with_script t;
    t.peer->say(text_bytes("x"));
    std::byte b{};
    CHECK(read_until(t.stream, {&b, 1}, t.peer->clock).error() == std::errc::timed_out);
    CHECK(t.peer->reads == 0);
    CHECK(*read_until(t.stream, {&b, 1}, t.peer->clock + milliseconds(1)) == 1);
}

TEST_CASE("write_all sends both parts, whatever one call takes", "[transfer]") {
    for (const std::size_t most : {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{100}}) {
        stream_with_script t;
        auto plan = std::make_shared<failing_plan>();
        plan->most = most;
        failing_stream stream(std::move(t.stream), plan);
        CHECK_FALSE(write_all(stream, as_bytes("hello, "), as_bytes("world"), seconds(1)));
        CHECK(t.peer->text() == "hello, world");
    }
}

TEST_CASE("write_all gathers both parts into one call", "[transfer]") {
    auto       peer = std::make_shared<script>();
    any_stream stream{scripted_stream(peer)};
    CHECK_FALSE(write_all(stream, {}, as_bytes("world"), seconds(1)));
    CHECK(peer->text() == "world");
}

TEST_CASE("write_all ends a peer that takes nothing for the stall's length", "[transfer][C162]") {
    stream_with_script t;
    t.peer->takes       = 3;
    const instant start = t.peer->clock;
    CHECK(write_all(t.stream, as_bytes("hello"), {}, seconds(30)) == errc::write_timeout);
    CHECK(t.peer->clock == start + seconds(30));
    CHECK(t.peer->text() == "hel");
}

TEST_CASE("write_all ends at its deadline, even while bytes are taken", "[transfer]") {
    stream_with_script t;
    t.peer->on_write = [](script& s) { s.clock = s.clock + seconds(1); };
    auto plan = std::make_shared<failing_plan>();
    plan->most = 1;
    failing_stream stream(std::move(t.stream), plan);
    const instant  start = t.peer->clock;
    CHECK(write_all(stream, as_bytes("hello"), {}, seconds(30), start + seconds(3)) == errc::write_timeout);
    CHECK(t.peer->text() == "hel");
}

TEST_CASE("discard_until_end returns at the end, an error, or the deadline", "[transfer][S33]") {
    std::array<std::byte, 16> scratch;
    SECTION("the end") {
        stream_with_script t;
        t.peer->say(text_bytes("unwanted"));
        t.peer->end(seconds(1));
        const instant start = t.peer->clock;
        discard_until_end(t.stream, scratch, start + seconds(5));
        CHECK(t.peer->clock == start + seconds(1));
    }
    SECTION("silence") {
        stream_with_script t;
        const instant start = t.peer->clock;
        discard_until_end(t.stream, scratch, start + seconds(5));
        CHECK(t.peer->clock == start + seconds(5));
    }
    SECTION("data for ever") {
        stream_with_script t;
        t.peer->endless       = [] { return text_bytes("more"); };
        t.peer->endless_every = milliseconds(1);
        const instant start = t.peer->clock;
        discard_until_end(t.stream, scratch, start + seconds(5));
        CHECK(t.peer->clock == start + seconds(5));
    }
}

TEST_CASE("a stream without a clock stands still at zero", "[transfer]") {
    auto [a, b] = memory_stream::make_pair();
    CHECK(now_of(a) == instant{});
    CHECK_FALSE(write_all(a, as_bytes("x"), {}, seconds(1), instant::never()));
}
