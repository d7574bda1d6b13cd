// The opening handshake under every split, every truncation, every byte changed, and every byte value in every string
// that a user supplies (RFC 6455, 4).
#include "support/bytes.hpp"
#include "support/handshake.hpp"
#include "support/long_run.hpp"

#include <string>
#include <vector>

using namespace navette;

namespace {

const level_extension level;
const extension_factory* const known[] = {&level.factory};
constexpr std::string_view spoken[]    = {"soap", "wamp"};
constexpr std::string_view ours[]      = {"http://example.com"};
const http_field extra[]               = {{"Server", "test"}};
const server_options strict{.origins      = origin_policy::list(ours),
                            .subprotocols = spoken,
                            .extensions   = known,
                            .fields       = extra};
const client_options asking{.subprotocols = spoken, .extensions = known};

const std::string offers =
    "Sec-WebSocket-Protocol: mqtt, wamp\r\nSec-WebSocket-Extensions: x-level; level=7\r\n";
const std::string agreements =
    "Sec-WebSocket-Protocol: wamp\r\nSec-WebSocket-Extensions: x-level; level=7\r\n";

const std::vector<std::string> requests = {
    good_request,
    "\r\n" + adding(good_request, offers + "Expect: 100-continue\r\nCookie: a=b\r\n"),
    with(good_request, "/chat", "http://other.example:81/chat?x"),
    with(good_request, "13\r\n", "8\r\n"),
    with(good_request, "example.com\r\nSec", "evil.org\r\nSec"),
    adding(good_request, "Content-Length: 3\r\n"),
    adding(good_request, "Folded: a\r\n b\r\n"),
    "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
    "POST / HTTP/1.0\r\n\r\n",
    "GET\r\n\r\n",
};

const std::vector<std::string> answers = {
    good_answer,
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 \r\nLink: x\r\n\r\n" +
        adding(with(good_answer, "Switching", "Web Socket"), agreements),
    with(good_answer, "xOo=", "xOO="),
    adding(good_answer, "Sec-WebSocket-Protocol: mqtt\r\n"),
    adding(good_answer, "Bad : x\r\n"),
    "HTTP/1.1 401 Unauthorized\r\nContent-Length: 3\r\n\r\nwho",
    "HTTP/1.1 503 \r\nTransfer-Encoding: chunked\r\n\r\n3\r\nlat\r\n2\r\ner\r\n0\r\n\r\n",
    "HTTP/1.1 200\r\n\r\n<html>",
};

const std::string frames = "\x81\x85\r\n\r\n\x01\r\n\r\n";

// All that there is to see of a server that reads `text` in pieces that end at `cuts`, then accepts or responds.
std::string serve(std::string_view text, std::vector<std::size_t> cuts) {
    buffer head, out;
    server_handshake handshake(strict, head);
    cuts.push_back(text.size());
    std::vector<std::unique_ptr<input>> pieces;
    std::string rest;
    std::size_t begin = 0;
    handshake_status status{};
    for (const std::size_t end : cuts) {
        pieces.push_back(std::make_unique<input>(text.substr(begin, end - begin)));
        begin  = end;
        status = handshake.receive(pieces.back()->left, out);
        rest += pieces.back()->rest();
    }
    std::string seen =
        Catch::Detail::stringify(status) + Catch::Detail::stringify(handshake.error());
    if (status == handshake_status::upgrade) {
        const auto agreed = handshake.accept();
        REQUIRE(agreed);
        seen += std::string(agreed->subprotocol) + std::to_string(agreed->parameters.values[0]);
        REQUIRE(append_http1(handshake.response(), out) == errc{});
    } else if (status == handshake_status::plain_request) {
        REQUIRE(handshake.respond(200, {}, "ok") == errc{});
        REQUIRE(append_http1(handshake.response(), out) == errc{});
    }
    const request_view& request = handshake.request();
    return seen + '\n' + std::string(request.path) + '\n' + std::string(request.host) + '\n' +
           to_string(out.data()) + '\n' + rest;
}

// The same of a client; with `eof`, the transport ends behind the last piece.
std::string ask(std::string_view text, std::vector<std::size_t> cuts, bool eof = false) {
    buffer head, out;
    client_handshake handshake(*parse_uri("ws://server.example.com/chat"), asking, head,
                               sample_entropy);
    REQUIRE(handshake.request(out) == errc{});
    const std::size_t sent = out.size();
    cuts.push_back(text.size());
    std::vector<std::unique_ptr<input>> pieces;
    std::string rest;
    std::size_t begin = 0;
    client_handshake_status status{};
    for (const std::size_t end : cuts) {
        pieces.push_back(std::make_unique<input>(text.substr(begin, end - begin)));
        begin  = end;
        status = handshake.receive(pieces.back()->left);
        rest += pieces.back()->rest();
    }
    if (eof) status = handshake.receive_eof();
    CHECK(out.size() == sent);
    std::string seen =
        Catch::Detail::stringify(status) + Catch::Detail::stringify(handshake.error()) + '\n';
    const response_view response = handshake.response();
    seen += std::to_string(response.status) + std::string(response.reason) + '\n' +
            std::string(response.body) + '\n';
    for (const http_field& field : response.fields)
        seen += std::string(field.name) + '=' + std::string(field.value) + '\n';
    if (status == client_handshake_status::upgrade)
        seen += std::string(handshake.agreed().subprotocol) +
                std::to_string(handshake.agreed().parameters.values[0]);
    return seen + rest;
}

std::vector<std::size_t> every_byte(std::size_t size) {
    std::vector<std::size_t> cuts;
    for (std::size_t i = 1; i < size; ++i) cuts.push_back(i);
    return cuts;
}

// What is wrong with an answer that a server wrote; nothing if it is one whole head and the body it announces.
std::string fault(const std::string& wire) {
    input in(wire);
    buffer storage;
    http_head head(http_message::response, storage);
    status_line line;
    do {
        if (line.status != 0) head.restart();
        if (head.receive(in.left) != http_head_status::complete) return "no head";
        if (parse_status_line(head.start_line(), line) != errc{}) return "no status line";
    } while (line.status == 100);
    const bool is_refusal = line.status >= 400 && line.status <= 599;
    if (line.status != 101 && line.status != 200 && !is_refusal)
        return "status " + std::to_string(line.status);
    if (line.status == 101) return in.rest().empty() ? "" : "bytes behind a 101";
    if (!head.fields().contains_token("Connection", "close")) return "does not close";
    return head.fields().find("Content-Length") == std::to_string(in.left.size()) ? ""
                                                                                  : "wrong length";
}

// Calls use(text, c) with each byte value at the start, in the middle and at the end of a text.
template <class Use>
void inject(Use use) {
    for (unsigned c = 0; c < 256; ++c) {
        const std::string character(1, static_cast<char>(c));
        for (const std::string& text : {character + "ab", "a" + character + "b", "ab" + character})
            use(text);
    }
}

// A request is well-formed if a server reads it as one request, with the fields that the client meant to send.
void check_written(const std::string& wire, std::size_t fields) {
    input in(wire);
    buffer storage;
    http_head head(http_message::request, storage);
    REQUIRE(head.receive(in.left) == http_head_status::complete);
    CHECK(in.rest().empty());
    std::size_t count = 0;
    for (http_fields rest = head.fields(); !rest.empty(); rest.pop_front()) ++count;
    CHECK(count == fields);
    request_line request;
    CHECK(parse_request_line(head.start_line(), request) == errc{});
}

} // namespace

