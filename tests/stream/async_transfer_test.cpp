#include <navette/stream/async_transfer.hpp>

#include "support/async_memory.hpp"

using namespace navette;

namespace {

using transfer = async_transfer<async_memory>;
using then     = transfer::then;

struct fixture {
    test_loop           loop;
    async_peer          peer{loop};
    std::weak_ptr<void> probe;
    share<transfer>     s;

    fixture() {
        auto stream = peer.stream();
        probe       = stream.probe();
        s           = share<transfer>(new transfer(std::move(stream)));
        static_cast<void>(s->input.grow(4));
    }
};

} // namespace

TEST_CASE("a read that is late leaves its bytes to the next one", "[async]") {
    fixture f;
    begun   first(transfer::read(f.s, f.loop.now() + seconds(1)));
    f.loop.advance(seconds(1));
    CHECK(first.result().error() == std::errc::timed_out);
    f.peer.say("abc");
    CHECK(*f.loop.wait_for(transfer::read(f.s, instant::never())) == 3);
    CHECK(as_text(f.s->input.data().first(3)) == "abc");
    CHECK(f.loop.wait_for(transfer::read(f.s, f.loop.now())).error() == std::errc::timed_out);   // not begun at all
    f.peer.end();
    CHECK(*f.loop.wait_for(transfer::read(f.s, instant::never())) == 0);
}

TEST_CASE("a read that is destroyed leaves its bytes to the next one", "[async]") {
    fixture f;
    begun   first(transfer::read(f.s, instant::never()));
    f.loop.run();
    first.destroy();
    begun second(transfer::read(f.s, instant::never()));
    f.peer.say("ab");
    CHECK(*second.result() == 2);
    CHECK_FALSE(f.peer.plan->misused);
}

TEST_CASE("a write sends all of the output, and ends the direction if it is told to", "[async]") {
    for (const then next : {then::keep, then::shut_down}) {
        fixture f;
        f.peer.plan->most = 2;
        static_cast<void>(f.s->output.append("whole"));
        CHECK_FALSE(f.loop.wait_for(transfer::write(f.s, {}, instant::never(), next)));
        CHECK(f.peer.hear_text() == "whole");
        CHECK(f.peer.plan->order == (next == then::keep ? "" : "shutdown "));
    }
}

TEST_CASE("a write is late when nothing is taken for as long as is allowed, or in all", "[async]") {
    for (const bool in_all : {false, true}) {
        fixture f;
        f.peer.take_at_most(1);
        static_cast<void>(f.s->output.append("abcd"));
        const instant until = in_all ? f.loop.now() + seconds(5) : instant::never();
        begun         write(transfer::write(f.s, in_all ? duration{} : seconds(3), until));
        f.loop.advance(seconds(2));
        f.peer.take_at_most(2);
        f.loop.advance(milliseconds(2'999));
        CHECK_FALSE(write.is_done());
        f.loop.advance(milliseconds(1));
        CHECK(write.result() == errc::write_timeout);
    }
}

TEST_CASE("an error of the stream is that of the call", "[async]") {
    fixture f;
    f.peer.plan->fail_at = 1;
    static_cast<void>(f.s->output.append("x"));
    CHECK(f.loop.wait_for(transfer::write(f.s, {}, instant::never())) == std::errc::io_error);
    CHECK(f.loop.wait_for(transfer::read(f.s, instant::never())).error() == std::errc::io_error);
}

TEST_CASE("what a peer still says is discarded until its end, or until the time is up", "[async]") {
    for (const bool ends : {false, true}) {
        fixture f;
        begun   discard(transfer::discard(f.s, f.loop.now() + seconds(2)));
        f.peer.say("some more than the buffer holds");
        if (ends) f.peer.end();
        CHECK(discard.is_done() == ends);
        f.loop.advance(seconds(2));
        CHECK(discard.is_done());
    }
}

TEST_CASE("whoever leaves closes the stream, and what is under way frees it", "[async][S36]") {
    fixture f;
    f.peer.take_at_most(0);
    static_cast<void>(f.s->output.append("x"));
    begun read(transfer::read(f.s, instant::never()));
    begun write(transfer::write(f.s, {}, instant::never()));
    f.loop.run();
    { const transfer::closer leaves(f.s); }
    f.s = {};
    read.destroy();
    write.destroy();
    CHECK(f.loop.running() == 2);
    f.loop.run();
    CHECK(f.loop.running() == 0);
    CHECK(f.probe.expired());
}

TEST_CASE("a stream that is released stays open", "[async]") {
    fixture f;
    std::optional<async_memory> kept;
    {
        const transfer::closer leaves(f.s);
        kept.emplace(f.s->release());
    }
    f.s = {};
    CHECK(f.peer.plan->order.empty());
    CHECK_FALSE(f.probe.expired());
}
