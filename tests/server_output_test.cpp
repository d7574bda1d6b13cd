#include <navette/server.hpp>

#include "support/serving.hpp"

using namespace navette;

namespace {

// A client that takes little at a time, so that a server's output soon waits.
visitor narrow(int port) {
    visitor   v    = visitor::opened(port);
    const int size = 32'768;
    ::setsockopt(v.stream().native_handle(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    return v;
}

std::string bulk(std::size_t size) {
    std::string made(size, '.');
    for (std::size_t i = 0; i < size; ++i) made[i] = static_cast<char>('a' + i % 23);
    return made;
}

} // namespace

TEST_CASE("send says what became of a message, and on_drain when what waited has been taken", "[server][S23]") {
    for (const bool by_poll : {false, true}) {
        server_settings settings   = anybody(by_poll);
        settings.limits.max_output = 1'000'000;
        event_log   log;
        const auto  text = bulk(100'000);
        server      s(settings);
        s.on_message = [&](server_connection& ws, const message&) {
            std::string seen;
            for (int i = 0; i < 400; ++i) {
                const send_result r = ws.send(text);
                if (r.status == send_status::sent) seen = seen.empty() ? "sent" : seen;
                if (r.status == send_status::queued && !seen.ends_with("queued")) seen += ", queued";
                if (r.status != send_status::full) continue;
                seen += r.error == errc::output_full ? ", full" : ", ?";
                break;
            }
            log.add(seen);
            log.add(ws.buffered() > 900'000 && ws.buffered() <= 1'000'000 ? "bounded" : std::to_string(ws.buffered()));
        };
        s.on_drain = [&](server_connection& ws) {
            ws.send("drained");
            log.add(ws.buffered() <= 64 * 1024 + 100 ? "drained" : "early");
        };
        visitor v = narrow(started(s));
        v.text("go");
        REQUIRE(log.wait_for(2));
        CHECK(log.text() == "sent, queued, full | bounded");
        CHECK(s.counters().full == 1);
        CHECK(s.counters().queued >= 1);
        CHECK(soon([&] { return s.counters().buffered > 900'000; }));
        int count = 0;
        std::string last;
        for (;;) {
            last = v.next();
            if (last != "81 " + text) break;
            ++count;
        }
        CHECK(count > 10);
        CHECK(last.substr(0, 20) == "81 drained");
        CHECK(soon([&] { return s.counters().buffered == 0; }));
    }
}

TEST_CASE("one message always fits into an empty queue, whatever max_output says", "[server]") {
    server_settings settings   = anybody();
    settings.limits.max_output = 10;
    event_log log;
    server    s(settings);
    s.on_message = [&](server_connection& ws, const message&) {
        const auto text = bulk(6'000'000);
        log.add(bool(ws.send(text)) ? "taken" : "not");
        log.add(ws.send("more").status == send_status::full ? "full" : "?");
    };
    visitor v = narrow(started(s));
    v.text("go");
    CHECK((v.next() == "81 " + bulk(6'000'000)));
    CHECK(log.text() == "taken | full");
}

TEST_CASE("max_buffered bounds what waits for all together", "[server]") {
    server_settings settings = anybody();
    settings.max_buffered    = 100'000;
    event_log log;
    server    s(settings);
    s.on_message = [&](server_connection& ws, const message& m) {
        send_result last;
        for (int i = 0; i < 10'000 && last; ++i) last = ws.send(bulk(10'000));
        log.add(last.status == send_status::full ? "full " + std::string(m.text()) : "taken");
    };
    const int port  = started(s);
    visitor   first = narrow(port);
    first.text("1");
    REQUIRE(log.wait_for(1));
    CHECK(soon([&] { return s.counters().buffered != 0; }));
    visitor second = narrow(port);
    second.text("2");
    REQUIRE(log.wait_for(2));
    CHECK(log.text() == "full 1 | full 2");
    CHECK(s.counters().buffered < 100'000 + 300'000);   // and what the second had written before it waited
}

TEST_CASE("a peer that does not read is not read from, and loses nothing once it does", "[server]") {
    for (const bool by_poll : {false, true}) {
        server s(anybody(by_poll));
        s.on_message = [](server_connection& ws, const message& m) { ws.send(m); };
        visitor     v    = narrow(started(s));
        const auto  text = bulk(50'000);
        std::thread writer([&] {
            for (int i = 0; i < 150; ++i) v.text(text);
        });
        CHECK(soon([&] { return s.counters().queued != 0; }));
        for (int i = 0; i < 150; ++i) REQUIRE((v.next() == "81 " + text));
        writer.join();
        CHECK(s.counters().full == 0);
    }
}

TEST_CASE("what cannot be sent is refused by name, and changes nothing", "[server][6455:6.1]") {
    event_log log;
    server    s(anybody());
    s.on_message = [&](server_connection& ws, const message&) {
        const auto note = [&](errc e) { log.add(e == errc{} ? "ok" : std::string(facts(e).name)); };
        note(ws.send("\xff").error);
        note(ws.send(std::string(20'000, '\xff')).error);
        note(ws.send(opcode::ping, {}).error);
        note(ws.ping(as_bytes(std::string(126, 'x'))).error);
        note(ws.close(close_code::abnormal_closure));
        note(ws.close(close_code::normal, std::string(124, 'x')));
        note(ws.ping(as_bytes("?")).error);
        note(ws.close(close_code{4000}, "done"));
        note(ws.send("late").error);
        note(ws.ping().error);
        note(ws.close());
    };
    visitor v = visitor::opened(started(s));
    v.text("go");
    CHECK(v.next() == "89 ?");
    CHECK(v.next() == "88 \x0f\xa0" "done");
    REQUIRE(log.wait_for(11));
    CHECK(log.text() == "unsendable_text | unsendable_text | misuse | payload_too_long | unsendable_close_code | reason_too_long | "
                        "ok | ok | not_open | not_open | not_open");
}

TEST_CASE("pause stops messages, also those that were read already, until resume", "[server]") {
    for (const bool by_poll : {false, true}) {
        event_log         log;
        connection_handle who;
        server            s(anybody(by_poll));
        s.on_open    = [&](server_connection& ws) { who = ws.handle(); };
        s.on_message = [&](server_connection& ws, const message& m) {
            log.add(std::string(m.text()));
            if (m.text() == "1" || m.text() == "3") ws.pause();
        };
        s.on_close = [&](server_connection&, const server_close&) { log.add("close"); };
        visitor v = visitor::opened(started(s));
        v.frames("81 01 31 81 01 32 81 01 33 81 01 34");
        REQUIRE(log.wait_for(1));
        v.frames("81 01 35 88 00");
        const auto resume = [&] { who.post([](server_connection& ws) { ws.resume(); }); };
        const auto seen   = [&](std::string_view all) -> std::string {
            event_log asked;
            who.post([&](server_connection&) { asked.add("here"); });   // behind all that was dealt with
            return asked.wait_for(1) ? log.text() == all ? "" : log.text() : "silent";
        };
        CHECK(seen("1") == "");
        resume();
        REQUIRE(log.wait_for(3));
        CHECK(seen("1 | 2 | 3") == "");
        resume();
        REQUIRE(log.wait_for("close"));
        CHECK(log.text() == "1 | 2 | 3 | 4 | 5 | close");
    }
}

TEST_CASE("work posted to a connection is done on its thread, in order, and dropped once it has gone", "[server]") {
    connection_handle who;
    event_log         log;
    CHECK_FALSE(who.post([](server_connection&) {}));
    {
        server s(anybody());
        s.on_open = [&](server_connection& ws) {
            who = ws.handle();
            ws.emplace<std::thread::id>(std::this_thread::get_id());
            log.add("open");
        };
        s.on_close = [&](server_connection&, const server_close&) { log.add("close"); };
        visitor v = visitor::opened(started(s));
        REQUIRE(log.wait_for("open"));
        for (int i = 0; i < 3; ++i)
            CHECK(who.post([&, i](server_connection& ws) {
                if (*ws.object<std::thread::id>() == std::this_thread::get_id() && ws.handle() == who) ws.send(std::to_string(i));
            }));
        for (int i = 0; i < 3; ++i) CHECK(v.next() == "81 " + std::to_string(i));
        const connection_handle first = who;
        v.stream().close();
        REQUIRE(log.wait_for("close"));
        visitor next = visitor::opened(s.port());   // in the place of the first
        event_log done;
        CHECK(first.post([&](server_connection&) { done.add("never"); }));
        CHECK(s.post([&](unsigned) { done.add("behind"); }));
        REQUIRE(done.wait_for(1));
        CHECK(done.text() == "behind");
    }
    CHECK_FALSE(who.post([](server_connection&) {}));
}

TEST_CASE("a connection that ends with much waiting for it leaves nothing behind", "[server]") {
    server s(anybody());
    s.on_message = [](server_connection& ws, const message&) {
        for (int i = 0; i < 50; ++i) ws.send(bulk(100'000));
    };
    const int port = started(s);
    for (int i = 0; i < 5; ++i) {
        visitor v = narrow(port);
        v.text("go");
        v.next();
        if (i % 2 == 0) v.reset();
    }
    CHECK(soon([&] { return s.counters().transports == 0 && s.counters().buffered == 0; }));
}
