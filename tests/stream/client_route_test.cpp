#include <navette/stream/client_route.hpp>

#include "support/catch.hpp"
#include "support/engine_pair.hpp"
#include "support/toy_engine.hpp"

#include <array>
#include <string>

using namespace navette;

namespace {

// A client's side of a route, to which a proxy or a server says what a test wants.
struct traveller {
    engine_side side{};

    explicit traveller(client_route& route) {
        auto made = route.engine();
        REQUIRE(made);
        side.engine = *std::move(made);
        side.send({});
    }
    // What it has to say, since it was last asked.
    std::string says() {
        std::string text(as_text(side.out.data()));
        side.out.clear();
        return text;
    }
    void hears(std::string_view text) {
        side.receive(as_bytes(text));
        if (!side.error) side.send({});
    }
};

client_route route_to(std::string_view target, std::string_view proxies, const transport_factory* tls = nullptr) {
    auto made = client_route::make(*parse_uri(target), proxies, tls);
    REQUIRE(made);
    return *std::move(made);
}

constexpr std::string_view established = "HTTP/1.1 200 Connection established\r\n\r\n";

std::string xored(std::string text) {
    for (char& c : text) c = static_cast<char>(c ^ 0x5a);
    return text;
}

} // namespace

TEST_CASE("without proxy and TLS there is no engine, and the way leads to the server", "[client_route][client]") {
    client_route route = route_to("ws://server.example/", "");
    CHECK(route.is_direct());
    CHECK(route.first().host == "server.example");
    CHECK(route.first().port == 80);
    CHECK(route.proxies() == 0);
    CHECK(route.is_through());
    const auto engine = route.engine();
    REQUIRE(engine);
    CHECK_FALSE(*engine);
}

TEST_CASE("a wss URI is reached by the factory's engine for its host", "[client_route][C5][client]") {
    std::string host;
    const transport_factory tls = toy_engine::factory(&host);
    client_route route = route_to("wss://server.example/", "", &tls);
    CHECK_FALSE(route.is_direct());
    CHECK(route.first().port == 443);
    traveller way(route);
    CHECK(host == "server.example");
    CHECK(way.says() == "H");
    way.hears("H");
    CHECK(way.side.open);
}

TEST_CASE("an HTTP proxy opens a tunnel, through which bytes pass as they are", "[client_route][client]") {
    client_route route = route_to("ws://server.example/", "http://proxy.example:3128");
    CHECK(route.first().host == "proxy.example");
    CHECK(route.first().port == 3128);
    traveller way(route);
    CHECK(way.says().starts_with("CONNECT server.example:80 HTTP/1.1\r\n"));
    CHECK_FALSE(way.side.open);
    CHECK_FALSE(route.is_through());
    way.hears(established);
    CHECK(way.side.open);
    CHECK(route.is_through());
    CHECK(way.side.send("GET") == 3);
    CHECK(way.says() == "GET");
    way.hears("HTTP");
    CHECK(way.side.plain == "HTTP");
    CHECK(way.side.engine.receive_eof().ended);
}

TEST_CASE("a SOCKS5 proxy opens a tunnel", "[client_route][client]") {
    client_route route = route_to("ws://server.example/", "socks5://proxy.example");
    CHECK(route.first().port == 1080);
    traveller way(route);
    CHECK(way.says() == std::string("\5\1\0", 3));
    way.hears(std::string_view("\5\0", 2));
    CHECK(way.says() == std::string("\5\1\0\3\16server.example\0\120", 21));
    way.hears(std::string_view("\5\0\0\1\0\0\0\0\0\0", 10));
    CHECK(way.side.open);
}

TEST_CASE("wss through a proxy: the tunnel first, TLS with the server in it", "[client_route][client]") {
    std::string host;
    const transport_factory tls = toy_engine::factory(&host);
    client_route route = route_to("wss://server.example/", "http://proxy.example", &tls);
    traveller way(route);
    CHECK(host == "server.example");
    CHECK(way.says().starts_with("CONNECT server.example:443 HTTP/1.1\r\n"));
    way.hears(established);
    CHECK(way.says() == "H");
    way.hears("H");
    CHECK(way.side.open);
    way.side.send("a");
    CHECK(way.says() == xored("a"));
}

