#include <navette/handshake/http_head.hpp>

#include "support/bytes.hpp"

#include <array>
#include <string>
#include <vector>

using namespace navette;

namespace {

struct outcome {
    http_head_status status{};
    errc error{};
    std::string start, fields, rest;
    friend bool operator==(const outcome&, const outcome&) = default;
};

// Reads `text` in the pieces that end at `cuts`, each of which lies in memory of its own that is gone afterwards.
outcome read(http_message message, std::string_view text, std::vector<std::size_t> cuts = {},
             const limits& bounds = default_limits) {
    outcome seen;
    buffer storage;
    http_head head(message, storage, bounds);
    cuts.push_back(text.size());
    std::size_t begin = 0;
    std::vector<std::byte> piece;
    for (const std::size_t end : cuts) {
        piece = text_bytes(text.substr(begin, end - begin));
        begin = end;
        byte_span in{piece};
        seen.status = head.receive(in);
        if (seen.status != http_head_status::need_more) {
            seen.rest = std::string(as_text(in)) + std::string(text.substr(end));
            break;
        }
        CHECK(in.empty());
    }
    seen.error = head.error();
    if (seen.status == http_head_status::complete) {
        seen.start = std::string(head.start_line());
        for (const http_field& field : head.fields())
            seen.fields += std::string(field.name) + '=' + std::string(field.value) + '|';
    } else {
        seen.rest.clear(); // how much of a bad head is taken is nobody's concern
    }
    return seen;
}

outcome read_bytewise(http_message message, std::string_view text,
                      const limits& bounds = default_limits) {
    std::vector<std::size_t> cuts;
    for (std::size_t i = 1; i < text.size(); ++i) cuts.push_back(i);
    return read(message, text, cuts, bounds);
}

// The error of a head, the same at once and byte by byte.
errc refusal(http_message message, std::string_view text, const limits& bounds = default_limits) {
    const outcome whole = read(message, text, {}, bounds);
    CHECK(whole == read_bytewise(message, text, bounds));
    CHECK((whole.status == http_head_status::failed) == (whole.error != errc{}));
    return whole.error;
}

constexpr auto request  = http_message::request;
constexpr auto response = http_message::response;

std::string repeated(std::string_view piece, std::size_t n) {
    std::string text;
    while (n-- > 0) text += piece;
    return text;
}

} // namespace

TEST_CASE("a head is found and what follows it is left", "[http_head][9112:2][C22][C41]") {
    const outcome get = read(request, "GET / HTTP/1.1\r\nHost: a\r\nX:  y z\t\r\n\r\n\r\nrest");
    CHECK(get.status == http_head_status::complete);
    CHECK(get.start == "GET / HTTP/1.1");
    CHECK(get.fields == "Host=a|X=y z|");
    CHECK(get.rest == "\r\nrest");
    const outcome answer = read(response, "HTTP/1.1 101 Web Socket Protocol Handshake\r\n\r\nrest");
    CHECK(answer.start == "HTTP/1.1 101 Web Socket Protocol Handshake");
    CHECK(answer.fields.empty());
    CHECK(answer.rest == "rest");
}

TEST_CASE("a head reads the same however it is split", "[http_head][C41][S27]") {
    for (const http_message message : {request, response}) {
        const std::string text =
            std::string(message == request ? "\r\nGET /a?b HTTP/1.1\r\n" : "HTTP/1.1 200 OK\r\n") +
            "Host: a\r\nEmpty:\r\nX: y\r\nX: z \xff\r\n\r\n\x81\x01\r\n\r\n";
        const outcome whole = read(message, text);
        REQUIRE(whole.status == http_head_status::complete);
        CHECK(whole.rest == "\x81\x01\r\n\r\n");
        for (std::size_t i = 0; i <= text.size(); ++i)
            for (std::size_t j = i; j <= text.size(); ++j)
                CHECK(read(message, text, {i, j}) == whole);
        CHECK(read_bytewise(message, text) == whole);
    }
}

TEST_CASE("a head that ends early only needs more", "[http_head][C67]") {
    const std::string text = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for (std::size_t size = 0; size < text.size(); ++size) {
        buffer storage;
        http_head head(request, storage);
        std::vector<std::byte> piece = text_bytes(text.substr(0, size));
        byte_span in{piece};
        CHECK(head.receive(in) == http_head_status::need_more);
        CHECK(head.has_begun() == (size > 0));
    }
}

