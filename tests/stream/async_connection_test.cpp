#include <navette/stream/async_connection.hpp>

#include "support/async_pair.hpp"
#include "support/toy_extension.hpp"

#include <thread>

using namespace navette;

namespace {

using server = async_pair<role::server>;
using client = async_pair<role::client>;

constexpr auto canceled = std::errc::operation_canceled;

template <class Pair>
test_loop::task<std::error_code> echo(Pair& pair) {
    for (;;) {
        const auto got = co_await pair.ws->read();
        if (!got) co_return got.error();
        const std::error_code error = co_await pair.ws->send(*got);
        if (error) co_return error;
    }
}

} // namespace

TEMPLATE_TEST_CASE("an echo answers each message, and ends with the peer's Close", "[async][6455:5.5.1]", server, client) {
    TestType pair;
    begun    end(echo(pair));
    pair.says("81 05 48656c6c6f 82 01 00");
    CHECK(pair.hears() == bytes("81 05 48656c6c6f 82 01 00"));
    pair.says("88 05 03E9 627965");
    CHECK(pair.hears() == bytes("88 02 03E9"));
    CHECK_FALSE(end.is_done());   // the transport has not ended
    pair.peer.end();
    CHECK(end.result() == errc::closed);
    CHECK(pair.ws->closed_by().code == close_code::going_away);
    CHECK(pair.ws->closed_by().reason == "bye");
}

TEMPLATE_TEST_CASE("a send completes when its own bytes have left, and not before", "[async]", server, client) {
    TestType pair;
    pair.peer.take_at_most(0);
    begun first(pair.ws->send("one")), second(pair.ws->send("two"));
    pair.loop.run();
    CHECK_FALSE(first.is_done());
    const std::size_t size = pair.ws->queued() / 2;
    pair.peer.take_at_most(size);
    CHECK_FALSE(first.result());
    CHECK_FALSE(second.is_done());
    CHECK(pair.hears() == bytes("81 03 6f6e65 81 03 74776f"));
    CHECK_FALSE(second.result());
    CHECK(pair.ws->queued() == 0);
}

TEMPLATE_TEST_CASE("sends leave in the order in which they began, those of a burst together", "[async]", server, client) {
    TestType                                    pair;
    std::vector<begun<std::error_code>>         sends;
    byte_vector                                 expected;
    for (int i = 0; i < 100; ++i) {
        const std::string text = "message " + std::to_string(i);
        expected               = concat(expected, frame(0x81, text));
        sends.emplace_back(pair.ws->send(text));   // the text dies before the task ends
    }
    CHECK(pair.hears() == expected);
    for (auto& each : sends) CHECK_FALSE(each.result());
    CHECK(pair.peer.plan->writes == 1);   // all had begun before the drain did
}

TEMPLATE_TEST_CASE("messages that are queued without waiting leave with few writes", "[async]", server, client) {
    TestType pair;
    CHECK_FALSE(pair.ws->start_send("a"));
    CHECK_FALSE(pair.ws->start_send(opcode::binary, as_bytes("b"), fin::yes));
    begun flushed(pair.ws->flush());
    CHECK_FALSE(flushed.is_done());
    CHECK(pair.hears() == bytes("81 01 61 82 01 62"));
    CHECK_FALSE(flushed.result());
    CHECK(pair.peer.plan->writes == 1);
    CHECK(pair.loop.wait_for(pair.ws->flush()) == std::error_code{});   // nothing to wait for
}

TEMPLATE_TEST_CASE("a message of unknown length is sent in fragments", "[async][6455:5.4]", server, client) {
    TestType pair;
    CHECK_FALSE(pair.loop.wait_for(pair.ws->send(opcode::text, as_bytes("ab"), fin::no)));
    CHECK(pair.loop.wait_for(pair.ws->send("no")) == errc::message_in_progress);
    CHECK_FALSE(pair.loop.wait_for(pair.ws->ping(as_bytes("p"))));
    CHECK_FALSE(pair.loop.wait_for(pair.ws->send(opcode::continuation, as_bytes("c"), fin::yes)));
    CHECK(pair.hears() == bytes("01 02 6162 89 01 70 80 01 63"));
}

