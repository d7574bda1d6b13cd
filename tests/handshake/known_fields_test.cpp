#include <navette/handshake/known_fields.hpp>

#include "support/catch.hpp"

#include <array>
#include <string>
#include <string_view>
#include <vector>

using namespace navette;

namespace {

struct named {
    std::string_view name;
    known_field      field;
};
constexpr std::array names{
    named{"Host", known_field::host},
    named{"Origin", known_field::origin},
    named{"Expect", known_field::expect},
    named{"Upgrade", known_field::upgrade},
    named{"Connection", known_field::connection},
    named{"Content-Length", known_field::content_length},
    named{"Transfer-Encoding", known_field::transfer_encoding},
    named{"Sec-WebSocket-Key", known_field::key},
    named{"Sec-WebSocket-Accept", known_field::accept},
    named{"Sec-WebSocket-Version", known_field::version},
    named{"Sec-WebSocket-Protocol", known_field::subprotocol},
    named{"Sec-WebSocket-Extensions", known_field::extensions},
};
static_assert(names.size() == static_cast<std::size_t>(known_field::other));

std::string upper(std::string_view text) {
    std::string made;
    for (const char c : text) made += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return made;
}

std::vector<std::string_view> all_of(const known_fields& fields, known_field field) {
    std::vector<std::string_view> values;
    fields.for_each(field, [&](std::string_view value) { values.push_back(value); });
    return values;
}

} // namespace

TEST_CASE("a known field is known by its name in any case", "[known_fields][9110:5.1]") {
    for (const auto& [name, field] : names) {
        CHECK(which_field(name) == field);
        CHECK(which_field(upper(name)) == field);
    }
}

TEST_CASE("a name that differs in one character is another field", "[known_fields]") {
    for (const auto& [name, field] : names)
        for (std::size_t i = 0; i < name.size(); ++i) {
            std::string other(name);
            other[i] = '_';
            CHECK(which_field(other) == known_field::other);
            CHECK(which_field(name.substr(0, i)) == known_field::other);
        }
    CHECK(which_field("") == known_field::other);
    CHECK(which_field("Cookie") == known_field::other);
}

TEST_CASE("of fields that repeat the first value, the number and all in their order are known", "[known_fields]") {
    const std::vector<http_field> list{{"Host", "a"},        {"x-own", "1"},       {"Upgrade", "h2c"},
                                       {"upgrade", "other"}, {"UPGRADE", "websocket"}, {"Sec-WebSocket-Key", ""}};
    const known_fields fields{http_fields(list)};
    CHECK(fields.count(known_field::host) == 1);
    CHECK(fields.value(known_field::host) == "a");
    CHECK(fields.count(known_field::upgrade) == 3);
    CHECK(fields.value(known_field::upgrade) == "h2c");
    CHECK(all_of(fields, known_field::upgrade) == std::vector<std::string_view>{"h2c", "other", "websocket"});
    CHECK(all_of(fields, known_field::host) == std::vector<std::string_view>{"a"});
    CHECK(all_of(fields, known_field::origin).empty());
    CHECK(fields.has(known_field::key));
    CHECK(fields.value(known_field::key).empty());
    CHECK_FALSE(fields.has(known_field::version));
    CHECK(fields.value(known_field::version).empty());
}

TEST_CASE("a token is found in any of the fields of its name", "[known_fields][9110:7.8][9110:5.3]") {
    const std::vector<http_field> list{{"Connection", "keep-alive"}, {"connection", "close, Upgrade"}, {"Upgrade", "notwebsocket"}};
    const known_fields fields{http_fields(list)};
    CHECK(fields.contains_token(known_field::connection, "upgrade"));
    CHECK(fields.contains_token(known_field::connection, "Keep-Alive"));
    CHECK_FALSE(fields.contains_token(known_field::connection, "alive"));
    CHECK_FALSE(fields.contains_token(known_field::upgrade, "websocket"));
    CHECK_FALSE(fields.contains_token(known_field::expect, "100-continue"));
}

TEST_CASE("fields that are noted one by one are known as if they had been read at once", "[known_fields]") {
    const std::vector<http_field> list{{"Origin", "http://a"}, {"origin", "http://b"}, {"Expect", "x"}};
    known_fields noted;
    for (const http_field& field : list) noted.note(field);
    noted.end(list);
    CHECK(noted.count(known_field::origin) == 2);
    CHECK(all_of(noted, known_field::origin) == std::vector<std::string_view>{"http://a", "http://b"});
    CHECK(noted.value(known_field::expect) == "x");
}