TEST_CASE("a server sees the same however the request is split",
          "[property][handshake][C41][C58][S27][server]") {
    for (const std::string& request : requests) {
        const std::string text = request + frames;
        CAPTURE(request);
        const std::string whole = serve(text, {});
        for (std::size_t i = 0; i <= text.size(); ++i) CHECK(serve(text, {i}) == whole);
        for (std::size_t i = 0; i <= text.size(); i += 7)
            CHECK(serve(text, {i, std::min(i + 11, text.size())}) == whole);
        CHECK(serve(text, every_byte(text.size())) == whole);
    }
}

TEST_CASE("a client sees the same however the answer is split",
          "[property][handshake][C41][S27][client]") {
    for (const std::string& answer : answers) {
        const std::string text = answer + frames;
        CAPTURE(answer);
        const std::string whole = ask(text, {});
        for (std::size_t i = 0; i <= text.size(); ++i) CHECK(ask(text, {i}) == whole);
        for (std::size_t i = 0; i <= text.size(); i += 7)
            CHECK(ask(text, {i, std::min(i + 11, text.size())}) == whole);
        CHECK(ask(text, every_byte(text.size())) == whole);
    }
}

TEST_CASE("a server that loses the transport at any byte refuses",
          "[property][handshake][C48][server]") {
    for (const std::string& request : requests) {
        for (std::size_t size = 0; size < request.size(); ++size) {
            played_server server(std::string_view(request).substr(0, size), strict);
            if (server.status != handshake_status::need_more)
                break; // it was refused before its end
            CHECK(server.handshake.receive_eof(server.out) == handshake_status::refused);
            CHECK(server.error() == errc::head_truncated);
            CHECK((size == 0 ? server.sent().empty() : fault(server.sent()).empty()));
        }
    }
}

