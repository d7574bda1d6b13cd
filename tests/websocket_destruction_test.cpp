#include <navette/websocket.hpp>

#include "support/bytes.hpp"
#include "support/tls_pair.hpp"
#include "support/toy_extension.hpp"
#include "support/websocket_server.hpp"

#include <memory>
#include <string>
#include <thread>

using namespace navette;

namespace {

// Says "hello", reads to the end, and notes how the client ended.
websocket_server::raw greeting(event_log& heard) {
    return websocket_server::upgraded([&](server_connection& ws) {
        ws.send("hello");
        std::string all;
        while (auto m = ws.read()) all += (m->data.size() < 100 ? std::string(m->text()) : std::to_string(m->data.size())) + " ";
        heard.add(all + std::to_string(static_cast<unsigned>(ws.closed_by().code)));
    });
}

struct silent_resolver {
    static std::error_code resolve(void* self, std::string_view, tcp::address_list&) noexcept {
        auto& log = *static_cast<event_log*>(self);
        log.add("asked");
        static_cast<void>(log.wait_for("let go"));
        return std::make_error_code(std::errc::timed_out);
    }
    std::shared_ptr<event_log> log = std::make_shared<event_log>();

    tcp::resolver get() const { return {&resolve, log}; }
    ~silent_resolver() { log->add("let go"); }
};

// A websocket that a callback destroys; the strings show whether what the callbacks hold outlives that.
struct mortal {
    std::shared_ptr<event_log>   log = std::make_shared<event_log>();
    std::unique_ptr<websocket>   ws;

    // `where`: "open", "message", "error" or "close".
    mortal(std::string_view url, std::string where, websocket_options options = {})
        : ws(std::make_unique<websocket>(url, std::move(options))) {
        const auto die = [this, kept = log, where](const std::string& here) {
            kept->add(here);
            if (here != where) return;
            ws.reset();
            kept->add("dead in " + where);
        };
        ws->onopen    = [die] { die("open"); };
        ws->onmessage = [die](const message&) { die("message"); };
        ws->onerror   = [die](const error_event&) { die("error"); };
        ws->onclose   = [die](const close_event&) { die("close"); };
    }
};

// Whatever else might end a connection that nobody hears takes longer than what ends_soon calls soon: the servers here, too,
// whose patience is twice that.
constexpr duration for_long = seconds(100);
constexpr timeouts patient{.connect = for_long, .proxy = for_long, .tls = for_long, .handshake = for_long, .ping_every = for_long,
                           .pong_within = for_long, .close_within = for_long, .write_stall = for_long};

template <class Destroy>
bool ends_soon(Destroy destroy) {
    const instant begin = tcp::now();
    destroy();
    return tcp::now() - begin < seconds(10);
}

} // namespace

// ---- in a callback

TEST_CASE("a websocket may be destroyed in onopen and in onmessage", "[websocket][S36][client]") {
    const std::string where = GENERATE("open", "message");
    CAPTURE(where);
    event_log        heard;
    websocket_server server({greeting(heard)});
    mortal           t(server.url(), where);
    CHECK_FALSE(t.ws->connect());
    CHECK(t.log->wait_for("dead"));
    server.finish();
    CHECK(heard.text() == "1001");
    CHECK(t.log->text() == (where == "open" ? "open | dead in open" : "open | message | dead in message"));
}

TEST_CASE("a websocket may be destroyed in onerror and in onclose", "[websocket][S36][client]") {
    const std::string where = GENERATE("error", "close");
    CAPTURE(where);
    const bool       reconnects = GENERATE(false, true);
    const auto       url = websocket_server({}).url();
    websocket_options options;
    if (reconnects) options.reconnect = reconnect_policy{.first = milliseconds(1), .most = milliseconds(1)};
    mortal t(url, where, options);
    CHECK_FALSE(t.ws->connect());
    CHECK(t.log->wait_for("dead"));
    CHECK(t.log->text() == (where == "error" ? "error | dead in error" : "error | close | dead in close"));
}

