#include <navette/stream/async_stream.hpp>

#include "support/async_memory.hpp"

using namespace navette;

namespace {

struct gathering : async_memory {
    using async_memory::write_some;
    task<io_result<std::size_t>> write_some(std::span<const const_byte_span> pieces) { return write_some(pieces[0]); }
};

struct without_signal {
    template <class T>
    using task = test_loop::task<T>;
    task<io_result<std::size_t>> read_some(byte_span);
    task<io_result<std::size_t>> write_some(const_byte_span);
    task<void>                   shutdown_write();
    void                         close();
    instant                      now();
    void                         start(task<void>);
};

struct blocking_read : async_memory {
    io_result<std::size_t> read_some(byte_span);
};

struct dialer {
    using stream = async_memory;
    stream::task<io_result<stream>> dial(std::string_view, std::uint16_t, instant);
    instant                         now();
};

static_assert(async_stream<async_memory> && !async_gather_stream<async_memory>);
static_assert(async_gather_stream<gathering>);
static_assert(!async_stream<without_signal> && !async_stream<blocking_read> && !async_stream<int>);
static_assert(async_dialer<dialer> && !async_dialer<async_memory>);

test_loop::task<std::string> text_of(async_memory& s) {
    std::string text;
    std::byte   place[4];
    for (;;) {
        const auto got = co_await s.read_some(place);
        if (!got) throw std::system_error(got.error());
        if (*got == 0) co_return text;
        text += as_text(const_byte_span(place).first(*got));
    }
}

test_loop::task<int> waits(test_loop::signal& on, test_loop& loop, instant until) {
    co_await on.wait_until(until);
    co_return loop.now() < until ? 1 : 2;   // a local in memory: what is awaited is the whole statement
}

} // namespace

TEST_CASE("a stream of coroutines reads until the peer's direction ends", "[async]") {
    test_loop    loop;
    async_peer   peer(loop);
    async_memory s = peer.stream();
    begun        text(text_of(s));
    peer.say("shut");
    peer.say("tle");
    CHECK_FALSE(text.is_done());
    peer.end();
    CHECK(text.result() == "shuttle");
}

TEST_CASE("a signal wakes all who wait, after the call, and time wakes those whose time has come", "[async]") {
    test_loop         loop;
    test_loop::signal moved(loop);
    begun             first(waits(moved, loop, instant::never())), second(waits(moved, loop, loop.now() + seconds(5)));
    begun             third(waits(moved, loop, loop.now() + seconds(1)));
    loop.advance(seconds(1));
    CHECK(third.result() == 2);
    CHECK_FALSE(second.is_done());
    moved.notify_all();
    CHECK_FALSE(first.is_done());
    loop.run();
    CHECK(first.result() == 1);
    CHECK(second.result() == 1);
}

TEST_CASE("a read that is destroyed while it waits takes no byte", "[async]") {
    test_loop    loop;
    async_peer   peer(loop);
    async_memory s = peer.stream();
    begun        destroyed(text_of(s));
    loop.run();
    destroyed.destroy();
    peer.say("abc");
    peer.end();
    CHECK(loop.wait_for(text_of(s)) == "abc");
}
