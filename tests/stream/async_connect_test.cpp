#include <navette/stream/async_connect.hpp>

#include "support/async_dialer.hpp"
#include "support/async_pair.hpp"
#include "support/handshake_peer.hpp"
#include "support/toy_engine.hpp"

using namespace navette;

namespace {

using dialer_type = async_dialer_in_memory;
using made_type   = io_result<async_client<dialer_type>>;

struct fixture {
    test_loop             loop;
    dialer_type           dialer{loop};
    std::string           host;
    transport_factory     toy = toy_engine::factory(&host);
    connect_report        report;
    async_connect_options options{.proxy = "", .report = &report};

    begun<made_type> connect(std::string_view text) {
        begun made(async_connect(dialer, text, options));
        loop.run();
        return made;
    }
};

// The toy's cipher, of data in which no byte needs an escape.
std::string toy(std::string_view plain) {
    std::string cipher;
    for (const char c : plain) cipher += static_cast<char>(c ^ 0x5a);
    return cipher;
}

} // namespace

TEST_CASE("a ws URI is dialed and opened", "[async][client][6455:4.1]") {
    fixture f;
    auto    made = f.connect("ws://example.com:81/chat?x=1");
    CHECK(f.dialer.calls->to == std::vector<std::string>{"example.com:81"});
    const std::string request = f.dialer.peer(0).hear_text();
    CHECK(request.starts_with("GET /chat?x=1 HTTP/1.1\r\nHost: example.com:81\r\n"));
    f.dialer.peer(0).say(concat(text_bytes(upgrade_answer(request)), bytes("81 01 61")));
    auto ws = made.result();
    REQUIRE(ws);
    CHECK(told(f.loop.wait_for(ws->read())) == "text a");
}

TEST_CASE("a wss URI goes through the engine, of the same type", "[async][client]") {
    fixture f;
    f.options.tls = &f.toy;
    auto made     = f.connect("wss://example.com/");
    CHECK(f.dialer.calls->to == std::vector<std::string>{"example.com:443"});
    CHECK(f.host == "example.com");
    CHECK(f.dialer.peer(0).hear_text() == "H");
    f.dialer.peer(0).say("H");
    f.loop.run();
    const std::string request = toy(f.dialer.peer(0).hear_text());
    CHECK(request.starts_with("GET / HTTP/1.1\r\n"));
    f.dialer.peer(0).say(toy(upgrade_answer(request)));
    auto ws = made.result();
    REQUIRE(ws);
}

TEST_CASE("what is wrong with a URI or its options is said before anything is dialed", "[async][client]") {
    fixture f;
    CHECK(f.connect("http://example.com/").result().error() == errc::unsupported_scheme);
    CHECK(f.connect("wss://example.com/").result().error() == errc::no_tls);
    f.options.bearer = "token";
    f.options.login  = {"user", "secret"};
    CHECK(f.connect("ws://example.com/").result().error() == errc::misuse);
    f.options.login = {};
    f.options.proxy = "gopher://proxy.example";
    CHECK_FALSE(f.connect("ws://example.com/").result());
    CHECK(f.dialer.calls->to.empty());
}

TEST_CASE("what the dialer says passes through, and it is told until when", "[async][client]") {
    fixture f;
    f.dialer.calls->refuses = std::make_error_code(std::errc::connection_refused);
    CHECK(f.connect("ws://example.com/").result().error() == std::errc::connection_refused);
    CHECK(f.dialer.calls->until[0] == f.loop.now() + seconds(10));
    f.dialer.calls->never = true;
    auto made = f.connect("ws://example.com/");
    f.loop.advance(seconds(10));
    CHECK(made.result().error() == errc::connect_timeout);
}

TEST_CASE("the way goes through a chain of proxies and then TLS", "[async][client]") {
    fixture f;
    f.options.tls   = &f.toy;
    f.options.proxy = "http://first.example:3128,http://second.example:3129";
    auto  made      = f.connect("wss://example.com/");
    CHECK(f.dialer.calls->to == std::vector<std::string>{"first.example:3128"});
    auto& peer = f.dialer.peer(0);
    CHECK(peer.hear_text().starts_with("CONNECT second.example:3129 HTTP/1.1\r\n"));
    peer.say("HTTP/1.1 200 OK\r\n\r\n");
    CHECK(peer.hear_text().starts_with("CONNECT example.com:443 HTTP/1.1\r\n"));
    peer.say("HTTP/1.1 200 OK\r\n\r\n");
    CHECK(peer.hear_text() == "H");
    peer.say("H");
    const std::string request = toy(peer.hear_text());
    peer.say(toy(upgrade_answer(request)));
    CHECK(made.result());
}

