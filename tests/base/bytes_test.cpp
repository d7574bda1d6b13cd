#include <navette/base/bytes.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"

#include <array>
#include <cstdint>
#include <string>

using namespace navette;

// Also in constant expressions, where a shift by too much or a sign would not compile.
static_assert([] {
    std::array<std::byte, 8> place{};
    store_be64(place.data(), 0x0123'4567'89ab'cdefu);
    return load_be64(place.data()) == 0x0123'4567'89ab'cdefu && load_be16(place.data() + 6) == 0xcdef;
}());

TEST_CASE("each of the 64 bits of a 64-bit integer stands in its place", "[bytes][6455:5.2][S2][S5][S8]") {
    for (unsigned bit = 0; bit < 64; ++bit) {
        std::array<std::byte, 8> wire{};
        wire[7 - bit / 8] = static_cast<std::byte>(1u << bit % 8);
        CHECK(load_be64(wire.data()) == std::uint64_t{1} << bit);

        std::array<std::byte, 8> written{};
        written.fill(std::byte{0xff});
        store_be64(written.data(), std::uint64_t{1} << bit);
        CHECK(written == wire);
    }
}

TEST_CASE("every 64-bit integer with one bit missing survives", "[bytes][6455:5.2][S2]") {
    for (unsigned bit = 0; bit < 64; ++bit) {
        const std::uint64_t value = ~(std::uint64_t{1} << bit);
        std::array<std::byte, 8> wire{};
        store_be64(wire.data(), value);
        CHECK(load_be64(wire.data()) == value);
    }
}

TEST_CASE("every 16-bit integer is written high byte first and read back", "[bytes][6455:5.2][S2]") {
    unsigned wrong = 0;
    for (unsigned value = 0; value < 65'536; ++value) {
        std::array<std::byte, 2> wire{};
        store_be16(wire.data(), static_cast<std::uint16_t>(value));
        wrong += wire[0] != static_cast<std::byte>(value / 256) || wire[1] != static_cast<std::byte>(value % 256);
        wrong += load_be16(wire.data()) != value;
    }
    CHECK(wrong == 0);
}

TEST_CASE("a 32-bit integer is written high byte first", "[bytes]") {
    std::array<std::byte, 6> wire{};
    store_be32(wire.data() + 1, 0x0123'45fdu);
    CHECK(wire == std::array{std::byte{0}, std::byte{0x01}, std::byte{0x23}, std::byte{0x45}, std::byte{0xfd}, std::byte{0}});
}

TEST_CASE("integers are read and written at any alignment, and nothing beside them is touched", "[bytes][S14]") {
    for (std::size_t at = 1; at < 9; ++at) {
        std::array<std::byte, 24> memory{};
        memory.fill(std::byte{0xa5});
        store_be64(memory.data() + at, 0x8001'0203'0405'06fdu);
        CHECK(load_be64(memory.data() + at) == 0x8001'0203'0405'06fdu);
        CHECK(memory[at - 1] == std::byte{0xa5});
        CHECK(memory[at + 8] == std::byte{0xa5});

        memory.fill(std::byte{0xa5});
        store_be16(memory.data() + at, 0x8001);
        CHECK(load_be16(memory.data() + at) == 0x8001);
        CHECK(memory[at - 1] == std::byte{0xa5});
        CHECK(memory[at + 2] == std::byte{0xa5});
    }
}

TEST_CASE("text and bytes are two views of the same memory", "[bytes]") {
    const std::string text("a\0\xff", 3);
    const const_byte_span view = as_bytes(text);
    CHECK(bytes(view) == bytes("61 00 ff"));
    CHECK(static_cast<const void*>(view.data()) == text.data());
    CHECK(as_text(view) == text);
    CHECK(as_text(view).data() == text.data());
    CHECK(as_bytes("").empty());
    CHECK(as_text({}).empty());
}

TEST_CASE("the lesser of two is the smaller, and the first of equals", "[bytes]") {
    CHECK(lesser(3, 5) == 3);
    CHECK(lesser(5, 3) == 3);
    CHECK(lesser(std::uint64_t{1} << 63, ~std::uint64_t{0}) == std::uint64_t{1} << 63);
    CHECK(lesser(std::string_view("a"), std::string_view("b")) == "a");
}

TEST_CASE("copy_short copies every size, and nothing beside it", "[bytes]") {
    std::byte from[200];
    for (std::size_t i = 0; i < std::size(from); ++i) from[i] = static_cast<std::byte>(i + 1);
    std::size_t wrong = 0;
    for (std::size_t size = 0; size <= 198; ++size) {
        std::byte to[200]{};
        detail::copy_short(to + 1, from + 1, size);
        for (std::size_t i = 0; i < std::size(to); ++i)
            wrong += to[i] != (i >= 1 && i <= size ? from[i] : std::byte{0});
    }
    CHECK(wrong == 0);
}
