#include <navette/stream/opening_handshake.hpp>

#include "support/bytes.hpp"
#include "support/failing_stream.hpp"
#include "support/handshake_peer.hpp"
#include "support/memory_stream.hpp"
#include "support/scripted_stream.hpp"

#include <mutex>
#include <string>
#include <thread>

using namespace navette;

namespace {

const uri            target  = *parse_uri("ws://example.com/chat");
const server_options anybody = {.origins = origin_policy::any()};

struct fixture {
    std::shared_ptr<script> peer  = std::make_shared<script>();
    instant                 start = peer->clock;

    auto connect(const client_options& options = {}, handshake_report* report = nullptr, const timeouts& times = {}) {
        return navette::connect(scripted_stream(peer), target, options, default_limits, times, report);
    }
    template <class OnRequest = accept_upgrades>
    auto accept(OnRequest on_request = {}, const timeouts& times = {}, const server_options& options = anybody) {
        return navette::accept(scripted_stream(peer), options, default_limits, times, on_request);
    }
};

} // namespace

// ---- the client

TEST_CASE("a client connects, and reads frames that came in the answer's segment", "[opening_handshake][client][C41]") {
    fixture f;
    answer_upgrade(*f.peer, {}, bytes("81 02 6869"));
    auto ws = f.connect();
    REQUIRE(ws);
    CHECK(ws->read()->text() == "hi");
}

TEST_CASE("a client sends nothing but the request until the answer is judged", "[opening_handshake][client][C19]") {
    fixture     f;
    std::string request;
    f.peer->on_write = [&](script& s) {
        request    = s.text();
        s.on_write = nullptr;
        const auto answer = text_bytes(upgrade_answer(request));
        for (const std::byte b : answer) s.say({b});
    };
    auto ws = f.connect();
    REQUIRE(ws);
    CHECK(f.peer->text() == request);
    CHECK(request.ends_with("\r\n\r\n"));
    CHECK(request.find("\r\n\r\n") == request.size() - 4);
}

TEST_CASE("a refusal's status, fields and body are reported", "[opening_handshake][client][C39][C68]") {
    fixture f;
    f.peer->say(text_bytes("HTTP/1.1 401 Who are you\r\nWWW-Authenticate: Basic\r\nContent-Length: 5\r\n\r\nlog i"));
    handshake_report report;
    auto             ws = f.connect({}, &report);
    CHECK(ws.error() == errc::unexpected_status);
    CHECK(ws.error() == blame::handshake_failed);
    const handshake_report kept = std::move(report);
    CHECK(kept.response.status == 401);
    CHECK(kept.response.reason == "Who are you");
    CHECK(kept.response.fields.find("www-authenticate") == "Basic");
    CHECK(kept.response.body == "log i");
    CHECK(f.peer->order == "close");
}

TEST_CASE("a server's list of versions can be read from the report", "[opening_handshake][client][C68]") {
    fixture f;
    f.peer->say(text_bytes("HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 8, 7\r\nContent-Length: 0\r\n\r\n"));
    handshake_report report;
    CHECK(f.connect({}, &report).error() == errc::unexpected_status);
    CHECK(report.response.fields.find("Sec-WebSocket-Version") == "8, 7");
}

TEST_CASE("an upgrade's fields are reported too, and a report may be used again", "[opening_handshake][client]") {
    handshake_report report;
    {
        fixture f;
        f.peer->say(text_bytes("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"));
        CHECK_FALSE(f.connect({}, &report));
    }
    fixture f;
    answer_upgrade(*f.peer, "Set-Cookie: a=b\r\n", bytes("81 02 6869"));
    auto ws = f.connect({}, &report);
    REQUIRE(ws);
    CHECK(report.response.status == 101);
    CHECK(report.response.fields.find("Set-Cookie") == "a=b");
    CHECK(ws->read()->text() == "hi");
}

