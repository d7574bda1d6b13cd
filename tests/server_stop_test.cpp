#include <navette/server.hpp>

#include "support/serving.hpp"
#include "support/toy_engine.hpp"

using namespace navette;

namespace {

struct running {
    event_log   log{};
    server      s;
    std::thread thread{};
    int         port;

    explicit running(server_settings settings = anybody()) : s(std::move(settings)) {
        note_all(s, log);
        if (const auto error = s.listen("127.0.0.1", 0)) throw std::runtime_error(error.message());
        port   = s.port();
        thread = std::thread([this] { log.add(s.run() ? "error" : "ended"); });
    }
    ~running() {
        s.stop();
        thread.join();
    }
};

} // namespace

TEST_CASE("stop says Close 1001 to everybody, waits for their answers, and run returns", "[server][6455:7.4.1]") {
    for (const unsigned threads : {1u, 2u})
        for (const bool by_poll : {false, true}) {
            server_settings settings = anybody(by_poll);
            settings.threads         = threads;
            running              r(settings);
            std::vector<visitor> all;
            for (int i = 0; i < 5; ++i) all.push_back(visitor::opened(r.port));
            r.s.stop();
            for (visitor& v : all) {
                CHECK(v.closed() == 1001);
                v.frames("88 02 03e9");
                CHECK(v.at_end());
                v.stream().close();
            }
            REQUIRE(r.log.wait_for("ended"));
            CHECK(r.s.counters().closes[1] == 5);
            CHECK_FALSE(tcp::connect("127.0.0.1", r.port, seconds(5)));
        }
}

TEST_CASE("a stop signal of the application's stops it as well", "[server]") {
    tcp::stop_signal stop;
    server_settings  settings = anybody();
    settings.stop             = &stop;
    settings.threads          = 2;
    running r(settings);
    visitor v = visitor::opened(r.port);
    stop.raise();
    CHECK(v.closed() == 1001);
    v.frames("88 02 03e9");
    v.rest();
    v.stream().close();
    REQUIRE(r.log.wait_for("ended"));
}

TEST_CASE("who does not answer, never reads, or never spoke holds up a stop no longer than close_within", "[server]") {
    server_settings settings       = anybody();
    settings.timeouts.close_within = milliseconds(300);
    running r(settings);
    visitor deaf = visitor::opened(r.port), mute(r.port), begun(r.port);
    begun.say("GET / HTTP/1.1\r\n");
    CHECK(soon([&] { return r.s.counters().bytes_in == opening().size() + 16; }));
    r.s.stop();
    CHECK(deaf.closed() == 1001);
    CHECK(mute.at_end());
    CHECK(begun.rest().starts_with("HTTP/1.1 503 "));
    REQUIRE(r.log.wait_for("ended"));
    CHECK(r.log.text().find("close 1006 unclean") != std::string::npos);
}

