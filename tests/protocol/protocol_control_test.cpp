#include <navette/protocol/protocol.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/endpoint.hpp"

#include <array>

using namespace navette;

TEMPLATE_TEST_CASE("a ping is answered by a pong with its data", "[protocol][6455:5.5.2][C84][C95]",
                   client_protocol, server_protocol) {
    endpoint<TestType> us;
    CHECK(us.hears("89 05 48656c6c6f") == "ping Hello");
    CHECK(us.says() == bytes("8A 05 48656c6c6f"));
    CHECK(us.hears("89 00") == "ping");
    CHECK(us.says() == bytes("8A 00"));
}

TEMPLATE_TEST_CASE("a control frame has at most 125 bytes", "[protocol][6455:5.5][C94]",
                   client_protocol, server_protocol) {
    const byte_vector longest(125, std::byte{0x61});
    endpoint<TestType> us;
    CHECK(us.hears(frame(0x89, longest)) == "ping " + std::string(125, 'a'));
    CHECK(us.says() == frame(0x8a, longest));
    CHECK(us.hears(frame(0x8a, longest)) == "pong " + std::string(125, 'a'));
    for (const unsigned first : {0x88u, 0x89u, 0x8au})
        for (const std::size_t size : {126u, 127u, 65'536u}) {
            CAPTURE(first, size);
            endpoint<TestType> beyond;
            CHECK(beyond.hears(frame(first, byte_vector(size))) == "failed control_too_long 1002");
            CHECK(beyond.says() == bytes("88 02 03EA"));
        }
}

TEMPLATE_TEST_CASE("a ping or pong of more than 125 bytes is not sent", "[protocol][6455:5.5][C94]",
                   client_protocol, server_protocol) {
    endpoint<TestType> us;
    CHECK(us.ws.ping(byte_vector(126), us.out) == errc::payload_too_long);
    CHECK(us.ws.pong(byte_vector(126), us.out) == errc::payload_too_long);
    CHECK(us.out.empty());
    CHECK(us.ws.ping(byte_vector(125), us.out) == errc{});
    CHECK(us.ws.pong(byte_vector(125), us.out) == errc{});
    CHECK(us.says() == concat(frame(0x89, byte_vector(125)), frame(0x8a, byte_vector(125))));
}

TEMPLATE_TEST_CASE("ten pings want ten pongs, in order", "[protocol][6455:5.5.2][C95][C96]",
                   client_protocol, server_protocol) {
    endpoint<TestType> us;
    byte_vector        pings, pongs;
    for (char c = '0'; c <= '9'; ++c) {
        pings = concat(pings, frame(0x89, std::string_view(&c, 1)));
        pongs = concat(pongs, frame(0x8a, std::string_view(&c, 1)));
    }
    CHECK(
        us.hears(pings) ==
        "ping 0 | ping 1 | ping 2 | ping 3 | ping 4 | ping 5 | ping 6 | ping 7 | ping 8 | ping 9");
    CHECK(us.says() == pongs);
}

TEMPLATE_TEST_CASE("a pong that nobody asked for is ignored, and so is a storm of them",
                   "[protocol][6455:5.5.3][C97][S22]", client_protocol, server_protocol) {
    endpoint<TestType> us;
    REQUIRE(us.ws.ping(text_bytes("1"), us.out) == errc{});
    us.says();
    for (int i = 0; i < 1'000; ++i) REQUIRE(us.hears("8A 01 31  8A 00") == "pong 1 | pong");
    CHECK(us.out.empty());
    CHECK(us.hears("81 01 61") == "text a");
}

TEMPLATE_TEST_CASE("pings are still answered after our own Close",
                   "[protocol][6455:5.5.2][C99][C116]", client_protocol, server_protocol) {
    endpoint<TestType> us;
    REQUIRE(us.ws.close(close_code::normal, {}, us.out) == errc{});
    us.says();
    CHECK(us.hears("89 01 61") == "ping a");
    CHECK(us.says() == bytes("8A 01 61"));
    CHECK(us.ws.pong({}, us.out) == errc{});
    CHECK(us.says() == bytes("8A 00"));
}

TEMPLATE_TEST_CASE("no pong follows the peer's Close or a failure",
                   "[protocol][6455:5.5.2][C95][C99]", client_protocol, server_protocol) {
    endpoint<TestType> closed;
    CHECK(closed.hears("88 00  89 01 61") == "close 1005");
    CHECK(closed.says() == bytes("88 00"));
    CHECK(closed.ws.pong({}, closed.out) == errc::not_open);
    endpoint<TestType> failed;
    CHECK(failed.hears("83 00  89 01 61") == "failed reserved_opcode 1002");
    CHECK(failed.says() == bytes("88 02 03EA"));
    CHECK(failed.ws.pong({}, failed.out) == errc::not_open);
    CHECK((closed.out.empty() && failed.out.empty()));
}

TEMPLATE_TEST_CASE("automatic pongs can be turned off and on", "[protocol][6455:5.5.2]",
                   client_protocol, server_protocol) {
    endpoint<TestType> us;
    us.ws.answer_pings(false);
    CHECK(us.hears("89 01 61") == "ping a");
    CHECK(us.out.empty());
    us.ws.answer_pings(true);
    CHECK(us.hears("89 01 62") == "ping b");
    CHECK(us.says() == bytes("8A 01 62"));
}

TEMPLATE_TEST_CASE("a control frame that comes in pieces is whole in its event",
                   "[protocol][6455:5.5][C81][C88]", client_protocol, server_protocol) {
    const auto  wire = from_peer<TestType>(frame(0x89, "in pieces"));
    for (std::size_t step = 1; step <= wire.size(); ++step) {
        endpoint<TestType> us;
        std::string        heard;
        for (std::size_t at = 0; at < wire.size(); at += step) {
            const auto piece = const_byte_span(wire).subspan(at, std::min(step, wire.size() - at));
            heard += us.hears_raw(bytes(piece));
        }
        CHECK(heard == "ping in pieces");
        CHECK(us.says() == frame(0x8a, "in pieces"));
    }
}

TEMPLATE_TEST_CASE("a ping's payload survives send, ping and close", "[protocol]", client_protocol,
                   server_protocol) {
    auto      wire = from_peer<TestType>(frame(0x89, "still here"));
    TestType  ws;
    buffer    out;
    byte_span begun = byte_span(wire).first(8), rest = byte_span(wire).subspan(8);
    REQUIRE_FALSE(ws.receive(begun, out));
    const event ping = ws.receive(rest, out);
    REQUIRE(ws.send(opcode::text, ping.payload, fin::yes, out) == errc{});
    REQUIRE(ws.ping(ping.payload, out) == errc{});
    REQUIRE(ws.close(close_code::normal, ping.text(), out) == errc{});
    CHECK(ping.text() == "still here");
}

TEMPLATE_TEST_CASE("a million pings that nobody reads the pongs of cost max_pongs and one pong",
                   "[protocol][6455:5.5.3][C96][C157][C159][C161][S21][S29]", client_protocol,
                   server_protocol) {
    constexpr std::size_t longest_pong = TestType::reply_room;
    byte_vector           batch;
    for (std::size_t i = 0; i < 1'000; ++i)
        batch = concat(batch, frame(0x89, byte_vector(i % 126, std::byte{0x61})));
    batch = from_peer<TestType>(batch);

    counted_entropy keys;
    TestType        ws({}, default_limits, keys.source());
    buffer          out;
    std::size_t     largest = 0, capacity = 0, pings = 0;
    byte_vector     copy = batch;
    for (int round = 0; round < 1'000; ++round) {
        copy = batch;
        byte_span in{copy};
        while (const event e = ws.receive(in, out)) {
            pings += e.type == event_type::ping ? 1 : 0;
            largest = std::max(largest, out.size());
        }
        if (round == 10) capacity = out.capacity();
    }
    CHECK(pings == 1'000'000);
    CHECK(largest > default_limits.max_pongs);
    CHECK(largest <= default_limits.max_pongs + longest_pong);
    CHECK(out.capacity() == capacity);
    const auto said = frames_of(out.data());   // whole frames: what was replaced was a whole pong
    CHECK(said.back().payload == byte_vector(999 % 126, std::byte{0x61}));
}

TEMPLATE_TEST_CASE("pongs beyond the bound replace only an unsent pong at the end of the output",
                   "[protocol][6455:5.5.3][C96]", client_protocol, server_protocol) {
    limits bounds;
    bounds.max_pongs = 10;
    endpoint<TestType> us({}, bounds);
    REQUIRE(us.ws.send(opcode::text, "0123456789", fin::yes, us.out) == errc{});
    us.hears("89 01 61");
    us.hears("89 01 62");
    REQUIRE(us.ws.send(opcode::text, "x", fin::yes, us.out) == errc{});
    us.hears("89 01 63");
    us.hears("89 01 64");
    CHECK(us.says() ==
          concat(frame(0x81, "0123456789"), frame(0x8a, "b"), frame(0x81, "x"), frame(0x8a, "d")));
}

TEMPLATE_TEST_CASE("a pong that has begun to leave is not replaced", "[protocol][6455:5.5.3][C96]",
                   client_protocol, server_protocol) {
    limits bounds;
    bounds.max_pongs = 0;
    endpoint<TestType> us({}, bounds);
    us.hears("89 03 616161");
    const std::byte first = us.out.data()[0];
    us.out.consume(1);
    us.hears("89 01 62");
    CHECK(us.out.pong_size() == (role_of<TestType> == role::client ? 7 : 3));
    CHECK(frames_of(concat(byte_vector{first}, us.out.data())).size() == 2);
}

TEMPLATE_TEST_CASE("the bound of the pongs holds to the byte", "[protocol][C96][C159][S65]",
                   client_protocol, server_protocol) {
    const std::size_t pong = role_of<TestType> == role::client ? 7 : 3;
    for (const std::size_t most : {pong - 1, pong, pong + 1}) {
        limits bounds;
        bounds.max_pongs = most;
        endpoint<TestType> us({}, bounds);
        us.hears("89 01 61");
        us.hears("89 01 62");
        CHECK(us.said_frames().size() == (most < pong ? 1 : 2));
    }
}
