#include <navette/websocket.hpp>

#include "support/bytes.hpp"
#include "support/websocket_server.hpp"

#include <cerrno>
#include <string>
#include <sys/socket.h>
#include <thread>

using namespace navette;

namespace {

// Reads until the peer's Close and tells how it closed, to whom it may concern.
websocket_server::raw telling(std::string& heard) {
    return websocket_server::upgraded([&](server_connection& ws) {
        while (ws.read()) {}
        heard = std::to_string(static_cast<unsigned>(ws.closed_by().code)) + " " + std::string(ws.closed_by().reason);
    });
}

// Answers the handshake, then says these bytes and reads until the peer goes; or, with `resets`, until it said something.
websocket_server::raw saying(std::string_view hex, bool resets = false) {
    return websocket_server::upgraded([=](server_connection& ws) {
        tcp::stream s = std::move(ws.stream());
        static_cast<void>(write_all(s, bytes(hex), {}, seconds(5)));
        if (!resets) return be_silent(std::move(s));
        const ::linger now{1, 0};
        ::setsockopt(s.native_handle(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    });
}

// Never answers; lives until somebody lets it go.
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

} // namespace

// ---- close(): arguments

TEST_CASE("close takes 1000, and 3000 to 4999", "[websocket][C114][client]") {
    for (const unsigned code : {1000u, 3000u, 3999u, 4000u, 4999u}) {
        CAPTURE(code);
        std::string      heard;
        websocket_server server({telling(heard)});
        recorded         t(server.url());
        t.opened = [&] { t.ws.close(static_cast<close_code>(code), "why"); };
        CHECK_FALSE(t.ws.wait(patience));
        server.finish();
        CHECK(heard == std::to_string(code) + " why");
        CHECK(t.log.text() == "open open | close " + std::to_string(code) + " clean closed");
    }
}

TEST_CASE("close without a code sends none, and is told as 1005", "[websocket][client]") {
    std::string      heard;
    websocket_server server({telling(heard)});
    recorded         t(server.url());
    t.opened = [&] { t.ws.close(); };
    CHECK_FALSE(t.ws.wait(patience));
    server.finish();
    CHECK(heard == "1005 ");
    CHECK(t.log.text() == "open open | close 1005 clean closed");
}

TEST_CASE("close refuses all other codes by name, and changes nothing", "[websocket][C114][client]") {
    websocket_server server({echoing()});
    websocket        ws(server.url());
    faults           wrong;
    ws.onopen = [&] {
        for (const unsigned code : {1u, 999u, 1001u, 1002u, 1005u, 1006u, 1011u, 1015u, 2999u, 5000u, 65'535u})
            wrong.unless(ws.close(static_cast<close_code>(code)) == errc::unsendable_close_code);
        wrong.unless(ws.close(close_code::none, "a reason alone") == errc::unsendable_close_code);
        wrong.unless(ws.close(close_code::normal, std::string(124, 'x')) == errc::reason_too_long);
        wrong.unless(ws.close(close_code::normal, std::string(41, 'x') + std::string(83, '\xc3')) == errc::reason_too_long);
        wrong.unless(ws.close(close_code::normal, "\xed\xa0\x80") == errc::unsendable_text);
        wrong.unless(ws.readyState() == ready_state::open);
        wrong.unless(!ws.close(close_code::normal, std::string(123, 'x')));
        wrong.unless(ws.readyState() == ready_state::closing);
    };
    CHECK_FALSE(ws.wait(patience));
    CHECK(wrong.count() == 0);
}

TEST_CASE("close again does nothing, not even with what is refused elsewhere as a state", "[websocket][client]") {
    std::string      heard;
    websocket_server server({telling(heard)});
    recorded         t(server.url());
    t.opened = [&] {
        t.ws.close(close_code{3001}, "first");
        t.ws.close(close_code{3002}, "second");
    };
    CHECK_FALSE(t.ws.wait(patience));
    CHECK_FALSE(t.ws.close(close_code{3003}));
    server.finish();
    CHECK(heard == "3001 first");
    CHECK(t.log.text() == "open open | close 3001 clean closed");
}

// ---- close(): order

TEST_CASE("what was sent before close arrives before it, what comes after is not delivered", "[websocket][client]") {
    event_log        heard;
    websocket_server server({websocket_server::upgraded([&](server_connection& ws) {
        ws.send("while open");
        while (auto m = ws.read()) {
            heard.add(std::string(m->text()));
            if (m->text() == "go on") ws.send("after close");
        }
    })});
    recorded t(server.url());
    t.came = [&](const message&) {
        t.ws.send("go on");
        t.ws.send("last");
        t.ws.close();
    };
    CHECK_FALSE(t.ws.wait(patience));
    server.finish();
    CHECK(heard.text() == "go on | last");
    CHECK(t.log.text() == "open open | text while open | close 1005 clean closed");
}

TEST_CASE("after close nothing is sent", "[websocket][client]") {
    websocket_server server({echoing()});
    recorded         t(server.url());
    faults           wrong;
    t.opened = [&] {
        t.ws.close();
        wrong.unless(t.ws.send("text") == errc::not_open);
        wrong.unless(t.ws.bufferedAmount() == 0);
    };
    t.closed = [&](const close_event&) { wrong.unless(t.ws.send("text") == errc::not_open); };
    CHECK_FALSE(t.ws.wait(patience));
    CHECK(t.ws.send("text") == errc::not_open);
    CHECK(wrong.count() == 0);
}

TEST_CASE("close while the server says nothing ends in time", "[websocket][client]") {
    websocket_server server({saying("")});
    recorded         t(server.url(), {.timeouts = {.close_within = milliseconds(50)}});
    t.opened = [&] { t.ws.close(); };
    CHECK(t.ws.wait(patience) == errc::close_timeout);
    CHECK(t.log.text() == "open open | error | close 1006 unclean closed");
}

TEST_CASE("close before connect ends it without a word", "[websocket][client]") {
    recorded t("ws://127.0.0.1:1/");
    CHECK_FALSE(t.ws.close());
    CHECK(t.ws.readyState() == ready_state::closed);
    CHECK(t.ws.connect() == std::errc::operation_canceled);
    CHECK(t.log.text().empty());
}

TEST_CASE("close while connecting fails the connection, wherever it waits", "[websocket][client]") {
    const auto gives_up = [](std::string_view url, websocket_options options, const auto& until) {
        recorded t(url, std::move(options));
        CHECK_FALSE(t.ws.connect());
        until();
        CHECK(t.ws.readyState() == ready_state::connecting);
        CHECK_FALSE(t.ws.close(close_code::normal, "changed my mind"));
        CHECK(t.ws.wait(patience) == std::errc::operation_canceled);
        CHECK(t.log.text() == "error | close 1006 unclean closed");
    };
    SECTION("at once") {
        websocket_server server({be_silent});
        gives_up(server.url(), {}, [] {});
    }
    SECTION("for the resolver") {
        silent_resolver resolver;
        gives_up("ws://nobody.example/", {.proxy = "", .resolver = resolver.get()}, [&] { CHECK(resolver.log->wait_for(1)); });
    }
    SECTION("for the server's answer") {
        event_log        heard;
        websocket_server server({[&](tcp::stream s) {
            heard.add(head_of(s));
            be_silent(std::move(s));
        }});
        gives_up(server.url(), {}, [&] { CHECK(heard.wait_for(1)); });
    }
    SECTION("for a proxy") {
        event_log        heard;
        websocket_server proxy({[&](tcp::stream s) {
            heard.add(head_of(s));
            be_silent(std::move(s));
        }});
        gives_up("ws://behind.example/", {.proxy = proxy.url("", "http")}, [&] { CHECK(heard.wait_for(1)); });
    }
}

// ---- the server ends it

TEST_CASE("the server closes: code and reason are told, the state is closing and then closed", "[websocket][client]") {
    websocket_server server({websocket_server::upgraded([](server_connection& ws) {
        ws.send("bye");
        ws.close(close_code{4321}, "enough");
    })});
    recorded t(server.url());
    CHECK_FALSE(t.ws.wait(patience));
    CHECK(t.log.text() == "open open | text bye | close 4321 enough clean closed");
}

TEST_CASE("a Close without a code is 1005 and clean", "[websocket][client]") {
    websocket_server server({websocket_server::upgraded([](server_connection& ws) { ws.close(close_code::none); })});
    recorded         t(server.url());
    CHECK_FALSE(t.ws.wait(patience));
    CHECK(t.log.text() == "open open | close 1005 clean closed");
}

TEST_CASE("the transport's end without a Close is 1006 and not clean", "[websocket][client]") {
    websocket_server server({websocket_server::upgraded([](server_connection& ws) { ws.stream().close(); })});
    recorded         t(server.url());
    CHECK(t.ws.wait(patience) == errc::truncated);
    CHECK(t.log.text() == "open open | error | close 1006 unclean closed");
}

TEST_CASE("a reset connection is told by the system's error", "[websocket][client]") {
    websocket_server server({saying("81 01 78", true)});
    recorded         t(server.url());
    CHECK(t.ws.wait(patience) == std::errc::connection_reset);
    CHECK(t.log.lines().back() == "close 1006 unclean closed");
}

TEST_CASE("a Close is told even if the server resets the connection right behind it", "[websocket][client]") {
    websocket_server server({websocket_server::upgraded([](server_connection& ws) {
        tcp::stream s = std::move(ws.stream());
        static_cast<void>(write_all(s, bytes("88 02 03E9"), {}, seconds(5)));
    })});
    recorded t(server.url());
    CHECK_FALSE(t.ws.wait(patience));
    CHECK(t.log.text() == "open open | close 1001 clean closed");
}

TEST_CASE("what breaks the protocol fails the connection: an error by name, then 1006", "[websocket][client]") {
    const auto ends_by = [](std::string_view hex) {
        websocket_server server({saying(hex)});
        recorded         t(server.url());
        const auto       error = t.ws.wait(patience);
        CHECK(t.log.text() == "open open | error | close 1006 unclean closed");
        return error;
    };
    CHECK(ends_by("81 01 FF") == errc::invalid_utf8);
    CHECK(ends_by("81 81 00000000 78") == errc::masked_server_frame);
    CHECK(ends_by("F1 00") == errc::reserved_bits);
    CHECK(ends_by("88 02 03ED") == errc::invalid_close_code);
}

TEST_CASE("a message beyond the limit fails the connection", "[websocket][client]") {
    websocket_server server({websocket_server::upgraded([](server_connection& ws) {
        ws.send(std::string(100, 'x'));
        ws.send(std::string(101, 'x'));
        while (ws.read()) {}
    })});
    recorded t(server.url(), {.limits = {.max_message_size = 100}});
    CHECK(t.ws.wait(patience) == errc::message_too_big);
    CHECK(t.log.text() == "open open | text 100 | error | close 1006 unclean closed");
}

TEST_CASE("an answer that is no upgrade is told with its status", "[websocket][client]") {
    websocket_server server({answering("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")});
    recorded         t(server.url());
    std::string      text;
    unsigned         status = 0;
    t.failed = [&](const error_event& e) {
        text   = e.text;
        status = e.status;
    };
    CHECK(t.ws.wait(patience) == errc::unexpected_status);
    CHECK(status == 404);
    CHECK(text == make_error_code(errc::unexpected_status).message() + ": 404 Not Found");
    CHECK(t.log.text() == "error | close 1006 unclean closed");
}

TEST_CASE("an answer that only a plain request gets is explained", "[websocket][C165][client]") {
    websocket_server server({answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")});
    recorded         t(server.url());
    std::string      text;
    t.failed = [&](const error_event& e) { text = e.text; };
    CHECK(t.ws.wait(patience) == errc::unexpected_status);
    CHECK(text.find("wss") != std::string::npos);
}

TEST_CASE("deadlines of connecting have names of their own", "[websocket][client]") {
    websocket_server server({be_silent, be_silent});
    websocket        slow(server.url(), {.timeouts = {.handshake = milliseconds(50)}});
    CHECK(slow.wait(patience) == errc::handshake_timeout);
    websocket behind("ws://behind.example/", {.proxy = server.url("", "http"), .timeouts = {.proxy = milliseconds(50)}});
    CHECK(behind.wait(patience) == errc::proxy_timeout);
    silent_resolver resolver;
    websocket lost("ws://nobody.example/", {.proxy = "", .timeouts = {.connect = milliseconds(50)}, .resolver = resolver.get()});
    CHECK(lost.wait(patience) == errc::connect_timeout);
}

TEST_CASE("nobody listens: the system's error, then 1006", "[websocket][client]") {
    const std::string url = websocket_server({}).url();
    recorded          t(url);
    CHECK(t.ws.wait(patience) == std::errc::connection_refused);
    CHECK(t.log.text() == "error | close 1006 unclean closed");
}

// ---- bufferedAmount

TEST_CASE("bufferedAmount counts what the network has not taken, and the queue is bounded", "[websocket][client]") {
    event_log        may;
    websocket_server server({websocket_server::upgraded([&](server_connection& ws) {
        static_cast<void>(may.wait_for("read"));
        while (ws.read()) {}
    })});
    constexpr std::size_t most = 30'000'000;
    websocket        ws(server.url(), {.limits = {.max_output = 30 * (1'000'000 + 14)}});
    faults           wrong;
    const std::string piece(1'000'000, 'x');
    ws.onopen = [&] {
        std::size_t sent = 0;
        for (; !ws.send(piece); sent += piece.size()) wrong.unless(ws.bufferedAmount() == sent + piece.size());
        wrong.unless(sent == most);
        wrong.unless(ws.send("") == errc::output_full);
        wrong.unless(ws.bufferedAmount() == most);
        wrong.unless(ws.send("\xff") == errc::unsendable_text);
        ws.close();
        may.add("read");
    };
    CHECK_FALSE(ws.wait(patience));
    CHECK(wrong.count() == 0);
    CHECK(ws.bufferedAmount() == 0);
}

TEST_CASE("one message always fits into an empty queue", "[websocket][client]") {
    websocket_server server({echoing()});
    websocket        ws(server.url(), {.limits = {.max_output = 3}});
    faults           wrong;
    std::string      came;
    ws.onopen = [&] {
        wrong.unless(!ws.send("longer"));
        wrong.unless(ws.send("") == errc::output_full);
    };
    ws.onmessage = [&](const message& m) {
        came = m.text();
        ws.close();
    };
    CHECK_FALSE(ws.wait(patience));
    CHECK(wrong.count() == 0);
    CHECK(came == "longer");
}

TEST_CASE("a server that never reads is given up, and what it did not take stays counted", "[websocket][client]") {
    event_log        over;
    websocket_server server({websocket_server::upgraded([&](server_connection&) { static_cast<void>(over.wait_for(1)); })});
    recorded         t(server.url(), {.limits = {.max_output = 50'000'000}, .timeouts = {.write_stall = milliseconds(200)}});
    t.opened = [&] { t.ws.send(std::string(50'000'000, 'x')); };
    CHECK(t.ws.wait(patience) == errc::write_timeout);
    over.add("over");
    CHECK(t.ws.bufferedAmount() > 0);
    CHECK(t.ws.bufferedAmount() < 50'000'000);
    CHECK(t.log.text() == "open open | error | close 1006 unclean closed");
}

TEST_CASE("text that is not UTF-8 is refused, and the connection goes on", "[websocket][client]") {
    websocket_server server({echoing()});
    recorded         t(server.url());
    faults           wrong;
    t.opened = [&] {
        wrong.unless(t.ws.send("\xc3\x28") == errc::unsendable_text);
        wrong.unless(!t.ws.send(as_bytes("\xc3\x28")));
    };
    t.came = [&](const message&) { t.ws.close(); };
    CHECK_FALSE(t.ws.wait(patience));
    CHECK(wrong.count() == 0);
}

TEST_CASE("wait is refused in a callback, and may be given a time", "[websocket][client]") {
    websocket_server server({echoing()});
    recorded         t(server.url());
    faults           wrong;
    t.opened = [&] { wrong.unless(t.ws.wait() == errc::misuse); };
    CHECK(t.ws.wait(milliseconds(50)) == std::errc::timed_out);
    CHECK(t.log.wait_for("open"));
    CHECK_FALSE(t.ws.close());
    CHECK_FALSE(t.ws.wait(patience));
    CHECK(wrong.count() == 0);
}

TEST_CASE("what the server broke a rule with is told", "[websocket][client]") {
    std::string text;
    const auto  failing = [&text](websocket_server::raw script) {
        websocket_server server({std::move(script)});
        recorded         t(server.url());
        t.failed = [&](const error_event& e) { text = e.text; };
        return t.ws.wait(patience);
    };
    CHECK(failing(saying("83 02 6869")) == errc::reserved_opcode);
    CHECK(text == explanation(errc::reserved_opcode, bytes("83 02 68 69")));
    CHECK(failing(answering("HTTP/1.1 101 Well\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n")) == errc::upgrade_mismatch);
    CHECK(text == explanation(errc::upgrade_mismatch, "h2c"));
}
