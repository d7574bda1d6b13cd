#include <navette/server.hpp>

#include "support/serving.hpp"

using namespace navette;

namespace {

constexpr http_field set_cookie[] = {{"Set-Cookie", "a=1"}};

// Hands the answer of each request over to the test.
struct waiting_server {
    event_log                log{};
    std::mutex               guard{};
    std::vector<late_answer> asked{};
    server                   s;

    explicit waiting_server(server_settings settings = anybody()) : s(std::move(settings)) {
        note_all(s, log);
        s.on_request = [this](server_request& request) {
            const std::lock_guard held(guard);
            asked.push_back(request.later());
            asked.back().on_gone([this] { log.add("gone"); });
            log.add("asked");
        };
    }
    late_answer answer(std::size_t i = 0) {
        const std::lock_guard held(guard);
        return asked.at(i);
    }
};

} // namespace

TEST_CASE("on_request sees the request, accepts with a subprotocol and fields, and hands an object on", "[server][6455:4.2.2][6455:11.3.4]") {
    event_log       log;
    server_settings settings = anybody();
    settings.subprotocols    = {"chat", "superchat"};
    settings.fields          = {{"Server", "navette"}};
    server s(settings);
    s.on_request = [&](server_request& request) {
        log.add(std::string(request.view().path) + " " + std::string(request.view().query) + (request.is_upgrade() ? " upgrade" : ""));
        request.emplace<std::string>("made in on_request");
        const bool refused = request.accept("unheard-of") == errc::invalid_subprotocol;
        const auto done    = request.view().query == "default" ? request.accept() : request.accept("own", set_cookie);
        log.add(refused && done == errc{} && request.accept() == errc::misuse ? "accepted" : "wrong");
    };
    s.on_open = [](server_connection& ws) { ws.send(*ws.object<std::string>() + ", " + std::string(ws.subprotocol())); };
    const int port = started(s);
    visitor   v(port);
    v.say(opening("Sec-WebSocket-Protocol: superchat, own\r\n", "/room?own"));
    const std::string head = v.head();
    CHECK(head.find("\r\nSec-WebSocket-Protocol: own\r\n") != std::string::npos);
    CHECK(head.find("\r\nSet-Cookie: a=1\r\n") != std::string::npos);
    CHECK(head.find("\r\nServer: navette\r\n") != std::string::npos);
    CHECK(v.next() == "81 made in on_request, own");
    visitor other(port);
    other.say(opening("Sec-WebSocket-Protocol: superchat, own\r\n", "/?default"));
    CHECK(other.head().find("\r\nSec-WebSocket-Protocol: superchat\r\n") != std::string::npos);
    CHECK(other.next() == "81 made in on_request, superchat");
    CHECK(log.text() == "/room own upgrade | accepted | / default upgrade | accepted");
}

TEST_CASE("on_request rejects upgrades and responds to plain requests, on the same port", "[server][6455:4.2.2]") {
    server s(anybody());
    faults wrong;
    s.on_request = [&](server_request& request) {
        wrong.unless(request.reject(99) == errc::invalid_status);
        if (request.is_upgrade()) wrong.unless(request.reject(401, "who are you?", set_cookie) == errc{});
        else wrong.unless(request.respond(200, "a page") == errc{});
        wrong.unless(request.respond(200, "again") == errc::misuse);
    };
    const int port = started(s);
    visitor   v(port);
    v.say(opening());
    const std::string refused = v.rest();
    CHECK(refused.starts_with("HTTP/1.1 401 "));
    CHECK(refused.find("\r\nSet-Cookie: a=1\r\n") != std::string::npos);
    CHECK(refused.ends_with("\r\n\r\nwho are you?"));
    visitor plain(port);
    plain.say("GET /page HTTP/1.1\r\nHost: x\r\n\r\n");
    const std::string page = plain.rest();
    CHECK(page.starts_with("HTTP/1.1 200 "));
    CHECK(page.ends_with("\r\n\r\na page"));
    CHECK(wrong.count() == 0);
    CHECK(s.counters().requests == 2);
    CHECK(s.counters().refused[static_cast<std::size_t>(refusal::application)] == 2);
}

