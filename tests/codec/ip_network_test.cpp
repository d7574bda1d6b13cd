#include <navette/codec/ip_network.hpp>

#include "support/bytes.hpp"

using namespace navette;

namespace {
bool contains(std::string_view network, std::string_view address) {
    return parse_ip_network(network).contains(parse_ip(address));
}
} // namespace

TEST_CASE("a network contains the addresses that begin with its bits, at both ends", "[ip_network]") {
    CHECK(contains("10.0.0.0/8", "10.0.0.0"));
    CHECK(contains("10.0.0.0/8", "10.255.255.255"));
    CHECK_FALSE(contains("10.0.0.0/8", "9.255.255.255"));
    CHECK_FALSE(contains("10.0.0.0/8", "11.0.0.0"));
    CHECK(contains("192.0.2.128/25", "192.0.2.128"));
    CHECK_FALSE(contains("192.0.2.128/25", "192.0.2.127"));
    CHECK(contains("0.0.0.0/0", "255.1.2.3"));
    CHECK(contains("192.0.2.1", "192.0.2.1"));
    CHECK_FALSE(contains("192.0.2.1", "192.0.2.2"));
    CHECK(contains("fd00::/8", "fdff::1"));
    CHECK_FALSE(contains("fd00::/8", "fe80::1"));
    CHECK(contains("::1", "::1"));
    CHECK(contains("2001:db8::/33", "2001:db8:7fff::"));
    CHECK_FALSE(contains("2001:db8::/33", "2001:db8:8000::"));
}

TEST_CASE("an IPv4 address that is written as an IPv6 one is an IPv4 address", "[ip_network][4291:2.5.5.2]") {
    CHECK(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
    CHECK_FALSE(contains("::/0", "::ffff:10.1.2.3"));
    CHECK_FALSE(contains("10.0.0.0/8", "::10.1.2.3"));
    CHECK(unmapped(parse_ip("::ffff:10.1.2.3")) == parse_ip("10.1.2.3"));
    CHECK(unmapped(parse_ip("fd00::1")) == parse_ip("fd00::1"));
    CHECK(unmapped(parse_ip("10.1.2.3")) == parse_ip("10.1.2.3"));
}

TEST_CASE("a network contains nothing of the other kind, and what is no network contains nothing", "[ip_network]") {
    CHECK_FALSE(contains("0.0.0.0/0", "::1"));
    CHECK_FALSE(contains("::/0", "10.0.0.1"));
    CHECK_FALSE(contains("10.0.0.0/8", "nonsense"));
    for (const char* text : {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.0/+8",
                             "10.0.0.0/1000", "10.0.0/8", "10.0.0.1/8", "10.128.0.0/8", "fd00::1/8", "x/8", "10.0.0.0/8/8"}) {
        INFO(text);
        CHECK_FALSE(bool(parse_ip_network(text)));
        CHECK_FALSE(contains(text, "10.0.0.1"));
    }
}

static_assert(parse_ip_network("10.0.0.0/8").prefix == 8 && parse_ip_network("::1").prefix == 128);
