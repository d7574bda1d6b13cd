#include <navette/stream/async_connection_state.hpp>

#include "support/async_pair.hpp"
#include "support/toy_extension.hpp"

using namespace navette;

namespace {

using server = async_pair<role::server>;
using client = async_pair<role::client>;

timeouts none() {
    timeouts t;
    t.idle = t.ping_every = t.pong_within = t.close_within = t.write_stall = duration{};
    return t;
}
timeouts pinging() {
    timeouts t    = none();
    t.ping_every  = seconds(20);
    t.pong_within = seconds(10);
    t.close_within = seconds(5);
    return t;
}

} // namespace

TEMPLATE_TEST_CASE("a silent peer is pinged while a read is pending, and lost without a pong", "[async][6455:5.5.2]", server, client) {
    TestType pair(pinging());
    begun    read(pair.ws->read());
    pair.loop.advance(seconds(19));
    CHECK(pair.hears().empty());
    pair.loop.advance(seconds(1));
    CHECK(pair.hears() == bytes("89 04 01000000"));
    pair.loop.advance(seconds(10));
    CHECK(pair.hears() == bytes("88 02 03F3"));   // 1011
    CHECK_FALSE(read.is_done());
    pair.loop.advance(seconds(5));                // nobody ends the transport
    CHECK(read.result().error() == errc::pong_timeout);
    CHECK(pair.loop.running() == 0);
}

TEMPLATE_TEST_CASE("a pong keeps the connection, and its time is taken", "[async][6455:5.5.3]", server, client) {
    TestType pair(pinging());
    begun    read(pair.ws->read());
    CHECK(pair.ws->round_trip() < duration{});
    pair.loop.advance(seconds(20));
    pair.loop.advance(milliseconds(30));
    pair.says("8a 04 01000000");
    pair.loop.advance(seconds(19));
    CHECK(pair.ws->round_trip() == milliseconds(30));
    CHECK_FALSE(read.is_done());
    CHECK(pair.hears() == bytes("89 04 01000000"));
}

TEMPLATE_TEST_CASE("a silent peer is pinged and lost though nobody reads", "[async]", server, client) {
    TestType pair(pinging());
    pair.loop.advance(seconds(50));   // at 20 s a look ahead begins, at 40 s the ping leaves
    CHECK(pair.hears() == concat(bytes("89 04 01000000"), bytes("88 02 03F3")));
    pair.loop.advance(seconds(5));
    CHECK(pair.loop.wait_for(pair.ws->read()).error() == errc::pong_timeout);
    CHECK(pair.loop.running() == 0);
}

TEMPLATE_TEST_CASE("a peer that speaks is not lost for that nobody reads, and what it said is read later", "[async]", server, client) {
    TestType pair(pinging());
    begun    first(pair.ws->read());
    pair.says("81 01 61");
    const auto held = first.result();
    pair.says("81 01 62");
    pair.loop.advance(seconds(200));
    pair.says("81 01 63 8a 00");
    pair.loop.advance(seconds(200));
    CHECK(pair.hears().empty());
    CHECK(told(held) == "text a");                // a look does not write where a message is viewed
    CHECK(told(pair.loop.wait_for(pair.ws->read())) == "text b");
    CHECK(told(pair.loop.wait_for(pair.ws->read())) == "text c");
    begun last(pair.ws->read());
    pair.loop.advance(seconds(20));
    CHECK(pair.hears() == bytes("89 04 01000000"));
}

TEMPLATE_TEST_CASE("a read that begins during a look gets what the look finds", "[async]", server, client) {
    TestType pair(pinging());
    pair.loop.advance(seconds(30));
    begun read(pair.ws->read());
    CHECK(pair.loop.wait_for(pair.ws->read()).error() == errc::misuse);
    pair.says("81 01 61");
    CHECK(told(read.result()) == "text a");
    CHECK_FALSE(pair.peer.plan->misused);
}

TEMPLATE_TEST_CASE("a look notices the end of a transport on which nobody reads", "[async]", server, client) {
    TestType pair(pinging());
    pair.loop.advance(seconds(30));
    pair.peer.end();
    CHECK(pair.loop.running() == 0);
    CHECK(pair.loop.wait_for(pair.ws->read()).error() == errc::truncated);
}

TEMPLATE_TEST_CASE("an idle connection fails, whether somebody reads or not", "[async]", server, client) {
    timeouts times     = none();
    times.idle         = seconds(60);
    times.close_within = seconds(5);
    SECTION("somebody reads") {
        TestType pair(times);
        begun    read(pair.ws->read());
        pair.loop.advance(seconds(59));
        pair.says("8a 00");
        pair.loop.advance(seconds(59));
        CHECK(pair.hears().empty());
        pair.loop.advance(seconds(1));
        CHECK(pair.hears() == bytes("88 02 03E9"));
        pair.peer.end();
        CHECK(read.result().error() == errc::idle_timeout);
    }
    SECTION("nobody reads") {
        TestType pair(times);
        pair.loop.advance(seconds(119));
        CHECK(pair.hears().empty());
        pair.loop.advance(seconds(1));
        CHECK(pair.hears() == bytes("88 02 03E9"));
        pair.peer.end();
        CHECK(pair.loop.wait_for(pair.ws->read()).error() == errc::idle_timeout);
    }
}

TEMPLATE_TEST_CASE("reads that are cancelled each second do not defer that a peer is lost", "[async]", server, client) {
    TestType pair(pinging());
    for (int second = 0; second < 36; ++second) {
        begun read(pair.ws->read());
        pair.loop.advance(seconds(1));
        pair.cancel_read();
        pair.loop.run();
    }
    CHECK(pair.loop.wait_for(pair.ws->read()).error() == errc::pong_timeout);
}

