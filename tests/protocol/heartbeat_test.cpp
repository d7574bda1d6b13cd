#include <navette/protocol/heartbeat.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/endpoint.hpp"

#include <array>

using namespace navette;

static_assert(sizeof(heartbeat) <= 88);
static_assert(noexcept(heartbeat(timeouts{}, instant{})));

namespace {

constexpr timeouts all_off() {
    timeouts t;
    t.idle = t.ping_every = t.pong_within = t.close_within = t.write_stall = duration{};
    return t;
}

// A protocol that is watched, on a clock that the case moves.
template <class P>
struct watched : endpoint<P> {
    instant   now{1'000'000'000'000};
    heartbeat watch;

    explicit watched(const timeouts& times, entropy source = {})
        : endpoint<P>({}, default_limits, source), watch(times, now) {}

    heartbeat_verdict poll() {
        const heartbeat_verdict v = watch.poll(this->ws, now, this->out);
        // A wake-up lies ahead: who sleeps until `next` neither spins nor oversleeps.
        if (v.next <= now) throw std::runtime_error("next is not in the future");
        return v;
    }
    heartbeat_verdict at(duration since_start) {
        now = instant(1'000'000'000'000) + since_start;
        return poll();
    }
    duration next() { return poll().next - instant(1'000'000'000'000); }

    // Unmasked frames come from the peer, now.
    void comes(std::string_view hex) { comes(bytes(hex)); }
    void comes(const byte_vector& unmasked) {
        auto      wire = from_peer<P>(unmasked);
        byte_span in{wire};
        watch.bytes_read(now);
        while (const event e = this->ws.receive(in, this->out)) watch.received(e, now);
    }
    byte_vector leaves() {
        auto said = this->says();
        watch.drained(now);
        return said;
    }
    byte_vector pong_of(const byte_vector& ping) {
        auto pong = ping;
        pong[0]   = std::byte{0x8a};
        return pong;
    }
};

} // namespace

TEMPLATE_TEST_CASE("with everything off a heartbeat asks for nothing, ever", "[heartbeat][C162]",
                   client_protocol, server_protocol) {
    watched<TestType> us(all_off());
    for (const std::int64_t after : {0, 1, 1'000'000}) {
        const auto v = us.at(seconds(after));
        CHECK((v.next == instant::never() && v.expired == errc{}));
    }
    CHECK(us.out.empty());
}

TEMPLATE_TEST_CASE("a ping is sent when nothing was read for ping_every",
                   "[heartbeat][6455:5.5.2][C162]", client_protocol, server_protocol) {
    timeouts t   = all_off();
    t.ping_every = seconds(20);
    watched<TestType> us(t);
    CHECK(us.next() == seconds(20));
    us.at(seconds(20) - duration(1));
    CHECK(us.out.empty());
    us.at(seconds(20));
    const auto frames = us.said_frames();
    REQUIRE(frames.size() == 1);
    CHECK((frames[0].first == 0x89 && frames[0].payload.size() == 4));
}

TEMPLATE_TEST_CASE("what is read puts the next ping off", "[heartbeat][C162]", client_protocol,
                   server_protocol) {
    timeouts t   = all_off();
    t.ping_every = seconds(20);
    watched<TestType> us(t);
    us.at(seconds(15));
    us.comes("81 01 61");
    CHECK(us.next() == seconds(35));
    us.at(seconds(34));
    CHECK(us.out.empty());
    us.at(seconds(35));
    CHECK(us.said_frames().size() == 1);
}

TEMPLATE_TEST_CASE("polling again at the same time does nothing again", "[heartbeat][C162]",
                   client_protocol, server_protocol) {
    watched<TestType> us{timeouts{}};
    us.at(seconds(20));
    const auto size = us.out.size();
    CHECK(size > 0);
    for (int i = 0; i < 3; ++i) {
        const auto v = us.poll();
        CHECK((v.expired == errc{} && us.out.size() == size));
        CHECK(v.next == instant(1'000'000'000'000) + seconds(40));
    }
}