TEMPLATE_TEST_CASE("what may not be sent changes nothing", "[async]", server, client) {
    TestType        pair;
    const byte_vector long_one(126);
    CHECK(pair.loop.wait_for(pair.ws->send("\xff")) == errc::unsendable_text);
    CHECK(pair.loop.wait_for(pair.ws->send(opcode::continuation, {}, fin::yes)) == errc::misuse);
    CHECK(pair.loop.wait_for(pair.ws->send(opcode::ping, {}, fin::yes)) == errc::misuse);
    CHECK(pair.loop.wait_for(pair.ws->ping(long_one)) == errc::payload_too_long);
    CHECK(pair.ws->start_close(static_cast<close_code>(1005)) == errc::unsendable_close_code);
    CHECK(pair.loop.wait_for(pair.ws->close(close_code::normal, std::string(124, 'r'))) == errc::reason_too_long);
    CHECK(pair.hears().empty());
    CHECK_FALSE(pair.loop.wait_for(pair.ws->send("x")));
    CHECK(pair.hears() == bytes("81 01 78"));
}

TEST_CASE("the caller says whether a message is compressed", "[async][server][7692:6]") {
    toy::extension packing({.threshold = 3});
    server         pair({}, default_limits, packing.agreed());
    CHECK_FALSE(pair.loop.wait_for(pair.ws->send("abc")));
    CHECK_FALSE(pair.loop.wait_for(pair.ws->send(opcode::text, as_bytes("abc"), fin::yes, compress::never)));
    CHECK(pair.hears() == concat(frame(0xc1, packing.on_wire("abc")), frame(0x81, "abc")));
}

