#include <navette/handshake/origin.hpp>

#include "support/bytes.hpp"

#include <string>
#include <vector>

using namespace navette;

namespace {

bool admits(const origin_policy& policy, const std::vector<std::string_view>& origins,
            std::string_view host = "example.com") {
    std::vector<http_field> fields;
    for (const std::string_view origin : origins) fields.push_back({"Origin", origin});
    request_view request{.method = "GET", .host = host};
    request.fields = fields;
    return policy.admits(request);
}

constexpr std::string_view listed[] = {"https://example.com", "http://localhost:3000"};

} // namespace

TEST_CASE("a listed origin passes, with default ports filled in and in any case",
          "[origin][6454:4][C50][S54][server]") {
    const auto policy = origin_policy::list(listed);
    for (const char* origin :
         {"https://example.com", "https://example.com:443", "HTTPS://Example.COM",
          "https://EXAMPLE.com:0443", "http://localhost:3000", "http://LOCALHOST:3000"}) {
        CAPTURE(origin);
        CHECK(admits(policy, {origin}));
    }
}

TEST_CASE("an origin that only resembles a listed one is refused",
          "[origin][6455:10.2][C50][S54][server]") {
    const auto policy = origin_policy::list(listed);
    for (const char* origin : {"http://example.com",
                               "https://example.com:80",
                               "https://example.com:8443",
                               "http://localhost",
                               "https://localhost:3000",
                               "https://example.com.evil.org",
                               "https://evil-example.com",
                               "https://evilexample.com",
                               "https://www.example.com",
                               "https://example.co",
                               "https://example.com@evil.org",
                               "https://evil.org?https://example.com",
                               "https://evil.org#https://example.com",
                               "https://example.com/",
                               "https://example.com/path",
                               "https://example.com?",
                               "https://example.com#",
                               "example.com",
                               "//example.com",
                               "https:example.com",
                               "https://example.com:",
                               "https://user@example.com",
                               "https://example.com https://evil.org",
                               "https://example.com,https://evil.org",
                               "https://examplescom",
                               "https://example.com.",
                               "null",
                               "NULL",
                               "",
                               "*",
                               "file://",
                               "https://example.com:443x",
                               "https://[::1]",
                               "wss://example.com"}) {
        CAPTURE(origin);
        if (std::string_view(origin) == "https://example.com:")
            CHECK(admits(policy, {origin})); // an empty port is none
        else CHECK_FALSE(admits(policy, {origin}));
    }
}

TEST_CASE("null passes only if it is listed", "[origin][6454:7.3][S54][server]") {
    constexpr std::string_view with_null[] = {"null"};
    CHECK(admits(origin_policy::list(with_null), {"null"}));
    CHECK_FALSE(admits(origin_policy::list(with_null), {"https://null"}));
    CHECK_FALSE(admits(origin_policy::list(listed), {"null"}));
    CHECK_FALSE(admits(origin_policy::same_origin(), {"null"}, "null"));
    CHECK_FALSE(admits(origin_policy::list({}), {"null"}));
}

TEST_CASE("origins of schemes without hosts or ports are compared as they stand",
          "[origin][S54][server]") {
    constexpr std::string_view apps[] = {"app://obsidian.md", "file://",
                                         "chrome-extension://abcdefgh"};
    const auto policy                 = origin_policy::list(apps);
    for (const std::string_view origin : apps) CHECK(admits(policy, {origin}));
    CHECK_FALSE(admits(policy, {"chrome-extension://abcdefg"}));
    CHECK_FALSE(admits(policy, {"app://obsidian.md:80"}));
}

TEST_CASE("same origin means the request's own host and port",
          "[origin][6454:5][C50][S54][server]") {
    const auto policy = origin_policy::same_origin();
    struct row {
        const char *origin, *host;
        bool passes;
    };
    for (const row& r :
         {row{"https://example.com", "example.com", true},
          row{"http://example.com", "example.com", true},
          row{"https://Example.com", "eXample.com", true},
          row{"https://example.com", "example.com:443", true},
          row{"http://example.com", "example.com:443", false},
          row{"http://localhost:9001", "localhost:9001", true},
          row{"http://localhost:9002", "localhost:9001", false},
          row{"http://localhost", "localhost:9001", false},
          row{"http://[::1]:9001", "[::1]:9001", true},
          row{"http://[::2]:9001", "[::1]:9001", false},
          row{"https://example.com.evil.org", "example.com", false},
          row{"https://evil.org", "example.com", false}, row{"example.com", "example.com", false},
          row{"app://example.com", "example.com", false}, row{"https://", "", false},
          row{"https://example.com/", "example.com", false}}) {
        CAPTURE(r.origin, r.host);
        CHECK(admits(policy, {r.origin}, r.host) == r.passes);
    }
}

TEST_CASE("same origin can demand a scheme", "[origin][6454:5][S54][server]") {
    const auto policy = origin_policy::same_origin("https");
    CHECK(admits(policy, {"https://example.com"}));
    CHECK(admits(policy, {"HTTPS://example.com:443"}));
    CHECK_FALSE(admits(policy, {"http://example.com"}));
    CHECK_FALSE(admits(policy, {"http://example.com:443"}));
}

TEST_CASE("a request without an Origin passes unless one is required",
          "[origin][6455:10.2][C50][S54][server]") {
    for (const auto& policy :
         {origin_policy::any(), origin_policy::same_origin(), origin_policy::list(listed)}) {
        CHECK(admits(policy, {}));
        CHECK_FALSE(admits(policy.required(), {}));
    }
    CHECK(admits(origin_policy::any().required(), {"https://anywhere.example"}));
    CHECK(admits(origin_policy::list(listed).required(), {"https://example.com"}));
    CHECK_FALSE(admits(origin_policy::list(listed).required(), {"https://evil.org"}));
}

TEST_CASE("two Origin fields never pass", "[origin][6454:7.3][C50][S54][server]") {
    for (const auto& policy : {origin_policy::any(), origin_policy::same_origin(),
                               origin_policy::list(listed), origin_policy::any().required()}) {
        CHECK_FALSE(admits(policy, {"https://example.com", "https://example.com"}));
        CHECK_FALSE(admits(policy, {"https://example.com", "https://evil.org"}));
        CHECK_FALSE(admits(policy, {"", "https://example.com"}));
    }
}

TEST_CASE("any lets in whatever calls itself an origin", "[origin][S54][server]") {
    for (const char* origin : {"https://anywhere.example", "null", "", "not an origin"})
        CHECK(admits(origin_policy::any(), {origin}));
}
