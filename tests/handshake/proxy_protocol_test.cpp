#include <navette/handshake/proxy_protocol.hpp>

#include "support/bytes.hpp"

#include <string>

using namespace navette;

namespace {

constexpr std::string_view start = "0d0a0d0a000d0a515549540a";

// What comes of `wire`, given in pieces of that size: "failed", "need_more", or the source and how many bytes were left.
std::string outcome(std::vector<std::byte> wire, std::size_t piece) {
    proxy_protocol_reader header;
    std::size_t           at = 0;
    auto                  status = proxy_protocol_status::need_more;
    while (at < wire.size() && status == proxy_protocol_status::need_more) {
        byte_span       in     = byte_span(wire).subspan(at, std::min(piece, wire.size() - at));
        const std::size_t before = in.size();
        status                 = header.receive(in);
        at += before - in.size();
    }
    if (status != proxy_protocol_status::complete) return status == proxy_protocol_status::failed ? "failed" : "need_more";
    std::string said;
    for (std::size_t i = 0; i < header.source().ip.size; ++i)
        said += (i == 0 ? "" : ".") + std::to_string(std::to_integer<unsigned>(header.source().ip.bytes[i]));
    return said + ":" + std::to_string(header.source().port) + " left " + std::to_string(wire.size() - at);
}

std::string outcome(const std::vector<std::byte>& wire) {
    const std::string whole = outcome(wire, wire.size() + 1);
    for (const std::size_t piece : {1u, 2u, 7u}) CHECK(outcome(wire, piece) == whole);
    return whole;
}
std::string of_text(std::string_view text) { return outcome(text_bytes(text)); }
std::string of_hex(std::string_view hex) { return outcome(concat(bytes(start), bytes(hex))); }

} // namespace

TEST_CASE("PROXY version 1 names the source, and leaves what stands behind the line", "[proxy_protocol]") {
    CHECK(of_text("PROXY TCP4 192.0.2.1 10.0.0.1 56324 443\r\nGET /") == "192.0.2.1:56324 left 5");
    CHECK(of_text("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n") == "255.255.255.255:65535 left 0");
    CHECK(of_text("PROXY TCP6 2001:db8::1 ::1 4711 443\r\n") == "32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.1:4711 left 0");
    CHECK(of_text("PROXY UNKNOWN\r\nx") == ":0 left 1");
    CHECK(of_text("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n") == ":0 left 0");
    CHECK(of_text("PROXY TCP4 192.0.2.1 10.0.0.1 56324 443\r") == "need_more");
}

TEST_CASE("what is no PROXY header of version 1 fails, at the first byte that shows it", "[proxy_protocol]") {
    for (const char* text : {"GET / HTTP/1.1\r\n", "PROXX", "PROXY\r\n", "PROXY \r\n", "PROXY TCP4\r\n", "PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n",
                             "PROXY TCP4 192.0.2.1 10.0.0.1 56324\r\n", "PROXY TCP4 192.0.2.1 10.0.0.1 56324 443 x\r\n",
                             "PROXY TCP4 192.0.2.1 10.0.0.1 65536 443\r\n", "PROXY TCP4 192.0.2.1 10.0.0.1 1 65536\r\n",
                             "PROXY TCP4 192.0.2.1 10.0.0.1 01 443\r\n", "PROXY TCP4 192.0.2.1 10.0.0.1 -1 443\r\n",
                             "PROXY TCP4 192.0.2.1  10.0.0.1 1 443\r\n", "PROXY TCP4 ::1 ::1 1 443\r\n", "PROXY TCP6 192.0.2.1 10.0.0.1 1 443\r\n",
                             "PROXY TCP4 192.0.2.256 10.0.0.1 1 443\r\n", "PROXY TCP4 192.0.2.1 10.0.0.1 1 443\rx",
                             "proxy TCP4 192.0.2.1 10.0.0.1 1 443\r\n"}) {
        INFO(text);
        CHECK(of_text(text) == "failed");
    }
}

TEST_CASE("a line of version 1 has at most 107 bytes", "[proxy_protocol]") {
    const std::string begin = "PROXY UNKNOWN ";
    CHECK(of_text(begin + std::string(107 - begin.size() - 2, 'x') + "\r\n") == ":0 left 0");
    CHECK(of_text(begin + std::string(108 - begin.size() - 2, 'x') + "\r\n") == "failed");
}

TEST_CASE("PROXY version 2 names the source, and what else it tells is skipped", "[proxy_protocol]") {
    CHECK(of_hex("21 11 000c c0000201 0a000001 dc04 01bb 78") == "192.0.2.1:56324 left 1");
    CHECK(of_hex("21 11 0010 c0000201 0a000001 dc04 01bb 04000161 78") == "192.0.2.1:56324 left 1");
    CHECK(of_hex("21 21 0024 20010db8000000000000000000000001 00000000000000000000000000000001 1267 01bb") ==
          "32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.1:4711 left 0");
    CHECK(of_hex("20 00 0000 78") == ":0 left 1");                                    // LOCAL: a health check of the proxy's own
    CHECK(of_hex("20 11 000c c0000201 0a000001 dc04 01bb 78") == ":0 left 1");
    CHECK(of_hex("21 00 0003 010203 78") == ":0 left 1");                             // unspecified
    CHECK(outcome(concat(bytes(start), bytes("21 31 00d8"), std::vector<std::byte>(216))) == ":0 left 0");   // unix
    CHECK(of_hex("21 11 000c c0000201 0a000001 dc04 01") == "need_more");
}

TEST_CASE("what is no PROXY header of version 2 fails", "[proxy_protocol]") {
    CHECK(of_hex("11 11 000c") == "failed");              // version
    CHECK(of_hex("22 11 000c") == "failed");              // command
    CHECK(of_hex("21 11 000b") == "failed");              // too short for what it must hold
    CHECK(of_hex("21 21 0023") == "failed");
    CHECK(of_hex("21 11 0ff1") == "failed");              // more than anybody needs: 4,096 bytes in all
    CHECK(outcome(concat(bytes(start), bytes("21 00 0ff0"), std::vector<std::byte>(0xff0))) == ":0 left 0");
    CHECK(outcome(bytes("0d0a0d0a000d0a515549540b")) == "failed");
}
