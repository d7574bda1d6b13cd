#include <navette/stream/request_decision.hpp>

#include "support/handshake.hpp"

using namespace navette;

namespace {

struct decided {
    std::string answer;
    errc        error;
    agreement   agreed;
};

decided decide(std::string_view request, decision made) {
    static constexpr std::string_view known[] = {"chat"};
    const server_options options{.origins = origin_policy::any(), .subprotocols = known};
    played_server        server(request, options);
    decided              result{};
    const auto           on_request = [&](const request_view&) { return made; };
    result.error  = detail::decide(server.handshake, server.status, on_request, server.out, result.agreed);
    result.answer = server.sent().substr(0, 13);
    return result;
}

const std::string plain = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

} // namespace

TEST_CASE("by default an upgrade is accepted, and a plain request is told to upgrade", "[decision][server][6455:4.2.2]") {
    const auto made = accept_upgrades{}(request_view{});
    CHECK(decide(good_request, made).error == errc{});
    CHECK(decide(good_request, made).answer == "HTTP/1.1 101 ");
    CHECK(decide(plain, made).error == errc::request_answered);
    CHECK(decide(plain, made).answer == "HTTP/1.1 426 ");
}

TEST_CASE("a decision is carried out", "[decision][server]") {
    CHECK(decide(good_request, decision::reject(401)).error == errc::request_answered);
    CHECK(decide(good_request, decision::reject(401)).answer == "HTTP/1.1 401 ");
    CHECK(decide(plain, decision::respond(200, "page")).answer == "HTTP/1.1 200 ");
    const auto offering = adding(good_request, "Sec-WebSocket-Protocol: chat\r\n");
    CHECK(decide(offering, {}).agreed.subprotocol == "chat");
    CHECK(decide(offering, {.subprotocol = ""}).agreed.subprotocol.empty());
}

TEST_CASE("a decision that cannot be carried out is answered with 500", "[decision][server]") {
    const auto upgrade = decide(good_request, {.subprotocol = "unasked"});
    CHECK(upgrade.answer == "HTTP/1.1 500 ");
    CHECK(upgrade.error != errc{});
    CHECK(upgrade.error != errc::request_answered);
    CHECK(decide(plain, decision::respond(99)).answer == "HTTP/1.1 500 ");
}
