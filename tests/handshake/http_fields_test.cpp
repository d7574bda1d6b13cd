#include <navette/handshake/http_fields.hpp>

#include "support/bytes.hpp"

#include <array>
#include <string>
#include <vector>

using namespace navette;

namespace {

std::string show(const http_fields& fields) {
    std::string text;
    for (const http_field& field : fields)
        text += std::string(field.name) + '=' + std::string(field.value) + ' ';
    return text;
}

std::string show(const field_elements& elements) {
    std::string text;
    for (const std::string_view element : elements) text += std::string(element) + '|';
    return text;
}

// The same fields as text and as lists, since both must read alike.
template <class Use>
void in_each_form(const std::vector<http_field>& list, Use use) {
    std::string text;
    for (const http_field& field : list)
        text += std::string(field.name) + ':' + std::string(field.value) + "\r\n";
    const std::span<const http_field> all(list);
    const std::size_t half = list.size() / 2;
    use(http_fields::of_lines(text));
    use(http_fields(all));
    use(http_fields::of_lists(all.first(half), all.subspan(half)));
    use(http_fields::of_lists({}, all));
    use(http_fields::of_lists({}, {}, all));
}

} // namespace

TEST_CASE("fields are read where they lie, in order", "[http_fields][9112:5]") {
    CHECK(show(http_fields::of_lines("A:1\r\nB: 2 \r\nA:\t3\r\nC:\r\nD:x:y\r\n")) ==
          "A=1 B=2 A=3 C= D=x:y ");
    const http_fields none;
    CHECK(show(none).empty());
    CHECK(none.empty());
    const http_field one[] = {{"A", "1"}}, two[] = {{"B", "2"}, {"C", "3"}};
    CHECK(show(http_fields::of_lists(one, {}, two)) == "A=1 B=2 C=3 ");
    CHECK(show(http_fields::of_array(two, 1, one)) == "B=2 A=1 ");
    CHECK(show(std::vector<http_field>{{"A", "1"}}) == "A=1 ");
    CHECK(show(std::array<http_field, 1>{{{"A", "1"}}}) == "A=1 ");
}

TEST_CASE("fields are found by name in any case", "[http_fields][9110:5.1][C31]") {
    in_each_form({{"Host", "a"}, {"ACCEPT", ""}, {"x-y", "1"}, {"X-Y", "2"}},
                 [](const http_fields& fields) {
                     CHECK(fields.find("host") == "a");
                     CHECK(fields.find("Accept") == "");
                     CHECK(fields.find("X-y") == "1");
                     CHECK_FALSE(fields.find("X"));
                     CHECK_FALSE(fields.find("X-Y-Z"));
                     CHECK(fields.count("x-Y") == 2);
                     CHECK(fields.count("none") == 0);
                     std::string values;
                     fields.for_each("X-Y", [&](std::string_view value) { values += value; });
                     CHECK(values == "12");
                 });
}

TEST_CASE("a list may stand in several lines", "[http_fields][9110:5.3][C31][C32][S59]") {
    in_each_form(
        {{"L", "a, b"}, {"M", "x"}, {"l", ""}, {"L", " , ,"}, {"L", "c,\"d,e\" ,f"}, {"N", "y"}},
        [](const http_fields& fields) {
            CHECK(show(fields.elements("L")) == "a|b|c|\"d,e\"|f|");
            CHECK(show(fields.elements("M")) == "x|");
            CHECK(show(fields.elements("none")).empty());
        });
}

TEST_CASE("a token is a whole element, in any case, of any line",
          "[http_fields][9110:7.8][C43][C44][S59]") {
    in_each_form({{"Connection", "keep-alive"}, {"X", "close"}, {"connection", "TE, UpGrade"}},
                 [](const http_fields& fields) {
                     CHECK(fields.contains_token("Connection", "upgrade"));
                     CHECK(fields.contains_token("Connection", "keep-alive"));
                     CHECK_FALSE(fields.contains_token("Connection", "close"));
                     CHECK_FALSE(fields.contains_token("Connection", "keep"));
                     CHECK_FALSE(fields.contains_token("Conn", "upgrade"));
                 });
    for (const char* value :
         {"notupgrade", "upgrade-not", "up grade", "\"upgrade\"", "upgrade;q=1", ""})
        in_each_form({{"Connection", value}}, [](const http_fields& fields) {
            CHECK_FALSE(fields.contains_token("Connection", "upgrade"));
        });
}

TEST_CASE("an iterator needs only the text", "[http_fields]") {
    static constexpr http_field list[] = {{"A", "1"}, {"B", "2"}};
    auto at                            = http_fields(list).begin();
    ++at;
    CHECK(*at == http_field{"B", "2"});
    at++;
    CHECK(at == http_fields::sentinel{});
}

TEST_CASE("offered subprotocols come in the client's order", "[http_fields][6455:11.3.4][C53]") {
    request_view request{.method = "GET"};
    request.fields = http_fields::of_lines(
        "Sec-WebSocket-Protocol: soap, wamp\r\nX: y\r\nsec-websocket-protocol: mqtt\r\n");
    CHECK(show(request.subprotocols()) == "soap|wamp|mqtt|");
}

TEST_CASE("cookies are read by name", "[http_fields][6265:4.2]") {
    request_view request{.method = "GET"};
    request.fields =
        http_fields::of_lines("Cookie: a=1; bb=2;c=\"3\"; d; e=; a=4; f=g=h\r\ncookie: z=26\r\n");
    CHECK(request.cookie("a") == "1");
    CHECK(request.cookie("bb") == "2");
    CHECK(request.cookie("c") == "\"3\"");
    CHECK_FALSE(request.cookie("d"));
    CHECK(request.cookie("e") == "");
    CHECK(request.cookie("f") == "g=h");
    CHECK(request.cookie("z") == "26");
    CHECK_FALSE(request.cookie("A"));
    CHECK_FALSE(request.cookie("b"));
    CHECK_FALSE(request.cookie(""));
    request.fields = {};
    CHECK_FALSE(request.cookie("a"));
    for (const char* odd : {"Cookie:\r\n", "Cookie: ;;;\r\n", "Cookie: =\r\n", "Cookie: =a; ;=\r\n",
                            "Cookie: a\r\n"}) {
        request.fields = http_fields::of_lines(odd);
        CHECK_FALSE(request.cookie("a"));
    }
}
