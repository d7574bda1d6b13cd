#include <navette/protocol/heartbeat.hpp>
#include <navette/protocol/session.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/endpoint.hpp"
#include "support/toy_extension.hpp"

#include <string>
#include <thread>

using namespace navette;

namespace {

// One end of a conversation over memory buffers: what it says lies in `out` until it is carried to the other end.
template <role R>
struct speaker {
    session<R>  ws;
    buffer      out;
    std::string heard;
    bool        echoes = false;

    speaker(const agreement& agreed, const limits& bounds, buffer_pool& pool)
        : ws(protocol<R>(agreed, bounds), pool) {}

    errc says(std::string_view text) {
        return ws.protocol().send(opcode::text, text, fin::yes, out);
    }
    errc closes(close_code code, std::string_view reason = {}) {
        return ws.protocol().close(code, reason, out);
    }

    void note(const event& e) {
        if (!e) return;
        heard += (heard.empty() ? "" : " | ") + to_text(e);
        const opcode same = e.type == event_type::text ? opcode::text : opcode::binary;
        if (echoes && e.is_message() &&
            ws.protocol().send(same, e.payload, fin::yes, out) != errc{})
            FAIL("no echo");
    }
    void hears(byte_vector wire) {
        byte_span in{wire};
        for (event e; (e = ws.receive(in, out));) note(e);
        if (!in.empty()) FAIL("input was left");
    }
    void hears_the_end() { note(ws.receive_eof(out)); }

    std::string heard_lately() { return std::exchange(heard, {}); }
    transport_action transport() const { return ws.protocol().transport(out); }
};

// A client and a server, and the wire between them, in pieces of `step` bytes.
struct conversation {
    buffer_pool           pool;
    speaker<role::client> client;
    speaker<role::server> server;
    std::size_t           step = static_cast<std::size_t>(-1);

    explicit conversation(const agreement& agreed = {}, const limits& bounds = default_limits)
        : client(agreed, bounds, pool), server(agreed, bounds, pool) {
        server.echoes = true;
    }

    template <role From, role To>
    void carry(speaker<From>& from, speaker<To>& to) {
        while (!from.out.empty()) {
            const auto n     = std::min(step, from.out.size());
            auto       piece = bytes(const_byte_span(from.out.data()).first(n));
            from.out.consume(n);
            to.hears(std::move(piece));
        }
    }
    // Until nobody has anything to say; no conversation of two navettes goes on by itself.
    void run() {
        for (int turns = 0; !client.out.empty() || !server.out.empty(); ++turns) {
            if (turns == 100) FAIL("they do not come to an end");
            carry(client, server);
            carry(server, client);
        }
    }
};

} // namespace

