#include <navette/handshake/proxy.hpp>

#include "support/bytes.hpp"
#include "support/handshake.hpp"
#include "support/proxy.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <string>
#include <vector>

using namespace navette;

namespace {

using status = proxy_status;

constexpr authority server{.host = "server.example.com", .port = 443};

bool digits_of_hex(void*, byte_span out) noexcept {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::byte>((i % 10) * 0x11);
    return true;
}
constexpr entropy steady{&digits_of_hex, nullptr};

const http_connect_options nobody;
const http_connect_options aladdin{.login = {"Aladdin", "open sesame"}};

const std::string plain_request = "CONNECT server.example.com:443 HTTP/1.1\r\nHost: server.example.com:443\r\n\r\n";
const std::string basic_request = adding(plain_request, "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n");

// What squid says: no field at all.
const std::string established = "HTTP/1.1 200 Connection established\r\n\r\n";

const std::string basic_field = "Proxy-Authenticate: Basic realm=\"squid\"\r\n";
const std::string digest_field =
    "Proxy-Authenticate: Digest realm=\"squid\", nonce=\"N1\", qop=\"auth\", stale=false\r\n";
const std::string stale_field =
    "Proxy-Authenticate: Digest realm=\"squid\", nonce=\"N2\", qop=\"auth\", stale=true\r\n";

std::string demand(const std::string& fields, const std::string& body = "Content-Length: 5\r\n\r\nno!!\n") {
    return "HTTP/1.1 407 Proxy Authentication Required\r\nServer: squid/5.7\r\n" + fields + body;
}

// A client in front of a proxy that answers each request with the next of its answers, `piece` bytes at a time, and
// then ends the connection if the answer is the last one on it.
struct played {
    buffer head, out;
    http_connect machine;
    status last = status::need_more;
    std::vector<std::string> requests; // a "|" in front: on a new connection
    std::string left;

    explicit played(const std::vector<std::string>& answers, const http_connect_options& options = nobody,
                    std::size_t piece = 1 << 20, const limits& bounds = default_limits, bool ends = false)
        : machine(server, options, head, steady, bounds) {
        REQUIRE(machine.request(out) == errc{});
        take("|");
        for (const std::string& answer : answers) {
            input all(answer);
            last = status::need_more;
            while (last == status::need_more && !all.left.empty()) {
                byte_span in          = all.left.first(std::min(piece, all.left.size()));
                const std::size_t had = in.size();
                last                  = machine.receive(in, out);
                all.left              = all.left.subspan(had - in.size());
            }
            left = all.rest();
            if (last == status::need_more && ends) last = machine.receive_eof();
            CHECK(machine.status() == last);
            if (last == status::authenticate_here) take("");
            if (last == status::reconnect_and_authenticate) {
                CHECK(out.empty());
                REQUIRE(machine.request(out) == errc{});
                take("|");
            }
            if (last == status::tunnel || last == status::refused) break;
        }
        CHECK(out.empty());
    }

    errc error() const { return machine.error(); }
    std::string body() const { return std::string(machine.response().body); }

private:
    void take(const char* mark) {
        requests.push_back(mark + to_string(out.data()));
        out.clear();
    }
};

errc refusal(const std::vector<std::string>& answers, const http_connect_options& options = nobody) {
    const played p(answers, options, 1 << 20, default_limits, true);
    CHECK((p.last == status::refused) == (p.error() != errc{}));
    return p.error();
}

using texts = std::vector<std::string>;

} // namespace

TEST_CASE("the request is CONNECT with the target in authority-form", "[proxy][9110:9.3.6][9112:3.2.3][C11][client]") {
    struct row {
        authority target;
        const char* text;
    };
    for (const row& r :
         {row{{.host = "h", .port = 80}, "h:80"}, row{{.host = "H.Example", .port = 443}, "H.Example:443"},
          row{{.host = "::1", .ipv6 = true, .port = 9001}, "[::1]:9001"},
          row{{.host = "127.0.0.1", .port = 1}, "127.0.0.1:1"}, row{{.host = "h", .port = 65535}, "h:65535"},
          row{{.host = "h", .port = 10000}, "h:10000"},
          row{tunnel_target(*parse_uri("wss://[2001:db8::1]/x")), "[2001:db8::1]:443"},
          row{tunnel_target(*parse_uri("ws://a")), "a:80"}}) {
        buffer head, out;
        http_connect machine(r.target, nobody, head);
        CHECK(machine.request(out) == errc{});
        CHECK(to_string(out.data()) == "CONNECT " + std::string(r.text) + " HTTP/1.1\r\nHost: " + r.text + "\r\n\r\n");
    }
}

