#include <navette/protocol/protocol.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/endpoint.hpp"

using namespace navette;

namespace {

limits with_message_size(std::uint64_t most) {
    limits made;
    made.max_message_size = most;
    return made;
}

limits with_fragments(std::uint32_t most) {
    limits made;
    made.max_fragments = most;
    return made;
}

// `message` as a text message in frames of `size` bytes, empty ones and pings between them if asked for.
byte_vector in_fragments(std::string_view message, std::size_t size, bool empty_ones, bool pings) {
    byte_vector wire;
    for (std::size_t at = 0; at < message.size(); at += size) {
        const auto piece = message.substr(at, size);
        const bool last  = at + size >= message.size();
        wire = concat(wire, frame((at == 0 ? 0x01u : 0x00u) | (last ? 0x80u : 0u), piece));
        if (!last && empty_ones) wire = concat(wire, frame(0x00, ""));
        if (!last && pings) wire = concat(wire, frame(0x89, "?"));
    }
    return wire;
}

// What the pieces of messages come to, in order, without their boundaries.
template <class P>
std::string told(const byte_vector& unmasked) {
    auto        wire = from_peer<P>(unmasked);
    P           ws;
    buffer      out;
    byte_span   in{wire};
    std::string all;
    while (const event e = ws.receive(in, out)) {
        if (!e.is_message()) continue;
        if (e.first) all += e.type == event_type::text ? "<text>" : "<binary>";
        all += e.text();
        if (e.last) all += "<end>";
    }
    return all;
}

} // namespace

TEMPLATE_TEST_CASE("a fragmented message comes as pieces, the first and the last marked",
                   "[protocol][6455:5.4][C85][C90]", client_protocol, server_protocol) {
    endpoint<TestType> us;
    CHECK(us.hears("01 03 48656c  00 01 6c  80 01 6f") ==
          "text(first) Hel | text(middle) l | text(last) o");
    CHECK(us.hears("81 01 21") == "text !");
}

TEMPLATE_TEST_CASE("a message has the type of its first frame", "[protocol][6455:5.4][C91]",
                   client_protocol, server_protocol) {
    endpoint<TestType> us;
    CHECK(us.hears("01 01 61  80 01 62  02 01 63  80 01 64") ==
          "text(first) a | text(last) b | binary(first) c | binary(last) d");
}

TEMPLATE_TEST_CASE("a frame that comes in pieces gives pieces of its message",
                   "[protocol][6455:6.2][C81]", client_protocol, server_protocol) {
    endpoint<TestType> us;
    auto               wire = from_peer<TestType>(bytes("81 05 48656c6c6f"));
    const auto         head = static_cast<std::ptrdiff_t>(wire.size()) - 5;
    const auto cut          = [&](std::ptrdiff_t from, std::ptrdiff_t to) {
        return byte_vector(wire.begin() + from, wire.begin() + to);
    };
    CHECK(us.hears_raw(cut(0, head)) == "");
    CHECK(us.hears_raw(cut(head, head + 2)) == "text(first) He");
    CHECK(us.hears_raw({}) == "");
    CHECK(us.hears_raw(cut(head + 2, head + 4)) == "text(middle) ll");
    CHECK(us.hears_raw(cut(head + 4, head + 5)) == "text(last) o");
}

TEMPLATE_TEST_CASE("a continuation without a message fails the connection",
                   "[protocol][6455:5.4][C86]", client_protocol, server_protocol) {
    const char* wire = GENERATE("80 00", "00 00", "80 01 61", "00 01 61", "81 01 61 80 01 62");
    endpoint<TestType> us;
    const std::string  heard = us.hears(wire);
    CHECK(heard.ends_with("failed unexpected_continuation 1002"));
    CHECK(us.says() == bytes("88 02 03EA"));
}

TEMPLATE_TEST_CASE("a new message within a message fails the connection",
                   "[protocol][6455:5.4][C87]", client_protocol, server_protocol) {
    const char* begun = GENERATE("01 00", "02 00", "01 01 61", "01 00 00 00", "01 00 89 00");
    const char* next  = GENERATE("81 01 61", "01 01 61", "82 00", "02 00");
    endpoint<TestType> us;
    us.hears(begun);
    us.says();
    CHECK(us.hears(next) == "failed expected_continuation 1002");
    CHECK(us.says() == bytes("88 02 03EA"));
}

TEMPLATE_TEST_CASE("control frames between fragments come at once and disturb nothing",
                   "[protocol][6455:5.4][C88]", client_protocol, server_protocol) {
    endpoint<TestType> us;
    CHECK(us.hears("01 03 e282ac  89 01 31  00 01 62  8A 01 32  00 00  89 00  80 01 63") ==
          "text(first) 0xe282ac | ping 1 | text(middle) b | pong 2 | ping | text(last) c");
    CHECK(us.says() == bytes("8A 01 31  8A 00"));
}

