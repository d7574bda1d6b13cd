#include <navette/handshake/uri.hpp>

#include "support/bytes.hpp"

#include <string>
#include <vector>

using namespace navette;

namespace {

errc refusal(std::string_view text) {
    const auto parsed = parse_uri(text);
    return parsed ? errc{} : parsed.error();
}

} // namespace

TEST_CASE("ws and wss have their default ports", "[uri][6455:3][C1][client]") {
    struct row {
        const char* text;
        bool secure;
        std::uint16_t port;
        bool is_default;
    };
    for (const row& r :
         {row{"ws://example.com/", false, 80, true}, row{"wss://example.com/", true, 443, true},
          row{"WS://example.com", false, 80, true}, row{"wSs://example.com", true, 443, true},
          row{"ws://example.com:80/", false, 80, true},
          row{"ws://example.com:443/", false, 443, false},
          row{"wss://example.com:80/", true, 80, false},
          row{"wss://example.com:443", true, 443, true}, row{"ws://example.com:/", false, 80, true},
          row{"wss://example.com:", true, 443, true}, row{"ws://example.com:1", false, 1, false},
          row{"ws://example.com:65535", false, 65535, false},
          row{"ws://example.com:08080", false, 8080, false}}) {
        CAPTURE(r.text);
        const auto target = parse_uri(r.text);
        REQUIRE(target);
        CHECK(target->secure == r.secure);
        CHECK(target->port == r.port);
        CHECK(target->has_default_port() == r.is_default);
        CHECK(target->host == "example.com");
    }
}

TEST_CASE("other schemes are refused", "[uri][6455:3][C1][client]") {
    for (const char* text :
         {"http://example.com/", "https://example.com/", "ftp://example.com", "w://h", "wsss://h",
          "ws+unix://h", "file:///x", "javascript:alert(1)"})
        CHECK(refusal(text) == errc::unsupported_scheme);
    for (const char* text : {"", "/", "example.com", "//example.com/", "://h", "1ws://h", " ws://h",
                             "w s://h", "w\xc3://h", "ws"})
        CHECK(refusal(text) == errc::invalid_uri);
}

TEST_CASE("a fragment is refused and %23 is not one", "[uri][6455:3][C2][client]") {
    for (const char* text : {"ws://h/#", "ws://h/a#b", "ws://h#b", "ws://h/?q#b", "ws://h/a?b#c?d"})
        CHECK(refusal(text) == errc::uri_has_fragment);
    const auto target = parse_uri("ws://h/a%23b?c%23d");
    REQUIRE(target);
    CHECK(target->path == "/a%23b");
    CHECK(target->query == "c%23d");
}

TEST_CASE("the resource name is the path, or a slash, and the query", "[uri][6455:3][C3][client]") {
    struct row {
        const char *text, *path, *query;
    };
    for (const row& r :
         {row{"ws://h", "/", ""}, row{"ws://h/", "/", ""}, row{"ws://h?a=1", "/", "a=1"},
          row{"ws://h/?", "/", ""}, row{"ws://h/a/b;c=1,2", "/a/b;c=1,2", ""},
          row{"ws://h/a?b?c/d", "/a", "b?c/d"}, row{"ws://h//a//", "//a//", ""},
          row{"ws://h/%7e/.././x", "/%7e/.././x", ""},
          row{"ws://h/~a-b_c.d!$&'()*+,;=:@", "/~a-b_c.d!$&'()*+,;=:@", ""}}) {
        CAPTURE(r.text);
        const auto target = parse_uri(r.text);
        REQUIRE(target);
        CHECK(target->path == r.path);
        CHECK(target->query == r.query);
    }
}