TEST_CASE("a line ends in CR LF and holds no bare CR", "[http_head][9112:2.2][C22][S56]") {
    for (const http_message message : {request, response}) {
        const std::string start = message == request ? "GET / HTTP/1.1" : "HTTP/1.1 101 ";
        for (const std::string& text :
             {start + "\nA: b\r\n\r\n", start + "\r\nA: b\n\r\n", start + "\r\nA: b\r\n\n",
              start + "\n\n", start + "\r\n\n", start + "\r\nA: b\rC: d\r\n\r\n",
              start + "\r\n\rA: b\r\n\r\n", start + "\r\nA: b\r\r\n\r\n", start + "\r\r\n\r\n",
              start + "\r\n\r\r\n", "\n" + start + "\r\n\r\n"}) {
            CAPTURE(text);
            CHECK(refusal(message, text) == errc::bad_line_end);
        }
    }
}

TEST_CASE("one empty line may stand before a request, nothing else and not before a response",
          "[http_head][9112:2.2][C24][S56]") {
    CHECK(refusal(request, "\r\nGET / HTTP/1.1\r\n\r\n") == errc{});
    CHECK(refusal(request, "\r\n\r\nGET / HTTP/1.1\r\n\r\n") == errc::bad_start_line);
    CHECK(refusal(response, "\r\nHTTP/1.1 101 x\r\n\r\n") == errc::bad_start_line);
    for (unsigned c = 0; c < 256; ++c) {
        const char lead        = static_cast<char>(c);
        const std::string text = lead + std::string("GET / HTTP/1.1\r\n\r\n");
        CAPTURE(c);
        const errc e = refusal(request, text);
        if (is_token_char(lead)) CHECK(e == errc{}); // another method
        else CHECK(e == (lead == '\n' || lead == '\r' ? errc::bad_line_end : errc::bad_start_line));
        CHECK(refusal(response, lead + std::string("HTTP/1.1 101 x\r\n\r\n")) != errc{});
    }
}

TEST_CASE("white space at the front of a line is refused",
          "[http_head][9112:2.2][9112:5.2][C23][C26][S56]") {
    for (const http_message message : {request, response}) {
        const std::string start = message == request ? "GET / HTTP/1.1\r\n" : "HTTP/1.1 101 x\r\n";
        for (const char* fields : {" A: b\r\n\r\n", "\tA: b\r\n\r\n", "A: b\r\n c\r\n\r\n",
                                   "A: b\r\n\tc\r\n\r\n", " \r\n\r\n", "A: b\r\n \r\n\r\n"})
            CHECK(refusal(message, start + fields) == errc::folded_line);
    }
}

TEST_CASE("a field is a token, a colon at once, and a value", "[http_head][9112:5.1][C25][S56]") {
    for (const http_message message : {request, response}) {
        const std::string start = message == request ? "GET / HTTP/1.1\r\n" : "HTTP/1.1 101 x\r\n";
        for (const char* line : {"A : b", "A\t: b", ": b", "A", "A b", "A b: c", "(A): b",
                                 "A\x01: b", "\xc3\xa9: b", "\"A\": b", "A;: b"}) {
            CAPTURE(line);
            CHECK(refusal(message, start + line + "\r\n\r\n") == errc::bad_field_name);
        }
        CHECK(read(message, start + "A:b\r\nB:\r\nC:: d:\r\n\r\n").fields == "A=b|B=|C=: d:|");
    }
}

TEST_CASE("every byte in a field name and value is judged", "[http_head][9110:5.5][C40][S56]") {
    for (const http_message message : {request, response}) {
        const std::string start = message == request ? "GET / HTTP/1.1\r\n" : "HTTP/1.1 101 x\r\n";
        for (unsigned c = 0; c < 256; ++c) {
            const std::string character(1, static_cast<char>(c));
            CAPTURE(c);
            const bool is_control = (c < 0x20 && c != '\t') || c == 0x7f;
            const errc in_value   = c == '\r' || c == '\n' ? errc::bad_line_end
                                    : is_control           ? errc::bad_field_value
                                                           : errc{};
            CHECK(refusal(message, start + "A: x" + character + "y\r\n\r\n") == in_value);
            CHECK(refusal(message, start + "A:" + character + "y\r\n\r\n") == in_value);
            const errc at_end = refusal(message, start + "A: x" + character + "\r\n\r\n");
            CHECK((c == '\n' ? at_end == errc::bad_line_end : at_end == in_value));
            const errc in_name = is_token(character) || c == ':' ? errc{}
                                 : c == '\r' || c == '\n'        ? errc::bad_line_end
                                                                 : errc::bad_field_name;
            CHECK(refusal(message, start + "A" + character + "B: x\r\n\r\n") == in_name);
        }
    }
}

