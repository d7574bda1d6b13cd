#include <navette/protocol/session.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/endpoint.hpp"
#include "support/toy_extension.hpp"

#include <type_traits>

using namespace navette;

static_assert(std::is_nothrow_move_constructible_v<session<role::server>>);
static_assert(!std::is_copy_constructible_v<session<role::client>>);

namespace {

template <class P>
using session_of = session<role_of<P>>;

// Like endpoint, for a session.
template <class P>
struct whole {
    buffer_pool   pool;
    session_of<P> ws;
    buffer        out;

    explicit whole(const agreement& agreed = {}, const limits& bounds = default_limits)
        : ws(P(agreed, bounds), pool) {}

    std::string hears(std::string_view unmasked_hex) { return hears(bytes(unmasked_hex)); }
    std::string hears(const byte_vector& unmasked) { return hears_raw(from_peer<P>(unmasked)); }
    std::string hears_raw(const byte_vector& wire) {
        const auto memory = std::make_unique<std::byte[]>(wire.size());
        std::copy(wire.begin(), wire.end(), memory.get());
        byte_span   in(memory.get(), wire.size());
        std::string log;
        while (const event e = ws.receive(in, out)) log += (log.empty() ? "" : " | ") + to_text(e);
        if (!in.empty()) log += "(waits)";
        std::fill_n(memory.get(), wire.size(), std::byte{0xdd}); // what is assembled must be a copy
        return log;
    }
};

byte_vector numbered(std::size_t size) {
    byte_vector made(size);
    for (std::size_t i = 0; i < size; ++i)
        made[i] = static_cast<std::byte>((i * 31 + i / 251) % 256);
    return made;
}

// Reads the rest of what `wire` holds straight into the session's space, `step` bytes at a time; the events' text.
template <class P>
event read_directly(whole<P>& us, const byte_vector& wire, std::size_t& at, std::size_t step) {
    for (;;) {
        const byte_span space = us.ws.direct_space();
        if (space.empty()) return {};
        const std::size_t n = std::min({space.size(), step, wire.size() - at});
        if (n == 0) return {};
        std::copy_n(wire.begin() + static_cast<std::ptrdiff_t>(at), n, space.begin());
        at += n;
        if (const event e = us.ws.received_direct(n, us.out)) return e;
    }
}

} // namespace

TEMPLATE_TEST_CASE("a session gives whole messages and lets the rest through",
                   "[session][6455:5.4][C85][C88]", client_protocol, server_protocol) {
    whole<TestType> us;
    CHECK(
        us.hears("01 03 48656c  89 01 61  00 00  80 02 6c6f  82 01 ff  8A 00  81 00  88 02 03E8") ==
        "ping a | text Hello | binary 0xff | pong | text | close 1000");
    CHECK(frames_of(us.out.data()).size() == 2);
}

TEMPLATE_TEST_CASE("a message that lies whole in the input is a view of it", "[session][6455:6.2]",
                   client_protocol, server_protocol) {
    whole<TestType> us;
    auto            wire = from_peer<TestType>(bytes("81 03 616263"));
    byte_span       in{wire};
    const event     e = us.ws.receive(in, us.out);
    CHECK(e.payload.data() == wire.data() + wire.size() - 3);
    CHECK(us.pool.bytes_kept() == 0);
}

TEMPLATE_TEST_CASE("a message in pieces is whole, wherever it is cut",
                   "[session][6455:6.2][C81][C92][S37]", client_protocol, server_protocol) {
    const auto wire = from_peer<TestType>(bytes("01 04 63616665  89 00  80 02 c3a9"));
    for (std::size_t step = 1; step <= wire.size(); ++step) {
        whole<TestType> us;
        std::string     heard;
        for (std::size_t at = 0; at < wire.size(); at += step)
            heard += us.hears_raw(
                bytes(const_byte_span(wire).subspan(at, std::min(step, wire.size() - at))));
        CHECK(heard.find("ping") == 0);
        CHECK(heard.ends_with("text 0x63616665c3a9"));
    }
}

