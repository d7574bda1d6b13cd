#include <navette/handshake/http_response.hpp>

#include "support/bytes.hpp"

#include <navette/handshake/http_head.hpp>

#include <array>
#include <string>
#include <vector>

using namespace navette;

namespace {

std::string text_of(const response_view& response) {
    buffer out;
    REQUIRE(append_http1(response, out) == errc{});
    return std::string(as_text(out.data()));
}

} // namespace

TEST_CASE("a response carries its length and closes",
          "[http_response][9112:6.3][6455:4.2.2][C49][S55][S58]") {
    const http_field fields[] = {{"X", "y"}};
    CHECK(text_of({.status = 404, .reason = "Not Found", .fields = fields, .body = "gone"}) ==
          "HTTP/1.1 404 Not Found\r\nX: y\r\nConnection: close\r\nContent-Length: 4\r\n\r\ngone");
    CHECK(text_of({.status = 200}) ==
          "HTTP/1.1 200 \r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
}

TEST_CASE("a Connection that is given stands", "[http_response]") {
    const http_field fields[] = {{"connection", "Upgrade, close"}};
    CHECK(text_of({.status = 426, .fields = fields}) ==
          "HTTP/1.1 426 \r\nconnection: Upgrade, close\r\nContent-Length: 0\r\n\r\n");
}

TEST_CASE("101, 204 and 304 have neither body nor length",
          "[http_response][9110:8.6][C37][server]") {
    CHECK(text_of({.status = 101, .reason = "Switching Protocols"}) ==
          "HTTP/1.1 101 Switching Protocols\r\n\r\n");
    CHECK(text_of({.status = 204}) == "HTTP/1.1 204 \r\nConnection: close\r\n\r\n");
    CHECK(text_of({.status = 304}) == "HTTP/1.1 304 \r\nConnection: close\r\n\r\n");
    for (const unsigned status : {101u, 204u, 304u}) {
        buffer out;
        CHECK(append_http1({.status = status, .body = "x"}, out) == errc::invalid_status);
        CHECK(out.empty());
    }
}

TEST_CASE("the answer to HEAD tells the length of what it does not send",
          "[http_response][9110:9.3.2]") {
    CHECK(text_of({.status = 200, .body = "12345", .omit_body = true}) ==
          "HTTP/1.1 200 \r\nConnection: close\r\nContent-Length: 5\r\n\r\n");
}

TEST_CASE("a status is 101 or from 200 to 599", "[http_response][9110:15]") {
    for (unsigned status = 0; status <= 1100; ++status) {
        buffer out;
        const bool is_final = status == 101 || (status >= 200 && status <= 599);
        CHECK(append_http1({.status = status}, out) == (is_final ? errc{} : errc::invalid_status));
        CHECK(out.empty() != is_final);
    }
}

TEST_CASE("a response that cannot be framed or written leaves nothing behind",
          "[http_response][S57]") {
    buffer out;
    for (const char* name : {"Content-Length", "content-length", "Transfer-Encoding"}) {
        const http_field fields[] = {{name, "1"}};
        CHECK(append_http1({.status = 200, .fields = fields, .body = "x"}, out) ==
              errc::reserved_field);
    }
    const http_field broken[] = {{"A", "b\r\nC: d"}};
    CHECK(append_http1({.status = 200, .fields = broken}, out) == errc::invalid_field);
    CHECK(append_http1({.status = 200, .reason = "a\r\nb"}, out) == errc::invalid_field);
    CHECK(out.empty());

    const response_view whole{.status = 200, .reason = "OK", .body = "body"};
    const std::size_t size = text_of(whole).size();
    for (std::size_t room = 0; room <= size; ++room) {
        std::vector<std::byte> storage(room);
        buffer fixed{byte_span(storage)};
        CHECK(append_http1(whole, fixed) == (room < size ? errc::out_of_memory : errc{}));
        CHECK(fixed.size() == (room < size ? 0 : size));
    }
}

TEST_CASE("every status that an error is answered with has a phrase", "[http_response][9110:15]") {
    CHECK(reason_phrase(101) == "Switching Protocols");
    CHECK(reason_phrase(426) == "Upgrade Required");
    CHECK(reason_phrase(299).empty());
    for (const error_facts& row : error_table)
        CHECK_FALSE(reason_phrase(to_http_status(row.code)).empty());
}

TEST_CASE("what is written reads back the same", "[http_response][C49][S58]") {
    for (unsigned status = 200; status < 600; ++status) {
        const http_field fields[] = {{"Server", "x"}, {"Set-Cookie", "a=b"}};
        std::string text =
            text_of({.status = status, .reason = reason_phrase(status), .fields = fields});
        std::vector<std::byte> wire = text_bytes(text);
        byte_span in{wire};
        buffer storage;
        http_head head(http_message::response, storage);
        REQUIRE(head.receive(in) == http_head_status::complete);
        CHECK(in.empty());
        status_line line;
        CHECK(parse_status_line(head.start_line(), line) == errc{});
        CHECK(line.status == status);
        CHECK(line.reason == reason_phrase(status));
        CHECK(head.fields().find("Set-Cookie") == "a=b");
        CHECK(head.fields().count("Connection") == 1);
    }
}
