#include <navette/tcp.hpp>

#include "support/bytes.hpp"
#include "support/toy_engine.hpp"

#include <navette/handshake/accept_key.hpp>

#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace navette;

namespace {

// A server of text: for each connection it waits for a head, keeps it in `heard`, and says what it is told to, in which KEY
// stands for the proof of the request's key. Of an upgrade it then echoes one message. Ends when all is said.
class station {
    tcp::listener            listener_;
    std::vector<std::string> answers_;
    std::thread              thread_;

    static std::string head_of(tcp::stream& from) {
        std::string text;
        std::byte   one;
        while (!text.ends_with("\r\n\r\n")) {
            const auto got = from.read_some(byte_span(&one, 1));
            if (!got || *got == 0) break;
            text += static_cast<char>(one);
        }
        return text;
    }

    void run() {
        for (const std::string& answer : answers_) {
            auto stream = listener_.accept(seconds(5));
            if (!stream) return;
            stream->read_expires_at(tcp::now() + seconds(5));
            // "|" separates what is said after one head and after the next.
            for (std::size_t at = 0; at <= answer.size();) {
                const std::size_t end = std::min(answer.find('|', at), answer.size());
                heard.push_back(head_of(*stream));
                std::string text = answer.substr(at, end - at);
                if (const auto key = text.find("KEY"); key != std::string::npos) {
                    const auto& head  = heard.back();
                    const auto  value = head.find("Sec-WebSocket-Key: ") + 19;
                    const auto  proof = accept_key(head.substr(value, 24));
                    text.replace(key, 3, std::string_view(proof.data(), proof.size()));
                }
                static_cast<void>(write_all(*stream, as_bytes(text), {}, seconds(5)));
                at = end + 1;
            }
            stream->shutdown_write();
            std::byte rest[1'000];
            while (const auto got = stream->read_some(rest)) if (*got == 0) break;
        }
    }

public:
    std::vector<std::string> heard{};

    explicit station(std::vector<std::string> answers) : listener_(*tcp::listen("127.0.0.1", 0)), answers_(std::move(answers)) {
        thread_ = std::thread([this] { run(); });
    }
    ~station() { finish(); }
    void finish() {
        if (thread_.joinable()) thread_.join();
    }
    std::string at(std::string_view path, std::string_view scheme = "ws", std::string_view host = "127.0.0.1") const {
        return std::string(scheme) + "://" + std::string(host) + ":" + std::to_string(listener_.port()) + std::string(path);
    }
};

const std::string upgrade =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: KEY\r\n\r\n";
const std::string established = "HTTP/1.1 200 OK\r\n\r\n";

std::string redirect_to(std::string_view location, std::string_view status = "302 Found") {
    return "HTTP/1.1 " + std::string(status) + "\r\nLocation: " + std::string(location) + "\r\nContent-Length: 0\r\n\r\n";
}

bool has(const std::string& text, std::string_view piece) { return text.find(piece) != std::string::npos; }

// Sets a variable of the environment for a scope.
class variable {
    std::string name_;

public:
    variable(const char* name, const std::string& value) : name_(name) { ::setenv(name, value.c_str(), 1); }
    variable(const variable&)            = delete;
    variable& operator=(const variable&) = delete;
    ~variable() { ::unsetenv(name_.c_str()); }
};

} // namespace

TEST_CASE("a redirection is not followed unless it is asked for, and is then told", "[tcp][C39][client]") {
    station        server({redirect_to("/there")});
    connect_report report;
    CHECK(navette::connect(server.at("/"), {.report = &report}).error() == errc::unexpected_status);
    CHECK(report.server.response.status == 302);
    CHECK(report.uri.empty());
}

TEST_CASE("redirections are followed as often as is allowed", "[tcp][client]") {
    station        server({redirect_to("/b"), redirect_to("c?d", "308 Permanent Redirect"), upgrade});
    connect_report report;
    {
        const auto ws = navette::connect(server.at("/a"), {.redirects = 2, .report = &report});
        CHECK(ws);
    }
    server.finish();
    REQUIRE(server.heard.size() == 3);
    CHECK(server.heard[0].starts_with("GET /a "));
    CHECK(server.heard[1].starts_with("GET /b "));
    CHECK(server.heard[2].starts_with("GET /c?d "));
    CHECK(report.uri == server.at("/c?d"));

    station other({redirect_to("/b"), redirect_to("/c"), redirect_to("/d")});
    CHECK(navette::connect(other.at("/a"), {.redirects = 2}).error() == errc::too_many_redirects);
}

TEST_CASE("credentials stay with their origin", "[tcp][S62][client]") {
    station elsewhere({redirect_to("/back"), upgrade});
    station server({redirect_to("/same"), redirect_to(elsewhere.at("/away"))});
    const http_field fields[] = {{"Cookie", "a=b"}, {"X-Other", "c"}};
    {
        const auto ws = navette::connect(server.at("/"), {.handshake = {.fields = fields}, .login = {"user", "secret"}, .redirects = 3});
        CHECK(ws);
    }
    server.finish();
    elsewhere.finish();
    REQUIRE(server.heard.size() == 2);
    REQUIRE(elsewhere.heard.size() == 2);
    for (const std::string& head : server.heard) {
        CHECK(has(head, "\r\nAuthorization: Basic dXNlcjpzZWNyZXQ=\r\n"));
        CHECK(has(head, "\r\nCookie: a=b\r\n"));
        CHECK(has(head, "\r\nX-Other: c\r\n"));
    }
    for (const std::string& head : elsewhere.heard) {
        CHECK_FALSE(has(head, "Authorization"));
        CHECK_FALSE(has(head, "Cookie"));
        CHECK(has(head, "\r\nX-Other: c\r\n"));
    }
}

TEST_CASE("a redirection that leads nowhere is an error of its own", "[tcp][client]") {
    station server({redirect_to("ftp://elsewhere/")});
    CHECK(navette::connect(server.at("/"), {.redirects = 1}).error() == errc::bad_redirect);
}

TEST_CASE("a token is sent as it is, and not together with a password", "[tcp][6750:2.1][client]") {
    station server({upgrade});
    CHECK(navette::connect(server.at("/"), {.bearer = "mF_9.B5f-4.1JqM"}));
    server.finish();
    CHECK(has(server.heard[0], "\r\nAuthorization: Bearer mF_9.B5f-4.1JqM\r\n"));
    CHECK(navette::connect(server.at("/"), {.login = {"a", "b"}, .bearer = "c"}).error() == errc::misuse);
    CHECK(navette::connect(server.at("/"), {.bearer = "no token"}).error() == errc::invalid_credentials);
    CHECK(navette::connect(server.at("/"), {.login = {"a:b", "c"}}).error() == errc::invalid_credentials);
}

TEST_CASE("a proxy leads to a server, for ws by CONNECT, too", "[tcp][client]") {
    // The station is the proxy and, behind its tunnel, the server.
    station proxy({established + "|" + upgrade});
    CHECK(navette::connect("ws://server.example:8080/x", {.proxy = proxy.at("", "http")}));
    proxy.finish();
    REQUIRE(proxy.heard.size() == 2);
    CHECK(proxy.heard[0].starts_with("CONNECT server.example:8080 HTTP/1.1\r\nHost: server.example:8080\r\n"));
    CHECK(proxy.heard[1].starts_with("GET /x HTTP/1.1\r\nHost: server.example:8080\r\n"));
}

TEST_CASE("a proxy that takes credentials on a new connection gets one", "[tcp][client]") {
    const std::string demand = "HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=\"x\"\r\nConnection: close\r\n\r\n";
    station proxy({demand, established + "|" + upgrade});
    std::string chain = proxy.at("", "http");
    chain.insert(7, "user:secret@");
    CHECK(navette::connect("ws://server.example/", {.proxy = chain}));
    proxy.finish();
    REQUIRE(proxy.heard.size() == 3);
    CHECK_FALSE(has(proxy.heard[0], "Proxy-Authorization"));
    CHECK(has(proxy.heard[1], "\r\nProxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n"));
    CHECK_FALSE(has(proxy.heard[2], "Proxy-Authorization"));
}

TEST_CASE("what a proxy says when it refuses can be read", "[tcp][client]") {
    station        proxy({"HTTP/1.1 403 Forbidden\r\nContent-Length: 7\r\nX: y\r\n\r\nnot you"});
    connect_report report;
    CHECK(navette::connect("ws://server.example/", {.proxy = proxy.at("", "http"), .report = &report}).error() == errc::proxy_refused);
    CHECK(report.proxy.status == 403);
    CHECK(report.proxy.body == "not you");
    CHECK(report.proxy.fields.find("x") == "y");
    CHECK(report.server.response.status == 0);
}

TEST_CASE("the environment names the proxy, but not for loopback, and not against what is said", "[tcp][client]") {
    const auto of = [](std::string_view target) { return proxies_from_environment(*parse_uri(target)); };
    const variable http("http_proxy", "http://h"), all("ALL_PROXY", "http://a"), wss("WSS_PROXY", "http://w"),
        none("no_proxy", ".internal");
    CHECK(of("ws://server.example/") == "http://h");
    CHECK(of("wss://server.example/") == "http://w");
    CHECK(of("ws://db.internal/").empty());
    for (const char* near : {"ws://localhost/", "ws://LOCALHOST./", "ws://x.localhost/", "ws://127.0.0.1/", "ws://127.9.9.9/", "wss://[::1]/"})
        CHECK(of(near).empty());
    for (const char* far : {"ws://localhost.example/", "ws://128.0.0.1/", "ws://[::2]/", "ws://notlocalhost/"}) CHECK(of(far) == "http://h");
    {
        const variable own("http_proxy", ""), capitals("HTTP_PROXY", "http://c");
        CHECK(of("ws://server.example/") == "http://c");
        const variable cgi("REQUEST_METHOD", "GET");
        CHECK(of("ws://server.example/") == "http://a");
    }
    const variable again("http_proxy", "http://127.0.0.1:1");
    station server({upgrade});
    CHECK(navette::connect(server.at("/")));   // loopback: straight to it
}

TEST_CASE("connect goes through the environment's proxy unless it is told otherwise", "[tcp][client]") {
    station proxy({established + "|" + upgrade});
    const variable set("ws_proxy", proxy.at("", "http"));
    CHECK(navette::connect("ws://server.example/"));
    proxy.finish();
    CHECK(proxy.heard[0].starts_with("CONNECT server.example:80 "));
    const auto direct = navette::connect("ws://name.invalid/", {.proxy = ""});
    CHECK(direct.error().category() == tcp::resolver_category());
}

TEST_CASE("what a proxy that nobody configured has done is said", "[tcp][client]") {
    connect_report report;
    station stripped({"HTTP/1.1 426 Upgrade Required\r\nConnection: close\r\n\r\n"});
    CHECK(navette::connect(stripped.at("/"), {.report = &report}).error() == errc::unexpected_status);
    CHECK(report.seen == interference::upgrade_stripped);
    CHECK(describe(report.seen).find("wss on port 443") != std::string_view::npos);

    station cut({""});
    CHECK(navette::connect(cut.at("/"), {.report = &report}).error() == errc::head_truncated);
    CHECK(report.seen == interference::cut);

    station refuses({"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"});
    CHECK(navette::connect(refuses.at("/"), {.report = &report}).error() == errc::unexpected_status);
    CHECK(report.seen == interference::none);
}

TEST_CASE("who is silent on the way is named: the proxy, TLS, or the server", "[tcp][S32][client]") {
    auto listener = tcp::listen("127.0.0.1", 0);
    REQUIRE(listener);
    const std::string at      = "127.0.0.1:" + std::to_string(listener->port());
    const timeouts    hurried = {.proxy = milliseconds(40), .tls = milliseconds(40), .handshake = milliseconds(40)};
    const auto        tls     = toy_engine::factory();
    CHECK(navette::connect("ws://server.example/", {.timeouts = hurried, .proxy = "http://" + at}).error() == errc::proxy_timeout);
    CHECK(navette::connect("ws://server.example/", {.timeouts = hurried, .proxy = "socks5://" + at}).error() == errc::proxy_timeout);
    CHECK(navette::connect("wss://" + at, {.timeouts = hurried, .tls = &tls}).error() == errc::tls_timeout);
    CHECK(navette::connect("ws://" + at, {.timeouts = hurried}).error() == errc::handshake_timeout);
}

TEST_CASE("a stop signal ends every wait on the way, and later those of the connection", "[tcp][client]") {
    auto listener = tcp::listen("127.0.0.1", 0);
    REQUIRE(listener);
    const std::string at  = "127.0.0.1:" + std::to_string(listener->port());
    const auto        tls = toy_engine::factory();
    const auto        stopped = [&](const std::string& target, std::optional<std::string_view> proxy) {
        tcp::stop_signal stop;
        std::thread      other([&] {
            const auto one = listener->accept(seconds(5));   // and says nothing
            stop.raise();
        });
        const auto error = navette::connect(target, {.tls = &tls, .proxy = proxy, .stop = &stop}).error();
        other.join();
        return error == std::errc::operation_canceled;
    };
    CHECK(stopped("ws://" + at, {}));
    CHECK(stopped("wss://" + at, {}));
    CHECK(stopped("ws://server.example/", "http://" + at));

    station          server({upgrade + "|"});   // then it waits, too
    tcp::stop_signal stop;
    auto             ws = navette::connect(server.at("/"), {.stop = &stop});
    REQUIRE(ws);
    std::thread other([&] { stop.raise(); });
    CHECK(ws->read().error() == std::errc::operation_canceled);
    other.join();
}

TEST_CASE("names are resolved by whom the caller names", "[tcp][client]") {
    station    server({upgrade});
    const auto asked = std::make_shared<std::string>();
    const tcp::resolver own{[](void* self, std::string_view host, tcp::address_list& found) noexcept {
                                *static_cast<std::string*>(self) = host;
                                found.add({.ip = parse_ip("127.0.0.1")});
                                return std::error_code{};
                            },
                            asked};
    const std::string target = server.at("/", "ws", "server.example");
    CHECK(navette::connect(target, {.proxy = "", .resolver = own}));
    CHECK(*asked == "server.example");
}
