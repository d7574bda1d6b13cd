#include <navette/frame/frame_header.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

using namespace navette;

namespace {

constexpr masking_key key{std::byte{0x37}, std::byte{0xfa}, std::byte{0x21}, std::byte{0x3d}};

std::vector<std::byte> written(const frame_header& h) {
    std::array<std::byte, frame_header::max_size + 2> memory{};
    memory.fill(std::byte{0xa5});
    const std::size_t size = write_header(h, memory.data());
    CHECK(size == header_size(h.payload_length, h.masked));
    for (std::size_t i = size; i < memory.size(); ++i)
        if (memory[i] != std::byte{0xa5}) FAIL("byte " << i << " behind the header was written");
    return bytes(const_byte_span(memory).first(size));
}

parsed_header parsed(const char* hex) { return parse_header(bytes(hex)); }

// A binary header with a 64-bit length field.
std::vector<std::byte> long_header(std::uint64_t length, bool masked) {
    std::vector<std::byte> wire = bytes(masked ? "82 ff" : "82 7f");
    for (int shift = 56; shift >= 0; shift -= 8) wire.push_back(static_cast<std::byte>(length >> shift & 0xff));
    if (masked) wire.insert(wire.end(), key.begin(), key.end());
    return wire;
}

const struct {
    std::uint64_t length;
    const char*   plain;
    const char*   masked;
} boundaries[] = {
    {0, "82 00", "82 80"},
    {1, "82 01", "82 81"},
    {124, "82 7c", "82 fc"},
    {125, "82 7d", "82 fd"},
    {126, "82 7e 007e", "82 fe 007e"},
    {127, "82 7e 007f", "82 fe 007f"},
    {128, "82 7e 0080", "82 fe 0080"},
    {255, "82 7e 00ff", "82 fe 00ff"},
    {256, "82 7e 0100", "82 fe 0100"},
    {65'535, "82 7e ffff", "82 fe ffff"},
    {65'536, "82 7f 0000000000010000", "82 ff 0000000000010000"},
    {0x7fff'ffff, "82 7f 000000007fffffff", "82 ff 000000007fffffff"},
    {0x8000'0000, "82 7f 0000000080000000", "82 ff 0000000080000000"},
    {0xffff'ffff, "82 7f 00000000ffffffff", "82 ff 00000000ffffffff"},
    {0x1'0000'0000, "82 7f 0000000100000000", "82 ff 0000000100000000"},
    {0x7fff'ffff'ffff'ffff, "82 7f 7fffffffffffffff", "82 ff 7fffffffffffffff"},
};

} // namespace

// Also in constant expressions.
static_assert(header_size(125, false) == 2 && header_size(126, false) == 4 && header_size(65'535, false) == 4 &&
              header_size(65'536, false) == 10 && header_size(65'536, true) == frame_header::max_size);
static_assert((rsv_bits::rsv1 | rsv_bits::rsv3) == static_cast<rsv_bits>(0x50));
static_assert((rsv_bits::rsv1 & rsv_bits::rsv3) == rsv_bits::none);
static_assert(noexcept(parse_header({})));

TEST_CASE("the length is written in its shortest form at every boundary", "[frame_header][6455:5.2][C71][C73]") {
    for (const auto& row : boundaries) {
        INFO("length " << row.length);
        CHECK(written({.op = opcode::binary, .payload_length = row.length}) == bytes(row.plain));
        CHECK(written({.op = opcode::binary, .masked = true, .payload_length = row.length, .key = key}) ==
              concat(bytes(row.masked), key));
    }
}

TEST_CASE("the length is read in its shortest form at every boundary", "[frame_header][6455:5.2][C71][S1][S3]") {
    for (const auto& row : boundaries) {
        INFO("length " << row.length);
        const auto plain  = parse_header(bytes(row.plain));
        const auto masked = parse_header(concat(bytes(row.masked), key));
        CHECK(plain.error == errc{});
        CHECK(plain.size == bytes(row.plain).size());
        CHECK(plain.header == frame_header{.op = opcode::binary, .payload_length = row.length});
        CHECK(masked.error == errc{});
        CHECK(masked.size == bytes(row.masked).size() + 4);
        CHECK(masked.header ==
              frame_header{.op = opcode::binary, .masked = true, .payload_length = row.length, .key = key});
    }
}

TEST_CASE("every 16-bit length is written, and read back", "[frame_header][6455:5.2][C71][C73]") {
    unsigned wrong = 0;
    for (std::uint64_t length = 0; length < 70'000; ++length) {
        std::array<std::byte, frame_header::max_size> memory{};
        const std::size_t size = write_header({.payload_length = length}, memory.data());
        const auto        back = parse_header(memory);
        wrong += size != (length <= 125 ? 2u : length <= 0xffff ? 4u : 10u);
        wrong += back.error != errc{} || back.size != size || back.header.payload_length != length;
    }
    CHECK(wrong == 0);
}

TEST_CASE("each bit of a 64-bit length counts", "[frame_header][6455:5.2][C71][C72][C74][S2][S5][S8][S9]") {
    for (const bool masked : {false, true})
        for (unsigned bit = 0; bit < 64; ++bit) {
            INFO("bit " << bit);
            const std::uint64_t length = std::uint64_t{1} << bit;
            const auto          read   = parse_header(long_header(length, masked));
            CHECK(read.error == (bit == 63   ? errc::length_overflow
                                 : bit <= 15 ? errc::non_minimal_length
                                             : errc{}));
            if (bit < 16 || bit == 63) continue;
            CHECK(read.header.payload_length == length);
            CHECK(read.size == (masked ? 14u : 10u));
            CHECK(parse_header(long_header(length | (length - 1), masked)).header.payload_length == 2 * length - 1);
        }
}

TEST_CASE("a 64-bit length with its highest bit set is refused, masked or not, by its first byte",
          "[frame_header][6455:5.2][C72][S1][S3][S4][S5][S7]") {
    for (const bool masked : {false, true})
        for (const std::uint64_t length : {0x8000'0000'0000'0000u, 0x8000'0000'0000'0001u, 0x8000'0000'0001'0000u,
                                           0xfeff'ffff'ffff'ffffu, 0xffff'ffff'ffff'fff2u, 0xffff'ffff'ffff'ffffu}) {
            const auto wire = long_header(length, masked);
            CHECK(parse_header(wire).error == errc::length_overflow);
            CHECK(parse_header(const_byte_span(wire).first(3)).error == errc::length_overflow);
            CHECK(parse_header(const_byte_span(wire).first(2)).error == errc{});
        }
    CHECK(parsed("00 ff ff ff ff ff ff ff ff ff 01 02 03 04").error == errc::length_overflow);   // of a continuation
    CHECK(parsed("83 ff ff ff ff ff ff ff ff ff 01 02 03 04").error == errc::reserved_opcode);
}

TEST_CASE("a 16-bit length below 126 is refused", "[frame_header][6455:5.2][C74]") {
    for (unsigned length = 0; length < 130; ++length) {
        INFO("length " << length);
        const std::byte low = static_cast<std::byte>(length);
        for (const char* start : {"82 7e 00", "02 fe 00", "81 7e 00", "00 7e 00"}) {
            auto wire = bytes(start);
            wire.push_back(low);
            wire.insert(wire.end(), 4, std::byte{});
            CHECK(parse_header(wire).error == (length < 126 ? errc::non_minimal_length : errc{}));
        }
    }
}

TEST_CASE("a 64-bit length below 65,536 is refused", "[frame_header][6455:5.2][C74]") {
    unsigned wrong = 0;
    for (std::uint64_t length = 0; length < 65'540; ++length)
        for (const bool masked : {false, true}) {
            const errc expected = length < 65'536 ? errc::non_minimal_length : errc{};
            wrong += parse_header(long_header(length, masked)).error != expected;
        }
    CHECK(wrong == 0);
}

TEST_CASE("every bit of a 64-bit length is read, and the highest is refused", "[frame_header][6455:5.2][C72][C74]") {
    for (unsigned bit = 0; bit < 64; ++bit)
        for (const bool masked : {false, true})
            for (const std::uint64_t beside : {std::uint64_t{0}, std::uint64_t{1} << 16, std::uint64_t{1} << 62}) {
                const std::uint64_t length = std::uint64_t{1} << bit | beside;
                CAPTURE(length, masked);
                const parsed_header parsed = parse_header(long_header(length, masked));
                CHECK(parsed.error == (bit == 63          ? errc::length_overflow
                                       : length < 65'536 ? errc::non_minimal_length
                                                         : errc{}));
                if (parsed.error == errc{}) CHECK(parsed.header.payload_length == length);
            }
}

TEST_CASE("a reserved opcode is refused by the first byte", "[frame_header][6455:5.2][C70]") {
    for (unsigned first = 0; first < 256; ++first) {
        INFO("first byte " << first);
        const unsigned  op       = first & 15;
        const bool      reserved = (op >= 3 && op <= 7) || op >= 11;
        const std::byte wire[]{static_cast<std::byte>(first), std::byte{}};
        CHECK((parse_header(wire).error == errc::reserved_opcode) == reserved);
        CHECK((parse_header(const_byte_span(wire).first(1)).error == errc::reserved_opcode) == reserved);
    }
}

TEST_CASE("a control frame that is not final is refused by the first byte", "[frame_header][6455:5.5][C89]") {
    for (const char* start : {"08", "09", "0a", "78", "08 00", "09 80", "0a 05"})
        CHECK(parsed(start).error == errc::fragmented_control);
    for (const char* start : {"88 00", "89 00", "8a 00"}) CHECK(parsed(start).error == errc{});
}

TEST_CASE("a control frame carries up to 125 bytes, and is refused for more by the second byte",
          "[frame_header][6455:5.5][C94]") {
    for (const char* longest : {"88 7d", "89 7d", "8a 7d"}) {
        CHECK(parsed(longest).error == errc{});
        CHECK(parsed(longest).header.payload_length == 125);
    }
    for (const char* longer : {"88 7e", "89 7e", "8a 7e", "88 7f", "89 7f", "8a 7f", "89 fe", "89 ff", "89 7e 0080"})
        CHECK(parsed(longer).error == errc::control_too_long);
}

TEST_CASE("a header that is not whole asks for more, and errs in nothing", "[frame_header][6455:5.2][C81][S30]") {
    for (const auto& row : boundaries)
        for (const auto& wire : {bytes(row.plain), concat(bytes(row.masked), key)})
            for (std::size_t cut = 0; cut < wire.size(); ++cut) {
                const auto part = parse_header(const_byte_span(wire).first(cut));
                CHECK(part.error == errc{});
                CHECK(part.size == 0);
            }
}

TEST_CASE("what stands behind the header is not looked at", "[frame_header][6455:5.2]") {
    for (const auto& row : boundaries) {
        const auto wire = concat(bytes(row.plain), bytes("ff ff ff ff ff ff ff ff ff ff ff ff ff ff"));
        CHECK(parse_header(wire).size == bytes(row.plain).size());
        CHECK(parse_header(wire).header.payload_length == row.length);
    }
}

TEST_CASE("every opcode, FIN, reserved bit and mask is written and read back", "[frame_header][6455:5.2]") {
    for (const opcode op :
         {opcode::continuation, opcode::text, opcode::binary, opcode::close, opcode::ping, opcode::pong})
        for (const fin final : {fin::no, fin::yes})
            for (unsigned rsv = 0; rsv < 8; ++rsv)
                for (const bool masked : {false, true}) {
                    if (is_control(op) && final == fin::no) continue;
                    const frame_header h{.op             = op,
                                         .final          = final,
                                         .rsv            = static_cast<rsv_bits>(rsv << 4),
                                         .masked         = masked,
                                         .payload_length = 5,
                                         .key            = masked ? key : masking_key{}};
                    const auto wire  = written(h);
                    const auto first = static_cast<unsigned>(op) | rsv << 4 | (final == fin::yes ? 0x80u : 0u);
                    CHECK(wire[0] == static_cast<std::byte>(first));
                    CHECK(parse_header(wire).header == h);
                }
}

TEST_CASE("the headers of the RFC's examples", "[frame_header][6455:5.7]") {
    CHECK(parsed("81 05").header == frame_header{.op = opcode::text, .payload_length = 5});
    CHECK(parsed("81 85 37fa213d").header ==
          frame_header{.op = opcode::text, .masked = true, .payload_length = 5, .key = key});
    CHECK(parsed("01 03").header == frame_header{.op = opcode::text, .final = fin::no, .payload_length = 3});
    CHECK(parsed("80 02").header == frame_header{.payload_length = 2});
    CHECK(parsed("89 05").header == frame_header{.op = opcode::ping, .payload_length = 5});
    CHECK(parsed("82 7e 0100").header == frame_header{.op = opcode::binary, .payload_length = 256});
    CHECK(parsed("82 7f 0000000000010000").header == frame_header{.op = opcode::binary, .payload_length = 65'536});
}
