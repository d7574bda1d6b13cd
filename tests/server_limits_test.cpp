#include <navette/server.hpp>

#include "support/serving.hpp"

#include <cstdio>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace navette;

namespace {

std::uint64_t refused(const server& s, refusal why) { return s.counters().refused[static_cast<std::size_t>(why)]; }

server_settings behind(std::vector<std::string> proxies, forwarded_by how, bool proxy_protocol = false) {
    server_settings made = anybody();
    made.proxies         = std::move(proxies);
    made.forwarded       = how;
    made.proxy_protocol  = proxy_protocol;
    return made;
}

// Says to each client who it is.
void name_clients(server& s) {
    s.on_open = [](server_connection& ws) {
        const auto from = ws.remote();
        ws.send(std::string(from.host()) + " " + (from.port == 0 ? "0" : from.port == 4711 ? "4711" : "some"));
    };
}

} // namespace

TEST_CASE("max_connections bounds them in all, and a place is free once one has gone", "[server]") {
    server_settings settings = anybody();
    settings.max_connections = 2;
    server    s(settings);
    const int port = started(s);
    visitor   a    = visitor::opened(port);
    {
        visitor b = visitor::opened(port);
        visitor third(port);
        CHECK(third.at_end());
        CHECK(refused(s, refusal::connections) == 1);
    }
    CHECK(soon([&] { return s.counters().transports == 1; }));
    visitor::opened(port);
}

TEST_CASE("max_connections_per_address bounds those of one address, over all loops", "[server]") {
    server_settings settings             = anybody();
    settings.threads                     = 2;
    settings.max_connections_per_address = 3;
    server    s(settings);
    const int port = started(s);
    {
        std::vector<visitor> three;
        for (int i = 0; i < 3; ++i) three.push_back(visitor::opened(port));
        visitor fourth(port);
        CHECK(fourth.at_end());
        CHECK(refused(s, refusal::address) == 1);
    }
    CHECK(soon([&] { return s.counters().transports == 0; }));
    visitor::opened(port);
}

TEST_CASE("a named proxy's field says who the client is, and nobody else's [S54]", "[server][7239]") {
    server trusting(behind({"127.0.0.0/8", "10.0.0.0/8"}, forwarded_by::x_forwarded_for));
    name_clients(trusting);
    const int port = started(trusting);
    CHECK(visitor::opened(port, "X-Forwarded-For: 6.6.6.6, 192.0.2.1:4711, 10.0.0.1\r\n").next() == "81 192.0.2.1 4711");
    CHECK(visitor::opened(port, "X-Forwarded-For: 2001:db8::1\r\n").next() == "81 2001:db8::1 0");
    CHECK(visitor::opened(port, "X-Forwarded-For: nonsense\r\n").next() == "81 127.0.0.1 some");
    CHECK(visitor::opened(port, "Forwarded: for=192.0.2.1\r\n").next() == "81 127.0.0.1 some");
    CHECK(visitor::opened(port).next() == "81 127.0.0.1 some");

    server forwarded(behind({"127.0.0.1"}, forwarded_by::forwarded));
    name_clients(forwarded);
    CHECK(visitor::opened(started(forwarded), "Forwarded: for=\"[2001:db8::1]:4711\"\r\n").next() == "81 2001:db8::1 4711");

    server wary(behind({"192.0.2.0/24"}, forwarded_by::x_forwarded_for));
    name_clients(wary);
    CHECK(visitor::opened(started(wary), "X-Forwarded-For: 192.0.2.1\r\n").next() == "81 127.0.0.1 some");
}

TEST_CASE("the limit of an address counts whom the proxy names", "[server]") {
    server_settings settings             = behind({"127.0.0.1"}, forwarded_by::x_forwarded_for);
    settings.max_connections_per_address = 1;
    server    s(settings);
    const int port = started(s);
    visitor   a = visitor::opened(port, "X-Forwarded-For: 192.0.2.1\r\n"), b = visitor::opened(port, "X-Forwarded-For: 192.0.2.2\r\n");
    visitor   again(port);
    again.say(opening("X-Forwarded-For: 192.0.2.1\r\n"));
    CHECK(again.rest().starts_with("HTTP/1.1 429 "));
    a.stream().close();
    CHECK(soon([&] { return s.counters().open == 1; }));
    visitor::opened(port, "X-Forwarded-For: 192.0.2.1\r\n");
}

