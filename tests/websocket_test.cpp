#include <navette/websocket.hpp>

#include "support/bytes.hpp"
#include "support/tls_pair.hpp"
#include "support/toy_extension.hpp"
#include "support/websocket_server.hpp"

#include <string>
#include <thread>
#include <vector>

using namespace navette;

namespace {

std::error_code begin(std::string_view url, websocket_options options = {}) {
    websocket ws(url, std::move(options));
    bool      told = false;
    ws.onopen  = [&] { told = true; };
    ws.onerror = [&](auto&) { told = true; };
    ws.onclose = [&](auto&) { told = true; };
    const std::error_code error = ws.connect();
    CHECK(ws.readyState() == (error ? ready_state::closed : ready_state::connecting));
    if (error) CHECK_FALSE(told);
    return error;
}

// Reads until the peer's Close and says how it closed.
std::string closed_by(server_connection& ws) {
    while (ws.read()) {}
    return std::to_string(static_cast<unsigned>(ws.closed_by().code)) + " " + std::string(ws.closed_by().reason);
}

} // namespace

// ---- the constructor

TEST_CASE("a URL that cannot be connected to is refused by name, and nothing is called back", "[websocket][C1][C2][client]") {
    CHECK(begin("") == errc::invalid_uri);
    CHECK(begin("127.0.0.1:9001") == errc::invalid_uri);
    CHECK(begin("/chat") == errc::invalid_uri);
    CHECK(begin("mailto:somebody@example.com") == errc::unsupported_scheme);
    CHECK(begin("ftp://127.0.0.1/") == errc::unsupported_scheme);
    CHECK(begin("ws://127.0.0.1/#chat") == errc::uri_has_fragment);
    CHECK(begin("ws://127.0.0.1/#") == errc::uri_has_fragment);
    CHECK(begin("ws://user@127.0.0.1/") == errc::uri_has_userinfo);
    CHECK(begin("ws://127.0.0.1:65536/") == errc::invalid_port);
    CHECK(begin("ws://foo bar.com/") == errc::invalid_host);
    CHECK(begin("ws://127.0.0.1/a b") == errc::invalid_path);
}

TEST_CASE("subprotocols that are repeated or no tokens are refused", "[websocket][C17][client]") {
    CHECK(begin("ws://127.0.0.1:1/", {.subprotocols = {"echo", "echo"}}) == errc::invalid_subprotocol);
    CHECK(begin("ws://127.0.0.1:1/", {.subprotocols = {""}}) == errc::invalid_subprotocol);
    CHECK(begin("ws://127.0.0.1:1/", {.subprotocols = {"a b"}}) == errc::invalid_subprotocol);
    CHECK(begin("ws://127.0.0.1:1/", {.subprotocols = {"a\x80"}}) == errc::invalid_subprotocol);
}

TEST_CASE("fields of the handshake's own, and other wishes that cannot be met, are refused", "[websocket][C21][client]") {
    CHECK(begin("ws://127.0.0.1:1/", {.fields = {{"Upgrade", "x"}}}) == errc::reserved_field);
    CHECK(begin("ws://127.0.0.1:1/", {.fields = {{"X", "a\r\nb"}}}) == errc::invalid_field);
    CHECK(begin("ws://127.0.0.1:1/", {.user = "me", .password = "x", .bearer = "token"}) == errc::misuse);
    CHECK(begin("wss://127.0.0.1:1/") == errc::no_tls);
    CHECK(begin("ws://127.0.0.1:1/", {.proxy = "socks4://127.0.0.1"}) == errc::unsupported_proxy);
}

TEST_CASE("url tells where it goes: http stands for ws, the port of the scheme is left out", "[websocket][client]") {
    const transport_factory any{.make = [](const void*, role, std::string_view) noexcept -> io_result<transport_engine> { return errc::misuse; }};
    const auto url = [&](std::string_view given) { return websocket(given, {.tls = any}).url(); };
    CHECK(url("ws://Example.COM") == "ws://example.com/");
    CHECK(url("WS://example.com:80/a?b=%20") == "ws://example.com/a?b=%20");
    CHECK(url("ws://example.com:8080/") == "ws://example.com:8080/");
    CHECK(url("wss://example.com:443/") == "wss://example.com/");
    CHECK(url("http://example.com/a") == "ws://example.com/a");
    CHECK(url("https://[::1]:80/") == "wss://[::1]:80/");
    CHECK(url("example.com").empty());
}

