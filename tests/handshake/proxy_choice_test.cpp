#include <navette/handshake/proxy_choice.hpp>

#include "support/bytes.hpp"

#include <array>
#include <string>
#include <vector>

using namespace navette;

namespace {

std::string choice(std::string_view target, const proxy_environment& environment) {
    const auto parsed = parse_uri(target);
    REQUIRE(parsed);
    return std::string(proxy_for(*parsed, environment));
}

bool exempt(std::string_view target, std::string_view no_proxy) {
    const auto parsed = parse_authority(target);
    REQUIRE(parsed);
    authority with_port = *parsed;
    with_port.port      = parsed->port_or(443);
    return bypasses_proxy(with_port, no_proxy);
}

// "kind host port user password", or the error's name.
std::string parsed(std::string_view text) {
    const auto proxy = parse_proxy(text);
    if (!proxy) return std::string(facts(proxy.error()).name);
    constexpr const char* kinds[] = {"http", "https", "socks5"};
    std::string all               = kinds[static_cast<std::size_t>(proxy->kind)];
    all += " " + std::string(proxy->address.host) + (proxy->address.ipv6 ? "!" : "") + " " +
           std::to_string(proxy->address.port);
    buffer storage;
    const auto login = proxy_login(*proxy, storage);
    if (!login) return all + " " + facts(login.error()).name;
    if (!login->empty()) all += " " + std::string(login->user) + " " + std::string(login->password);
    return all;
}

} // namespace

TEST_CASE("the most special variable counts, and for ws the proxy for https before the one for http",
          "[proxy_choice][6455:4.1][client]") {
    proxy_environment all{
        .http_proxy = "http", .https_proxy = "https", .all_proxy = "all", .ws_proxy = "ws", .wss_proxy = "wss"};
    CHECK(choice("wss://a", all) == "wss");
    CHECK(choice("ws://a", all) == "ws");
    all.ws_proxy = all.wss_proxy = {};
    CHECK(choice("wss://a", all) == "https");
    CHECK(choice("ws://a", all) == "https");
    all.https_proxy = {};
    CHECK(choice("wss://a", all) == "all");
    CHECK(choice("ws://a", all) == "http");
    all.http_proxy = {};
    CHECK(choice("ws://a", all) == "all");
    all.all_proxy = {};
    CHECK(choice("wss://a", all).empty());
    CHECK(choice("ws://a", all).empty());

    CHECK(choice("wss://a", {.ws_proxy = "ws"}).empty());
    CHECK(choice("ws://a", {.wss_proxy = "wss"}).empty());
    CHECK(choice("wss://a", {.http_proxy = "http"}).empty());
    CHECK(choice("ws://a", {.https_proxy = " ", .all_proxy = " all "}) == "all");
}

TEST_CASE("no_proxy goes before every variable", "[proxy_choice][client]") {
    const proxy_environment all{.http_proxy  = "http",
                                .https_proxy = "https",
                                .all_proxy   = "all",
                                .ws_proxy    = "ws",
                                .wss_proxy   = "wss",
                                .no_proxy    = "a:80, b"};
    CHECK(choice("ws://a", all).empty());
    CHECK(choice("wss://a:80", all).empty());
    CHECK(choice("wss://a", all) == "wss");
    CHECK(choice("wss://b", all).empty());
    CHECK(choice("ws://c", all) == "ws");
}

TEST_CASE("no_proxy names hosts and all that is below them", "[proxy_choice][client]") {
    for (const char* list : {"example.com", ".example.com", "*.example.com", "EXAMPLE.com", "example.com.",
                             "a,example.com", " a , example.com ", "a b\texample.com", ",,example.com", "example.com,",
                             "example.com:443", "example.com:"}) {
        CAPTURE(list);
        CHECK(exempt("example.com", list));
        CHECK(exempt("Example.COM", list));
        CHECK(exempt("example.com.", list));
        CHECK(exempt("x.example.com", list));
        CHECK(exempt("y.x.example.com", list));
        CHECK_FALSE(exempt("notexample.com", list));
        CHECK_FALSE(exempt("example.com.evil", list));
        CHECK_FALSE(exempt("example.org", list));
        CHECK_FALSE(exempt("com", list));
        CHECK_FALSE(exempt("[::1]", list));
    }
    CHECK(exempt("localhost", "localhost"));
    CHECK_FALSE(exempt("localhost", ""));
    CHECK_FALSE(exempt("127.0.0.1", ""));
    CHECK_FALSE(exempt("127.0.0.1", "localhost"));
}

TEST_CASE("an asterisk in no_proxy is everything, but only alone", "[proxy_choice][client]") {
    for (const char* host : {"a", "a.b", "127.0.0.1", "[::1]", "a:1"}) {
        CHECK(exempt(host, "*"));
        CHECK(exempt(host, "x, *"));
        CHECK_FALSE(exempt(host, "**"));
        CHECK_FALSE(exempt(host, "*."));
        CHECK_FALSE(exempt(host, "*x"));
    }
}

