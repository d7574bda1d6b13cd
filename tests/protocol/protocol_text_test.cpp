#include <navette/protocol/protocol.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/endpoint.hpp"

using namespace navette;

namespace {

// RFC 3629, 3.
std::string encoded(unsigned c) {
    const auto byte = [](unsigned b) { return static_cast<char>(static_cast<unsigned char>(b)); };
    if (c < 0x80) return {byte(c)};
    if (c < 0x800) return {byte(0xc0 | c >> 6), byte(0x80 | (c & 63))};
    if (c < 0x10000)
        return {byte(0xe0 | c >> 12), byte(0x80 | (c >> 6 & 63)), byte(0x80 | (c & 63))};
    return {byte(0xf0 | c >> 18), byte(0x80 | (c >> 12 & 63)), byte(0x80 | (c >> 6 & 63)),
            byte(0x80 | (c & 63))};
}

struct bad_text {
    const char* hex;
    int impossible; // index of the first byte that cannot be there; -1: the end of the message
};

const bad_text bad_texts[] = {
    {"80", 0},
    {"bf", 0},
    {"c0", 0},
    {"c1 bf", 0},
    {"f5", 0},
    {"ff", 0},
    {"fe", 0},
    {"61 80", 1},
    {"c3 28", 1},
    {"c3 c3", 1},
    {"e0 9f bf", 1},
    {"ed a0 80", 1},
    {"ed bf bf", 1},
    {"f0 8f bf bf", 1},
    {"f4 90 80 80", 1},
    {"e2 28 a1", 1},
    {"e2 82 28", 2},
    {"f0 90 28 bc", 2},
    {"f0 90 8c 28", 3},
    {"ce ba e1 bd b9 cf 83 ce bc ce b5 f4 90 80 80 65", 12},
    {"30313233343536373839616263646566 ff 30", 16},
    {"c3", -1},
    {"e2", -1},
    {"e2 82", -1},
    {"f0 9f", -1},
    {"f0 9f 98", -1},
    {"61 c3", -1},
};

} // namespace

TEMPLATE_TEST_CASE("a text with every scalar value passes, cut into fragments of any size",
                   "[protocol][6455:8.1][C101][C103][C107][S51]", client_protocol,
                   server_protocol) {
    std::string all;
    for (unsigned c = 0; c < 0x110000; ++c)
        if (c < 0xd800 || c > 0xdfff) all += encoded(c);
    for (const std::size_t size :
         {std::size_t{5}, std::size_t{127}, std::size_t{4'097}, std::size_t{65'537}, all.size()}) {
        byte_vector     wire;
        const auto      piece_count = (all.size() + size - 1) / size;
        counted_entropy keys;
        buffer          made;
        limits          bounds;
        bounds.max_fragments = static_cast<std::uint32_t>(piece_count);
        for (std::size_t at = 0; at < all.size(); at += size) {
            const frame_header h{.op    = at == 0 ? opcode::text : opcode::continuation,
                                 .final = static_cast<fin>(at + size >= all.size())};
            const entropy      source = keys.source();
            if (append_frame(h, as_bytes(std::string_view(all).substr(at, size)),
                             role_of<TestType> == role::server ? &source : nullptr, made) != errc{})
                FAIL("no memory");
        }
        TestType    ws({}, bounds);
        buffer      out;
        byte_span   in = made.data();
        std::string heard;
        std::size_t events = 0;
        for (; const event e = ws.receive(in, out); ++events) heard += e.text();
        CHECK(events == piece_count);
        CHECK((heard == all));
        CHECK(ws.state() == connection_state::open);
    }
}

TEMPLATE_TEST_CASE("text that is not UTF-8 fails the connection with 1007",
                   "[protocol][6455:8.1][C101][C102][C104][S51]", client_protocol,
                   server_protocol) {
    for (const bad_text& bad : bad_texts) {
        CAPTURE(bad.hex);
        endpoint<TestType> us;
        CHECK(us.hears(frame(0x81, bytes(bad.hex))) == "failed invalid_utf8 1007");
        CHECK(us.says() == bytes("88 02 03EF"));
    }
}

