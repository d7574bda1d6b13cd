#include <navette/codec/http_grammar.hpp>

#include "support/catch.hpp"
#include "support/instruction_sets.hpp"

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

using namespace navette;

namespace {

static_assert(is_token("Sec-WebSocket-Key") && !is_token("") && !is_token("a b"));
static_assert(list_contains_token("keep-alive, Upgrade", "upgrade") &&
              !list_contains_token("notupgrade", "upgrade"));
static_assert([] {
    parameter_reader reader("permessage-deflate; server_max_window_bits=\"1\\0\"");
    parameter p;
    return reader.name() == "permessage-deflate" && reader.next(p) && p.value_is("10") &&
           !reader.next(p) && !reader.malformed();
}());

// For each of the 256 bytes.
template <class Check>
void for_each_byte(Check check) {
    for (unsigned value = 0; value < 256; ++value) check(static_cast<char>(value), value);
}

struct list_reading {
    std::vector<std::string> elements;
    bool                     malformed;
    friend bool operator==(const list_reading&, const list_reading&) = default;
};

list_reading read_list(std::string_view list) {
    list_reader reader(list);
    list_reading reading{};
    for (std::string_view element; reader.next(element);) reading.elements.emplace_back(element);
    reading.malformed = reader.malformed();
    return reading;
}

list_reading good(std::vector<std::string> elements) { return {std::move(elements), false}; }

// An element written back: `name|a|b=token|c="quoted"`, with `!` behind it if it is malformed.
std::string read_parameters(std::string_view element) {
    parameter_reader reader(element);
    std::string reading(reader.name());
    for (parameter p; reader.next(p);) {
        reading += '|';
        reading += p.name;
        if (p.has_value) reading += '=';
        if (p.quoted) reading += '"';
        reading += p.value;
        if (p.quoted) reading += '"';
    }
    return reader.malformed() ? reading + '!' : reading;
}

parameter with_value(std::string_view value, bool quoted) {
    parameter p;
    p.name = "p";
    p.value = value;
    p.has_value = true;
    p.quoted = quoted;
    return p;
}

std::string unescaped(std::string_view raw) {
    std::string to(raw.size(), '?');
    to.resize(unescape(raw, to.data()));
    return to;
}

} // namespace

TEST_CASE("a text is a token exactly if all of its characters are tchar, wherever it lies", "[grammar][9110:5.6.2]") {
    const std::string_view tchars = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    std::string memory;
    for (std::size_t size = 1; size <= 50; ++size)
        for (std::size_t start = 0; start < 16; start += 5)
            for (std::size_t at = 0; at < size; ++at)
                for (unsigned c = 0; c < 256; ++c) {
                    if (size > 20 && c % 5 != 0) continue;
                    memory.assign(start + size, 'x');
                    memory[start + at] = static_cast<char>(c);
                    const auto text = std::string_view(memory).substr(start);
                    const bool allowed = tchars.find(static_cast<char>(c)) != std::string_view::npos;
                    if (is_token(text) != allowed || detail::skip_token_chars(text) != (allowed ? size : at))
                        FAIL("size " << size << ", character " << c << " at " << at);
                }
    CHECK_FALSE(is_token(""));
}

TEST_CASE("a list is split at its commas and not within quotes, however long its elements are", "[grammar][9110:5.6.1]") {
    for (std::size_t before = 0; before <= 40; ++before)
        for (std::size_t inside = 0; inside <= 20; ++inside)
            for (std::size_t behind = 0; behind <= 40; behind += 3) {
                const std::string first = "a" + std::string(before, 'b') + "=\"" + std::string(inside, ',') + "\"" +
                                          std::string(behind, 'c');
                const std::string second = "d" + std::string(behind, 'e');
                const std::string text = first + ", " + second;
                list_reader reader(text);
                std::vector<std::string> read;
                for (std::string_view element; reader.next(element);) read.emplace_back(element);
                if (read != std::vector<std::string>{first, second} || reader.malformed()) FAIL(text);

                const std::string open = first + "," + second + "\"" + std::string(inside, ',');
                list_reader cut(open);
                std::size_t whole = 0;
                for (std::string_view element; cut.next(element);) ++whole;
                if (whole != 1 || !cut.malformed()) FAIL(open);
            }
    CHECK(list_contains_token(std::string(40, ',') + "upgrade", "Upgrade"));
}