TEST_CASE("without on_request upgrades are accepted, plain requests get 426, and bad ones what is right", "[server][6455:4.2.1]") {
    server    s(anybody());
    const int port = started(s);
    visitor::opened(port);
    visitor plain(port);
    plain.say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(plain.rest().starts_with("HTTP/1.1 426 "));
    visitor bad(port);
    bad.say("NONSENSE\r\n\r\n");
    CHECK(bad.rest().starts_with("HTTP/1.1 400 "));
    visitor old(port);
    old.say("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\n\r\n");
    CHECK(old.rest().starts_with("HTTP/1.1 426 "));
    CHECK(s.counters().refused[static_cast<std::size_t>(refusal::handshake)] == 2);
}

TEST_CASE("a request that nobody answers gets 500, and on_error is told", "[server]") {
    event_log log;
    server    s(anybody());
    s.on_request = [](server_request&) {};
    s.on_error   = [&](std::error_code error, std::string_view) { log.add(error == errc::misuse ? "misuse" : "?"); };
    visitor v(started(s));
    v.say(opening());
    CHECK(v.rest().starts_with("HTTP/1.1 500 "));
    REQUIRE(log.wait_for(1));
    CHECK(log.text() == "misuse");
}

TEST_CASE("an origin that may not come is refused before on_request [S54]", "[server][S54][6455:10.2]") {
    static constexpr std::string_view ours[] = {"https://example.com"};
    event_log log;
    server    s({.origins = origin_policy::list(ours)});
    s.on_request = [&](server_request& request) {
        log.add("asked");
        static_cast<void>(request.accept());
    };
    const int port = started(s);
    visitor   v(port);
    v.say(opening("Origin: https://example.com.evil.org\r\n"));
    CHECK(v.rest().starts_with("HTTP/1.1 403 "));
    visitor::opened(port, "Origin: https://example.com\r\n");
    CHECK(log.text() == "asked");
}

TEST_CASE("an answer may be given later and from another thread, and frames that came meanwhile are not lost", "[server]") {
    for (const bool by_poll : {false, true}) {
        waiting_server w(anybody(by_poll));
        visitor        v(started(w.s));
        v.say(concat(text_bytes(opening("Sec-WebSocket-Protocol: a, b\r\n")), masked(bytes("81 02 6869"))));
        REQUIRE(w.log.wait_for("asked"));
        v.frames("81 05 7468657265");
        std::thread other([&] {
            w.answer().accept("b", set_cookie, [](server_connection& ws) { ws.emplace<int>(7); });
        });
        other.join();
        const std::string head = v.head();
        CHECK(head.find("\r\nSec-WebSocket-Protocol: b\r\n") != std::string::npos);
        CHECK(head.find("\r\nSet-Cookie: a=1\r\n") != std::string::npos);
        REQUIRE(w.log.wait_for("text there"));
        CHECK(w.log.text() == "asked | open | text hi | text there");
        CHECK(w.answer().accept() == errc::misuse);
        CHECK(w.answer().reject(403) == errc::misuse);
    }
}

TEST_CASE("later rejections and responses, of upgrades and of plain requests", "[server]") {
    waiting_server w;
    const int      port = started(w.s);
    visitor        v(port);
    v.say(opening());
    REQUIRE(w.log.wait_for(1));
    CHECK(w.answer(0).reject(99) == errc::invalid_status);
    constexpr http_field bad[] = {{"X", "a\r\nb"}}, own[] = {{"Upgrade", "x"}};
    CHECK(w.answer(0).reject(403, {}, bad) == errc::invalid_field);
    CHECK(w.answer(0).reject(403, {}, own) == errc::reserved_field);
    CHECK(w.answer(0).reject(403, "no") == errc{});
    CHECK(v.rest().starts_with("HTTP/1.1 403 "));
    visitor plain(port);
    plain.say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    REQUIRE(w.log.wait_for(2));
    CHECK(w.answer(1).respond(200, "late") == errc{});
    CHECK(plain.rest().ends_with("\r\n\r\nlate"));
    visitor other(port);
    other.say(opening());
    REQUIRE(w.log.wait_for(3));
    CHECK(w.answer(2).accept("not offered") == errc{});
    CHECK(other.rest().starts_with("HTTP/1.1 500 "));
}