TEST_CASE("a request line has a method, a target and a version", "[http_head][9112:3][C42][S56]") {
    for (const char* line : {"",
                             " ",
                             "GET",
                             "GET ",
                             "GET /",
                             "GET  HTTP/1.1",
                             "GET / ",
                             "GET / HTTP/1.1 ",
                             "GET / HTTP/11",
                             "GET / HTTP/1",
                             "GET / HTTP/1.",
                             "GET / HTTP/1.1.1",
                             "GET / HTTP/a.1",
                             "GET / http/1.1",
                             "GET / HTTP /1.1",
                             "GET\t/\tHTTP/1.1",
                             " GET / HTTP/1.1",
                             "G(T / HTTP/1.1",
                             "GET HTTP/1.1",
                             "GET / HTTP/1.10",
                             "GET / XTTP/1.1"}) {
        CAPTURE(line);
        request_line parsed{.method = {}};
        CHECK(parse_request_line(line, parsed) == errc::bad_start_line);
    }
    request_line parsed{.method = {}};
    REQUIRE(parse_request_line("PATCH http://h/x HTTP/2.0", parsed) == errc{});
    CHECK(parsed.method == "PATCH");
    CHECK(parsed.target == "http://h/x");
    CHECK(parsed.version_major == 2);
    CHECK(parsed.version_minor == 0);
}

TEST_CASE("a status line has a version, three digits and maybe a phrase",
          "[http_head][9112:4][C38]") {
    struct row {
        const char* line;
        unsigned minor, status;
        const char* reason;
    };
    for (const row& r :
         {row{"HTTP/1.1 101 Switching Protocols", 1, 101, "Switching Protocols"},
          row{"HTTP/1.1 101 ", 1, 101, ""}, row{"HTTP/1.1 101", 1, 101, ""},
          row{"HTTP/1.0 404 not  here\t", 0, 404, "not  here\t"},
          row{"HTTP/1.9 999 \xe9", 9, 999, "\xe9"}, row{"HTTP/1.1 100  ", 1, 100, " "}}) {
        CAPTURE(r.line);
        status_line parsed;
        REQUIRE(parse_status_line(r.line, parsed) == errc{});
        CHECK(parsed.version_minor == r.minor);
        CHECK(parsed.status == r.status);
        CHECK(parsed.reason == r.reason);
    }
    for (const char* line :
         {"", "HTTP", "HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 10", "HTTP/1.1 1010", "HTTP/1.1 1x1",
          "HTTP/1.1  101", "HTTP/1.1 099", "HTTP/1.1 -10", "HTTP/2.0 101 x", "HTTP/0.9 200 x",
          "http/1.1 101 x", "ICY 200 OK", "HTTP/1.1\t101", "HTTP/1.1 101\tx", "HTTP/1.1 101 \x01",
          " HTTP/1.1 101 x", "HTTP/1.1 101x"}) {
        CAPTURE(line);
        status_line parsed;
        CHECK(parse_status_line(line, parsed) == errc::bad_start_line);
    }
}

TEST_CASE("a line may have as many bytes as the limit", "[http_head][9110:5.4][C30][S25]") {
    for (const http_message message : {request, response}) {
        const std::string start = message == request ? "GET / HTTP/1.1\r\n" : "HTTP/1.1 101 x\r\n";
        for (const std::size_t size : {8190u, 8191u, 8192u, 8193u, 8194u, 9000u}) {
            const std::string line = "A:" + std::string(size - 2, 'x');
            CAPTURE(size);
            CHECK(refusal(message, start + line + "\r\n\r\n") ==
                  (size <= 8192 ? errc{} : errc::line_too_long));
            CHECK(refusal(message, start + line) == (size <= 8192 ? errc{} : errc::line_too_long));
            CHECK(refusal(message, start + line + "\r") ==
                  (size <= 8192 ? errc{} : errc::line_too_long));
            CHECK(refusal(message, start + line + "\rx\r\n") ==
                  (size + 2 <= 8192 ? errc::bad_line_end : errc::line_too_long));
        }
    }
}

