#include <navette/handshake/server_handshake.hpp>

#include "support/bytes.hpp"
#include "support/handshake.hpp"

#include <array>
#include <memory>
#include <string>
#include <vector>

using namespace navette;

namespace {

using status = handshake_status;

// The status code of a refusal that was sent; 0 if nothing was.
unsigned code(const std::string& sent) {
    return sent.size() < 12 ? 0u
                            : static_cast<unsigned>((sent[9] - '0') * 100 + (sent[10] - '0') * 10 +
                                                    (sent[11] - '0'));
}

// Accepts what was played and gives the answer's text.
std::string accepted(played_server& server, const accept_options& how = {}) {
    const auto agreed = server.handshake.accept(how);
    REQUIRE(agreed);
    buffer out;
    REQUIRE(append_http1(server.handshake.response(), out) == errc{});
    return to_string(out.data());
}

std::string without(const std::string& head, std::string_view name) {
    const std::size_t begin = head.find(std::string("\r\n") + std::string(name) + ':') + 2;
    REQUIRE(begin > 1);
    return head.substr(0, begin) + head.substr(head.find("\r\n", begin) + 2);
}

constexpr std::string_view spoken[] = {"soap", "wamp", "XMPP"};
const server_options speaking{.origins = origin_policy::any(), .subprotocols = spoken};

} // namespace

TEST_CASE("a valid request is answered with 101",
          "[server_handshake][6455:4.2.2][C51][C52][S58][server]") {
    played_server server(good_request + "\x81\x80");
    REQUIRE(server.status == status::upgrade);
    CHECK(server.sent().empty());
    CHECK(server.in.rest() == "\x81\x80");
    CHECK(accepted(server) ==
          "HTTP/1.1 101 Switching Protocols\r\n"
          "Connection: Upgrade\r\n"
          "Upgrade: websocket\r\n"
          "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
          "\r\n");
}

TEST_CASE("the request is readable", "[server_handshake][6455:4.2.1][server]") {
    played_server server(adding(with(good_request, "/chat", "/chat?room=7"),
                                "Cookie: a=1; b=2\r\nSec-WebSocket-Protocol: x, y\r\n"));
    REQUIRE(server.status == status::upgrade);
    const request_view& request = server.handshake.request();
    CHECK(request.method == "GET");
    CHECK(request.target == "/chat?room=7");
    CHECK(request.path == "/chat");
    CHECK(request.query == "room=7");
    CHECK(request.host == "server.example.com");
    CHECK(request.origin == "http://example.com");
    CHECK(request.cookie("b") == "2");
    CHECK(request.fields.find("upgrade") == "websocket");
    CHECK(*request.subprotocols().begin() == "x");
}