TEST_CASE("fields of the user's are added to the request, but none of its own", "[proxy][C20][C21][S57][client]") {
    const http_field agent[] = {{"User-Agent", "navette"}};
    const http_connect_options with_agent{.fields = agent};
    CHECK(played({}, with_agent).requests == texts{"|" + adding(plain_request, "User-Agent: navette\r\n")});

    const auto try_field = [](const http_field& field) {
        const http_connect_options options{.fields = {&field, 1}};
        buffer head, out;
        http_connect machine(server, options, head);
        const errc e = machine.request(out);
        CHECK(out.empty() == (e != errc{}));
        return e;
    };
    for (const char* own : {"host", "Proxy-Authorization", "Proxy-Connection", "Connection", "Content-Length",
                            "Transfer-Encoding", "Expect", "Upgrade"})
        CHECK(try_field({own, "x"}) == errc::reserved_field);
    CHECK(try_field({"A", "b\r\nC: d"}) == errc::invalid_field);
    CHECK(try_field({"A B", "c"}) == errc::invalid_field);
}

TEST_CASE("no byte of a target breaks the request", "[proxy][C4][C20][S57][client]") {
    for (unsigned c = 0; c < 256; ++c)
        for (const char* around : {"?", "?b", "a?b", "a?"}) {
            std::string host     = around;
            host[host.find('?')] = static_cast<char>(c);
            buffer head, out;
            http_connect machine({.host = host, .port = 1}, nobody, head);
            const errc e = machine.request(out);
            CAPTURE(c);
            CHECK((e == errc{} || e == errc::invalid_host));
            CHECK(out.empty() == (e != errc{}));
            if (c <= ' ' || c >= 0x7f || c == ':' || c == '/' || c == '@') CHECK(e == errc::invalid_host);
        }
    const auto refuse = [](const authority& target) {
        buffer head, out;
        http_connect machine(target, nobody, head);
        return machine.request(out);
    };
    const std::string name(255, 'a');
    CHECK(refuse({.host = name, .port = 1}) == errc{});
    CHECK(refuse({.host = name + "a", .port = 1}) == errc::invalid_host);
    CHECK(refuse({.host = "", .port = 1}) == errc::invalid_host);
    CHECK(refuse({.host = "::g", .ipv6 = true, .port = 1}) == errc::invalid_host);
    CHECK(refuse({.host = "h"}) == errc::invalid_port);
}

TEST_CASE("a 2xx opens the tunnel, whatever it says of a body", "[proxy][9110:9.3.6][client]") {
    for (const std::string& answer :
         {established, std::string("HTTP/1.0 200 Connection established\r\nProxy-agent: tinyproxy/1.11.1\r\n\r\n"),
          std::string("HTTP/1.1 200\r\n\r\n"), std::string("HTTP/1.1 204 x\r\n\r\n"),
          std::string("HTTP/1.1 299 x\r\nContent-Length: 100\r\nTransfer-Encoding: chunked\r\n\r\n"),
          std::string("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"),
          "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\nA: b\r\n\r\n" + established})
        for (const std::size_t piece : {1u, 2u, 7u, 4096u}) {
            const played p({answer}, nobody, piece);
            CAPTURE(answer, piece);
            CHECK(p.last == status::tunnel);
            CHECK(p.error() == errc{});
            CHECK(p.machine.response().status / 100 == 2);
            CHECK(p.requests == texts{"|" + plain_request});
        }
}