TEMPLATE_TEST_CASE("a text fails at its first impossible byte, wherever it is cut into fragments",
                   "[protocol][6455:8.1][C103][C105][S51]", client_protocol, server_protocol) {
    for (const bad_text& bad : bad_texts) {
        const auto text = bytes(bad.hex);
        for (std::size_t cut = 0; cut <= text.size(); ++cut) {
            CAPTURE(bad.hex, cut);
            endpoint<TestType> us;
            const auto         at     = const_byte_span(text);
            const std::string  before = us.hears(frame(0x01, at.first(cut)));
            const bool early =
                bad.impossible >= 0 && static_cast<std::size_t>(bad.impossible) < cut;
            CHECK((before == "failed invalid_utf8 1007") == early);
            if (!early)
                CHECK(us.hears(frame(0x80, at.subspan(cut))).ends_with("failed invalid_utf8 1007"));
            CHECK(us.says() == bytes("88 02 03EF"));
        }
    }
}

TEMPLATE_TEST_CASE("a text fails at its first impossible byte, within a frame that is not whole",
                   "[protocol][6455:8.1][C105]", client_protocol, server_protocol) {
    for (const bad_text& bad : bad_texts) {
        if (bad.impossible < 0) continue;
        CAPTURE(bad.hex);
        const auto         text = bytes(bad.hex);
        const auto         wire = from_peer<TestType>(concat(header(0x81, 1'000), text));
        const std::size_t  head = wire.size() - text.size();
        endpoint<TestType> us;
        for (std::size_t i = 0; i < wire.size(); ++i) {
            const std::string heard = us.hears_raw({wire[i]});
            const bool        fails = i == head + static_cast<std::size_t>(bad.impossible);
            CHECK((heard == "failed invalid_utf8 1007") == fails);
            if (fails) break;
            CHECK_FALSE(heard.starts_with("failed"));
        }
        CHECK(us.ws.state() == connection_state::failed);
    }
}

TEMPLATE_TEST_CASE("binary messages are never checked", "[protocol][6455:5.6][C107]",
                   client_protocol, server_protocol) {
    for (const bad_text& bad : bad_texts) {
        endpoint<TestType> us;
        CHECK(us.hears(frame(0x82, bytes(bad.hex))).starts_with("binary "));
        CHECK(us.out.empty());
    }
}

TEMPLATE_TEST_CASE("noncharacters are text", "[protocol][6455:8.1][C107]", client_protocol,
                   server_protocol) {
    endpoint<TestType> us;
    CHECK(us.hears("81 06 efbfbe efbfbf") == "text 0xefbfbeefbfbf");
    CHECK(us.hears("81 04 f09fbfbf") == "text 0xf09fbfbf");
}

TEMPLATE_TEST_CASE("each text is checked from its own beginning",
                   "[protocol][6455:8.1][C101][C107]", client_protocol, server_protocol) {
    endpoint<TestType> us;
    CHECK(us.hears("02 01 c3  80 01 c3  81 01 61  82 01 e2  81 02 c3a9") ==
          "binary(first) 0xc3 | binary(last) 0xc3 | text a | binary 0xe2 | text 0xc3a9");
}

TEMPLATE_TEST_CASE("text that is not UTF-8 is not sent, and nothing changes",
                   "[protocol][6455:6.1][C108]", client_protocol, server_protocol) {
    for (const bad_text& bad : bad_texts) {
        CAPTURE(bad.hex);
        endpoint<TestType> us;
        CHECK(us.ws.send(opcode::text, bytes(bad.hex), fin::yes, us.out) == errc::unsendable_text);
        CHECK(us.out.empty());
        CHECK(us.ws.send(opcode::binary, bytes(bad.hex), fin::yes, us.out) == errc{});
        CHECK(us.says() == frame(0x82, bytes(bad.hex)));
    }
}

TEMPLATE_TEST_CASE("text to be sent is checked across its fragments",
                   "[protocol][6455:6.1][C103][C108]", client_protocol, server_protocol) {
    endpoint<TestType> us;
    CHECK(us.ws.send(opcode::text, "\xe2", fin::no, us.out) == errc{});
    CHECK(us.ws.send(opcode::continuation, "x", fin::no, us.out) == errc::unsendable_text);
    CHECK(us.ws.send(opcode::continuation, "\x82", fin::yes, us.out) == errc::unsendable_text);
    CHECK(us.ws.send(opcode::continuation, "\x82", fin::no, us.out) == errc{});
    CHECK(us.ws.send(opcode::continuation, "\xac", fin::yes, us.out) == errc{});
    CHECK(us.says() == bytes("01 01 e2  00 01 82  80 01 ac"));
}
