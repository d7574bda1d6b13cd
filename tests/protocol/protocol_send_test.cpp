#include <navette/protocol/protocol.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/endpoint.hpp"

#include <array>
#include <set>

using namespace navette;

namespace {

// A protocol brought into `state` by what a peer and a caller can do.
template <class P>
void bring(endpoint<P>& us, connection_state state) {
    switch (state) {
    case connection_state::open: break;
    case connection_state::close_sent:
        REQUIRE(us.ws.close(close_code::normal, {}, us.out) == errc{});
        break;
    case connection_state::close_done: us.hears("88 00"); break;
    case connection_state::failed: us.hears("83 00"); break;
    case connection_state::closed: us.hears_eof(); break;
    }
    us.out.clear();
    REQUIRE(us.ws.state() == state);
}

constexpr connection_state states[] = {connection_state::open, connection_state::close_sent,
                                       connection_state::close_done, connection_state::failed,
                                       connection_state::closed};

} // namespace

TEMPLATE_TEST_CASE("a message leaves as one frame with the shortest length",
                   "[protocol][6455:5.2][C71][C73][C84]", client_protocol, server_protocol) {
    for (const std::size_t size : {0u, 1u, 125u, 126u, 127u, 65'535u, 65'536u, 70'000u}) {
        CAPTURE(size);
        endpoint<TestType> us;
        byte_vector        payload(size);
        for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<std::byte>(i % 253);
        CHECK(us.ws.send(opcode::binary, payload, fin::yes, us.out) == errc{});
        const std::size_t head = (size < 126      ? 2u
                                  : size < 65'536 ? 4u
                                                  : 10u) +
                                 (role_of<TestType> == role::client ? 4u : 0u);
        CHECK(us.out.size() == head + size);
        CHECK(us.says() == frame(0x82, payload));
    }
}

TEST_CASE("a server sends the RFC's unmasked Hello", "[protocol][6455:5.7][C76][server]") {
    endpoint<server_protocol> us;
    CHECK(us.ws.send(opcode::text, "Hello", fin::yes, us.out) == errc{});
    CHECK(us.out == bytes("81 05 48656c6c6f"));
}

TEST_CASE("a client sends the RFC's masked Hello", "[protocol][6455:5.7][C75][C80][client]") {
    const auto given = [](void*, byte_span key) noexcept {
        const auto rfc = bytes("37fa213d");
        std::copy(rfc.begin(), rfc.end(), key.begin());
        return true;
    };
    endpoint<client_protocol> us({}, default_limits, {given, nullptr});
    CHECK(us.ws.send(opcode::text, "Hello", fin::yes, us.out) == errc{});
    CHECK(us.out == bytes("81 85 37fa213d 7f9f4d5158"));
}

TEST_CASE("every frame of a client has a masking key of its own, drawn once",
          "[protocol][6455:5.3][C75][C79][client]") {
    counted_entropy           keys;
    endpoint<client_protocol> us({}, default_limits, keys.source());
    REQUIRE(us.ws.send(opcode::text, "a", fin::no, us.out) == errc{});
    REQUIRE(us.ws.send(opcode::continuation, "", fin::yes, us.out) == errc{});
    REQUIRE(us.ws.ping({}, us.out) == errc{});
    REQUIRE(us.ws.pong({}, us.out) == errc{});
    us.hears("89 01 61  89 00");
    REQUIRE(us.ws.begin_frame(opcode::binary, 0, fin::yes, us.out));
    us.ws.end_frame();
    us.hears("88 02 03E8");
    std::set<masking_key> distinct;
    const auto            frames = frames_of(us.out.data());
    for (const wire_frame& f : frames) {
        CHECK(f.masked);
        distinct.insert(f.key);
    }
    CHECK(frames.size() == 8);
    CHECK(distinct.size() == 8);
    CHECK(keys.draws == 8);
}

TEST_CASE("no frame of a server is masked", "[protocol][6455:5.1][C76][server]") {
    endpoint<server_protocol> us;
    REQUIRE(us.ws.send(opcode::text, "a", fin::no, us.out) == errc{});
    REQUIRE(us.ws.send(opcode::continuation, "", fin::yes, us.out) == errc{});
    REQUIRE(us.ws.ping({}, us.out) == errc{});
    REQUIRE(us.ws.pong({}, us.out) == errc{});
    us.hears("89 01 61");
    REQUIRE(us.ws.begin_frame(opcode::binary, 0, fin::yes, us.out));
    us.ws.end_frame();
    us.hears("88 02 03E8");
    const auto frames = frames_of(us.out.data());
    CHECK(frames.size() == 7);
    for (const wire_frame& f : frames) CHECK_FALSE(f.masked);
}

TEMPLATE_TEST_CASE("a fragmented message leaves with its opcode first, then continuations",
                   "[protocol][6455:5.4][C90]", client_protocol, server_protocol) {
    endpoint<TestType> us;
    CHECK(us.ws.send(opcode::text, "Hel", fin::no, us.out) == errc{});
    CHECK(us.ws.ping(text_bytes("?"), us.out) == errc{});
    CHECK(us.ws.send(opcode::continuation, "", fin::no, us.out) == errc{});
    CHECK(us.ws.send(opcode::continuation, "lo", fin::yes, us.out) == errc{});
    CHECK(us.ws.send(opcode::binary, "x", fin::yes, us.out) == errc{});
    CHECK(us.says() == bytes("01 03 48656c  89 01 3f  00 00  80 02 6c6f  82 01 78"));
}

TEMPLATE_TEST_CASE("messages to be sent do not interleave", "[protocol][6455:5.4][C90]",
                   client_protocol, server_protocol) {
    endpoint<TestType> us;
    CHECK(us.ws.send(opcode::continuation, "x", fin::yes, us.out) == errc::misuse);
    REQUIRE(us.ws.send(opcode::text, "a", fin::no, us.out) == errc{});
    for (const opcode op : {opcode::text, opcode::binary}) {
        CHECK(us.ws.send(op, "x", fin::yes, us.out) == errc::message_in_progress);
        CHECK(us.ws.begin_frame(op, 1, fin::yes, us.out).error() == errc::message_in_progress);
    }
    CHECK(us.ws.send_prepared(false) == errc::message_in_progress);
    REQUIRE(us.ws.send(opcode::continuation, "b", fin::yes, us.out) == errc{});
    CHECK(us.ws.send(opcode::continuation, "x", fin::yes, us.out) == errc::misuse);
    CHECK(us.says() == bytes("01 01 61  80 01 62"));
}

TEMPLATE_TEST_CASE("what may be sent, by state, opcode and fin",
                   "[protocol][6455:6.1][C89][C115][C127]", client_protocol, server_protocol) {
    int sent = 0;
    for (const connection_state state : states)
        for (unsigned op = 0; op < 16; ++op)
            for (const fin final : {fin::no, fin::yes}) {
                CAPTURE(static_cast<int>(state), op, final == fin::yes);
                endpoint<TestType> us;
                bring(us, state);
                const bool data   = op <= 2;
                const errc wanted = !data                            ? errc::misuse
                                    : state != connection_state::open ? errc::not_open
                                    : op == 0                         ? errc::misuse
                                                                      : errc{};
                CHECK(us.ws.send(static_cast<opcode>(op), "x", final, us.out) == wanted);
                CHECK(us.out.empty() == (wanted != errc{}));
                CHECK(us.ws.state() == state);
                if (wanted == errc{}) {
                    ++sent;
                    CHECK(us.says() == frame(op | (final == fin::yes ? 0x80u : 0u), "x"));
                }
            }
    CHECK(sent == 4);
}

TEMPLATE_TEST_CASE("pings leave while open, pongs until the peer's Close, Closes once",
                   "[protocol][6455:5.5][C115][C127]", client_protocol, server_protocol) {
    for (const connection_state state : states) {
        CAPTURE(static_cast<int>(state));
        endpoint<TestType> us;
        bring(us, state);
        const bool open = state == connection_state::open;
        CHECK(us.ws.ping({}, us.out) == (open ? errc{} : errc::not_open));
        CHECK(us.ws.pong({}, us.out) == (receives(state) ? errc{} : errc::not_open));
        CHECK(us.ws.begin_frame(opcode::binary, 0, fin::yes, us.out).error() ==
              (open ? errc{} : errc::not_open));
        us.ws.end_frame();
        CHECK(us.ws.send_prepared(false) == (open ? errc{} : errc::not_open));
        CHECK(us.ws.close(close_code::normal, {}, us.out) == (open ? errc{} : errc::not_open));
        CHECK(us.says() == bytes(open              ? "89 00 8A 00 82 00 88 02 03E8"
                                 : receives(state) ? "8A 00"
                                                   : ""));
    }
}

TEMPLATE_TEST_CASE("a Close abandons the message that is being sent",
                   "[protocol][6455:6.1][C115][C127]", client_protocol, server_protocol) {
    const bool         by_us = GENERATE(true, false);
    endpoint<TestType> us;
    REQUIRE(us.ws.send(opcode::text, "a", fin::no, us.out) == errc{});
    if (by_us)
        REQUIRE(us.ws.close(close_code::normal, {}, us.out) == errc{});
    else
        us.hears("88 02 03E8");
    CHECK(us.ws.send(opcode::continuation, "b", fin::yes, us.out) == errc::not_open);
    CHECK(us.says() == bytes("01 01 61  88 02 03E8"));
}

TEMPLATE_TEST_CASE("begin_frame appends a header alone, and nothing else goes out until end_frame",
                   "[protocol][6455:5.4][C98]", client_protocol, server_protocol) {
    endpoint<TestType> us;
    REQUIRE(us.ws.ping({}, us.out) == errc{});
    const auto mark = us.ws.begin_frame(opcode::binary, 70'000, fin::yes, us.out);
    REQUIRE(mark);
    CHECK(mark->before == us.out.size());
    CHECK(us.out.size() == (role_of<TestType> == role::client ? 6 + 14 : 2 + 10));
    CHECK(us.ws.send(opcode::text, "x", fin::yes, us.out) == errc::frame_open);
    CHECK(us.ws.ping({}, us.out) == errc::frame_open);
    CHECK(us.ws.pong({}, us.out) == errc::frame_open);
    CHECK(us.ws.close(close_code::normal, {}, us.out) == errc::frame_open);
    CHECK(us.ws.begin_frame(opcode::text, 1, fin::yes, us.out).error() == errc::frame_open);
    CHECK(us.ws.send_prepared(false) == errc::frame_open);
    CHECK(us.out.size() == mark->before);
    us.ws.end_frame();
    CHECK(us.ws.send(opcode::text, "x", fin::yes, us.out) == errc{});
}

TEMPLATE_TEST_CASE("pongs come behind the frame that is being written, never inside",
                   "[protocol][6455:5.5.2][C98]", client_protocol, server_protocol) {
    endpoint<TestType> us;
    byte_vector        payload(1'000, std::byte{0x62});
    auto               mark = us.ws.begin_frame(opcode::binary, payload.size(), fin::no, us.out);
    REQUIRE(mark);
    us.hears("89 01 31");
    mark->mask(byte_span(payload).first(333));   // as the driver writes it, piece by piece
    us.hears("89 01 32");
    mark->mask(byte_span(payload).subspan(333, 1));
    mark->mask(byte_span(payload).subspan(334));
    us.ws.end_frame();
    REQUIRE(us.ws.send(opcode::continuation, "end", fin::yes, us.out) == errc{});

    const const_byte_span out  = us.out.data();
    const auto wire = concat(out.first(mark->before), payload, out.subspan(mark->before));
    const auto            said = frames_of(wire);
    REQUIRE(said.size() == 4);
    CHECK((said[0].first == 0x02 && said[0].payload == byte_vector(1'000, std::byte{0x62})));
    CHECK((said[1].first == 0x8a && said[1].payload == text_bytes("1")));
    CHECK((said[2].first == 0x8a && said[2].payload == text_bytes("2")));
    CHECK((said[3].first == 0x80 && said[3].payload == text_bytes("end")));
}

TEMPLATE_TEST_CASE("above the bound of pongs the header that begin_frame appended stays",
                   "[protocol][C96][C98]", client_protocol, server_protocol) {
    limits bounds;
    bounds.max_pongs = 0;
    endpoint<TestType> us({}, bounds);
    us.hears("89 01 30");
    const auto mark = us.ws.begin_frame(opcode::binary, 3, fin::yes, us.out);
    REQUIRE(mark);
    us.hears("89 01 31");
    us.hears("89 01 32");
    const std::size_t pong = role_of<TestType> == role::client ? 7 : 3;
    CHECK(us.out.size() == mark->before + pong);
}

TEST_CASE("a client's payload is masked through the mark, however it is cut",
          "[protocol][6455:5.3][C75][C80][client]") {
    for (std::size_t cut = 0; cut <= 9; ++cut) {
        endpoint<client_protocol> us;
        auto                      payload = text_bytes("gathering");
        auto mark = us.ws.begin_frame(opcode::text, payload.size(), fin::yes, us.out);
        REQUIRE((mark && mark->masked()));
        mark->mask(byte_span(payload).first(cut));
        mark->mask(byte_span(payload).subspan(cut));
        CHECK(frames_of(concat(us.out.data(), payload))[0].payload == text_bytes("gathering"));
    }
}

TEST_CASE("a server's mark masks nothing", "[protocol][6455:5.1][C76][server]") {
    endpoint<server_protocol> us;
    auto                      payload = text_bytes("gathering");
    auto mark = us.ws.begin_frame(opcode::text, payload.size(), fin::yes, us.out);
    REQUIRE((mark && !mark->masked()));
    mark->mask(payload);
    CHECK(payload == text_bytes("gathering"));
}

TEMPLATE_TEST_CASE("the rest of a text that began unread, by begin_frame, is not validated",
                   "[protocol]", client_protocol, server_protocol) {
    endpoint<TestType> us;
    REQUIRE(us.ws.begin_frame(opcode::text, 0, fin::no, us.out));
    us.ws.end_frame();
    CHECK(us.ws.send(opcode::continuation, "\x82\xac", fin::yes, us.out) == errc{});
    CHECK(us.ws.send(opcode::text, "\x82\xac", fin::yes, us.out) == errc::unsendable_text);
}

TEMPLATE_TEST_CASE("begin_frame takes lengths up to 2^63 - 1", "[protocol][6455:5.2][C72]",
                   client_protocol, server_protocol) {
    endpoint<TestType>  us;
    constexpr auto      most = std::uint64_t{0x7fffffffffffffff};
    CHECK(us.ws.begin_frame(opcode::binary, most + 1, fin::yes, us.out).error() ==
          errc::payload_too_long);
    CHECK(us.out.empty());
    REQUIRE(us.ws.begin_frame(opcode::binary, most, fin::yes, us.out));
    CHECK(bytes(const_byte_span(us.out.data()).subspan(2, 8)) == bytes("7fffffffffffffff"));
}

TEMPLATE_TEST_CASE("an output that can never hold a control frame fails the connection",
                   "[protocol][C164]", client_protocol, server_protocol) {
    for (const std::size_t room :
         {std::size_t{0}, std::size_t{7}, std::size_t{8}, std::size_t{130}, std::size_t{131}}) {
        CAPTURE(room);
        byte_vector storage(room);
        TestType    ws;
        buffer      out{byte_span(storage)};
        auto        wire = from_peer<TestType>(frame(0x89, byte_vector(125, std::byte{0x61})));
        byte_span   in{wire};
        const event e = ws.receive(in, out);
        if (room < 131) {
            CHECK((e.type == event_type::failed && e.error == errc::out_of_memory));
            CHECK(out.empty() == (room < (role_of<TestType> == role::client ? 8 : 4)));
        } else {
            CHECK(e.type == event_type::ping);
            CHECK(out.size() == (role_of<TestType> == role::client ? 131 : 127));
        }
    }
}

TEMPLATE_TEST_CASE("a full output stops receive with the input untouched, until it is drained",
                   "[protocol][C160][C161][S23][S29]", client_protocol, server_protocol) {
    std::array<std::byte, 131> storage;
    TestType                   ws;
    buffer                     out{byte_span(storage)};
    const auto                 unmasked = bytes("89 01 61  81 02 6869  88 02 03E8");
    auto                       wire     = from_peer<TestType>(unmasked);
    const auto                 before   = wire;
    byte_span                  in{wire};
    REQUIRE(ws.send(opcode::text, "x", fin::yes, out) == errc{});
    for (int i = 0; i < 3; ++i) {
        CHECK_FALSE(ws.receive(in, out));
        CHECK((in.size() == wire.size() && wire == before));
    }
    CHECK(ws.state() == connection_state::open);
    out.clear();
    CHECK(to_text(ws.receive(in, out)) == "ping a");
    CHECK_FALSE(ws.receive(in, out));
    out.clear();
    CHECK(to_text(ws.receive(in, out)) == "text hi");
    CHECK(to_text(ws.receive(in, out)) == "close 1000");
    CHECK(frames_of(out.data()).size() == 1);
}

TEMPLATE_TEST_CASE("a message that finds no room in a fixed output changes nothing",
                   "[protocol][C160][C164][S23]", client_protocol, server_protocol) {
    const std::size_t head = role_of<TestType> == role::client ? 6 : 2;
    for (const std::size_t room : {head + 9, head + 10, head + 11}) {
        byte_vector storage(room);
        TestType    ws;
        buffer      out{byte_span(storage)};
        const bool  fits = room >= head + 10;
        CHECK(ws.send(opcode::text, "0123456789", fin::no, out) ==
              (fits ? errc{} : errc::out_of_memory));
        CHECK(out.size() == (fits ? head + 10 : 0));
        out.clear();
        CHECK(ws.send(opcode::continuation, "", fin::yes, out) == (fits ? errc{} : errc::misuse));
    }
    byte_vector storage(head - 1);
    TestType    ws;
    buffer      out{byte_span(storage)};
    CHECK(ws.ping({}, out) == errc::out_of_memory);
    CHECK(ws.pong({}, out) == errc::out_of_memory);
    CHECK(ws.close(close_code::normal, {}, out) == errc::out_of_memory);
    CHECK(ws.begin_frame(opcode::text, 1, fin::yes, out).error() == errc::out_of_memory);
    CHECK((out.empty() && ws.state() == connection_state::open));
}

TEST_CASE("without entropy a client sends nothing, and nothing changes",
          "[protocol][6455:10.3][C79][C164][client]") {
    counted_entropy           keys{.fails_at = 0};
    endpoint<client_protocol> us({}, default_limits, keys.source());
    CHECK(us.ws.send(opcode::text, "a", fin::no, us.out) == errc::no_entropy);
    CHECK(us.ws.ping({}, us.out) == errc::no_entropy);
    CHECK(us.ws.pong({}, us.out) == errc::no_entropy);
    CHECK(us.ws.begin_frame(opcode::text, 1, fin::yes, us.out).error() == errc::no_entropy);
    CHECK(us.ws.close(close_code::normal, {}, us.out) == errc::no_entropy);
    CHECK((us.out.empty() && us.ws.state() == connection_state::open));
    keys.fails_at = 0xffffffff;
    CHECK(us.ws.send(opcode::text, "a", fin::yes, us.out) == errc{});
    CHECK(us.says() == bytes("81 01 61"));
}

TEST_CASE("without entropy for a pong a client fails the connection",
          "[protocol][6455:10.3][C164][client]") {
    counted_entropy           keys{.fails_at = 1};
    endpoint<client_protocol> us({}, default_limits, keys.source());
    CHECK(us.hears("89 01 61  89 01 62  81 01 63") == "ping a | failed no_entropy 1011");
    CHECK(us.says() == bytes("8A 01 61"));
    CHECK(us.ws.transport(us.out) == transport_action::shutdown_write);
}

TEMPLATE_TEST_CASE("every byte of the output is one that was written", "[protocol][C163][S38]",
                   client_protocol, server_protocol) {
    // The same calls into memory filled in two ways, with the same keys, make the same bytes.
    const auto said = [](std::byte filling) {
        byte_vector     storage(4'096, filling);
        counted_entropy keys;
        TestType        ws({}, default_limits, keys.source());
        buffer          out{byte_span(storage)};
        for (const std::size_t size : {0u, 1u, 125u, 126u, 300u}) {
            if (ws.send(opcode::text, std::string(size, 't'), fin::no, out) != errc{})
                return byte_vector{};
            if (ws.send(opcode::continuation, std::string(size, 'c'), fin::yes, out) != errc{})
                return byte_vector{};
        }
        auto      wire = from_peer<TestType>(concat(frame(0x89, byte_vector(125)), bytes("89 00")));
        byte_span in   = byte_span(wire).first(40), rest = byte_span(wire).subspan(40);
        while (ws.receive(in, out)) {}
        while (ws.receive(rest, out)) {}
        if (ws.ping(byte_vector(7), out) != errc{} ||
            ws.close(close_code::normal, "reason", out) != errc{})
            return byte_vector{};
        return bytes(const_byte_span(out.data()));
    };
    const auto once = said(std::byte{0x00}), again = said(std::byte{0xff});
    CHECK(once.size() > 1'200);
    CHECK(once == again);
    CHECK(frames_of(once).size() == 14);
}
