#include <navette/handshake/redirect.hpp>

#include "support/catch.hpp"

#include <string>
#include <vector>

using namespace navette;

namespace {

// Where an answer with this Location leads from there: the URI as text, or the error's name.
std::string leads_to(std::string_view location, std::string_view from = "ws://a.example:81/b/c/d?q", unsigned status = 302) {
    const http_field fields[] = {{"Location", location}};
    buffer     storage;
    const auto to = read_redirect(*parse_uri(from), {.status = status, .fields = fields}, storage);
    if (!to) return facts(to.error()).name;
    std::string text = to->secure ? "wss " : "ws ";
    text += std::string(to->host) + " " + std::to_string(to->port) + " " + std::string(to->path);
    if (!to->query.empty()) text += "?" + std::string(to->query);
    return text;
}

} // namespace

TEST_CASE("a Location is absolute, in the schemes of WebSocket or of HTTP", "[redirect][9110:10.2.2][client]") {
    CHECK(leads_to("ws://b.example/x") == "ws b.example 80 /x");
    CHECK(leads_to("wss://b.example/x") == "wss b.example 443 /x");
    CHECK(leads_to("http://b.example:8080/x?y=z") == "ws b.example 8080 /x?y=z");
    CHECK(leads_to("HTTPS://b.example") == "wss b.example 443 /");
    CHECK(leads_to("https://[::1]:9001/x") == "wss ::1 9001 /x");
}

TEST_CASE("a Location is relative to what was asked for, as RFC 3986 has it", "[redirect][3986:5.4][client]") {
    CHECK(leads_to("//b.example/x") == "ws b.example 80 /x");
    CHECK(leads_to("/g") == "ws a.example 81 /g");
    CHECK(leads_to("g") == "ws a.example 81 /b/c/g");
    CHECK(leads_to("./g") == "ws a.example 81 /b/c/g");
    CHECK(leads_to("g/") == "ws a.example 81 /b/c/g/");
    CHECK(leads_to("?y") == "ws a.example 81 /b/c/d?y");
    CHECK(leads_to("g?y") == "ws a.example 81 /b/c/g?y");
    CHECK(leads_to("") == "ws a.example 81 /b/c/d?q");
    CHECK(leads_to(".") == "ws a.example 81 /b/c/");
    CHECK(leads_to("..") == "ws a.example 81 /b/");
    CHECK(leads_to("../g") == "ws a.example 81 /b/g");
    CHECK(leads_to("../../../g") == "ws a.example 81 /g");
    CHECK(leads_to("/./g") == "ws a.example 81 /g");
    CHECK(leads_to("/../g") == "ws a.example 81 /g");
    CHECK(leads_to("g..") == "ws a.example 81 /b/c/g..");
    CHECK(leads_to("./g/.") == "ws a.example 81 /b/c/g/");
    CHECK(leads_to("g/../h") == "ws a.example 81 /b/c/h");
    CHECK(leads_to("g?y/../x") == "ws a.example 81 /b/c/g?y/../x");
    CHECK(leads_to("/x", "wss://[fe80::1]/y") == "wss fe80::1 443 /x");
}

TEST_CASE("a fragment of a Location does not count", "[redirect][9110:10.2.2][client]") {
    CHECK(leads_to("/g#part") == "ws a.example 81 /g");
    CHECK(leads_to("#part") == "ws a.example 81 /b/c/d?q");
    CHECK(leads_to("#a:b") == "ws a.example 81 /b/c/d?q");
}

TEST_CASE("a redirection never leads from wss to ws", "[redirect][S62][client]") {
    CHECK(leads_to("ws://a.example/", "wss://a.example/") == "insecure_redirect");
    CHECK(leads_to("http://a.example/", "wss://a.example/") == "insecure_redirect");
    CHECK(leads_to("//a.example/", "wss://a.example/") == "wss a.example 443 /");
}

TEST_CASE("what is no URI of a WebSocket server is refused", "[redirect][S57][client]") {
    for (const char* location : {"ftp://b.example/", "ws:", "http:/x", "mailto:a@b.example", "ws://user@b.example/", "ws://b.example:0/",
                                 "ws://b.example/a b", "ws://b.example/\x7f", "//", "ws://b.example/%zz", "1:2", ":", "ws://b\tc/"})
        CHECK(leads_to(location) == "bad_redirect");
}

TEST_CASE("only the statuses that redirect do", "[redirect][9110:15.4][client]") {
    for (unsigned status = 100; status < 600; ++status) {
        const bool does = status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
        CHECK(is_redirect(status) == does);
        CHECK(leads_to("/g", "ws://a.example/", status) == (does ? "ws a.example 80 /g" : "bad_redirect"));
    }
}

TEST_CASE("one Location is needed, and two are too many", "[redirect][9110:10.2.2][client]") {
    const http_field twice[] = {{"Location", "/a"}, {"location", "/b"}};
    buffer storage;
    CHECK(read_redirect(*parse_uri("ws://a.example/"), {.status = 302, .fields = twice}, storage).error() == errc::bad_redirect);
    CHECK(read_redirect(*parse_uri("ws://a.example/"), {.status = 302}, storage).error() == errc::bad_redirect);
}

TEST_CASE("a URI that finds no room is an error", "[redirect][client]") {
    const http_field field[] = {{"Location", "/a/long/path/that/does/not/fit"}};
    std::byte place[24];
    buffer storage{byte_span(place)};
    CHECK_FALSE(read_redirect(*parse_uri("ws://a.example/"), {.status = 302, .fields = field}, storage));
}

TEST_CASE("an origin is a scheme, a host without case and a port", "[redirect][S62][6454:5][client]") {
    const auto same = [](std::string_view a, std::string_view b) { return is_same_origin(*parse_uri(a), *parse_uri(b)); };
    CHECK(same("ws://a.example/x", "ws://A.example:80/y"));
    CHECK_FALSE(same("ws://a.example/", "wss://a.example:80/"));
    CHECK_FALSE(same("ws://a.example/", "ws://a.example:81/"));
    CHECK_FALSE(same("ws://a.example/", "ws://b.example/"));
    CHECK_FALSE(same("ws://a.example/", "ws://a.example.b/"));
}

TEST_CASE("credentials are known by the names of their fields", "[redirect][S62][client]") {
    for (const char* name : {"Authorization", "COOKIE", "proxy-authorization", "Cookie2"}) CHECK(is_credential(name));
    for (const char* name : {"User-Agent", "X-Cookie", "Origin", ""}) CHECK_FALSE(is_credential(name));
}
