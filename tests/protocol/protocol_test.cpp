#include <navette/protocol/protocol.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/endpoint.hpp"
#include "support/toy_extension.hpp"

#include <type_traits>

using namespace navette;

// What DESIGN.md promises of the types.
static_assert(sizeof(server_protocol) <= 192 && sizeof(client_protocol) <= 208);
static_assert(std::is_nothrow_move_constructible_v<server_protocol> &&
              std::is_nothrow_move_assignable_v<client_protocol>);
static_assert(!std::is_copy_constructible_v<server_protocol> &&
              !std::is_copy_constructible_v<client_protocol>);
static_assert(std::is_constructible_v<server_protocol, const agreement&, const limits&>);
static_assert(!std::is_constructible_v<server_protocol, const agreement&, limits>,
              "limits are held by pointer");
static_assert(!std::is_constructible_v<client_protocol, const agreement&, limits, entropy>);

TEMPLATE_TEST_CASE("no function of a protocol can throw", "[protocol][C164][S42]", client_protocol,
                   server_protocol) {
    TestType   ws;
    buffer     out;
    byte_span  in;
    const bool  never_throws[] = {
        noexcept(TestType()),
        noexcept(TestType(agreement{}, default_limits)),
        noexcept(ws.receive(in, out)),
        noexcept(ws.receive_whole(in, out)),
        noexcept(ws.receive_eof(out)),
        noexcept(ws.send(opcode::text, "x", fin::yes, out)),
        noexcept(ws.send(opcode::text, const_byte_span{}, fin::yes, out, compress::never)),
        noexcept(ws.ping({}, out)),
        noexcept(ws.pong({}, out)),
        noexcept(ws.close(close_code::normal, {}, out)),
        noexcept(ws.fail(errc::misuse, out)),
        noexcept(ws.begin_frame(opcode::text, 1, fin::yes, out)),
        noexcept(ws.end_frame()),
        noexcept(ws.send_prepared(true)),
        noexcept(ws.answer_pings(true)),
        noexcept(ws.payload_remaining()),
        noexcept(ws.state()),
        noexcept(ws.transport(out)),
    };
    for (const bool held : never_throws) CHECK(held);
}

TEST_CASE("a server reads the RFC's masked Hello", "[protocol][6455:5.7][C71][C80][server]") {
    endpoint<server_protocol> us;
    CHECK(us.hears_raw(bytes("81 85 37fa213d 7f9f4d5158")) == "text Hello");
    CHECK(us.out.empty());
}

TEST_CASE("a client reads the RFC's unmasked Hello", "[protocol][6455:5.7][C71][client]") {
    endpoint<client_protocol> us;
    CHECK(us.hears_raw(bytes("81 05 48656c6c6f")) == "text Hello");
    CHECK(us.out.empty());
}

TEMPLATE_TEST_CASE("several frames of one read come one by one", "[protocol][6455:6.2][C81]",
                   client_protocol, server_protocol) {
    endpoint<TestType> us;
    CHECK(us.hears("81 01 61  82 02 0001  8A 00  81 00  82 01 ff") ==
          "text a | binary 0x0001 | pong | text | binary 0xff");
}

TEMPLATE_TEST_CASE("bytes left in the input are untouched and may be given later",
                   "[protocol][C81]", client_protocol, server_protocol) {
    TestType  ws;
    buffer    out;
    auto      wire = from_peer<TestType>(bytes("81 03 616263  82 03 010203"));
    const auto before = wire;
    byte_span in{wire};
    CHECK(to_text(ws.receive(in, out)) == "text abc");
    REQUIRE(in.size() == wire.size() / 2);
    CHECK(bytes(in) == bytes(const_byte_span(before).last(in.size())));

    auto parked = bytes(in);
    in          = parked;
    CHECK(to_text(ws.receive(in, out)) == "binary 0x010203");
    CHECK(in.empty());
}