TEST_CASE("a client that loses the transport at any byte fails",
          "[property][handshake][C67][client]") {
    for (const std::string& answer : answers)
        for (std::size_t size = 0; size < answer.size(); ++size)
            CHECK(ask(answer.substr(0, size), {}, true).starts_with("failed"));
}

TEST_CASE(
    "whatever byte of a request is changed, a server accepts, answers or refuses by the rules",
    "[property][handshake][C48][S42][S56][S58][server]") {
    for (const std::string& request : requests) {
        for (std::size_t at = 0; at < request.size(); ++at) {
            const unsigned step = sampling_step();
            for (unsigned c = static_cast<unsigned>(at) % step; c < 256; c += step * (c < 0x30 || c > 0x7d ? 1 : 5)) {
                std::string changed = request;
                changed[at]         = static_cast<char>(c);
                played_server server(changed, strict);
                if (server.status == handshake_status::need_more)
                    server.handshake.receive_eof(server.out);
                if (server.status == handshake_status::upgrade)
                    REQUIRE((server.handshake.accept() &&
                             append_http1(server.handshake.response(), server.out) == errc{}));
                if (server.status == handshake_status::plain_request)
                    REQUIRE((server.handshake.respond(404) == errc{} &&
                             append_http1(server.handshake.response(), server.out) == errc{}));
                if (const std::string why = fault(server.sent()); !why.empty())
                    FAIL_CHECK(why << " after " << changed);
            }
        }
    }
}

TEST_CASE("whatever byte of an answer is changed, a client opens or fails by name",
          "[property][handshake][S42][client]") {
    std::size_t opened = 0;
    for (const std::string& answer : answers) {
        for (std::size_t at = 0; at < answer.size(); ++at) {
            const unsigned step = sampling_step();
            for (unsigned c = static_cast<unsigned>(at) % step; c < 256; c += step * (c < 0x30 || c > 0x7d ? 1 : 5)) {
                std::string changed = answer;
                changed[at]         = static_cast<char>(c);
                played_client client(changed, asking);
                client.handshake.receive_eof();
                const bool is_open = client.status == client_handshake_status::upgrade;
                opened += is_open ? 1u : 0u;
                if (is_open != (client.error() == errc{})) FAIL_CHECK("no error after " << changed);
            }
        }
    }
    CHECK(opened > 0);
}

TEST_CASE("text without sense is accepted or refused", "[property][handshake][S13][S42]") {
    std::uint32_t state = 1;
    const auto next     = [&state] { return state = state * 1664525 + 1013904223, state >> 16; };
    constexpr std::string_view pieces[] = {"GET ",
                                           "/",
                                           " HTTP/1.1",
                                           "HTTP/1.1 ",
                                           "101",
                                           " ",
                                           "\r\n",
                                           "\r",
                                           "\n",
                                           ":",
                                           "Host: h",
                                           "Upgrade: websocket",
                                           "\"",
                                           ",",
                                           ";",
                                           "\0\x01",
                                           "Sec-WebSocket-Key: ",
                                           "dGhlIHNhbXBsZSBub25jZQ==",
                                           "Sec-WebSocket-Extensions: ",
                                           "\xff\x80",
                                           "\r\n\r\n",
                                           "Connection: Upgrade"};
    for (int i = 0; i < 20000; ++i) {
        std::string text;
        for (std::size_t n = next() % 12; n > 0; --n) text += pieces[next() % std::size(pieces)];
        played_server server(text, strict);
        server.handshake.receive_eof(server.out);
        if (!server.sent().empty() && !fault(server.sent()).empty()) FAIL_CHECK(text);
        played_client client(text, asking);
        client.handshake.receive_eof();
        CHECK((client.status == client_handshake_status::upgrade) == (client.error() == errc{}));
    }
}

