#include <navette/handshake/client_handshake.hpp>

#include "support/bytes.hpp"
#include "support/handshake.hpp"

#include <array>
#include <memory>
#include <set>
#include <string>
#include <vector>

using namespace navette;

namespace {

using status = client_handshake_status;

// The request that a client with these options writes to `target`, or the error that keeps it from writing.
struct written {
    errc error;
    std::string text;
};

written write(std::string_view target,
              const client_options& options = played_client::no_options()) {
    const auto parsed = parse_uri(target);
    REQUIRE(parsed);
    buffer head, out;
    REQUIRE(out.append("before"));
    client_handshake handshake(*parsed, options, head, sample_entropy);
    const errc error = handshake.request(out);
    CHECK(handshake.is_connecting() == (error == errc{}));
    const std::string text = to_string(out.data()).substr(6);
    CHECK(text.empty() == (error != errc{}));
    return {error, text};
}

std::string line(const std::string& head, std::string_view name) {
    const std::size_t at = head.find("\r\n" + std::string(name) + ": ");
    if (at == std::string::npos) return "none";
    const std::size_t begin = at + 2 + name.size() + 2;
    return head.substr(begin, head.find("\r\n", begin) - begin);
}

errc refusal(const std::string& answer,
             const client_options& options = played_client::no_options()) {
    played_client client(answer, options);
    CHECK((client.status == status::failed) == (client.error() != errc{}));
    if (client.status == status::failed) CHECK(client.in.rest().empty());
    return client.error();
}

constexpr std::string_view wanted[] = {"soap", "WAMP"};
const client_options asking{.subprotocols = wanted};

} // namespace

TEST_CASE("the request is RFC 6455's",
          "[client_handshake][6455:4.1][C10][C12][C13][C14][C15][C16][C166][client]") {
    const http_field fields[] = {{"Cookie", "a=1"}, {"User-Agent", "navette"}};
    const level_extension level, other("x-other", "x-other; level=1, x-other");
    const extension_factory* const offered[] = {&level.factory, &other.factory};
    const client_options options{.subprotocols = wanted,
                                 .fields       = fields,
                                 .origin       = "http://example.com",
                                 .extensions   = offered};
    CHECK(write("ws://server.example.com/chat?room=7", options).text ==
          "GET /chat?room=7 HTTP/1.1\r\n"
          "Host: server.example.com\r\n"
          "Upgrade: websocket\r\n"
          "Connection: Upgrade\r\n"
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
          "Sec-WebSocket-Version: 13\r\n"
          "Origin: http://example.com\r\n"
          "Sec-WebSocket-Protocol: soap, WAMP\r\n"
          "Sec-WebSocket-Extensions: x-level; level=7, x-other; level=1, x-other\r\n"
          "Cookie: a=1\r\n"
          "User-Agent: navette\r\n"
          "\r\n");
}