TEST_CASE("a websocket that was never connected has said nothing and can be destroyed", "[websocket][client]") {
    websocket ws("ws://127.0.0.1:1/");
    CHECK(ws.readyState() == ready_state::connecting);
    CHECK(ws.send("text") == errc::not_open);
    CHECK(ws.bufferedAmount() == 0);
    CHECK(ws.protocol().empty());
    CHECK(ws.extensions().empty());
    CHECK(ws.poll() == 0);
}

TEST_CASE("it connects once", "[websocket][client]") {
    websocket_server server({echoing()});
    websocket        ws(server.url());
    CHECK_FALSE(ws.connect());
    CHECK(ws.connect() == errc::misuse);
    ws.close();
    ws.wait(patience);
    CHECK(ws.connect() == errc::misuse);
}

// ---- a conversation

TEST_CASE("events come in order, each with its state", "[websocket][client]") {
    faults           wrong;
    websocket_server server({websocket_server::upgraded([&](server_connection& ws) {
        wrong.unless(!ws.send("hello"));
        wrong.unless(!ws.send(as_bytes("bytes")));
        echo(ws);
    })});
    recorded t(server.url());
    t.opened = [&] { wrong.unless(!t.ws.send("echoed")); };
    t.came   = [&](const message& m) {
        wrong.unless(t.ws.readyState() == ready_state::open);
        if (m.text() == "echoed") wrong.unless(!t.ws.close(close_code::normal, "done"));
    };
    CHECK_FALSE(t.ws.wait(patience));
    CHECK(wrong.count() == 0);
    CHECK(t.log.text() == "open open | text hello | binary bytes | text echoed | close 1000 clean closed");
    CHECK(t.ws.readyState() == ready_state::closed);
}

TEST_CASE("text and bytes of every size come back as they were", "[websocket][client]") {
    websocket_server         server({echoing()});
    std::vector<std::string> sent;
    for (const std::size_t size : {0u, 1u, 125u, 126u, 65'535u, 65'536u, 300'000u, 5'000'000u}) {
        std::string text(size, ' ');
        for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i * i % 26);
        sent.push_back(std::move(text));
    }
    websocket   ws(server.url());
    faults      wrong;
    std::size_t came = 0;
    ws.onopen = [&] {
        for (std::size_t i = 0; i < sent.size(); ++i)
            wrong.unless(!(i % 2 == 0 ? ws.send(sent[i]) : ws.send(as_bytes(sent[i]))));
    };
    ws.onmessage = [&](const message& m) {
        wrong.unless(m.text() == sent[came]);
        wrong.unless(m.type == (came % 2 == 0 ? opcode::text : opcode::binary));
        if (++came == sent.size()) ws.close();
    };
    CHECK_FALSE(ws.wait(patience));
    CHECK(wrong.count() == 0);
    CHECK(came == sent.size());
    CHECK(ws.bufferedAmount() == 0);
}

TEST_CASE("both directions go on while both are full", "[websocket][client]") {
    // The server sends before it reads, more than sockets hold; so does the client.
    constexpr std::size_t size = 8'000'000;
    faults           wrong;
    websocket_server server({websocket_server::upgraded([&](server_connection& ws) {
        wrong.unless(!ws.send(std::string(size, 's')));
        const auto m = ws.read();
        wrong.unless(m && m->data.size() == size);
        closed_by(ws);
    })});
    websocket ws(server.url());
    ws.onopen    = [&] { wrong.unless(!ws.send(std::string(size, 'c'))); };
    ws.onmessage = [&](const message& m) {
        wrong.unless(m.data.size() == size);
        ws.close();
    };
    CHECK_FALSE(ws.wait(patience));
    server.finish();
    CHECK(wrong.count() == 0);
}

