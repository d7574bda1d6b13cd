#include <navette/websocket.hpp>

#include "support/bytes.hpp"
#include "support/websocket_server.hpp"

#include <poll.h>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

using namespace navette;

namespace {

bool is_ready(const websocket& ws, int milliseconds) {
    ::pollfd watched{ws.native_handle(), POLLIN, 0};
    return ::poll(&watched, 1, milliseconds) == 1;
}

} // namespace

TEST_CASE("polled, callbacks come on the thread that waits", "[websocket][client]") {
    websocket_server      server({echoing()});
    recorded              t(server.url(), {.polled = true});
    const std::thread::id here = std::this_thread::get_id();
    std::thread::id       there;
    t.opened = [&] {
        there = std::this_thread::get_id();
        CHECK_FALSE(t.ws.send("text"));
    };
    t.came = [&](const message& m) {
        CHECK(m.text() == "text");
        t.ws.close(close_code::normal);
    };
    CHECK_FALSE(t.ws.wait(patience));
    CHECK((here == there));
    CHECK(t.log.text() == "open open | text text | close 1000 clean closed");
}

TEST_CASE("not polled, callbacks come on one other thread", "[websocket][client]") {
    websocket_server      server({echoing()});
    recorded              t(server.url());
    std::set<std::thread::id> seen;
    t.opened = [&] {
        seen.insert(std::this_thread::get_id());
        t.ws.send("text");
    };
    t.came   = [&](const message&) {
        seen.insert(std::this_thread::get_id());
        t.ws.close();
    };
    t.closed = [&](const close_event&) { seen.insert(std::this_thread::get_id()); };
    CHECK_FALSE(t.ws.wait(patience));
    CHECK(seen.size() == 1);
    CHECK(seen.count(std::this_thread::get_id()) == 0);
    CHECK(t.ws.poll() == 0);
    CHECK(t.ws.native_handle() == -1);
}

TEST_CASE("polled, a descriptor tells that something has come, and the state waits for poll", "[websocket][client]") {
    websocket_server server({echoing()});
    recorded         t(server.url(), {.polled = true});
    CHECK_FALSE(is_ready(t.ws, 0));
    CHECK_FALSE(t.ws.connect());
    REQUIRE(is_ready(t.ws, 20'000));
    CHECK(t.ws.readyState() == ready_state::connecting);
    CHECK(t.ws.send("text") == errc::not_open);
    CHECK(t.ws.poll() == 1);
    CHECK(t.ws.readyState() == ready_state::open);
    CHECK_FALSE(is_ready(t.ws, 0));
    CHECK(t.ws.poll() == 0);
    CHECK_FALSE(t.ws.send("text"));
    REQUIRE(is_ready(t.ws, 20'000));
    CHECK(t.ws.poll() == 1);
    CHECK(t.log.text() == "open open | text text");
    t.ws.close();
    while (t.ws.readyState() != ready_state::closed) {
        REQUIRE(is_ready(t.ws, 20'000));
        t.ws.poll();
    }
    CHECK(t.log.text() == "open open | text text | close 1005 clean closed");
}

TEST_CASE("polled, what a callback throws passes through, and the rest comes later", "[websocket][client]") {
    websocket_server server({websocket_server::upgraded([](server_connection& ws) {
        ws.send("one");
        ws.send("two");
        ws.close();
    })});
    recorded t(server.url(), {.polled = true});
    t.came   = [&](const message& m) { throw std::runtime_error(std::string(m.text())); };
    t.closed = [&](const close_event&) { throw std::runtime_error("close"); };
    CHECK_THROWS_WITH(t.ws.wait(patience), "one");
    CHECK_THROWS_WITH(t.ws.wait(patience), "two");
    CHECK_THROWS_WITH(t.ws.wait(patience), "close");
    CHECK_FALSE(t.ws.wait(patience));
    CHECK(t.log.text() == "open open | text one | text two | close 1000 clean closed");
}

TEST_CASE("polled, poll within a callback does nothing", "[websocket][client]") {
    websocket_server server({websocket_server::upgraded([](server_connection& ws) {
        ws.send("one");
        ws.send("two");
        ws.close();
    })});
    recorded t(server.url(), {.polled = true});
    t.came = [&](const message&) {
        CHECK(t.ws.poll() == 0);
        CHECK(t.ws.wait() == errc::misuse);
    };
    CHECK_FALSE(t.ws.wait(patience));
    CHECK(t.log.text() == "open open | text one | text two | close 1000 clean closed");
}

TEST_CASE("polled, what waits is bounded: the server has to wait", "[websocket][client]") {
    // With pings, which must not take the silence for the server's, and without, when nothing but poll wakes the thread.
    const duration   every = GENERATE(milliseconds(20), duration{});
    std::atomic<int> sent{0};
    constexpr int    count = 300;
    websocket_server server({websocket_server::upgraded([&](server_connection& ws) {
        for (; sent < count; ++sent)
            if (ws.send(std::string(100'000, 'x'))) return;
        ws.close();
    })});
    websocket ws(server.url(), {.limits   = {.max_output = 150'000},
                                .timeouts = {.ping_every = every, .pong_within = every},
                                .polled   = true});
    int       came = 0;
    ws.onmessage = [&](const message&) { ++came; };
    CHECK_FALSE(ws.connect());
    // Until the server does not get on any more: what the sockets hold is less than all of it.
    for (int before = -1; before != sent || before == 0;) {
        before = sent;
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    CHECK(sent < count);
    CHECK(came == 0);
    CHECK_FALSE(ws.wait(patience));
    CHECK(came == count);
}

TEST_CASE("polled, close is heard while the events wait", "[websocket][client]") {
    websocket_server server({echoing()});
    recorded         t(server.url(), {.polled = true});
    CHECK_FALSE(t.ws.connect());
    REQUIRE(is_ready(t.ws, 20'000));
    CHECK_FALSE(t.ws.close());
    server.finish();
    CHECK_FALSE(t.ws.wait(patience));
    CHECK(t.log.text() == "close 1005 clean closed");
}
