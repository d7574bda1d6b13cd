#include <navette/handshake/http_writer.hpp>

#include "support/bytes.hpp"

#include <array>
#include <string>
#include <vector>

using namespace navette;

namespace {

// A string in which every byte value stands at the start, in the middle and at the end in turn.
template <class Use>
void inject(Use use) {
    for (unsigned c = 0; c < 256; ++c) {
        const std::string character(1, static_cast<char>(c));
        for (const std::string& text :
             {character, character + "ab", "a" + character + "b", "ab" + character})
            use(text, c);
    }
}

std::string written(const buffer& out) { return std::string(as_text(out.data())); }

} // namespace

TEST_CASE("a head is written line by line", "[http_writer][9112:2.1]") {
    buffer out;
    REQUIRE(out.append("before "));
    http_writer head(out);
    head.text("GET ");
    head.number(0);
    head.number(18446744073709551615u);
    head.end_line();
    head.field({"A", "b c"});
    const http_field more[] = {{"D", ""}, {"E", "f"}};
    head.fields(more);
    CHECK(head.finish() == errc{});
    CHECK(written(out) == "before GET 018446744073709551615\r\nA: b c\r\nD: \r\nE: f\r\n\r\n");
}

TEST_CASE("the first error takes back the whole head", "[http_writer]") {
    buffer out;
    REQUIRE(out.append("before"));
    http_writer head(out);
    head.text("GET /");
    head.end_line();
    head.field({"A B", "c"});
    head.fail(errc::misuse);
    head.field({"A", "b"});
    CHECK(head.failed());
    CHECK(head.finish() == errc::invalid_field);
    CHECK(written(out) == "before");
}

TEST_CASE("a head that finds no room leaves nothing behind", "[http_writer]") {
    for (std::size_t room = 0; room <= 13; ++room) {
        std::array<std::byte, 16> storage;
        buffer out(byte_span(storage).first(room));
        http_writer head(out);
        head.text("GET");
        head.end_line();
        head.field({"A", "b"});
        const errc e = head.finish(); // 13 bytes
        CHECK(e == (room < 13 ? errc::out_of_memory : errc{}));
        CHECK(out.size() == (room < 13 ? 0 : 13));
    }
}

TEST_CASE("no byte in a field's name or value ends its line",
          "[http_writer][9110:5.5][C20][C40][C166][S57]") {
    inject([](const std::string& text, unsigned c) {
        CAPTURE(text, c);
        const bool is_control = (c < 0x20 && c != '\t') || c == 0x7f;
        const auto try_field  = [](const http_field& field) {
            buffer out;
            http_writer head(out);
            head.field(field);
            const errc e = head.finish();
            CHECK((e == errc{} || out.empty()));
            CHECK(e == check_field(field));
            return e;
        };
        CHECK(try_field({"A", text}) == (is_control ? errc::invalid_field : errc{}));
        CHECK(try_field({text, "v"}) == (is_token(text) ? errc{} : errc::invalid_field));

        buffer out;
        http_writer head(out);
        head.text(text);
        CHECK(head.finish() == (is_control ? errc::invalid_field : errc{}));
    });
    CHECK(check_field({"", "v"}) == errc::invalid_field);
    CHECK(check_field({"A", ""}) == errc{});
}