TEST_CASE("a stop under load: each client gets whole messages, and then 1001", "[server]") {
    server_settings settings = anybody();
    settings.threads         = 2;
    server s(settings);
    s.on_message = [](server_connection& ws, const message& m) { ws.send(m); };
    const int                port = started(s);
    faults                   wrong;
    std::atomic<int>         going{0};
    std::vector<std::thread> clients;
    for (int i = 0; i < 8; ++i)
        clients.emplace_back([&] {
            visitor           v = visitor::opened(port);
            const std::string text(30'000, 'x');
            for (int n = 0;; ++n) {
                v.text(text);
                if (n == 10) ++going;
                const std::string got = v.next();
                if (got == "81 " + text) continue;
                wrong.unless(got == std::string("88 \x03\xe9"));
                v.frames("88 02 03e9");
                v.rest();
                return;
            }
        });
    CHECK(soon([&] { return going == 8; }));
    s.stop();
    for (std::thread& each : clients) each.join();
    s.wait();
    CHECK(wrong.count() == 0);
    CHECK(s.counters().open == 0);
}

TEST_CASE("a server that is destroyed waits for nobody longer than a tenth of a second", "[server]") {
    const instant before = tcp::now();
    visitor       v      = [] {
        server  s(anybody());
        visitor made = visitor::opened(started(s));
        return made;
    }();
    CHECK(tcp::now() - before < seconds(3));
    CHECK(v.closed() == 1001);
}

TEST_CASE("stop may come before the start", "[server]") {
    server s(anybody());
    s.stop();
    REQUIRE_FALSE(s.listen("127.0.0.1", 0));
    CHECK_FALSE(s.run());
    CHECK_FALSE(s.post([](unsigned) {}));
}

TEST_CASE("the engine of a transport stands between the wire and the messages, large ones and half an end too", "[server]") {
    server_settings settings = anybody();
    settings.tls             = toy_engine::factory();
    event_log log;
    server    s(settings);
    note_all(s, log);
    s.on_message = [](server_connection& ws, const message& m) { ws.send(m); };
    const int port = started(s);
    auto      socket = tcp::connect("127.0.0.1", port);
    REQUIRE(socket);
    auto engine = toy_engine::factory().make(nullptr, role::client, "host");
    REQUIRE(engine);
    const uri  to = *parse_uri("ws://host/");
    auto       ws = connect(engine_stream(std::move(*socket), std::move(*engine)), to);
    REQUIRE(ws);
    for (const std::size_t size : {1u, 100u, 70'000u, 1'000'000u}) {
        const std::string text(size, 'x');
        REQUIRE_FALSE(ws->send(text));
        const auto back = ws->read();
        REQUIRE(back);
        CHECK((back->text() == text));
    }
    CHECK_FALSE(ws->close());
    REQUIRE(log.wait_for("close"));
    CHECK(log.text() == "open | close 1000 clean");

    // Whether an end was meant says the engine.
    event_log ends;
    server    other(settings);
    other.on_close = [&](server_connection&, const server_close& how) {
        ends.add(how.error == errc::tls_truncated ? "cut" : how.error == errc::truncated ? "ended" : "?");
    };
    const int other_port = started(other);
    for (const bool is_cut : {true, false}) {
        auto stream = tcp::connect("127.0.0.1", other_port);
        REQUIRE(stream);
        engine_stream over(std::move(*stream), toy_engine::make());
        REQUIRE_FALSE(write_all(over, as_bytes(opening()), {}, patience));
        std::byte answer[1'000];
        REQUIRE(over.read_some(answer));
        if (!is_cut) over.shutdown_write();
        else over.close();
        REQUIRE(ends.wait_for(is_cut ? 1 : 2));
    }
    CHECK(ends.text() == "cut | ended");

    visitor plain(port);
    plain.say(opening());
    plain.stream().close();
    CHECK(soon([&] { return s.counters().transports == 0; }));
}

TEST_CASE("what came through an engine is dealt with before the end that came behind it, however long it waits", "[server]") {
    for (const bool by_poll : {false, true}) {
        server_settings settings = anybody(by_poll);
        settings.tls             = toy_engine::factory();
        event_log         log;
        connection_handle who;
        server            s(settings);
        note_all(s, log);
        s.on_open    = [&](server_connection& ws) { who = ws.handle(); };
        s.on_message = [&](server_connection& ws, const message& m) {
            ws.send(m);
            ws.pause();
            log.add(std::string(m.text()));
        };
        transport_engine engine = toy_engine::make();
        buffer           cipher;
        const_byte_span  plain{};
        engine.send(plain, cipher);
        visitor v(started(s));
        v.say(std::as_const(cipher).data());
        cipher.clear();
        std::string hello = v.take(1);
        byte_span   in    = std::as_writable_bytes(std::span(hello));
        engine.receive(in, {}, cipher);
        // In one piece: the engine tells of the end before the second message is asked for.
        const std::string all = opening() + std::string(as_text(masked(bytes("81 01 31 81 01 32 81 01 33"))));
        for (plain = as_bytes(all); !plain.empty();) REQUIRE_FALSE(engine.send(plain, cipher).error);
        REQUIRE_FALSE(engine.shutdown(cipher).error);
        v.say(std::as_const(cipher).data());
        for (const std::string_view each : {"1", "1 | 2"}) {
            REQUIRE(log.wait_for(each.size() / 4 + 1));
            event_log asked;
            who.post([&](server_connection&) { asked.add("here"); });   // behind all that was dealt with
            REQUIRE(asked.wait_for(1));
            CHECK(log.text() == each);
            who.post([](server_connection& ws) { ws.resume(); });
        }
        REQUIRE(log.wait_for(4));
        CHECK(log.text() == "1 | 2 | 3 | close 1006 unclean");
        std::string came = v.rest(), said(1'000, '\0');
        in               = std::as_writable_bytes(std::span(came));
        said.resize(engine.receive(in, std::as_writable_bytes(std::span(said)), cipher).produced);
        CHECK(said.substr(said.find("\r\n\r\n") + 4) == as_text(bytes("81 01 31 81 01 32 81 01 33")));
    }
}
