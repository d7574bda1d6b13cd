// Frames in tests: written byte by byte as RFC 6455, 5.2 and 5.3 say, and put together again from what a decoder gives.
// Slow and obvious on purpose; nothing of the library's own encoder or masking is used.
#pragma once

#include "support/bytes.hpp"

#include <navette/frame/frame_codec.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace reference {

using namespace navette;

using wire = std::vector<std::byte>;

struct as_server { static constexpr role value = role::server; };
struct as_client { static constexpr role value = role::client; };

inline constexpr masking_key key{std::byte{0x37}, std::byte{0xfa}, std::byte{0x21}, std::byte{0x3d}};
inline constexpr opcode opcodes[]{opcode::continuation, opcode::text, opcode::binary,
                                  opcode::close,        opcode::ping, opcode::pong};

inline wire numbered(std::size_t size) {
    wire made(size);
    for (std::size_t i = 0; i < size; ++i) made[i] = static_cast<std::byte>(i * 37 + (i >> 8) + 11);
    return made;
}

// RFC 6455, 5.2 and 5.3, word for word; `masking` null: not masked.
inline wire frame(unsigned first_byte, const_byte_span payload, const masking_key* masking) {
    const std::size_t n    = payload.size();
    const unsigned    mask = masking != nullptr ? 0x80u : 0u;
    wire              made{static_cast<std::byte>(first_byte)};
    const auto        put = [&](std::uint64_t value, int size) {
        for (int shift = 8 * (size - 1); shift >= 0; shift -= 8)
            made.push_back(static_cast<std::byte>(value >> shift & 0xff));
    };
    if (n <= 125) {
        put(n | mask, 1);
    } else if (n <= 65'535) {
        put(126 | mask, 1);
        put(n, 2);
    } else {
        put(127 | mask, 1);
        put(n, 8);
    }
    if (masking != nullptr) made.insert(made.end(), masking->begin(), masking->end());
    for (std::size_t i = 0; i < n; ++i)
        made.push_back(masking != nullptr ? payload[i] ^ (*masking)[i % 4] : payload[i]);
    return made;
}

// A frame as an endpoint in role R receives it.
template <role R>
wire received(unsigned first_byte, const_byte_span payload = {}, masking_key masking = key) {
    return frame(first_byte, payload, R == role::server ? &masking : nullptr);
}

// A frame put together from its pieces.
struct whole_frame {
    unsigned first_byte = 0;
    wire     payload;
    bool     ended = false;

    friend bool operator==(const whole_frame&, const whole_frame&) = default;
};

// Decodes a stream that comes in chunks. Each chunk lies in memory of its own and exact size, and is overwritten after.
template <role R>
struct reader {
    frame_decoder<R>         frames;
    std::vector<whole_frame> seen;
    errc                     error{};

    void read(const_byte_span chunk) {
        wire      memory(chunk.begin(), chunk.end());
        byte_span in{memory};
        while (const frame_piece piece = take(in)) {
            if (piece.first) {
                const unsigned first_byte = static_cast<unsigned>(piece.op) | static_cast<unsigned>(piece.rsv) |
                                            (piece.final == fin::yes ? 0x80u : 0u);
                seen.push_back({first_byte, {}, false});
            }
            wire& payload = seen.back().payload;
            payload.insert(payload.end(), piece.payload.begin(), piece.payload.end());
            seen.back().ended = piece.last;
            if (piece.last != (piece.remaining == 0)) error = errc::misuse;
        }
        if (!in.empty() && error == errc{}) error = errc::misuse;   // nothing more was found, yet bytes are left
        std::fill(memory.begin(), memory.end(), std::byte{0xdd});
    }

private:
    frame_piece take(byte_span& in) {
        frame_piece piece = frames.receive(in);
        if (piece.error != errc{}) error = piece.error;
        return piece;
    }
};

// One of each kind: empty, short, at the boundaries of the length forms, fragmented with control frames in between.
template <role R>
struct conversation {
    std::vector<whole_frame> sent;
    wire                     stream;
    std::vector<std::size_t> ends{0};

    void add(unsigned first_byte, wire payload) {
        const masking_key masking = rotate(key, sent.size());
        const wire        bytes   = received<R>(first_byte, payload, masking);
        stream.insert(stream.end(), bytes.begin(), bytes.end());
        sent.push_back({first_byte, std::move(payload), true});
        ends.push_back(stream.size());
    }
    explicit conversation(bool large) {
        add(0x81, text_bytes("Hello"));
        add(0x82, {});
        add(0x01, text_bytes("Hel"));
        add(0x89, numbered(3));
        add(0x00, {});
        add(0x8a, {});
        add(0x80, text_bytes("lo"));
        if (large) {
            add(0x82, numbered(125));
            add(0x89, numbered(125));
            add(0x82, numbered(126));
            add(0x82, numbered(300));
        }
        add(0x88, bytes("03e8"));
    }
};

} // namespace reference
