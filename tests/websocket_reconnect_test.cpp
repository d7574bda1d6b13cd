#include <navette/websocket.hpp>

#include "support/bytes.hpp"
#include "support/websocket_server.hpp"

#include <string>

using namespace navette;

namespace {

constexpr reconnect_policy quickly{.first = milliseconds(1), .most = milliseconds(5)};

websocket_server::raw closing(unsigned code) {
    return websocket_server::upgraded([=](server_connection& ws) { ws.close(static_cast<close_code>(code), "why"); });
}

void cut(server_connection& ws) { ws.stream().close(); }

} // namespace

TEST_CASE("after a loss it connects again, with all events anew", "[websocket][C8][client]") {
    websocket_server server({websocket_server::upgraded(cut), closing(1001), echoing()});
    recorded         t(server.url(), {.reconnect = quickly});
    int              opened = 0;
    t.opened = [&] {
        if (++opened == 3) t.ws.close(close_code::normal);
    };
    CHECK_FALSE(t.ws.wait(patience));
    CHECK(t.log.text() == "open open | error | close 1006 unclean connecting | open open | "
                          "close 1001 why clean connecting | open open | close 1000 clean closed");
}

TEST_CASE("without reconnect a loss is the end", "[websocket][client]") {
    websocket_server server({websocket_server::upgraded(cut), echoing()});
    recorded         t(server.url());
    CHECK(t.ws.wait(patience) == errc::truncated);
    CHECK(server.accepted == 1);
}

TEST_CASE("an end that was meant is the end", "[websocket][C8][client]") {
    const unsigned   code = GENERATE(1000u, 1008u, 4000u);
    websocket_server server({closing(code), echoing()});
    recorded         t(server.url(), {.reconnect = quickly});
    CHECK_FALSE(t.ws.wait(patience));
    CHECK(t.log.text() == "open open | close " + std::to_string(code) + " why clean closed");
}