TEST_CASE("a text is a field value exactly if all of its characters are field characters, wherever it lies",
          "[grammar][9110:5.5]") {
    std::string memory;
    for (std::size_t size = 0; size <= 70; ++size)
        for (std::size_t start = 0; start < 16; start += 5)
            for (std::size_t at = 0; at < size; ++at)
                for (unsigned c = 0; c < 256; ++c) {
                    if (size > 20 && c > 0x21 && c < 0x7e) continue;
                    memory.assign(start + size, 'v');
                    memory[start + at] = static_cast<char>(c);
                    const auto text = std::string_view(memory).substr(start);
                    const bool allowed = c == '\t' || (c >= 0x20 && c != 0x7f);
                    if (is_field_value(text) != allowed || detail::skip_field_chars(text) != (allowed ? size : at))
                        FAIL("size " << size << ", character " << c << " at " << at);
                }
    CHECK(is_field_value(""));
}

TEST_CASE("a field line is parted at its colon and where its value ends, wherever that is", "[grammar][9112:5]") {
    NAVETTE_EACH_INSTRUCTION_SET;
    const auto parts = [](const std::string& text) {
        const std::string exact(text);   // in memory of its own, at whose end the sanitizer watches
        return detail::find_field_line(exact);
    };
    // What is found at once must be what a search for each character finds.
    const auto expected = [](std::string_view text) {
        detail::field_line_parts slow;
        while (slow.colon < text.size() && is_token_char(text[slow.colon])) ++slow.colon;
        if (slow.colon == 0 || slow.colon == text.size() || text[slow.colon] != ':') return detail::field_line_parts{};
        slow.end = slow.colon + 1;
        while (slow.end < text.size() && is_field_char(text[slow.end])) ++slow.end;
        return slow;
    };
    const auto agrees = [&](const std::string& text) {
        const auto found = parts(text), slow = expected(text);
        return found.colon == slow.colon && found.end == slow.end;
    };
    for (std::size_t name = 0; name <= 40; ++name)
        for (std::size_t value = 0; value <= 100; value += value < 40 ? 1 : 7)
            for (const std::size_t behind : {0u, 1u, 20u, 40u})
                if (const std::string text = std::string(name, 'n') + ':' + std::string(value, 'v') + "\r\n" + std::string(behind, 'x');
                    !agrees(text))
                    FAIL(text);
    const std::string line = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ== and what is behind it\r\nHost: example.com\r\n\r\n";
    for (std::size_t at = 0; at < line.size(); ++at)
        for_each_byte([&](char c, unsigned value) {
            std::string text = line;
            text[at]         = c;
            if (!agrees(text)) FAIL("byte " << value << " at " << at);
        });
    for (std::size_t size = 0; size < line.size(); ++size) CHECK(agrees(line.substr(0, size)));
}

TEST_CASE("a token character is a letter, a digit or one of fifteen others",
          "[http_grammar][9110:5.6.2]") {
    const std::string_view allowed =
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for_each_byte([&](char c, unsigned value) {
        INFO("byte " << value);
        REQUIRE(is_token_char(c) == (allowed.find(c) != std::string_view::npos));
    });
}

TEST_CASE("one byte that is no token character spoils a token, wherever it stands",
          "[http_grammar][C20][C166][S57]") {
    for_each_byte([](char c, unsigned value) {
        for (std::size_t at = 0; at < 5; ++at) {
            std::string text = "token";
            text[at] = c;
            if (is_token(text) != is_token_char(c)) FAIL("byte " << value << " at " << at);
        }
    });
    CHECK_FALSE(is_token(""));
}

TEST_CASE("one control character spoils a field value, wherever it stands",
          "[http_grammar][9110:5.5][C20][C166][S57]") {
    for_each_byte([](char c, unsigned value) {
        const bool allowed = value == 0x09 || (value >= 0x20 && value <= 0x7e) || value >= 0x80;
        if (is_field_char(c) != allowed) FAIL("byte " << value);
        for (std::size_t at = 0; at < 12; ++at) {
            std::string text = "field, value";
            text[at] = c;
            if (is_field_value(text) != allowed) FAIL("byte " << value << " at " << at);
        }
    });
    CHECK(is_field_value(""));
}

