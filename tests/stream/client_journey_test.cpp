#include <navette/stream/client_journey.hpp>

#include "support/bytes.hpp"

using namespace navette;

namespace {

struct fixture {
    connect_report report;
    client_options asked;
    http_field     location[1]{};

    client_journey from(std::string_view uri, unsigned redirects, credentials login = {}, std::string_view bearer = {}) {
        return client_journey(*parse_uri(uri), asked, login, bearer, redirects, report);
    }
    // What comes of an answer that leads there.
    std::error_code moved(client_journey& journey, std::string_view where, unsigned status = 302) {
        location[0]            = {"Location", where};
        report.server.response = {.status = status, .fields = location};
        return journey.failed(errc::unexpected_status);
    }
};

std::string fields_of(const client_journey& journey) {
    std::string text;
    for (const http_field& each : journey.asked().fields) text += std::string(each.name) + ": " + std::string(each.value) + "\n";
    return text;
}

} // namespace

TEST_CASE("a journey begins at its URI, with what was asked for", "[journey][client]") {
    fixture                f;
    const std::string_view wanted[] = {"chat"};
    f.asked.subprotocols            = wanted;
    f.report.uri                    = "of an earlier journey";
    auto journey                    = f.from("ws://example.com/a", 0);
    CHECK(f.report.uri.empty());
    CHECK(journey.begin() == errc{});
    CHECK(journey.target().host == "example.com");
    CHECK(journey.asked().subprotocols.size() == 1);
    CHECK(fields_of(journey).empty());
}

TEST_CASE("a login becomes a field, and so does a token, but not both", "[journey][client][7617:2][6750:2.1]") {
    fixture f;
    auto    basic = f.from("ws://example.com/", 0, {"Aladdin", "open sesame"});
    CHECK(basic.begin() == errc{});
    CHECK(fields_of(basic) == "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\n");
    auto bearer = f.from("ws://example.com/", 0, {}, "token");
    CHECK(bearer.begin() == errc{});
    CHECK(fields_of(bearer) == "Authorization: Bearer token\n");
    auto both = f.from("ws://example.com/", 0, {"a", "b"}, "token");
    CHECK(both.begin() == errc::misuse);
}

TEST_CASE("a journey that may follow no redirection ends with the answer", "[journey][client]") {
    fixture f;
    auto    journey = f.from("ws://example.com/a", 0);
    CHECK(f.moved(journey, "/b") == errc::unexpected_status);
    CHECK(journey.target().path == "/a");
}

TEST_CASE("a journey goes on as often as is allowed", "[journey][client]") {
    fixture f;
    auto    journey = f.from("ws://example.com/a", 2);
    CHECK_FALSE(f.moved(journey, "/b"));
    CHECK(f.report.uri == "ws://example.com:80/b");
    CHECK_FALSE(f.moved(journey, "c"));
    CHECK(journey.target().path == "/c");
    CHECK(f.moved(journey, "/d") == errc::too_many_redirects);
}

TEST_CASE("only a redirection goes on", "[journey][client]") {
    fixture f;
    auto    journey = f.from("wss://example.com/a", 2);
    CHECK(f.moved(journey, "/b", 403) == errc::unexpected_status);
    CHECK(journey.failed(std::make_error_code(std::errc::connection_reset)) == std::errc::connection_reset);
    CHECK(journey.failed(errc::handshake_timeout) == errc::handshake_timeout);
    CHECK(f.moved(journey, "ws://example.com/") == errc::insecure_redirect);
    CHECK(f.moved(journey, "gopher://example.com/") == errc::bad_redirect);
}

TEST_CASE("credentials are for the origin that the journey began at, and do not come back to it", "[journey][client]") {
    fixture          f;
    const http_field own[] = {{"Cookie", "secret"}, {"X-Trace", "1"}};
    f.asked.fields         = own;
    auto journey           = f.from("ws://example.com/a", 5, {}, "token");
    CHECK_FALSE(f.moved(journey, "/b"));
    CHECK(journey.begin() == errc{});
    CHECK(fields_of(journey) == "Cookie: secret\nX-Trace: 1\nAuthorization: Bearer token\n");
    CHECK_FALSE(f.moved(journey, "ws://other.example/"));
    CHECK(journey.begin() == errc{});
    CHECK(fields_of(journey) == "X-Trace: 1\n");
    CHECK_FALSE(f.moved(journey, "ws://example.com/a"));
    CHECK(journey.begin() == errc{});
    CHECK(fields_of(journey) == "X-Trace: 1\n");
}

TEST_CASE("a failure is examined for who stands between", "[journey][client]") {
    fixture f;
    auto    journey = f.from("ws://example.com/", 0);
    CHECK(journey.failed(errc::head_truncated) == errc::head_truncated);
    CHECK(f.report.seen == interference::cut);
}

TEST_CASE("proxies and TLS have the sum of their times, and none if one of them has none", "[journey]") {
    timeouts times;
    times.proxy = seconds(3);
    times.tls   = seconds(5);
    const instant now{1};
    CHECK(client_journey::laying_ends(now, 2, true, times) == now + seconds(11));
    CHECK(client_journey::laying_ends(now, 1, false, times) == now + seconds(3));
    CHECK(client_journey::laying_ends(now, 0, false, times) == now);
    times.proxy = {};
    CHECK(client_journey::laying_ends(now, 1, true, times) == instant::never());
}