TEMPLATE_TEST_CASE("an assembled message goes back to the pool at the next receive", "[session]",
                   client_protocol, server_protocol) {
    whole<TestType> us;
    auto            wire = from_peer<TestType>(bytes("01 01 61  80 01 62"));
    byte_span       in{wire};
    const event     e = us.ws.receive(in, us.out);
    CHECK(e.text() == "ab");
    CHECK(us.pool.bytes_kept() == 0);
    CHECK_FALSE(us.ws.receive(in, us.out));
    CHECK(us.pool.bytes_kept() >= 2);
}

TEMPLATE_TEST_CASE("a partial message is dropped by a Close, a failure or the transport's end",
                   "[session][6455:5.4][C100][C125]", client_protocol, server_protocol) {
    const int       how = GENERATE(0, 1, 2);
    whole<TestType> us;
    CHECK(us.hears("01 01 61  00 01 62") == "");
    if (how == 0) CHECK(us.hears("88 00  80 01 63") == "close 1005");
    if (how == 1) CHECK(us.hears("83 00  80 01 63") == "failed reserved_opcode 1002");
    if (how == 2) CHECK(to_text(us.ws.receive_eof(us.out)) == "failed truncated 1006");
    CHECK(us.hears("80 01 63") == "");
    CHECK(us.pool.bytes_kept() > 0);   // nothing is held any more
}

TEMPLATE_TEST_CASE("memory follows what has come, never what a header declares",
                   "[session][6455:10.4][C157][S15]", client_protocol, server_protocol) {
    limits none;
    none.max_message_size = static_cast<std::uint64_t>(-1);
    whole<TestType> us({}, none);
    CHECK(us.hears(concat(header(0x82, std::uint64_t{1} << 62), byte_vector(1))) == "");
    CHECK(us.ws.direct_space().size() <= 16 * 1024);
    CHECK(us.hears_raw(byte_vector(1)) == "");
    CHECK(us.ws.direct_space().size() <= 16 * 1024);
    CHECK(to_text(us.ws.receive_eof(us.out)) == "failed truncated 1006");
    CHECK(us.pool.bytes_kept() <= 64 * 1024);
}