TEMPLATE_TEST_CASE("a ping that nothing answers fails the connection after pong_within",
                   "[heartbeat][6455:7.1.7][C162][S32]", client_protocol, server_protocol) {
    watched<TestType> us{timeouts{}};
    us.at(seconds(20));
    us.leaves();
    CHECK(us.next() == seconds(40));
    CHECK(us.at(seconds(40) - duration(1)).expired == errc{});
    CHECK(us.at(seconds(40)).expired == errc::pong_timeout);
    CHECK(us.ws.state() == connection_state::failed);
    CHECK(us.says() == bytes("88 02 03F3"));
    CHECK(us.poll().expired == errc{});   // told once
    us.at(seconds(43));
    CHECK(us.next() == seconds(45));      // for the transport's end
}

TEMPLATE_TEST_CASE("any byte shows that the peer lives, a pong or not", "[heartbeat][C162]",
                   client_protocol, server_protocol) {
    watched<TestType> us{timeouts{}};
    us.at(seconds(20));
    us.leaves();
    us.at(seconds(39));
    us.comes("81 01 61");
    CHECK(us.at(seconds(40)).expired == errc{});
    CHECK(us.next() == seconds(59));
}

TEMPLATE_TEST_CASE("a pong gives the round-trip time of its ping", "[heartbeat][6455:5.5.3][C162]",
                   client_protocol, server_protocol) {
    watched<TestType> us{timeouts{}};
    CHECK(us.watch.round_trip() < duration{});
    us.at(seconds(20));
    const auto pong = us.pong_of(us.leaves());
    us.now          = us.now + milliseconds(35);
    us.comes(pong);
    CHECK(us.watch.round_trip() == milliseconds(35));
}

TEMPLATE_TEST_CASE("a pong behind other bytes still gives the round-trip time", "[heartbeat][C162]",
                   client_protocol, server_protocol) {
    watched<TestType> us{timeouts{}};
    us.at(seconds(20));
    const auto pong = us.pong_of(us.leaves());
    us.now          = us.now + milliseconds(10);
    us.comes("81 01 61");
    us.now = us.now + milliseconds(30);
    us.comes(pong);
    CHECK(us.watch.round_trip() == milliseconds(40));
}

TEMPLATE_TEST_CASE("a late pong of an earlier ping gives no round-trip time",
                   "[heartbeat][6455:5.5.3][C97][C162]", client_protocol, server_protocol) {
    watched<TestType> us{timeouts{}};
    us.at(seconds(20));
    const auto late = us.pong_of(us.leaves());
    us.comes("81 01 61");
    us.at(seconds(40));
    const auto pong = us.pong_of(us.leaves());
    REQUIRE(late != pong);
    us.at(seconds(41));
    us.comes(late);
    CHECK(us.watch.round_trip() < duration{});
    us.at(seconds(42));
    us.comes(pong);
    CHECK(us.watch.round_trip() == seconds(2));
}

TEMPLATE_TEST_CASE("a pong that nobody asked for, or that comes twice, gives no round-trip time",
                   "[heartbeat][6455:5.5.3][C97][C162][S22]", client_protocol, server_protocol) {
    watched<TestType> us{timeouts{}};
    us.comes("8A 00  8A 04 00000000  8A 05 0100000000");
    CHECK(us.watch.round_trip() < duration{});
    us.at(seconds(20));
    const auto pong = us.pong_of(us.leaves());
    us.comes(frame(0x8a, concat(frames_of(pong)[0].payload, bytes("00"))));   // a byte more
    CHECK(us.watch.round_trip() < duration{});
    us.now = us.now + milliseconds(5);
    us.comes(pong);
    us.now = us.now + milliseconds(5);
    us.comes(pong);
    CHECK(us.watch.round_trip() == milliseconds(5));
}

