#include <navette/handshake/transparent_proxy.hpp>

#include "support/bytes.hpp"
#include "support/handshake.hpp"

#include <set>
#include <string>

using namespace navette;

namespace Catch {

template <>
struct StringMaker<interference> {
    static std::string convert(interference seen) {
        constexpr const char* names[] = {"none", "upgrade_stripped", "answered_by_proxy", "plain_answer",
                                         "cut",  "cut_when_idle"};
        return names[static_cast<std::size_t>(seen)];
    }
};

} // namespace Catch

namespace {

using seen = interference;

// What a client of ws sees in this answer, behind which the connection ends; a client of wss never sees anything.
interference look(const std::string& answer) {
    played_client client(answer);
    client.handshake.receive_eof();
    CHECK(find_interference(*parse_uri("wss://server.example.com/chat"), client.handshake) == seen::none);
    return find_interference(*parse_uri("ws://server.example.com/chat"), client.handshake);
}

std::string answer(const std::string& code, const std::string& fields = "") {
    return "HTTP/1.1 " + code + " x\r\n" + fields + "\r\nbody";
}

} // namespace

TEST_CASE("an answer that lost its Upgrade or Connection field went through a proxy",
          "[transparent_proxy][9110:7.6.1][client]") {
    CHECK(look(good_answer) == seen::none);
    CHECK(look(with(good_answer, "Upgrade: websocket\r\n", "")) == seen::upgrade_stripped);
    CHECK(look(with(good_answer, "Connection: Upgrade\r\n", "")) == seen::upgrade_stripped);
    CHECK(look(with(good_answer, "Connection: Upgrade", "Connection: keep-alive")) == seen::upgrade_stripped);
    CHECK(look(with(good_answer, "Upgrade: websocket", "Upgrade: h2c")) == seen::none);
}

TEST_CASE("a server that asks for the upgrade it was asked for did not see it",
          "[transparent_proxy][9110:15.5.22][client]") {
    CHECK(look(answer("426")) == seen::upgrade_stripped);
    CHECK(look(answer("426", "Upgrade: websocket\r\nConnection: Upgrade, close\r\nSec-WebSocket-Version: 8, 13\r\n")) ==
          seen::upgrade_stripped);
    CHECK(look(answer("426", "Upgrade: websocket\r\nSec-WebSocket-Version: 8\r\n")) == seen::none);
    CHECK(look(answer("400", "Sec-WebSocket-Version: 14\r\n")) == seen::none);
}

TEST_CASE("proxies and caches leave marks in an answer", "[transparent_proxy][9110:7.6.3][client]") {
    for (const char* mark : {"Via: 1.1 cache (squid/5.7)", "X-Cache: MISS from cache", "x-cache-lookup: NONE",
                             "X-Squid-Error: ERR_INVALID_REQ 0", "Age: 1", "Proxy-Connection: close",
                             "Proxy-Status: p; error=x", "Proxy-Authenticate: Basic"}) {
        CAPTURE(mark);
        for (const char* code : {"200", "302", "400", "403", "426", "502", "503", "504"})
            CHECK(look(answer(code, std::string(mark) + "\r\n")) == seen::answered_by_proxy);
        CHECK(look(adding(good_answer, std::string(mark) + "\r\n")) == seen::none);
        CHECK(look(adding(with(good_answer, "s3pP", "s3pQ"), std::string(mark) + "\r\n")) == seen::answered_by_proxy);
    }
    CHECK(look(answer("407")) == seen::answered_by_proxy);
    CHECK(look(answer("511")) == seen::answered_by_proxy);
    CHECK(look(with(good_answer, "s3pP", "s3pQ")) == seen::none);
}

TEST_CASE("an answer to a plain request may come of a proxy or of a server that is none",
          "[transparent_proxy][client]") {
    CHECK(look(answer("200")) == seen::plain_answer);
    CHECK(look(answer("400")) == seen::plain_answer);
}

TEST_CASE("what a server refuses by itself points to nobody", "[transparent_proxy][client]") {
    for (const char* code : {"301", "401", "403", "404", "405", "429", "500", "503"})
        CHECK(look(answer(code)) == seen::none);
    CHECK(look("SSH-2.0\r\n") == seen::none);
    CHECK(look(adding(good_answer, "Sec-WebSocket-Protocol: x\r\n")) == seen::none);
}

TEST_CASE("a connection that ends before the answer was cut", "[transparent_proxy][client]") {
    CHECK(look("") == seen::cut);
    CHECK(look("HTTP/1.1 101 x\r\n") == seen::cut);
}

TEST_CASE("an open connection that ends in a silence was cut", "[transparent_proxy][client]") {
    const uri ws = *parse_uri("ws://a"), wss = *parse_uri("wss://a");
    CHECK(find_interference(ws, errc::truncated, seconds(20)) == seen::cut_when_idle);
    CHECK(find_interference(ws, errc::truncated, milliseconds(19'999)) == seen::none);
    CHECK(find_interference(ws, errc::pong_timeout, seconds(60)) == seen::none);
    CHECK(find_interference(wss, errc::truncated, seconds(60)) == seen::none);
}

TEST_CASE("each sign has a sentence of its own that advises wss on port 443", "[transparent_proxy]") {
    std::set<std::string_view> sentences;
    for (const seen s :
         {seen::upgrade_stripped, seen::answered_by_proxy, seen::plain_answer, seen::cut, seen::cut_when_idle}) {
        CHECK(describe(s).find("wss on port 443") != std::string_view::npos);
        CHECK(sentences.insert(describe(s)).second);
    }
    CHECK(describe(seen::none).empty());
}