TEST_CASE("a websocket may be destroyed in onclose after a clean end", "[websocket][S36][client]") {
    websocket_server server({websocket_server::upgraded([](server_connection& ws) { ws.close(); })});
    mortal           t(server.url(), "close");
    CHECK_FALSE(t.ws->connect());
    CHECK(t.log->wait_for("dead"));
    CHECK(t.log->text() == "open | close | dead in close");
}

TEST_CASE("destroyed in its callback, it touches nothing that was borrowed afterwards", "[websocket][S36][client]") {
    // TLS and an extension that go with it, in the middle of a large message's callback.
    const auto shown = certificates::server_with();
    const toy::extension           theirs;
    const extension_factory* const offered[] = {&theirs.factory};
    event_log        heard;
    websocket_server server({[&](tcp::stream s) {
        auto over = tls::accept(std::move(s), shown);
        if (!over) return;
        auto ws = accept(*std::move(over), {.origins = origin_policy::any(), .extensions = offered});
        if (!ws) return;
        ws->send(std::string(200'000, 'x'));
        ws->send("more");
        while (ws->read()) {}
        heard.add(std::to_string(static_cast<unsigned>(ws->closed_by().code)));
    }});
    struct all_of_it {
        tls::context             trusted = certificates::client_of();
        toy::extension           ours{};
        const extension_factory* list[1] = {&ours.factory};
        std::optional<websocket> ws{};
    };
    auto      all = std::make_unique<all_of_it>();
    event_log log;
    all->ws.emplace(server.url("/", "wss"), websocket_options{.extensions = all->list, .tls = all->trusted.factory()});
    all->ws->onmessage = [&](const message& m) {
        log.add("message " + std::to_string(m.data.size()));
        all.reset();
        log.add("dead");
    };
    CHECK_FALSE(all->ws->connect());
    CHECK(log.wait_for("dead"));
    server.finish();
    CHECK(log.text() == "message 200000 | dead");
    CHECK(heard.text() == "1001");
}

TEST_CASE("polled, it may be destroyed in each callback as well", "[websocket][S36][client]") {
    const std::string where = GENERATE("open", "message", "close");
    CAPTURE(where);
    event_log        heard;
    websocket_server server({websocket_server::upgraded([&](server_connection& ws) {
        ws.send("hello");
        ws.close();
        heard.add("closed");
    })});
    mortal t(server.url(), where, {.polled = true});
    SECTION("in wait") {
        const auto error = t.ws->wait(patience);
        CHECK(error == (where == "close" ? std::error_code{} : std::make_error_code(std::errc::operation_canceled)));
    }
    SECTION("in poll") {
        CHECK_FALSE(t.ws->connect());
        CHECK(heard.wait_for(1));
        while (t.ws) t.ws->poll();
    }
    CHECK(t.log->lines().back() == "dead in " + where);
}

TEST_CASE("polled, it may be destroyed in onerror", "[websocket][S36][client]") {
    const auto url = websocket_server({}).url();
    mortal     t(url, "error", {.polled = true});
    CHECK(t.ws->wait(patience) == std::errc::operation_canceled);
    CHECK(t.log->text() == "error | dead in error");
}

// ---- from another thread

TEST_CASE("what was sent, and a Close with 1001, leave before a websocket is gone", "[websocket][client]") {
    event_log        heard;
    websocket_server server({greeting(heard)});
    {
        recorded t(server.url());
        CHECK_FALSE(t.ws.connect());
        CHECK(t.log.wait_for("text hello"));
        CHECK_FALSE(t.ws.send("the last"));
        CHECK_FALSE(t.ws.send("words"));
        for (int i = 0; i < 3; ++i) CHECK_FALSE(t.ws.send(std::string(100'000, 'x')));
    }
    server.finish();
    CHECK(heard.text() == "the last words 100000 100000 100000 1001");
}

TEST_CASE("destruction does not wait for whom nobody hears", "[websocket][S36][client]") {
    const auto dies = [](std::string_view url, websocket_options options, const auto& until) {
        options.timeouts = patient;
        auto t           = std::make_unique<recorded>(url, std::move(options));
        CHECK_FALSE(t->ws.connect());
        until(*t);
        CHECK(ends_soon([&] { t.reset(); }));
    };
    SECTION("the resolver") {
        silent_resolver resolver;
        dies("ws://nobody.example/", {.proxy = "", .resolver = resolver.get()}, [&](auto&) { CHECK(resolver.log->wait_for(1)); });
    }
    SECTION("the server, in the opening handshake") {
        event_log        heard;
        websocket_server server({[&](tcp::stream s) {
            heard.add(head_of(s));
            be_silent(std::move(s));
        }});
        dies(server.url(), {}, [&](auto&) { CHECK(heard.wait_for(1)); });
    }
    SECTION("the server, once it is open") {
        event_log        over;
        websocket_server server({websocket_server::upgraded([&](server_connection&) { static_cast<void>(over.wait_for(1)); })});
        dies(server.url(), {}, [&](recorded& t) { CHECK(t.log.wait_for("open")); });
        over.add("over");
    }
    SECTION("the server, which takes nothing") {
        event_log        over;
        websocket_server server({websocket_server::upgraded([&](server_connection&) { static_cast<void>(over.wait_for(1)); })});
        dies(server.url(), {.limits = {.max_output = 20'000'000}}, [&](recorded& t) {
            CHECK(t.log.wait_for("open"));
            CHECK_FALSE(t.ws.send(std::string(20'000'000, 'x')));
        });
        over.add("over");
    }
    SECTION("the server, which was asked to close") {
        event_log        over;
        websocket_server server({websocket_server::upgraded([&](server_connection&) { static_cast<void>(over.wait_for(1)); })});
        dies(server.url(), {}, [&](recorded& t) {
            CHECK(t.log.wait_for("open"));
            CHECK_FALSE(t.ws.close());
        });
        over.add("over");
    }
    SECTION("the pause before it reconnects") {
        const auto url = websocket_server({}).url();
        dies(url, {.reconnect = reconnect_policy{.first = seconds(100), .most = seconds(100)}},
             [&](recorded& t) { CHECK(t.log.wait_for("close")); });
    }
}

TEST_CASE("destruction waits for a callback that is under way, and none begins after it", "[websocket][S36][client]") {
    event_log        heard, log;
    websocket_server server({websocket_server::upgraded([&](server_connection& ws) {
        for (int i = 0; i < 100; ++i) ws.send("hello");
        while (ws.read()) {}
        heard.add("over");
    })});
    auto ws = std::make_unique<websocket>(server.url());
    ws->onmessage = [&](const message&) {
        log.add("begins");
        static_cast<void>(log.wait_for("go on"));
        log.add("ends");
    };
    ws->onclose = [&](const close_event&) { log.add("close"); };
    CHECK_FALSE(ws->connect());
    CHECK(log.wait_for("begins"));
    std::thread later([&] { log.add("go on"); });
    ws.reset();
    const std::string then = log.text();
    later.join();
    server.finish();
    CHECK(then.ends_with("ends"));
    CHECK(log.text() == then);
}

TEST_CASE("polled, nothing is called back after destruction, and nobody waits for poll", "[websocket][S36][client]") {
    event_log        heard;
    websocket_server server({greeting(heard)});
    auto             t = std::make_unique<recorded>(server.url(), websocket_options{.timeouts = patient, .polled = true});
    CHECK_FALSE(t->ws.connect());
    while (t->log.lines().empty()) t->ws.poll();
    CHECK(ends_soon([&] { t.reset(); }));
    server.finish();
    CHECK(heard.text() == "1001");
}

TEST_CASE("many are made and destroyed at whatever point they are", "[websocket][S36][client]") {
    std::vector<websocket_server::raw> scripts(30, echoing());
    websocket_server server(std::move(scripts));
    for (int i = 0; i < 30; ++i) {
        websocket ws(server.url());
        ws.onopen = [&] { ws.send("x"); };
        CHECK_FALSE(ws.connect());
        if (i % 3 == 1) std::this_thread::yield();
        if (i % 3 == 2) ws.close();
    }
}
