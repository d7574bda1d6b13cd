#include <navette/stream/connection.hpp>

#include "support/bytes.hpp"
#include "support/failing_stream.hpp"
#include "support/memory_stream.hpp"
#include "support/scripted_stream.hpp"
#include "support/toy_extension.hpp"

#include <mutex>
#include <string>
#include <thread>

using namespace navette;

namespace {

bool zeros(void*, byte_span out) noexcept {
    std::fill(out.begin(), out.end(), std::byte{0});
    return true;
}

// A connection whose peer is a script. A client's masking keys are zero, so that its payloads can be read on the wire.
template <role R>
struct scripted {
    std::shared_ptr<script>         peer;
    connection<R, scripted_stream>  ws;
    instant                         start;

    explicit scripted(std::shared_ptr<script> s = std::make_shared<script>(), const timeouts& times = {},
                      const limits& bounds = default_limits, const_byte_span already_read = {})
        : peer(s), ws(*connection<R, scripted_stream>::open(scripted_stream(s), {}, bounds, times, already_read, {&zeros})),
          start(s->clock) {}

    // A frame as the peer sends it to this role.
    static std::vector<std::byte> frame(std::string_view first_byte, std::string_view payload) {
        REQUIRE(payload.size() < 126);
        auto made = bytes(first_byte);
        made.push_back(static_cast<std::byte>(payload.size() | (R == role::server ? 0x80u : 0u)));
        if (R == role::server) made.insert(made.end(), 4, std::byte{0});
        return concat(made, text_bytes(payload));
    }
    // The same as this role sends it.
    static std::vector<std::byte> sent(std::string_view first_byte, std::string_view payload) {
        return scripted<opposite(R)>::frame(first_byte, payload);
    }
};

using client = scripted<role::client>;
using server = scripted<role::server>;

// What a Close with `code` has as its payload.
std::string close_payload(unsigned code, std::string_view reason = {}) {
    return std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)} + std::string(reason);
}

template <class Connection>
std::string next_text(Connection& ws) {
    const auto m = ws.read();
    REQUIRE(m);
    return std::string(m->text());
}

} // namespace

#define FOR_BOTH_ROLES(name, tags) TEMPLATE_TEST_CASE(name, tags, client, server)

FOR_BOTH_ROLES("a connection reads messages whole, with their type", "[connection][C85][C91]") {
    TestType t;
    t.peer->say(TestType::frame("81", "text"));
    t.peer->say(TestType::frame("02", "bin"));
    t.peer->say(TestType::frame("80", "ary"));
    CHECK(next_text(t.ws) == "text");
    const auto m = t.ws.read();
    REQUIRE(m);
    CHECK(m->type == opcode::binary);
    CHECK(m->text() == "binary");
}

FOR_BOTH_ROLES("frames that came right behind the opening handshake are read first", "[connection][C41]") {
    const auto first = TestType::frame("81", "early");
    TestType   t(std::make_shared<script>(), {}, default_limits, first);
    t.peer->say(TestType::frame("81", "later"));
    CHECK(next_text(t.ws) == "early");
    CHECK(next_text(t.ws) == "later");
}

FOR_BOTH_ROLES("a connection sends text, binary and fragments", "[connection][C90]") {
    TestType t;
    CHECK_FALSE(t.ws.send("text"));
    CHECK_FALSE(t.ws.send(as_bytes("binary")));
    CHECK_FALSE(t.ws.send(opcode::text, as_bytes("a"), fin::no));
    CHECK_FALSE(t.ws.send(opcode::continuation, as_bytes("b"), fin::no));
    CHECK_FALSE(t.ws.send(opcode::continuation, {}, fin::yes));
    CHECK(t.peer->written == concat(TestType::sent("81", "text"), TestType::sent("82", "binary"),
                                    TestType::sent("01", "a"), TestType::sent("00", "b"), TestType::sent("80", "")));
}

FOR_BOTH_ROLES("a message can be sent back as it was read", "[connection]") {
    TestType t;
    t.peer->say(TestType::frame("82", "echo"));
    CHECK_FALSE(t.ws.send(*t.ws.read()));
    CHECK(t.peer->written == TestType::sent("82", "echo"));
}

