#include <navette/proxies.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/engine_pair.hpp"

#include <string>

using namespace navette;

// What each of these does has tests of its own; here they are used together, with that one header.

namespace {

// A client's side of a way, to which what stands at its other end says what a test wants.
std::string said(engine_side& side) {
    side.send({});
    std::string text(as_text(side.out.data()));
    side.out.clear();
    return text;
}

} // namespace

TEST_CASE("a client finds its proxy, gives it a login, and is led on by the server behind it", "[proxies][6455:4.1][client]") {
    const auto target = parse_uri("ws://one.example/chat");
    REQUIRE(target);
    const proxy_environment environment{.https_proxy = "http://user:open%20sesame@proxy.example:3128",
                                        .no_proxy    = "two.example"};
    const std::string_view  proxies = proxy_for(*target, environment);
    CHECK(proxies == environment.https_proxy);

    auto route = client_route::make(*target, proxies, nullptr);
    REQUIRE(route);
    CHECK(route->first().host == "proxy.example");
    CHECK(route->first().port == 3128);
    auto engine = route->engine();
    REQUIRE(engine);
    engine_side way{};
    way.engine = *std::move(engine);
    CHECK(said(way) == "CONNECT one.example:80 HTTP/1.1\r\nHost: one.example:80\r\n\r\n");
    way.receive(as_bytes("HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"a\"\r\n"
                         "Content-Length: 0\r\n\r\n"));
    CHECK(said(way).find("\r\nProxy-Authorization: Basic dXNlcjpvcGVuIHNlc2FtZQ==\r\n") != std::string::npos);
    way.receive(as_bytes("HTTP/1.1 200 Connection established\r\n\r\n"));
    CHECK(said(way).empty());
    CHECK(way.open);
    CHECK(route->is_through());

    connect_report       report;
    const client_options asked;
    client_journey       journey(*target, asked, {}, {}, 1, report);
    REQUIRE(journey.begin() == errc{});
    const http_field location[]{{"Location", "http://two.example:8080/chat"}};
    report.server.response = {.status = 307, .fields = location};
    REQUIRE_FALSE(journey.failed(errc::unexpected_status));
    CHECK(report.uri == "ws://two.example:8080/chat");
    CHECK(proxy_for(journey.target(), environment).empty());
}

TEST_CASE("a client that was refused comes back when the server wants it, and knows who refused it", "[proxies][C8][client]") {
    const http_field    answered[]{{"Retry-After", "120"}};
    const response_view answer{.status = 503, .fields = answered};
    const auto          asked = read_retry_after(http_fields(answer.fields), 0);
    REQUIRE(asked);
    CHECK(*asked == seconds(120));
    reconnect_delay pauses(reconnect_policy{});
    const auto      pause = pauses.lost({.status = answer.status, .retry_after = asked}, instant{});
    REQUIRE(pause);
    CHECK(*pause >= seconds(120));

    const auto in_the_clear = parse_uri("ws://one.example/");
    REQUIRE(in_the_clear);
    CHECK(find_interference(*in_the_clear, errc::truncated, seconds(60)) == interference::cut_when_idle);
    CHECK(find_interference(*in_the_clear, errc::truncated, seconds(1)) == interference::none);
}
