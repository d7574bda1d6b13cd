// Frame header: parse and write (RFC 6455, 5.2). Checks what a header must obey whoever sent it; knows nothing of
// messages, roles or I/O.
#pragma once

#include <navette/base/bytes.hpp>
#include <navette/base/errc.hpp>
#include <navette/codec/mask.hpp>
#include <navette/frame/opcode.hpp>

#include <array>

namespace navette {

/// Reserved bits, where they stand in a frame's first byte (RFC 6455, 5.2).
enum class rsv_bits : std::uint8_t { none = 0, rsv3 = 0x10, rsv2 = 0x20, rsv1 = 0x40 };

constexpr rsv_bits operator|(rsv_bits a, rsv_bits b) noexcept {
    return static_cast<rsv_bits>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr rsv_bits operator&(rsv_bits a, rsv_bits b) noexcept {
    return static_cast<rsv_bits>(static_cast<unsigned>(a) & static_cast<unsigned>(b));
}

/// Whether a frame ends its message (RFC 6455, 5.2).
enum class fin : bool { no, yes };

/// The largest payload of a control frame, in bytes (RFC 6455, 5.5).
inline constexpr std::size_t max_control_payload = 125;

/// What stands before a frame's payload.
struct frame_header {
    opcode        op             = opcode::continuation;
    fin           final          = fin::yes;
    rsv_bits      rsv            = rsv_bits::none;
    bool          masked         = false;
    std::uint64_t payload_length = 0;  ///< bytes; at most 2^63 - 1
    masking_key   key{};               ///< meaningful if masked

    static constexpr std::size_t max_size = 14;  ///< bytes on the wire, at most

    friend constexpr bool operator==(const frame_header&, const frame_header&) noexcept = default;
};

/// The outcome of parse_header.
struct parsed_header {
    frame_header header{};
    std::size_t  size = 0;  ///< bytes of the header; 0: there are not enough yet, or an error
    errc         error{};
};

/// Bytes of a header on the wire: 2, 4 or 10, and 4 more with a masking key.
constexpr std::size_t header_size(std::uint64_t payload_length, bool masked) noexcept {
    return (payload_length < 126 ? 2u : payload_length < 65'536 ? 4u : 10u) + (masked ? 4u : 0u);
}

/// Parses the header at the front of `in`. Errors as early as their bytes are there: `reserved_opcode`,
/// `fragmented_control`, `control_too_long`, `non_minimal_length`, `length_overflow`.
constexpr parsed_header parse_header(const_byte_span in) noexcept {
    const auto refuse = [](errc e) { return parsed_header{{}, 0, e}; };
    parsed_header parsed;
    frame_header& h = parsed.header;

    if (in.empty()) return {};
    const auto first = std::to_integer<unsigned>(in[0]);
    h.op             = static_cast<opcode>(first & 0x0f);
    h.final          = static_cast<fin>((first & 0x80) != 0);
    h.rsv            = static_cast<rsv_bits>(first & 0x70);
    if (is_reserved(h.op)) return refuse(errc::reserved_opcode);                                     // 5.2
    if (is_control(h.op) && h.final == fin::no) return refuse(errc::fragmented_control);             // 5.5

    if (in.size() < 2) return {};
    const auto second = std::to_integer<unsigned>(in[1]);
    h.masked          = (second & 0x80) != 0;
    h.payload_length  = second & 0x7f;
    if (is_control(h.op) && h.payload_length > max_control_payload) return refuse(errc::control_too_long);  // 5.5

    std::size_t size = 2;
    if (h.payload_length == 126) {
        if (in.size() < 4) return {};
        h.payload_length = load_be16(&in[2]);
        if (h.payload_length < 126) return refuse(errc::non_minimal_length);                         // 5.2
        size = 4;
    } else if (h.payload_length == 127) {
        if (in.size() < 3) return {};
        if (std::to_integer<unsigned>(in[2]) & 0x80) return refuse(errc::length_overflow);           // 5.2
        if (in.size() < 10) return {};
        h.payload_length = load_be64(&in[2]);
        if (h.payload_length < 65'536) return refuse(errc::non_minimal_length);                      // 5.2
        size = 10;
    }
    if (h.masked) {
        if (in.size() < size + 4) return {};
        for (std::size_t i = 0; i < 4; ++i) h.key[i] = in[size + i];
        size += 4;
    }
    parsed.size = size;
    return parsed;
}

/// Writes the header at `out`, which has room for header_size() bytes, and returns that size. The length takes its
/// shortest form (RFC 6455, 5.2).
constexpr std::size_t write_header(const frame_header& h, std::byte* out) noexcept {
    const std::size_t size   = header_size(h.payload_length, h.masked);
    const unsigned    length = h.payload_length < 126 ? static_cast<unsigned>(h.payload_length)
                               : h.payload_length < 65'536 ? 126u
                                                           : 127u;
    out[0] = static_cast<std::byte>((h.final == fin::yes ? 0x80u : 0u) | static_cast<unsigned>(h.rsv) |
                                    static_cast<unsigned>(h.op));
    out[1] = static_cast<std::byte>((h.masked ? 0x80u : 0u) | length);
    if (length == 126) store_be16(out + 2, static_cast<std::uint16_t>(h.payload_length));
    if (length == 127) store_be64(out + 2, h.payload_length);
    if (h.masked)
        for (std::size_t i = 0; i < 4; ++i) out[size - 4 + i] = h.key[i];
    return size;
}

static_assert([] {
    constexpr std::array hello{std::byte{0x81}, std::byte{0x05}};
    std::array<std::byte, 2> written{};
    const auto parsed = parse_header(hello);
    return parsed.size == 2 && parsed.header.payload_length == 5 && write_header(parsed.header, written.data()) == 2 &&
           written == hello;
}(), "the header of the RFC's unmasked \"Hello\" (5.7)");

} // namespace navette