TEST_CASE("a proxy that refuses is reported, and one that wants credentials on another connection gets one", "[async][client]") {
    fixture f;
    f.options.proxy = "http://user:secret@proxy.example:3128";
    auto made       = f.connect("ws://example.com/");
    f.dialer.peer(0).hear();
    f.dialer.peer(0).say("HTTP/1.1 407 Authenticate\r\nProxy-Authenticate: Basic realm=\"x\"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    REQUIRE(f.dialer.calls->to.size() == 2);
    CHECK(f.dialer.peer(1).hear_text().find("Proxy-Authorization: Basic ") != std::string::npos);
    CHECK(f.dialer.peer(0).plan->order == "close ");
    f.dialer.peer(1).say("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
    CHECK_FALSE(made.result());
    CHECK(f.report.proxy.status == 403);
    f.loop.run();
    CHECK(f.loop.running() == 0);
}

TEST_CASE("each stretch of the way has its own time and its own error", "[async][client]") {
    fixture f;
    f.options.tls   = &f.toy;
    f.options.proxy = "http://proxy.example:3128";
    SECTION("proxy and TLS together, in the proxy's part") {
        auto made = f.connect("wss://example.com/");
        f.loop.advance(milliseconds(19'999));
        CHECK_FALSE(made.is_done());
        f.loop.advance(milliseconds(1));
        CHECK(made.result().error() == errc::proxy_timeout);
    }
    SECTION("in TLS's part") {
        auto made = f.connect("wss://example.com/");
        f.dialer.peer(0).say("HTTP/1.1 200 OK\r\n\r\n");
        f.loop.advance(seconds(20));
        CHECK(made.result().error() == errc::tls_timeout);
    }
    SECTION("the opening handshake") {
        f.options.proxy = "";
        auto made       = f.connect("ws://example.com/");
        f.loop.advance(seconds(10));
        CHECK(made.result().error() == errc::handshake_timeout);
    }
    CHECK(f.dialer.peer(0).plan->order == "close ");
    f.loop.run();
    CHECK(f.loop.running() == 0);
}

TEST_CASE("redirections are followed as often as is allowed, and credentials stay with their origin", "[async][client]") {
    fixture          f;
    const http_field cookie[]    = {{"Cookie", "secret"}, {"X-Trace", "1"}};
    f.options.handshake.fields   = cookie;
    f.options.login              = {"user", "secret"};
    const auto moved = [&](std::size_t i, std::string_view where) {
        const std::string request = f.dialer.peer(i).hear_text();
        f.dialer.peer(i).say("HTTP/1.1 302 Found\r\nLocation: " + std::string(where) + "\r\nContent-Length: 0\r\n\r\n");
        return request;
    };
    SECTION("none") {
        auto made = f.connect("ws://example.com/");
        moved(0, "ws://example.com/b");
        CHECK(made.result().error() == errc::unexpected_status);
        CHECK(f.report.server.response.status == 302);
    }
    SECTION("two") {
        f.options.redirects = 2;
        auto made           = f.connect("ws://example.com/");
        CHECK(moved(0, "/b").find("Authorization: Basic ") != std::string::npos);
        CHECK(moved(1, "ws://other.example/c").find("Cookie: secret") != std::string::npos);
        const std::string last = f.dialer.peer(2).hear_text();
        CHECK(last.find("Authorization") == std::string::npos);
        CHECK(last.find("Cookie") == std::string::npos);
        CHECK(last.find("X-Trace: 1") != std::string::npos);
        f.dialer.peer(2).say(upgrade_answer(last));
        CHECK(made.result());
        CHECK(f.report.uri == "ws://other.example/c");
        CHECK(f.dialer.calls->to == std::vector<std::string>{"example.com:80", "example.com:80", "other.example:80"});
    }
    SECTION("too many") {
        f.options.redirects = 1;
        auto made           = f.connect("ws://example.com/");
        moved(0, "/b");
        moved(1, "/c");
        CHECK(made.result().error() == errc::too_many_redirects);
    }
    SECTION("from wss to ws") {
        f.options.redirects = 1;
        f.options.tls       = &f.toy;
        auto made           = f.connect("wss://example.com/");
        f.dialer.peer(0).hear();
        f.dialer.peer(0).say("H");
        f.dialer.peer(0).hear();
        f.dialer.peer(0).say(toy("HTTP/1.1 302 Found\r\nLocation: ws://example.com/\r\nContent-Length: 0\r\n\r\n"));
        CHECK(made.result().error() == errc::insecure_redirect);
    }
}

TEST_CASE("a connect that is destroyed on any stretch leaves nothing", "[async][client][S36]") {
    for (int stretch = 0; stretch < 4; ++stretch) {
        fixture f;
        f.options.tls   = &f.toy;
        f.options.proxy = "http://proxy.example:3128";
        begun made(async_connect(f.dialer, "wss://example.com/", f.options));
        if (stretch > 0) f.loop.run();
        if (stretch > 1) f.dialer.peer(0).say("HTTP/1.1 200 OK\r\n\r\n");
        if (stretch > 2) f.dialer.peer(0).say("H");
        made.destroy();
        f.loop.run();
        CHECK(f.loop.running() == 0);
        if (stretch > 0) CHECK(f.dialer.peer(0).plan->order == "close ");
    }
}
