#include <navette/handshake/http_body.hpp>

#include "support/bytes.hpp"

#include <array>
#include <string>
#include <vector>

using namespace navette;

namespace {

using kind = body_length::kind;

struct reading {
    std::string body, rest;
    bool done, whole;
};

reading read(const body_length& length, std::string_view text, std::size_t max = 8192,
             std::size_t piece = 1u << 20) {
    std::vector<std::byte> wire = text_bytes(text);
    body_reader reader(length, max);
    buffer to;
    bool done = false;
    byte_span all{wire};
    do {
        byte_span in            = all.first(std::min(piece, all.size()));
        const std::size_t given = in.size();
        done                    = reader.receive(in, to);
        all                     = all.subspan(given - in.size());
    } while (!done && !all.empty());
    return {std::string(as_text(to.data())), std::string(as_text(all)), done, reader.is_whole()};
}

body_length length_of(const std::vector<http_field>& fields, bool is_request = true) {
    const auto length = read_body_length(known_fields(http_fields(fields)), is_request);
    REQUIRE(length);
    return *length;
}

errc refusal(const std::vector<http_field>& fields, bool is_request = true) {
    return read_body_length(known_fields(http_fields(fields)), is_request).error();
}

} // namespace

TEST_CASE("the length of a body is what its fields say beyond doubt",
          "[http_body][9112:6.3][C35]") {
    for (const bool is_request : {true, false}) {
        CHECK(length_of({}, is_request) == body_length{});
        CHECK(length_of({{"content-length", "0"}}, is_request) == body_length{kind::known, 0});
        CHECK(length_of({{"Content-Length", "18446744073709551615"}}, is_request) ==
              body_length{kind::known, 18446744073709551615u});
        CHECK(length_of({{"Content-Length", "5"}, {"Content-Length", "005"}}, is_request) ==
              body_length{kind::known, 5});
        CHECK(length_of({{"Transfer-Encoding", "Chunked"}}, is_request) ==
              body_length{kind::chunked});
        CHECK(length_of({{"Transfer-Encoding", "gzip"}, {"transfer-encoding", "chunked"}},
                        is_request) == body_length{kind::chunked});
    }
}

TEST_CASE("a body whose length is doubtful is refused", "[http_body][9112:6.3][C35][C36][S56]") {
    for (const bool is_request : {true, false}) {
        for (const char* value : {"", "-1", "+1", "1 1", "0x1", "1,1", "1, 2",
                                  "18446744073709551616", "99999999999999999999", "1.0", "\"1\""})
            CHECK(refusal({{"Content-Length", value}}, is_request) == errc::unexpected_body);
        CHECK(refusal({{"Content-Length", "1"}, {"Content-Length", "2"}}, is_request) ==
              errc::unexpected_body);
        CHECK(refusal({{"Content-Length", "1"}, {"Transfer-Encoding", "chunked"}}, is_request) ==
              errc::unexpected_body);
        CHECK(refusal({{"Content-Length", "0"}, {"Transfer-Encoding", "identity"}}, is_request) ==
              errc::unexpected_body);
    }
}

TEST_CASE(
    "a coding other than chunked at the end is refused in a request and ends with the connection "
    "in a response",
    "[http_body][9112:6.3][C36]") {
    for (const char* value : {"", "gzip", "chunked, gzip", "chunked, chunked", "xchunked",
                              "chunked;q=1", "\"chunked\"", "\"chunked"}) {
        CAPTURE(value);
        CHECK(refusal({{"Transfer-Encoding", value}}, true) == errc::unexpected_body);
        CHECK(length_of({{"Transfer-Encoding", value}}, false) == body_length{kind::until_close});
    }
}

TEST_CASE("a body of known length ends there", "[http_body][9112:6.2][C39]") {
    for (const std::size_t piece : {1u, 2u, 100u}) {
        const reading r = read({kind::known, 5}, "12345 and more", 8192, piece);
        CHECK(r.done);
        CHECK(r.body == "12345");
        CHECK(r.rest == " and more");
    }
    CHECK_FALSE(read({kind::known, 5}, "1234").done);
    CHECK(read({kind::known, 0}, "x").done);
    CHECK(read({kind::known, 0}, "x").rest == "x");
}

