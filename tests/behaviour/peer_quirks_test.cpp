// What real peers do that is allowed and unusual, from the wire to the application. Others have a case where the rule has
// its own: a 101 with Content-Length or Content-Type in handshake/client_handshake_test.cpp, "WebSocket" in capitals there
// and in handshake/server_handshake_test.cpp, compression in deflate_peer_quirks_test.cpp.
#include <navette/protocol/protocol.hpp>

#include "support/catch.hpp"
#include "support/endpoint.hpp"
#include "support/handshake.hpp"

#include <string>

using namespace navette;

namespace {

// A head with the names of its fields in lower case, as it comes from a proxy that speaks HTTP/2 to its other side.
std::string with_lower_case_names(std::string head) {
    bool in_name = false;
    for (std::size_t i = 0; i < head.size(); ++i) {
        if (i != 0 && head[i - 1] == '\n') in_name = true;
        if (head[i] == ':') in_name = false;
        if (in_name && head[i] >= 'A' && head[i] <= 'Z') head[i] = static_cast<char>(head[i] + ('a' - 'A'));
    }
    return head;
}

} // namespace

TEST_CASE("a request whose field names are all in lower case opens the connection", "[behaviour][C31][server]") {
    const std::string request = with_lower_case_names(good_request);
    REQUIRE(request.find("\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n") != std::string::npos);
    played_server server(request);
    REQUIRE(server.status == handshake_status::upgrade);
    REQUIRE(server.handshake.accept());
    REQUIRE(append_http1(server.handshake.response(), server.out) == errc{});
    CHECK(server.sent().find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") != std::string::npos);
}

TEST_CASE("an answer whose field names are all in lower case opens the connection", "[behaviour][C31][client]") {
    const std::string answer = with_lower_case_names(good_answer);
    REQUIRE(answer.find("\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") != std::string::npos);
    CHECK(played_client(answer).status == client_handshake_status::upgrade);
}

TEST_CASE("a server that is asked with an Origin and wants none can be asked again without",
          "[behaviour][6455:10.2][C39][client]") {
    // As the debugger of a browser answers pages that it was not told to trust.
    const std::string refusal = "HTTP/1.1 403 Forbidden\r\nContent-Length:10\r\nContent-Type:text/html\r\n\r\nno Origin!";
    const client_options from_a_page{.origin = "http://example.com"};
    played_client asked(refusal, from_a_page);
    CHECK(to_string(asked.out.data()).find("\r\nOrigin: http://example.com\r\n") != std::string::npos);
    REQUIRE(asked.status == client_handshake_status::failed);
    CHECK(asked.error() == errc::unexpected_status);
    CHECK(asked.handshake.response().status == 403);
    CHECK(asked.handshake.response().body == "no Origin!");

    played_client asked_again(good_answer);
    CHECK(to_string(asked_again.out.data()).find("Origin") == std::string::npos);
    CHECK(asked_again.status == client_handshake_status::upgrade);
}

TEMPLATE_TEST_CASE("a Close that answers ours need not have its reason, its code or any",
                   "[behaviour][6455:5.5.1][C114][C120]", client_protocol, server_protocol) {
    const auto [answer, heard] = GENERATE(table<std::string, std::string>({
        {"88 05 03E9 627965", "close 1001 bye"}, // what RFC 6455 has in mind
        {"88 02 03E9", "close 1001"},
        {"88 02 03E8", "close 1000"},
        {"88 00", "close 1005"},
    }));
    CAPTURE(answer);
    endpoint<TestType> us;
    REQUIRE(us.ws.close(close_code::going_away, "bye", us.out) == errc{});
    REQUIRE(us.says() == bytes("88 05 03E9 627965"));
    CHECK(us.hears(answer) == heard);
    CHECK(us.ws.state() == connection_state::close_done);
    CHECK(us.out.empty());
    CHECK(us.hears_eof() == "");
    CHECK(us.ws.transport(us.out) == transport_action::close);
}