TEST_CASE("every split of an answer opens the same tunnel", "[proxy][C81][client]") {
    const std::string answer = "HTTP/1.1 100 x\r\n\r\nHTTP/1.1 200 OK\r\nVia: 1.1 p\r\n\r\n";
    for (std::size_t cut = 0; cut <= answer.size(); ++cut) {
        buffer head, out;
        http_connect machine(server, nobody, head);
        REQUIRE(machine.request(out) == errc{});
        input first(answer.substr(0, cut)), second(answer.substr(cut));
        const status early = machine.receive(first.left, out);
        CHECK(early == (cut == answer.size() ? status::tunnel : status::need_more));
        if (early == status::need_more) CHECK(machine.receive(second.left, out) == status::tunnel);
        input more("x");
        CHECK(machine.receive(more.left, out) == status::tunnel); // it absorbs
        CHECK(machine.receive_eof() == status::tunnel);
    }
}

TEST_CASE("bytes behind the 2xx, before anything went through the tunnel, are an error",
          "[proxy][9110:9.3.6][S55][client]") {
    CHECK(refusal({established + "x"}) == errc::early_tunnel_data);
    CHECK(refusal({"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"}) == errc::early_tunnel_data);
    const played p({established + "HTTP/1.1 101 x\r\n\r\n"});
    CHECK(p.last == status::refused);
    CHECK(p.left.empty());
}

TEST_CASE("every truncation of an answer is told from a refusal", "[proxy][C67][C161][S30][client]") {
    const std::string refused   = "HTTP/1.1 503 x\r\nContent-Length: 3\r\n\r\nabc";
    const std::size_t head_size = refused.size() - 3;
    for (std::size_t size = 0; size <= refused.size(); ++size) {
        CAPTURE(size);
        const played p({refused.substr(0, size)}, nobody, 1 << 20, default_limits, true);
        CHECK(p.last == status::refused);
        CHECK(p.error() == (size < head_size ? errc::proxy_truncated : errc::proxy_refused));
        CHECK(p.body() == (size < head_size ? "" : refused.substr(head_size, size - head_size)));
    }
    for (std::size_t size = 0; size < established.size(); ++size)
        CHECK(refusal({established.substr(0, size)}) == errc::proxy_truncated);
}

TEST_CASE("a refusal is shown, its body decoded and bounded", "[proxy][C39][S25][client]") {
    for (const std::size_t piece : {1u, 3u, 4096u}) {
        const played p({"HTTP/1.1 403 Forbidden\r\nServer: squid\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nno "
                        "\r\n3\r\nway\r\n0\r\n\r\n"},
                       aladdin, piece);
        CHECK(p.last == status::refused);
        CHECK(p.error() == errc::proxy_refused);
        CHECK(p.machine.response().status == 403);
        CHECK(p.machine.response().reason == "Forbidden");
        CHECK(p.machine.response().fields.find("server") == "squid");
        CHECK(p.body() == "no way");
    }
    for (const std::size_t size : {7u, 8u, 9u}) {
        limits bounds;
        bounds.max_error_body = 8;
        const played p(
            {"HTTP/1.1 502 x\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" + std::string(size, 'x')}, nobody,
            3, bounds);
        CHECK(p.last == status::refused);
        CHECK(p.body() == std::string(std::min<std::size_t>(size, 8), 'x'));
    }
    CHECK(played({"HTTP/1.1 504 x\r\n\r\nuntil the end"}, nobody, 5, default_limits, true).body() == "until the end");
    CHECK(refusal({"HTTP/1.1 502 x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"}) == errc::proxy_refused);
    for (const char* code : {"101", "300", "302", "304", "400", "405", "500", "999"})
        CHECK(refusal({"HTTP/1.1 " + std::string(code) + " x\r\n\r\n"}) == errc::proxy_refused);
}