TEST_CASE("a request line that is too long has a target that is too long, or is none",
          "[http_head][9112:3][C29][S25][server]") {
    for (const std::size_t size : {8191u, 8192u, 8193u, 20000u}) {
        const std::string line = "GET /" + std::string(size - 14, 'x') + " HTTP/1.1";
        REQUIRE(line.size() == size);
        CHECK(refusal(request, line + "\r\n\r\n") ==
              (size <= 8192 ? errc{} : errc::target_too_long));
        CHECK(refusal(request, std::string(size, 'G')) ==
              (size <= 8192 ? errc{} : errc::bad_start_line));
        CHECK(refusal(request, '(' + line) == (size < 8192 ? errc{} : errc::bad_start_line));
    }
    CHECK(refusal(response, "HTTP/1.1 101 " + std::string(8192, 'x')) == errc::bad_start_line);
}

TEST_CASE("a head may have as many fields as the limit, repeated names counted",
          "[http_head][9110:5.4][C30][S25][S26]") {
    for (const http_message message : {request, response}) {
        const std::string start = message == request ? "GET / HTTP/1.1\r\n" : "HTTP/1.1 101 x\r\n";
        for (const std::size_t count : {127u, 128u, 129u, 2000u})
            CHECK(refusal(message, start + repeated("A: b\r\n", count) + "\r\n") ==
                  (count <= 128 ? errc{} : errc::too_many_fields));
    }
}

TEST_CASE("a head may have as many bytes as the limit", "[http_head][9110:5.4][C30][S25][S41]") {
    for (const http_message message : {request, response}) {
        const std::string start = message == request ? "GET / HTTP/1.1\r\n" : "HTTP/1.1 101 x\r\n";
        for (const std::size_t size : {65535u, 65536u, 65537u, 100000u}) {
            std::string text = start + repeated("A:" + std::string(8000, 'x') + "\r\n", 7);
            while (size - text.size() - 2 > 4000) text += "B:" + std::string(2000, 'y') + "\r\n";
            text += "C:" + std::string(size - text.size() - 6, 'z') + "\r\n\r\n";
            REQUIRE(text.size() == size);
            CHECK(refusal(message, text) == (size <= 65536 ? errc{} : errc::head_too_big));
        }
    }
}

TEST_CASE("whichever bound is crossed first is the error, however the head is split",
          "[http_head][C30][S25]") {
    for (std::size_t max_size = 40; max_size < 60; ++max_size) {
        const limits bounds{.max_handshake_line = 20, .max_handshake_size = max_size};
        for (std::size_t size = 10; size < 40; ++size) {
            for (const char* end : {"", "\r", "\r\n", "\r\n\r\n", "\rx", "\r\r\n"}) {
                const std::string text =
                    "GET / HTTP/1.1\r\nA: b\r\n" + ("C:" + std::string(size - 2, 'x')) + end;
                CAPTURE(max_size, size, end);
                const errc e = refusal(request, text, bounds);
                if (e == errc::line_too_long) CHECK(size + std::string_view(end).size() > 20);
                if (e == errc::head_too_big) CHECK(text.size() > max_size);
            }
        }
    }
}

TEST_CASE("a limit of any size is kept", "[http_head][S25][S65]") {
    for (const std::size_t max : {0u, 1u, 17u, 18u, 19u}) {
        const limits bounds{.max_handshake_size = max};
        CHECK(refusal(request, "GET / HTTP/1.1\r\n\r\n", bounds) ==
              (max < 18 ? errc::head_too_big : errc{}));
    }
    CHECK(refusal(request, "GET / HTTP/1.1\r\nA: b\r\n\r\n", {.max_handshake_fields = 0}) ==
          errc::too_many_fields);
    const limits none{.max_handshake_line   = static_cast<std::size_t>(-1),
                      .max_handshake_fields = static_cast<std::size_t>(-1),
                      .max_handshake_size   = static_cast<std::size_t>(-2)};
    CHECK(refusal(request, "GET / HTTP/1.1\r\nA: b\r\n\r\n", none) == errc{});
}