TEST_CASE("a client that goes before the answer is heard of, and the answer goes nowhere", "[server]") {
    for (const bool by_poll : {false, true}) {
        waiting_server w(anybody(by_poll));
        visitor        v(started(w.s));
        v.say(opening());
        REQUIRE(w.log.wait_for("asked"));
        CHECK_FALSE(w.answer().is_gone());
        v.stream().close();
        REQUIRE(w.log.wait_for("gone"));
        CHECK(w.answer().is_gone());
        CHECK(w.answer().accept() == errc::not_open);
        bool at_once = false;
        w.answer().on_gone([&] { at_once = true; });
        CHECK(at_once);
        CHECK(w.log.text() == "asked | gone");
    }
}

TEST_CASE("an answer that is let go of is 500, and one that takes too long 503", "[server]") {
    server_settings settings    = anybody();
    settings.timeouts.handshake = milliseconds(300);
    waiting_server w(settings);
    const int      port = started(w.s);
    visitor        v(port);
    v.say(opening());
    REQUIRE(w.log.wait_for(1));
    {
        const std::lock_guard held(w.guard);
        w.asked.clear();
    }
    CHECK(v.rest().starts_with("HTTP/1.1 500 "));
    visitor slow(port);
    slow.say(opening());
    REQUIRE(w.log.wait_for(2));
    CHECK(slow.rest().starts_with("HTTP/1.1 503 "));
    REQUIRE(w.log.wait_for("gone"));
    CHECK(w.answer().accept() == errc::not_open);
}

TEST_CASE("an answer may outlive the server", "[server]") {
    late_answer kept;
    {
        waiting_server w;
        visitor        v(started(w.s));
        v.say(opening());
        REQUIRE(w.log.wait_for("asked"));
        kept = w.answer();
        w.s.stop();
        CHECK(v.rest().starts_with("HTTP/1.1 503 "));
        v.stream().close();
        w.s.wait();
        const std::lock_guard held(w.guard);
        w.asked.clear();
    }
    CHECK(kept.accept() == errc::not_open);
    CHECK(kept.is_gone());
    CHECK(late_answer().accept() == errc::misuse);
}

TEST_CASE("a handshake has its time in all: 408 for who has begun, nothing for who has not [S32]", "[server][S32]") {
    server_settings settings    = anybody();
    settings.timeouts.handshake = milliseconds(300);
    server    s(settings);
    const int port = started(s);
    visitor   mute(port), slow(port);
    slow.say("GET / HTTP/1.1\r\nHost: x\r\n");
    CHECK(slow.rest().starts_with("HTTP/1.1 408 "));
    CHECK(mute.at_end());
    CHECK(s.counters().refused[static_cast<std::size_t>(refusal::timeout)] == 2);
}

TEST_CASE("a request that the server refuses by itself is told, with what broke the rule", "[server][6455:4.2.1]") {
    event_log log;
    server    s(anybody());
    s.on_refused = [&](const server_connection& who, errc why, std::string_view broken_by) {
        log.add(explanation(why, broken_by) + (who.is_open() || who.remote().port == 0 ? " wrong" : ""));
    };
    const int port = started(s);
    visitor   odd(port);
    odd.say(text_bytes("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"));
    CHECK(odd.head().starts_with("HTTP/1.1 400 "));
    REQUIRE(log.wait_for(1));
    visitor brief(port);
    brief.say(text_bytes("GET / HTTP/1.1\r\nHo"));
    brief.stream().shutdown_write();
    CHECK(brief.head().starts_with("HTTP/1.1 400 "));
    REQUIRE(log.wait_for(2));
    CHECK(log.text() == explanation(errc::bad_host, "a b") + " | " + explanation(errc::head_truncated));
}