TEST_CASE("an answer that is no HTTP, or too much of it, is refused", "[proxy][C30][C22][C26][S25][S56][client]") {
    CHECK(refusal({"SSH-2.0-OpenSSH_9.2\r\n"}) == errc::bad_start_line);
    CHECK(refusal({"\x15\x03\x01\r\n"}) == errc::bad_start_line);
    CHECK(refusal({"HTTP/2.0 200 OK\r\n\r\n"}) == errc::bad_start_line);
    CHECK(refusal({"HTTP/1.1 200 OK\nA: b\n\n"}) == errc::bad_line_end);
    CHECK(refusal({"HTTP/1.1 200 OK\r\nA : b\r\n\r\n"}) == errc::bad_field_name);
    CHECK(refusal({"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"}) == errc::folded_line);
    CHECK(refusal({"HTTP/1.1 200 OK\r\nA: b\x01\r\n\r\n"}) == errc::bad_field_value);

    limits bounds;
    bounds.max_handshake_fields = 2;
    CHECK(played({"HTTP/1.1 200 OK\r\nA: b\r\nA: b\r\n\r\n"}, nobody, 9, bounds).last == status::tunnel);
    CHECK(played({"HTTP/1.1 200 OK\r\nA: b\r\nA: b\r\nA: b\r\n\r\n"}, nobody, 9, bounds).error() ==
          errc::too_many_fields);

    std::string interim;
    for (unsigned n = 0; n <= 9; ++n, interim += "HTTP/1.1 102 Processing\r\n\r\n")
        CHECK(refusal({interim + demand(basic_field), interim + established}, aladdin) ==
              (n <= 8 ? errc{} : errc::too_many_interim_responses));
}

TEST_CASE("credentials are sent when they are demanded, and not before", "[proxy][9110:11.7][7617:2][S62][client]") {
    for (const std::size_t piece : {1u, 2u, 5u, 4096u}) {
        const played p({demand(basic_field), established}, aladdin, piece);
        CHECK(p.last == status::tunnel);
        CHECK(p.requests == texts{"|" + plain_request, basic_request});
    }
    CHECK(played({established}, aladdin).requests == texts{"|" + plain_request});
    CHECK(refusal({demand(basic_field)}) == errc::credentials_missing);
    const played p({demand(basic_field)});
    CHECK(p.machine.response().status == 407);
    CHECK(p.body() == "no!!\n");
}

TEST_CASE("a Digest challenge is answered with a proof", "[proxy][7616:3.4][client]") {
    const played p({demand(basic_field + digest_field), established}, aladdin);
    CHECK(p.last == status::tunnel);
    REQUIRE(p.requests.size() == 2);
    // The response is what Python's hashlib makes of it.
    CHECK(p.requests[1] == adding(plain_request,
                                  "Proxy-Authorization: Digest username=\"Aladdin\", realm=\"squid\", "
                                  "uri=\"server.example.com:443\", nonce=\"N1\", "
                                  "nc=00000001, cnonce=\"00112233445566778899001122334455\", qop=auth, "
                                  "response=\"76674f8252adb4810406bc1113209697\"\r\n"));
}

TEST_CASE("each Digest proof has a nonce of its own, and none without entropy", "[proxy][7616:5.12][S43][client]") {
    std::set<std::string> proofs;
    for (int i = 0; i < 100; ++i) {
        buffer head, out;
        http_connect machine(server, aladdin, head);
        REQUIRE(machine.request(out) == errc{});
        out.clear();
        input in(demand(digest_field));
        REQUIRE(machine.receive(in.left, out) == status::authenticate_here);
        proofs.insert(to_string(out.data()));
    }
    CHECK(proofs.size() == 100);

    for (const std::string& answer : {demand(digest_field), demand(digest_field, "\r\n")}) {
        buffer head, out;
        http_connect machine(server, aladdin, head, {[](void*, byte_span) noexcept { return false; }, nullptr});
        REQUIRE(machine.request(out) == errc{});
        out.clear();
        input in(answer);
        const status s = machine.receive(in.left, out);
        if (s == status::refused) CHECK(machine.error() == errc::no_entropy);
        else CHECK(machine.request(out) == errc::no_entropy);
        CHECK(out.empty());
    }
}

