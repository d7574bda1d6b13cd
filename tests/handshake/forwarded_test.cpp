#include <navette/handshake/forwarded.hpp>

#include "support/bytes.hpp"

#include <array>
#include <vector>

using namespace navette;

namespace {

proxied_address address(std::string_view ip, std::uint16_t port = 0) { return {parse_ip(ip), port}; }

// Trusted are 10.x and fd00.
bool is_inner(const ip_address& ip) {
    return (ip.size == 4 && ip.bytes[0] == std::byte{10}) || (ip.size == 16 && ip.bytes[0] == std::byte{0xfd});
}

proxied_address client_of(forwarded_by how, std::vector<std::string_view> values) {
    std::vector<http_field> fields{{"Host", "x"}};
    for (const std::string_view value : values)
        fields.push_back({how == forwarded_by::forwarded ? "Forwarded" : "X-Forwarded-For", value});
    return find_client(http_fields(fields), how, is_inner);
}

} // namespace

TEST_CASE("a proxied address is one of IPv4 or IPv6, perhaps with a port", "[forwarded][7239:6]") {
    CHECK(parse_proxied_address("192.0.2.1") == address("192.0.2.1"));
    CHECK(parse_proxied_address("192.0.2.1:80") == address("192.0.2.1", 80));
    CHECK(parse_proxied_address("192.0.2.1:65535") == address("192.0.2.1", 65'535));
    CHECK(parse_proxied_address("192.0.2.1:_secret") == address("192.0.2.1"));
    CHECK(parse_proxied_address("[2001:db8::1]") == address("2001:db8::1"));
    CHECK(parse_proxied_address("[2001:db8::1]:4711") == address("2001:db8::1", 4711));
    CHECK(parse_proxied_address("2001:db8::1") == address("2001:db8::1"));
    for (const char* text : {"", "unknown", "_gazonk", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:8x", "192.0.2", "[2001:db8::1", "[192.0.2.1]",
                             "[2001:db8::1]80", "[2001:db8::1]:", "example.com", "192.0.2.1:123456"}) {
        INFO(text);
        CHECK(parse_proxied_address(text) == proxied_address{});
    }
}

TEST_CASE("the client is the last one that no proxy of ours is, in X-Forwarded-For", "[forwarded]") {
    const auto x = [](std::vector<std::string_view> values) { return client_of(forwarded_by::x_forwarded_for, std::move(values)); };
    CHECK(x({"192.0.2.1"}) == address("192.0.2.1"));
    CHECK(x({"192.0.2.1, 10.0.0.1"}) == address("192.0.2.1"));
    CHECK(x({"6.6.6.6, 192.0.2.1, 10.0.0.1, 10.0.0.2"}) == address("192.0.2.1"));   // whoever lies stands before
    CHECK(x({"6.6.6.6", "192.0.2.1", "10.0.0.1"}) == address("192.0.2.1"));         // over several lines
    CHECK(x({"10.0.0.3, 10.0.0.2"}) == address("10.0.0.3"));
    CHECK(x({"192.0.2.1, unknown"}) == proxied_address{});
    CHECK(x({"unknown, 192.0.2.1"}) == address("192.0.2.1"));
    CHECK(x({"2001:db8::1, fd00::1"}) == address("2001:db8::1"));
    CHECK(x({}) == proxied_address{});
    CHECK(x({""}) == proxied_address{});
    CHECK(client_of(forwarded_by::nothing, {"192.0.2.1"}) == proxied_address{});
}

TEST_CASE("the client is the last one that no proxy of ours is, in Forwarded", "[forwarded][7239:4]") {
    const auto f = [](std::vector<std::string_view> values) { return client_of(forwarded_by::forwarded, std::move(values)); };
    CHECK(f({"for=192.0.2.60;proto=http;by=203.0.113.43"}) == address("192.0.2.60"));
    CHECK(f({"proto=http; FOR = 192.0.2.60"}) == address("192.0.2.60"));
    CHECK(f({R"(For="[2001:db8:cafe::17]:4711")"}) == address("2001:db8:cafe::17", 4711));
    CHECK(f({R"(for=6.6.6.6, for="192.0.2.43:80", for=10.0.0.1)"}) == address("192.0.2.43", 80));
    CHECK(f({"for=192.0.2.43", R"(by="a;for=6.6.6.6";for=10.0.0.1)"}) == address("192.0.2.43"));
    CHECK(f({"for=192.0.2.43, for=unknown"}) == proxied_address{});
    CHECK(f({"for=192.0.2.43, by=10.0.0.1"}) == proxied_address{});
    CHECK(f({"for=192.0.2.43, for"}) == proxied_address{});
    CHECK(f({R"(for="192.0.2.43)"}) == proxied_address{});
    CHECK(f({R"(for="192.0.2.43"x)"}) == proxied_address{});
    CHECK(f({"192.0.2.43"}) == proxied_address{});
}