TEST_CASE("a port in no_proxy is the only one that it exempts", "[proxy_choice][client]") {
    CHECK(exempt("a:8080", "a:8080"));
    CHECK(exempt("x.a:8080", ".a:8080"));
    CHECK_FALSE(exempt("a:8081", "a:8080"));
    CHECK_FALSE(exempt("a", "a:8080"));
    CHECK(exempt("1.2.3.4:5", "1.2.3.4:5"));
    CHECK_FALSE(exempt("1.2.3.4:6", "1.2.3.4:5"));
    CHECK(exempt("[::1]:5", "[::1]:5"));
    CHECK_FALSE(exempt("[::1]:6", "[::1]:5"));
    for (const char* bad :
         {"a:0", "a:65536", "a:x", "a:-1", "a:80:80", ":80", "[::1]x", "[::1", "[::1]:", "[a]", "[1.2.3.4]"})
        CHECK_FALSE(exempt("a", bad));
    CHECK_FALSE(exempt("[::1]", "[::1"));
    CHECK_FALSE(exempt("[::1]", "[::1]:x"));
    CHECK_FALSE(exempt("1.2.3.4", "[1.2.3.4]"));
}

TEST_CASE("addresses in no_proxy are compared as addresses", "[proxy_choice][4291:2.2][client]") {
    for (const char* list : {"::1", "[::1]", "0:0:0:0:0:0:0:1", "::0001", "::0.0.0.1", "x ::1"})
        CHECK(exempt("[::1]", list));
    CHECK(exempt("[0:0::1]", "::1"));
    CHECK(exempt("127.0.0.1", "127.0.0.1"));
    CHECK(exempt("[::ffff:127.0.0.1]", "127.0.0.1"));
    CHECK(exempt("127.0.0.1", "::ffff:7f00:1"));
    CHECK_FALSE(exempt("[::1]", "::2"));
    CHECK_FALSE(exempt("127.0.0.1", "127.0.0.2"));
    CHECK_FALSE(exempt("127.0.0.1", "0.0.1")); // no name ends there
    CHECK_FALSE(exempt("127.0.0.1", ".0.0.1"));
    CHECK_FALSE(exempt("x.127.0.0.1", "127.0.0.1"));
}

TEST_CASE("networks in no_proxy exempt their addresses, to the bit", "[proxy_choice][4632:3.1][client]") {
    CHECK(exempt("10.255.0.1", "10.0.0.0/8"));
    CHECK_FALSE(exempt("11.0.0.1", "10.0.0.0/8"));
    CHECK(exempt("192.168.1.127", "192.168.1.0/25"));
    CHECK_FALSE(exempt("192.168.1.128", "192.168.1.0/25"));
    CHECK(exempt("192.168.1.130", "192.168.1.129/30")); // bits behind the prefix do not count
    CHECK(exempt("1.2.3.4", "1.2.3.4/32"));
    CHECK_FALSE(exempt("1.2.3.5", "1.2.3.4/32"));
    CHECK(exempt("1.2.3.5", "1.2.3.4/31"));
    CHECK(exempt("9.9.9.9", "0.0.0.0/0"));
    CHECK_FALSE(exempt("[::9]", "0.0.0.0/0"));
    CHECK(exempt("[fd12::1]", "fd00::/8"));
    CHECK_FALSE(exempt("[fe80::1]", "fd00::/8"));
    CHECK(exempt("[2001:db8::ffff]", "2001:db8::/112"));
    CHECK_FALSE(exempt("[2001:db8::1:0]", "2001:db8::/112"));
    CHECK(exempt("[::1]", "::1/128"));
    CHECK_FALSE(exempt("1.2.3.4", "::/0"));
    CHECK(exempt("[::ffff:10.1.2.3]", "10.0.0.0/8"));
    for (const char* bad : {"10.0.0.0/", "10.0.0.1/33", "10.0.0.0/x", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/0008",
                            "10/8", "/8", "a/8", "10.0.0.0/8:80", "::/129", "[fd00::]/8"}) {
        CAPTURE(bad);
        CHECK_FALSE(exempt("10.0.0.1", bad));
        CHECK_FALSE(exempt("[fd00::1]", bad));
        CHECK_FALSE(exempt("a", bad));
    }
}