TEST_CASE("a proxy that closes after its challenge is connected to again", "[proxy][9112:9.3][9112:6.3][client]") {
    const std::string length = "Content-Length: 5\r\n", body = "\r\nno!!\n", chunks = "\r\n5\r\nno!!\n\r\n0\r\n\r\n";
    struct row {
        std::string answer;
        status expected;
    };
    const std::string old = with(demand(basic_field, ""), "HTTP/1.1", "HTTP/1.0");
    for (const row& r :
         {row{demand(basic_field, length + body), status::authenticate_here},
          row{demand(basic_field, "Connection: keep-alive\r\n" + length + body), status::authenticate_here},
          row{demand(basic_field, "Transfer-Encoding: chunked\r\n" + chunks), status::authenticate_here},
          row{demand(basic_field, "Transfer-Encoding: chunked\r\n\r\n5\r\nno!!\n\r\n0\r\nTrailer: x\r\nB: c\r\n\r\n"),
              status::authenticate_here},
          row{demand(basic_field, "Content-Length: 0\r\n\r\n"), status::authenticate_here},
          row{old + "Connection: Keep-Alive\r\n" + length + body, status::authenticate_here},
          row{old + "Proxy-Connection: keep-alive\r\n" + length + body, status::authenticate_here},

          row{old + length + body, status::reconnect_and_authenticate},
          row{demand(basic_field, "Connection: close\r\n" + length + body), status::reconnect_and_authenticate},
          row{demand(basic_field, "Connection: x, Close\r\n" + length + body), status::reconnect_and_authenticate},
          row{demand(basic_field, "Proxy-Connection: close\r\nConnection: keep-alive\r\n" + length + body),
              status::reconnect_and_authenticate},
          row{demand(basic_field, body), status::reconnect_and_authenticate},
          row{demand(basic_field, "Transfer-Encoding: gzip\r\n" + body), status::reconnect_and_authenticate},
          row{demand(basic_field, "Content-Length: 5\r\nContent-Length: 6\r\n" + body),
              status::reconnect_and_authenticate},
          row{demand(basic_field, "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n" + body),
              status::reconnect_and_authenticate},
          row{demand(basic_field, length + body + "x"), status::reconnect_and_authenticate},
          row{demand(basic_field, "Transfer-Encoding: chunked\r\n\r\nx\r\n"), status::reconnect_and_authenticate},
          row{demand(basic_field, "Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\n\n"),
              status::reconnect_and_authenticate},
          row{demand(basic_field, "Transfer-Encoding: chunked\r\n\r\n0\r\n\n"), status::reconnect_and_authenticate},
          row{demand(basic_field, "Content-Length: 8193\r\n\r\n" + std::string(8193, 'x')),
              status::reconnect_and_authenticate}}) {
        CAPTURE(r.answer);
        const bool here = r.expected == status::authenticate_here;
        for (const std::size_t piece : {1u, 6u, 1u << 20}) {
            if (piece != 1u << 20 && r.answer.ends_with("!\nx")) continue; // the x would belong to the next answer
            CHECK(played({r.answer}, aladdin, piece).last == r.expected);
            const played p({r.answer, established}, aladdin, piece);
            CHECK(p.last == status::tunnel);
            CHECK(p.requests == texts{"|" + plain_request, (here ? "" : "|") + basic_request});
        }
    }
}

TEST_CASE("trailers are bounded as a head is", "[proxy][S25][client]") {
    const std::string head = demand(basic_field, "Transfer-Encoding: chunked\r\n\r\n0\r\n");
    limits bounds;
    bounds.max_handshake_size = head.size();
    for (const std::size_t size : {head.size() - 1, head.size(), head.size() + 1}) {
        const std::string trailers = "A: " + std::string(size - 7, 'x') + "\r\n\r\n";
        REQUIRE(trailers.size() == size);
        const played p({head + trailers}, aladdin, 1 << 20, bounds);
        CHECK(p.last == (size <= head.size() ? status::authenticate_here : status::reconnect_and_authenticate));
    }
}

TEST_CASE("a connection that ends within the body of a challenge is made again", "[proxy][C161][client]") {
    const std::string whole = demand(basic_field, "Transfer-Encoding: chunked\r\n\r\n5\r\nno!!\n\r\n0\r\nT: x\r\n\r\n");
    const std::size_t head  = whole.find("\r\n\r\n") + 4;
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const played p({whole.substr(0, size), established}, aladdin, 1 << 20, default_limits, true);
        CAPTURE(size);
        CHECK(p.last == (size < head ? status::refused : status::tunnel));
        if (size < head) CHECK(p.error() == errc::proxy_truncated);
        else CHECK(p.requests == texts{"|" + plain_request, "|" + basic_request});
    }
}

