#include <navette/protocol/protocol.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/endpoint.hpp"
#include "support/toy_extension.hpp"

using namespace navette;

namespace {

// What the events of the messages come to, without their boundaries.
template <class P>
std::string told(P& ws, byte_vector unmasked, std::size_t step = static_cast<std::size_t>(-1)) {
    auto        wire = from_peer<P>(unmasked);
    buffer      out;
    std::string all;
    for (std::size_t at = 0; at < wire.size(); at += std::min(step, wire.size() - at)) {
        byte_span in = byte_span(wire).subspan(at, std::min(step, wire.size() - at));
        while (const event e = ws.receive(in, out)) {
            if (e.type == event_type::failed)
                return all + "<" + std::string(facts(e.error).name) + ">";
            if (e.is_message())
                all += (e.first ? "<" : "") + std::string(e.text()) + (e.last ? ">" : "");
        }
    }
    return all;
}

} // namespace

TEMPLATE_TEST_CASE("a marked message goes through the codec, another does not",
                   "[protocol][6455:9][C69][S31][S46]", client_protocol, server_protocol) {
    const toy::extension xored;
    endpoint<TestType>   us(xored.agreed());
    CHECK(us.hears(concat(frame(0xc1, xored.on_wire("coded")), frame(0x81, "plain"),
                          frame(0xc2, xored.on_wire("again")))) ==
          "text coded | text plain | binary again");
    CHECK(us.hears("01 02 696e  80 03 206974") == "text(first) in | text(last)  it");
    CHECK(xored.count().ends == 2);
    CHECK(xored.count().made == 1);
}

TEMPLATE_TEST_CASE("the codec is made at its first message, or at once if it is eager",
                   "[protocol]", client_protocol, server_protocol) {
    const toy::extension lazy, eager({.eager = true});
    endpoint<TestType>   idle(lazy.agreed()), ready(eager.agreed());
    idle.hears("81 01 61");
    CHECK(lazy.count().made == 0);
    CHECK(eager.count().made == 1);
    REQUIRE(idle.ws.send(opcode::text, "x", fin::yes, idle.out) == errc{});
    CHECK(lazy.count().made == 1);
}

TEMPLATE_TEST_CASE("a codec that cannot be made fails the connection when it is needed",
                   "[protocol][C164]", client_protocol, server_protocol) {
    const toy::extension xored({.eager = GENERATE(false, true), .failing_makes = 2});
    endpoint<TestType>   us(xored.agreed());
    CHECK(us.hears("81 01 61") == "text a");
    if (xored.count().makes == 1) {
        CHECK(us.ws.send(opcode::text, "x", fin::yes, us.out) == errc::out_of_memory);
        CHECK(us.ws.send(opcode::text, "x", fin::yes, us.out) == errc{});
    } else {
        CHECK(us.hears(frame(0xc1, "x")) == "failed out_of_memory 1011");
        CHECK(us.says() == bytes("88 02 03F3"));
    }
}