TEST_CASE("an answer that fails a check closes the stream without another byte", "[opening_handshake][client][C62]") {
    fixture f;
    f.peer->say(text_bytes(upgrade_answer("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")));
    auto ws = f.connect();
    CHECK(ws.error() == errc::accept_mismatch);
    CHECK(f.peer->text().ends_with("\r\n\r\n"));
    CHECK(f.peer->order == "close");
}

TEST_CASE("a client's connection lost in the handshake fails by its own error, at every byte",
          "[opening_handshake][client][C67][S30][C161]") {
    // The key is the client's secret until it writes: the answer is cut when it is made.
    for (std::size_t cut = 0;; ++cut) {
        fixture f;
        bool    whole    = false;
        f.peer->on_write = [&](script& s) {
            s.on_write        = nullptr;
            const auto answer = text_bytes(upgrade_answer(s.text()));
            whole             = cut >= answer.size();
            if (cut > 0) s.say({answer.begin(), answer.begin() + static_cast<std::ptrdiff_t>(std::min(cut, answer.size()))});
            s.end();
        };
        auto ws = f.connect();
        CAPTURE(cut);
        CHECK(bool(ws) == whole);
        if (whole) break;
        CHECK(ws.error() == errc::head_truncated);
        CHECK(f.peer->closed);
    }
}

TEST_CASE("a client's handshake has one deadline for all of it", "[opening_handshake][client][S32][C162]") {
    const timeouts times{.handshake = seconds(10)};
    fixture        f;
    SECTION("silence") {
        CHECK(f.connect({}, nullptr, times).error() == errc::handshake_timeout);
    }
    SECTION("a byte a second") {
        const auto answer = std::make_shared<std::string>("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n");
        f.peer->endless   = [answer, i = std::size_t{0}]() mutable {
            return text_bytes(answer->substr(i++ % answer->size(), 1));
        };
        f.peer->endless_every = seconds(1);
        CHECK(f.connect({}, nullptr, times).error() == errc::handshake_timeout);
    }
    SECTION("a peer that takes no bytes") {
        f.peer->takes = 10;
        CHECK(f.connect({}, nullptr, times).error() == errc::handshake_timeout);
    }
    CHECK(f.peer->clock == f.start + seconds(10));
    CHECK(f.peer->closed);
}

TEST_CASE("what a client may not send is refused before a byte leaves", "[opening_handshake][client][C4][C20][C21]") {
    fixture f;
    SECTION("a field that would end its line") {
        const http_field fields[] = {{"X", "a\r\nb"}};
        CHECK(f.connect({.fields = fields}).error() == errc::invalid_field);
    }
    SECTION("a field of the handshake's own") {
        const http_field fields[] = {{"Sec-WebSocket-Key", "x"}};
        CHECK(f.connect({.fields = fields}).error() == errc::reserved_field);
    }
    SECTION("a URI made by hand") {
        uri bad  = target;
        bad.path = "/a b";
        CHECK(connect(scripted_stream(f.peer), bad).error() == errc::invalid_path);
    }
    CHECK(f.peer->written.empty());
    CHECK(f.peer->closed);
}