TEST_CASE("wrong credentials are not tried twice", "[proxy][9110:11.4][client]") {
    const played basic({demand(basic_field), demand(basic_field), established}, aladdin);
    CHECK(basic.error() == errc::credentials_refused);
    CHECK(basic.requests.size() == 2);
    CHECK(basic.body() == "no!!\n");
    const played digest({demand(digest_field), with(demand(digest_field), "N1", "N3"), established}, aladdin);
    CHECK(digest.error() == errc::credentials_refused);
    CHECK(digest.requests.size() == 2);
    CHECK(refusal({demand(digest_field), demand(basic_field)}, aladdin) == errc::credentials_refused);
    CHECK(refusal({demand(basic_field, "\r\n"), demand(basic_field, "\r\n")}, aladdin) == errc::credentials_refused);
}

TEST_CASE("tinyproxy says 401 to bad credentials, and means them", "[proxy][9110:15.5.2][client]") {
    const std::string unauthorized =
        "HTTP/1.0 401 Unauthorized\r\nServer: tinyproxy/1.11.1\r\nContent-Type: text/html\r\nConnection: "
        "close\r\n\r\n<h1>401</h1>";
    CHECK(refusal({with(demand(basic_field, "Connection: close\r\n\r\n"), "HTTP/1.1", "HTTP/1.0"), unauthorized},
                  aladdin) == errc::credentials_refused);
    CHECK(refusal({unauthorized}, aladdin) == errc::proxy_refused);
    CHECK(refusal({unauthorized}) == errc::proxy_refused);
}

TEST_CASE("a stale nonce is replaced once", "[proxy][7616:3.3][client]") {
    const played p({demand(digest_field), demand(stale_field), established}, aladdin);
    CHECK(p.last == status::tunnel);
    REQUIRE(p.requests.size() == 3);
    CHECK(p.requests[1].find("nonce=\"N1\", nc=00000001") != std::string::npos);
    CHECK(p.requests[2].find("nonce=\"N2\", nc=00000001") != std::string::npos);

    const played again({demand(digest_field), demand(stale_field), demand(stale_field), established}, aladdin);
    CHECK(again.error() == errc::credentials_refused);
    CHECK(again.requests.size() == 3);
    CHECK(played({demand(stale_field), demand(stale_field), established}, aladdin).last == status::tunnel);
    CHECK(played({demand(digest_field, "\r\n"), demand(stale_field, "\r\n"), established}, aladdin).last ==
          status::tunnel);
}

TEST_CASE("a challenge that cannot be answered says why", "[proxy][9110:11.7.1][client]") {
    CHECK(refusal({demand("")}, aladdin) == errc::bad_authentication);
    CHECK(refusal({demand("Proxy-Authenticate: Basic realm=\"x\r\n")}, aladdin) == errc::bad_authentication);
    CHECK(refusal({demand("Proxy-Authenticate: Digest realm=\"x\"\r\n")}, aladdin) == errc::bad_authentication);
    CHECK(refusal({demand("WWW-Authenticate: Basic realm=\"x\"\r\n")}, aladdin) == errc::bad_authentication);
    CHECK(refusal({demand("Proxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\n")}, aladdin) ==
          errc::unsupported_authentication);
    const http_connect_options colon{.login = {"a:b", "c"}};
    CHECK(refusal({demand(basic_field)}, colon) == errc::invalid_credentials);
    CHECK(played({demand(digest_field), established}, colon).last == status::tunnel);
}

TEST_CASE("Basic can be forbidden", "[proxy][7617:4][client]") {
    const http_connect_options careful{.login = {"Aladdin", "open sesame"}, .allow_basic = false};
    CHECK(refusal({demand(basic_field)}, careful) == errc::unsupported_authentication);
    const played p({demand(basic_field + digest_field), established}, careful);
    CHECK(p.last == status::tunnel);
    CHECK(p.requests.back().find("Digest") != std::string::npos);
}