TEMPLATE_TEST_CASE("a peer that does not answer a Close is left after close_within, with or without a read", "[async][6455:7.1.1]", server, client) {
    timeouts times     = none();
    times.close_within = seconds(5);
    TestType pair(times);
    SECTION("a close") {
        begun closed(pair.ws->close());
        pair.loop.advance(milliseconds(4'999));
        CHECK_FALSE(closed.is_done());
        pair.loop.advance(milliseconds(1));
        CHECK(closed.result() == errc::close_timeout);
    }
    SECTION("a read") {
        begun read(pair.ws->read());
        CHECK_FALSE(pair.ws->start_close());
        pair.loop.advance(seconds(5));
        CHECK(read.result().error() == errc::close_timeout);
    }
    SECTION("nobody") {
        CHECK_FALSE(pair.ws->start_close());
        pair.loop.advance(seconds(5));
        CHECK(pair.ws->start_send("x") == errc::close_timeout);
    }
    CHECK(pair.peer.plan->order.find("close") != std::string::npos);
    CHECK(pair.loop.running() == 0);
}

TEMPLATE_TEST_CASE("a peer that has closed and does not end its transport is left after close_within", "[async][6455:7.1.1]", server, client) {
    timeouts times     = none();
    times.close_within = seconds(5);
    TestType pair(times);
    begun    read(pair.ws->read());
    pair.says("88 02 03E8");
    pair.loop.advance(seconds(5));
    CHECK(read.result().error() == errc::closed);
    CHECK(pair.loop.running() == 0);
}

TEMPLATE_TEST_CASE("a peer that never reads ends by write_stall, counted from the last byte that it took", "[async]", server, client) {
    timeouts times    = none();
    times.write_stall = seconds(30);
    TestType pair(times);
    pair.peer.take_at_most(0);
    pair.loop.advance(seconds(100));   // as long as nothing waits nothing stalls
    begun send(pair.ws->send("abcd"));
    pair.loop.advance(seconds(29));
    pair.peer.take_at_most(1);
    pair.loop.advance(seconds(29));
    CHECK_FALSE(send.is_done());
    pair.loop.advance(seconds(1));
    CHECK(send.result() == errc::write_timeout);
    CHECK(pair.loop.wait_for(pair.ws->read()).error() == errc::write_timeout);
    CHECK(pair.loop.running() == 0);
}

TEMPLATE_TEST_CASE("a Close that cannot leave within close_within is a write_timeout", "[async]", server, client) {
    timeouts times     = none();
    times.close_within = seconds(5);
    TestType pair(times);
    pair.peer.take_at_most(0);
    begun read(pair.ws->read());
    pair.says("88 02 03E8");
    pair.loop.advance(seconds(5));
    CHECK(read.result().error() == errc::write_timeout);
}

TEMPLATE_TEST_CASE("without timeouts nothing is awaited, and the watch ends with the connection", "[async]", server, client) {
    TestType pair(none());
    begun    read(pair.ws->read());
    pair.loop.advance(seconds(100'000));
    CHECK(pair.hears().empty());
    CHECK(pair.loop.running() == 1);
    pair.ws.reset();
    pair.loop.run();
    CHECK(pair.loop.running() == 0);
}

TEMPLATE_TEST_CASE("a connection that fails while a read is pending hands the read's place to the end", "[async]", server, client) {
    TestType pair(pinging());
    begun    read(pair.ws->read());
    pair.loop.advance(seconds(30));
    CHECK(pair.hears() == bytes("89 04 01000000 88 02 03F3"));
    read.destroy();                      // the transport is ended all the same
    pair.says("81 01 61");
    pair.peer.end();
    CHECK(pair.loop.running() == 0);
    CHECK(pair.peer.plan->order == "shutdown close ");
    CHECK_FALSE(pair.peer.plan->misused);
}

TEMPLATE_TEST_CASE("a read that is cancelled while the transport ends is not the end", "[async]", server, client) {
    TestType pair;
    begun    read(pair.ws->read());
    pair.says("88 02 03E8");
    read.destroy();
    begun again(pair.ws->read());
    pair.peer.end();
    CHECK(again.result().error() == errc::closed);
}

TEST_CASE("a codec that fails in the middle of a message to be sent fails the connection", "[async][server]") {
    toy::extension packing({.deflate_fails_at = 3});
    server         pair({}, default_limits, packing.agreed());
    CHECK_FALSE(pair.loop.wait_for(pair.ws->send(opcode::text, as_bytes("ab"), fin::no)));
    CHECK(pair.loop.wait_for(pair.ws->send(opcode::continuation, as_bytes("cd"), fin::yes)) == errc::out_of_memory);
    pair.hears();
    pair.peer.end();
    CHECK(pair.loop.wait_for(pair.ws->read()).error() == errc::out_of_memory);
    CHECK(pair.peer.plan->order == "shutdown close ");
}

TEMPLATE_TEST_CASE("pings that nobody lets through cost a bounded queue", "[async][6455:5.5.3]", server, client) {
    TestType pair;
    pair.peer.take_at_most(0);
    begun             read(pair.ws->read());
    byte_vector       pings;
    const std::string payload(125, 'p');
    for (int i = 0; i < 1'000; ++i) pings = concat(pings, frame(0x89, payload));
    pair.says(pings);
    CHECK(pair.ws->queued() > default_limits.max_pongs);
    CHECK(pair.ws->queued() < 2 * default_limits.max_pongs + 2'000);   // and what is being written already
}