TEST_CASE("what would happen again is not tried again", "[websocket][C8][client]") {
    websocket_server server({answering("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), echoing()});
    recorded         t(server.url(), {.reconnect = quickly});
    CHECK(t.ws.wait(patience) == errc::unexpected_status);
    CHECK(t.log.text() == "error | close 1006 unclean closed");
}

TEST_CASE("a broken protocol is not tried again", "[websocket][C8][client]") {
    websocket_server server({websocket_server::upgraded([](server_connection& ws) {
                                 tcp::stream s = std::move(ws.stream());
                                 static_cast<void>(write_all(s, bytes("81 01 FF"), {}, seconds(5)));
                                 be_silent(std::move(s));
                             }),
                             echoing()});
    recorded         t(server.url(), {.reconnect = quickly});
    CHECK(t.ws.wait(patience) == errc::invalid_utf8);
    CHECK(server.accepted == 1);
}

TEST_CASE("1012, 1013 and 503 are asked to wait, as long as they say", "[websocket][C8][client]") {
    const auto pause_after = [](websocket_server::raw first, reconnect_policy policy) {
        websocket_server server({std::move(first)});
        recorded         t(server.url(), {.reconnect = policy});
        std::optional<duration> pause;
        t.closed = [&](const close_event& e) {
            if (e.reconnects_in) pause = e.reconnects_in;
            t.ws.close();
        };
        static_cast<void>(t.ws.wait(patience));
        REQUIRE(pause);
        return *pause;
    };
    const auto after_1012 = pause_after(closing(1012), quickly);
    CHECK(after_1012 >= seconds(5));
    CHECK(after_1012 <= seconds(30));
    CHECK(pause_after(closing(1013), {.first = milliseconds(1), .most = seconds(100)}) >= seconds(50));
    const std::string refusal = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n";
    CHECK(pause_after(answering(refusal + "\r\n"), {.first = milliseconds(1), .most = seconds(100)}) >= seconds(50));
    const auto asked = pause_after(answering(refusal + "Retry-After: 77\r\n\r\n"), quickly);
    CHECK(asked >= seconds(77));
    CHECK(asked < seconds(78));
    const auto until = pause_after(answering(refusal + "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                                       "Retry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\n\r\n"), quickly);
    CHECK(until >= seconds(60));
    CHECK(until < seconds(61));
}

TEST_CASE("a Retry-After of nothing is tried at once", "[websocket][C8][client]") {
    websocket_server server({answering("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"), echoing()});
    recorded         t(server.url(), {.reconnect = quickly});
    t.opened = [&] { t.ws.close(); };
    CHECK_FALSE(t.ws.wait(patience));
    CHECK(t.log.text() == "error | close 1006 unclean connecting | open open | close 1005 clean closed");
}

TEST_CASE("it gives up after so many attempts", "[websocket][C8][client]") {
    const auto       url    = websocket_server({}).url();
    reconnect_policy policy = quickly;
    policy.attempts         = 2;
    recorded t(url, {.reconnect = policy});
    CHECK(t.ws.wait(patience) == std::errc::connection_refused);
    CHECK(t.log.text() == "error | close 1006 unclean connecting | error | close 1006 unclean connecting | "
                          "error | close 1006 unclean closed");
}

TEST_CASE("close in the pause is the end", "[websocket][client]") {
    const auto url = websocket_server({}).url();
    recorded   t(url, {.reconnect = reconnect_policy{.first = seconds(100), .most = seconds(100)}});
    CHECK_FALSE(t.ws.connect());
    CHECK(t.log.wait_for("close"));
    CHECK(t.ws.readyState() == ready_state::connecting);
    CHECK_FALSE(t.ws.close());
    CHECK(t.ws.wait(patience) == std::errc::operation_canceled);
    CHECK(t.log.text() == "error | close 1006 unclean connecting | error | close 1006 unclean closed");
}

TEST_CASE("messages that did not leave are dropped", "[websocket][C8][client]") {
    event_log        over;
    websocket_server server({websocket_server::upgraded([&](server_connection& ws) {
                                 static_cast<void>(over.wait_for("go"));
                                 cut(ws);
                             }),
                             echoing()});
    recorded t(server.url(), {.limits = {.max_output = 40'000'000}, .reconnect = quickly});
    bool     is_first = true;
    faults   wrong;
    t.opened = [&] {
        if (std::exchange(is_first, false)) {
            t.ws.send(std::string(30'000'000, 'x'));
            t.ws.send("dropped");
            over.add("go");
        } else {
            wrong.unless(t.ws.bufferedAmount() == 0);
            t.ws.send("new");
        }
    };
    t.closed = [&](const close_event& e) {
        if (e.reconnects_in) wrong.unless(t.ws.send("too early") == errc::not_open);
    };
    t.came = [&](const message&) { t.ws.close(); };
    CHECK_FALSE(t.ws.wait(patience));
    CHECK(wrong.count() == 0);
    CHECK(t.log.text() == "open open | error | close 1006 unclean connecting | open open | text new | close 1005 clean closed");
}

TEST_CASE("told to, it keeps messages that did not leave, in their order", "[websocket][C8][client]") {
    event_log        over, heard;
    websocket_server server({websocket_server::upgraded([&](server_connection& ws) {
                                 heard.add(std::string(ws.read()->text()));
                                 static_cast<void>(over.wait_for("go"));
                                 cut(ws);
                             }),
                             websocket_server::upgraded([&](server_connection& ws) {
                                 while (auto m = ws.read())
                                     heard.add(m->data.size() < 100 ? std::string(m->text()) : std::to_string(m->data.size()));
                             }, {.origins = origin_policy::any()})});
    reconnect_policy policy = quickly;
    policy.keep_unsent      = true;
    recorded t(server.url(), {.limits = {.max_output = 40'000'000}, .reconnect = policy});
    faults   wrong;
    wrong.unless(!t.ws.send("zero"));   // before it is open
    bool is_first = true;
    t.opened = [&] {
        if (!std::exchange(is_first, false)) return;
        wrong.unless(!t.ws.send(std::string(12'000'000, 'x')));
        wrong.unless(!t.ws.send(std::string(12'000'001, 'x')));
        wrong.unless(!t.ws.send("three"));
        over.add("go");
    };
    t.closed = [&](const close_event& e) {
        if (!e.reconnects_in) return;
        wrong.unless(!t.ws.send("four"));   // while there is no connection
        wrong.unless(t.ws.bufferedAmount() == 24'000'001 + 9);   // no part of a message has been taken
    };
    CHECK_FALSE(t.ws.connect());
    CHECK(heard.wait_for("four"));
    CHECK_FALSE(t.ws.close());
    CHECK_FALSE(t.ws.wait(patience));
    server.finish();
    CHECK(wrong.count() == 0);
    CHECK(heard.text() == "zero | 12000000 | 12000001 | three | four");
    CHECK(t.ws.bufferedAmount() == 0);
}