TEST_CASE("the subprotocol that the server chose is told", "[websocket][C53][client]") {
    const std::string_view known[] = {"v2"};
    websocket_server       server({websocket_server::upgraded(echo, {.origins = origin_policy::any(), .subprotocols = known})});
    websocket              ws(server.url(), {.subprotocols = {"v1", "v2"}});
    std::string            chosen;
    ws.onopen = [&] {
        chosen = ws.protocol();
        ws.close();
    };
    CHECK_FALSE(ws.wait(patience));
    CHECK(chosen == "v2");
    CHECK(ws.extensions().empty());
}

TEST_CASE("an extension is offered, told, and at work", "[websocket][client]") {
    const toy::extension           toy, theirs;
    const extension_factory* const offered[] = {&toy.factory}, * const known[] = {&theirs.factory};
    websocket_server server({websocket_server::upgraded(echo, {.origins = origin_policy::any(), .extensions = known})});
    websocket   ws(server.url(), {.extensions = offered});
    std::string agreed, text;
    ws.onopen = [&] {
        agreed = ws.extensions();
        ws.send("to be transformed");
    };
    ws.onmessage = [&](const message& m) {
        text = m.text();
        ws.close();
    };
    CHECK_FALSE(ws.wait(patience));
    CHECK(agreed.starts_with("toy"));
    CHECK(text == "to be transformed");
    CHECK(toy.count().deflates > 0);
}

TEST_CASE("fields, origin and credentials go with the request", "[websocket][client]") {
    std::string      head;
    websocket_server server({[&](tcp::stream s) { head = head_of(s); }});
    websocket        ws(server.url(), {.fields = {{"X-One", "1"}}, .origin = "https://example.com", .user = "me", .password = "x"});
    CHECK(ws.wait(patience) == errc::head_truncated);
    server.finish();
    CHECK(head.find("\r\nX-One: 1\r\n") != std::string::npos);
    CHECK(head.find("\r\nOrigin: https://example.com\r\n") != std::string::npos);
    CHECK(head.find("\r\nAuthorization: Basic bWU6eA==\r\n") != std::string::npos);
}

TEST_CASE("messages of four threads keep the order of each", "[websocket][client]") {
    constexpr int    threads = 4, each = 500;
    websocket_server server({echoing()});
    websocket        ws(server.url());
    event_log        opened;
    std::vector<int> next(threads, 0);
    int              came = 0, wrong = 0;
    ws.onopen    = [&] { opened.add("open"); };
    ws.onmessage = [&](const message& m) {
        const int from = m.text()[0] - '0';
        if (std::stoi(std::string(m.text().substr(2))) != next[static_cast<std::size_t>(from)]++) ++wrong;
        if (++came == threads * each) ws.close();
    };
    CHECK_FALSE(ws.connect());
    REQUIRE(opened.wait_for(1));
    std::vector<std::thread> senders;
    std::atomic<int>         refused{0};
    for (int from = 0; from < threads; ++from)
        senders.emplace_back([&, from] {
            for (int i = 0; i < each; ++i)
                if (ws.send(std::to_string(from) + " " + std::to_string(i))) ++refused;
        });
    for (std::thread& sender : senders) sender.join();
    CHECK_FALSE(ws.wait(patience));
    CHECK(refused == 0);
    CHECK(wrong == 0);
    CHECK(came == threads * each);
}

TEST_CASE("over wss: the certificate is verified, and messages go both ways", "[websocket][C5][client]") {
    const auto shown = certificates::server_with();
    websocket_server server({[&](tcp::stream s) {
        auto over = tls::accept(std::move(s), shown);
        if (!over) return;
        auto ws = accept(*std::move(over), {.origins = origin_policy::any()});
        while (auto m = ws ? ws->read() : ws.error())
            if (ws->send(*m)) break;
    }});
    const auto        trusted = certificates::client_of();
    const std::string large(3'000'000, 'x');
    websocket         ws(server.url("/", "wss"), {.tls = trusted.factory()});
    std::size_t       came = 0;
    ws.onopen    = [&] { ws.send(large); };
    ws.onmessage = [&](const message& m) {
        came = m.data.size();
        ws.close();
    };
    CHECK_FALSE(ws.wait(patience));
    CHECK(came == large.size());
}