TEST_CASE("a named proxy begins with a PROXY header, split anywhere, or is refused; from others it is no request", "[server]") {
    server s(behind({"127.0.0.1"}, forwarded_by::nothing, true));
    name_clients(s);
    const int         port   = started(s);
    const std::string header = "PROXY TCP4 192.0.2.1 10.0.0.1 4711 443\r\n";
    {
        visitor v(port);
        v.say(header + opening());
        v.head();
        CHECK(v.next() == "81 192.0.2.1 4711");
    }
    {
        visitor v(port);
        for (const char& c : header) v.say(std::string_view(&c, 1));
        v.say(opening());
        v.head();
        CHECK(v.next() == "81 192.0.2.1 4711");
    }
    {
        visitor v(port);
        v.say(concat(bytes("0d0a0d0a000d0a515549540a 21 11 000f c0000202 0a000001 1267 01bb 040000"), text_bytes(opening())));
        v.head();
        CHECK(v.next() == "81 192.0.2.2 4711");
    }
    {
        visitor v(port);
        v.say("PROXY UNKNOWN\r\n" + opening());
        v.head();
        CHECK(v.next() == "81 127.0.0.1 some");
    }
    visitor none(port);
    none.say(opening());
    CHECK(none.at_end());
    CHECK(refused(s, refusal::proxy_header) == 1);
    CHECK(s.counters().errors[static_cast<std::size_t>(errc::bad_proxy_header)] == 1);

    server wary(behind({"192.0.2.0/24"}, forwarded_by::nothing, true));
    visitor liar(started(wary));
    liar.say(header + opening());
    CHECK(liar.rest().starts_with("HTTP/1.1 400 "));
}

TEST_CASE("a peer on a unix socket is believed if \"unix\" is named", "[server]") {
    const std::string path = "/tmp/navette-server-proxy-" + std::to_string(::getpid());
    server            s(behind({"unix"}, forwarded_by::x_forwarded_for));
    name_clients(s);
    REQUIRE_FALSE(s.listen_unix(path));
    REQUIRE_FALSE(s.start());
    visitor v(*tcp::unix_connect(path));
    v.say(opening("X-Forwarded-For: 192.0.2.1:4711\r\n"));
    v.head();
    CHECK(v.next() == "81 192.0.2.1 4711");
}

TEST_CASE("out of descriptors a server says so once, survives, and accepts again", "[server]") {
    // In a process of its own, which has no more than a few.
    int says[2];
    REQUIRE(::pipe(says) == 0);
    const ::pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        server s(anybody());
        std::atomic<int> told{0};
        s.on_message = [](server_connection& ws, const message& m) { ws.send(m); };
        s.on_error   = [&](std::error_code error, std::string_view) { told += error == std::errc::too_many_files_open; };
        std::string report;
        try {
            const int            port = started(s);
            std::vector<visitor> all;
            all.push_back(visitor::opened(port));
            const int spare = ::dup(0), highest = ::dup(0);
            ::close(highest);
            const ::rlimit few{static_cast<::rlim_t>(highest + 5), static_cast<::rlim_t>(highest + 5)};
            ::setrlimit(RLIMIT_NOFILE, &few);
            for (;;) {   // until there is none for either side
                auto more = tcp::connect("127.0.0.1", port);
                if (!more) break;
                all.emplace_back(*std::move(more));
            }
            ::close(spare);   // for one more that the server cannot accept, should it have accepted all
            if (auto more = tcp::connect("127.0.0.1", port)) all.emplace_back(*std::move(more));
            report += soon([&] { return s.counters().accept_failures > 2; }) ? "" : "content ";
            report += told == 1 ? "told " : told == 0 ? "silent " : "told again ";
            all.front().text("?");
            report += all.front().next() == "81 ?" ? "serves " : "hangs ";
            while (all.size() > 1) all.pop_back();
            report += soon([&] { return s.counters().transports <= 2; }) ? "" : "stuck ";
            visitor again(port);
            again.say(opening());
            report += again.head().starts_with("HTTP/1.1 101 ") ? "accepts" : "refuses";
        } catch (const std::exception& e) {
            report += e.what();
        }
        static_cast<void>(!::write(says[1], report.data(), report.size()));
        ::_exit(0);
    }
    ::close(says[1]);
    std::string report(200, '\0');
    const auto  size = ::read(says[0], report.data(), report.size());
    report.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    ::close(says[0]);
    ::waitpid(child, nullptr, 0);
    CHECK(report == "told serves accepts");
}