TEMPLATE_TEST_CASE("a coded message survives any window, appetite, delay and cut",
                   "[protocol][6455:5.4][C81][C92][C103][S37][S45]", client_protocol,
                   server_protocol) {
    const std::string message =
        "le navire \xc3\xa9"
        "clair\xc3\xa9 \xe2\x82\xac\xf0\x9f\x98\x80, la trame et la cha\xc3\xaene.";
    for (const std::size_t window : {1u, 2u, 3u, 7u, 64u, 1'000u})
        for (const std::size_t appetite : {std::size_t{1}, std::size_t{5}, toy::never})
            for (const bool hoards : {false, true}) {
                const toy::extension xored(
                    {.window = window, .appetite = appetite, .hoards = hoards});
                const auto           coded = xored.on_wire(message);
                const auto first           = const_byte_span(coded).first(11),
                           rest            = const_byte_span(coded).subspan(11);
                const auto wire = concat(frame(0x41, first), frame(0x89, "!"), frame(0x00, ""),
                                         frame(0x80, rest), frame(0x81, "z"));
                for (const std::size_t step :
                     {std::size_t{1}, std::size_t{2}, std::size_t{13}, wire.size() + 64}) {
                    CAPTURE(window, appetite, hoards, step);
                    TestType ws(xored.agreed());
                    CHECK(told(ws, wire, step) == "<" + message + "><z>");
                }
            }
}

TEMPLATE_TEST_CASE("bytes that the codec did not take stay in the input as they came",
                   "[protocol][S37]", client_protocol, server_protocol) {
    const toy::extension xored({.window = 3});
    const auto wire = from_peer<TestType>(frame(0xc1, xored.on_wire("parked and gone on")));
    std::string          all;
    byte_vector          parked = wire;
    TestType             ws(xored.agreed());
    buffer               out;
    for (int steps = 0; steps < 100; ++steps) {
        byte_span   in{parked};
        const event e = ws.receive(in, out);
        all += e.text();
        parked = byte_vector(in.begin(), in.end());   // elsewhere, each time
        if (e.last) break;
    }
    CHECK(all == "parked and gone on");
    CHECK(parked.empty());
}

TEMPLATE_TEST_CASE("a coded message that is a whole window is one event", "[protocol]",
                   client_protocol, server_protocol) {
    const toy::extension xored({.window = 100});
    endpoint<TestType>   us(xored.agreed());
    CHECK(us.hears(frame(0xc1, xored.on_wire("whole"))) == "text whole");
}

TEMPLATE_TEST_CASE("an empty coded message is a message", "[protocol][C84][C93][S12]",
                   client_protocol, server_protocol) {
    const toy::extension xored;
    endpoint<TestType>   us(xored.agreed());
    CHECK(us.hears("C1 00  42 00 00 00 80 00  C2 00") == "text | binary | binary");
    CHECK(us.hears("42 00  89 00  80 01 3b") == "ping | binary a");
}

TEMPLATE_TEST_CASE("the message limit counts what the codec makes, to the byte",
                   "[protocol][6455:10.4][C82][S65]", client_protocol, server_protocol) {
    const toy::extension xored({.window = 7, .sent = {1, 3}, .received = {3, 1}});
    limits               bounds;
    for (const std::uint64_t most : {29u, 30u, 31u}) {
        bounds.max_message_size = most;
        TestType   ws(xored.agreed(), bounds);
        const auto heard = told(ws, frame(0xc1, xored.on_wire(std::string(30, 'a'))));
        CHECK((heard == "<" + std::string(30, 'a') + ">") == (most >= 30));
        CHECK(heard.ends_with("<message_too_big>") == (most < 30));
    }
}

TEMPLATE_TEST_CASE("fragments of a coded message are counted", "[protocol][6455:10.4][C83]",
                   client_protocol, server_protocol) {
    const toy::extension xored;
    limits               bounds;
    bounds.max_fragments = 2;
    endpoint<TestType> us(xored.agreed(), bounds);
    CHECK(us.hears("42 00 00 00 00 00") == "failed too_many_fragments 1008");
}

TEMPLATE_TEST_CASE("coded text is checked behind the codec, at its first impossible byte",
                   "[protocol][6455:8.1][C105]", client_protocol, server_protocol) {
    const toy::extension xored({.window = 2});
    TestType             ws(xored.agreed());
    CHECK(told(ws, concat(header(0xc1, 100), xored.on_wire("ab\xff"))) == "<ab<invalid_utf8>");
    TestType cut(xored.agreed());
    CHECK(told(cut, frame(0xc1, xored.on_wire("ab\xc3"))).ends_with("<invalid_utf8>"));
}

TEMPLATE_TEST_CASE("data that the codec refuses, or a codec that is stuck, fails the connection",
                   "[protocol][C123][C161][S29][S31]", client_protocol, server_protocol) {
    const bool           stuck = GENERATE(false, true);
    const toy::extension bad({.inflate_fails_at = stuck ? toy::never : 2, .stuck = stuck});
    endpoint<TestType>   us(bad.agreed());
    CHECK(us.hears(frame(0xc1, "abcdef")) == "failed invalid_compressed_data 1007");
    CHECK(us.says() == bytes("88 02 03EF"));
}

TEMPLATE_TEST_CASE("what is sent coded comes back, whole or in fragments",
                   "[protocol][6455:5.4][C90]", client_protocol, server_protocol) {
    for (const std::size_t window : {1u, 64u, 1'000u}) {
        const toy::extension xored({.window = window, .takeover = true});
        endpoint<TestType>   us(xored.agreed());
        peer_of<TestType>    them(xored.agreed());
        REQUIRE(us.ws.send(opcode::text, std::string(200, 'w'), fin::yes, us.out) == errc{});
        REQUIRE(us.ws.send(opcode::text, "frag", fin::no, us.out) == errc{});
        REQUIRE(us.ws.ping({}, us.out) == errc{});
        REQUIRE(us.ws.send(opcode::continuation, "ments", fin::no, us.out) == errc{});
        REQUIRE(us.ws.send(opcode::continuation, "", fin::yes, us.out) == errc{});
        REQUIRE(us.ws.send(opcode::text, "plain", fin::yes, us.out, compress::never) == errc{});
        const auto said = us.says();
        CHECK(told(them, said) == "<" + std::string(200, 'w') + "><fragments><plain>");
        const auto frames = frames_of(said);
        CHECK((frames[0].first == 0xc1 && frames[1].first == 0x41 && frames[2].first == 0x89));
        CHECK((frames[3].first == 0x00 && frames[4].first == 0x80 && frames[5].first == 0x81));
    }
}

TEMPLATE_TEST_CASE("a coded frame has the shortest length, whether the codec grows or shrinks it",
                   "[protocol][6455:5.2][C73]", client_protocol, server_protocol) {
    for (const toy::options& o :
         {toy::options{.sent = {2, 1}, .received = {1, 2}}, toy::options{.sent = {1, 1}},
          toy::options{.window = 4'096, .sent = {1, 8}, .received = {8, 1}},
          toy::options{.window = 70'000, .sent = {600, 1}, .received = {1, 600}}})
        for (const std::size_t size : {0u, 1u, 62u, 63u, 109u, 125u, 126u, 127u, 128u, 1'008u,
                                       32'767u, 32'768u, 65'535u, 65'536u}) {
            if (o.sent.to == 600 && size > 200) continue;
            CAPTURE(o.sent.to, o.sent.from, size);
            const toy::extension xored(o);
            endpoint<TestType>   us(xored.agreed());
            REQUIRE(us.ws.ping({}, us.out) == errc{});
            REQUIRE(us.ws.send(opcode::binary, byte_vector(size, std::byte{0x61}), fin::yes,
                               us.out) == errc{});
            const auto frames = us.said_frames();   // which throws on a longer form
            REQUIRE(frames.size() == 2);
            CHECK(frames[1].payload.size() == (size + o.sent.from - 1) / o.sent.from * o.sent.to);
            CHECK(frames[1].payload == xored.on_wire(byte_vector(size, std::byte{0x61})));
        }
}

TEMPLATE_TEST_CASE("compress says what goes through the codec", "[protocol]", client_protocol,
                   server_protocol) {
    const toy::extension xored({.threshold = 4});
    endpoint<TestType>   us(xored.agreed());
    const auto           marked = [&](std::string_view text, fin final, compress how) {
        REQUIRE(us.ws.send(opcode::text, text, final, us.out, how) == errc{});
        if (final == fin::no)
            REQUIRE(us.ws.send(opcode::continuation, "", fin::yes, us.out) == errc{});
        return (us.said_frames()[0].first & 0x40) != 0;
    };
    CHECK_FALSE(marked("abc", fin::yes, compress::automatic));
    CHECK(marked("abcd", fin::yes, compress::automatic));
    CHECK(marked("a", fin::no, compress::automatic));
    CHECK(marked("a", fin::yes, compress::always));
    CHECK_FALSE(marked("abcdef", fin::yes, compress::never));
    CHECK_FALSE(marked("abcdef", fin::no, compress::never));
}

TEMPLATE_TEST_CASE("a whole message that the codec fails at is not sent, and the next is",
                   "[protocol][C164]", client_protocol, server_protocol) {
    const toy::extension bad({.takeover = true, .deflate_fails_at = 5});
    endpoint<TestType>   us(bad.agreed());
    peer_of<TestType>    them(bad.agreed());
    REQUIRE(us.ws.send(opcode::text, "one", fin::yes, us.out) == errc{});
    const auto before = us.out.size();
    CHECK(us.ws.send(opcode::text, "too long", fin::yes, us.out) == errc::out_of_memory);
    CHECK(us.out.size() == before);
    CHECK(us.ws.state() == connection_state::open);
    REQUIRE(us.ws.send(opcode::text, "two", fin::yes, us.out) == errc{});
    CHECK(told(them, us.says()) == "<one><two>");
}

TEMPLATE_TEST_CASE("the extension's memory is released when it is asked for, and where there is any", "[protocol]",
                   client_protocol, server_protocol) {
    const toy::extension xored;
    endpoint<TestType>   us(xored.agreed()), plain;
    us.ws.release_when_idle();
    plain.ws.release_when_idle();
    CHECK(xored.count().releases == 0);
    REQUIRE(us.ws.send(opcode::text, "x", fin::yes, us.out) == errc{});
    us.ws.release_when_idle();
    CHECK(xored.count().releases == 1);
}

TEMPLATE_TEST_CASE("a codec that fails within a fragmented message fails the connection",
                   "[protocol][C123]", client_protocol, server_protocol) {
    const toy::extension bad({.deflate_fails_at = 5});
    endpoint<TestType>   us(bad.agreed());
    REQUIRE(us.ws.send(opcode::text, "one", fin::no, us.out) == errc{});
    CHECK(us.ws.send(opcode::continuation, "more", fin::yes, us.out) == errc::out_of_memory);
    CHECK(us.ws.state() == connection_state::failed);
    const auto frames = us.said_frames();
    CHECK((frames.size() == 2 && frames[1].payload == close_payload(1011)));
}

TEMPLATE_TEST_CASE("a coded message that finds no room changes nothing", "[protocol][C160][C164]",
                   client_protocol, server_protocol) {
    const std::size_t head = role_of<TestType> == role::client ? 6 : 2;
    const toy::extension xored({.window = 3, .takeover = true});
    for (const std::size_t room : {head, head + 1, head + 5, head + 10, head + 11, head + 12}) {
        CAPTURE(room);
        byte_vector       storage(room);
        TestType          ws(xored.agreed());
        peer_of<TestType> them(xored.agreed());
        buffer            out{byte_span(storage)};
        const bool        fits = room >= head + 11;   // the toy's flag and ten bytes
        CHECK(ws.send(opcode::text, "0123456789", fin::yes, out) ==
              (fits ? errc{} : errc::out_of_memory));
        CHECK(out.empty() == !fits);
        CHECK(ws.state() == connection_state::open);
        out.clear();
        buffer large;
        REQUIRE(ws.send(opcode::text, "next", fin::yes, large) == errc{});
        if (!fits) {
            endpoint<TestType> reader;
            reader.out.swap(large);
            CHECK(told(them, reader.says()) == "<next>");
        }
    }
}

TEST_CASE("a coded message draws one masking key, and none leaves without",
          "[protocol][6455:5.3][C79][client]") {
    const toy::extension      xored;
    counted_entropy           keys{.fails_at = 1};
    endpoint<client_protocol> us(xored.agreed(), default_limits, keys.source());
    CHECK(us.ws.send(opcode::text, "abc", fin::yes, us.out) == errc{});
    CHECK(keys.draws == 1);
    CHECK(us.ws.send(opcode::text, "def", fin::yes, us.out) == errc::no_entropy);
    CHECK(us.said_frames().size() == 1);
}

TEMPLATE_TEST_CASE("begin_frame does not go on with a coded message", "[protocol]", client_protocol,
                   server_protocol) {
    const toy::extension xored;
    endpoint<TestType>   us(xored.agreed());
    REQUIRE(us.ws.send(opcode::text, "a", fin::no, us.out) == errc{});
    CHECK(us.ws.begin_frame(opcode::continuation, 1, fin::yes, us.out).error() == errc::misuse);
    REQUIRE(us.ws.send(opcode::continuation, "b", fin::yes, us.out) == errc{});
    CHECK(us.ws.begin_frame(opcode::text, 1, fin::yes, us.out));
}

TEMPLATE_TEST_CASE("every codec that was made is released", "[protocol][C128]", client_protocol,
                   server_protocol) {
    const toy::extension xored;
    {
        endpoint<TestType> us(xored.agreed());
        us.hears(frame(0x41, xored.on_wire("unfinished")));
        REQUIRE(us.ws.send(opcode::text, "unfinished", fin::no, us.out) == errc{});
        us.hears("83 00");
        TestType moved(std::move(us.ws));
        TestType other(xored.agreed());
        REQUIRE(other.send(opcode::text, "x", fin::yes, us.out) == errc{});
        other = std::move(moved);
        CHECK(xored.count().made == 2);
    }
    CHECK(xored.count().alive() == 0);
}