TEST_CASE("over wss: a certificate that nobody trusts is an error by its own name", "[websocket][C5][client]") {
    const auto       shown = certificates::server_with();
    websocket_server server({[&](tcp::stream s) { static_cast<void>(tls::accept(std::move(s), shown)); }});
    const auto       strangers = certificates::client_of(certificates::issuer("another root"));
    recorded         t(server.url("/", "wss"), {.tls = strangers.factory()});
    std::string      text;
    t.failed = [&](const error_event& e) { text = e.text; };
    const auto error = t.ws.wait(patience);
    CHECK(error.category() == tls::certificate_category());
    CHECK(text == error.message());
    CHECK(t.log.text() == "error | close 1006 unclean closed");
}

TEST_CASE("a ping is sent when nothing comes, and no pong ends the connection", "[websocket][client]") {
    // The peer answers the handshake, then nothing.
    websocket_server server({websocket_server::upgraded([](server_connection& ws) { be_silent(std::move(ws.stream())); })});
    recorded         t(server.url(), {.timeouts = {.ping_every = milliseconds(30), .pong_within = milliseconds(30)}});
    CHECK(t.ws.wait(patience) == errc::pong_timeout);
    CHECK(t.log.text() == "open open | error | close 1006 unclean closed");
}

TEST_CASE("a redirection is followed if that is wished, and is an error if not", "[websocket][S62][client]") {
    websocket_server there({echoing()});
    const auto       leading = answering("HTTP/1.1 302 Found\r\nLocation: " + there.url("/there") + "\r\nContent-Length: 0\r\n\r\n");
    websocket_server here({leading, leading});
    websocket        obedient(here.url(), {.redirects = 1});
    obedient.onopen = [&] { obedient.close(); };
    CHECK_FALSE(obedient.wait(patience));
    websocket_options none;
    unsigned          status = 0;
    websocket         wary(here.url(), none);
    wary.onerror = [&](const error_event& e) { status = e.status; };
    CHECK(wary.wait(patience) == errc::unexpected_status);
    CHECK(status == 302);
}

TEST_CASE("too many redirections are an error", "[websocket][S62][client]") {
    const auto       leading = answering("HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n");
    websocket_server here({leading, leading});
    websocket        ws(here.url(), {.redirects = 1});
    CHECK(ws.wait(patience) == errc::too_many_redirects);
}

TEST_CASE("it goes through a proxy", "[websocket][client]") {
    std::string      asked;
    websocket_server proxy({[&](tcp::stream s) {
        asked = head_of(s).substr(0, 8);
        static_cast<void>(write_all(s, as_bytes("HTTP/1.1 200 OK\r\n\r\n"), {}, seconds(5)));
        auto ws = accept(std::move(s), {.origins = origin_policy::any()});
        if (ws) echo(*ws);
    }});
    websocket   ws("ws://behind.example/", {.proxy = proxy.url("", "http")});
    std::string text;
    ws.onopen    = [&] { ws.send("tunnelled"); };
    ws.onmessage = [&](const message& m) {
        text = m.text();
        ws.close();
    };
    CHECK_FALSE(ws.wait(patience));
    CHECK(asked == "CONNECT ");
    CHECK(text == "tunnelled");
}

TEST_CASE("a proxy that refuses is told with its status", "[websocket][client]") {
    websocket_server proxy({answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")});
    recorded         t("ws://behind.example/", {.proxy = proxy.url("", "http")});
    unsigned         status = 0;
    t.failed = [&](const error_event& e) { status = e.status; };
    CHECK(t.ws.wait(patience) == errc::proxy_refused);
    CHECK(status == 403);
}
