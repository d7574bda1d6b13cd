#include <navette/server.hpp>

#include <navette/deflate.hpp>

#include "support/serving.hpp"

using namespace navette;

namespace {

// Each client subscribes to what it names.
void by_name(server& s) {
    s.on_message = [&s](server_connection& ws, const message& m) {
        const std::string_view text = m.text();
        if (text.starts_with("+")) ws.subscribe(text.substr(1));
        if (text.starts_with("-")) ws.unsubscribe(text.substr(1));
        if (text.starts_with("!")) static_cast<void>(s.publish("news", text.substr(1)));
        ws.send(text);
    };
}

} // namespace

TEST_CASE("what is published reaches the subscribers of the topic, in all loops, from any thread", "[server]") {
    for (const unsigned threads : {1u, 3u}) {
        server_settings settings = anybody();
        settings.threads         = threads;
        server s(settings);
        by_name(s);
        CHECK(s.publish("news", "nobody is there") == errc::not_open);
        const int            port = started(s);
        std::vector<visitor> all;
        for (int i = 0; i < 30; ++i) {
            all.push_back(visitor::opened(port));
            all.back().text(i % 3 == 0 ? "+other" : "+news");
            all.back().next();
        }
        CHECK(s.counters().subscriptions == 30);
        CHECK(s.publish("news", "Coucou") == errc{});
        CHECK(s.publish("news", as_bytes("bytes")) == errc{});
        CHECK(s.publish("news", "\xff") == errc::unsendable_text);
        CHECK(s.publish("unheard", "of") == errc{});
        CHECK(s.publish("other", std::string(100'000, 'x')) == errc{});
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (i % 3 == 0) {
                CHECK((all[i].next() == "81 " + std::string(100'000, 'x')));
                continue;
            }
            CHECK(all[i].next() == "81 Coucou");
            CHECK(all[i].next() == "82 bytes");
        }
        CHECK(soon([&] { return s.counters().published == 50; }));
        all.clear();
        CHECK(soon([&] { return s.counters().subscriptions == 0; }));
    }
}

TEST_CASE("what is published stands among what is sent in the order of the calls", "[server]") {
    for (const bool by_poll : {false, true}) {
        server s(anybody(by_poll));
        by_name(s);
        visitor v = visitor::opened(started(s));
        v.frames("81 05 2b6e657773 81 02 2161 89 01 3f 81 02 2162 81 05 2d6e657773 81 02 2163");
        for (const char* expected : {"81 +news", "81 a", "81 !a", "8a ?", "81 b", "81 !b", "81 -news", "81 !c"})
            CHECK(v.next() == expected);
    }
}

TEST_CASE("subscribing twice is subscribing once, and unsubscribing ends it", "[server]") {
    server s(anybody());
    by_name(s);
    visitor v = visitor::opened(started(s));
    for (const char* text : {"+news", "+news", "+more", "-unheard-of", "-more"}) {
        v.text(text);
        v.next();
    }
    CHECK(s.counters().subscriptions == 1);
    CHECK(s.publish("news", "once") == errc{});
    CHECK(v.next() == "81 once");
    v.text("-news");
    CHECK(v.next() == "81 -news");
    CHECK(s.publish("news", "not heard") == errc{});
    v.text("end");
    CHECK(v.next() == "81 end");
    CHECK(s.counters().subscriptions == 0);
}

TEST_CASE("a subscriber that reads too slowly misses messages and can be told how many", "[server]") {
    event_log log;
    server    s(anybody());
    by_name(s);
    s.on_drain = [&](server_connection& ws) {
        if (const auto missed = ws.take_missed(); missed != 0) ws.send("missed " + std::to_string(missed));
    };
    visitor v = visitor::opened(started(s));
    v.text("+news");
    v.next();
    const std::string text(10'000, 'x');
    for (int i = 0; i < 2'000; ++i) REQUIRE(s.publish("news", text) == errc{});
    CHECK(soon([&] { return s.counters().published + s.counters().missed == 2'000; }));
    CHECK(s.counters().missed != 0);
    std::uint64_t seen = 0;
    std::string   got;
    while ((got = v.next()) == "81 " + text) ++seen;
    CHECK(got == "81 missed " + std::to_string(s.counters().missed));
    CHECK(soon([&] { return s.counters().buffered == 0; }));
    CHECK(seen <= s.counters().published);
}

TEST_CASE("what is published at once is missed by nobody whose socket takes it", "[server]") {
    server_settings settings = anybody();
    settings.pause_mark      = 1'000;
    settings.drain_mark      = 500;
    server            s(settings);
    const std::string text(400, 'x');
    s.on_message = [&](server_connection& ws, const message& m) {
        if (m.text() == "subscribe") ws.subscribe("news");
        for (int i = 0; i < 20 && m.text() == "publish"; ++i) static_cast<void>(s.publish("news", text));
        ws.send(m);
    };
    const int port = started(s);
    visitor   v    = visitor::opened(port);
    v.text("subscribe");
    v.next();
    visitor::opened(port).text("publish");
    for (int i = 0; i < 20; ++i) CHECK(v.next() == "81 " + text);
    CHECK(s.counters().missed == 0);
}

TEST_CASE("what is published is compressed once, for those who agreed to it", "[server][C140]") {
    permessage_deflate deflate;
    server_settings    settings = anybody();
    settings.threads            = 2;
    settings.extensions         = deflate.extensions();
    server s(settings);
    by_name(s);
    const int            port = started(s);
    std::vector<visitor> all;
    for (int i = 0; i < 20; ++i) {
        all.push_back(visitor::opened(port, i % 2 == 0 ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : ""));
        all.back().text("+news");
        all.back().next();
    }
    const std::string text(1'000, 'x');
    const auto        before = deflate.counters().sent;
    CHECK(s.publish("news", text) == errc{});
    std::string coded;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const std::string got = all[i].next();
        if (i % 2 == 1) CHECK(got == "81 " + text);
        else if (coded.empty()) coded = got;
        else CHECK(got == coded);
    }
    CHECK(coded.starts_with("c1 "));
    CHECK(coded.size() < 100);
    CHECK(deflate.counters().sent - before == text.size());
}

TEST_CASE("a thousand publishes from other threads while connections come and go", "[server]") {
    server_settings settings = anybody();
    settings.threads         = 2;
    server s(settings);
    by_name(s);
    const int                port = started(s);
    std::vector<std::thread> publishers;
    for (int t = 0; t < 2; ++t)
        publishers.emplace_back([&] {
            for (int i = 0; i < 500; ++i) static_cast<void>(s.publish("news", "tick"));
        });
    for (int i = 0; i < 50; ++i) {
        visitor v = visitor::opened(port);
        v.text("+news");
        v.text("end");
        std::string got;
        do got = v.next();
        while (got == "81 tick" || got == "81 +news");
        CHECK(got == "81 end");
    }
    for (std::thread& each : publishers) each.join();
    CHECK(soon([&] { return s.counters().transports == 0; }));
}
