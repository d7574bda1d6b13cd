#include <navette/protocol/prepared_message.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/endpoint.hpp"
#include "support/toy_extension.hpp"

using namespace navette;

namespace {

byte_vector wire_of(prepared_message& m, server_protocol& ws) {
    const auto wire = m.wire(ws);
    REQUIRE(wire);
    return bytes(*wire);
}

} // namespace

TEST_CASE("a prepared message is the frame that a server would send",
          "[prepared_message][6455:5.2][C73][C76][server]") {
    for (const std::size_t size : {0u, 5u, 125u, 126u, 65'535u, 65'536u}) {
        const std::string         text(size, 'p');
        prepared_message news(opcode::text, as_bytes(text)), blob(opcode::binary, as_bytes(text));
        endpoint<server_protocol> us;
        CHECK(wire_of(news, us.ws) == frame(0x81, text));
        CHECK(wire_of(blob, us.ws) == frame(0x82, text));
    }
}

TEST_CASE("a prepared message holds a copy and serves many connections without another",
          "[prepared_message][server]") {
    server_protocol  one, two;
    auto             text = text_bytes("news");
    prepared_message news(opcode::text, text);
    std::fill(text.begin(), text.end(), std::byte{0xdd});
    const auto first = news.wire(one), second = news.wire(two);
    REQUIRE((first && second));
    CHECK(first->data() == second->data());
    CHECK(bytes(*first) == frame(0x81, "news"));
}

TEST_CASE("what cannot be sent cannot be prepared", "[prepared_message][6455:6.1][C108][server]") {
    server_protocol  ws;
    prepared_message text(opcode::text, bytes("c3")), control(opcode::ping, {}),
        rest(opcode::continuation, {});
    CHECK(text.wire(ws).error() == errc::unsendable_text);
    CHECK(control.wire(ws).error() == errc::misuse);
    CHECK(rest.wire(ws).error() == errc::misuse);
    prepared_message blob(opcode::binary, bytes("c3"));
    CHECK(blob.wire(ws));
}

TEST_CASE("a prepared message waits for the end of a fragmented one, and for an open connection",
          "[prepared_message][6455:5.4][C90][C115][C127][server]") {
    endpoint<server_protocol> us;
    prepared_message          news(opcode::text, text_bytes("news"));
    REQUIRE(us.ws.send(opcode::text, "a", fin::no, us.out) == errc{});
    CHECK(news.wire(us.ws).error() == errc::message_in_progress);
    REQUIRE(us.ws.send(opcode::continuation, "b", fin::yes, us.out) == errc{});
    REQUIRE(us.ws.begin_frame(opcode::text, 0, fin::yes, us.out));
    CHECK(news.wire(us.ws).error() == errc::frame_open);
    us.ws.end_frame();
    CHECK(news.wire(us.ws));
    REQUIRE(us.ws.close(close_code::normal, {}, us.out) == errc{});
    CHECK(news.wire(us.ws).error() == errc::not_open);
}

TEST_CASE("own and prepared messages alternate over an extension with a context",
          "[prepared_message][server]") {
    const toy::extension      xored({.takeover = true});
    endpoint<server_protocol> us(xored.agreed());
    endpoint<client_protocol> them(xored.agreed());
    prepared_message          news(opcode::text, text_bytes("news"));
    for (int round = 0; round < 3; ++round) {
        REQUIRE(us.ws.send(opcode::text, "own one", fin::yes, us.out) == errc{});
        REQUIRE(us.ws.send(opcode::text, "own two", fin::yes, us.out) == errc{});
        CHECK(them.hears(us.says()) == "text own one | text own two");
        CHECK(them.hears(wire_of(news, us.ws)) == "text news");
    }
    CHECK(xored.count().deflated_once == 1);   // one variant, made once
    CHECK(xored.count().resets == 2); // before each own message that follows a prepared one
}

TEST_CASE("a plain prepared message leaves the context alone", "[prepared_message][server]") {
    const toy::extension      xored({.takeover = true});
    endpoint<server_protocol> us(xored.agreed());
    endpoint<client_protocol> them(xored.agreed());
    prepared_message          news(opcode::text, text_bytes("news"), compress::never);
    REQUIRE(us.ws.send(opcode::text, "own one", fin::yes, us.out) == errc{});
    CHECK(them.hears(us.says()) == "text own one");
    CHECK(wire_of(news, us.ws) == frame(0x81, "news"));
    REQUIRE(us.ws.send(opcode::text, "own two", fin::yes, us.out) == errc{});
    CHECK(them.hears(us.says()) == "text own two");
    CHECK(xored.count().resets == 0);
}

TEST_CASE("a prepared message is made once for each variant", "[prepared_message][server]") {
    const toy::extension xored;
    prepared_message     news(opcode::binary, text_bytes("news"));
    for (int round = 0; round < 2; ++round)
        for (const unsigned key : {1u, 2u, 3u}) {
            endpoint<server_protocol> us(xored.agreed(static_cast<std::uint8_t>(key)));
            endpoint<client_protocol> them(xored.agreed(static_cast<std::uint8_t>(key)));
            const auto                wire = wire_of(news, us.ws);
            CHECK(wire[0] == std::byte{0xc2});
            CHECK(them.hears(wire) == "binary news");
        }
    CHECK(xored.count().deflated_once == 3);
    endpoint<server_protocol> plain;
    CHECK(wire_of(news, plain.ws) == frame(0x82, "news"));
}

TEST_CASE("when there is no place for one more variant the plain form goes out",
          "[prepared_message][server]") {
    const toy::extension xored;
    prepared_message     news(opcode::binary, text_bytes("news"));
    unsigned             coded = 0;
    for (unsigned key = 1; key <= 10; ++key) {
        endpoint<server_protocol> us(xored.agreed(static_cast<std::uint8_t>(key)));
        endpoint<client_protocol> them(xored.agreed(static_cast<std::uint8_t>(key)));
        const auto                wire = wire_of(news, us.ws);
        CHECK(them.hears(wire) == "binary news");
        coded += wire[0] == std::byte{0xc2};
    }
    CHECK(coded == 8);
}

TEST_CASE("a variant that cannot be made gives the plain form",
          "[prepared_message][C164][server]") {
    const toy::extension      bad({.deflate_fails_at = 2});
    endpoint<server_protocol> us(bad.agreed());
    prepared_message          news(opcode::binary, text_bytes("news"));
    CHECK(wire_of(news, us.ws) == frame(0x82, "news"));
}

TEST_CASE("the extension's threshold and compress say which form goes out",
          "[prepared_message][server]") {
    const toy::extension      xored({.threshold = 4});
    endpoint<server_protocol> us(xored.agreed());
    const auto                marked = [&](std::string_view text, compress how) {
        prepared_message news(opcode::text, as_bytes(text), how);
        return wire_of(news, us.ws)[0] == std::byte{0xc1};
    };
    CHECK_FALSE(marked("abc", compress::automatic));
    CHECK(marked("abcd", compress::automatic));
    CHECK(marked("a", compress::always));
    CHECK_FALSE(marked("abcdef", compress::never));
}
