#include <navette/handshake/http_request.hpp>

#include "support/bytes.hpp"

#include <string>
#include <vector>

using namespace navette;

namespace {

struct outcome {
    errc error{};
    std::string path, query, host, origin;
};

outcome read(std::string_view method, std::string_view target,
             const std::vector<http_field>& fields = {{"Host", "example.com"}},
             unsigned minor                        = 1) {
    request_view request{.method = method, .target = target, .version_minor = minor};
    request.fields = fields;
    outcome seen;
    seen.error  = interpret(request);
    seen.path   = request.path;
    seen.query  = request.query;
    seen.host   = request.host;
    seen.origin = request.origin;
    return seen;
}

} // namespace

TEST_CASE("an origin-form target has a path and a query", "[http_request][9112:3.2.1]") {
    struct row {
        const char *target, *path, *query;
    };
    for (const row& r :
         {row{"/", "/", ""}, row{"/chat", "/chat", ""}, row{"/chat?room=7&x", "/chat", "room=7&x"},
          row{"/?", "/", ""}, row{"//a?b?c", "//a", "b?c"}, row{"/%zz|^{}`\\", "/%zz|^{}`\\", ""},
          row{"/http://x", "/http://x", ""}}) {
        CAPTURE(r.target);
        const outcome seen = read("GET", r.target);
        CHECK(seen.error == errc{});
        CHECK(seen.path == r.path);
        CHECK(seen.query == r.query);
        CHECK(seen.host == "example.com");
    }
}

TEST_CASE("an absolute target's authority wins over Host",
          "[http_request][9112:3.2.2][C28][server]") {
    struct row {
        const char *target, *path, *query, *host;
    };
    for (const row& r : {row{"http://other.example/a?b", "/a", "b", "other.example"},
                         row{"ws://other.example:81/a", "/a", "", "other.example:81"},
                         row{"WSS://[::1]", "/", "", "[::1]"}, row{"https://h?q", "/", "q", "h"}}) {
        CAPTURE(r.target);
        const outcome seen = read("GET", r.target);
        CHECK(seen.error == errc{});
        CHECK(seen.path == r.path);
        CHECK(seen.query == r.query);
        CHECK(seen.host == r.host);
    }
    CHECK(read("GET", "http://other.example/", {}).error ==
          errc::bad_host); // Host is needed all the same
    CHECK(read("GET", "http://other.example/", {{"Host", "a b"}}).error == errc::bad_host);
}

TEST_CASE("a target of no known form is refused", "[http_request][9112:3.2][C48][S56][server]") {
    for (const char* target : {"",
                               "chat",
                               "example.com:80",
                               "*",
                               "ftp://h/",
                               "http:/h",
                               "http:h",
                               "http://",
                               "http://u@h/",
                               "http://h:0/",
                               "http://[::1/",
                               "ws://",
                               "javascript:x",
                               "/a b",
                               "/a#b",
                               "/\"",
                               "/<",
                               "/>",
                               "/\x7f",
                               "/\xc3\xa9",
                               "/\x01",
                               "?a"}) {
        CAPTURE(target);
        CHECK(read("GET", target).error == errc::bad_target);
    }
}

TEST_CASE("OPTIONS may ask for everything and CONNECT for an authority",
          "[http_request][9112:3.2.3][9112:3.2.4]") {
    CHECK(read("OPTIONS", "*").error == errc{});
    CHECK(read("OPTIONS", "*").path == "*");
    CHECK(read("CONNECT", "h:443").host == "h:443");
    CHECK(read("CONNECT", "h:443").path.empty());
    CHECK(read("CONNECT", "/a").error == errc::bad_target);
}

TEST_CASE("a request has one valid Host", "[http_request][9112:3.2][C27][S56][server]") {
    CHECK(read("GET", "/", {}).error == errc::bad_host);
    CHECK(read("GET", "/", {{"Host", "a"}, {"host", "a"}}).error == errc::bad_host);
    CHECK(read("GET", "/", {{"Host", "a"}, {"Host", "b"}}, 0).error == errc::bad_host);
    for (const char* host : {"", "a b", "a/b", "u@a", "a:b", "a:0", "a:65536", "[::1", "::1",
                             "http://a", "a\xc3\xa9", "a?b", "a#b"}) {
        CAPTURE(host);
        CHECK(read("GET", "/", {{"Host", host}}).error == errc::bad_host);
    }
    for (const char* host : {"a", "example.com:8080", "[::1]:9001", "127.0.0.1", "a_b", "a:"})
        CHECK(read("GET", "/", {{"Host", host}}).host == host);
    CHECK(read("GET", "/", {}, 0).error == errc{}); // HTTP/1.0 has none
}

TEST_CASE("a body of doubtful length is refused in every request",
          "[http_request][9112:6.3][C35][C36][S56][server]") {
    const http_field host{"Host", "a"};
    CHECK(read("POST", "/", {host, {"Content-Length", "10"}}).error == errc{});
    CHECK(read("POST", "/", {host, {"Transfer-Encoding", "chunked"}}).error == errc{});
    CHECK(read("POST", "/", {host, {"Content-Length", "x"}}).error == errc::unexpected_body);
    CHECK(read("POST", "/", {host, {"Content-Length", "1"}, {"Transfer-Encoding", "chunked"}})
              .error == errc::unexpected_body);
    CHECK(read("POST", "/", {host, {"Transfer-Encoding", "chunked, identity"}}).error ==
          errc::unexpected_body);
    CHECK(read("POST", "/", {host, {"Transfer-Encoding", "chunked"}}, 0).error ==
          errc::unexpected_body);
}

TEST_CASE("the major version is 1, or 2 and 3 of one read elsewhere",
          "[http_request][9110:15.6.6][C42]") {
    for (const unsigned major : {0u, 1u, 2u, 3u, 4u, 9u}) {
        const http_field fields[] = {{"Host", "a"}};
        request_view request{.method = "GET", .target = "/", .version_major = major};
        request.fields = fields;
        if (major != 1) request.host = "a";
        CHECK(interpret(request) ==
              (major >= 1 && major <= 3 ? errc{} : errc::http_version_not_supported));
    }
    request_view request{.method = "GET", .target = "/", .version_major = 2, .version_minor = 0};
    CHECK(interpret(request) == errc::bad_host);
    request.host = "a b";
    CHECK(interpret(request) == errc::bad_host);
    request.host = "a";
    CHECK(interpret(request) == errc{});
}

TEST_CASE("what only HTTP/2 has is dropped from HTTP/1.1", "[http_request]") {
    const http_field fields[] = {{"Host", "right"}, {"Origin", "http://o"}};
    request_view request{
        .method = "GET", .target = "/", .path = "stale", .query = "stale", .host = "wrong"};
    request.fields   = fields;
    request.protocol = "websocket";
    CHECK(interpret(request) == errc{});
    CHECK(request.host == "right");
    CHECK(request.path == "/");
    CHECK(request.query.empty());
    CHECK(request.origin == "http://o");
    CHECK(request.protocol.empty());
}