TEST_CASE("who is silent is pinged, and lost without an answer; who answers stays", "[server][6455:5.5.2]") {
    for (const bool by_poll : {false, true}) {
        server_settings settings      = anybody(by_poll);
        settings.timeouts.ping_every  = milliseconds(100);
        settings.timeouts.pong_within = milliseconds(200);
        event_log log;
        server    s(settings);
        s.on_close = [&](server_connection&, const server_close& how) {
            log.add(std::to_string(static_cast<int>(how.code)) + (how.error == errc::pong_timeout ? " pong_timeout" : ""));
        };
        const int port   = started(s);
        visitor   silent = visitor::opened(port), alive = visitor::opened(port);
        CHECK(silent.next() == "89");
        for (int i = 0; i < 6; ++i) {
            REQUIRE(alive.next() == "89");
            alive.frames("8a 00");
        }
        CHECK(silent.closed() == 1011);
        CHECK(silent.at_end());
        REQUIRE(log.wait_for(1));
        CHECK(log.text() == "1011 pong_timeout");
        CHECK(s.counters().pings_out >= 7);
    }
}

TEST_CASE("who says nothing for longer than the idle time gets 1001", "[server]") {
    server_settings settings     = anybody();
    settings.timeouts.idle       = milliseconds(200);
    settings.timeouts.ping_every = duration{};
    server  s(settings);
    visitor v = visitor::opened(started(s));
    CHECK(v.closed() == 1001);
    CHECK(v.at_end());
}

TEST_CASE("who does not answer a Close, or does not end his side, is left after close_within [S33]", "[server][S33][6455:7.1.1]") {
    server_settings settings        = anybody();
    settings.timeouts.close_within  = milliseconds(200);
    event_log log;
    server    s(settings);
    s.on_message = [](server_connection& ws, const message&) { static_cast<void>(ws.close()); };
    s.on_close   = [&](server_connection&, const server_close& how) {
        log.add(how.error == errc::close_timeout ? "close_timeout" : how.clean ? "clean" : "?");
    };
    const int port = started(s);
    visitor   deaf = visitor::opened(port), stays = visitor::opened(port);
    deaf.text("?");
    CHECK(deaf.closed() == 1000);
    REQUIRE(log.wait_for("close_timeout"));
    stays.frames("88 00");
    REQUIRE(log.wait_for("clean"));
    CHECK(soon([&] { return s.counters().transports == 0; }));
}

TEST_CASE("who takes no bytes for longer than write_stall is dropped [S23]", "[server][S23]") {
    server_settings settings      = anybody();
    settings.timeouts.write_stall = milliseconds(200);
    settings.timeouts.ping_every  = duration{};
    event_log log;
    server    s(settings);
    s.on_message = [](server_connection& ws, const message&) { ws.send(std::string(15'000'000, 'x')); };
    s.on_close   = [&](server_connection&, const server_close& how) { log.add(how.error == errc::write_timeout ? "write_timeout" : "?"); };
    visitor v = visitor::opened(started(s));
    v.text("go");
    REQUIRE(log.wait_for(1));
    CHECK(log.text() == "write_timeout");
    CHECK(soon([&] { return s.counters().buffered == 0; }));
}