TEST_CASE("a body without a length goes on to its bound", "[http_body][9112:6.3][C39][client]") {
    for (const kind how : {kind::none_given, kind::until_close}) {
        CHECK_FALSE(read({how}, "12345", 6).done);
        CHECK(read({how}, "123456", 6).done);
        const reading r = read({how}, "1234567", 6);
        CHECK(r.done);
        CHECK(r.body == "123456");
        CHECK(r.rest == "7");
        CHECK(read({how}, "x", 0).done);
    }
}

TEST_CASE("a body in chunks is put together", "[http_body][9112:7.1][C39][client]") {
    for (const std::size_t piece : {1u, 2u, 3u, 5u, 1000u}) {
        const reading r = read({kind::chunked}, "5\r\nhello\r\n0;last\r\n", 8192, piece);
        CHECK(r.done);
        CHECK(r.body == "hello");
        const reading many =
            read({kind::chunked},
                 "1\r\nh\r\n03 ;x=\"y\"\r\nell\r\nA;\r\n, and more.\r\n0\r\nTrailer: x\r\n\r\n",
                 8192, piece);
        CHECK(many.done);
        CHECK(many.body == "hell, and more");
    }
    CHECK(read({kind::chunked}, "aB\r\n" + std::string(171, 'x') + "\r\n0\r\n").body.size() == 171);
    CHECK(read({kind::chunked}, "ff\r\n" + std::string(255, 'x'), 100).body.size() == 100);
    CHECK_FALSE(read({kind::chunked}, "5\r\nhello\r\n").done);
    std::string many;
    for (int i = 0; i < 300; ++i) many += "1\r\nx\r\n";
    CHECK(read({kind::chunked}, many + "0\r\n").body.size() == 300);
}

TEST_CASE("a malformed chunk ends the reading and keeps what came before",
          "[http_body][9112:7.1][C39][client]") {
    for (const char* bad : {"\r\n", "g\r\n", " 1\r\n", "-1\r\n", ";x\r\n", "1\n", "1\rx",
                            "11111111111111111\r\n", "1;\x01\r\n", "1 \n"}) {
        const reading r = read({kind::chunked}, "2\r\nok\r\n" + std::string(bad) + "zzz");
        CAPTURE(bad);
        CHECK(r.done);
        CHECK(r.body == "ok");
    }
    CHECK(read({kind::chunked}, "2\r\nokzz").done);
    CHECK(read({kind::chunked}, "2\r\nok\rz").done);
    CHECK_FALSE(read({kind::chunked}, "1;" + std::string(254, 'x')).done);
    CHECK(read({kind::chunked}, "1;" + std::string(255, 'x')).done);
}

TEST_CASE("a body is whole if it ended where it says itself, however it is split", "[http_body][9112:6.3]") {
    for (const std::size_t piece : {1u, 2u, 3u, 1000u}) {
        CHECK(read({kind::known, 5}, "12345 and more", 5, piece).whole);
        CHECK(read({kind::known, 0}, "x", 0, piece).whole);
        const reading chunked = read({kind::chunked}, "5\r\nhello\r\n0;last\r\nTrailer: x\r\n\r\n", 5, piece);
        CHECK(chunked.whole);
        CHECK(chunked.rest == "Trailer: x\r\n\r\n");

        CHECK_FALSE(read({kind::known, 5}, "1234", 5, piece).whole);
        CHECK_FALSE(read({kind::known, 5}, "12345", 4, piece).whole);
        CHECK_FALSE(read({kind::none_given}, "12345", 5, piece).whole);
        CHECK_FALSE(read({kind::until_close}, "12345", 5, piece).whole);
        CHECK_FALSE(read({kind::chunked}, "5\r\nhello\r\n", 5, piece).whole);
        CHECK_FALSE(read({kind::chunked}, "5\r\nhello\r\n0\r\n", 4, piece).whole);
        for (const char* bad : {"\r\n", "0\rx", "0\n", "g\r\n", "5\r\nhellox0\r\n"})
            CHECK_FALSE(read({kind::chunked}, bad, 5, piece).whole);
    }
}

TEST_CASE("a full fixed buffer ends the reading", "[http_body]") {
    std::array<std::byte, 3> storage;
    buffer to{byte_span(storage)};
    std::vector<std::byte> wire = text_bytes("12345");
    byte_span in{wire};
    body_reader reader({kind::known, 5}, 100);
    CHECK(reader.receive(in, to));
    CHECK(to == const_byte_span(text_bytes("123")));
}
