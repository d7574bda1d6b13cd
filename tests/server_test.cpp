#include <navette/server.hpp>

#include "support/serving.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace navette;

namespace {

const bool pollers[] = {false, true};

struct echo_server {
    event_log log{};
    server    s;

    explicit echo_server(server_settings settings = anybody()) : s(std::move(settings)) {
        note_all(s, log);
        s.on_message = [this](server_connection& ws, const message& m) {
            log.add((m.type == opcode::text ? "text " : "binary ") + std::to_string(m.data.size()));
            ws.send(m);
        };
    }
};

} // namespace

TEST_CASE("a server echoes text and binary messages of every length class, by epoll and by poll", "[server][6455:5.2][6455:6]") {
    for (const bool by_poll : pollers) {
        echo_server  e(anybody(by_poll));
        visitor      v = visitor::opened(started(e.s));
        for (const std::size_t size : {0u, 1u, 125u, 126u, 65'535u, 65'536u, 300'000u, 2'000'000u}) {
            const std::string text(size, 'x');
            REQUIRE(v.text(text));
            CHECK(v.next() == (size == 0 ? "81" : "81 " + text));
            REQUIRE(v.binary(as_bytes(text)));
            CHECK(v.next() == (size == 0 ? "82" : "82 " + text));
        }
    }
}

TEST_CASE("a server tells opening, messages and a clean close in order, and once", "[server][6455:7.1]") {
    for (const bool by_poll : pollers) {
        echo_server e(anybody(by_poll));
        visitor     v = visitor::opened(started(e.s));
        v.text("Coucou");
        CHECK(v.next() == "81 Coucou");
        v.frames("88 05 03E8 627965");
        CHECK(v.closed() == 1000);
        CHECK(v.at_end());
        REQUIRE(e.log.wait_for("close"));
        CHECK(e.log.text() == "open | text 6 | close 1000 bye clean");
    }
}

TEST_CASE("what arrived in one read leaves in one write", "[server]") {
    std::atomic<int> writes{0};
    server           s(anybody());
    s.on_message = [](server_connection& ws, const message& m) { ws.send(m); };
    s.on_wire    = [&](const server_connection&, wire_direction way, const_byte_span) {
        if (way == wire_direction::out) ++writes;
    };
    visitor v = visitor::opened(started(s));
    CHECK(soon([&] { return writes == 1; }));
    byte_vector many;
    for (int i = 0; i < 50; ++i) many = concat(many, masked(bytes("81 02 6869 89 01 3f")));
    v.say(many);
    for (int i = 0; i < 50; ++i) {
        REQUIRE(v.next() == "81 hi");
        REQUIRE(v.next() == "8a ?");
    }
    CHECK(soon([&] { return writes >= 2; }));
    CHECK(writes == 2);
}

TEST_CASE("frames that come with the request are messages, and a frame may come byte by byte", "[server][6455:4.2.2][6455:5.4]") {
    echo_server e;
    const int   port = started(e.s);
    visitor     v(port);
    v.say(concat(text_bytes(opening()), masked(bytes("01 03 436f75 80 03 636f75"))));
    CHECK(v.head().starts_with("HTTP/1.1 101 "));
    CHECK(v.next() == "81 Coucou");
    for (const std::byte b : masked(frame(0x81, "slowly"))) v.say(const_byte_span(&b, 1));
    CHECK(v.next() == "81 slowly");
}

TEST_CASE("whoever breaks the protocol gets the close code for it, and the application the error", "[server][6455:7.1.7]") {
    event_log log;
    server    s(anybody());
    s.on_close = [&](server_connection&, const server_close& how) {
        log.add(std::to_string(static_cast<int>(how.code)) + " " + how.explanation());
    };
    visitor v = visitor::opened(started(s));
    v.say(bytes("81 01 78"));   // not masked
    CHECK(v.closed() == 1002);
    CHECK(v.at_end());
    REQUIRE(log.wait_for(1));
    CHECK(log.text() == "1002 " + make_error_code(errc::unmasked_client_frame).message() + ": 81 01");
}

TEST_CASE("an end without a Close is 1006, and so is a reset, by the system's error", "[server][6455:7.1.5][C77]") {
    event_log log;
    server    s(anybody());
    s.on_close = [&](server_connection&, const server_close& how) {
        log.add(how.error == errc::truncated ? "truncated" : how.error == std::errc::connection_reset ? "reset" : "?");
        log.add(std::to_string(static_cast<int>(how.code)));
    };
    const int port = started(s);
    visitor   cut  = visitor::opened(port);
    cut.stream().close();
    REQUIRE(log.wait_for(2));
    visitor lost = visitor::opened(port);
    lost.reset();
    REQUIRE(log.wait_for(4));
    CHECK(log.text() == "truncated | 1006 | reset | 1006");
}

TEST_CASE("a connection has an object of the application's until on_close has returned", "[server]") {
    struct counted {
        std::atomic<int>& gone;
        int               number;
        ~counted() { ++gone; }
    };
    std::atomic<int> gone{0};
    faults           wrong;
    event_log        log;
    server           s(anybody());
    s.on_open    = [&](server_connection& ws) { ws.emplace<counted>(gone, 1); };
    s.on_message = [&](server_connection& ws, const message&) {
        wrong.unless(ws.object<counted>() != nullptr && ws.object<int>() == nullptr);
        ws.send(std::to_string(ws.object<counted>()->number++));
    };
    s.on_close = [&](server_connection& ws, const server_close&) {
        wrong.unless(ws.object<counted>()->number == 3 && gone == 0);
        log.add("close");
    };
    visitor v = visitor::opened(started(s));
    v.text("?");
    CHECK(v.next() == "81 1");
    v.text("?");
    CHECK(v.next() == "81 2");
    v.stream().close();
    REQUIRE(log.wait_for("close"));
    CHECK(soon([&] { return gone == 1; }));
    CHECK(wrong.count() == 0);
}

TEST_CASE("a server may listen at several places at once: TCP, a unix socket, an inherited descriptor", "[server]") {
    const std::string path      = "/tmp/navette-server-test-" + std::to_string(::getpid());
    auto              inherited = tcp::listen("127.0.0.1", 0);
    REQUIRE(inherited);
    const int   other_port = inherited->port();
    const int   fd         = ::dup(inherited->native_handle());
    inherited->close();
    for (const unsigned threads : {1u, 2u}) {
        server_settings settings = anybody();
        settings.threads         = threads;
        echo_server e(settings);
        REQUIRE_FALSE(e.s.listen("127.0.0.1:0"));
        REQUIRE_FALSE(e.s.listen("unix:" + path));
        REQUIRE_FALSE(e.s.listen("fd:" + std::to_string(::dup(fd))));
        REQUIRE_FALSE(e.s.start());
        CHECK(e.s.port() != 0);
        visitor at[] = {visitor(e.s.port()), visitor(other_port), visitor(*tcp::unix_connect(path))};
        for (visitor& v : at) {
            v.say(opening());
            REQUIRE(v.head().starts_with("HTTP/1.1 101 "));
            v.text("there?");
            CHECK(v.next() == "81 there?");
            v.stream().close();
        }
        e.s.stop();
        e.s.wait();
    }
    ::close(fd);
    struct ::stat file {};
    CHECK(::stat(path.c_str(), &file) != 0);   // removed with the listener
}

TEST_CASE("what is no place to listen at is refused by name, and by run() if the constructor was told", "[server]") {
    server s(anybody());
    CHECK(s.listen("127.0.0.1") == errc::invalid_port);
    CHECK(s.listen("127.0.0.1:") == errc::invalid_port);
    CHECK(s.listen("127.0.0.1:x") == errc::invalid_port);
    CHECK(s.listen("127.0.0.1:-1") == errc::invalid_port);
    CHECK(s.listen("127.0.0.1:65536") == errc::invalid_port);
    CHECK(s.listen("::1:80") == errc::invalid_host);
    CHECK(s.listen("[nonsense]:80") == errc::invalid_host);
    CHECK(s.listen("fd:x") == errc::invalid_port);
    CHECK(s.port() == 0);
    server told("127.0.0.1:x", anybody());
    CHECK(told.run() == errc::invalid_port);
    server_settings settings = anybody();
    settings.proxies         = {"10.0.0.1/8"};
    server strange(settings);
    CHECK(strange.run() == errc::invalid_proxy);
}

TEST_CASE("a server is started once", "[server]") {
    echo_server e;
    started(e.s);
    CHECK(e.s.start() == errc::misuse);
    CHECK(e.s.run() == errc::misuse);
    CHECK(e.s.listen("127.0.0.1", 0) == errc::misuse);
    e.s.stop();
    e.s.wait();
    CHECK(e.s.run() == errc::misuse);
}

TEST_CASE("a socket that was accepted elsewhere is taken over, with what was read from it", "[server]") {
    echo_server e;
    CHECK(e.s.adopt(-1) == errc::not_open);
    started(e.s);
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    const std::string request = opening();
    REQUIRE_FALSE(e.s.adopt(ends[1], as_bytes(std::string_view(request).substr(0, 50))));
    visitor v{tcp::stream(ends[0])};
    v.say(std::string_view(request).substr(50));
    CHECK(v.head().starts_with("HTTP/1.1 101 "));
    v.text("here");
    CHECK(v.next() == "81 here");

    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    REQUIRE_FALSE(e.s.adopt(ends[1], concat(text_bytes(request), masked(bytes("81 02 6869")))));
    visitor whole{tcp::stream(ends[0])};
    CHECK(whole.head().starts_with("HTTP/1.1 101 "));
    CHECK(whole.next() == "81 hi");
}

TEST_CASE("with several loops each connection stays on one thread, and all are used", "[server]") {
    server_settings settings = anybody();
    settings.threads         = 3;
    faults                   wrong;
    std::mutex               guard;
    std::vector<unsigned>    seen;
    server                   s(settings);
    s.on_open = [&](server_connection& ws) {
        ws.emplace<std::thread::id>(std::this_thread::get_id());
        const std::lock_guard held(guard);
        seen.push_back(ws.loop());
    };
    s.on_message = [&](server_connection& ws, const message& m) {
        wrong.unless(*ws.object<std::thread::id>() == std::this_thread::get_id());
        ws.send(m);
    };
    const int            port = started(s);
    std::vector<visitor> all;
    for (int i = 0; i < 64; ++i) all.push_back(visitor::opened(port));
    for (visitor& v : all) v.text("?");
    for (visitor& v : all) CHECK(v.next() == "81 ?");
    CHECK(wrong.count() == 0);
    const std::lock_guard held(guard);
    std::sort(seen.begin(), seen.end());
    seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    CHECK(seen == std::vector<unsigned>{0, 1, 2});   // 64 of 3 by the system's hash: one is left out once in 10^11
}

TEST_CASE("a connection may be closed, terminated and paused in each callback [S36]", "[server][S36]") {
    enum class where { open, message, pong, close };
    enum class what { close, terminate, both };
    for (const bool by_poll : pollers)
        for (const where at : {where::open, where::message, where::pong, where::close})
            for (const what done : {what::close, what::terminate, what::both}) {
                event_log  log;
                server     s(anybody(by_poll));
                const auto act = [&, done](server_connection& ws) {
                    if (done != what::terminate) static_cast<void>(ws.close());
                    if (done != what::close) ws.terminate();
                    ws.send("into the void, or behind a Close");
                    ws.pause();
                    ws.resume();
                };
                if (at == where::open) s.on_open = act;
                s.on_message = [&, at](server_connection& ws, const message& m) {
                    if (at == where::message) act(ws);
                    else ws.send(m);
                };
                if (at == where::pong) s.on_pong = [&](server_connection& ws, const_byte_span) { act(ws); };
                s.on_close = [&, at](server_connection& ws, const server_close&) {
                    if (at == where::close) act(ws);
                    log.add("close");
                };
                visitor v(started(s));
                v.say(opening());
                v.frames("81 01 61 8a 01 70 81 01 62 88 02 03e8");
                v.rest();
                v.stream().close();
                INFO("place " << static_cast<int>(at) << ", act " << static_cast<int>(done));
                REQUIRE(log.wait_for("close"));
                CHECK(soon([&] { return s.counters().transports == 0; }));
                CHECK(log.lines().size() == 1);
                CHECK(s.counters().open == 0);
            }
}

TEST_CASE("a server without any callback answers pings and closes", "[server][6455:5.5.2]") {
    server  s(anybody());
    visitor v = visitor::opened(started(s));
    v.frames("81 01 78 89 01 3f 88 00");
    CHECK(v.next() == "8a ?");
    CHECK(v.next() == "88");
    CHECK(v.at_end());
}

TEST_CASE("an idle connection is no larger than the documentation says", "[server]") {
    CHECK(sizeof(server_connection) <= 288);
}