TEST_CASE("hosts are names and addresses", "[uri][3986:3.2.2][C4][client]") {
    struct row {
        const char *text, *host;
        bool ipv6;
    };
    for (const row& r : {row{"ws://example.com", "example.com", false},
                         row{"ws://EXAMPLE.com:9", "EXAMPLE.com", false},
                         row{"ws://127.0.0.1:9001/", "127.0.0.1", false},
                         row{"ws://xn--bcher-kva.example", "xn--bcher-kva.example", false},
                         row{"ws://a_b", "a_b", false}, row{"ws://a%20b", "a%20b", false},
                         row{"ws://[::1]", "::1", true}, row{"ws://[::]:9001/", "::", true},
                         row{"ws://[2001:db8::1:0]/", "2001:db8::1:0", true},
                         row{"ws://[1:2:3:4:5:6:7:8]", "1:2:3:4:5:6:7:8", true},
                         row{"ws://[1:2:3:4:5:6:7::]", "1:2:3:4:5:6:7::", true},
                         row{"ws://[::ffff:192.0.2.1]:1", "::ffff:192.0.2.1", true},
                         row{"ws://[1:2:3:4:5:6:192.0.2.255]", "1:2:3:4:5:6:192.0.2.255", true}}) {
        CAPTURE(r.text);
        const auto target = parse_uri(r.text);
        REQUIRE(target);
        CHECK(target->host == r.host);
        CHECK(target->ipv6 == r.ipv6);
    }
}

TEST_CASE("an invalid host is refused", "[uri][3986:3.2.2][C4][client]") {
    for (const char* text : {"ws:",
                             "ws:/",
                             "ws:/h",
                             "ws:h",
                             "ws://",
                             "ws:///",
                             "ws://:80/",
                             "ws://?q",
                             "ws://a b/",
                             "ws://a\\b",
                             "ws://a\"b",
                             "ws://a<b",
                             "ws://a|b",
                             "ws://a^b",
                             "ws://b\xc3\xbc"
                             "cher.example/",
                             "ws://h\x7f",
                             "ws://h%",
                             "ws://h%2",
                             "ws://h%zz",
                             "ws://[",
                             "ws://[]",
                             "ws://[::1",
                             "ws://::1]",
                             "ws://[::1]x",
                             "ws://[:1]",
                             "ws://[1]",
                             "ws://[1:2:3:4:5:6:7]",
                             "ws://[1:2:3:4:5:6:7:8:9]",
                             "ws://[1:2:3:4:5:6:7:8::]",
                             "ws://[::1::2]",
                             "ws://[:::]",
                             "ws://[1:]",
                             "ws://[1::2:]",
                             "ws://[12345::]",
                             "ws://[g::]",
                             "ws://[::1.2.3]",
                             "ws://[::1.2.3.4.5]",
                             "ws://[::256.1.1.1]",
                             "ws://[::01.1.1.1]",
                             "ws://[::1.2.3.4:5]",
                             "ws://[::1.2.3.]",
                             "ws://[fe80::1%25eth0]",
                             "ws://[v1.x]",
                             "ws://a[b]"}) {
        CAPTURE(text);
        CHECK(refusal(text) == errc::invalid_host);
    }
}

TEST_CASE("an invalid port is refused", "[uri][3986:3.2.3][C4][client]") {
    for (const char* text :
         {"ws://h:0", "ws://h:00/", "ws://h:65536", "ws://h:4294967376/",
          "ws://h:99999999999999999999", "ws://h:-1", "ws://h:+1", "ws://h:8x", "ws://h: 80",
          "ws://h:80:80", "ws://[::1]:x", "ws://1:2:3:4:5:6:7:8/"}) {
        CAPTURE(text);
        CHECK(refusal(text) == errc::invalid_port);
    }
}

TEST_CASE("user names and passwords are refused", "[uri][6455:3][C4][client]") {
    for (const char* text : {"ws://me@h/", "ws://me:secret@h/", "ws://@h/",
                             "ws://good.example@evil.example:80/", "ws://h:80@[::1]/"})
        CHECK(refusal(text) == errc::uri_has_userinfo);
    CHECK(refusal("ws://h/me@home?a@b") == errc{});
}

