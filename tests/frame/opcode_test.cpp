#include <navette/frame/opcode.hpp>

#include "support/catch.hpp"

#include <set>
#include <string_view>

using namespace navette;

TEST_CASE("the six opcodes have the RFC's numbers and names", "[opcode][6455:11.8]") {
    const struct {
        opcode           op;
        unsigned         number;
        std::string_view name;
    } rows[] = {
        {opcode::continuation, 0x0, "continuation"},
        {opcode::text, 0x1, "text"},
        {opcode::binary, 0x2, "binary"},
        {opcode::close, 0x8, "close"},
        {opcode::ping, 0x9, "ping"},
        {opcode::pong, 0xa, "pong"},
    };
    for (const auto& row : rows) {
        CHECK(static_cast<unsigned>(row.op) == row.number);
        CHECK(to_string(row.op) == row.name);
    }
}

TEST_CASE("8 to F are control opcodes, 0 to 7 are not", "[opcode][6455:5.2][6455:5.5]") {
    for (unsigned number = 0; number < 16; ++number) CHECK(is_control(static_cast<opcode>(number)) == (number >= 8));
}

TEST_CASE("3 to 7 and B to F are reserved and have no name", "[opcode][6455:5.2]") {
    const std::set<unsigned> reserved{3, 4, 5, 6, 7, 0xb, 0xc, 0xd, 0xe, 0xf};
    for (unsigned number = 0; number < 16; ++number) {
        const auto op = static_cast<opcode>(number);
        CHECK(is_reserved(op) == (reserved.count(number) == 1));
        CHECK((to_string(op) == "reserved") == (reserved.count(number) == 1));
    }
}