TEMPLATE_TEST_CASE("a connection that says nothing for the idle time fails with 1001",
                   "[heartbeat][C162][S32]", client_protocol, server_protocol) {
    timeouts t = all_off();
    t.idle     = seconds(60);
    watched<TestType> us(t);
    CHECK(us.next() == seconds(60));
    us.at(seconds(50));
    us.comes("89 00");
    us.leaves();
    CHECK(us.at(seconds(110) - duration(1)).expired == errc{});
    CHECK(us.at(seconds(110)).expired == errc::idle_timeout);
    CHECK(us.says() == bytes("88 02 03E9"));
}

TEMPLATE_TEST_CASE(
    "the peer's Close and the transport's end are waited for no longer than close_within",
    "[heartbeat][6455:7.1.1][C118][C162][S33]", client_protocol, server_protocol) {
    const bool        peer_closes = GENERATE(false, true);   // but never ends the transport
    watched<TestType> us{timeouts{}};
    us.at(seconds(3));
    REQUIRE(us.ws.close(close_code::normal, {}, us.out) == errc{});
    us.leaves();
    CHECK(us.next() == seconds(8));
    if (peer_closes) us.comes("88 02 03E8");
    CHECK(us.at(seconds(8) - duration(1)).expired == errc{});
    CHECK(us.at(seconds(8)).expired == errc::close_timeout);
    CHECK(us.at(seconds(9)).expired == errc::close_timeout);
}

TEMPLATE_TEST_CASE("data and pings without end do not put the close deadline off",
                   "[heartbeat][C162][S33]", client_protocol, server_protocol) {
    watched<TestType> us{timeouts{}};
    REQUIRE(us.ws.close(close_code::normal, {}, us.out) == errc{});
    us.poll();
    for (int i = 1; i < 50; ++i) {
        us.now = us.now + milliseconds(100);
        us.comes("81 01 61  89 01 62");
        us.leaves();
        REQUIRE(us.poll().expired == errc{});
    }
    us.now = us.now + milliseconds(100);
    us.comes("81 01 61");
    CHECK(us.poll().expired == errc::close_timeout);
}

TEMPLATE_TEST_CASE("a connection that failed has close_within for its end",
                   "[heartbeat][C162][S33]", client_protocol, server_protocol) {
    watched<TestType> us{timeouts{}};
    us.at(seconds(1));
    us.comes("83 00");
    CHECK(us.next() == seconds(6));
    CHECK(us.at(seconds(6)).expired == errc::close_timeout);
}

TEMPLATE_TEST_CASE("no ping is sent while closing", "[heartbeat][C115][C162]", client_protocol,
                   server_protocol) {
    timeouts t     = all_off();
    t.ping_every   = seconds(1);
    t.close_within = seconds(100);
    watched<TestType> us(t);
    REQUIRE(us.ws.close(close_code::normal, {}, us.out) == errc{});
    us.leaves();
    us.at(seconds(50));
    CHECK(us.out.empty());
}

TEMPLATE_TEST_CASE("a peer that never reads is given up after write_stall",
                   "[heartbeat][C160][C162][S23]", client_protocol, server_protocol) {
    timeouts t    = all_off();
    t.write_stall = seconds(30);
    watched<TestType> us(t);
    REQUIRE(us.ws.send(opcode::text, "x", fin::yes, us.out) == errc{});
    us.at(seconds(5));
    CHECK(us.next() == seconds(35));
    us.at(seconds(20));
    us.comes("89 00");   // what it sends does not matter
    CHECK(us.at(seconds(35) - duration(1)).expired == errc{});
    CHECK(us.at(seconds(35)).expired == errc::write_timeout);
}

