#include <navette/stream/async_engine_stream.hpp>

#include "support/async_memory.hpp"
#include "support/toy_engine.hpp"

#include <navette/stream/async_connection.hpp>

using namespace navette;
using byte_vector = std::vector<std::byte>;

namespace {

using laid = async_engine_stream<async_memory>;
static_assert(async_stream<laid> && async_stream<async_engine_stream<laid>>);

// Two ends on one loop, each with an engine.
struct toy_pair {
    test_loop                   loop;
    std::shared_ptr<async_plan> plans[2] = {std::make_shared<async_plan>(), std::make_shared<async_plan>()};
    std::weak_ptr<void>         probe;
    std::optional<laid>         a, b;

    explicit toy_pair(std::size_t most = static_cast<std::size_t>(-1)) {
        auto [one, other] = async_memory::make_pair(loop, plans[0], plans[1]);
        plans[0]->most = plans[1]->most = most;
        probe = one.probe();
        a.emplace(std::move(one), toy_engine::make());
        b.emplace(std::move(other), toy_engine::make());
    }
};

template <class S>
test_loop::task<std::error_code> write_all(S& s, std::string_view text) {
    for (const_byte_span rest = as_bytes(text); !rest.empty();) {
        const auto sent = co_await s.write_some(rest);
        if (!sent) co_return sent.error();
        rest = rest.subspan(*sent);
    }
    co_return std::error_code{};
}

template <class S>
test_loop::task<std::string> read_all(S& s) {
    std::string text;
    std::byte   place[77];
    for (;;) {
        const auto got = co_await s.read_some(place);
        if (!got) co_return text + "!" + got.error().message();
        if (*got == 0) co_return text;
        text += as_text(const_byte_span(place).first(*got));
    }
}

std::string long_text() {
    std::string text;
    for (int i = 0; i < 3'000; ++i) text += std::to_string(i);
    return text;
}

} // namespace

TEST_CASE("an engine's handshake happens inside the first write, and data goes both ways at once", "[async][engine]") {
    const std::string text = long_text();
    for (const std::size_t most : {std::size_t{1}, std::size_t{7}, std::size_t{100'000}}) {
        toy_pair pair(most);
        pair.plans[0]->at_once = pair.plans[1]->at_once = pair.loop.starts_at_once = most == 100'000;
        begun    from_a(write_all(*pair.a, text)), from_b(write_all(*pair.b, text));
        begun    at_a(read_all(*pair.a)), at_b(read_all(*pair.b));
        pair.loop.run();
        CHECK_FALSE(from_a.result());
        CHECK_FALSE(from_b.result());
        pair.loop.wait_for(pair.a->shutdown_write());
        pair.loop.wait_for(pair.b->shutdown_write());
        pair.loop.run();
        CHECK(at_a.result() == text);
        CHECK(at_b.result() == text);
        CHECK_FALSE(pair.plans[0]->misused);
        CHECK_FALSE(pair.plans[1]->misused);
    }
}

TEST_CASE("a write sends many records at once", "[async][engine]") {
    toy_pair  pair;
    const std::string text(10'000, 'x');   // a hundred records
    begun     there(read_all(*pair.b));
    CHECK_FALSE(pair.loop.wait_for(write_all(*pair.a, text)));
    CHECK(pair.plans[0]->writes == 2);     // the first is the handshake's
}

TEST_CASE("a handshake is completed before the first write", "[async][engine]") {
    toy_pair pair;
    begun    one(pair.a->handshake());
    pair.loop.run();
    CHECK_FALSE(one.is_done());
    CHECK_FALSE(pair.loop.wait_for(pair.b->handshake()));
    CHECK_FALSE(one.result());
    CHECK_FALSE(pair.loop.wait_for(pair.b->handshake()));   // already
}

TEST_CASE("what a read owes the peer is sent without a write, and beside one", "[async][engine]") {
    test_loop  loop;
    async_peer peer(loop);
    laid       s(peer.stream(), toy_engine::make());
    begun      there(read_all(s));
    peer.say(bytes("48"));
    CHECK(peer.hear() == bytes("48"));
    peer.take_at_most(0);
    peer.say(bytes("e5 03"));   // a key update
    loop.run();
    begun write(s.write_some(as_bytes("a")));   // waits for the answer, which comes first
    loop.run();
    there.destroy();            // the answer is not the reader's to send
    peer.take_at_most(100);
    CHECK(peer.hear() == bytes("e5 04 3b"));
    CHECK(*write.result() == 1);
    CHECK_FALSE(peer.plan->misused);
}

TEST_CASE("a reader that begins during a write's handshake takes over from it, and the reverse", "[async][engine]") {
    test_loop  loop;
    async_peer peer(loop);
    laid       s(peer.stream(), toy_engine::make());
    begun      write(s.write_some(as_bytes("a")));
    begun      there(read_all(s));
    loop.run();
    peer.say(bytes("48 3b"));
    CHECK(*write.result() == 1);
    there.destroy();
    CHECK(peer.hear() == bytes("48 3b"));
    CHECK_FALSE(peer.plan->misused);
}

TEST_CASE("a write in its handshake goes on when the read that listened for it is destroyed", "[async][engine]") {
    test_loop  loop;
    async_peer peer(loop);
    laid       s(peer.stream(), toy_engine::make());
    begun      there(read_all(s));
    loop.run();
    begun write(s.write_some(as_bytes("a")));
    loop.run();
    there.destroy();
    peer.say(bytes("48"));
    CHECK(*write.result() == 1);
}

TEST_CASE("a cancelled read loses no byte of a record", "[async][engine]") {
    const auto wire = bytes("48 3b 38 e5 01 39 e5 03 3e");   // ab, an escaped byte, c, a key update, d
    for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
        test_loop  loop;
        async_peer peer(loop);
        laid       s(peer.stream(), toy_engine::make());
        std::string text;
        const auto read = [&](std::size_t from, std::size_t to) {
            byte_vector place(1);
            std::optional<begun<io_result<std::size_t>>> one(s.read_some(place));
            const auto note = [&] {
                while (one->is_done()) {
                    const auto got = one->result();
                    if (got) text += as_text(const_byte_span(place).first(*got));
                    one.emplace(s.read_some(place));
                    loop.run();
                }
            };
            peer.say(const_byte_span(wire).subspan(from, to - from));
            note();
            one->destroy();
        };
        read(0, cut);
        read(cut, wire.size());
        CAPTURE(cut);
        CHECK(text == std::string("ab\xbf" "cd"));
        CHECK(peer.hear() == bytes("48 e5 04"));
    }
}

TEST_CASE("an engine's error is the reader's and every later call's, once what explains it has left", "[async][engine]") {
    test_loop  loop;
    async_peer peer(loop);
    laid       s(peer.stream(), toy_engine::make());
    peer.take_at_most(0);
    byte_vector place(9);
    begun       read(s.read_some(place));
    peer.say(bytes("00"));
    CHECK_FALSE(read.is_done());
    peer.take_at_most(100);
    CHECK(peer.hear() == bytes("48 e5 05"));   // the alert
    CHECK(read.result().error() == errc::bad_start_line);
    CHECK(loop.wait_for(s.write_some(as_bytes("x"))).error() == errc::bad_start_line);
    CHECK(loop.wait_for(s.read_some(place)).error() == errc::bad_start_line);
}

TEST_CASE("an end of the transport without the engine's is truncated", "[async][engine]") {
    test_loop  loop;
    async_peer peer(loop);
    laid       s(peer.stream(), toy_engine::make());
    byte_vector place(9);
    begun       read(s.read_some(place));
    peer.say(bytes("48"));
    peer.end();
    CHECK(read.result().error() == errc::tls_truncated);
}

TEST_CASE("a stream that is closed ends what is pending, and one that is destroyed frees its state", "[async][engine][S36]") {
    toy_pair    pair;
    byte_vector place(9);
    begun       read(pair.a->read_some(place));
    begun       write(pair.a->write_some(as_bytes("x")));
    pair.loop.run();
    pair.a.reset();
    pair.loop.run();
    CHECK_FALSE(read.result());
    CHECK_FALSE(write.result());
    CHECK(pair.loop.running() == 0);
    CHECK(pair.probe.expired());
}

TEST_CASE("a write that is destroyed leaves no half record behind that another goes on after", "[async][engine]") {
    test_loop  loop;
    async_peer peer(loop);
    laid       s(peer.stream(), toy_engine::make());
    peer.say(bytes("48"));
    CHECK_FALSE(loop.wait_for(s.handshake()));
    peer.hear();
    peer.take_at_most(1);
    begun write(s.write_some(as_bytes("abc")));
    loop.run();
    write.destroy();
    CHECK(loop.wait_for(s.write_some(as_bytes("d"))).error() == std::errc::operation_canceled);
}

TEST_CASE("every call that fails is an error of both directions, and nothing hangs", "[async][engine]") {
    for (std::size_t fail_at = 1; fail_at < 12; ++fail_at) {
        toy_pair pair;
        pair.plans[0]->fail_at = fail_at;
        begun at_a(read_all(*pair.a)), at_b(read_all(*pair.b));
        begun from_a(write_all(*pair.a, "to b")), from_b(write_all(*pair.b, "to a"));
        pair.loop.run();
        pair.b->close();
        pair.loop.run();
        CAPTURE(fail_at);
        CHECK(at_a.is_done());
        CHECK(at_b.is_done());
        CHECK(from_a.is_done());
        CHECK_FALSE(pair.plans[0]->misused);
    }
}

TEST_CASE("without an engine bytes pass through", "[async][engine]") {
    test_loop  loop;
    async_peer peer(loop);
    laid       s(peer.stream());
    CHECK_FALSE(loop.wait_for(s.handshake()));
    begun there(read_all(s));
    peer.say("plain");
    peer.end();
    CHECK(there.result() == "plain");
    CHECK(*loop.wait_for(s.write_some(as_bytes("out"))) == 3);
    loop.wait_for(s.shutdown_write());
    CHECK(peer.hear_text() == "out");
    CHECK(peer.plan->order == "shutdown ");
}

TEST_CASE("engines nest", "[async][engine]") {
    test_loop loop;
    auto plan = std::make_shared<async_plan>();
    plan->most = 3;
    auto [one, other] = async_memory::make_pair(loop, plan, plan);
    async_engine_stream<laid> a(laid(std::move(one), toy_engine::make()), toy_engine::make());
    async_engine_stream<laid> b(laid(std::move(other), toy_engine::make()), toy_engine::make());
    begun there(read_all(b));
    begun sent(write_all(a, "in two wrappings"));
    loop.run();
    CHECK_FALSE(sent.result());
    loop.wait_for(a.shutdown_write());
    loop.run();
    CHECK(there.result() == "in two wrappings");
}

TEST_CASE("a connection lies over an engine, and both ends say goodbye", "[async][engine][6455:7.1.1]") {
    toy_pair pair;
    auto client = async_connection<role::client, laid>::open(*std::move(pair.a), {});
    auto server = async_connection<role::server, laid>::open(*std::move(pair.b), {});
    REQUIRE(client);
    REQUIRE(server);
    begun at_server(server->read());
    CHECK_FALSE(pair.loop.wait_for(client->send("hello")));
    CHECK(at_server.result()->text() == "hello");
    begun closed(client->close());
    CHECK(pair.loop.wait_for(server->read()).error() == errc::closed);
    pair.loop.run();
    CHECK_FALSE(closed.result());
    CHECK(pair.loop.running() == 0);
    CHECK_FALSE(pair.plans[0]->misused);
    CHECK_FALSE(pair.plans[1]->misused);
}