TEMPLATE_TEST_CASE("a payload that lies whole in the input is a view of it", "[protocol][6455:6.2]",
                   client_protocol, server_protocol) {
    TestType  ws;
    buffer    out;
    auto      wire = from_peer<TestType>(bytes("81 03 616263  89 01 64"));
    byte_span in{wire};
    const event text = ws.receive(in, out);
    CHECK(text.payload.data() + text.payload.size() == in.data());
    const event ping = ws.receive(in, out);
    CHECK(ping.payload.data() == &wire.back());
}

TEMPLATE_TEST_CASE("receive_whole takes a message that lies whole in the input, as receive does", "[protocol][6455:6.2]",
                   client_protocol, server_protocol) {
    TestType  ws;
    buffer    out;
    auto      wire = from_peer<TestType>(concat(frame(0x81, "abc"), frame(0x82, std::string(65'535, 'x')), bytes("81 00  8A 00")));
    byte_span in{wire};
    const auto text = ws.receive_whole(in, out);
    REQUIRE(text);
    CHECK(text.type == opcode::text);
    CHECK(as_text(text.payload) == "abc");
    const auto binary = ws.receive_whole(in, out);
    REQUIRE(binary);
    CHECK(binary.type == opcode::binary);
    CHECK(as_text(binary.payload) == std::string(65'535, 'x'));
    const auto empty = ws.receive_whole(in, out);
    REQUIRE(empty);
    CHECK(empty.type == opcode::text);
    CHECK(empty.payload.empty());
    CHECK_FALSE(ws.receive_whole(in, out));
    CHECK(ws.receive(in, out).type == event_type::pong);
}

TEMPLATE_TEST_CASE("receive_whole leaves all as it was before anything else", "[protocol][6455:6.2]", client_protocol,
                   server_protocol) {
    const auto [what, unmasked] = GENERATE(table<const char*, byte_vector>({
        {"nothing", {}},
        {"a byte", bytes("81")},
        {"a frame that is cut short", bytes("81 03 6162")},
        {"a first fragment", bytes("01 01 61")},
        {"a continuation that nothing begins", bytes("80 01 61")},
        {"a ping", bytes("89 01 61")},
        {"a Close", bytes("88 02 03E8")},
        {"a reserved opcode", bytes("83 01 61")},
        {"a reserved bit", bytes("C1 01 61")},
        {"text that is not UTF-8", bytes("81 03 61C328")},
        {"text that ends within a character", bytes("81 02 61C3")},
        {"a length that is too long", bytes("81 7E 0003 616263")},
        {"64 KiB", frame(0x82, std::string(65'536, 'x'))},
    }));
    CAPTURE(what);
    TestType   ws, other;
    buffer     out, other_out;
    auto       wire   = from_peer<TestType>(unmasked);
    const auto before = wire;
    byte_span  in{wire};
    CHECK_FALSE(ws.receive_whole(in, out));
    CHECK(in.data() == wire.data());
    CHECK(in.size() == wire.size());
    CHECK(wire == before);
    CHECK(out.empty());

    auto      copy = before;
    byte_span rest{copy};
    CHECK(to_text(ws.receive(in, out)) == to_text(other.receive(rest, other_out)));
    CHECK(in.size() == rest.size());
}

TEMPLATE_TEST_CASE("receive_whole waits for room for a reply, and takes nothing within a message or behind the end",
                   "[protocol][6455:6.2]", client_protocol, server_protocol) {
    const auto whole = from_peer<TestType>(bytes("81 01 61"));
    SECTION("no room") {
        TestType  ws;
        std::byte few[TestType::reply_room - 1];
        buffer    out{byte_span(few)};
        auto      wire = whole;
        byte_span in{wire};
        CHECK_FALSE(ws.receive_whole(in, out));
        CHECK(wire == whole);
    }
    SECTION("within a message") {
        TestType  ws;
        buffer    out;
        auto      begun = from_peer<TestType>(bytes("01 01 61"));
        byte_span first{begun};
        CHECK(ws.receive(first, out).is_message());
        auto      wire = whole;
        byte_span in{wire};
        CHECK_FALSE(ws.receive_whole(in, out));
        CHECK(ws.receive(in, out).error == errc::expected_continuation);
    }
    SECTION("behind the end") {
        TestType  ws;
        buffer    out;
        auto      last = from_peer<TestType>(bytes("88 00"));
        byte_span first{last};
        CHECK(ws.receive(first, out).type == event_type::close);
        auto      wire = whole;
        byte_span in{wire};
        CHECK_FALSE(ws.receive_whole(in, out));
        CHECK(wire == whole);
    }
}

// The RSV bits and opcodes, each with and without an extension; 5.2 is silent only where the answer is here.
TEMPLATE_TEST_CASE("of 8 x 16 RSV bits and opcodes only those with a meaning pass",
                   "[protocol][6455:5.2][C69][C70][S46][S47]", client_protocol, server_protocol) {
    const toy::extension xored;
    const bool           extended = GENERATE(false, true);
    const bool           within   = GENERATE(false, true);   // a fragmented message
    int                  passed   = 0;
    for (unsigned rsv = 0; rsv < 8; ++rsv)
        for (unsigned op = 0; op < 16; ++op) {
            CAPTURE(extended, within, rsv, op);
            endpoint<TestType> us(extended ? xored.agreed() : agreement{});
            if (within) REQUIRE(us.hears("02 01 31") == "binary(first) 1");
            const std::string heard = us.hears(frame(0x80 | rsv << 4 | op, ""));

            const bool reserved = (op >= 3 && op <= 7) || op >= 0xb;
            const bool marked   = rsv == 4 && extended && (op == 1 || op == 2);
            const bool misplaced = op == 0 ? !within : op < 3 && within;
            const char* wanted  = reserved              ? "failed reserved_opcode 1002"
                                  : rsv != 0 && !marked ? "failed reserved_bits 1002"
                                  : misplaced && within ? "failed expected_continuation 1002"
                                  : misplaced           ? "failed unexpected_continuation 1002"
                                  : op == 0             ? "binary(last)"
                                  : op == 1             ? "text"
                                  : op == 2             ? "binary"
                                  : op == 8             ? "close 1005"
                                  : op == 9             ? "ping"
                                                        : "pong";
            CHECK(heard == wanted);
            const bool fails = heard.starts_with("failed");
            CHECK(us.says() == bytes(fails     ? "88 02 03EA"
                                     : op == 8 ? "88 00"
                                     : op == 9 ? "8A 00"
                                               : ""));
            passed += !fails;
        }
    CHECK(passed == (within ? 4 : 5) + (extended && !within ? 2 : 0));
}

TEST_CASE("a server fails the connection on every frame that is not masked",
          "[protocol][6455:5.1][C77][S44][server]") {
    for (const unsigned op : {0x0u, 0x1u, 0x2u, 0x8u, 0x9u, 0xau})
        for (const unsigned length : {0u, 1u, 125u, 126u, 65'536u}) {
            if (op >= 8 && length > 125) continue;
            CAPTURE(op, length);
            endpoint<server_protocol> us;
            if (op == 0) REQUIRE(us.hears("01 00") == "");
            CHECK(us.hears_raw(frame(0x80 | op, byte_vector(length))) ==
                  "failed unmasked_client_frame 1002");
            CHECK(us.says() == bytes("88 02 03EA"));
        }
}

TEST_CASE("a client fails the connection on every frame that is masked",
          "[protocol][6455:5.1][C78][S44][client]") {
    for (const unsigned op : {0x0u, 0x1u, 0x2u, 0x8u, 0x9u, 0xau})
        for (const unsigned length : {0u, 1u, 125u, 126u, 65'536u}) {
            if (op >= 8 && length > 125) continue;
            CAPTURE(op, length);
            endpoint<client_protocol> us;
            if (op == 0) REQUIRE(us.hears("01 00") == "");
            CHECK(us.hears_raw(masked(frame(0x80 | op, byte_vector(length)))) ==
                  "failed masked_server_frame 1002");
            CHECK(us.says() == bytes("88 02 03EA"));
        }
}

TEMPLATE_TEST_CASE("a payload of every boundary length is read whole",
                   "[protocol][6455:5.2][C71][C84][S12]", client_protocol, server_protocol) {
    for (const std::size_t length : {0u, 1u, 125u, 126u, 127u, 65'535u, 65'536u, 65'537u}) {
        CAPTURE(length);
        byte_vector payload(length);
        for (std::size_t i = 0; i < length; ++i) payload[i] = static_cast<std::byte>(i * 7 % 251);
        auto      wire = from_peer<TestType>(frame(0x82, payload));
        TestType  ws;
        buffer    out;
        byte_span in{wire};
        const event e = ws.receive(in, out);
        CHECK((e.type == event_type::binary && e.first && e.last && in.empty()));
        CHECK(bytes(e.payload) == payload);
    }
}

TEMPLATE_TEST_CASE("a length that is not in its shortest form fails the connection",
                   "[protocol][6455:5.2][C74]", client_protocol, server_protocol) {
    for (unsigned length = 0; length < 126; ++length) {
        endpoint<TestType> us;
        CHECK(us.hears(concat(bytes("82 7E 00"), byte_vector{static_cast<std::byte>(length)},
                              byte_vector(length))) == "failed non_minimal_length 1002");
    }
    for (const unsigned length : {0u, 1u, 125u, 126u, 255u, 256u, 65'534u, 65'535u}) {
        endpoint<TestType> us;
        const byte_vector  low = close_payload(length);
        CHECK(us.hears(concat(bytes("82 7F 000000000000"), low)) ==
              "failed non_minimal_length 1002");
        CHECK(us.says() == bytes("88 02 03EA"));
    }
}

TEMPLATE_TEST_CASE("each single bit of a 64-bit length counts",
                   "[protocol][6455:5.2][C71][C72][S1][S2][S3][S5][S7][S9]", client_protocol,
                   server_protocol) {
    const bool bounded = GENERATE(false, true);
    limits     none;
    none.max_message_size = static_cast<std::uint64_t>(-1);
    for (unsigned bit = 16; bit < 64; ++bit)
        for (const bool continues : {false, true}) {
            CAPTURE(bounded, bit, continues);
            endpoint<TestType> us({}, bounded ? default_limits : none);
            if (continues) REQUIRE(us.hears("02 01 31") == "binary(first) 1");
            const std::uint64_t length = std::uint64_t{1} << bit;
            const std::string heard =
                us.hears(concat(header(continues ? 0x80 : 0x82, length), bytes("00")));
            const std::uint64_t most   = default_limits.max_message_size - (continues ? 1 : 0);
            if (bit == 63) {
                CHECK(heard == "failed length_overflow 1002");
            } else if (bounded && length > most) {
                CHECK(heard == "failed message_too_big 1009");
            } else {
                CHECK(heard == (continues ? "binary(middle) 0x00" : "binary(first) 0x00"));
                CHECK(us.ws.payload_remaining() == length - 1);
            }
        }
}

TEMPLATE_TEST_CASE("lengths at the end of 64 bits pass no limit",
                   "[protocol][6455:5.2][C72][S1][S3][S4][S6]", client_protocol, server_protocol) {
    const auto length = GENERATE(0x7fffffffffffffffu, 0x8000000000000000u, 0xffffffffffffffffu,
                                 0xfffffffffffffff1u);
    for (const std::uint64_t most :
         {std::uint64_t{0}, std::uint64_t{1}, static_cast<std::uint64_t>(-1)})
        for (const bool continues : {false, true}) {
            CAPTURE(length, most, continues);
            limits bounds;
            bounds.max_message_size = most;
            endpoint<TestType> us({}, bounds);
            if (continues) REQUIRE(us.hears("02 00") == "");
            const std::string heard = us.hears(header(continues ? 0x80 : 0x82, length));
            if (length >> 63 != 0)
                CHECK(heard == "failed length_overflow 1002");
            else if (most <= 1)
                CHECK(heard == "failed message_too_big 1009");
            else
                CHECK((heard.empty() && us.ws.payload_remaining() == length));
        }
}

TEST_CASE("the vector that once overflowed an addition of lengths is refused",
          "[protocol][S4][server]") {
    endpoint<server_protocol> us;
    CHECK(us.hears_raw(bytes("83 ff ffffffffffffffff 01020304")) == "failed reserved_opcode 1002");
    endpoint<server_protocol> again;
    CHECK(again.hears_raw(bytes("82 ff ffffffffffffffff 01020304")) ==
          "failed length_overflow 1002");
}

TEST_CASE("a server unmasks a payload cut at any two places, whole frames or fragments",
          "[protocol][6455:5.3][C80][S14][S45][server]") {
    std::string message(67, ' ');
    for (std::size_t i = 0; i < message.size(); ++i) message[i] = static_cast<char>('!' + i);
    const masking_key key{std::byte{0x81}, std::byte{0x00}, std::byte{0xff}, std::byte{0x7e}};
    for (std::size_t cut = 0; cut <= message.size(); ++cut)
        for (std::size_t second = cut; second <= message.size(); second += 3) {
            endpoint<server_protocol> us;
            const std::string_view    text = message;
            auto wire                      = concat(masked(frame(0x01, text.substr(0, cut)), key),
                                                    masked(frame(0x80, text.substr(cut)), key));
            const std::size_t at = second + 6;   // behind a header
            std::string       all;
            const auto        hear = [&](const_byte_span piece) {
                auto      copy = bytes(piece);
                byte_span in{copy};
                while (const event e = us.ws.receive(in, us.out)) all += e.text();
            };
            hear(const_byte_span(wire).first(at));
            hear(const_byte_span(wire).subspan(at));
            if (all != message) FAIL("cut at " << cut << " and " << second);
        }
    CHECK(message.size() == 67);
}

TEST_CASE("a client writes to no byte of its input", "[protocol][6455:5.1][client]") {
    const auto wire =
        bytes("01 03 c3a9e2  00 02 8080  89 02 6869  80 01 21  82 02 ff00  88 05 03E8 627965");
    endpoint<client_protocol> us;   // hears() compares the input with what it was
    CHECK(us.hears(wire) ==
          "text(first) 0xc3a9e2 | text(middle) 0x8080 | ping hi | text(last) ! | binary 0xff00 | "
          "close 1000 bye");
}

TEMPLATE_TEST_CASE("a moved protocol goes on in the middle of everything", "[protocol]",
                   client_protocol, server_protocol) {
    const toy::extension xored;
    const auto wire =
        from_peer<TestType>(concat(frame(0xc1, xored.on_wire("weft and warp")),
                                   frame(0x89, "still there"), bytes("81 04 77617270")));
    for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
        CAPTURE(cut);
        auto first = bytes(const_byte_span(wire).first(cut)),
             rest  = bytes(const_byte_span(wire).subspan(cut));
        std::string      text, ping;
        buffer           out;
        const auto hear = [&](TestType& ws, byte_span in) {
            while (const event e = ws.receive(in, out))
                (e.type == event_type::ping ? ping : text) += e.text();
        };
        TestType begun(xored.agreed());
        hear(begun, first);
        TestType moved(std::move(begun));
        TestType assigned;
        assigned = std::move(moved);
        hear(assigned, rest);
        CHECK(text == "weft and warpwarp");
        CHECK(ping == "still there");
        CHECK(assigned.send(opcode::text, "x", fin::yes, out) == errc{});
    }
    CHECK(xored.count().alive() == 0);
}

TEMPLATE_TEST_CASE("payload_remaining counts the bytes of the plain data frame that are to come",
                   "[protocol]", client_protocol, server_protocol) {
    endpoint<TestType> us;
    CHECK(us.ws.payload_remaining() == 0);
    CHECK(us.hears(header(0x82, 100'000)) == "");
    CHECK(us.ws.payload_remaining() == 100'000);

    auto      piece = from_peer<TestType>(concat(header(0x82, 100'000), byte_vector(1'000)));
    byte_span payload = byte_span(piece).last(1'000);
    const event e = us.ws.receive(payload, us.out);
    CHECK((e.first && !e.last && e.payload.size() == 1'000));
    CHECK(e.payload.data() == piece.data() + piece.size() - 1'000);
    CHECK(us.ws.payload_remaining() == 99'000);
}

TEMPLATE_TEST_CASE(
    "payload_remaining is 0 in control frames, for a transformed message and once nothing is "
    "parsed",
    "[protocol]", client_protocol, server_protocol) {
    const toy::extension xored;
    endpoint<TestType>   us(xored.agreed());
    CHECK(us.hears("89 05 61") == "");
    CHECK(us.ws.payload_remaining() == 0);
    CHECK(us.hears_raw(byte_vector(4)) != "");
    endpoint<TestType> coded(xored.agreed());
    CHECK(coded.hears("C2 05 61") == "binary(first) ;");
    CHECK(coded.ws.payload_remaining() == 0);
    endpoint<TestType> failed;
    CHECK(failed.hears("81 05 61ff") == "failed invalid_utf8 1007");
    CHECK(failed.ws.payload_remaining() == 0);
}

TEMPLATE_TEST_CASE("the default limits hold by value", "[protocol][C82][S16]", client_protocol,
                   server_protocol) {
    endpoint<TestType> us;
    CHECK(us.hears(header(0x82, 16'777'216)) == "");
    endpoint<TestType> beyond;
    CHECK(beyond.hears(header(0x82, 16'777'217)) == "failed message_too_big 1009");
    CHECK(default_limits.max_fragments == 131'072);
    CHECK(default_limits.max_pongs == 65'536);
    CHECK(default_limits.max_output == 16'777'216);
}

namespace {

struct broken_rule {
    const char* wire;       // unmasked frames
    const char* error;
    const char* broken_by;  // of a header, without its masking key
    bool        in_header;
};

constexpr broken_rule broken_rules[] = {
    {"C1 01 61",             "reserved_bits",           "C1 01",    true},
    {"83 00",                "reserved_opcode",         "83 00",    true},
    {"09 00",                "fragmented_control",      "09 00",    true},
    {"89 7E 007E",           "control_too_long",        "89 7E",    true},
    {"82 7E 0005 0102030405", "non_minimal_length",     "82 7E 0005", true},
    {"82 7F 8000000000000000", "length_overflow",       "82 7F 80", true},
    {"80 00",                "unexpected_continuation", "80 00",    true},
    {"01 01 61 81 01 62",    "expected_continuation",   "81 01",    true},
    {"82 7F 0000000010000000", "message_too_big",       "82 7F 0000000010000000", true},
    {"88 01 03",             "invalid_close_payload",   "03",       false},
    {"88 04 03EE 6869",      "invalid_close_code",      "03EE 6869", false},
    {"88 05 03E8 61C328",    "invalid_utf8",            "C328",     false},
    {"88 04 03E8 61C3",      "invalid_utf8",            "C3",       false},
    {"81 05 6162FF6364",     "invalid_utf8",            "FF",       false},
    {"81 04 61E28228",       "invalid_utf8",            "E28228",   false},
    {"81 04 61E282AC 81 03 61E282", "invalid_utf8",     "E282",     false},
    {"81 05 61C3A980 62",    "invalid_utf8",            "C3A980",   false},
    {"81 04 F0808080",       "invalid_utf8",            "F080",     false},
};

} // namespace

TEMPLATE_TEST_CASE("a failure has the bytes that broke the rule, and keeps them when the input is gone",
                   "[protocol][6455:7.1.7]", client_protocol, server_protocol) {
    for (const broken_rule& rule : broken_rules) {
        CAPTURE(rule.wire, rule.error);
        byte_vector wire     = from_peer<TestType>(bytes(rule.wire));
        byte_vector expected = bytes(rule.broken_by);
        if (rule.in_header && role_of<TestType> == role::server) expected[1] |= std::byte{0x80};

        endpoint<TestType> us;
        byte_span          in(wire);
        event              e;
        do e = us.ws.receive(in, us.out);
        while (e && e.type != event_type::failed);
        std::fill(wire.begin(), wire.end(), std::byte{0xdd});
        REQUIRE(e.type == event_type::failed);
        CHECK(std::string(facts(e.error).name) == rule.error);
        CHECK(e.payload.size() <= 14);
        REQUIRE(e.payload.size() >= expected.size());
        CHECK(bytes(const_byte_span(e.payload).first(expected.size())) == expected);
        CHECK(bytes(us.ws.broken_by()) == bytes(const_byte_span(e.payload)));
        if (!rule.in_header) CHECK(e.payload.size() == expected.size());
    }
}

TEMPLATE_TEST_CASE("a failure has the bytes that broke the rule, when they come one by one",
                   "[protocol][6455:7.1.7]", client_protocol, server_protocol) {
    for (const broken_rule& rule : broken_rules) {
        CAPTURE(rule.wire, rule.error);
        const byte_vector  wire = from_peer<TestType>(bytes(rule.wire));
        endpoint<TestType> us;
        for (const std::byte each : wire) {
            std::byte one = each;
            byte_span in(&one, 1);
            CHECK(us.ws.broken_by().empty());
            if (us.ws.receive(in, us.out).type == event_type::failed) break;
        }
        const byte_vector broken_by = bytes(us.ws.broken_by());
        REQUIRE_FALSE(broken_by.empty());
        byte_vector expected = bytes(rule.broken_by);
        if (rule.in_header && role_of<TestType> == role::server) expected[1] |= std::byte{0x80};
        // Of a header as much as had come; of a byte behind a whole character not that character.
        const auto n = static_cast<std::ptrdiff_t>(std::min(broken_by.size(), expected.size()));
        if (rule.in_header) CHECK(std::equal(broken_by.begin(), broken_by.begin() + n, expected.begin()));
        else CHECK(broken_by == byte_vector(expected.end() - n, expected.end()));
    }
}

TEMPLATE_TEST_CASE("a character that fails has all its bytes, however it is cut into fragments", "[protocol][6455:8.1]",
                   client_protocol, server_protocol) {
    const auto [text, broken_by] = GENERATE(table<const char*, const char*>({
        {"F09F98", "F09F98"},        // ends too early
        {"61C3", "C3"},
        {"C3A9E282", "E282"},
        {"F09F9828", "F09F9828"},    // a byte that does not go on
        {"61E28228", "E28228"},
        {"C328", "C328"},
        {"F09F98C3", "F09F98C3"},
        {"E2FF", "E2FF"},
        {"ED9FBFEDA0", "EDA0"},      // one that must not
    }));
    const byte_vector all = bytes(text);
    const toy::extension xored;
    for (unsigned cuts = 0; cuts < 1u << all.size(); ++cuts)
        for (const bool coded : {false, true}) {
            CAPTURE(text, cuts, coded);
            const auto on_wire = [&](const byte_vector& piece) { return coded ? xored.on_wire(as_text(piece)) : piece; };
            byte_vector        wire, piece;
            unsigned           first = coded ? 0x41 : 0x01;
            for (std::size_t i = 0; i < all.size(); ++i) {
                piece.push_back(all[i]);
                if ((cuts >> i & 1) == 0) continue;
                wire  = concat(wire, frame(first, on_wire(piece)));
                first = 0;
                piece.clear();
            }
            wire = from_peer<TestType>(concat(wire, frame(first | 0x80, on_wire(piece))));

            endpoint<TestType> us(coded ? xored.agreed() : agreement{});
            byte_span          in(wire);
            event              e;
            do e = us.ws.receive(in, us.out);
            while (e && e.type != event_type::failed);
            REQUIRE(e.type == event_type::failed);
            CHECK(e.error == errc::invalid_utf8);
            CHECK(bytes(us.ws.broken_by()) == bytes(broken_by));
        }
}

TEMPLATE_TEST_CASE("what fails by time or by the end has no bytes, even within a header", "[protocol]", client_protocol,
                   server_protocol) {
    for (const bool by_time : {false, true}) {
        endpoint<TestType> us;
        CHECK(us.hears_raw(bytes("82")) == "");
        const event e = by_time ? us.ws.fail(errc::pong_timeout, us.out) : us.ws.receive_eof(us.out);
        CHECK(e.type == event_type::failed);
        CHECK(e.payload.empty());
        CHECK(us.ws.broken_by().empty());
    }
}