TEST_CASE("no byte in a string of the client's user's breaks the request",
          "[property][handshake][C20][C166][S57][client]") {
    const auto try_to_write = [](const uri& target, const client_options& options,
                                 std::size_t fields, bool is_right) {
        buffer head, out;
        client_handshake handshake(target, options, head, sample_entropy);
        const errc error = handshake.request(out);
        CHECK((error == errc{}) == is_right);
        if (error == errc{}) check_written(to_string(out.data()), fields);
        else CHECK(out.empty());
    };
    const uri target = *parse_uri("ws://h/");
    inject([&](const std::string& text) {
        CAPTURE(text);
        for (const std::string& form : {"ws://h/" + text, "ws://h/?" + text, "ws://" + text + "/"})
            if (const auto parsed = parse_uri(form)) try_to_write(*parsed, {}, 5, true);
        const std::string_view subprotocols[] = {text};
        try_to_write(target, {.subprotocols = subprotocols}, 6, is_token(text));
        const http_field value[] = {{"X", text}}, name[] = {{text, "y"}};
        try_to_write(target, {.fields = value}, 6, is_field_value(text));
        try_to_write(target, {.fields = name}, 6, is_token(text));
        try_to_write(target, {.origin = text}, 6, is_field_value(text));
        const level_extension offering("x-level", "x-level; " + text);
        const extension_factory* const offered[] = {&offering.factory};
        extension_offer offer;
        extension_reader reader(offering.offers);
        const bool is_offer = reader.next(offer) && !reader.next(offer) && !reader.malformed();
        buffer head, out;
        const client_options options{.extensions = offered};
        client_handshake handshake(target, options, head, sample_entropy);
        const errc error = handshake.request(out);
        CHECK((error == errc{} || out.empty()));
        if (error == errc{}) check_written(to_string(out.data()), 6);
        if (is_offer) CHECK(error == errc{});
    });
}

TEST_CASE("no byte in a string of the server's user's breaks the answer",
          "[property][handshake][C20][C166][S57][S58][server]") {
    inject([](const std::string& text) {
        CAPTURE(text);
        const http_field value[] = {{"X", text}}, name[] = {{text, "y"}};
        for (const bool in_value : {true, false}) {
            const std::span<const http_field> fields(in_value ? value : name);
            const bool is_right = in_value ? is_field_value(text) : is_token(text);

            played_server accepting(good_request);
            CHECK(accepting.handshake.accept({.fields = fields}).error() ==
                  (is_right ? errc{} : errc::invalid_field));
            played_server rejecting(good_request);
            CHECK(rejecting.handshake.reject(401, fields, text) ==
                  (is_right ? errc{} : errc::invalid_field));
            for (played_server* const server : {&accepting, &rejecting}) {
                if (!is_right) continue;
                CHECK(append_http1(server->handshake.response(), server->out) == errc{});
                CHECK(fault(server->sent()).empty());
            }
            const server_options options{.origins = origin_policy::any(), .fields = fields};
            played_server configured(good_request, options);
            CHECK(configured.error() == (is_right ? errc{} : errc::invalid_field));
            if (!is_right) CHECK(fault(configured.sent()).empty());
        }
        played_server choosing(adding(good_request, offers));
        CHECK(choosing.handshake.accept({.subprotocol = text}).error() ==
              errc::invalid_subprotocol);
    });
}

TEST_CASE("a client and a server of ours agree", "[property][handshake][C10][C51][C53][C54]") {
    for (const char* target : {"ws://server.example.com/chat?x=1", "ws://[::1]:9001/", "wss://h"}) {
        buffer client_head, server_head, to_server, to_client;
        client_handshake client(*parse_uri(target), asking, client_head);
        server_handshake server(strict, server_head);
        REQUIRE(client.request(to_server) == errc{});
        byte_span in = to_server.data();
        REQUIRE(server.receive(in, to_client) == handshake_status::upgrade);
        CHECK(in.empty());
        const auto agreed = server.accept();
        REQUIRE(agreed);
        REQUIRE(append_http1(server.response(), to_client) == errc{});
        in = to_client.data();
        REQUIRE(client.receive(in) == client_handshake_status::upgrade);
        CHECK(in.empty());
        CHECK(client.agreed().subprotocol == "soap");
        CHECK(agreed->subprotocol == "soap");
        CHECK(client.agreed().parameters == agreed->parameters);
        CHECK(client.response().fields.find("Server") == "test");
    }
}