TEMPLATE_TEST_CASE("many small fragments are assembled without a byte of overhead",
                   "[session][C83][C157][S18]", client_protocol, server_protocol) {
    whole<TestType> us;
    CHECK(us.hears("02 01 78") == "");
    const auto middle = from_peer<TestType>(bytes("00 01 78  00 00"));
    for (int i = 0; i < 60'000; ++i) {
        auto      copy = middle;
        byte_span in{copy};
        REQUIRE_FALSE(us.ws.receive(in, us.out));
    }
    auto        last = from_peer<TestType>(bytes("80 00"));
    byte_span   in{last};
    const event e = us.ws.receive(in, us.out);
    CHECK(e.payload.size() == 60'001);
    us.hears("8A 00");
    CHECK(us.pool.bytes_kept() <= 2 * 60'001 + 256);
}

TEMPLATE_TEST_CASE("a large frame is read straight into its place", "[session]", client_protocol,
                   server_protocol) {
    for (const bool fragmented : {false, true})
        for (const std::size_t step :
             {std::size_t{1'000}, std::size_t{16'384}, std::size_t{1'000'000}}) {
            CAPTURE(fragmented, step);
            const auto      payload = numbered(300'000);
            const auto head =
                fragmented ? frame(0x02, const_byte_span(payload).first(5)) : byte_vector{};
            const auto wire = from_peer<TestType>(
                concat(head, frame(fragmented ? 0x80 : 0x82,
                                   const_byte_span(payload).subspan(fragmented ? 5 : 0))));
            whole<TestType> us;
            std::size_t     at = 100;
            CHECK(us.hears_raw(bytes(const_byte_span(wire).first(at))) == "");
            event           e        = read_directly(us, wire, at, step);
            const auto      directly = at - 100;
            if (!e) {
                auto      rest = bytes(const_byte_span(wire).subspan(at));
                byte_span in{rest};
                e = us.ws.receive(in, us.out);
                CHECK(bytes(e.payload) == payload);
            } else {
                CHECK(bytes(e.payload) == payload);
            }
            CHECK((e.type == event_type::binary && e.first && e.last));
            CHECK(directly > 250'000);
        }
}

TEMPLATE_TEST_CASE("direct space is offered only for the rest of a large plain frame", "[session]",
                   client_protocol, server_protocol) {
    const toy::extension xored;
    whole<TestType>      us(xored.agreed());
    CHECK(us.ws.direct_space().empty());
    us.hears("02 01 61");
    CHECK(us.ws.direct_space().empty());   // between frames
    us.hears(concat(header(0x00, 16'383), byte_vector()));
    CHECK(us.ws.direct_space().empty());   // not worth it
    us.hears_raw(byte_vector(16'383));
    us.hears(header(0x80, 16'384));
    CHECK(us.ws.direct_space().size() == 16'384);
    whole<TestType> fresh;
    fresh.hears(header(0x82, 100'000));
    CHECK(fresh.ws.direct_space().empty());   // no byte of the message has come
    whole<TestType> coded(xored.agreed());
    coded.hears(concat(header(0x42, 100'000), byte_vector(10)));
    CHECK(coded.ws.direct_space().empty());   // the codec has to see it first
}

TEMPLATE_TEST_CASE("direct space that was not used, or used in part, leaves no hole", "[session]",
                   client_protocol, server_protocol) {
    const auto      payload = numbered(40'000);
    const auto      wire    = from_peer<TestType>(frame(0x82, payload));
    whole<TestType> us;
    std::size_t     at = 50;
    us.hears_raw(bytes(const_byte_span(wire).first(at)));
    REQUIRE_FALSE(us.ws.direct_space().empty());
    REQUIRE_FALSE(us.ws.direct_space().empty());
    us.hears_raw(bytes(const_byte_span(wire).subspan(at, 10)));   // came another way
    at += 10;
    const byte_span space = us.ws.direct_space();
    std::copy_n(wire.begin() + static_cast<std::ptrdiff_t>(at), 7, space.begin());
    at += 7;
    CHECK_FALSE(us.ws.received_direct(7, us.out));
    REQUIRE_FALSE(us.ws.direct_space().empty());
    auto        rest = bytes(const_byte_span(wire).subspan(at));
    byte_span   in{rest};
    const event e = us.ws.receive(in, us.out);
    CHECK(bytes(e.payload) == payload);
}

TEMPLATE_TEST_CASE("bytes read directly while the output is full are parked, not lost",
                   "[session][C160]", client_protocol, server_protocol) {
    const auto                 payload = numbered(40'000);
    const auto wire = from_peer<TestType>(concat(frame(0x82, payload), bytes("81 01 7a")));
    const std::size_t          tail    = role_of<TestType> == role::server ? 7 : 3;
    whole<TestType>            us;
    std::size_t                at = 50;
    us.hears_raw(bytes(const_byte_span(wire).first(at)));

    byte_vector storage(140);
    buffer      full{byte_span(storage)};
    us.out.swap(full);
    REQUIRE(us.out.append(byte_vector(20)));
    const byte_span space = us.ws.direct_space();
    const auto      n     = space.size();
    std::copy_n(wire.begin() + static_cast<std::ptrdiff_t>(at), n, space.begin());
    at += n;
    CHECK_FALSE(us.ws.received_direct(n, us.out));
    CHECK(us.ws.direct_space().empty());
    auto      rest = bytes(const_byte_span(wire).subspan(at));
    byte_span in{rest};
    CHECK_FALSE(us.ws.receive(in, us.out));
    CHECK(in.size() == rest.size());   // untouched
    session_of<TestType> moved(std::move(us.ws));
    us.out.clear();
    const event e = moved.receive(in, us.out);
    CHECK(bytes(e.payload) == payload);
    CHECK(in.size() == tail);
    CHECK(to_text(moved.receive(in, us.out)) == "text z");
}

TEMPLATE_TEST_CASE("a text that is read directly fails at its first impossible byte",
                   "[session][6455:8.1][C105]", client_protocol, server_protocol) {
    auto            text = byte_vector(40'000, std::byte{0x61});
    text[1'000]          = std::byte{0xff};
    const auto      wire = from_peer<TestType>(frame(0x81, text));
    whole<TestType> us;
    std::size_t     at = 50;
    us.hears_raw(bytes(const_byte_span(wire).first(at)));
    const event e = read_directly(us, wire, at, 100);
    CHECK(to_text(e) == "failed invalid_utf8 1007");
    CHECK(at <= 1'120);
    CHECK(us.ws.direct_space().empty());
}

TEMPLATE_TEST_CASE("a fragmented message is as long as the limit at most",
                   "[session][6455:10.4][C82][S17]", client_protocol, server_protocol) {
    limits bounds;
    bounds.max_message_size = 6;
    whole<TestType> us({}, bounds);
    CHECK(us.hears("02 03 616263  80 03 646566") == "binary abcdef");
    CHECK(us.hears("02 03 616263  80 04 64656667") == "failed message_too_big 1009");
}

TEMPLATE_TEST_CASE("a session assembles what a codec makes", "[session]", client_protocol,
                   server_protocol) {
    const toy::extension xored({.window = 3});
    whole<TestType>      us(xored.agreed());
    const auto           coded = xored.on_wire("the weft");
    CHECK(us.hears(concat(frame(0x41, const_byte_span(coded).first(4)), frame(0x89, "!"),
                          frame(0x80, const_byte_span(coded).subspan(4)))) ==
          "ping ! | text the weft");
}

TEMPLATE_TEST_CASE("sessions of one pool use each other's memory, not each other's messages",
                   "[session]", client_protocol, server_protocol) {
    buffer_pool          pool;
    buffer               out;
    session_of<TestType> one(TestType{}, pool), two(TestType{}, pool);
    const auto           hear = [&](session_of<TestType>& ws, std::string_view hex) {
        auto        wire = from_peer<TestType>(bytes(hex));
        byte_span   in{wire};
        std::string log;
        while (const event e = ws.receive(in, out)) log += to_text(e) + ";";
        return log;
    };
    CHECK(hear(one, "01 01 31") == "");
    CHECK(hear(two, "01 01 32") == "");
    CHECK(hear(one, "80 01 61") == "text 1a;");
    CHECK(hear(two, "80 01 62") == "text 2b;");
    const auto kept = pool.bytes_kept();
    for (int i = 0; i < 10; ++i) CHECK(hear(one, "01 01 31 80 01 61") == "text 1a;");
    CHECK(pool.bytes_kept() == kept);
}

TEST_CASE("an assembly serves a protocol that somebody else holds, and says when it is not needed", "[session][server][6455:5.4]") {
    buffer_pool        pool;
    server_protocol    ws;
    message_assembly<> assembly(pool);
    buffer             out;
    CHECK(assembly.release());
    auto      wire = masked(bytes("01 02 4865 80 03 6c6c6f 82 01 78"));
    byte_span in{wire};
    event     e = ws.receive(in, out);
    REQUIRE(to_text(e) == "text(first) He");
    e = assembly.go_on(e, ws, in, out);
    CHECK(to_text(e) == "text Hello");
    CHECK(pool.bytes_kept() == 0);
    CHECK(assembly.release());
    CHECK(pool.bytes_kept() != 0);
    e = ws.receive(in, out);
    CHECK(to_text(assembly.go_on(e, ws, in, out)) == "binary x");   // whole: it passes
    auto      half = masked(bytes("01 02 4865"));
    byte_span rest{half};
    CHECK_FALSE(assembly.receive(ws, rest, out));
    CHECK_FALSE(assembly.release());
    CHECK(to_text(assembly.receive_eof(ws, out)) == "failed truncated 1006");
    CHECK(assembly.release());
}