TEMPLATE_TEST_CASE("a peer that reads slowly is not stalled", "[heartbeat][C162]", client_protocol,
                   server_protocol) {
    timeouts t    = all_off();
    t.write_stall = seconds(30);
    watched<TestType> us(t);
    REQUIRE(us.ws.send(opcode::text, "0123456789", fin::yes, us.out) == errc{});
    for (int i = 0; i < 10; ++i) {
        REQUIRE(us.poll().expired == errc{});
        us.now = us.now + seconds(29);
        us.out.consume(1);
        us.watch.drained(us.now);
    }
    CHECK(us.next() == seconds(320));
}

TEMPLATE_TEST_CASE("an output that was drained begins a new stall", "[heartbeat][C162]",
                   client_protocol, server_protocol) {
    timeouts t    = all_off();
    t.write_stall = seconds(30);
    watched<TestType> us(t);
    us.comes("89 00");
    us.poll();
    us.leaves();
    CHECK(us.next() == instant::never() - instant(1'000'000'000'000));
    us.at(seconds(100));
    us.comes("89 00");
    CHECK(us.next() == seconds(130));
}

TEMPLATE_TEST_CASE("the nearest of the deadlines is the next", "[heartbeat][C162]", client_protocol,
                   server_protocol) {
    timeouts t;
    t.idle        = seconds(15);
    t.write_stall = seconds(10);
    watched<TestType> us(t);
    CHECK(us.next() == seconds(15));
    us.at(seconds(1));
    us.comes("89 00");
    CHECK(us.next() == seconds(11));
}

TEMPLATE_TEST_CASE("a ping that finds no room is tried again, in time", "[heartbeat][C162][C164]",
                   client_protocol, server_protocol) {
    timeouts t   = all_off();
    t.ping_every = seconds(20);
    watched<TestType>     us(t);
    std::array<std::byte, 3> storage;
    buffer                small{byte_span(storage)};
    us.out.swap(small);
    CHECK(us.at(seconds(20)).expired == errc{});
    CHECK(us.out.empty());
    CHECK(us.next() <= seconds(40));
    us.out.swap(small);
    us.at(seconds(41));
    CHECK(us.said_frames().size() == 1);
}

TEST_CASE("a ping without entropy is tried again, in time", "[heartbeat][C162][C164][client]") {
    counted_entropy          keys{.fails_at = 0};
    timeouts                 t = all_off();
    t.ping_every               = seconds(20);
    watched<client_protocol> us(t, keys.source());
    CHECK(us.at(seconds(20)).expired == errc{});
    CHECK(us.next() <= seconds(40));
    keys.fails_at = 0xffffffff;
    us.at(seconds(21));
    CHECK(us.said_frames().size() == 1);
}

TEMPLATE_TEST_CASE("a frame that is being written keeps the ping waiting", "[heartbeat][C98][C162]",
                   client_protocol, server_protocol) {
    timeouts t   = all_off();
    t.ping_every = seconds(20);
    watched<TestType> us(t);
    REQUIRE(us.ws.begin_frame(opcode::binary, 0, fin::yes, us.out));
    us.at(seconds(20));
    us.ws.end_frame();
    CHECK(us.said_frames().size() == 1);
    us.at(seconds(21));
    CHECK(us.said_frames().size() == 1);
}

TEMPLATE_TEST_CASE("a peer that sends a byte at a time is alive", "[heartbeat][C162][S32]",
                   client_protocol, server_protocol) {
    // A slow peer is alive: its bytes count. Only the idle and message limits are against it.
    timeouts t   = all_off();
    t.ping_every = seconds(20);
    t.pong_within = seconds(20);
    watched<TestType> us(t);
    const auto        wire = from_peer<TestType>(frame(0x82, byte_vector(20)));
    for (std::size_t i = 0; i < wire.size(); ++i) {
        us.now = us.now + seconds(19);
        byte_vector one{wire[i]};
        byte_span   in{one};
        us.watch.bytes_read(us.now);
        while (const event e = us.ws.receive(in, us.out)) us.watch.received(e, us.now);
        CHECK(us.poll().expired == errc{});
    }
    CHECK(us.out.empty());
    CHECK(us.ws.state() == connection_state::open);
}