TEST_CASE("a client's large refusal is read whole, up to its bounds", "[opening_handshake][client][S41]") {
    for (const std::size_t size : {1u, 4'095u, 4'096u, 4'097u, 8'191u, 8'192u, 8'193u, 65'536u}) {
        fixture           f;
        const std::string body(size, 'b');
        f.peer->say(text_bytes("HTTP/1.1 503 Busy\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" + body));
        f.peer->end();
        handshake_report report;
        CHECK(f.connect({}, &report).error() == errc::unexpected_status);
        CAPTURE(size);
        CHECK(report.response.body == body.substr(0, default_limits.max_error_body));
    }
}

TEST_CASE("a client's large upgrade answer is read whole, whatever buffer it ends in", "[opening_handshake][client][S41]") {
    for (std::size_t lines = 0; lines < 9; ++lines)
        for (const std::size_t more : {0u, 1u, 2u, 3u, 60u, 4'000u}) {
            fixture     f;
            std::string fields;
            for (std::size_t i = 0; i < lines; ++i) fields += "X: " + std::string(6'000 + more / 9, 'x') + "\r\n";
            fields += "Y: " + std::string(more, 'y') + "\r\n";
            answer_upgrade(*f.peer, fields, bytes("81 02 6869"));
            auto ws = f.connect();
            CAPTURE(lines, more);
            REQUIRE(ws);
            CHECK(ws->read()->text() == "hi");
        }
}

// ---- the server

TEST_CASE("a server accepts, and reads frames that came in the request's segment", "[opening_handshake][server][C41]") {
    fixture f;
    f.peer->say(concat(text_bytes(upgrade_request()), bytes("81 82 00000000 6869")));
    auto ws = f.accept();
    REQUIRE(ws);
    CHECK(f.peer->text().starts_with("HTTP/1.1 101 "));
    CHECK(ws->read()->text() == "hi");
}

TEST_CASE("a server's 101 is written in full before its first frame", "[opening_handshake][server][C58]") {
    fixture f;
    f.peer->say(text_bytes(upgrade_request()));
    auto plan  = std::make_shared<failing_plan>();
    plan->most = 1;
    auto ws    = accept(failing_stream(scripted_stream(f.peer), plan), anybody);
    REQUIRE(ws);
    const std::string answer = f.peer->text();
    CHECK(answer.ends_with("\r\n\r\n"));
    CHECK_FALSE(ws->send("hi"));
    CHECK(f.peer->text() == answer + "\x81\x02hi");
}

TEST_CASE("a server never speaks WebSocket if its 101 could not leave", "[opening_handshake][server][C58]") {
    fixture f;
    f.peer->say(text_bytes(upgrade_request()));
    f.peer->takes = 20;
    CHECK(f.accept().error() == errc::handshake_timeout);
    CHECK(f.peer->written.size() == 20);
    CHECK(f.peer->closed);
}

TEST_CASE("the application sees the request and chooses the subprotocol and fields", "[opening_handshake][server][C53]") {
    fixture f;
    f.peer->say(text_bytes(upgrade_request("Sec-WebSocket-Protocol: a, b\r\nCookie: id=7\r\n", "/room?n=1")));
    const http_field fields[] = {{"X-Room", "1"}};
    auto             ws       = f.accept([&](const request_view& request) {
        CHECK(request.path == "/room");
        CHECK(request.query == "n=1");
        CHECK(request.cookie("id") == "7");
        return decision{.subprotocol = std::string_view("b"), .fields = fields};
    });
    REQUIRE(ws);
    CHECK(ws->agreed().subprotocol == "b");
    CHECK(f.peer->text().find("Sec-WebSocket-Protocol: b\r\n") != std::string::npos);
    CHECK(f.peer->text().find("X-Room: 1\r\n") != std::string::npos);
}

TEST_CASE("a rejected upgrade gets the whole answer, then the transport ends", "[opening_handshake][server][C49][C57][C119]") {
    fixture f;
    f.peer->say(concat(text_bytes(upgrade_request()), bytes("81 82 00000000 6869")));
    f.peer->end(seconds(1));
    auto ws = f.accept([](const request_view&) { return decision::reject(401, "who are you?"); });
    CHECK(ws.error() == errc::request_answered);
    CHECK(f.peer->text().starts_with("HTTP/1.1 401 "));
    CHECK(f.peer->text().find("Connection: close\r\n") != std::string::npos);
    CHECK(f.peer->text().ends_with("\r\n\r\nwho are you?"));
    CHECK(f.peer->order == "shutdown close");
    CHECK(f.peer->clock == f.start + seconds(1));
}

TEST_CASE("a plain request is answered by the application", "[opening_handshake][server]") {
    fixture f;
    f.peer->say(text_bytes("GET /page HTTP/1.1\r\nHost: example.com\r\n\r\n"));
    f.peer->end();
    const http_field fields[] = {{"Content-Type", "text/html"}};
    auto ws = f.accept([&](const request_view& request) {
        return request.path == "/page" ? decision::respond(200, "<p>hello", fields) : decision::respond(404);
    });
    CHECK(ws.error() == errc::request_answered);
    CHECK(f.peer->text().starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(f.peer->text().ends_with("<p>hello"));
}

TEST_CASE("by default a plain request is told to upgrade", "[opening_handshake][server][C47]") {
    fixture f;
    f.peer->say(text_bytes("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"));
    f.peer->end();
    CHECK(f.accept().error() == errc::request_answered);
    CHECK(f.peer->text().starts_with("HTTP/1.1 426 "));
    CHECK(f.peer->text().find("Upgrade: websocket\r\n") != std::string::npos);
    CHECK(f.peer->text().find("Sec-WebSocket-Version: 13\r\n") != std::string::npos);
}

TEST_CASE("a refused request gets its answer and names the check", "[opening_handshake][server][C48][C49][S55]") {
    fixture f;
    f.peer->say(text_bytes("GET / HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n\r\n" +
                           upgrade_request()));
    f.peer->end();
    CHECK(f.accept().error() == errc::unsupported_version);
    CHECK(f.peer->text().starts_with("HTTP/1.1 426 "));
    CHECK(f.peer->text().find("HTTP/1.1", 1) == std::string::npos);   // the second request was not read
    CHECK(f.peer->order == "shutdown close");
}

TEST_CASE("a decision that cannot be carried out is answered with 500 and returned", "[opening_handshake][server]") {
    struct row {
        decision made;
        errc     error;
    };
    const http_field bad[] = {{"X", "a\nb"}};
    for (const row& r : {row{{.subprotocol = std::string_view("unasked")}, errc::invalid_subprotocol},
                         row{{.fields = bad}, errc::invalid_field},
                         row{decision::reject(200), errc::invalid_status}}) {
        fixture f;
        f.peer->say(text_bytes(upgrade_request()));
        f.peer->end();
        CHECK(f.accept([&](const request_view&) { return r.made; }).error() == r.error);
        CHECK(f.peer->text().starts_with("HTTP/1.1 500 "));
    }
}

TEST_CASE("a server's connection lost in the handshake is an error, at every byte",
          "[opening_handshake][server][S30][S34][C161]") {
    const auto request = text_bytes(upgrade_request());
    for (std::size_t cut = 0; cut < request.size(); ++cut) {
        fixture f;
        if (cut > 0) f.peer->say({request.begin(), request.begin() + static_cast<std::ptrdiff_t>(cut)});
        f.peer->end();
        auto ws = f.accept();
        CAPTURE(cut);
        CHECK(ws.error() == errc::head_truncated);
        CHECK(f.peer->closed);
        CHECK(f.peer->text().find("101") == std::string::npos);
    }
}

TEST_CASE("a server's handshake has one deadline for all of it", "[opening_handshake][server][S32][C162]") {
    const timeouts times{.handshake = seconds(10), .close_within = seconds(5)};
    fixture        f;
    SECTION("silence is closed without a word") {
        CHECK(f.accept(accept_upgrades{}, times).error() == errc::handshake_timeout);
        CHECK(f.peer->written.empty());
        CHECK(f.peer->clock == f.start + seconds(10));
    }
    SECTION("a byte a second is told 408") {
        f.peer->endless = [request = upgrade_request(), i = std::size_t{0}]() mutable {
            return text_bytes(request.substr(i++ % request.size(), 1));
        };
        f.peer->endless_every = seconds(1);
        CHECK(f.accept(accept_upgrades{}, times).error() == errc::handshake_timeout);
        CHECK(f.peer->text().starts_with("HTTP/1.1 408 "));
        CHECK(f.peer->clock == f.start + seconds(15));
    }
    CHECK(f.peer->closed);
}

TEST_CASE("after an answer the wait for the peer's end is bounded", "[opening_handshake][server][S33][C162]") {
    const timeouts times{.close_within = seconds(5)};
    fixture        f;
    f.peer->say(text_bytes(upgrade_request()));
    const auto reject = [&] { return f.accept([](const request_view&) { return decision::reject(403); }, times).error(); };
    SECTION("silence") {
        CHECK(reject() == errc::request_answered);
    }
    SECTION("data for ever") {
        f.peer->endless       = [] { return text_bytes("GET / HTTP/1.1\r\n\r\n"); };
        f.peer->endless_every = milliseconds(100);
        CHECK(reject() == errc::request_answered);
    }
    CHECK(f.peer->clock == f.start + seconds(5));
    CHECK(f.peer->order == "shutdown close");
}

// ---- both, back to back

TEST_CASE("client and server open, talk and close over a memory stream", "[opening_handshake]") {
    auto [a, b] = memory_stream::make_pair();
    constexpr std::string_view wanted[] = {"v2", "v1"}, spoken[] = {"v1"};
    std::error_code            end;
    std::thread                server([&, stream = std::move(b)]() mutable {
        auto ws = accept<std::mutex>(std::move(stream), {.origins = origin_policy::any(), .subprotocols = spoken});
        while (auto m = ws ? ws->read() : ws.error())
            if (ws->send(*m)) break;
        end = ws->read().error();
    });
    auto ws = connect(std::move(a), target, {.subprotocols = wanted});
    REQUIRE(ws);
    CHECK(ws->agreed().subprotocol == "v1");
    for (const std::size_t size : {0u, 1u, 125u, 126u, 65'535u, 65'536u, 1'000'000u}) {
        const std::string text(size, 't');
        CHECK_FALSE(ws->send(text));
        const auto back = ws->read();
        CHECK((back && back->text() == text));
    }
    CHECK_FALSE(ws->close());
    server.join();
    CHECK(end == errc::closed);
}

// ---- what went wrong

TEST_CASE("what of an answer broke the rule is reported, and is there when the report has moved", "[opening_handshake][client]") {
    for (const bool in_pieces : {false, true}) {
        fixture f;
        const auto answer = text_bytes("HTTP/1.1 101 Fine\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n");
        if (in_pieces) {
            for (const std::byte b : answer) f.peer->say({b});
        } else {
            f.peer->say(answer);
        }
        handshake_report       report;
        const auto             ws   = f.connect({}, &report);
        const handshake_report kept = std::move(report);
        REQUIRE(ws.error() == errc::upgrade_mismatch);
        CHECK(explanation(ws.error(), kept.broken_by) ==
              "the server's Upgrade field is not websocket (RFC 6455, 4.1): \"h2c\"");
    }
}

TEST_CASE("what of a request broke the rule is reported to its server", "[opening_handshake][server]") {
    handshake_report report;
    {
        fixture f;
        f.peer->say(text_bytes("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"));
        CHECK_FALSE(f.connect({}, &report));
    }
    fixture f;
    f.peer->say(text_bytes("GET /chat HTTP/1.1\r\nHost: a\r\nBad Field: b\r\n\r\n"));
    f.peer->say(std::vector<std::byte>(1000, std::byte{'x'}));   // discarded where the request was read
    f.peer->end();
    const auto ws = navette::accept(scripted_stream(f.peer), anybody, default_limits, {}, accept_upgrades{}, &report);
    REQUIRE(ws.error() == errc::bad_field_name);
    CHECK(report.broken_by == "Bad Field: b");
    CHECK(report.response.status == 0);   // the other one's
}

TEST_CASE("a server that says 101 and then goes on in HTTP is told of as such", "[opening_handshake][client]") {
    fixture f;
    answer_upgrade(*f.peer, {}, text_bytes("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"));
    auto ws = f.connect();
    REQUIRE(ws);
    f.peer->end();
    CHECK(ws->explanation().empty());
    CHECK(ws->read().error() == blame::protocol_violation);
    CHECK(ws->explanation() == "the peer sent HTTP after 101 (RFC 6455, 5): \"HTTP/1.1 400 B\"");
}