TEMPLATE_TEST_CASE("the queue is bounded, and one message always fits behind nothing", "[async]", server, client) {
    limits bounds;
    bounds.max_output = 100;
    TestType pair({}, bounds);
    pair.peer.take_at_most(0);
    const std::string large(1'000, 'l');
    begun             first(pair.ws->send(large));
    pair.loop.run();
    CHECK_FALSE(first.is_done());
    CHECK(pair.loop.wait_for(pair.ws->send("x")) == errc::output_full);
    CHECK(pair.ws->start_send("x") == errc::output_full);
    CHECK(pair.loop.wait_for(pair.ws->ping()) == errc::output_full);
    CHECK_FALSE(pair.ws->start_close());   // a Close fits always
    pair.peer.take_at_most(10'000);
    CHECK(pair.hears() == concat(frame(0x81, large), bytes("88 02 03E8")));
    CHECK_FALSE(first.result());
}

TEST_CASE("the queue is full at its limit, and not one byte before", "[async][server]") {
    for (const std::size_t second : {std::size_t{69}, std::size_t{70}, std::size_t{71}}) {   // and as much as a header may have
        limits bounds;
        bounds.max_output = 100;
        server pair({}, bounds);
        pair.peer.take_at_most(0);
        CHECK_FALSE(pair.ws->start_send(std::string(14, 'a')));   // 16 bytes
        CHECK((pair.ws->start_send(std::string(second, 'b')) == errc::output_full) == (second > 70));
    }
}

TEMPLATE_TEST_CASE("a failed write ends what is pending, and is what every later call says", "[async]", server, client) {
    TestType pair;
    pair.peer.take_at_most(0);
    begun read(pair.ws->read());
    begun first(pair.ws->send("a")), second(pair.ws->send("b")), closed(pair.ws->close());
    pair.loop.run();
    pair.peer.from->gone = true;   // the peer does not read any more
    pair.peer.take_at_most(100);
    CHECK(first.result() == std::errc::broken_pipe);
    CHECK(second.result() == std::errc::broken_pipe);
    CHECK(read.result().error() == std::errc::broken_pipe);
    CHECK(closed.result() == std::errc::broken_pipe);
    CHECK(pair.loop.wait_for(pair.ws->send("c")) == std::errc::broken_pipe);
    CHECK(pair.loop.wait_for(pair.ws->flush()) == std::errc::broken_pipe);
    CHECK(pair.loop.wait_for(pair.ws->read()).error() == std::errc::broken_pipe);
    CHECK(pair.ws->start_close() == std::errc::broken_pipe);
    CHECK(pair.loop.wait_for(pair.ws->close()) == std::errc::broken_pipe);
    CHECK(pair.loop.running() == 0);
}

TEMPLATE_TEST_CASE("a send that is cancelled or destroyed has sent its message all the same", "[async]", server, client) {
    for (const bool destroys : {false, true}) {
        TestType pair;
        pair.peer.take_at_most(2);
        std::string text(1, 's');
        begun       send(pair.ws->send(text));
        pair.loop.run();
        CHECK_FALSE(send.is_done());
        text = "t";
        if (destroys) send.destroy();
        begun other(pair.ws->send(text));
        CHECK(pair.hears() == bytes("81 01 73 81 01 74"));
        CHECK_FALSE(other.result());
        if (!destroys) CHECK_FALSE(send.result());
    }
}

TEMPLATE_TEST_CASE("reads and sends go on side by side", "[async]", server, client) {
    TestType pair;
    begun    read(pair.ws->read());
    pair.peer.take_at_most(0);
    begun sent(pair.ws->send("out"));
    pair.says("81 02 696e");
    CHECK(told(read.result()) == "text in");   // though nothing could leave
    CHECK_FALSE(sent.is_done());
    pair.peer.take_at_most(100);
    CHECK_FALSE(sent.result());
}

TEMPLATE_TEST_CASE("a connection that is destroyed ends what is pending, and frees its state", "[async][S36]", server, client) {
    TestType pair;
    pair.peer.take_at_most(1);
    begun read(pair.ws->read());
    begun send(pair.ws->send("x")), flushed(pair.ws->flush()), closed(pair.ws->close());
    pair.loop.run();
    pair.ws.reset();
    CHECK_FALSE(read.is_done());   // not inside the destructor
    pair.loop.run();
    CHECK(read.result().error() == canceled);
    CHECK(send.result() == canceled);
    CHECK(flushed.result() == canceled);
    CHECK(closed.result() == canceled);
    CHECK(pair.loop.running() == 0);
    CHECK(pair.probe.expired());
    CHECK_FALSE(pair.peer.plan->misused);
}

TEMPLATE_TEST_CASE("a connection may be destroyed by the coroutine that uses it, at any point", "[async][S36]", server, client) {
    for (int at = 0; at < 4; ++at) {
        for (const bool at_once : {false, true}) {
            TestType pair;
            pair.peer.plan->at_once = pair.loop.starts_at_once = at_once;
            const auto use = [](TestType& p, int point) -> test_loop::task<int> {
                auto sent = p.ws->send("a");
                if (point == 0) p.ws.reset();
                const std::error_code refused = co_await std::move(sent);
                if (point == 0) co_return refused == canceled ? 1 : 2;
                if (point == 1) p.ws.reset();
                if (point == 1) co_return 1;
                const auto got = co_await p.ws->read();
                if (point == 2) p.ws.reset();
                if (point == 2) co_return got ? 1 : 2;
                p.ws->start_send("b");
                auto closed = p.ws->close();
                p.ws.reset();
                const std::error_code lost = co_await std::move(closed);
                co_return lost == canceled ? 1 : 2;
            };
            begun task(use(pair, at));
            pair.says("81 01 61");
            CAPTURE(at, at_once);
            CHECK(task.result() == 1);
            CHECK(pair.loop.running() == 0);
            CHECK(pair.probe.expired());
        }
    }
}

TEST_CASE("a connection that is destroyed with its loop leaves nothing behind", "[async][server][S36]") {
    std::weak_ptr<void> probe;
    {
        test_loop  loop;
        async_peer peer(loop);
        auto       stream = peer.stream();
        probe             = stream.probe();
        auto ws           = async_connection<role::server, async_memory>::open(std::move(stream), {});
        REQUIRE(ws);
        peer.take_at_most(0);
        begun read(ws->read());
        begun stuck(ws->send("y"));
        loop.run();
        CHECK(loop.running() == 2);   // the watch and the drain
    }   // they go with the loop
    CHECK(probe.expired());
}

TEMPLATE_TEST_CASE("a connection moves while operations are pending", "[async]", server, client) {
    TestType pair;
    begun    read(pair.ws->read());
    auto     moved = std::make_unique<typename TestType::connection>(std::move(*pair.ws));
    pair.says("81 01 61");
    CHECK(told(read.result()) == "text a");
    CHECK(pair.loop.wait_for(pair.ws->read()).error() == errc::misuse);
    CHECK(pair.loop.wait_for(pair.ws->read_piece()).error() == errc::misuse);
    CHECK(pair.loop.wait_for(pair.ws->send("x")) == errc::misuse);
    CHECK(pair.loop.wait_for(pair.ws->close()) == errc::misuse);
    CHECK(pair.ws->start_send("x") == errc::misuse);
    CHECK(pair.ws->start_close() == errc::misuse);
    CHECK(pair.ws->queued() == 0);
    CHECK(pair.ws->closed_by().code == close_code::abnormal_closure);
    *pair.ws = std::move(*moved);
    CHECK_FALSE(pair.loop.wait_for(pair.ws->send("x")));
    auto other = TestType::connection::open(async_peer(pair.loop).stream(), {});
    REQUIRE(other);
    *pair.ws = *std::move(other);   // and the one before is gone
    pair.loop.run();
    CHECK(pair.probe.expired());
}

TEST_CASE("a violation fails the connection: Close, then the end of this side's direction, then the peer's", "[async][server][6455:7.1.7][6455:7.1.1]") {
    server pair;
    begun  read(pair.ws->read());
    pair.peer.say(bytes("81 01 61"));   // unmasked
    CHECK(pair.hears() == bytes("88 02 03EA"));
    CHECK(pair.peer.plan->order == "shutdown ");
    pair.peer.say(bytes("81 01 61 81 01 61"));   // dropped
    CHECK_FALSE(read.is_done());
    pair.peer.end();
    CHECK(read.result().error() == errc::unmasked_client_frame);
    CHECK(pair.loop.wait_for(pair.ws->read()).error() == errc::unmasked_client_frame);
    CHECK(pair.peer.plan->order == "shutdown close ");
}

TEST_CASE("a client waits for the server's end before it ends its own direction", "[async][client][6455:7.1.1]") {
    client pair;
    begun  read(pair.ws->read());
    pair.says("88 02 03E8");
    CHECK(pair.hears() == bytes("88 02 03E8"));
    CHECK(pair.peer.plan->order.empty());
    pair.peer.end();
    CHECK(read.result().error() == errc::closed);
    CHECK(pair.peer.plan->order == "shutdown close ");
}

TEMPLATE_TEST_CASE("an end without a Close is truncated", "[async][6455:7.1.5]", server, client) {
    TestType pair;
    begun    read(pair.ws->read());
    pair.says("01 01 61");
    pair.peer.end();
    CHECK(read.result().error() == errc::truncated);
    CHECK(pair.ws->closed_by().code == close_code::abnormal_closure);
    CHECK(pair.loop.running() == 0);
}

TEMPLATE_TEST_CASE("every call of the stream that fails ends the connection, and nothing hangs", "[async]", server, client) {
    std::size_t calls = 0;
    for (std::size_t fail_at = 1;; ++fail_at) {
        TestType pair;
        pair.peer.plan->fail_at = fail_at;
        begun end(echo(pair));
        pair.says("81 01 61 89 00");
        pair.peer.hear();
        pair.says("81 01 62");
        pair.peer.hear();
        pair.says("88 02 03E8");
        pair.peer.end();
        pair.peer.hear();
        if (!end.is_done()) pair.loop.advance(seconds(40));
        CAPTURE(fail_at);
        REQUIRE(end.is_done());
        CHECK(pair.loop.running() == 0);
        CHECK_FALSE(pair.peer.plan->misused);
        if (!pair.peer.plan->failed) {
            CHECK(end.result() == errc::closed);
            calls = fail_at - 1;
            break;
        }
    }
    CHECK(calls >= 6);
}

TEMPLATE_TEST_CASE("all is the same where nothing suspends that need not, and work begins when it is started", "[async]", server, client) {
    TestType pair;
    pair.peer.plan->at_once = pair.loop.starts_at_once = true;
    begun       end(echo(pair));
    byte_vector messages;
    for (int i = 0; i < 50; ++i) messages = concat(messages, frame(0x81, std::to_string(i)));
    pair.says(messages);
    CHECK(pair.hears() == messages);
    pair.says("89 01 70 88 02 03E8");
    CHECK(pair.hears() == bytes("8a 01 70 88 02 03E8"));
    pair.peer.end();
    CHECK(end.result() == errc::closed);
    CHECK(pair.loop.running() == 0);
    CHECK_FALSE(pair.peer.plan->misused);
}

TEST_CASE("two connections on two threads share nothing", "[async][S40]") {
    const auto talk = [](std::string& log) {
        server pair;
        begun  end(echo(pair));
        for (int i = 0; i < 200; ++i) {
            pair.says(frame(0x81, std::to_string(i)));
            log += as_text(const_byte_span(pair.hears()).subspan(2));
        }
        pair.says("88 00");
        pair.peer.end();
        log += end.result() == errc::closed ? " closed" : " lost";
    };
    std::string one, two;
    std::thread other([&] { talk(two); });
    talk(one);
    other.join();
    CHECK(one == two);
    CHECK(one.ends_with("199 closed"));
}