TEST_CASE("without options only what is needed is written",
          "[client_handshake][6455:4.1][C10][C18][S58][client]") {
    CHECK(write("ws://h").text ==
          "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
}

TEST_CASE("Host has the port only if it is not the default, and IPv6 in brackets",
          "[client_handshake][9112:3.2][C11][client]") {
    struct row {
        const char *target, *host;
    };
    for (const row& r :
         {row{"ws://h:80/", "h"}, row{"ws://h:443/", "h:443"}, row{"wss://h/", "h"},
          row{"wss://h:443", "h"}, row{"wss://h:80", "h:80"}, row{"ws://[::1]/", "[::1]"},
          row{"ws://[::1]:9001/", "[::1]:9001"}, row{"ws://Example.COM:65535", "Example.COM:65535"},
          row{"ws://127.0.0.1:1", "127.0.0.1:1"}}) {
        const std::string text = write(r.target).text;
        CHECK(line(text, "Host") == r.host);
        CHECK(text.find("\r\nHost: ") == text.rfind("\r\nHost: "));
    }
}

TEST_CASE("each handshake draws its own key", "[client_handshake][6455:4.1][C14][S45][client]") {
    std::set<std::string> keys;
    const uri target = *parse_uri("ws://h/");
    const client_options options;
    for (int i = 0; i < 1000; ++i) {
        buffer head, out;
        client_handshake handshake(target, options, head);
        REQUIRE(handshake.request(out) == errc{});
        const std::string key = line(to_string(out.data()), "Sec-WebSocket-Key");
        CHECK(is_valid_key(key));
        keys.insert(key);
    }
    CHECK(keys.size() == 1000);
}

TEST_CASE("without entropy there is no request", "[client_handshake][6455:4.1][C14][client]") {
    const client_options options;
    buffer head, out;
    client_handshake handshake(*parse_uri("ws://h"), options, head,
                               {[](void*, byte_span) noexcept { return false; }, nullptr});
    CHECK(handshake.request(out) == errc::no_entropy);
    CHECK(out.empty());
}

TEST_CASE("a request is written once, and before anything is received",
          "[client_handshake][C19][client]") {
    const client_options options;
    buffer head, out;
    client_handshake handshake(*parse_uri("ws://h"), options, head, sample_entropy);
    CHECK_FALSE(handshake.is_connecting());
    REQUIRE(handshake.request(out) == errc{});
    const std::string text = to_string(out.data());
    CHECK(handshake.request(out) == errc::misuse);
    CHECK(to_string(out.data()) == text);

    client_handshake early(*parse_uri("ws://h"), options, head, sample_entropy);
    input in(good_answer);
    CHECK(early.receive(in.left) == status::failed);
    CHECK(early.error() == errc::misuse);
}

TEST_CASE("nothing is written behind the request until the answer is valid",
          "[client_handshake][6455:4.1][C19][client]") {
    for (std::size_t size = 0; size < good_answer.size(); ++size) {
        played_client client(good_answer.substr(0, size));
        CHECK(client.status == status::need_more);
        CHECK(to_string(client.out.data()).ends_with("\r\n\r\n"));
        CHECK(to_string(client.out.data()).find("\r\n\r\n") == client.out.size() - 4);
    }
}

TEST_CASE("a client knows when it is connecting, so that another can wait",
          "[client_handshake][6455:4.1][C7][client]") {
    const client_options options;
    buffer head, out;
    client_handshake handshake(*parse_uri("ws://h"), options, head, sample_entropy);
    CHECK_FALSE(handshake.is_connecting());
    REQUIRE(handshake.request(out) == errc{});
    CHECK(handshake.is_connecting());
    input half(good_answer.substr(0, 30)), rest(good_answer.substr(30));
    CHECK(handshake.receive(half.left) == status::need_more);
    CHECK(handshake.is_connecting());
    CHECK(handshake.receive(rest.left) == status::upgrade);
    CHECK_FALSE(handshake.is_connecting());
    played_client failed("x\r\n");
    CHECK_FALSE(failed.handshake.is_connecting());
}

TEST_CASE("subprotocols to be offered are distinct tokens",
          "[client_handshake][6455:4.1][C17][client]") {
    for (const std::vector<std::string_view>& offered : {std::vector<std::string_view>{""},
                                                         {"a b"},
                                                         {"a", "b", "a"},
                                                         {"a,b"},
                                                         {"\"a\""},
                                                         {"a\r\nb"},
                                                         {"\xc3\xa9"},
                                                         {"a", ""}}) {
        const client_options options{.subprotocols = offered};
        CHECK(write("ws://h", options).error == errc::invalid_subprotocol);
    }
    constexpr std::string_view cased[] = {"a", "A", "v1.chat~x"};
    CHECK(line(write("ws://h", {.subprotocols = cased}).text, "Sec-WebSocket-Protocol") ==
          "a, A, v1.chat~x");
}

TEST_CASE("an extension offers itself, by the grammar",
          "[client_handshake][6455:9.1][C18][client]") {
    for (const char* offers : {"", " ", "x-level;", "x-level, ", "x-other", "x-level, x-other",
                               "x-level\r\nX: y", "x-level; a=\"b c\""}) {
        const level_extension level("x-level", offers);
        const extension_factory* const offered[] = {&level.factory};
        const std::string_view text(offers);
        CAPTURE(text);
        if (text == "x-level, ")
            CHECK(write("ws://h", {.extensions = offered}).error == errc{}); // an empty element
        else CHECK(write("ws://h", {.extensions = offered}).error == errc::bad_extensions);
    }
    level_extension failing;
    failing.factory.offer = [](const void*, buffer&) noexcept { return errc::out_of_memory; };
    const extension_factory* const offered[] = {&failing.factory};
    CHECK(write("ws://h", {.extensions = offered}).error == errc::out_of_memory);
}

TEST_CASE("fields of the handshake's own cannot be given to a client",
          "[client_handshake][6455:4.1][C15][C21][client]") {
    for (const char* name :
         {"Host", "upgrade", "Connection", "Sec-WebSocket-Key", "sec-websocket-version",
          "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions", "Origin", "Content-Length",
          "Transfer-Encoding", "Expect"}) {
        const http_field fields[] = {{"X", "y"}, {name, "1"}};
        CHECK(write("ws://h", {.fields = fields}).error == errc::reserved_field);
    }
}

TEST_CASE("a URI put together by hand is checked before anything is written",
          "[client_handshake][C4][C20][S57][client]") {
    const client_options options;
    for (const uri& target : {uri{.host = "h\r\nX: y"}, uri{.host = ""},
                              uri{.host = "h", .path = "/a b"}, uri{.host = "h", .path = "/\r\n"},
                              uri{.host = "h", .query = "a\nb"}, uri{.host = "h", .port = 0}}) {
        buffer head, out;
        client_handshake handshake(target, options, head, sample_entropy);
        CHECK(handshake.request(out) != errc{});
        CHECK(out.empty());
    }
}

TEST_CASE("a request that finds no room can be written later", "[client_handshake][client]") {
    const client_options options;
    buffer head;
    client_handshake handshake(*parse_uri("ws://h"), options, head, sample_entropy);
    const std::size_t size = write("ws://h").text.size();
    for (std::size_t room = 0; room <= size; ++room) {
        std::vector<std::byte> memory(room);
        buffer out{byte_span(memory)};
        CHECK(handshake.request(out) == (room < size ? errc::out_of_memory : errc{}));
        CHECK(out.size() == (room < size ? 0 : size));
    }
}

TEST_CASE("a right answer opens the connection and leaves the frames",
          "[client_handshake][6455:4.1][C41][client]") {
    played_client client(good_answer + "\x81\x01x");
    CHECK(client.status == status::upgrade);
    CHECK(client.in.rest() == "\x81\x01x");
    CHECK(client.handshake.agreed().subprotocol.empty());
    CHECK(client.handshake.agreed().extension == nullptr);
    CHECK(client.handshake.response().status == 101);
    CHECK(client.handshake.response().reason == "Switching Protocols");
    CHECK(client.handshake.receive(client.in.left) == status::upgrade);
    CHECK(client.in.rest() == "\x81\x01x");
    CHECK(client.handshake.receive_eof() == status::upgrade);
}

TEST_CASE("any phrase will do, any status but 101 will not",
          "[client_handshake][6455:4.1][C38][C39][S55][client]") {
    for (const char* phrase : {" Web Socket Protocol Handshake", " ", "", " \xff\xfe", " 200 OK"})
        CHECK(refusal(with(good_answer, " Switching Protocols", phrase)) == errc{});
    for (const char* code : {"200", "201", "204", "301", "400", "426", "599", "600", "999"}) {
        played_client client(adding(with(good_answer, "101", code), "Content-Length: 0\r\n"));
        CHECK(client.status == status::failed);
        CHECK(client.error() == errc::unexpected_status);
        CHECK(std::to_string(client.handshake.response().status) == code);
    }
    for (const char* version : {"HTTP/1.0", "HTTP/2.0", "HTTP/0.9", "http/1.1"})
        CHECK(refusal(with(good_answer, "HTTP/1.1", version)) == errc::bad_start_line);
    CHECK(refusal(with(good_answer, "HTTP/1.1", "HTTP/1.2")) == errc{});
}

TEST_CASE("interim answers are skipped up to a bound",
          "[client_handshake][9110:15.2][C38][client]") {
    std::string interim;
    for (int i = 0; i < 8; ++i)
        interim += i % 2 == 0 ? "HTTP/1.1 100 Continue\r\n\r\n"
                              : "HTTP/1.1 103 Early Hints\r\nLink: x\r\nUpgrade: foo\r\n\r\n";
    CHECK(refusal(interim + good_answer) == errc{});
    CHECK(refusal("HTTP/1.1 102 x\r\n\r\n" + interim + good_answer) ==
          errc::too_many_interim_responses);
    CHECK(refusal(interim + "HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n") ==
          errc::unexpected_status);
    for (const unsigned max : {0u, 1u, 2u}) {
        const std::string two = "HTTP/1.1 100 x\r\n\r\nHTTP/1.1 199 \r\n\r\n" + good_answer;
        played_client client(two, played_client::no_options(), {.max_interim_responses = max});
        CHECK(client.error() == (max < 2 ? errc::too_many_interim_responses : errc{}));
    }
    const limits tight{.max_handshake_size = interim.size() + good_answer.size() - 1};
    CHECK(played_client(interim + good_answer, played_client::no_options(), tight).error() ==
          errc::head_too_big);
}

TEST_CASE("Upgrade must say websocket and nothing else",
          "[client_handshake][6455:4.1][C60][S59][client]") {
    for (const char* lines :
         {"Upgrade: WebSocket\r\n", "upgrade:WEBSOCKET\r\n", "Upgrade: ,websocket,\r\n",
          "Upgrade: websocket\r\nUpgrade: websocket\r\n"})
        CHECK(refusal(with(good_answer, "Upgrade: websocket\r\n", lines)) == errc{});
    for (const char* lines :
         {"", "Upgrade:\r\n", "Upgrade: h2c\r\n", "Upgrade: websockets\r\n",
          "Upgrade: web socket\r\n", "Upgrade: websocket, h2c\r\n", "Upgrade: websocket/13\r\n",
          "Upgrade: \"websocket\"\r\n", "Upgrade: websocket\r\nUpgrade: h2c\r\n"})
        CHECK(refusal(with(good_answer, "Upgrade: websocket\r\n", lines)) ==
              errc::upgrade_mismatch);
}

TEST_CASE("Connection must have the token Upgrade in an answer",
          "[client_handshake][6455:4.1][C31][C61][S59][client]") {
    for (const char* lines : {"Connection: upgrade\r\n", "Connection: keep-alive, UPGRADE\r\n",
                              "connection: x\r\nConnection: ,Upgrade\r\n"})
        CHECK(refusal(with(good_answer, "Connection: Upgrade\r\n", lines)) == errc{});
    for (const char* lines :
         {"", "Connection:\r\n", "Connection: notupgrade\r\n", "Connection: close\r\n",
          "Connection: up grade\r\n", "Connection: \"Upgrade\"\r\n"})
        CHECK(refusal(with(good_answer, "Connection: Upgrade\r\n", lines)) ==
              errc::connection_mismatch);
}

TEST_CASE("Accept must be there once and belong to the key",
          "[client_handshake][6455:4.1][C62][client]") {
    const std::string accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
    for (const char* lines : {"Sec-WebSocket-Accept:s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n",
                              "sec-websocket-accept: \t s3pPLMBiTxaQ9kYGzzhZRbK+xOo= \t\r\n"})
        CHECK(refusal(with(good_answer, accept, lines)) == errc{});
    for (const std::string& lines :
         {std::string(), std::string("Sec-WebSocket-Accept:\r\n"), accept + accept,
          accept + "Sec-WebSocket-Accept: x\r\n",
          std::string("Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
          std::string("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo\r\n"),
          std::string("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=, x\r\n"),
          std::string("Sec-WebSocket-Accept: \"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\"\r\n"),
          std::string("Sec-WebSocket-Accept: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
          std::string("Sec-WebSocket-Accept: Gt6vEo8L5pzXgPWBvuIRh5wv5hM=\r\n")})
        CHECK(refusal(with(good_answer, accept, lines)) == errc::accept_mismatch);
}

TEST_CASE("keys other than the sample's have their own answers",
          "[client_handshake][C52][C62][client]") {
    struct row {
        const char *key, *accept;
        errc error;
    };
    for (const row& r :
         {row{"zigDl7tK3w+TZ4Tbo1PsrA==", "Gt6vEo8L5pzXgPWBvuIRh5wv5hM=", errc{}},
          row{"mWVGwS9Z6VXWMAsDXSGH7g==", "+Uy0ajDrCqbMUyxNnCxY0J3vlvM=", errc::accept_mismatch}}) {
        std::array<std::byte, 16> nonce;
        REQUIRE(base64_decode(r.key, nonce) == 16);
        const entropy source{[](void* self, byte_span out) noexcept {
                                 std::copy_n(static_cast<const std::byte*>(self), out.size(),
                                             out.begin());
                                 return true;
                             },
                             nonce.data()};
        const client_options options;
        buffer head, out;
        client_handshake handshake(*parse_uri("ws://h"), options, head, source);
        REQUIRE(handshake.request(out) == errc{});
        CHECK(line(to_string(out.data()), "Sec-WebSocket-Key") == r.key);
        input in(with(good_answer, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", r.accept));
        CHECK(handshake.receive(in.left) == (r.error == errc{} ? status::upgrade : status::failed));
        CHECK(handshake.error() == r.error);
    }
}

TEST_CASE("the subprotocol must be one that was offered, in its exact case, once",
          "[client_handshake][6455:4.1][C64][client]") {
    struct row {
        const char* lines;
        const client_options* options;
        errc error;
        const char* agreed;
    };
    const client_options none;
    for (const row& r :
         {row{"", &asking, {}, ""}, row{"Sec-WebSocket-Protocol: soap\r\n", &asking, {}, "soap"},
          row{"sec-websocket-protocol:\tWAMP \r\n", &asking, {}, "WAMP"},
          row{"Sec-WebSocket-Protocol: wamp\r\n", &asking, errc::unoffered_subprotocol, ""},
          row{"Sec-WebSocket-Protocol:\r\n", &asking, errc::unoffered_subprotocol, ""},
          row{"Sec-WebSocket-Protocol: soap, WAMP\r\n", &asking, errc::unoffered_subprotocol, ""},
          row{"Sec-WebSocket-Protocol: soap\r\nSec-WebSocket-Protocol: soap\r\n", &asking,
              errc::unoffered_subprotocol, ""},
          row{"Sec-WebSocket-Protocol: soap\r\n", &none, errc::unoffered_subprotocol, ""}}) {
        CAPTURE(r.lines);
        played_client client(adding(good_answer, r.lines), *r.options);
        CHECK(client.error() == r.error);
        if (r.error == errc{}) CHECK(client.handshake.agreed().subprotocol == r.agreed);
    }
}

TEST_CASE("an extension must be one that was offered, once, with parameters that it accepts",
          "[client_handshake][6455:4.1][6455:9.1][C63][C65][C66][client]") {
    const level_extension level, other("x-other", "x-other");
    const extension_factory* const offered[] = {&level.factory, &other.factory};
    const client_options options{.extensions = offered}, none;
    struct row {
        const char* lines;
        errc error;
        const extension_factory* agreed;
        int level;
    };
    for (const row& r :
         {row{"", {}, nullptr, 0}, row{"Sec-WebSocket-Extensions:\r\n", {}, nullptr, 0},
          row{"Sec-WebSocket-Extensions: x-level; level=3\r\n", {}, &level.factory, 3},
          row{"Sec-WebSocket-Extensions: ,\r\nsec-websocket-extensions: x-other; level=\"\\8\"\r\n",
              {},
              &other.factory,
              8},
          row{"Sec-WebSocket-Extensions: nobody\r\n", errc::unoffered_extension, nullptr, 0},
          row{"Sec-WebSocket-Extensions: X-Level\r\n", errc::unoffered_extension, nullptr, 0},
          row{"Sec-WebSocket-Extensions: x-level, x-level\r\n", errc::unoffered_extension, nullptr,
              0},
          row{"Sec-WebSocket-Extensions: x-level\r\nSec-WebSocket-Extensions: x-level\r\n",
              errc::unoffered_extension, nullptr, 0},
          row{"Sec-WebSocket-Extensions: x-level, x-other\r\n", errc::extension_refused, nullptr,
              0},
          row{"Sec-WebSocket-Extensions: x-level; level=10\r\n", errc::extension_refused, nullptr,
              0},
          row{"Sec-WebSocket-Extensions: x-level; foo\r\n", errc::extension_refused, nullptr, 0},
          row{"Sec-WebSocket-Extensions: x-level;\r\n", errc::bad_extensions, nullptr, 0},
          row{"Sec-WebSocket-Extensions: x-level; level=\"3\r\n", errc::bad_extensions, nullptr, 0},
          row{"Sec-WebSocket-Extensions: x-level; level=\"3 4\"\r\n", errc::bad_extensions, nullptr,
              0},
          row{"Sec-WebSocket-Extensions: x-level\r\nSec-WebSocket-Extensions: a b\r\n",
              errc::bad_extensions, nullptr, 0}}) {
        CAPTURE(r.lines);
        played_client client(adding(good_answer, r.lines), options);
        CHECK(client.error() == r.error);
        if (r.error != errc{}) continue;
        CHECK(client.handshake.agreed().extension == r.agreed);
        CHECK(client.handshake.agreed().parameters.values[0] == r.level);
    }
    CHECK(refusal(adding(good_answer, "Sec-WebSocket-Extensions: x-level\r\n"), none) ==
          errc::unoffered_extension);
}

TEST_CASE("a 101 has no body, whatever it says", "[client_handshake][9112:6.3][C37][client]") {
    for (const char* lines : {"Content-Length: 0\r\n", "Content-Length: 5\r\n",
                              "Content-Type: text/plain\r\n", "Transfer-Encoding: chunked\r\n"}) {
        played_client client(adding(good_answer, lines) + "\x81\x01x");
        CHECK(client.status == status::upgrade);
        CHECK(client.in.rest() == "\x81\x01x");
    }
}

TEST_CASE("a malformed answer fails by name",
          "[client_handshake][C22][C26][C30][C40][S41][client]") {
    CHECK(refusal("\r\n" + good_answer) == errc::bad_start_line);
    CHECK(refusal("SSH-2.0-OpenSSH_9.2\r\n") == errc::bad_start_line);
    CHECK(refusal(adding(good_answer, "X: y\n")) == errc::bad_line_end);
    CHECK(refusal(adding(good_answer, "X : y\r\n")) == errc::bad_field_name);
    CHECK(refusal(adding(good_answer, "X: \x01\r\n")) == errc::bad_field_value);
    CHECK(refusal(adding(good_answer, " folded\r\n")) == errc::folded_line);
    CHECK(refusal(adding(good_answer, "X: " + std::string(8190, 'x') + "\r\n")) ==
          errc::line_too_long);
    std::string crowded = good_answer;
    for (int i = 0; i < 125; ++i) crowded = adding(crowded, "X: y\r\n");
    CHECK(refusal(crowded) == errc{});
    CHECK(refusal(adding(crowded, "X: y\r\n")) == errc::too_many_fields);
    CHECK(played_client("nonsense\r\n").handshake.response().status == 0);
}

TEST_CASE("an answer may have any size up to 64 KiB", "[client_handshake][C30][S25][S41][client]") {
    for (std::size_t size = 1024; size <= 65536 + 1024; size += 509) {
        std::string answer = good_answer;
        while (answer.size() + 8300 < size)
            answer = adding(answer, "X:" + std::string(8188, 'x') + "\r\n");
        while (size - answer.size() > 4104)
            answer = adding(answer, "Y:" + std::string(4096, 'y') + "\r\n");
        answer = adding(answer, "Z:" + std::string(size - answer.size() - 4, 'z') + "\r\n");
        REQUIRE(answer.size() == size);
        CHECK(refusal(answer) == (size <= 65536 ? errc{} : errc::head_too_big));
    }
}

TEST_CASE("a refusal is reported with status, fields and body",
          "[client_handshake][6455:4.1][C39][C68][client]") {
    const std::string answer =
        "HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13, 8\r\nSec-WebSocket-Version: "
        "7\r\nContent-Length: 6\r\n\r\n";
    played_client client(answer + "not 13 and more");
    CHECK(client.status == status::failed);
    CHECK(client.error() == errc::unexpected_status);
    const response_view response = client.handshake.response();
    CHECK(response.status == 426);
    CHECK(response.reason == "Upgrade Required");
    CHECK(response.fields.contains_token("Sec-WebSocket-Version", "7"));
    CHECK(response.fields.contains_token("Sec-WebSocket-Version", "8"));
    CHECK(response.body == "not 13");
    CHECK(client.in.rest().empty());
    CHECK(refusal("HTTP/1.1 302 Found\r\nLocation: ws://elsewhere/\r\nContent-Length: 0\r\n\r\n") ==
          errc::unexpected_status);
}

TEST_CASE("a refusal's body is read however it is framed and split, and no longer needs the input",
          "[client_handshake][C39][S35][client]") {
    struct row {
        const char *fields, *body;
        bool until_end;
    };
    for (const row& r :
         {row{"Content-Length: 11\r\n", "who are you", false},
          row{"Transfer-Encoding: chunked\r\n", "4\r\nwho \r\n7;x\r\nare you\r\n0\r\n\r\n", false},
          row{"", "who are you", true},
          row{"Transfer-Encoding: chunked, gzip\r\n", "who are you", true}}) {
        const std::string answer = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n" +
                                   std::string(r.fields) + "\r\n" + r.body;
        for (std::size_t cut = 0; cut <= answer.size(); ++cut) {
            const client_options options;
            buffer head, out;
            client_handshake handshake(*parse_uri("ws://h"), options, head, sample_entropy);
            REQUIRE(handshake.request(out) == errc{});
            for (const std::string& piece : {answer.substr(0, cut), answer.substr(cut)}) {
                input in(piece);
                handshake.receive(in.left);
            }
            CHECK(handshake.is_connecting() == r.until_end);
            CHECK(handshake.receive_eof() == status::failed);
            CHECK(handshake.error() == errc::unexpected_status);
            CHECK(handshake.response().status == 401);
            CHECK(handshake.response().reason == "Unauthorized");
            CHECK(handshake.response().fields.find("WWW-Authenticate") == "Basic");
            CHECK(handshake.response().body == "who are you");
        }
    }
}

TEST_CASE("a refusal's body is kept up to its bound", "[client_handshake][C39][S25][client]") {
    for (const std::size_t size : {8191u, 8192u, 8193u, 100000u}) {
        played_client endless("HTTP/1.1 500 x\r\n\r\n" + std::string(size, 'x'));
        CHECK(endless.status == (size < 8192 ? status::need_more : status::failed));
        CHECK(endless.handshake.response().body.size() == std::min<std::size_t>(size, 8192));
        played_client known("HTTP/1.1 500 x\r\nContent-Length: " + std::to_string(size) +
                            "\r\n\r\n" + std::string(size, 'x'));
        CHECK(known.status == status::failed);
        CHECK(known.handshake.response().body.size() == std::min<std::size_t>(size, 8192));
    }
    for (const char* empty :
         {"HTTP/1.1 204 x\r\n\r\n", "HTTP/1.1 304 x\r\nContent-Length: 9\r\n\r\n",
          "HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n",
          "HTTP/1.1 404 x\r\nContent-Length: -1\r\n\r\nxxx",
          "HTTP/1.1 404 x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nxxx"}) {
        played_client client(empty);
        CHECK(client.status == status::failed);
        CHECK(client.error() == errc::unexpected_status);
        CHECK(client.handshake.response().body.empty());
    }
}

TEST_CASE("a fixed storage holds what it can of a refusal", "[client_handshake][S41][client]") {
    const std::string answer = "HTTP/1.1 500 x\r\n\r\nbody"; // 18 and 4
    for (std::size_t room = 0; room <= 30; ++room) {
        const client_options options;
        std::vector<std::byte> memory(room);
        buffer head{byte_span(memory)}, out;
        client_handshake handshake(*parse_uri("ws://h"), options, head, sample_entropy);
        REQUIRE(handshake.request(out) == errc{});
        input in(answer);
        handshake.receive(in.left);
        handshake.receive_eof();
        CHECK(handshake.error() == errc::unexpected_status);
        CHECK(handshake.response().status == 500);
        CHECK(handshake.response().body ==
              std::string_view("body").substr(0,
                                              room < 18 ? 0 : std::min<std::size_t>(room - 18, 4)));
    }
}

TEST_CASE("the end of the transport is an error of its own",
          "[client_handshake][6455:7.2.1][C67][client]") {
    for (std::size_t size = 0; size < good_answer.size(); ++size) {
        played_client client(good_answer.substr(0, size));
        CHECK(client.handshake.receive_eof() == status::failed);
        CHECK(client.error() == errc::head_truncated);
        CHECK(client.handshake.response().status == 0);
    }
    played_client hints("HTTP/1.1 103 Early Hints\r\n\r\n");
    CHECK(hints.handshake.receive_eof() == status::failed);
    CHECK(hints.error() == errc::head_truncated);
    played_client cut("HTTP/1.1 404 x\r\nContent-Length: 9\r\n\r\nabc");
    CHECK(cut.handshake.receive_eof() == status::failed);
    CHECK(cut.error() == errc::unexpected_status);
    CHECK(cut.handshake.response().body == "abc");
}

TEST_CASE("after a failure nothing is read any more", "[client_handshake][6455:4.1][S55][client]") {
    played_client client(with(good_answer, "xOo=", "xOp="));
    REQUIRE(client.error() == errc::accept_mismatch);
    input in(good_answer);
    CHECK(client.handshake.receive(in.left) == status::failed);
    CHECK(in.rest().empty());
    CHECK(client.error() == errc::accept_mismatch);
    CHECK(client.handshake.receive_eof() == status::failed);
    CHECK(client.error() == errc::accept_mismatch);
}

TEST_CASE("the agreement no longer needs the answer", "[client_handshake][S35][client]") {
    const level_extension level;
    const extension_factory* const offered[] = {&level.factory};
    const client_options options{.subprotocols = wanted, .extensions = offered};
    auto client = std::make_unique<played_client>(
        adding(good_answer,
               "Sec-WebSocket-Protocol: soap\r\nSec-WebSocket-Extensions: x-level; level=6\r\n"),
        options);
    REQUIRE(client->status == status::upgrade);
    const agreement agreed = client->handshake.agreed();
    client.reset();
    CHECK(agreed.subprotocol == "soap");
    CHECK(agreed.extension == &level.factory);
    CHECK(agreed.parameters.values[0] == 6);
}

TEST_CASE("an upgrade that is not acceptable is told from the storage: the input may be gone", "[client_handshake][client][S35]") {
    // A 101 whole in one read, with a subprotocol that nobody asked for.
    input           in(adding(good_answer, "Sec-WebSocket-Protocol: superchat\r\n"));
    navette::buffer head, out;
    client_handshake handshake(*navette::parse_uri("ws://server.example.com/chat"), played_client::no_options(), head, sample_entropy);
    REQUIRE(handshake.request(out) == errc{});
    byte_span left = in.left;
    REQUIRE(handshake.receive(left) == client_handshake_status::failed);
    CHECK(handshake.error() == errc::unoffered_subprotocol);
    std::fill(in.left.begin(), in.left.end(), std::byte{0xdd});
    REQUIRE(handshake.response().status == 101);
    CHECK(handshake.response().fields.find("Sec-WebSocket-Protocol") == "superchat");
}

TEST_CASE("what of an answer broke the rule is told", "[client_handshake][client]") {
    struct wrong {
        std::string      answer;
        errc             error;
        std::string_view broken_by;
    };
    const std::string accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    for (const wrong& each : std::vector<wrong>{
             {"HTTP/1.1 404 Not here\r\nContent-Length: 0\r\n\r\n", errc::unexpected_status, "HTTP/1.1 404 Not here"},
             {"HTTP/3.0 200 OK\r\n\r\n", errc::bad_start_line, "HTTP/3.0 200 OK"},
             {"SSH-2.0-OpenSSH_9.2\r\n", errc::bad_start_line, "SSH-2.0-OpenSSH_9.2"},
             {"HTTP/1.1 101\r\nUpgrade : websocket\r\n\r\n", errc::bad_field_name, "Upgrade : websocket"},
             {"HTTP/1.1 101\r\nX: a\x01\r\n\r\n", errc::bad_field_value, "X: a\x01"},
             {"HTTP/1.1 101\r\nX: a\n\r\n", errc::bad_line_end, "X: a"},
             {"HTTP/1.1 101\r\nX: a\r\n b\r\n\r\n", errc::folded_line, " b"},
             {with(good_answer, ": websocket", ": h2c"), errc::upgrade_mismatch, "h2c"},
             {with(good_answer, "Upgrade: websocket\r\n", ""), errc::upgrade_mismatch, ""},
             {with(good_answer, "Connection: Upgrade", "Connection: close"), errc::connection_mismatch, "close"},
             {with(good_answer, "s3pPLMBi", "S3pPLMBi"), errc::accept_mismatch, "S3pPLMBiTxaQ9kYGzzhZRbK+xOo="},
             {with(good_answer, accept, "X: y"), errc::accept_mismatch, ""},
             {adding(good_answer, "Sec-WebSocket-Extensions: x; y=1\r\n"), errc::unoffered_extension, "x; y=1"},
             {adding(good_answer, "Sec-WebSocket-Extensions: \x22\r\n"), errc::bad_extensions, "\x22"},
             {adding(good_answer, "Sec-WebSocket-Protocol: mqtt\r\n"), errc::unoffered_subprotocol, "mqtt"}}) {
        CAPTURE(each.answer);
        played_client client(each.answer, asking);
        CHECK(client.error() == each.error);
        CHECK(client.handshake.broken_by() == each.broken_by);
    }
    CHECK(played_client(good_answer, asking).handshake.broken_by().empty());
}