TEST_CASE("a request that asks for no WebSocket is handed over",
          "[server_handshake][9110:7.8][C33][C43][C59][server]") {
    for (const std::string& request :
         {std::string("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
          std::string("POST /form HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"),
          std::string("GET / HTTP/1.0\r\n\r\n"),
          std::string("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
          with(good_request, "HTTP/1.1", "HTTP/1.0"), without(good_request, "Upgrade"),
          with(good_request, ": websocket", ": h2c"),
          with(good_request, ": websocket", ": websockets"),
          with(good_request, ": websocket", ": notwebsocket, h2c"),
          with(good_request, ": websocket", ": web socket"),
          with(good_request, ": websocket", ": websocket/13"),
          with(good_request, ": websocket", ": \"websocket\""),
          with(good_request, ": websocket", ":")}) {
        CAPTURE(request);
        played_server server(request);
        CHECK(server.status == status::plain_request);
        CHECK(server.sent().empty());
        CHECK(server.handshake.accept().error() == errc::misuse);
    }
    CHECK(played_server("POST /form HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody")
              .in.rest() == "body");
}

TEST_CASE("websocket may stand anywhere in Upgrade, in any case",
          "[server_handshake][6455:4.2.1][C31][C32][C43][S59][server]") {
    for (const char* lines :
         {"Upgrade: WebSocket\r\n", "upgrade:WEBSOCKET\r\n", "Upgrade: h2c, websocket\r\n",
          "Upgrade: , websocket ,\r\n", "Upgrade: websocket, h2c\r\n",
          "Upgrade: h2c\r\nUpgrade: websocket\r\n", "Upgrade: foo/2,\twebsocket\t, bar\r\n"})
        CHECK(played_server(with(good_request, "Upgrade: websocket\r\n", lines)).status ==
              status::upgrade);
}

TEST_CASE("Connection must have the token Upgrade",
          "[server_handshake][6455:4.2.1][C44][S59][server]") {
    for (const char* lines :
         {"Connection: upgrade\r\n", "Connection: keep-alive, Upgrade\r\n",
          "connection: UPGRADE , close\r\n", "Connection: keep-alive\r\nConnection: Upgrade\r\n",
          "Connection:,Upgrade,\r\n"})
        CHECK(played_server(with(good_request, "Connection: Upgrade\r\n", lines)).status ==
              status::upgrade);
    for (const char* lines :
         {"", "Connection: notupgrade\r\n", "Connection: upgrades\r\n",
          "Connection: keep-alive\r\n", "Connection:\r\n", "Connection: \"Upgrade\"\r\n",
          "Connection: up, grade\r\n", "Connection: Upgrade;q=1\r\n"}) {
        played_server server(with(good_request, "Connection: Upgrade\r\n", lines));
        CHECK(server.error() == errc::connection_lacks_upgrade);
        CHECK(code(server.sent()) == 400);
    }
}

TEST_CASE("the method must be GET", "[server_handshake][6455:4.2.1][C42][server]") {
    for (const char* method : {"POST", "get", "PUT", "OPTIONS", "FOO"}) {
        played_server server(with(good_request, "GET ", std::string(method) + ' '));
        CHECK(server.error() == errc::method_not_allowed);
        CHECK(server.sent() ==
              "HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\nAllow: GET\r\nContent-Type: "
              "text/plain\r\n"
              "Content-Length: 43\r\n\r\nthe method of an upgrade request is not GET");
    }
    played_server head(with(good_request, "GET ", "HEAD "));
    CHECK(code(head.sent()) == 405);
    CHECK(head.sent().ends_with("\r\n\r\n")); // the answer to HEAD has no body
}

TEST_CASE("a major version other than 1 gets 505", "[server_handshake][9110:15.6.6][C42][server]") {
    for (const char* version : {"HTTP/2.0", "HTTP/0.9", "HTTP/3.0"}) {
        played_server server(with(good_request, "HTTP/1.1", version));
        CHECK(server.error() == errc::http_version_not_supported);
        CHECK(code(server.sent()) == 505);
    }
    CHECK(code(played_server("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").sent()) == 505);
    CHECK(played_server(with(good_request, "HTTP/1.1", "HTTP/1.2")).status == status::upgrade);
}

TEST_CASE("the key must be there once, the base64 form of 16 bytes",
          "[server_handshake][6455:4.2.1][C45][S60][server]") {
    const std::string line = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    CHECK(played_server(with(good_request, line, "")).error() == errc::missing_key);
    for (const std::string& lines :
         {line + line, line + "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
          std::string("Sec-WebSocket-Key:\r\n"),
          std::string("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j\r\n"),
          std::string("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQA=\r\n"),
          std::string("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==\r\n"),
          std::string("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==,\r\n"),
          std::string("Sec-WebSocket-Key: \"dGhlIHNhbXBsZSBub25jZQ==\"\r\n")}) {
        played_server server(with(good_request, line, lines));
        CHECK(server.error() == errc::invalid_key);
        CHECK(code(server.sent()) == 400);
    }
    CHECK(played_server(with(good_request, "Key: ", "Key: \t ")).status == status::upgrade);
}

TEST_CASE("a version other than 13 gets 426",
          "[server_handshake][6455:4.4][C46][C47][S55][S58][server]") {
    for (const char* lines : {"", "Sec-WebSocket-Version:\r\n", "Sec-WebSocket-Version: 0\r\n",
                              "Sec-WebSocket-Version: 8\r\n", "Sec-WebSocket-Version: 014\r\n",
                              "Sec-WebSocket-Version: 013\r\n", "Sec-WebSocket-Version: 13, 8\r\n",
                              "Sec-WebSocket-Version: 8, 13\r\n", "Sec-WebSocket-Version: 13,\r\n",
                              "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 13\r\n",
                              "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Version: 13\r\n"}) {
        CAPTURE(lines);
        played_server server(with(good_request, "Sec-WebSocket-Version: 13\r\n", lines));
        CHECK(server.error() == errc::unsupported_version);
        CHECK(server.sent() ==
              "HTTP/1.1 426 Upgrade Required\r\n"
              "Connection: Upgrade, close\r\n"
              "Upgrade: websocket\r\n"
              "Sec-WebSocket-Version: 13\r\n"
              "Content-Type: text/plain\r\n"
              "Content-Length: 41\r\n"
              "\r\n"
              "the Sec-WebSocket-Version field is not 13");
    }
}

// Two numbered keys and eight bytes behind the head, as a browser of before the RFC would have sent them.
TEST_CASE("the handshake of a draft is refused, and its bytes are no frames", "[server_handshake][6455:4.2.1][S11][server]") {
    played_server server(
        "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n"
        "Origin: http://example.com\r\nSec-WebSocket-Key1: 3 Ab9 21 7\r\nSec-WebSocket-Key2: 1 7x8 40 2\r\n\r\n"
        "\x80\xff\xff\xffshut");
    CHECK(server.error() == errc::unsupported_version);
    CHECK(server.sent().starts_with("HTTP/1.1 426 "));
    CHECK(server.in.left.empty());
}

TEST_CASE("a body in an upgrade request is refused",
          "[server_handshake][9112:6.3][C35][C36][S25][S55][server]") {
    for (const char* lines :
         {"Content-Length: 1\r\n", "Content-Length: 10\r\n", "Transfer-Encoding: chunked\r\n",
          "Transfer-Encoding: identity\r\n", "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
          "Content-Length: -1\r\n", "Content-Length:\r\n",
          "Content-Length: 0\r\nContent-Length: 5\r\n", "Transfer-Encoding: chunked, gzip\r\n"}) {
        CAPTURE(lines);
        played_server server(adding(good_request, lines) + "0123456789");
        CHECK(server.error() == errc::unexpected_body);
        CHECK(code(server.sent()) == 400);
        CHECK(server.in.rest().empty());
    }
    CHECK(played_server(adding(good_request, "Content-Length: 0\r\n")).status == status::upgrade);
}

TEST_CASE("a client that expects 100 gets it before 101",
          "[server_handshake][9110:7.8][C34][server]") {
    played_server server(adding(good_request, "Expect: 100-Continue\r\n"));
    REQUIRE(server.status == status::upgrade);
    CHECK(server.sent() == "HTTP/1.1 100 Continue\r\n\r\n");
    CHECK(accepted(server).starts_with("HTTP/1.1 101 "));
    CHECK(code(played_server(
                   adding(with(good_request, "13\r\n", "12\r\n"), "Expect: 100-continue\r\n"))
                   .sent()) == 426);
    CHECK(played_server(
              "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")
              .sent()
              .empty());

    std::array<std::byte, 24> little;
    buffer head, full{byte_span(little)};
    server_handshake handshake(any_origin, head);
    input in(adding(good_request, "Expect: 100-continue\r\n"));
    CHECK(handshake.receive(in.left, full) == status::refused);
    CHECK(handshake.error() == errc::out_of_memory);
    CHECK(full.empty());
}

TEST_CASE("an origin that is not accepted gets 403",
          "[server_handshake][6455:10.2][C50][S54][server]") {
    constexpr std::string_view ours[] = {"https://ours.example"};
    const server_options options{.origins = origin_policy::list(ours)};
    played_server server(good_request, options);
    CHECK(server.error() == errc::origin_refused);
    CHECK(code(server.sent()) == 403);
    CHECK(played_server(with(good_request, "http://example.com", "https://ours.example"), options)
              .status == status::upgrade);
    CHECK(played_server(without(good_request, "Origin"), options).status == status::upgrade);
    const server_options strict{.origins = origin_policy::list(ours).required()};
    CHECK(played_server(without(good_request, "Origin"), strict).error() == errc::origin_refused);
    const server_options same{.origins = origin_policy::same_origin()};
    CHECK(played_server(good_request, same).error() == errc::origin_refused);
    CHECK(played_server(with(good_request, "http://example.com", "http://server.example.com"), same)
              .status == status::upgrade);
    CHECK(played_server(with(with(good_request, "http://example.com", "http://other.example"),
                             "/chat", "ws://other.example/chat"),
                        same)
              .status == status::upgrade);
    CHECK(played_server(adding(good_request, "Origin: http://example.com\r\n")).error() ==
          errc::origin_refused);
}

TEST_CASE("the subprotocol is the client's first that the server speaks, in its exact case",
          "[server_handshake][6455:4.2.2][C53][C59][server]") {
    struct row {
        const char *lines, *chosen;
    };
    for (const row& r :
         {row{"", ""}, row{"Sec-WebSocket-Protocol: wamp, soap\r\n", "wamp"},
          row{"Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Protocol: ,soap\r\n", "soap"},
          row{"Sec-WebSocket-Protocol: xmpp, Soap\r\n", ""},
          row{"Sec-WebSocket-Protocol: xmpp, XMPP\r\n", "XMPP"},
          row{"Sec-WebSocket-Protocol:\r\n", ""}}) {
        CAPTURE(r.lines);
        played_server server(adding(good_request, r.lines), speaking);
        REQUIRE(server.status == status::upgrade);
        const auto agreed = server.handshake.accept();
        REQUIRE(agreed);
        CHECK(agreed->subprotocol == r.chosen);
        const auto field = server.handshake.response().fields.find("Sec-WebSocket-Protocol");
        CHECK(field.has_value() == !agreed->subprotocol.empty());
        CHECK(field.value_or("") == r.chosen);
    }
}

TEST_CASE("the application may choose among what the client offers",
          "[server_handshake][6455:4.2.2][C53][C59][server]") {
    played_server server(adding(good_request, "Sec-WebSocket-Protocol: soap, private\r\n"),
                         speaking);
    CHECK(server.handshake.accept({.subprotocol = "wamp"}).error() == errc::invalid_subprotocol);
    CHECK(server.handshake.accept({.subprotocol = "Soap"}).error() == errc::invalid_subprotocol);
    CHECK(server.handshake.accept({.subprotocol = "x\r\ny"}).error() == errc::invalid_subprotocol);
    CHECK(server.handshake.response().status == 0);
    const auto agreed = server.handshake.accept({.subprotocol = "private"});
    REQUIRE(agreed);
    CHECK(agreed->subprotocol == "private");
    CHECK(server.handshake.response().fields.find("Sec-WebSocket-Protocol") == "private");

    played_server other(adding(good_request, "Sec-WebSocket-Protocol: soap\r\n"), speaking);
    CHECK(accepted(other, {.subprotocol = ""}).find("Sec-WebSocket-Protocol") == std::string::npos);
}

TEST_CASE("offered subprotocols that are no distinct tokens are refused",
          "[server_handshake][6455:11.3.4][C48][S42][server]") {
    for (const char* value :
         {"a b", "a;b", "\"a\"", "\"a", "a, a", "a,b, a", "a/b", "\xc3\xa9", "(a)", "a=b"}) {
        CAPTURE(value);
        played_server server(
            adding(good_request, "Sec-WebSocket-Protocol: " + std::string(value) + "\r\n"));
        CHECK(server.error() == errc::bad_subprotocols);
        CHECK(code(server.sent()) == 400);
    }
    CHECK(played_server(
              adding(good_request, "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: a\r\n"))
              .error() == errc::bad_subprotocols);
    CHECK(played_server(adding(good_request, "Sec-WebSocket-Protocol: a, A\r\n")).status ==
          status::upgrade);
}

TEST_CASE("offered subprotocols are bounded like fields", "[server_handshake][C30][S25][server]") {
    for (const int count : {127, 128, 129, 3000}) {
        std::string list;
        for (int i = 0; i < count; ++i)
            list += 'p' + std::to_string(i) +
                    ((i + 1) % 1000 == 0 ? "\r\nSec-WebSocket-Protocol: " : ",");
        played_server server(adding(good_request, "Sec-WebSocket-Protocol: " + list + "\r\n"));
        CHECK(server.error() == (count <= 128 ? errc{} : errc::too_many_fields));
        CHECK(code(server.sent()) == (count <= 128 ? 0u : 431u));
    }
}

TEST_CASE("an extension that both sides know is agreed",
          "[server_handshake][6455:9.1][C54][server]") {
    const level_extension level, other("x-other", "x-other");
    const extension_factory* const known[] = {&other.factory, &level.factory};
    const server_options options{.origins = origin_policy::any(), .extensions = known};
    struct row {
        const char *lines, *answer;
        int level;
    };
    for (const row& r :
         {row{"Sec-WebSocket-Extensions: x-level; level=3\r\n", "x-level; level=3", 3},
          row{"Sec-WebSocket-Extensions: nobody; x=1, x-level;level=\"\\4\", x-other\r\n",
              "x-level; level=4", 4},
          row{"Sec-WebSocket-Extensions: x-level; foo, x-level\r\n", "x-level; level=0", 0},
          row{"Sec-WebSocket-Extensions: nobody\r\nSec-WebSocket-Extensions: x-level; level=9\r\n",
              "x-level; level=9", 9}}) {
        CAPTURE(r.lines);
        played_server server(adding(good_request, r.lines), options);
        REQUIRE(server.status == status::upgrade);
        const auto agreed = server.handshake.accept();
        REQUIRE(agreed);
        CHECK(agreed->extension == &level.factory);
        CHECK(agreed->allowed_rsv() == rsv_bits::rsv1);
        CHECK(agreed->parameters.values[0] == r.level);
        CHECK(server.handshake.response().fields.find("Sec-WebSocket-Extensions") == r.answer);
        CHECK(server.handshake.response().fields.count("Sec-WebSocket-Extensions") == 1);
    }
}

TEST_CASE("no extension is answered that was not offered acceptably",
          "[server_handshake][6455:9.1][C54][S42][server]") {
    const level_extension level;
    const extension_factory* const known[] = {&level.factory};
    const server_options options{.origins = origin_policy::any(), .extensions = known};
    for (const char* lines :
         {"", "Sec-WebSocket-Extensions:\r\n", "Sec-WebSocket-Extensions: X-Level\r\n",
          "Sec-WebSocket-Extensions: x-level2, constructor\r\n",
          "Sec-WebSocket-Extensions: x-level; level=10\r\n",
          "Sec-WebSocket-Extensions: x-level; level\r\n",
          "Sec-WebSocket-Extensions: x-level; level=1; level=1\r\n"}) {
        CAPTURE(lines);
        played_server server(adding(good_request, lines), options);
        REQUIRE(server.status == status::upgrade);
        const auto agreed = server.handshake.accept();
        REQUIRE(agreed);
        CHECK(agreed->extension == nullptr);
        CHECK_FALSE(server.handshake.response().fields.find("Sec-WebSocket-Extensions"));
    }
}

TEST_CASE("an extension that answers nonsense is left out",
          "[server_handshake][C54][S57][server]") {
    static std::string_view answer;
    level_extension broken;
    broken.factory.negotiate = [](const void*, role, const extension_offer&, extension_parameters&,
                                  buffer& out) noexcept {
        return out.append(answer) ? errc{} : errc::out_of_memory;
    };
    const extension_factory* const known[] = {&broken.factory};
    const server_options options{.origins = origin_policy::any(), .extensions = known};
    const std::string longest = "x-level; " + std::string(247, 'a'), too_long = longest + 'a';
    for (const std::string_view text :
         {std::string_view(longest), std::string_view(too_long), std::string_view(""),
          std::string_view("x-level\r\nX: y"), std::string_view("other"),
          std::string_view("x-level, x-level"), std::string_view("x-level;")}) {
        answer = text;
        played_server server(adding(good_request, "Sec-WebSocket-Extensions: x-level\r\n"),
                             options);
        REQUIRE(server.handshake.accept());
        CHECK(server.handshake.response().fields.find("Sec-WebSocket-Extensions").has_value() ==
              (text == longest));
    }
}

TEST_CASE("malformed extensions fail the handshake",
          "[server_handshake][6455:9.1][C48][C55][C56][S28][server]") {
    std::string quoted = "a; b=\"";
    while (quoted.size() < 8000) quoted += "\\c";
    for (const std::string& value :
         {std::string("a;"), std::string("a; b=\"c d\""), std::string("a b"), std::string("x, ;"),
          std::string("a; b=\""), std::string("a; b=\"\\\"\""), quoted,
          "b" + std::string(8000, ' ') + "x"}) {
        played_server server(
            adding(good_request,
                   "Sec-WebSocket-Extensions: ok\r\nSec-WebSocket-Extensions: " + value + "\r\n"));
        CHECK(server.error() == errc::bad_extensions);
        CHECK(code(server.sent()) == 400);
    }
}

TEST_CASE("fields of the application's stand in the answer",
          "[server_handshake][6455:4.2.2][C57][server]") {
    const http_field always[] = {{"Server", "navette"}},
                     once[]   = {{"Set-Cookie", "a=1"}, {"Set-Cookie", "b=2"}};
    const server_options options{.origins = origin_policy::any(), .fields = always};
    played_server server(good_request, options);
    CHECK(accepted(server, {.fields = once}) ==
          "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
          "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
          "Server: navette\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n");
    CHECK(played_server("GET / HTTP/1.1\r\n\r\n", options).sent().find("\r\nServer: navette\r\n") !=
          std::string::npos);
}

TEST_CASE("the application rejects with status, fields and body",
          "[server_handshake][6455:4.2.2][C49][C57][S55][server]") {
    const http_field fields[] = {{"WWW-Authenticate", "Basic"}};
    played_server server(good_request + "GET /admin HTTP/1.1\r\n\r\n");
    REQUIRE(server.handshake.reject(401, fields, "who are you?") == errc{});
    buffer out;
    REQUIRE(append_http1(server.handshake.response(), out) == errc{});
    CHECK(to_string(out.data()) ==
          "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nWWW-Authenticate: "
          "Basic\r\nContent-Length: 12\r\n\r\nwho are you?");
    CHECK(server.error() == errc::request_answered);
    CHECK(server.handshake.receive(server.in.left, out) == status::refused);
    CHECK(server.in.rest().empty());
    CHECK(server.handshake.accept().error() == errc::misuse);
    CHECK(server.handshake.reject(404) == errc::misuse);
}

TEST_CASE("a rejection with 426 says what to upgrade to",
          "[server_handshake][9110:15.5.22][C47][server]") {
    played_server server("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(server.handshake.respond(426) == errc{});
    const http_fields fields = server.handshake.response().fields;
    CHECK(fields.find("Upgrade") == "websocket");
    CHECK(fields.find("Connection") == "Upgrade, close");
    CHECK(fields.find("Sec-WebSocket-Version") == "13");
}

TEST_CASE("a plain request is responded to", "[server_handshake][C57][server]") {
    const http_field html[] = {{"Content-Type", "text/html"}};
    for (const char* method : {"GET", "HEAD"}) {
        played_server server(std::string(method) + " / HTTP/1.1\r\nHost: a\r\n\r\n");
        REQUIRE(server.status == status::plain_request);
        CHECK(server.handshake.reject(404) == errc::misuse);
        REQUIRE(server.handshake.respond(200, html, "<p>") == errc{});
        buffer out;
        REQUIRE(append_http1(server.handshake.response(), out) == errc{});
        CHECK(to_string(out.data()) ==
              "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: "
              "3\r\n\r\n" +
                  std::string(method == std::string("GET") ? "<p>" : ""));
        CHECK(server.handshake.respond(200) == errc::misuse);
    }
    played_server upgrade(good_request);
    CHECK(upgrade.handshake.respond(200) == errc::misuse);
}

TEST_CASE("a status that does not fit is refused and nothing is answered",
          "[server_handshake][C57][server]") {
    played_server server(good_request);
    for (const unsigned code : {0u, 100u, 101u, 199u, 200u, 299u, 600u, 1000u})
        CHECK(server.handshake.reject(code) == errc::invalid_status);
    CHECK(server.handshake.reject(304, {}, "x") == errc::invalid_status);
    CHECK(server.handshake.response().status == 0);
    CHECK(server.handshake.reject(599) == errc{});
    played_server plain("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    for (const unsigned code : {100u, 101u, 199u, 600u})
        CHECK(plain.handshake.respond(code) == errc::invalid_status);
    CHECK(plain.handshake.respond(204, {}, "x") == errc::invalid_status);
    CHECK(plain.handshake.respond(204) == errc{});
}

TEST_CASE("a request that never comes may be rejected", "[server_handshake][C57][server]") {
    played_server server("GET / HT");
    REQUIRE(server.status == status::need_more);
    REQUIRE(server.handshake.reject(408) == errc{});
    CHECK(server.handshake.response().status == 408);
    input rest("TP/1.1\r\n\r\n");
    CHECK(server.handshake.receive(rest.left, server.out) == status::refused);
    CHECK(rest.rest().empty());
    CHECK(server.sent().empty());
}

TEST_CASE("fields of the handshake's own cannot be given", "[server_handshake][C21][S57][server]") {
    for (const char* name :
         {"Connection", "upgrade", "Content-Length", "Transfer-Encoding", "Sec-WebSocket-Accept",
          "sec-websocket-protocol", "Sec-WebSocket-Foo"}) {
        const http_field fields[] = {{"X", "y"}, {name, "1"}};
        played_server server(good_request);
        CHECK(server.handshake.accept({.fields = fields}).error() == errc::reserved_field);
        CHECK(server.handshake.reject(400, fields) == errc::reserved_field);
        CHECK(server.handshake.accept());
        const server_options options{.origins = origin_policy::any(), .fields = fields};
        CHECK(played_server(good_request, options).error() == errc::reserved_field);
        CHECK(code(played_server(good_request, options).sent()) == 500);
    }
}

TEST_CASE("bad options are an internal error, whatever the request",
          "[server_handshake][S57][server]") {
    const http_field broken[]           = {{"A", "b\r\nC: d"}};
    constexpr std::string_view spaced[] = {"a b"};
    const server_options with_field{.origins = origin_policy::any(), .fields = broken};
    const server_options with_subprotocol{.origins = origin_policy::any(), .subprotocols = spaced};
    CHECK(played_server(good_request, with_field).error() == errc::invalid_field);
    CHECK(played_server(good_request, with_field).sent().starts_with("HTTP/1.1 500 "));
    CHECK(played_server("GET / HTTP/1.1\r\nHost: a\r\n\r\n", with_field).status == status::refused);
    CHECK(played_server(good_request, with_subprotocol).error() == errc::invalid_subprotocol);
}

TEST_CASE("a request of HTTP/1.1 that was read elsewhere is judged the same",
          "[server_handshake][C42][C51][server]") {
    const std::vector<http_field> good = {{"Host", "h"},
                                          {"Upgrade", "websocket"},
                                          {"Connection", "Upgrade"},
                                          {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                                          {"Sec-WebSocket-Version", "13"}};
    const auto adopt = [](const std::vector<http_field>& fields, std::string_view method,
                          errc error) {
        request_view request{.method = method, .target = "/chat?a"};
        request.fields = fields;
        buffer head;
        server_handshake handshake(any_origin, head);
        const status seen = handshake.adopt(request);
        CHECK(handshake.error() == error);
        CHECK((seen == status::refused) == (error != errc{}));
        CHECK(handshake.response().status == (error == errc{} ? 0 : to_http_status(error)));
        if (seen == status::upgrade) {
            CHECK(handshake.request().path == "/chat");
            CHECK(handshake.accept());
            CHECK(handshake.response().fields.find("Sec-WebSocket-Accept") ==
                  "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        }
        CHECK_FALSE(handshake.keep_request());
        return seen;
    };
    CHECK(adopt(good, "GET", {}) == status::upgrade);
    CHECK(adopt(good, "POST", errc::method_not_allowed) == status::refused);
    CHECK(adopt({{"Host", "h"}}, "GET", {}) == status::plain_request);
    const errc errors[] = {errc::bad_host,
                           {},
                           errc::connection_lacks_upgrade,
                           errc::missing_key,
                           errc::unsupported_version};
    for (std::size_t i = 0; i < good.size(); ++i) {
        std::vector<http_field> fewer = good;
        fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
        adopt(fewer, "GET", errors[i]);
    }
}

TEST_CASE("an extended CONNECT is accepted with 200 and without a key",
          "[server_handshake][8441:5][server]") {
    const http_field fields[] = {{"sec-websocket-version", "13"},
                                 {"origin", "https://h"},
                                 {"sec-websocket-protocol", "soap"}};
    for (const unsigned major : {2u, 3u}) {
        request_view request{.method        = "CONNECT",
                             .target        = "/chat",
                             .host          = "h",
                             .version_major = major,
                             .version_minor = 0};
        request.fields   = fields;
        request.protocol = "websocket";
        const server_options options{.origins      = origin_policy::same_origin(),
                                     .subprotocols = spoken};
        buffer head;
        server_handshake handshake(options, head);
        REQUIRE(handshake.adopt(request) == status::upgrade);
        CHECK(handshake.request().path == "/chat");
        const auto agreed = handshake.accept();
        REQUIRE(agreed);
        CHECK(agreed->subprotocol == "soap");
        const response_view response = handshake.response();
        CHECK(response.status == 200);
        CHECK(response.fields.count("Sec-WebSocket-Protocol") == 1);
        for (const char* name : {"Connection", "Upgrade", "Sec-WebSocket-Accept"})
            CHECK_FALSE(response.fields.find(name));
    }
}

TEST_CASE("an extended CONNECT is refused without the fields of HTTP/1.1",
          "[server_handshake][8441:5][C46][C50][server]") {
    const http_field old[]     = {{"sec-websocket-version", "8"}},
                     foreign[] = {{"sec-websocket-version", "13"},
                                  {"origin", "https://evil.example"}};
    const server_options options{.origins = origin_policy::same_origin()};
    for (const bool is_old : {true, false}) {
        request_view request{.method = "CONNECT", .target = "/", .host = "h", .version_major = 2};
        request.fields   = is_old ? http_fields(old) : http_fields(foreign);
        request.protocol = "websocket";
        buffer head;
        server_handshake handshake(options, head);
        CHECK(handshake.adopt(request) == status::refused);
        CHECK(handshake.response().status == (is_old ? 400 : 403));
        CHECK(handshake.response().fields.find("Sec-WebSocket-Version").has_value() == is_old);
        CHECK_FALSE(handshake.response().fields.find("Connection"));
        CHECK_FALSE(handshake.response().fields.find("Upgrade"));
    }
    request_view other{.method = "CONNECT", .target = "/", .host = "h", .version_major = 2};
    other.protocol = "connect-udp";
    buffer head;
    server_handshake handshake(options, head);
    CHECK(handshake.adopt(other) == status::plain_request);
}

TEST_CASE("a refusal is a whole answer and what follows the request is never read",
          "[server_handshake][6455:4.2.2][C48][C49][S55][server]") {
    for (const std::string& request :
         {std::string("GARBAGE\r\n\r\n"), std::string("GET / HTTP/1.1\r\n\r\n"),
          with(good_request, "13\r\n", "12\r\n"), without(good_request, "Connection"),
          without(good_request, "Sec-WebSocket-Key"), without(good_request, "Host"),
          with(good_request, "GET ", "PUT "), "\n" + good_request, "GET /" + std::string(9000, 'x'),
          adding(good_request, "X: " + std::string(9000, 'x') + "\r\n"),
          adding(good_request, "Bad Name: x\r\n")}) {
        CAPTURE(request);
        played_server server(request + good_request);
        REQUIRE(server.status == status::refused);
        CHECK(server.in.rest().empty());
        const std::string first = server.sent();
        CHECK(first.find("Connection: ") != std::string::npos);
        CHECK(first.find("close\r\n") != std::string::npos);
        const std::size_t end = first.find("\r\n\r\n") + 4;
        const std::string body(describe(server.error()));
        CHECK(first.find("\r\nContent-Length: " + std::to_string(body.size()) + "\r\n") !=
              std::string::npos);
        CHECK(first.substr(end) == body);

        input again(good_request);
        CHECK(server.handshake.receive(again.left, server.out) == status::refused);
        CHECK(again.rest().empty());
        CHECK(server.sent() == first);
        CHECK(server.handshake.accept().error() == errc::misuse);
    }
}

TEST_CASE("a missing field is a refusal or a plain request, never anything worse",
          "[server_handshake][S26][server]") {
    for (const char* name : {"Host", "Upgrade", "Connection", "Sec-WebSocket-Key", "Origin",
                             "Sec-WebSocket-Version"}) {
        const std::string request = without(good_request, name);
        played_server server(request);
        CHECK(server.status == (name == std::string("Upgrade")  ? status::plain_request
                                : name == std::string("Origin") ? status::upgrade
                                                                : status::refused));
        std::string crowded = "GET / HTTP/1.1\r\n";
        for (int i = 0; i < 2000; ++i) crowded += "X: y\r\n";
        crowded += request.substr(request.find("\r\n") + 2);
        CHECK(played_server(crowded).error() == errc::too_many_fields);
        CHECK(code(played_server(crowded).sent()) == 431);
    }
}

TEST_CASE("heads beyond the bounds get 431, targets 414",
          "[server_handshake][C29][C30][S25][server]") {
    CHECK(code(played_server(with(good_request, "/chat", '/' + std::string(8192 - 14, 'x')))
                   .sent()) == 0);
    CHECK(code(played_server(with(good_request, "/chat", '/' + std::string(8192 - 13, 'x')))
                   .sent()) == 414);
    CHECK(
        code(played_server(adding(good_request, "X:" + std::string(8190, 'x') + "\r\n")).sent()) ==
        0);
    CHECK(
        code(played_server(adding(good_request, "X:" + std::string(8191, 'x') + "\r\n")).sent()) ==
        431);
    std::string large = good_request;
    for (int i = 0; i < 8; ++i) large = adding(large, "X:" + std::string(8188, 'x') + "\r\n");
    CHECK(code(played_server(large).sent()) == 431);
    CHECK(code(played_server(large, any_origin, {.max_handshake_size = large.size()}).sent()) == 0);
    CHECK(code(played_server(large, any_origin, {.max_handshake_size = large.size() - 1}).sent()) ==
          431);
}

TEST_CASE("the end of the transport refuses a request that is not whole",
          "[server_handshake][9112:8][C48][server]") {
    for (const std::string_view begun : {"", "GET / HT"}) {
        played_server server(begun);
        CHECK(server.handshake.receive_eof(server.out) == status::refused);
        CHECK(server.error() == errc::head_truncated);
        CHECK(code(server.sent()) == (begun.empty() ? 0u : 400u));
    }
    played_server whole(good_request);
    CHECK(whole.handshake.receive_eof(whole.out) == status::upgrade);
    CHECK(whole.sent().empty());
    played_server refused("x\r\n");
    const std::string sent = refused.sent();
    CHECK(refused.handshake.receive_eof(refused.out) == status::refused);
    CHECK(refused.error() == errc::bad_start_line);
    CHECK(refused.sent() == sent);
}

TEST_CASE("a full output loses the answer and nothing else", "[server_handshake][server]") {
    std::array<std::byte, 50> little;
    buffer head, out{byte_span(little)};
    server_handshake handshake(any_origin, head);
    input in("x\r\n");
    CHECK(handshake.receive(in.left, out) == status::refused);
    CHECK(out.empty());
    CHECK(handshake.error() == errc::bad_start_line);
    CHECK(handshake.response().status == 400);
}

TEST_CASE("neither the agreement nor the answer needs the request any more",
          "[server_handshake][S35][server]") {
    const level_extension level;
    const extension_factory* const known[] = {&level.factory};
    const server_options options{
        .origins = origin_policy::any(), .subprotocols = spoken, .extensions = known};
    const std::string request =
        adding(good_request,
               "Sec-WebSocket-Protocol: soap\r\nSec-WebSocket-Extensions: x-level; level=5\r\n");
    for (const bool in_pieces : {false, true}) {
        auto head = std::make_unique<buffer>();
        server_handshake handshake(options, *head);
        buffer out;
        auto wire    = std::make_unique<std::vector<std::byte>>(text_bytes(request));
        byte_span in = byte_span(*wire).first(in_pieces ? 20 : wire->size());
        handshake.receive(in, out);
        if (in_pieces) {
            in = byte_span(*wire).subspan(20);
            handshake.receive(in, out);
        }
        const auto agreed = handshake.accept();
        REQUIRE(agreed);
        wire.reset();
        head.reset();
        CHECK(agreed->subprotocol == "soap");
        CHECK(agreed->parameters.values[0] == 5);
        CHECK(append_http1(handshake.response(), out) == errc{});
        CHECK(to_string(out.data())
                  .ends_with("\r\nSec-WebSocket-Protocol: soap\r\nSec-WebSocket-Extensions: "
                             "x-level; level=5\r\n\r\n"));
    }
}

TEST_CASE("a request that is kept outlives the input", "[server_handshake][S35][server]") {
    buffer head, out;
    server_handshake handshake(any_origin, head);
    {
        input in(adding(good_request, "Cookie: a=1\r\n"));
        CHECK_FALSE(handshake.keep_request());
        REQUIRE(handshake.receive(in.left, out) == status::upgrade);
        REQUIRE(handshake.keep_request());
    }
    CHECK(handshake.request().path == "/chat");
    CHECK(handshake.request().host == "server.example.com");
    CHECK(handshake.request().cookie("a") == "1");
    CHECK(handshake.accept());
    CHECK(handshake.response().fields.find("Sec-WebSocket-Accept") ==
          "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST_CASE("nothing of the answer is in the output before it is asked for",
          "[server_handshake][6455:4.2.2][C58][server]") {
    played_server server(good_request + "\x81\x85");
    REQUIRE(server.handshake.accept());
    CHECK(server.sent().empty());
    CHECK(server.in.rest() == "\x81\x85");
    CHECK(server.handshake.receive(server.in.left, server.out) == status::upgrade);
    CHECK(server.in.rest() == "\x81\x85");
}

TEST_CASE("a request is answered once", "[server_handshake][C49][server]") {
    played_server server(good_request);
    REQUIRE(server.handshake.accept());
    CHECK(server.handshake.accept().error() == errc::misuse);
    CHECK(server.handshake.reject(404) == errc::misuse);
    CHECK(server.handshake.respond(200) == errc::misuse);
    CHECK(server.handshake.response().status == 101);
    CHECK(server.error() == errc{});
}

TEST_CASE("what of a request broke the rule is told", "[server_handshake][server]") {
    struct wrong {
        std::string      request;
        errc             error;
        std::string_view broken_by;
    };
    const auto changed = [](std::string_view from, std::string_view to) { return with(good_request, from, to); };
    for (const wrong& each : std::vector<wrong>{
             {"\x16\x03\x01\r\n\r\n", errc::bad_start_line, "\x16\x03\x01"},
             {changed("GET /chat", "POST /chat"), errc::method_not_allowed, "POST /chat HTTP/1.1"},
             {changed("HTTP/1.1", "HTTP/2.0"), errc::http_version_not_supported, "GET /chat HTTP/2.0"},
             {changed("server.example.com", "server example"), errc::bad_host, "server example"},
             {changed("Connection: Upgrade", "Connection: keep-alive"), errc::connection_lacks_upgrade, "keep-alive"},
             {changed("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ="), errc::invalid_key, "dGhlIHNhbXBsZSBub25jZQ="},
             {without(good_request, "Sec-WebSocket-Key"), errc::missing_key, ""},
             {changed("Version: 13", "Version: 8"), errc::unsupported_version, "8"},
             {adding(good_request, "Sec-WebSocket-Protocol: a, a\r\n"), errc::bad_subprotocols, "a, a"},
             {adding(good_request, "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b c\r\n"), errc::bad_subprotocols, "b c"},
             {adding(good_request, "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b, \"c\"\r\n"), errc::bad_subprotocols,
              "b, \"c\""},
             {adding(good_request, "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b, a\r\nSec-WebSocket-Protocol: c\r\n"),
              errc::bad_subprotocols, "b, a"},
             {adding(good_request, "Sec-WebSocket-Extensions: ;\r\n"), errc::bad_extensions, ";"},
             {adding(good_request, "Sec-WebSocket-Extensions: a; b\r\nSec-WebSocket-Extensions: c;\r\nSec-WebSocket-Extensions: d\r\n"),
              errc::bad_extensions, "c;"},
             {adding(good_request, "Content-Length: 5\r\n"), errc::unexpected_body, "5"},
             {adding(good_request, "Transfer-Encoding: chunked\r\n"), errc::unexpected_body, "chunked"}}) {
        CAPTURE(each.request);
        played_server server(each.request, speaking);
        CHECK(server.error() == each.error);
        CHECK(server.handshake.broken_by() == each.broken_by);
    }
    const server_options strict{.origins = origin_policy::same_origin("http")};
    played_server        stranger(good_request, strict);
    CHECK(stranger.error() == errc::origin_refused);
    CHECK(stranger.handshake.broken_by() == "http://example.com");
}
