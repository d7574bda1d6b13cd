#include <navette/stream/proxies_from_environment.hpp>

#include "support/catch.hpp"

#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

using namespace navette;

namespace {

// Sets variables for a scope, and hides those that this process was given.
class environment {
    std::vector<std::pair<std::string, std::optional<std::string>>> before_;

public:
    environment(std::initializer_list<std::pair<const char*, const char*>> set) {
        for (const char* name : {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "ws_proxy",
                                 "WS_PROXY", "wss_proxy", "WSS_PROXY", "no_proxy", "NO_PROXY", "REQUEST_METHOD"}) {
            const char* value = std::getenv(name);
            before_.emplace_back(name, value == nullptr ? std::nullopt : std::optional<std::string>(value));
            ::unsetenv(name);
        }
        for (const auto& [name, value] : set) ::setenv(name, value, 1);
    }
    environment(const environment&) = delete;
    ~environment() {
        for (const auto& [name, value] : before_) {
            if (value) ::setenv(name.c_str(), value->c_str(), 1);
            else ::unsetenv(name.c_str());
        }
    }
};

std::string_view proxies(std::string_view to) { return proxies_from_environment(*parse_uri(to)); }

} // namespace

TEST_CASE("a variable is read in lower case, or else in capitals", "[proxy][client]") {
    const environment set{{"ALL_PROXY", "http://capitals"}};
    CHECK(proxies("ws://example.com/") == "http://capitals");
    const environment both{{"ALL_PROXY", "http://capitals"}, {"all_proxy", "http://lower"}};
    CHECK(proxies("ws://example.com/") == "http://lower");
}

TEST_CASE("HTTP_PROXY is not heeded within a CGI program, to which any client can give it", "[proxy][client]") {
    const environment set{{"HTTP_PROXY", "http://of-the-client"}, {"REQUEST_METHOD", "GET"}};
    CHECK(proxies("ws://example.com/").empty());
}

TEST_CASE("loopback and what no_proxy names go without", "[proxy][client]") {
    const environment set{{"all_proxy", "http://proxy"}, {"no_proxy", "internal.example"}};
    CHECK(proxies("ws://example.com/") == "http://proxy");
    CHECK(proxies("ws://internal.example/").empty());
    for (const char* loopback : {"ws://localhost/", "ws://a.localhost./", "ws://127.1.2.3/", "ws://[::1]/"})
        CHECK(proxies(loopback).empty());
}