TEST_CASE("a kept connection that was ended after all is made again, once", "[proxy][9112:9.3.1][client]") {
    buffer head, out;
    http_connect machine(server, aladdin, head);
    const auto challenge = [&] {
        input in(demand(basic_field));
        return machine.receive(in.left, out);
    };
    REQUIRE(machine.request(out) == errc{});
    REQUIRE(challenge() == status::authenticate_here);
    CHECK(machine.receive_eof() == status::reconnect_and_authenticate);
    CHECK(machine.receive_eof() == status::reconnect_and_authenticate);
    out.clear();
    REQUIRE(machine.request(out) == errc{});
    CHECK(to_string(out.data()) == plain_request); // the challenge was for the answer that nobody read
    REQUIRE(challenge() == status::authenticate_here);
    CHECK(machine.receive_eof() == status::refused);
    CHECK(machine.error() == errc::proxy_truncated);

    http_connect other(server, aladdin, head);
    out.clear();
    REQUIRE(other.request(out) == errc{});
    input in(demand(basic_field)), some("HTTP");
    REQUIRE(other.receive(in.left, out) == status::authenticate_here);
    REQUIRE(other.receive(some.left, out) == status::need_more);
    CHECK(other.receive_eof() == status::refused);
}

TEST_CASE("calls out of turn are misuse", "[proxy][client]") {
    buffer head, out;
    http_connect machine(server, nobody, head);
    input in("x");
    CHECK(machine.receive(in.left, out) == status::refused);
    CHECK(machine.error() == errc::misuse);
    CHECK(in.left.empty());
    CHECK(machine.request(out) == errc::misuse);
    CHECK(machine.response().status == 0);

    http_connect twice(server, nobody, head);
    CHECK(twice.request(out) == errc{});
    CHECK(twice.request(out) == errc::misuse);
    http_connect silent(server, nobody, head);
    CHECK(silent.receive_eof() == status::refused);
    CHECK(silent.error() == errc::proxy_truncated);
}

TEST_CASE("without room there is no request, no head and no answer", "[proxy][C164][client]") {
    std::array<std::byte, 512> storage;
    for (const std::size_t room : {plain_request.size() - 1, plain_request.size()}) {
        buffer head, out(byte_span(storage).first(room));
        http_connect machine(server, nobody, head);
        CHECK(machine.request(out) == (room < plain_request.size() ? errc::out_of_memory : errc{}));
        CHECK(out.size() == (room < plain_request.size() ? 0 : room));
    }
    const std::string answer    = demand(basic_field);
    const std::size_t head_size = answer.size() - 5;
    for (const std::size_t room : {head_size - 1, head_size, head_size + 4, head_size + 5}) {
        buffer head{byte_span(storage).first(room)}, out;
        http_connect machine(server, aladdin, head);
        REQUIRE(machine.request(out) == errc{});
        out.clear();
        input in(answer);
        const status s = machine.receive(in.left, out);
        CAPTURE(room);
        CHECK(s == (room < head_size       ? status::refused
                    : room < answer.size() ? status::reconnect_and_authenticate
                                           : status::authenticate_here));
        if (room < head_size) CHECK(machine.error() == errc::out_of_memory);
    }
    buffer head, out{byte_span(storage).first(basic_request.size() - 1)};
    http_connect machine(server, aladdin, head);
    REQUIRE(machine.request(out) == errc{});
    out.clear();
    input in(answer);
    CHECK(machine.receive(in.left, out) == status::refused);
    CHECK(machine.error() == errc::out_of_memory);
    CHECK(out.empty());
}

TEST_CASE("an answer may be overwritten as soon as it was received", "[proxy][S35][S37][client]") {
    buffer head, out;
    http_connect machine(server, aladdin, head, steady);
    REQUIRE(machine.request(out) == errc{});
    out.clear();
    {
        const std::string answer = demand(basic_field, "Connection: close\r\n\r\n");
        const auto memory        = std::make_unique<input>(answer);
        const byte_span all      = memory->left;
        CHECK(machine.receive(memory->left, out) == status::reconnect_and_authenticate);
        for (std::byte& b : all) b = std::byte{0xdd};
    }
    REQUIRE(machine.request(out) == errc{});
    CHECK(to_string(out.data()) == basic_request);
}

TEST_CASE("no error has a password in it", "[proxy][client]") {
    const played p({demand(basic_field), demand(basic_field)}, aladdin);
    CHECK(std::string(describe(p.error())).find("sesame") == std::string::npos);
    CHECK(to_string(p.head.data()).find("sesame") == std::string::npos);
}