TEMPLATE_TEST_CASE("a control frame may even come within a character",
                   "[protocol][6455:5.4][C88][C103]", client_protocol, server_protocol) {
    endpoint<TestType> us;
    CHECK(us.hears("01 01 e2  89 01 e2  00 01 82  8A 00  80 01 ac") ==
          "text(first) 0xe2 | ping 0xe2 | text(middle) 0x82 | pong | text(last) 0xac");
}

TEMPLATE_TEST_CASE("a Close between fragments ends everything, and the message has no end",
                   "[protocol][6455:5.4][C88][C100]", client_protocol, server_protocol) {
    endpoint<TestType> us;
    CHECK(us.hears("01 01 61  88 02 03E8  80 01 62") == "text(first) a | close 1000");
    CHECK(us.says() == bytes("88 02 03E8"));
    CHECK(us.hears("80 01 62") == "");
}

TEMPLATE_TEST_CASE("fragmented control frames fail the connection", "[protocol][6455:5.5][C89]",
                   client_protocol, server_protocol) {
    for (const unsigned op : {8u, 9u, 10u})
        for (const bool within : {false, true}) {
            endpoint<TestType> us;
            if (within) us.hears("01 00");
            CHECK(us.hears(frame(op, "")) == "failed fragmented_control 1002");
            CHECK(us.says() == bytes("88 02 03EA"));
        }
}

TEMPLATE_TEST_CASE("empty fragments are legal first, in the middle and last",
                   "[protocol][6455:5.4][C84][C93][S12]", client_protocol, server_protocol) {
    CHECK(endpoint<TestType>().hears("01 00  80 01 61") == "text a");
    CHECK(endpoint<TestType>().hears("01 01 61  00 00  80 01 62") ==
          "text(first) a | text(last) b");
    CHECK(endpoint<TestType>().hears("01 01 61  80 00") == "text(first) a | text(last)");
    CHECK(endpoint<TestType>().hears("01 00  00 00  00 00  80 00") == "text");
    CHECK(endpoint<TestType>().hears("02 00  80 00") == "binary");
}

TEMPLATE_TEST_CASE("a protocol cut off anywhere in an empty frame's header goes on",
                   "[protocol][6455:5.2][C84][S12]", client_protocol, server_protocol) {
    for (const char* unmasked : {"81 00", "82 00", "89 00", "8A 00", "88 00"}) {
        const auto         wire = from_peer<TestType>(bytes(unmasked));
        const std::string  whole = endpoint<TestType>().hears_raw(wire);
        for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
            endpoint<TestType> us;
            const auto         at = wire.begin() + static_cast<std::ptrdiff_t>(cut);
            CAPTURE(unmasked, cut);
            const std::string  before = us.hears_raw({wire.begin(), at});
            CHECK(before + us.hears_raw({at, wire.end()}) == whole);
        }
    }
}

TEMPLATE_TEST_CASE("frame boundaries, empty fragments and pings change nothing of a message",
                   "[protocol][6455:6.2][C92]", client_protocol, server_protocol) {
    const std::string message =
        "Ceci n'est pas une trame: \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 "
        "\xe0\xa4\xa8\xe0\xa4\xbe\xe0\xa4\xb5 end";
    const std::string wanted  = "<text>" + message + "<end>";
    for (std::size_t size = 1; size <= message.size(); ++size)
        for (const bool empty_ones : {false, true})
            for (const bool pings : {false, true}) {
                CAPTURE(size, empty_ones, pings);
                CHECK(told<TestType>(in_fragments(message, size, empty_ones, pings)) == wanted);
            }
}

