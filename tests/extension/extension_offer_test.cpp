#include <navette/extension/extension_offer.hpp>

#include "support/bytes.hpp"

#include <string>
#include <vector>

using namespace navette;

namespace {

// What a field value says, in one notation: `name(parameter parameter=value)name()`, and a `!` if it is malformed.
std::string read(std::string_view value) {
    std::string text;
    extension_reader offers(value);
    for (extension_offer offer; offers.next(offer);) {
        text += std::string(offer.name()) + '(';
        parameter_reader parameters = offer.parameters();
        const char* before          = "";
        for (parameter p; parameters.next(p); before = " ") {
            text += before + std::string(p.name);
            if (p.has_value) text += '=' + std::string(p.value);
        }
        CHECK_FALSE(parameters.malformed());
        text += ')';
    }
    return text + (offers.malformed() ? "!" : "");
}

std::string repeated(std::string_view piece, std::size_t n) {
    std::string text;
    while (n-- > 0) text += piece;
    return text;
}

} // namespace

TEST_CASE("offers are read with their parameters in order", "[extension_offer][6455:9.1][C54]") {
    CHECK(read("foo") == "foo()");
    CHECK(read("foo, bar; baz=2") == "foo()bar(baz=2)");
    CHECK(read("deflate-stream") == "deflate-stream()");
    CHECK(
        read("permessage-deflate; client_max_window_bits; server_max_window_bits=10, "
             "permessage-deflate") ==
        "permessage-deflate(client_max_window_bits server_max_window_bits=10)permessage-deflate()");
    CHECK(read("a ; b = 1 ;\tc") == "a(b=1 c)");
    CHECK(read("a;b;b") == "a(b b)");
}

TEST_CASE("empty elements and white space between offers are tolerated",
          "[extension_offer][9110:5.6.1][C32]") {
    CHECK(read("") == "");
    CHECK(read(" , ,\t") == "");
    CHECK(read(" , a , ,b;c ,") == "a()b(c)");
}

TEST_CASE("a malformed offer ends the reading", "[extension_offer][6455:9.1][C55][C65]") {
    for (const char* value :
         {";",           "; a",    "a;",       "a; ", "a;;b",    "a; b=",   "a; =1",
          "a b",         "a; b c", "a; b=1 2", "a=1", "a; b==1", "a; b=\"", "a; b=\"x",
          "a; b=\"x\"y", "a\"",    "\"a\"",    "a/b", "a; b=@",  "(a)",     "a; b=\"\x01\"",
          "\xc3\xa9"}) {
        CAPTURE(value);
        CHECK(read(value).back() == '!');
        CHECK(read("good, " + std::string(value)) == "good()!");
        CHECK(read(std::string(value) + ", good").back() == '!');
    }
}

TEST_CASE("a quoted value must be a token once unescaped", "[extension_offer][6455:9.1][C56]") {
    CHECK(read("a; b=\"c\"") == "a(b=c)");
    CHECK(read("a; b=\"\\c\"") == "a(b=\\c)");
    for (const char* value : {"\"\"", "\"a b\"", "\"a,b\"", "\"a;b\"", "\"\\ \"", "\"\\\"\"",
                              "\"\\\\\"", "\"a\\\"", "\"=\""}) {
        CAPTURE(value);
        CHECK(read(std::string("a; b=") + value) == "!");
    }
    extension_offer offer;
    REQUIRE(extension_reader("a; b=\"\\1\\0\"").next(offer));
    parameter_reader parameters = offer.parameters();
    parameter p;
    REQUIRE(parameters.next(p));
    CHECK(p.value_is("10"));
}

TEST_CASE("an offer shows the text it was read from", "[extension_offer]") {
    extension_offer offer;
    extension_reader offers("x, a; b=\"c,d\", y");
    REQUIRE(offers.next(offer));
    CHECK(offer.text() == "x");
    CHECK_FALSE(offers.next(offer)); // what is quoted is no token
    extension_reader again(" a; b=\"c\" ,y");
    REQUIRE(again.next(offer));
    CHECK(offer.text() == "a; b=\"c\"");
}

TEST_CASE("no extension name is special to a reader", "[extension_offer][S42]") {
    for (const char* name : {"constructor", "__proto__", "toString", "hasOwnProperty"})
        CHECK(read(name) == name + std::string("()"));
}

TEST_CASE("hostile offers are read in one pass", "[extension_offer][S28]") {
    for (std::size_t n = 1024; n <= 4u << 20; n *= 4) {
        CHECK(read("a;b=\"" + repeated("\\c", n)) == "!");
        CHECK(read("b" + std::string(n, ' ') + "x") == "!");
        CHECK(read("b" + std::string(n, ' ')) == "b()");
        CHECK(read(std::string(n, ',') + "b") == "b()");
        CHECK(read("b" + repeated(";c", n)).size() == n * 2 + 2);
    }
}