TEST_CASE("TLS to an https proxy hides what is said to it", "[client_route][client]") {
    std::string host;
    const transport_factory tls = toy_engine::factory(&host);
    client_route route = route_to("ws://server.example/", "https://proxy.example", &tls);
    CHECK(route.first().port == 443);
    traveller way(route);
    CHECK(host == "proxy.example");
    CHECK(way.says() == "H");
    way.hears("H");
    CHECK(xored(way.says()).starts_with("CONNECT server.example:80 HTTP/1.1\r\n"));
    way.hears(xored(std::string(established)));
    CHECK(way.side.open);
}

TEST_CASE("each proxy of a chain leads to the next one, and the last one to the server", "[client_route][client]") {
    client_route route = route_to("ws://server.example/", "http://one.example,http://two.example:8080");
    CHECK(route.proxies() == 2);
    traveller way(route);
    CHECK(way.says().starts_with("CONNECT two.example:8080 HTTP/1.1\r\n"));
    way.hears(established);
    CHECK_FALSE(way.side.open);
    CHECK(way.says().starts_with("CONNECT server.example:80 HTTP/1.1\r\n"));
    way.hears(established);
    CHECK(way.side.open);
}

TEST_CASE("credentials are given when they are asked for, on the same connection or on another", "[client_route][client]") {
    for (const bool keeps : {true, false}) {
        client_route route = route_to("ws://server.example/", "http://Aladdin:open%20sesame@proxy.example");
        traveller first(route);
        CHECK(first.says().find("Authorization") == std::string::npos);
        std::string demand = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 4\r\n";
        if (!keeps) demand += "Connection: close\r\n";
        first.hears(demand + "\r\nbody");
        const std::string proof = "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n";
        if (keeps) {
            CHECK(first.says().find(proof) != std::string::npos);
            first.hears(established);
            CHECK(first.side.open);
            continue;
        }
        CHECK(first.side.error == errc::proxy_wants_reconnection);
        traveller second(route);
        CHECK(second.says().find(proof) != std::string::npos);
        second.hears(established);
        CHECK(second.side.open);
    }
}

TEST_CASE("a proxy that wants ever new connections is not obeyed for ever", "[client_route][S29][client]") {
    client_route route = route_to("ws://server.example/", "http://a:b@one.example,http://c:d@two.example");
    std::error_code error;
    int connections = 0;
    for (; connections < 100; ++connections) {
        auto made = route.engine();
        if (!made) {
            error = made.error();
            break;
        }
    }
    CHECK(error == errc::proxy_wants_reconnection);
    CHECK(connections == 5);
}

TEST_CASE("a refusal is kept, with what the proxy said", "[client_route][client]") {
    client_route route = route_to("ws://server.example/", "http://proxy.example");
    traveller way(route);
    way.hears("HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\nno!!!");
    CHECK(way.side.error == errc::proxy_refused);
    CHECK(route.refusal().status == 403);
    CHECK(route.refusal().body == "no!!!");
    CHECK_FALSE(route.is_through());
}

TEST_CASE("a proxy that ends the connection before the tunnel is open is told from a server", "[client_route][S30][client]") {
    for (const char* heard : {"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\n"}) {
        client_route route = route_to("ws://server.example/", "http://proxy.example");
        traveller way(route);
        way.hears(heard);
        CHECK(way.side.engine.receive_eof().error == errc::proxy_truncated);
    }
}

TEST_CASE("what cannot be gone is refused before anything is sent", "[client_route][client]") {
    const auto refused = [](std::string_view target, std::string_view proxies) {
        const auto made = client_route::make(*parse_uri(target), proxies, nullptr);
        return made ? std::error_code{} : made.error();
    };
    CHECK(refused("wss://server.example/", "") == errc::no_tls);
    CHECK(refused("ws://server.example/", "https://proxy.example") == errc::no_tls);
    CHECK(refused("ws://server.example/", "socks4://proxy.example") == errc::unsupported_proxy);
    CHECK(refused("ws://server.example/", "http://proxy.example,") == errc::invalid_proxy);
    CHECK(refused("ws://server.example/", "http://a%00:b@proxy.example") == errc::invalid_credentials);
    CHECK_FALSE(refused("ws://server.example/", "http://proxy.example"));
}

TEST_CASE("an engine is of use after its route has gone, once it is through", "[client_route][S35][client]") {
    transport_engine engine;
    buffer out;
    {
        client_route route = route_to("ws://server.example/", "http://proxy.example");
        traveller way(route);
        way.hears(established);
        REQUIRE(way.side.open);
        engine = std::move(way.side.engine);
    }
    const_byte_span text = as_bytes("later");
    CHECK(engine.send(text, out).open);
    CHECK(as_text(out.data()) == "later");
}
