#include <navette/extension/extension_factory.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/toy_extension.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

using namespace navette;

namespace {

// The first offer in `value`, put to the factory.
struct negotiation {
    extension_parameters agreed{};
    std::string          answer;
    errc                 error{};

    negotiation(const toy::extension& extension, role r, std::string_view value) {
        extension_offer  offered;
        extension_reader offers(value);
        REQUIRE(offers.next(offered));
        buffer out;
        error  = extension.factory.negotiate(extension.factory.self, r, offered, agreed, out);
        answer = std::string(as_text(out.data()));
    }
};

std::string offer_of(const toy::extension& extension) {
    buffer out;
    CHECK(extension.factory.offer(extension.factory.self, out) == errc{});
    return std::string(as_text(out.data()));
}

} // namespace

static_assert(std::is_trivially_copyable_v<extension_parameters>);

TEST_CASE("a factory marks messages with RSV1, transforms all and makes codecs late, unless it says else",
          "[extension_factory]") {
    const extension_factory bare{};
    CHECK(bare.rsv == rsv_bits::rsv1);
    CHECK(bare.threshold == 0);
    CHECK_FALSE(bare.eager);
    CHECK(bare.self == nullptr);
}

TEST_CASE("parameters are equal if all their bytes are", "[extension_factory]") {
    extension_parameters a, b;
    CHECK(a == b);
    for (std::size_t i = 0; i < a.values.size(); ++i) {
        b           = a;
        b.values[i] = 1;
        CHECK_FALSE(a == b);
    }
}

TEST_CASE("the toy's options reach its factory", "[extension_factory]") {
    const toy::extension extension({.threshold = 100, .eager = true});
    CHECK(extension.factory.name == "toy");
    CHECK(extension.factory.rsv == rsv_bits::rsv1);
    CHECK(extension.factory.threshold == 100);
    CHECK(extension.factory.eager);
}

TEST_CASE("the toy offers its key, its window if that is asked for, or what it was told", "[extension_factory]") {
    CHECK(offer_of(toy::extension({.key = 90})) == "toy; key=90");
    CHECK(offer_of(toy::extension({.key = 0, .offered_window = 3})) == "toy; key=0; window=3");
    CHECK(offer_of(toy::extension({.offers = "toy; key=1, toy; key=2"})) == "toy; key=1, toy; key=2");
    std::array<std::byte, 5> small{};
    buffer                   out{small};
    const toy::extension     extension;
    CHECK(extension.factory.offer(extension.factory.self, out) == errc::out_of_memory);
}

TEST_CASE("the toy as a server takes any key and window, and answers with them", "[extension_factory][server]") {
    const toy::extension extension;
    const negotiation    plain(extension, role::server, "toy; key=7");
    CHECK(plain.error == errc{});
    CHECK(plain.answer == "toy; key=7");
    CHECK(plain.agreed == extension.agreed(7).parameters);
    const negotiation windowed(extension, role::server, "toy; window=\"3\"; key=255");
    CHECK(windowed.error == errc{});
    CHECK(windowed.answer == "toy; key=255; window=3");
}

TEST_CASE("the toy declines parameters that are unknown, repeated, missing or out of range", "[extension_factory]") {
    const toy::extension extension;
    for (const role r : {role::client, role::server})
        for (const char* bad : {"toy", "toy; key", "toy; key=x", "toy; key=256", "toy; key=9x", "toy; key=1; key=1",
                                "toy; key=1; window=0", "toy; key=1; window", "toy; key=90; window=3; window=3",
                                "toy; key=90; colour=red"}) {
            INFO(bad);
            const negotiation n(extension, r, bad);
            CHECK(n.error == errc::extension_refused);
            CHECK(n.answer == "");
        }
    CHECK(negotiation(toy::extension({.declines = true}), role::server, "toy; key=1").error == errc::extension_refused);
}

TEST_CASE("the toy as a client takes only what it offered, and answers nothing", "[extension_factory][client]") {
    const toy::extension extension({.key = 90, .offered_window = 3});
    const negotiation    good(extension, role::client, "toy; key=90; window=3");
    CHECK(good.error == errc{});
    CHECK(good.answer == "");
    CHECK(good.agreed == extension.agreed().parameters);
    for (const char* bad : {"toy; key=91; window=3", "toy; key=90; window=4", "toy; key=90"})
        CHECK(negotiation(extension, role::client, bad).error == errc::extension_refused);
}

TEST_CASE("the toy makes codecs with what was agreed, after as many failures as it was told", "[extension_factory]") {
    const toy::extension extension({.key = 1, .window = 64, .failing_makes = 2});
    const negotiation    n(extension, role::server, "toy; key=15; window=1");
    message_codec        codec;
    const auto make = [&] { return extension.factory.make(extension.factory.self, n.agreed, role::server, codec); };
    CHECK(make() == errc::out_of_memory);
    CHECK(make() == errc::out_of_memory);
    CHECK_FALSE(codec);
    CHECK(make() == errc{});
    CHECK(codec);
    CHECK(extension.count().makes == 3);
    CHECK(extension.count().made == 1);
    buffer out;
    CHECK(codec.deflate(bytes("f0 0f"), true, out) == errc{});
    CHECK(out == bytes("ff 00"));
}

TEST_CASE("the toy's messages from apart differ by the agreed key, which is the variant", "[extension_factory]") {
    const toy::extension extension({.window = 1});
    for (const unsigned key : {0u, 15u, 255u}) {
        const auto made    = extension.agreed(static_cast<std::uint8_t>(key)).parameters;
        const auto variant = extension.factory.variant(made, role::server);
        CHECK(variant == key);
        buffer out;
        CHECK(extension.factory.deflate_once(extension.factory.self, variant, bytes("00 01"), out) == errc{});
        CHECK(out == std::vector<std::byte>{static_cast<std::byte>(key), static_cast<std::byte>(key ^ 1)});
    }
    CHECK(extension.count().deflated_once == 3);
    std::array<std::byte, 3> small{};
    buffer                   out{small};
    CHECK(extension.factory.deflate_once(extension.factory.self, 0, text_bytes("abcd"), out) == errc::out_of_memory);
}
