// Opcodes: what a frame is (RFC 6455, 5.2 and 11.8).
// What a message is, text or binary, is the opcode of its first frame (5.4).
#pragma once

#include <cstdint>
#include <string_view>

namespace navette {

/// The four bits that say what a frame carries (RFC 6455, 5.2).
enum class opcode : std::uint8_t { continuation = 0x0, text = 0x1, binary = 0x2, close = 0x8, ping = 0x9, pong = 0xa };

/// Control frames are never fragmented and may come between the fragments of a message (RFC 6455, 5.5).
constexpr bool is_control(opcode op) noexcept { return (static_cast<std::uint8_t>(op) & 0x8) != 0; }

/// 3 to 7 and B to F have no meaning yet: whoever receives one fails the connection (RFC 6455, 5.2).
constexpr bool is_reserved(opcode op) noexcept { return (static_cast<std::uint8_t>(op) & 0x7) > 2; }

/// The RFC's name of the opcode; "reserved" for the others.
constexpr std::string_view to_string(opcode op) noexcept {
    switch (op) {
    case opcode::continuation: return "continuation";
    case opcode::text:         return "text";
    case opcode::binary:       return "binary";
    case opcode::close:        return "close";
    case opcode::ping:         return "ping";
    case opcode::pong:         return "pong";
    }
    return "reserved";
}

} // namespace navette
