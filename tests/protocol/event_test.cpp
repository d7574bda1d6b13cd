#include <navette/protocol/event.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"

#include <type_traits>

using namespace navette;

static_assert(std::is_trivially_copyable_v<event>);

TEST_CASE("an event that says nothing is false, every other is true", "[event]") {
    CHECK_FALSE(event{});
    for (const event_type type : {event_type::text, event_type::binary, event_type::ping,
                                  event_type::pong, event_type::close, event_type::failed})
        CHECK(event{.type = type});
}

TEST_CASE("only text and binary are messages", "[event][6455:5.6]") {
    CHECK(event{.type = event_type::text}.is_message());
    CHECK(event{.type = event_type::binary}.is_message());
    for (const event_type type : {event_type::none, event_type::ping, event_type::pong,
                                  event_type::close, event_type::failed})
        CHECK_FALSE(event{.type = type}.is_message());
}

TEST_CASE("an event's text is a view of its payload", "[event]") {
    auto        payload = text_bytes("weft");
    const event e{.type = event_type::text, .payload = payload};
    CHECK(e.text() == "weft");
    CHECK(static_cast<const void*>(e.text().data()) == payload.data());
    CHECK(event{}.text().empty());
}
