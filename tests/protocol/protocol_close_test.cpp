#include <navette/protocol/protocol.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/endpoint.hpp"

using namespace navette;

namespace {

// RFC 6455, 7.4 and the IANA registry, written out a second time.
bool may_be_received(unsigned code) {
    if (code >= 3000) return code < 5000;
    return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

} // namespace

TEMPLATE_TEST_CASE("a Close is answered by one with its code, once",
                   "[protocol][6455:5.5.1][C114][C120][C121]", client_protocol, server_protocol) {
    endpoint<TestType> us;
    CHECK(us.hears("88 05 03E9 627965") == "close 1001 bye");
    CHECK(us.says() == bytes("88 02 03E9"));
    CHECK(us.ws.state() == connection_state::close_done);
    CHECK(us.hears("88 02 03E8") == "");
    CHECK(us.out.empty());
}

TEMPLATE_TEST_CASE("a Close without a code is answered by one without, and reported as 1005",
                   "[protocol][6455:7.1.5][C110][C114][C120]", client_protocol, server_protocol) {
    endpoint<TestType> us;
    CHECK(us.hears("88 00") == "close 1005");
    CHECK(us.says() == bytes("88 00"));
}

TEMPLATE_TEST_CASE("a Close with a payload of one byte fails the connection",
                   "[protocol][6455:5.5.1][C110][S52]", client_protocol, server_protocol) {
    for (unsigned b = 0; b < 256; ++b) {
        endpoint<TestType> us;
        CHECK(us.hears(frame(0x88, byte_vector{static_cast<std::byte>(b)})) ==
              "failed invalid_close_payload 1002");
        CHECK(us.says() == bytes("88 02 03EA"));
    }
}

TEMPLATE_TEST_CASE("of 65,536 close codes only those that may be sent are taken",
                   "[protocol][6455:7.4][C111][S52]", client_protocol, server_protocol) {
    unsigned taken = 0;
    for (unsigned code = 0; code < 65'536; ++code) {
        endpoint<TestType> us;
        const std::string  heard = us.hears(frame(0x88, close_payload(code)));
        const bool         valid = may_be_received(code);
        const bool         echo  = code != 1010 || role_of<TestType> == role::client;   // 7.4.1
        const bool right =
            heard == (valid ? "close " + std::to_string(code) : "failed invalid_close_code 1002") &&
            us.says() == frame(0x88, close_payload(!valid ? 1002
                                                   : echo ? code
                                                          : 1000));
        if (!right) FAIL("code " << code << ": " << heard);
        taken += valid;
    }
    CHECK(taken == 4 + 8 + 2000);
}

TEMPLATE_TEST_CASE("of 65,536 close codes only those that are fit leave",
                   "[protocol][6455:7.4.1][C112][C113][S52]", client_protocol, server_protocol) {
    unsigned sent = 0;
    for (unsigned code = 1; code < 65'536; ++code) {
        endpoint<TestType> us;
        const bool valid =
            may_be_received(code) && !(code == 1010 && role_of<TestType> == role::server);
        const errc e     = us.ws.close(static_cast<close_code>(code), {}, us.out);
        const bool right = valid ? e == errc{} && us.says() == frame(0x88, close_payload(code))
                                 : e == errc::unsendable_close_code && us.out.empty() &&
                                       us.ws.state() == connection_state::open;
        if (!right) FAIL("code " << code);
        sent += valid;
    }
    CHECK(sent == (role_of<TestType> == role::client ? 2012 : 2011));
}

TEMPLATE_TEST_CASE("a reason is reported as it came, of up to 123 bytes",
                   "[protocol][6455:7.1.6][C121]", client_protocol, server_protocol) {
    for (const std::size_t size : {0u, 1u, 122u, 123u}) {
        endpoint<TestType> us;
        const std::string  reason(size, 'r');
        CHECK(us.hears(frame(0x88, close_payload(3000, reason))) ==
              (size == 0 ? "close 3000" : "close 3000 " + reason));
    }
    endpoint<TestType> us;
    CHECK(us.hears(frame(0x88, close_payload(3000, std::string(124, 'r')))) ==
          "failed control_too_long 1002");
}

TEMPLATE_TEST_CASE("a reason of more than 123 bytes is not sent", "[protocol][6455:5.5][C121]",
                   client_protocol, server_protocol) {
    endpoint<TestType> us;
    CHECK(us.ws.close(close_code::normal, std::string(124, 'r'), us.out) == errc::reason_too_long);
    CHECK((us.out.empty() && us.ws.state() == connection_state::open));
    CHECK(us.ws.close(close_code::normal, std::string(123, 'r'), us.out) == errc{});
    CHECK(us.says() == frame(0x88, close_payload(1000, std::string(123, 'r'))));
}

TEMPLATE_TEST_CASE("a reason that is not UTF-8 fails the connection with 1007",
                   "[protocol][6455:5.5.1][C106][S51]", client_protocol, server_protocol) {
    for (const char* reason :
         {"\xff", "\xc3", "ok\xe2\x82", "\xed\xa0\x80", "\xc0\xaf", "\xf4\x90\x80\x80"}) {
        endpoint<TestType> us;
        CHECK(us.hears(frame(0x88, close_payload(1000, reason))) == "failed invalid_utf8 1007");
        CHECK(us.says() == bytes("88 02 03EF"));
    }
    endpoint<TestType> us;
    CHECK(us.hears(frame(0x88, close_payload(1000, "\xc3\xa9"))) == "close 1000 0xc3a9");
}

TEMPLATE_TEST_CASE("a reason that is not UTF-8 is not sent", "[protocol][6455:5.5.1][C106][C108]",
                   client_protocol, server_protocol) {
    endpoint<TestType> us;
    CHECK(us.ws.close(close_code::normal, "\xe2\x82", us.out) == errc::unsendable_text);
    CHECK((us.out.empty() && us.ws.state() == connection_state::open));
}

TEMPLATE_TEST_CASE("a Close of ours may have neither code nor reason",
                   "[protocol][6455:5.5.1][C110][C126]", client_protocol, server_protocol) {
    endpoint<TestType> us;
    CHECK(us.ws.close(close_code::none, "why", us.out) == errc::unsendable_close_code);
    CHECK(us.ws.close(close_code::none, {}, us.out) == errc{});
    CHECK(us.says() == bytes("88 00"));
}

TEMPLATE_TEST_CASE("after our Close what comes is still delivered, up to the peer's Close",
                   "[protocol][6455:1.4][C116][C126]", client_protocol, server_protocol) {
    endpoint<TestType> us;
    REQUIRE(us.hears("01 01 61") == "text(first) a");
    REQUIRE(us.ws.close(close_code::normal, "bye", us.out) == errc{});
    us.says();
    CHECK(us.hears("80 01 62  82 01 63  8A 00  88 02 03E8  81 01 64") ==
          "text(last) b | binary c | pong | close 1000");
    CHECK(us.out.empty());   // one Close is enough
    CHECK(us.ws.state() == connection_state::close_done);
}

TEMPLATE_TEST_CASE("a second Close of ours is refused", "[protocol][6455:5.5.1][C114][C115]",
                   client_protocol, server_protocol) {
    endpoint<TestType> us;
    REQUIRE(us.ws.close(close_code::normal, {}, us.out) == errc{});
    us.says();
    CHECK(us.ws.close(close_code::normal, {}, us.out) == errc::not_open);
    CHECK(us.hears("88 02 03E8") == "close 1000");
    CHECK(us.ws.close(close_code::normal, {}, us.out) == errc::not_open);
    CHECK(us.out.empty());
}

TEMPLATE_TEST_CASE("Closes that cross each other end the connection cleanly on both sides",
                   "[protocol][6455:7.1.3][C124]", client_protocol, server_protocol) {
    endpoint<TestType>          us;
    endpoint<peer_of<TestType>> them;
    REQUIRE(us.ws.close(close_code::normal, "us", us.out) == errc{});
    REQUIRE(them.ws.close(close_code::going_away, "them", them.out) == errc{});
    const auto ours = us.says(), theirs = them.says();
    CHECK(us.hears(theirs) == "close 1001 them");
    CHECK(them.hears(ours) == "close 1000 us");
    CHECK((us.out.empty() && them.out.empty()));
    CHECK(us.hears_eof() == "");
    CHECK(them.hears_eof() == "");
}

TEST_CASE("a server ends the transport first, as soon as its Close has left",
          "[protocol][6455:7.1.1][C117][C119][server]") {
    endpoint<server_protocol> us;
    us.hears("88 02 03E8");
    CHECK(us.ws.transport(us.out) == transport_action::keep);
    us.out.clear();
    CHECK(us.ws.transport(us.out) == transport_action::shutdown_write);
    CHECK(us.hears_eof() == "");
    CHECK(us.ws.transport(us.out) == transport_action::close);
}

TEST_CASE("a client waits for the server's end of the transport",
          "[protocol][6455:7.1.1][C118][C119][client]") {
    endpoint<client_protocol> us;
    us.hears("88 02 03E8");
    us.out.clear();
    CHECK(us.ws.transport(us.out) == transport_action::keep);
    CHECK(us.hears_eof() == "");
    CHECK(us.ws.transport(us.out) == transport_action::close);
}

TEMPLATE_TEST_CASE("who failed ends the transport once the Close has left",
                   "[protocol][6455:7.1.7][C119][C122]", client_protocol, server_protocol) {
    endpoint<TestType> us;
    us.hears("83 00");
    CHECK(us.ws.transport(us.out) == transport_action::keep);
    us.out.clear();
    CHECK(us.ws.transport(us.out) == transport_action::shutdown_write);
    CHECK(us.hears_eof() == "");
    CHECK(us.ws.transport(us.out) == transport_action::close);
}

TEMPLATE_TEST_CASE("the transport's end before both Closes is abnormal, told once",
                   "[protocol][6455:7.1.5][C120][C125]", client_protocol, server_protocol) {
    endpoint<TestType> us;
    const bool         after_our_close = GENERATE(false, true);
    if (after_our_close) REQUIRE(us.ws.close(close_code::normal, {}, us.out) == errc{});
    us.out.clear();
    CHECK(us.hears_eof() == "failed truncated 1006");
    CHECK(us.hears_eof() == "");
    CHECK(us.hears("81 01 61") == "");
    CHECK(us.out.empty());
    CHECK(us.ws.state() == connection_state::closed);
    CHECK(us.ws.transport(us.out) == transport_action::close);
}

TEMPLATE_TEST_CASE("what is still in the output after the transport's end may be written",
                   "[protocol][C119]", client_protocol, server_protocol) {
    endpoint<TestType> us;
    us.hears("89 00");
    us.hears_eof();
    CHECK(us.ws.transport(us.out) == transport_action::keep);
    us.out.clear();
    CHECK(us.ws.transport(us.out) == transport_action::close);
}

TEMPLATE_TEST_CASE("a failure for a reason of the caller's sends its code once",
                   "[protocol][6455:7.1.7][C122][C123]", client_protocol, server_protocol) {
    for (const error_facts& row : error_table) {
        CAPTURE(row.name);
        endpoint<TestType> us;
        const event        e = us.ws.fail(row.code, us.out);
        CHECK((e.type == event_type::failed && e.error == row.code));
        CHECK(static_cast<unsigned>(e.code) == row.close_code);
        CHECK(us.says() == (row.close_code == 1006 ? byte_vector{}
                                                   : frame(0x88, close_payload(row.close_code))));
        CHECK_FALSE(us.ws.fail(errc::misuse, us.out));
        CHECK(us.out.empty());
    }
}

TEMPLATE_TEST_CASE("a failure without an error cannot be made", "[protocol][C123]", client_protocol,
                   server_protocol) {
    endpoint<TestType> us;
    CHECK(us.ws.fail(errc{}, us.out).error == errc::misuse);
    CHECK(us.says() == bytes("88 02 03F3"));
}

TEMPLATE_TEST_CASE("a failure after our Close sends no second one",
                   "[protocol][6455:5.5.1][C114][C122]", client_protocol, server_protocol) {
    endpoint<TestType> us;
    REQUIRE(us.ws.close(close_code::normal, {}, us.out) == errc{});
    us.says();
    CHECK(us.hears("83 00") == "failed reserved_opcode 1002");
    CHECK(us.out.empty());
}

TEMPLATE_TEST_CASE("each violation has its close code, and a valid suffix goes unheard",
                   "[protocol][6455:7.1.7][C122][C123][C165][S49]", client_protocol,
                   server_protocol) {
    struct violation {
        const char* wire;
        const char* heard;
        const char* said;
    };
    limits bounds;
    bounds.max_message_size = 4;
    bounds.max_fragments    = 2;
    for (const violation& v : {
             violation{"C1 00", "failed reserved_bits 1002", "88 02 03EA"},
             violation{"83 00", "failed reserved_opcode 1002", "88 02 03EA"},
             violation{"09 00", "failed fragmented_control 1002", "88 02 03EA"},
             violation{"89 7E 007E", "failed control_too_long 1002", "88 02 03EA"},
             violation{"82 7E 0001 00", "failed non_minimal_length 1002", "88 02 03EA"},
             violation{"82 7F 8000000000000000", "failed length_overflow 1002", "88 02 03EA"},
             violation{"80 00", "failed unexpected_continuation 1002", "88 02 03EA"},
             violation{"01 00 81 00", "failed expected_continuation 1002", "88 02 03EA"},
             violation{"88 01 03", "failed invalid_close_payload 1002", "88 02 03EA"},
             violation{"88 02 03EC", "failed invalid_close_code 1002", "88 02 03EA"},
             violation{"88 03 03E8 ff", "failed invalid_utf8 1007", "88 02 03EF"},
             violation{"81 01 ff", "failed invalid_utf8 1007", "88 02 03EF"},
             violation{"81 01 c3", "failed invalid_utf8 1007", "88 02 03EF"},
             violation{"82 05 0000000000", "failed message_too_big 1009", "88 02 03F1"},
             violation{"02 00 00 00 00 00", "failed too_many_fragments 1008", "88 02 03F0"},
         })
        for (const char* suffix :
             {"", "81 01 61", "80 01 61", "89 01 61", "88 02 03E8", "83 00", "81"}) {
            CAPTURE(v.wire, suffix);
            endpoint<TestType> us({}, bounds);
            CHECK(us.hears(concat(bytes(v.wire), bytes(suffix))) == v.heard);
            CHECK(us.hears(suffix) == "");
            CHECK(us.ws.state() == connection_state::failed);
            CHECK(us.says() == bytes(v.said));
            CHECK(us.ws.send(opcode::text, "x", fin::yes, us.out) == errc::not_open);
            CHECK(us.hears_eof() == "");
            CHECK(us.hears(suffix) == "");
            CHECK(us.out.empty());
        }
}

TEMPLATE_TEST_CASE("a good message before a bad frame of the same read is still answered",
                   "[protocol][C122]", client_protocol, server_protocol) {
    TestType  ws;
    buffer    out;
    auto      wire = from_peer<TestType>(bytes("81 02 6869  C1 02 6869"));
    byte_span in{wire};
    const event good = ws.receive(in, out);
    REQUIRE(ws.send(opcode::text, good.payload, fin::yes, out) == errc{});
    CHECK(to_text(ws.receive(in, out)) == "failed reserved_bits 1002");
    const auto said = frames_of(out.data());
    REQUIRE(said.size() == 2);
    CHECK((said[0].payload == text_bytes("hi") && said[1].payload == close_payload(1002)));
}

TEMPLATE_TEST_CASE("no entropy for the echo of a Close fails the connection", "[protocol][C164]",
                   client_protocol) {
    counted_entropy    keys{.fails_at = 0};
    endpoint<TestType> us({}, default_limits, keys.source());
    CHECK(us.hears("88 02 03E8") == "failed no_entropy 1011");
    CHECK(us.out.empty());
    CHECK(us.ws.transport(us.out) == transport_action::shutdown_write);
}