TEST_CASE("a client speaks and the server echoes, in pieces of any size",
          "[behaviour][6455:1.2][C85][C126]") {
    conversation talk;
    talk.step = GENERATE(1u, 2u, 3u, 7u, 64u, 100'000u);
    REQUIRE(talk.client.says("Coucou serveur") == errc{});
    REQUIRE(talk.client.says("") == errc{});
    REQUIRE(talk.client.says("\xe2\x82\xac") == errc{});
    talk.run();
    CHECK(talk.server.heard_lately() == "text Coucou serveur | text | text 0xe282ac");
    CHECK(talk.client.heard_lately() == "text Coucou serveur | text | text 0xe282ac");

    REQUIRE(talk.client.closes(close_code::normal, "bye") == errc{});
    talk.run();
    CHECK(talk.server.heard == "close 1000 bye");
    CHECK(talk.client.heard == "close 1000");
}

TEST_CASE("a client begins the closing handshake and the server ends the transport",
          "[behaviour][6455:7.1.1][C114][C117][C118][C119][C126]") {
    conversation talk;
    REQUIRE(talk.client.closes(close_code::going_away, "the page is left") == errc{});
    CHECK(talk.client.transport() == transport_action::keep);
    talk.carry(talk.client, talk.server);
    CHECK(talk.server.transport() == transport_action::keep);   // its Close has not left
    talk.carry(talk.server, talk.client);
    CHECK(talk.server.transport() == transport_action::shutdown_write);
    CHECK(talk.client.transport() == transport_action::keep);   // waits
    talk.client.hears_the_end();
    CHECK(talk.client.transport() == transport_action::close);
    talk.server.hears_the_end();
    CHECK(talk.server.transport() == transport_action::close);
    CHECK(talk.server.heard == "close 1001 the page is left");
    CHECK(talk.client.heard == "close 1001");
}

TEST_CASE("a server begins the closing handshake and still ends the transport first",
          "[behaviour][6455:7.1.1][C114][C117][C118][C126]") {
    conversation talk;
    REQUIRE(talk.server.closes(close_code::service_restart, "back soon") == errc{});
    talk.run();
    CHECK(talk.client.heard == "close 1012 back soon");
    CHECK(talk.server.heard == "close 1012");
    CHECK(talk.client.transport() == transport_action::keep);
    CHECK(talk.server.transport() == transport_action::shutdown_write);
}

TEST_CASE("both close at once and neither waits for another Close",
          "[behaviour][6455:7.1.3][C124]") {
    conversation talk;
    REQUIRE(talk.client.closes(close_code::normal, "client") == errc{});
    REQUIRE(talk.server.closes(close_code::normal, "server") == errc{});
    talk.run();
    CHECK(talk.client.heard == "close 1000 server");
    CHECK(talk.server.heard == "close 1000 client");
    talk.client.hears_the_end();
    talk.server.hears_the_end();
    CHECK(talk.client.transport() == transport_action::close);
    CHECK(talk.server.transport() == transport_action::close);
}

TEST_CASE("messages that crossed the Close are delivered", "[behaviour][6455:1.4][C116]") {
    conversation talk;
    talk.server.echoes = false;
    REQUIRE(talk.client.says("one") == errc{});
    REQUIRE(talk.client.says("two") == errc{});
    REQUIRE(talk.server.closes(close_code::normal) == errc{});
    talk.run();
    CHECK(talk.server.heard == "text one | text two | close 1000");
    CHECK(talk.client.heard == "close 1000");
}

TEST_CASE("a transport that ends without a Close is abnormal on both sides",
          "[behaviour][6455:7.1.5][C120][C125]") {
    conversation talk;
    REQUIRE(talk.client.says("half of a message") == errc{});
    talk.server.hears(bytes(const_byte_span(talk.client.out.data()).first(10)));
    talk.server.hears_the_end();
    talk.client.hears_the_end();
    CHECK(talk.server.heard == "failed truncated 1006");
    CHECK(talk.client.heard == "failed truncated 1006");
}

TEST_CASE("a message that is too big is refused with 1009, and the peer learns it",
          "[behaviour][6455:7.4.1][C82][C122][C123]") {
    limits bounds;
    bounds.max_message_size = 10;
    conversation talk({}, bounds);
    REQUIRE(talk.client.says("0123456789") == errc{});
    REQUIRE(talk.client.says("0123456789a") == errc{});
    talk.run();
    CHECK(talk.server.heard == "text 0123456789 | failed message_too_big 1009");
    CHECK(talk.client.heard == "text 0123456789 | close 1009");
    CHECK(talk.server.transport() == transport_action::shutdown_write);
}

TEST_CASE(
    "a good message and a bad frame in one segment: the echo leaves, then Close 1002, then the "
    "transport ends",
    "[behaviour][6455:7.1.7][C122][server]") {
    for (const char* bad : {"A1 01 61", "83 00", "8B 00", "C9 00", "89 7E 007E", "80 01 61"}) {
        CAPTURE(bad);
        conversation talk;
        talk.server.hears(masked(concat(bytes("81 02 6869"), bytes(bad), bytes("81 02 6869"))));
        CHECK(talk.server.heard.find("text hi | failed") == 0);
        talk.carry(talk.server, talk.client);
        CHECK(talk.client.heard == "text hi | close 1002");
        CHECK(talk.server.transport() == transport_action::shutdown_write);
    }
}

TEST_CASE("invalid text ends a connection before its frame has ended",
          "[behaviour][6455:8.1][C105][C123][server]") {
    conversation talk;
    talk.server.hears(masked(concat(header(0x81, 1'000), bytes("cebae1bdb9cf83cebcceb5 f4 90"))));
    talk.carry(talk.server, talk.client);
    CHECK(talk.server.heard == "failed invalid_utf8 1007");
    CHECK(talk.client.heard == "close 1007");
}

TEST_CASE("a message of unknown length is streamed while pings go both ways",
          "[behaviour][6455:5.4][C88][C90][C98]") {
    conversation talk;
    talk.step = 11;
    auto& ws  = talk.client.ws.protocol();
    REQUIRE(ws.send(opcode::text, "un", fin::no, talk.client.out) == errc{});
    REQUIRE(talk.server.ws.protocol().ping(text_bytes("s"), talk.server.out) == errc{});
    talk.run();
    REQUIRE(ws.send(opcode::continuation, ", deux", fin::no, talk.client.out) == errc{});
    REQUIRE(ws.ping(text_bytes("c"), talk.client.out) == errc{});
    talk.run();
    REQUIRE(ws.send(opcode::continuation, ", trois", fin::yes, talk.client.out) == errc{});
    talk.run();
    CHECK(talk.server.heard == "pong s | ping c | text un, deux, trois");
    CHECK(talk.client.heard == "ping s | pong c | text un, deux, trois");
}

TEST_CASE("a long conversation under an extension keeps both contexts in step",
          "[behaviour][6455:9][C69]") {
    const toy::extension xored(
        {.window = GENERATE(1u, 5u, 1'000u), .takeover = true, .threshold = 3});
    conversation         talk(xored.agreed());
    talk.step = GENERATE(1u, 10u, 100'000u);
    std::string all;
    for (int i = 0; i < 50; ++i) {
        const std::string text(static_cast<std::size_t>(i % 7), static_cast<char>('a' + i % 26));
        REQUIRE(talk.client.says(text) == errc{});
        all += (i == 0 ? "text" : " | text") + (text.empty() ? "" : " " + text);
        if (i % 10 == 9) talk.run();
    }
    CHECK(talk.server.heard == all);
    CHECK(talk.client.heard == all);
    CHECK(xored.count().made == 2);
}

TEST_CASE("after a Close or a failure the codec is not touched again", "[behaviour][S40]") {
    const bool           fails = GENERATE(false, true);
    const toy::extension xored;
    conversation         talk(xored.agreed());
    REQUIRE(talk.client.says("coded") == errc{});
    talk.run();
    if (fails)
        talk.server.hears(masked(bytes("83 00")));
    else
        talk.server.hears(masked(bytes("88 00")));
    const auto before = xored.count();
    CHECK(talk.server.says("late") == errc::not_open);
    talk.server.hears(masked(frame(0xc1, xored.on_wire("late"))));
    CHECK(xored.count().deflates == before.deflates);
    CHECK(xored.count().inflates == before.inflates);
    CHECK(xored.count().resets == before.resets);
}

TEST_CASE("connections of two threads share nothing that changes", "[behaviour][S40]") {
    // The rule is one thread for each protocol object. The limits, the error table and the source of masking keys are
    // common to all.
    std::string heard[2];
    const auto  talk_alone = [&heard](std::size_t who) {
        buffer      out;
        std::string all;
        for (int i = 0; i < 2'000; ++i) {
            client_protocol client;
            server_protocol server;
            if (client.send(opcode::text, who == 0 ? "left" : "right", fin::yes, out) != errc{})
                return;
            byte_span in = out.data();
            buffer    answer;
            const event e = server.receive(in, answer);
            all           = std::string(e.text());
            out.clear();
        }
        heard[who] = all;
    };
    std::thread left(talk_alone, 0), right(talk_alone, 1);
    left.join();
    right.join();
    CHECK(heard[0] == "left");
    CHECK(heard[1] == "right");
}

TEST_CASE("two heartbeats keep an idle connection alive and measure it, for a day",
          "[behaviour][6455:5.5.2][C162]") {
    conversation    talk;
    const timeouts  times;
    instant         now{0};
    heartbeat       ours(times, now), theirs(times, now);
    const duration  there = milliseconds(15);
    std::size_t     pings = 0;
    const auto      hear  = [&](auto& who, heartbeat& watch, buffer& from) {
        if (from.empty()) return;
        auto      wire = bytes(const_byte_span(from.data()));
        byte_span in{wire};
        from.clear();
        watch.bytes_read(now);
        for (event e; (e = who.ws.receive(in, who.out));) {
            pings += e.type == event_type::ping ? 1u : 0u;
            watch.received(e, now);
        }
    };
    while (now < instant(0) + seconds(86'400)) {
        const auto a = ours.poll(talk.client.ws.protocol(), now, talk.client.out);
        const auto b = theirs.poll(talk.server.ws.protocol(), now, talk.server.out);
        if (a.expired != errc{} || b.expired != errc{}) FAIL("a deadline passed");
        if (a.next <= now || b.next <= now) FAIL("next lies in the past");
        if (talk.client.out.empty() && talk.server.out.empty()) {
            now = std::min(a.next, b.next);
            continue;
        }
        buffer to_server, to_client;
        to_server.swap(talk.client.out);
        to_client.swap(talk.server.out);
        ours.drained(now);
        theirs.drained(now);
        now = now + there;
        hear(talk.server, theirs, to_server);
        hear(talk.client, ours, to_client);
    }
    CHECK(pings > 4'000);
    CHECK(pings < 10'000);
    CHECK(ours.round_trip() == milliseconds(30));
}

TEST_CASE("random conversations arrive as they were said",
          "[behaviour][6455:5.4][C81][C85][C90][C92]") {
    std::uint32_t state = GENERATE(range(1u, 21u));
    const auto    next  = [&state](std::size_t below) {
        state = state * 1'664'525u + 1'013'904'223u;
        return static_cast<std::size_t>((std::uint64_t{state} * below) >> 32);
    };
    const toy::extension xored({.window = 1 + next(40), .takeover = next(2) == 0});
    conversation         talk(next(2) == 0 ? xored.agreed() : agreement{});
    talk.server.echoes = false;
    std::string wanted_of_server, wanted_of_client;
    const auto  speak = [&](auto& who, std::string& wanted) {
        auto&             ws = who.ws.protocol();
        const std::size_t n  = next(3) == 0 ? next(20'000) : next(200);
        const std::string text(n, static_cast<char>('a' + next(26)));
        std::size_t       at = 0;
        for (bool begun = false;; begun = true) {
            const std::size_t size = next(2) == 0 ? n - at : next(n - at + 1);
            const fin         last = at + size == n ? fin::yes : fin::no;
            const auto        op   = begun ? opcode::continuation : opcode::text;
            const auto        how  = next(3) == 0 ? compress::never : compress::automatic;
            if (ws.send(op, std::string_view(text).substr(at, size), last, who.out, how) != errc{})
                FAIL("not sent");
            at += size;
            if (last == fin::yes) break;
        }
        wanted += (wanted.empty() ? "text" : " | text") + (n == 0 ? "" : " " + text);
    };
    for (int i = 0; i < 10; ++i) {
        talk.step = next(5) == 0 ? 1 + next(7) : 1 + next(5'000);
        for (std::size_t k = next(4); k > 0; --k) speak(talk.client, wanted_of_server);
        for (std::size_t k = next(4); k > 0; --k) speak(talk.server, wanted_of_client);
        talk.run();
    }
    CHECK((talk.server.heard == wanted_of_server));
    CHECK((talk.client.heard == wanted_of_client));
    REQUIRE(talk.client.closes(close_code::normal) == errc{});
    talk.run();
    CHECK(talk.server.heard.ends_with("close 1000"));
}