TEMPLATE_TEST_CASE("the message limit holds to the byte in one frame",
                   "[protocol][6455:10.4][C82][S1][S65]", client_protocol, server_protocol) {
    for (const std::uint64_t most : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{125},
                                     std::uint64_t{126}, std::uint64_t{65'536}}) {
        const limits bounds = with_message_size(most);
        for (const std::uint64_t size : {most == 0 ? most : most - 1, most, most + 1}) {
            CAPTURE(most, size);
            endpoint<TestType> us({}, bounds);
            const std::string heard =
                us.hears(frame(0x82, byte_vector(static_cast<std::size_t>(size))));
            CHECK(heard.starts_with(size <= most ? "binary" : "failed message_too_big 1009"));
            CHECK(us.says() == bytes(size <= most ? "" : "88 02 03F1"));
        }
    }
}

TEMPLATE_TEST_CASE("the message limit holds for the sum of the fragments",
                   "[protocol][6455:10.4][C82][S17]", client_protocol, server_protocol) {
    const limits bounds = with_message_size(10);
    for (const std::size_t last : {4u, 5u, 6u}) {
        endpoint<TestType> us({}, bounds);
        us.hears(frame(0x02, byte_vector(3)));
        us.hears(frame(0x00, byte_vector(2)));
        const std::string heard = us.hears(frame(0x80, byte_vector(last)));
        CHECK(heard.starts_with(last <= 5 ? "binary(last)" : "failed message_too_big 1009"));
    }
}

TEMPLATE_TEST_CASE("the message limit is for each message anew", "[protocol][6455:10.4][C82]",
                   client_protocol, server_protocol) {
    const limits       bounds = with_message_size(3);
    endpoint<TestType> us({}, bounds);
    for (int i = 0; i < 3; ++i)
        CHECK(us.hears("01 02 6162  80 01 63") == "text(first) ab | text(last) c");
}

TEMPLATE_TEST_CASE("a declared length beyond the limit is refused before a byte of the payload",
                   "[protocol][6455:10.4][C82][C157][S15]", client_protocol, server_protocol) {
    const limits bounds = with_message_size(1'000);
    for (const unsigned first : {0x81u, 0x82u, 0x01u, 0x02u}) {
        endpoint<TestType> us({}, bounds);
        CHECK(us.hears(header(first, 1'001)) == "failed message_too_big 1009");
    }
    endpoint<TestType> us({}, bounds);
    us.hears(frame(0x02, byte_vector(999)));
    CHECK(us.hears(header(0x80, 2)) == "failed message_too_big 1009");
}

TEMPLATE_TEST_CASE("control frames do not count against the message limits", "[protocol][C82][C83]",
                   client_protocol, server_protocol) {
    limits bounds        = with_message_size(2);
    bounds.max_fragments = 2;
    endpoint<TestType> us({}, bounds);
    CHECK(us.hears("02 01 61  89 03 616263  8A 03 616263  89 03 616263  80 01 62") ==
          "binary(first) a | ping abc | pong abc | ping abc | binary(last) b");
}

TEMPLATE_TEST_CASE("fragments are counted up to their limit, empty ones too",
                   "[protocol][6455:10.4][C83][S18][S65]", client_protocol, server_protocol) {
    for (const std::uint32_t most : {1u, 2u, 3u, 100u})
        for (const unsigned sent : {most - 1, most, most + 1})
            for (const bool empty : {false, true}) {
                if (sent == 0) continue;
                CAPTURE(most, sent, empty);
                const limits       bounds = with_fragments(most);
                endpoint<TestType> us({}, bounds);
                std::string        heard;
                for (unsigned i = 0; i < sent; ++i)
                    heard = us.hears(frame((i == 0 ? 0x02u : 0u) | (i + 1 == sent ? 0x80u : 0u),
                                           empty ? "" : "x"));
                CHECK(
                    heard.starts_with(sent <= most ? "binary" : "failed too_many_fragments 1008"));
                CHECK(us.says() == bytes(sent <= most ? "" : "88 02 03F0"));
            }
}

TEMPLATE_TEST_CASE("fragments are counted for each message anew", "[protocol][6455:10.4][C83]",
                   client_protocol, server_protocol) {
    const limits       bounds = with_fragments(2);
    endpoint<TestType> us({}, bounds);
    for (int i = 0; i < 3; ++i) CHECK(us.hears("02 00  80 01 61") == "binary a");
}

// A receive call takes all that says nothing, so the count of calls is the count of events: a flood costs one look at
// each frame and keeps nothing.
TEMPLATE_TEST_CASE("a flood of tiny fragments costs a step each and ends at the limit",
                   "[protocol][C83][C157][C158][C161][S18]", client_protocol, server_protocol) {
    const bool   empty  = GENERATE(false, true);
    const auto   middle = from_peer<TestType>(frame(0x00, empty ? "" : "x"));
    byte_vector  batch;
    for (int i = 0; i < 1'000; ++i) batch = concat(batch, middle);

    TestType    ws;
    buffer      out;
    auto        head = from_peer<TestType>(frame(0x02, "x"));
    byte_span   in{head};
    REQUIRE(to_text(ws.receive(in, out)) == "binary(first) x");
    std::size_t calls = 0, events = 0, frames = 1;
    errc        ended{};
    while (ended == errc{} && frames < 1'000'000) {
        auto copy = batch;
        in        = copy;
        while (!in.empty()) {
            ++calls;
            const event e = ws.receive(in, out);
            if (e) ++events;
            if (e.type == event_type::failed) {
                ended = e.error;
                break;
            }
        }
        frames += 1'000;
    }
    CHECK(ended == errc::too_many_fragments);
    CHECK(frames == 132'001);
    CHECK(events == (empty ? 1u : 131'072u));
    CHECK(calls == (empty ? 132u : 131'072u));
    CHECK(out.capacity() <= 256);
}