TEST_CASE("a line cannot be ended from within a field value", "[http_grammar][C20][C166][S57]") {
    CHECK_FALSE(is_field_value("a\r\nSet-Cookie: b"));
    CHECK_FALSE(is_field_value("a\rb"));
    CHECK_FALSE(is_field_value("a\nb"));
    CHECK_FALSE(is_field_value(std::string_view("a\0b", 3)));
}

TEST_CASE("case is ignored for ASCII letters and nothing else", "[http_grammar]") {
    for_each_byte([](char a, unsigned first) {
        for_each_byte([=](char b, unsigned second) {
            const bool both_letters = (first | 0x20) >= 'a' && (first | 0x20) <= 'z';
            const bool expected = first == second || (both_letters && (first ^ second) == 0x20);
            const char left[]{'x', a}, right[]{'X', b};
            if (iequals({left, 2}, {right, 2}) != expected)
                FAIL("bytes " << first << " and " << second);
        });
    });
    for (const std::size_t size : {4u, 5u, 7u, 8u, 9u, 16u, 23u})
        for (const std::size_t at : {std::size_t{0}, size / 2, size - 1})
            for_each_byte([=](char a, unsigned first) {
                for_each_byte([=](char b, unsigned second) {
                    const bool is_letter = (first | 0x20) >= 'a' && (first | 0x20) <= 'z';
                    const bool expected  = first == second || (is_letter && (first ^ second) == 0x20);
                    char left[24], right[24];
                    std::memset(left, 'z', size);
                    std::memset(right, 'Z', size);
                    left[at]  = a;
                    right[at] = b;
                    if (iequals({left, size}, {right, size}) != expected)
                        FAIL("bytes " << first << " and " << second << " at " << at << " of " << size);
                });
            });
    CHECK_FALSE(iequals("upgrade", "upgrad"));
    CHECK_FALSE(iequals("", "a"));
    CHECK(iequals("", ""));
}

TEST_CASE("only spaces and tabs are trimmed, at both ends only", "[http_grammar][9110:5.6.3]") {
    CHECK(trim_ows(" \t a \t b\t ") == "a \t b");
    CHECK(trim_ows(" \t ").empty());
    CHECK(trim_ows("").empty());
    for_each_byte([](char c, unsigned value) {
        const std::string text{c, 'x', c};
        if ((trim_ows(text) == "x") != (c == ' ' || c == '\t')) FAIL("byte " << value);
    });
}

TEST_CASE("a list is read without its white space and its empty elements",
          "[http_grammar][9110:5.6.1][C32]") {
    CHECK(read_list("") == good({}));
    CHECK(read_list(" \t ") == good({}));
    CHECK(read_list(",") == good({}));
    CHECK(read_list(" , ,\t,") == good({}));
    CHECK(read_list("a") == good({"a"}));
    CHECK(read_list("foo , ,bar,charlie") == good({"foo", "bar", "charlie"}));
    CHECK(read_list(",a,,\tb \t, c d ,") == good({"a", "b", "c d"}));
}