TEST_CASE("a long no_proxy is read once", "[proxy_choice][S28][client]") {
    std::string list;
    for (int i = 0; i < 50'000; ++i) list += i % 2 == 0 ? "a.example.org," : " [::2]:80\t1.2.3.0/24 ";
    CHECK_FALSE(exempt("example.com", list));
    CHECK(exempt("example.com", list + "example.com"));
    CHECK_FALSE(exempt("a", std::string(100'000, ',')));
    CHECK_FALSE(exempt("a", std::string(100'000, ':')));
}

TEST_CASE("a proxy's URI has a kind, a host and a port", "[proxy_choice][3986:3][client]") {
    CHECK(parsed("http://proxy") == "http proxy 80");
    CHECK(parsed("https://proxy/") == "https proxy 443");
    CHECK(parsed("socks5://proxy") == "socks5 proxy 1080");
    CHECK(parsed("SOCKS5H://proxy:9050") == "socks5 proxy 9050");
    CHECK(parsed("proxy") == "http proxy 80");
    CHECK(parsed("proxy:3128") == "http proxy 3128");
    CHECK(parsed(" proxy.example.com:3128/ ") == "http proxy.example.com 3128");
    CHECK(parsed("http://[::1]:3128") == "http ::1! 3128");
    CHECK(parsed("[::1]") == "http ::1! 80");
    CHECK(parsed("http://proxy:") == "http proxy 80");
}

TEST_CASE("a proxy's credentials are decoded", "[proxy_choice][3986:2.1][client]") {
    CHECK(parsed("http://user:pass@proxy:1") == "http proxy 1 user pass");
    CHECK(parsed("user:pass@proxy") == "http proxy 80 user pass");
    CHECK(parsed("http://u%40x:p%3Aq%2f%25:r@proxy") == "http proxy 80 u@x p:q/%:r");
    CHECK(parsed("http://J%c3%a4s:x@proxy") == "http proxy 80 J\xc3\xa4s x");
    CHECK(parsed("http://user@proxy") == "http proxy 80 user ");
    CHECK(parsed("http://:pass@proxy") == "http proxy 80  pass");
    CHECK(parsed("http://@proxy") == "http proxy 80");
    CHECK(parsed("http://:@proxy") == "http proxy 80");
    CHECK(parsed("http://a%00b:x@proxy") == "http proxy 80 invalid_credentials");
    CHECK(parsed("http://a:x%0d%0aB:%20c@proxy") == "http proxy 80 invalid_credentials");
    CHECK(parsed("http://a:%ff@proxy") == "http proxy 80 invalid_credentials");

    buffer storage;
    CHECK(proxy_login({.user = "a%4"}, storage).error() == errc::invalid_proxy);
    CHECK(proxy_login({.password = "a%"}, storage).error() == errc::invalid_proxy);
    std::array<std::byte, 3> few;
    buffer fixed{byte_span(few)};
    CHECK(proxy_login({.user = "ab", .password = "c"}, fixed));
    CHECK(proxy_login({.user = "ab", .password = "cd"}, fixed).error() == errc::out_of_memory);
}

TEST_CASE("what is no URI of a proxy is refused", "[proxy_choice][C20][S57][client]") {
    for (const char* scheme :
         {"socks4://a", "socks4a://a", "socks://a", "ws://a", "ftp://a", "httpss://a", "direct://"})
        CHECK(parsed(scheme) == "unsupported_proxy");
    for (const char* bad : {"",
                            " ",
                            "/",
                            "http://",
                            "http:///",
                            "://a",
                            "1http://a",
                            "a b",
                            "http://a b",
                            "http://a/b",
                            "http://a?b",
                            "http://a/?b",
                            "http://a#b",
                            "http://a:0",
                            "http://a:65536",
                            "http://a:x",
                            "http://[::1",
                            "http://[a]",
                            "http://::1",
                            "http://a@b@c",
                            "http://a:b:c",
                            "http://u:p/q@h",
                            "http://u/v:p@h",
                            "http://u\xc3\xa4@h",
                            "http://u:\"@h",
                            "http://u%4@h",
                            "http://u%zz@h",
                            "http://u:%@h",
                            "http://a//",
                            "http://u:p^@h",
                            "http:a",
                            "a\r\nb",
                            "http://a,http://b"}) {
        CAPTURE(bad);
        const std::string result = parsed(bad);
        CHECK((result == "invalid_proxy" || std::string_view(bad) == "http://a,http://b"));
    }
}

TEST_CASE("a chain of proxies is read in order", "[proxy_choice][client]") {
    const auto read = [](std::string_view text) {
        std::vector<std::string> hosts;
        proxy_chain chain(text);
        for (proxy_uri proxy; chain.next(proxy);) hosts.push_back(std::string(proxy.address.host));
        if (chain.error() != errc{}) hosts.push_back(facts(chain.error()).name);
        proxy_uri proxy;
        CHECK_FALSE(chain.next(proxy));
        return hosts;
    };
    using texts = std::vector<std::string>;
    CHECK(read("") == texts{});
    CHECK(read("a") == texts{"a"});
    CHECK(read("socks5://a, http://u:p%2cq@b:1 ,https://c/") == texts{"a", "b", "c"});
    CHECK(read("a,") == texts{"a", "invalid_proxy"});
    CHECK(read(",a") == texts{"invalid_proxy"});
    CHECK(read("a,,b") == texts{"a", "invalid_proxy"});
    CHECK(read("a,socks4://b,c") == texts{"a", "unsupported_proxy"});
}