TEST_CASE("the largest head may come byte by byte", "[http_head][S27][C30]") {
    for (const std::size_t lines : {1u, 2u, 4u, 8u}) {
        const std::string text =
            "GET / HTTP/1.1\r\n" + repeated("A:" + std::string(8170, 'x') + "\r\n", lines) + "\r\n";
        CHECK(read_bytewise(request, text) == read(request, text));
    }
}

TEST_CASE("no byte of a head is searched for the end of a line twice", "[http_head][S27]") {
    buffer storage;
    http_head head(request, storage);
    std::vector<std::byte> first = text_bytes("GET / HTTP/1.1\r\nA: b?"), last = text_bytes("c\r\n\r\n");
    byte_span in{first};
    REQUIRE(head.receive(in) == http_head_status::need_more);
    storage.data().back() = std::byte{'\n'}; // would end the line, if it was looked at again
    in = last;
    CHECK(head.receive(in) == http_head_status::failed);
    CHECK(head.error() == errc::bad_field_value); // of the line "A: b\nc", and not bad_line_end
}

TEST_CASE("a fixed storage bounds a head that comes in pieces and no other", "[http_head][S41]") {
    const std::string text = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for (std::size_t room = 0; room <= text.size() + 1; ++room) {
        std::vector<std::byte> memory(room);
        for (const bool in_pieces : {false, true}) {
            buffer storage{byte_span(memory)};
            http_head head(request, storage);
            std::vector<std::byte> wire = text_bytes(text + "frames");
            byte_span all{wire};
            byte_span first = all.first(in_pieces ? 1 : 0);
            auto status     = head.receive(first);
            byte_span in    = all.subspan(in_pieces ? 1 : 0);
            if (status == http_head_status::need_more) status = head.receive(in);
            CHECK(status == (in_pieces && room < text.size() ? http_head_status::failed
                                                             : http_head_status::complete));
            CHECK(head.error() ==
                  (status == http_head_status::failed ? errc::head_too_big : errc{}));
            if (status == http_head_status::complete) CHECK(as_text(in) == "frames");
        }
    }
}

TEST_CASE("what the storage held before is dropped", "[http_head]") {
    buffer storage;
    REQUIRE(storage.append("stale"));
    http_head head(request, storage);
    std::vector<std::byte> wire = text_bytes("GET / HTTP/1.1\r\n\r\n");
    byte_span in{wire};
    CHECK(head.receive(in) == http_head_status::complete);
    CHECK(head.start_line() == "GET / HTTP/1.1");
}

TEST_CASE("a head that is kept no longer needs the input", "[http_head][S35]") {
    buffer storage;
    http_head head(request, storage);
    auto wire = text_bytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    byte_span in{wire};
    REQUIRE(head.receive(in) == http_head_status::complete);
    REQUIRE(head.keep());
    wire.assign(wire.size(), std::byte{0});
    CHECK(head.start_line() == "GET / HTTP/1.1");
    CHECK(head.fields().find("Host") == "a");

    std::array<std::byte, 4> little;
    buffer small{byte_span(little)};
    http_head other(request, small);
    auto again = text_bytes("GET / HTTP/1.1\r\n\r\n");
    byte_span rest{again};
    REQUIRE(other.receive(rest) == http_head_status::complete);
    CHECK_FALSE(other.keep());
    CHECK(other.start_line() == "GET / HTTP/1.1");
}

TEST_CASE("heads behind one another share the limit", "[http_head][C30][C38]") {
    const std::string text = "HTTP/1.1 103 Early Hints\r\n\r\n"; // 28 bytes
    for (const std::size_t max : {83u, 84u}) {
        const limits bounds{.max_handshake_size = max};
        for (const bool in_pieces : {false, true}) {
            buffer storage;
            http_head head(response, storage, bounds);
            http_head_status status{};
            for (int i = 0; i < 3; ++i) {
                if (i > 0) head.restart();
                auto wire = text_bytes(text);
                byte_span all{wire};
                byte_span first = all.first(in_pieces ? 5 : 0);
                CHECK(head.receive(first) == http_head_status::need_more);
                all    = all.subspan(in_pieces ? 5 : 0);
                status = head.receive(all);
            }
            CHECK(status == (max == 84 ? http_head_status::complete : http_head_status::failed));
        }
    }
}