TEST_CASE("a comma within a quoted-string does not separate", "[http_grammar][9110:5.6.4]") {
    CHECK(read_list(R"(a;x="1,2", b)") == good({R"(a;x="1,2")", "b"}));
    CHECK(read_list(R"("a\",b",c)") == good({R"("a\",b")", "c"}));
    CHECK(read_list(R"("a\\",b)") == good({R"("a\\")", "b"}));
    CHECK(read_list(R"("",",")") == good({R"("")", R"(",")"}));
    CHECK(read_list("\"\x80\xff\t\"") == good({"\"\x80\xff\t\""}));
}

TEST_CASE("a list with a quoted-string that has no end is malformed from there on",
          "[http_grammar][9110:5.6.4]") {
    CHECK(read_list(R"(a, ")") == list_reading{{"a"}, true});
    CHECK(read_list(R"("a,b)") == list_reading{{}, true});
    CHECK(read_list(R"(a, "b\)") == list_reading{{"a"}, true});
    CHECK(read_list(R"(a, "b\")") == list_reading{{"a"}, true});
    CHECK(read_list("a, \"b\nc\", d") == list_reading{{"a"}, true});

    list_reader reader(R"(a, ", b)");
    std::string_view element;
    while (reader.next(element)) {}
    CHECK_FALSE(reader.next(element));
    CHECK(reader.malformed());
}

TEST_CASE("a token is found in a list only as a whole element, in any case",
          "[http_grammar][C43][C44][S59]") {
    for (const char* list :
         {"Upgrade", "upgrade", "UPGRADE", "keep-alive, Upgrade", "Upgrade,keep-alive",
          "\t, keep-alive ,uPgRaDe\t ,,", "x,upgrade,y", "Upgrade, Upgrade"})
        CHECK(list_contains_token(list, "upgrade"));
    for (const char* list :
         {"", ",", "notupgrade", "upgraded", "up grade", "keep-alive", "upgrade;q=1", "\"upgrade\"",
          "upgrade keep-alive", "x=upgrade", "upgrade/1", "upgrad", "\"a,upgrade,b\""})
        CHECK_FALSE(list_contains_token(list, "upgrade"));
    CHECK(list_contains_token("h2c, WebSocket", "websocket"));
    CHECK_FALSE(list_contains_token("websocket/13", "websocket"));
}

TEST_CASE("a malformed list contains no token", "[http_grammar][C44]") {
    CHECK_FALSE(list_contains_token("upgrade, \"", "upgrade"));
    CHECK_FALSE(list_contains_token("\", upgrade", "upgrade"));
}

TEST_CASE("parameters are read one by one", "[http_grammar][6455:9.1][9110:5.6.6]") {
    CHECK(read_parameters("name") == "name");
    CHECK(read_parameters("foo; bar; baz=2") == "foo|bar|baz=2");
    CHECK(read_parameters("foo;bar;baz=\"2\"") == "foo|bar|baz=\"2\"");
    CHECK(read_parameters(R"(a;b="";c="x\"y\\";d="1;2,3")") == R"(a|b=""|c="x\"y\\"|d="1;2,3")");
    CHECK(read_parameters("a;b;b;B=1") == "a|b|b|B=1");
}

TEST_CASE("white space is allowed around a semicolon and an equals sign",
          "[http_grammar][6455:9.1]") {
    CHECK(read_parameters(" a ; b\t;c = 1\t; d\t=\t\"x\" ;e ") == "a|b|c=1|d=\"x\"|e");
}

TEST_CASE("what is not name and parameters is malformed, and ends there",
          "[http_grammar][6455:9.1]") {
    CHECK(read_parameters("") == "!");
    CHECK(read_parameters("  ") == "!");
    CHECK(read_parameters("; a") == "!");
    CHECK(read_parameters("\"a\"") == "!");
    CHECK(read_parameters("a b") == "a!");
    CHECK(read_parameters("a=1") == "a!");
    CHECK(read_parameters("a;") == "a!");
    CHECK(read_parameters("a; ;b") == "a!");
    CHECK(read_parameters("a;b c;d") == "a|b!");
    CHECK(read_parameters("a;b;;c") == "a|b!");
    CHECK(read_parameters("a;=1") == "a!");
    CHECK(read_parameters("a;b=") == "a!");
    CHECK(read_parameters("a;b=;c") == "a!");
    CHECK(read_parameters("a;b==1") == "a!");
    CHECK(read_parameters("a;b=1=2") == "a|b=1!");
    CHECK(read_parameters("a;b=\"1") == "a!");
    CHECK(read_parameters("a;b=\"1\\\"") == "a!");
    CHECK(read_parameters("a;b=\"1\\") == "a!");
    CHECK(read_parameters("a;b=\"1\"2") == "a|b=\"1\"!");
    CHECK(read_parameters("a;b=1\"2\"") == "a|b=1!");
    CHECK(read_parameters("a;b=(1)") == "a!");
    CHECK(read_parameters("a,b") == "a!");
}

TEST_CASE("a control character is malformed in a quoted value, escaped or not",
          "[http_grammar][9110:5.6.4]") {
    for_each_byte([](char c, unsigned value) {
        if (c == '"' || c == '\\') return;
        const bool plain = read_parameters(std::string("a;b=\"x") + c + "y\"").back() != '!';
        const bool escaped = read_parameters(std::string("a;b=\"x\\") + c + "y\"").back() != '!';
        INFO("byte " << value);
        REQUIRE(plain == is_field_char(c));
        REQUIRE(escaped == is_field_char(c));
    });
}

TEST_CASE("after a malformed parameter there are no others", "[http_grammar]") {
    parameter_reader reader("a; b c; d");
    parameter p;
    CHECK(reader.next(p));
    CHECK_FALSE(reader.malformed());
    CHECK_FALSE(reader.next(p));
    CHECK_FALSE(reader.next(p));
    CHECK(reader.malformed());
}

TEST_CASE("a parameter without a value does not carry that of the one before", "[http_grammar]") {
    parameter_reader reader("a; b=\"1\"; c");
    parameter p;
    CHECK(reader.next(p));
    CHECK(reader.next(p));
    CHECK(p.name == "c");
    CHECK_FALSE(p.has_value);
    CHECK_FALSE(p.quoted);
    CHECK(p.value.empty());
}

TEST_CASE("a value is compared with its quoted pairs resolved", "[http_grammar][9110:5.6.4]") {
    CHECK(with_value("10", false).value_is("10"));
    CHECK(with_value("10", true).value_is("10"));
    CHECK(with_value("\\1\\0", true).value_is("10"));
    CHECK(with_value("\\\\", true).value_is("\\"));
    CHECK(with_value("", true).value_is(""));
    CHECK_FALSE(with_value("10", false).value_is("1"));
    CHECK_FALSE(with_value("10", false).value_is("100"));
    CHECK_FALSE(with_value("\\1\\0", true).value_is("\\1\\0"));
    CHECK_FALSE(with_value("a", true).value_is("A"));
    CHECK_FALSE(parameter{}.value_is(""));   // no value is not an empty one

    const std::vector<char> one{'1'};        // nothing behind it may be read
    CHECK_FALSE(with_value("10", false).value_is({one.data(), one.size()}));
}

TEST_CASE("whether a quoted value is a token is judged after its quoted pairs are resolved",
          "[http_grammar][6455:9.1]") {
    CHECK(with_value("abc", true).value_is_token());
    CHECK(with_value("\\a\\b", true).value_is_token());
    CHECK(with_value("10", false).value_is_token());
    for (const char* raw : {"", "a b", "a\\ b", "\\\"", "\\\\", "a,b", "\xe9"})
        CHECK_FALSE(with_value(raw, true).value_is_token());
    CHECK_FALSE(parameter{}.value_is_token());
}

TEST_CASE("unescaping removes the backslash of each quoted pair", "[http_grammar][9110:5.6.4]") {
    CHECK(unescaped("") == "");
    CHECK(unescaped("plain") == "plain");
    CHECK(unescaped(R"(x\"y\\z)") == R"(x"y\z)");
    CHECK(unescaped(R"(\a\b)") == "ab");
    CHECK(unescaped("a\\") == "a\\");
    std::string place = R"(\a\\b)";
    place.resize(unescape(place, place.data()));
    CHECK(place == R"(a\b)");
}

// Each of these took another parser exponential or quadratic time. At four million characters a quadratic one would run
// for hours.
TEST_CASE("a quoted-string of nothing but escapes and without an end is refused in linear time",
          "[http_grammar][S28]") {
    for (std::size_t size = 1 << 10; size <= 1 << 20; size *= 4) {
        std::string text = "a;b=\"";
        while (text.size() < size) text += "\\c";
        CHECK(read_list(text) == list_reading{{}, true});
        CHECK(read_parameters(text) == "a!");
        CHECK_FALSE(list_contains_token(text, "a"));
    }
}

TEST_CASE("a run of spaces within an element is refused in linear time", "[http_grammar][S28]") {
    for (std::size_t size = 1 << 10; size <= 1 << 20; size *= 4) {
        std::string text(size, ' ');
        text.front() = 'b';
        text.back() = 'x';
        CHECK(read_list(text) == good({text}));
        CHECK(read_parameters(text) == "b!");
        CHECK(trim_ows(text).size() == text.size());
        text[1] = ';';
        CHECK(read_parameters(text) == "b|x");
    }
}

TEST_CASE("many commas, many elements, many parameters and many quotes are read in linear time",
          "[http_grammar][S28]") {
    for (std::size_t size = 1 << 10; size <= 1 << 20; size *= 4) {
        std::string elements, parameters = "a", quotes;
        for (std::size_t i = 0; i < size / 4; ++i) {
            elements += "a , ";
            parameters += ";b=1";
            quotes += R"(",",)";
        }
        CHECK(read_list(std::string(size, ',')) == good({}));
        CHECK(read_list(elements).elements.size() == size / 4);
        CHECK(read_parameters(parameters).size() == parameters.size());
        CHECK(read_list(quotes).elements.size() == size / 4);
        CHECK(list_contains_token(elements, "a"));
    }
}