FOR_BOTH_ROLES("what may not be sent is refused and changes nothing", "[connection][C108][C112]") {
    TestType t;
    CHECK(t.ws.send("\xff") == errc::unsendable_text);
    CHECK(t.ws.send(std::string(100'000, '\xff')) == errc::unsendable_text);
    CHECK(t.ws.send(opcode::continuation, as_bytes("x"), fin::yes) == errc::misuse);
    CHECK(t.ws.send(opcode::ping, as_bytes("x"), fin::yes) == errc::misuse);
    CHECK(t.ws.ping(as_bytes(std::string(126, 'x'))) == errc::payload_too_long);
    CHECK(t.ws.close(close_code::abnormal_closure) == errc::unsendable_close_code);
    CHECK(t.ws.close(close_code::normal, std::string(124, 'x')) == errc::reason_too_long);
    CHECK(t.peer->written.empty());
    CHECK_FALSE(t.ws.send("text"));
    CHECK(t.peer->written == TestType::sent("81", "text"));
}

FOR_BOTH_ROLES("pings are answered inside read, before the message behind them is returned", "[connection][C95]") {
    TestType t;
    t.peer->say(concat(TestType::frame("89", "1"), TestType::frame("89", "2"), TestType::frame("81", "text")));
    CHECK(next_text(t.ws) == "text");
    CHECK(t.peer->written == concat(TestType::sent("8a", "1"), TestType::sent("8a", "2")));
}

FOR_BOTH_ROLES("pings between the fragments of a message are answered while it waits", "[connection][C88]") {
    TestType t;
    t.peer->say(TestType::frame("01", "a"));
    t.peer->say(TestType::frame("89", "p"), seconds(1));
    t.peer->say(TestType::frame("80", "b"), seconds(2));
    CHECK(next_text(t.ws) == "ab");
    CHECK(t.peer->written == TestType::sent("8a", "p"));
}

// ---- the closing handshake

TEST_CASE("a server answers Close, ends its side first, waits for the client's end and closes",
          "[connection][server][C114][C117][C119][C120]") {
    server t;
    t.peer->say(server::frame("88", close_payload(1001, "bye")));
    t.peer->end(seconds(1));
    CHECK(t.ws.read().error() == errc::closed);
    CHECK(t.peer->written == server::sent("88", close_payload(1001)));
    CHECK_FALSE(t.peer->waited);
    CHECK(t.peer->order == "shutdown close");
    CHECK(t.peer->clock == t.start + seconds(1));
    CHECK(t.ws.closed_by().code == close_code::going_away);
    CHECK(t.ws.closed_by().reason == "bye");
}

TEST_CASE("a client answers Close and waits for the server's end", "[connection][client][C114][C118][C120]") {
    client t;
    t.peer->say(client::frame("88", close_payload(1001, "bye")));
    t.peer->end(seconds(1));
    CHECK(t.ws.read().error() == errc::closed);
    CHECK(t.peer->written == client::sent("88", close_payload(1001)));
    CHECK(t.peer->waited);
    CHECK(t.peer->order == "shutdown close");
    CHECK(t.peer->clock == t.start + seconds(1));
    CHECK(t.ws.closed_by().code == close_code::going_away);
    CHECK(t.ws.closed_by().reason == "bye");
}

FOR_BOTH_ROLES("a Close without a code is reported as 1005, its reason as received", "[connection][C120][C121]") {
    const std::string longest(123, 'r');
    SECTION("no code") {
        TestType t;
        t.peer->say(TestType::frame("88", ""));
        t.peer->end();
        CHECK(t.ws.read().error() == errc::closed);
        CHECK(t.ws.closed_by().code == close_code::no_status_received);
        CHECK(t.ws.closed_by().reason.empty());
        CHECK(t.peer->written == TestType::sent("88", ""));
    }
    SECTION("the longest reason") {
        TestType t;
        t.peer->say(TestType::frame("88", close_payload(4000, longest)));
        t.peer->end();
        CHECK(t.ws.read().error() == errc::closed);
        CHECK(t.ws.closed_by().reason == longest);
    }
    SECTION("none has come") {
        TestType t;
        CHECK(t.ws.closed_by().code == close_code::abnormal_closure);
    }
}

FOR_BOTH_ROLES("after the end every call says what ended the connection", "[connection][C127]") {
    TestType t;
    t.peer->say(TestType::frame("88", ""));
    t.peer->end();
    CHECK(t.ws.read().error() == errc::closed);
    const auto written = t.peer->written;
    CHECK(t.ws.read().error() == errc::closed);
    std::byte place[10];
    CHECK(t.ws.read_into(place).error() == errc::closed);
    CHECK(t.ws.send("x") == errc::closed);
    CHECK(t.ws.send(std::string(100'000, 'x')) == errc::closed);
    CHECK(t.ws.ping() == errc::closed);
    CHECK(t.ws.start_close() == errc::closed);
    CHECK_FALSE(t.ws.close());   // it is
    CHECK(t.peer->written == written);
}

FOR_BOTH_ROLES("close sends Close, takes what still comes, and succeeds with the peer's Close", "[connection][C116][C126]") {
    TestType t;
    t.peer->say(TestType::frame("81", "still"));
    t.peer->say(TestType::frame("89", "p"));
    t.peer->say(TestType::frame("88", close_payload(1000)));
    t.peer->end();
    CHECK_FALSE(t.ws.close(close_code::normal, "done"));
    CHECK(t.peer->written == concat(TestType::sent("88", close_payload(1000, "done")), TestType::sent("8a", "p")));
    CHECK(t.ws.closed_by().code == close_code::normal);
    CHECK(t.peer->closed);
}

FOR_BOTH_ROLES("after start_close messages are still read and none can be sent", "[connection][C115][C116]") {
    TestType t;
    t.peer->say(TestType::frame("81", "still"));
    t.peer->say(TestType::frame("88", close_payload(1000)));
    t.peer->end();
    CHECK_FALSE(t.ws.start_close(close_code::none));
    CHECK(t.ws.send("x") == errc::not_open);
    CHECK(t.ws.send(std::string(100'000, 'x')) == errc::not_open);
    CHECK(t.ws.start_close() == errc::not_open);
    CHECK(next_text(t.ws) == "still");
    CHECK(t.ws.read().error() == errc::closed);
    CHECK(t.peer->written == TestType::sent("88", ""));
}

FOR_BOTH_ROLES("two Closes that cross complete the handshake", "[connection][C124]") {
    TestType t;
    t.peer->on_write = [](script& s) {
        s.on_write = nullptr;
        s.say(TestType::frame("88", close_payload(1001)));
        s.end();
    };
    CHECK_FALSE(t.ws.close());
    CHECK(t.peer->written == TestType::sent("88", close_payload(1000)));
}

FOR_BOTH_ROLES("close ends within close_within, whatever the peer does instead", "[connection][S33][C118][C162]") {
    const timeouts times{.close_within = seconds(5)};
    TestType       t(std::make_shared<script>(), times);
    SECTION("silence") {
        CHECK(t.ws.close() == errc::close_timeout);
        CHECK(t.peer->clock == t.start + seconds(5));
    }
    SECTION("data for ever") {
        t.peer->endless       = [] { return TestType::frame("82", "more"); };
        t.peer->endless_every = milliseconds(10);
        CHECK(t.ws.close() == errc::close_timeout);
        CHECK(t.peer->clock == t.start + seconds(5));
    }
    SECTION("pings for ever") {
        t.peer->endless       = [] { return TestType::frame("89", "more"); };
        t.peer->endless_every = milliseconds(10);
        CHECK(t.ws.close() == errc::close_timeout);
        CHECK(t.peer->clock == t.start + seconds(5));
    }
    SECTION("Close, but never the end of the stream") {
        t.peer->say(TestType::frame("88", close_payload(1000)), seconds(3));
        CHECK_FALSE(t.ws.close());
        CHECK(t.peer->clock == t.start + seconds(5));
    }
    SECTION("Close, and then data for ever") {
        t.peer->say(TestType::frame("88", close_payload(1000)), seconds(3));
        t.peer->endless       = [] { return TestType::frame("82", "more"); };
        t.peer->endless_every = milliseconds(10);
        CHECK_FALSE(t.ws.close());
        CHECK(t.peer->clock == t.start + seconds(5));
    }
    SECTION("half-close: the end without a Close") {
        t.peer->end(seconds(1));
        CHECK(t.ws.close() == errc::truncated);
        CHECK(t.peer->clock == t.start + seconds(1));
    }
    SECTION("not a byte taken") {
        t.peer->takes = 0;
        CHECK(t.ws.close() == errc::write_timeout);
        CHECK(t.peer->clock == t.start + seconds(5));
    }
    t.ws = connection<(std::is_same_v<TestType, client> ? role::client : role::server), scripted_stream>(std::move(t.ws));
    CHECK(t.ws.send("x"));
}

FOR_BOTH_ROLES("the end of the peer's Close is waited for within close_within too", "[connection][S33][C161]") {
    TestType t;
    t.peer->say(TestType::frame("88", ""));
    CHECK(t.ws.read().error() == errc::closed);
    CHECK(t.peer->clock == t.start + timeouts{}.close_within);
    CHECK(t.peer->closed);
}

// ---- abnormal ends

FOR_BOTH_ROLES("the end of the stream without a Close is a truncation, at every byte of a message",
               "[connection][C125][C161][S30]") {
    const auto wire = concat(TestType::frame("01", "hello"), TestType::frame("89", "p"), TestType::frame("80", "world"));
    for (std::size_t cut = 0; cut < wire.size(); ++cut) {
        TestType t;
        if (cut > 0) t.peer->say({wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(cut)});
        t.peer->end();
        CAPTURE(cut);
        CHECK(t.ws.read().error() == errc::truncated);
        CHECK(t.ws.closed_by().code == close_code::abnormal_closure);
        CHECK(t.peer->closed);
        CHECK(t.ws.send("x") == errc::truncated);
    }
}

FOR_BOTH_ROLES("a violation is told by a Close, the transport ends, and nothing behind it is read",
               "[connection][C122][C165][S49]") {
    TestType t;
    t.peer->say(concat(TestType::frame("81", "good"), TestType::frame("83", "bad"), TestType::frame("81", "suffix")));
    t.peer->say(TestType::frame("81", "more"));
    t.peer->end(seconds(1));
    CHECK(next_text(t.ws) == "good");
    const auto error = t.ws.read().error();
    CHECK(error == errc::reserved_opcode);
    CHECK(error == blame::protocol_violation);
    CHECK(t.peer->written == TestType::sent("88", close_payload(1002)));
    CHECK(t.peer->order == "shutdown close");
    CHECK(t.peer->clock == t.start + seconds(1));
    CHECK(t.ws.read().error() == errc::reserved_opcode);
    CHECK(t.ws.explanation().starts_with("a frame has an opcode that is reserved (RFC 6455, 5.2): 83 "));
    CHECK(t.ws.closed_by().code == close_code::abnormal_closure);
}

FOR_BOTH_ROLES("a message beyond the limit fails with 1009, one at the limit is read", "[connection][C82]") {
    for (const std::size_t size : {9u, 10u, 11u}) {
        TestType t(std::make_shared<script>(), {}, limits{.max_message_size = 10});
        t.peer->say(TestType::frame("82", std::string(size, 'x')));
        t.peer->end();
        const auto m = t.ws.read();
        CHECK(bool(m) == (size <= 10));
        if (m) continue;
        CHECK(m.error() == blame::limit_exceeded);
        CHECK(t.peer->written == TestType::sent("88", close_payload(1009)));
    }
}

// ---- deadlines

FOR_BOTH_ROLES("an idle connection ends after the idle time", "[connection][C162]") {
    TestType t(std::make_shared<script>(), {.idle = seconds(7), .ping_every = {}});
    CHECK(t.ws.read().error() == errc::idle_timeout);
    CHECK(t.peer->written == TestType::sent("88", close_payload(1001)));
    CHECK(t.peer->clock == t.start + seconds(7) + timeouts{}.close_within);
    CHECK(t.peer->closed);
}

FOR_BOTH_ROLES("a silent peer is pinged, and lost if it does not answer", "[connection][C162]") {
    TestType t(std::make_shared<script>(), {.ping_every = seconds(20), .pong_within = seconds(10), .close_within = seconds(1)});
    CHECK(t.ws.read().error() == errc::pong_timeout);
    REQUIRE(t.peer->written.size() > 2);
    CHECK(t.peer->written[0] == std::byte{0x89});
    CHECK(t.peer->clock == t.start + seconds(31));
}

FOR_BOTH_ROLES("a peer that answers pings stays, and its round-trip time is known", "[connection][C162]") {
    TestType    t(std::make_shared<script>(), {.ping_every = seconds(20), .pong_within = seconds(10)});
    std::size_t pings = 0;
    CHECK(t.ws.round_trip() < duration{});
    t.peer->on_write = [&](script& s) {
        if (s.written[0] != std::byte{0x89}) return;
        const std::vector<std::byte> number(s.written.end() - 4, s.written.end());
        s.written.clear();
        s.say(TestType::frame("8a", as_text(number)), milliseconds(250));
        if (++pings < 3) return;
        s.say(TestType::frame("88", ""), seconds(1));
        s.end(seconds(1));
    };
    CHECK(t.ws.read().error() == errc::closed);
    CHECK(pings == 3);
    CHECK(t.ws.round_trip() == milliseconds(250));
}

FOR_BOTH_ROLES("a peer that takes no bytes is lost after the write stall", "[connection][S23][C160][C162]") {
    for (const std::size_t size : {10u, 100'000u}) {
        TestType t(std::make_shared<script>(), {.write_stall = seconds(30)});
        t.peer->takes = 5;
        CHECK(t.ws.send(std::string(size, 'x')) == errc::write_timeout);
        CHECK(t.peer->clock == t.start + seconds(30));
        CHECK(t.peer->written.size() == 5);
        CHECK(t.ws.send("x") == errc::write_timeout);
        CHECK(t.ws.read().error() == errc::write_timeout);
        CHECK(t.peer->written.size() == 5);
    }
}

FOR_BOTH_ROLES("a peer that pings and takes no bytes is lost after the write stall", "[connection][S29][C161]") {
    TestType t(std::make_shared<script>(), {.write_stall = seconds(30)});
    t.peer->takes   = 0;
    t.peer->endless = [] { return TestType::frame("89", "p"); };
    CHECK(t.ws.read().error() == errc::write_timeout);
    CHECK(t.peer->clock == t.start + seconds(30));
}

// ---- large payloads

FOR_BOTH_ROLES("large messages pass both ways, fragmented or not, over small and large writes", "[connection][C71][C92]") {
    constexpr role me = std::is_same_v<TestType, client> ? role::client : role::server;
    for (const std::size_t size : {16'383u, 16'384u, 16'385u, 65'535u, 65'536u, 200'000u}) {
        auto [a, b] = memory_stream::make_pair(5'000);
        auto mine   = *connection<me, memory_stream>::open(std::move(a), {});
        auto theirs = *connection<opposite(me), memory_stream>::open(std::move(b), {});
        std::string sent(size, ' ');
        for (std::size_t i = 0; i < size; ++i) sent[i] = static_cast<char>('a' + i % 23);
        std::vector<std::error_code> errors;
        std::thread                  sender([&] {
            errors.push_back(mine.send(sent));
            errors.push_back(mine.send(as_bytes(sent)));
            errors.push_back(mine.send(opcode::binary, as_bytes(sent), fin::no));
            errors.push_back(mine.send(opcode::continuation, as_bytes(sent), fin::yes));
            errors.push_back(mine.send(opcode::text, as_bytes(sent), fin::no));
            errors.push_back(mine.send(opcode::continuation, as_bytes(sent), fin::yes));
            errors.push_back(mine.close());
        });
        CAPTURE(size);
        std::vector<std::byte> place(2 * size);
        const auto text = theirs.read();
        CHECK((text && text->type == opcode::text && text->text() == sent));
        const auto binary = theirs.read_into(place);
        CHECK((binary && binary->type == opcode::binary && binary->text() == sent));
        const auto fragments = theirs.read();
        CHECK((fragments && fragments->text() == sent + sent));
        const auto into = theirs.read_into(place);
        CHECK((into && into->type == opcode::text && into->text() == sent + sent));
        CHECK(theirs.read().error() == errc::closed);
        sender.join();
        CHECK(errors == std::vector<std::error_code>(7));
    }
}

FOR_BOTH_ROLES("a large text that is not valid within fragments is refused", "[connection][C108]") {
    TestType          t;
    const std::string bad = std::string(50'000, 'x') + '\xff';
    CHECK_FALSE(t.ws.send(opcode::text, as_bytes("a"), fin::no));
    CHECK(t.ws.send(opcode::continuation, as_bytes(bad), fin::yes) == errc::unsendable_text);
    CHECK_FALSE(t.ws.send(opcode::continuation, as_bytes("b"), fin::yes));
    CHECK(t.peer->written == concat(TestType::sent("01", "a"), TestType::sent("80", "b")));
}

FOR_BOTH_ROLES("read_into fills the caller's memory, and refuses more than it holds with 1009", "[connection][C82]") {
    std::byte place[10];
    for (const std::size_t size : {0u, 9u, 10u, 11u}) {
        TestType t;
        t.peer->say(TestType::frame("02", std::string(size / 2, 'x')));
        t.peer->say(TestType::frame("89", std::string(50, 'p')));
        t.peer->say(TestType::frame("80", std::string(size - size / 2, 'x')));
        t.peer->end();
        const auto m = t.ws.read_into(place);
        CAPTURE(size);
        if (size <= 10) {
            REQUIRE(m);
            CHECK(m->data.data() == place);
            CHECK(m->text() == std::string(size, 'x'));
        } else {
            CHECK(m.error() == errc::message_too_big);
            CHECK(t.peer->order == "shutdown close");
            CHECK(t.peer->text().find(close_payload(1009)) != std::string::npos);
        }
    }
}

FOR_BOTH_ROLES("read_into refuses by the length that the header declares", "[connection][C82][S15]") {
    TestType t;
    std::byte place[100];
    t.peer->say(std::is_same_v<TestType, server> ? bytes("82 fe 0080 00000000") : bytes("82 7e 0080"));
    t.peer->end();
    CHECK(t.ws.read_into(place).error() == errc::message_too_big);
}

FOR_BOTH_ROLES("read and read_into take turns", "[connection]") {
    TestType  t;
    std::byte place[10];
    t.peer->say(concat(TestType::frame("81", "one"), TestType::frame("81", "two"), TestType::frame("01", "thr")));
    t.peer->say(concat(TestType::frame("80", "ee"), TestType::frame("81", "four")));
    CHECK(next_text(t.ws) == "one");
    CHECK(t.ws.read_into(place)->text() == "two");
    CHECK(next_text(t.ws) == "three");
    CHECK(t.ws.read_into(place)->text() == "four");
}

FOR_BOTH_ROLES("with an extension agreed, large messages pass through its codec, and plain ones still arrive",
               "[connection][S31][S40]") {
    constexpr role me = std::is_same_v<TestType, client> ? role::client : role::server;
    toy::extension mine_has, theirs_has;   // each counts for itself: they are two programs
    auto [a, b] = memory_stream::make_pair(5'000);
    auto mine   = *connection<me, memory_stream, std::mutex>::open(std::move(a), mine_has.agreed());
    auto theirs = *connection<opposite(me), memory_stream, std::mutex>::open(std::move(b), theirs_has.agreed());
    const std::string            big(100'000, 'b');
    std::vector<std::error_code> errors;
    std::thread                  sender([&] {
        errors.push_back(mine.send(as_bytes(big)));
        errors.push_back(mine.send(opcode::text, as_bytes("plain"), fin::yes, compress::never));
        errors.push_back(mine.send(opcode::binary, as_bytes(big), fin::yes, compress::never));
        errors.push_back(mine.close());
    });
    CHECK(next_text(theirs) == big);
    CHECK(next_text(theirs) == "plain");
    std::vector<std::byte> place(big.size());
    CHECK(theirs.read_into(place)->text() == big);
    CHECK(theirs.read().error() == errc::closed);
    sender.join();
    CHECK(errors == std::vector<std::error_code>(4));
    CHECK(mine_has.count().deflates > 0);
    CHECK(theirs_has.count().inflates > 0);
}

// ---- lifetime

FOR_BOTH_ROLES("a message and the connection's views survive a move; what was moved from refuses", "[connection]") {
    TestType t;
    t.peer->say(TestType::frame("81", "text"));
    const auto m     = t.ws.read();
    auto       moved = std::move(t.ws);
    CHECK(m->text() == "text");
    CHECK_FALSE(moved.send("x"));
    CHECK(t.ws.send("x") == errc::misuse);
    CHECK(t.ws.read().error() == errc::misuse);
    CHECK(t.ws.close() == errc::misuse);
    CHECK(t.ws.ping() == errc::misuse);
}

FOR_BOTH_ROLES("a connection keeps a copy of its subprotocol, limits and times", "[connection]") {
    constexpr role me = std::is_same_v<TestType, client> ? role::client : role::server;
    auto           s  = std::make_shared<script>();
    auto           ws = [&] {
        std::string name = "a name too long for a small string";
        agreement   agreed;
        agreed.subprotocol = name;
        return *connection<me, scripted_stream>::open(scripted_stream(s), agreed, limits{.max_message_size = 3});
    }();
    CHECK(ws.agreed().subprotocol == "a name too long for a small string");
    s->say(TestType::frame("82", "four"));
    s->end();
    CHECK(ws.read().error() == errc::message_too_big);
}

FOR_BOTH_ROLES("a connection that is destroyed closes its stream", "[connection]") {
    auto s = std::make_shared<script>();
    { TestType t(s); }
    CHECK(s->order == "close");
}

TEST_CASE("a client without entropy sends nothing and stays open", "[connection][client][S43]") {
    auto s  = std::make_shared<script>();
    auto ws = *connection<role::client, scripted_stream>::open(
        scripted_stream(s), {}, default_limits, {}, {}, {[](void*, byte_span) noexcept { return false; }});
    CHECK(ws.send("x") == errc::no_entropy);
    CHECK(ws.send(std::string(100'000, 'x')) == errc::no_entropy);
    CHECK(s->written.empty());
}

// ---- two threads

namespace {

template <role R>
using shared_connection = connection<R, memory_stream, std::mutex>;

} // namespace

FOR_BOTH_ROLES("one thread reads while others send, and pongs stand between frames, never inside one",
               "[connection][C98][S40]") {
    constexpr role me = std::is_same_v<TestType, client> ? role::client : role::server;
    auto [a, b] = memory_stream::make_pair(3'000);
    auto mine   = *shared_connection<me>::open(std::move(a), {});
    auto theirs = *shared_connection<opposite(me)>::open(std::move(b), {});
    constexpr int     rounds = 20;
    const std::string big(100'000, 'b'), small(100, 's');

    std::thread my_reader([&] {
        while (mine.read()) {}
    });
    std::thread pinger([&] {
        for (int i = 0; i < 50 * rounds; ++i)
            if (theirs.ping(as_bytes("are you there"))) break;
    });
    std::thread big_sender([&] {
        for (int i = 0; i < rounds; ++i)
            if (mine.send(as_bytes(big))) break;
    });
    std::thread small_sender([&] {
        for (int i = 0; i < 10 * rounds; ++i)
            if (mine.send(small)) break;
    });
    int bigs = 0, smalls = 0;
    while (bigs + smalls < 11 * rounds) {
        const auto m = theirs.read();
        if (!m) break;
        bigs += m->text() == big;
        smalls += m->text() == small;
    }
    CHECK(bigs == rounds);
    CHECK(smalls == 10 * rounds);
    CHECK_FALSE(theirs.close());   // reads on: a pinger that is still at it needs its pongs taken
    pinger.join();
    big_sender.join();
    small_sender.join();
    my_reader.join();
}

TEST_CASE("two ends that send much at once and read meanwhile do not wait for each other", "[connection][S29]") {
    auto [a, b] = memory_stream::make_pair(1'000);
    auto client_end = *shared_connection<role::client>::open(std::move(a), {});
    auto server_end = *shared_connection<role::server>::open(std::move(b), {});
    const std::string big(300'000, 'b');
    const auto        both_ways = [&](auto& ws, std::error_code& sent, std::string& got) {
        std::thread sender([&] { sent = ws.send(as_bytes(big)); });
        if (const auto m = ws.read()) got = m->text();
        sender.join();
    };
    std::error_code client_sent, server_sent;
    std::string     client_got, server_got;
    std::thread     other([&] { both_ways(server_end, server_sent, server_got); });
    both_ways(client_end, client_sent, client_got);
    other.join();
    CHECK_FALSE(client_sent);
    CHECK_FALSE(server_sent);
    CHECK(client_got == big);
    CHECK(server_got == big);
}

TEST_CASE("start_close from another thread lets the reader see the end", "[connection]") {
    auto [a, b] = memory_stream::make_pair();
    auto client_end = *shared_connection<role::client>::open(std::move(a), {});
    auto server_end = *shared_connection<role::server>::open(std::move(b), {});
    std::error_code read;
    std::thread     reader([&] { read = client_end.read().error(); });
    CHECK_FALSE(client_end.start_close(close_code::going_away));
    CHECK(server_end.read().error() == errc::closed);
    CHECK(server_end.closed_by().code == close_code::going_away);
    reader.join();
    CHECK(read == errc::closed);
}