TEST_CASE("what may stand in a path or query is what RFC 3986 allows",
          "[uri][3986:3.3][C4][C20][S57][client]") {
    const std::string in_path =
        "!$%&'()*+,-./0123456789:;=@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";
    for (const std::string_view before : {"ws://h/", "ws://h/mid", "ws://h/?", "ws://h/?mid"}) {
        for (const std::string_view after : {"", "dle"}) {
            for (unsigned c = 0; c < 256; ++c) {
                const char character   = static_cast<char>(c);
                const std::string text = std::string(before) + character + std::string(after);
                CAPTURE(text, c);
                if (character == '#') CHECK(refusal(text) == errc::uri_has_fragment);
                else if (character == '%') CHECK(refusal(text) == errc::invalid_path);
                else if (character == '?' || in_path.find(character) != std::string::npos)
                    CHECK(refusal(text) == errc{});
                else CHECK(refusal(text) == errc::invalid_path);
            }
        }
    }
    for (const char* text :
         {"ws://h/%", "ws://h/%4", "ws://h/%4g", "ws://h/%%41", "ws://h/?%", "ws://h/?a%2"})
        CHECK(refusal(text) == errc::invalid_path);
}

TEST_CASE("no prefix of a URI is read past its end", "[uri][S13]") {
    for (const std::string_view whole :
         {"wss://user@[2001:db8::192.0.2.1]:65535/%41?%42#%43", "ws://example.com:9001/a%20b?c"}) {
        for (std::size_t size = 0; size <= whole.size(); ++size) {
            const std::vector<char> exact(
                whole.begin(),
                whole.begin() + static_cast<std::ptrdiff_t>(size)); // so that ASan sees its end
            const std::string_view text(exact.data(), exact.size());
            const auto target = parse_uri(text);
            const auto host   = parse_authority(text);
            if (target) CHECK(check_uri(*target) == errc{});
            if (host) CHECK_FALSE(host->host.empty());
            CHECK((split_uri(text).has_value() || size <= 3));
        }
    }
}

TEST_CASE("a uri put together by hand is checked the same", "[uri][S57]") {
    CHECK(check_uri({.host = "h"}) == errc{});
    CHECK(check_uri({}) == errc::invalid_host);
    CHECK(check_uri({.host = "h\r\nX: y"}) == errc::invalid_host);
    CHECK(check_uri({.host = "::1"}) == errc::invalid_host);
    CHECK(check_uri({.host = "::1", .ipv6 = true}) == errc{});
    CHECK(check_uri({.host = "h", .port = 0}) == errc::invalid_port);
    CHECK(check_uri({.host = "h", .path = ""}) == errc::invalid_path);
    CHECK(check_uri({.host = "h", .path = "a"}) == errc::invalid_path);
    CHECK(check_uri({.host = "h", .path = "/ HTTP/1.1\r\n"}) == errc::invalid_path);
    CHECK(check_uri({.host = "h", .query = "a b"}) == errc::invalid_path);
}

TEST_CASE("a URI of any scheme is taken apart", "[uri][3986:3]") {
    const auto parts = split_uri("foo+bar.1-x://u@h:8/p//q?a?b#c#d");
    REQUIRE(parts);
    CHECK(parts->scheme == "foo+bar.1-x");
    CHECK(parts->authority == "u@h:8");
    CHECK(parts->path == "/p//q");
    CHECK(parts->query == "a?b");
    CHECK(parts->fragment == "c#d");
    const auto mail = split_uri("mailto:a@b");
    REQUIRE(mail);
    CHECK_FALSE(mail->has_authority);
    CHECK(mail->path == "a@b");
    CHECK_FALSE(mail->has_query);
    CHECK_FALSE(mail->has_fragment);
}

TEST_CASE("an authority is a host and maybe a port", "[uri][3986:3.2]") {
    const auto plain = parse_authority("example.com");
    REQUIRE(plain);
    CHECK(plain->port == 0);
    CHECK(plain->port_or(80) == 80);
    const auto full = parse_authority("[::1]:8080");
    REQUIRE(full);
    CHECK(full->host == "::1");
    CHECK(full->ipv6);
    CHECK(full->port_or(80) == 8080);
    CHECK(parse_authority("").error() == errc::invalid_host);
    CHECK(parse_authority("a,b c").error() == errc::invalid_host);
    CHECK(parse_authority("a/b").error() == errc::invalid_host);
    CHECK(parse_authority("u@h").error() == errc::uri_has_userinfo);
}
