#include <navette/codec/ip_address.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"

#include <string>
#include <string_view>
#include <vector>

using namespace navette;

namespace {

std::vector<std::byte> bytes_of(const ip_address& address) {
    return {address.bytes.begin(), address.bytes.begin() + address.size};
}

static_assert(parse_ipv4("127.0.0.1").size == 4 && parse_ipv6("::1").bytes[15] == std::byte{1});

} // namespace

TEST_CASE("an IPv4 address is four numbers", "[ip_address][3986:3.2.2]") {
    CHECK(bytes_of(parse_ipv4("0.0.0.0")) == bytes("00000000"));
    CHECK(bytes_of(parse_ipv4("127.0.0.1")) == bytes("7f000001"));
    CHECK(bytes_of(parse_ipv4("255.254.10.9")) == bytes("fffe0a09"));
    CHECK(bytes_of(parse_ip("192.0.2.1")) == bytes("c0000201"));
}

TEST_CASE("what is not four numbers from 0 to 255 is no IPv4 address", "[ip_address][3986:3.2.2]") {
    for (const char* text : {"", ".", "1", "127.1", "1.2.3", "1.2.3.", "1.2.3.4.", "1.2.3.4.5", "256.0.0.1", "1.2.3.256",
                             "1.2.3.1000", "01.2.3.4", "1.2.3.04", "00.0.0.0", "1..2.3", ".1.2.3", "1.2.3.4 ", " 1.2.3.4",
                             "+1.2.3.4", "0x7f.0.0.1", "a.b.c.d", "1.2.3.4x", "1,2,3,4", "::1"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_ipv4(text));
    }
}

TEST_CASE("an IPv6 address has eight groups, of which :: stands for those that are zero", "[ip_address][4291:2.2]") {
    struct row {
        const char *text, *hex;
    };
    for (const row& r : {row{"::", "00000000000000000000000000000000"},
                         row{"::1", "00000000000000000000000000000001"},
                         row{"1::", "00010000000000000000000000000000"},
                         row{"2001:DB8:0:0:8:800:200C:417A", "20010db80000000000080800200c417a"},
                         row{"2001:db8::8:800:200c:417a", "20010db80000000000080800200c417a"},
                         row{"ff01::101", "ff010000000000000000000000000101"},
                         row{"1:2:3:4:5:6:7::", "00010002000300040005000600070000"},
                         row{"::2:3:4:5:6:7:8", "00000002000300040005000600070008"},
                         row{"1::3:4:5:6:7:8", "00010000000300040005000600070008"},
                         row{"::13.1.68.3", "0000000000000000000000000d014403"},
                         row{"::ffff:129.144.52.38", "00000000000000000000ffff81903426"},
                         row{"1:2:3:4:5:6:1.2.3.4", "00010002000300040005000601020304"},
                         row{"0001:0:0:0:0:0:0:00ff", "000100000000000000000000000000ff"}}) {
        CAPTURE(r.text);
        CHECK(bytes_of(parse_ipv6(r.text)) == bytes(r.hex));
        CHECK(bytes_of(parse_ip(r.text)) == bytes(r.hex));
    }
}

TEST_CASE("what has another number of groups, or two gaps, is no IPv6 address", "[ip_address][4291:2.2]") {
    for (const char* text : {"", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "::1::", "1:2:3:4:5:6:7:8::",
                             "::1:2:3:4:5:6:7:8", "1:2:3:4::5:6:7:8", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", "12345::", "g::",
                             "::1%eth0", "[::1]", "::1.2.3", "::1.2.3.256", "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3.4:5", "1.2.3.4",
                             "::1 ", "1:::2", "::-1", "1:2:3:4:5:6:7:8.9", "::1.2.3.4:"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_ipv6(text));
    }
}

TEST_CASE("an address that is cut short is another one or none, and never reads beyond its end", "[ip_address]") {
    const std::string whole = "2001:db8:1:2:3:4:192.0.2.33";
    CHECK(parse_ipv6(whole));
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const std::string cut(whole, 0, size);   // of its own size, so that a sanitizer sees an overrun
        const bool        is_whole = size == whole.size() - 1;   // ends in .3 instead of .33
        CHECK(bool(parse_ipv6(cut)) == is_whole);
    }
}
