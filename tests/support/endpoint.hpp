// A protocol under test with its output: what it hears is written as unmasked hex and told as text, what it says is read
// by a slow walker of frames that shares no line with the library. Everything is masked or not as the roles demand, so
// that one case serves both.
#pragma once

#include "support/bytes.hpp"

#include <navette/base/buffer.hpp>
#include <navette/base/limits.hpp>
#include <navette/protocol/protocol.hpp>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

using byte_vector = std::vector<std::byte>;

template <class P>
inline constexpr navette::role role_of =
    std::is_same_v<P, navette::client_protocol> ? navette::role::client : navette::role::server;
template <class P>
using peer_of = navette::protocol<navette::opposite(role_of<P>)>;

/// A frame as it stood on the wire, its payload unmasked.
struct wire_frame {
    unsigned               first  = 0;   // fin, reserved bits and opcode
    bool                   masked = false;
    navette::masking_key   key{};
    byte_vector            payload;

    bool     final() const { return (first & 0x80) != 0; }
    unsigned opcode() const { return first & 0x0f; }
};

/// Takes whole frames apart; throws on anything else, and on a length that is not in its shortest form.
inline std::vector<wire_frame> frames_of(navette::const_byte_span wire) {
    std::vector<wire_frame> frames;
    std::size_t             at   = 0;
    const auto next              = [&] {
        if (at == wire.size())
            throw std::runtime_error("the last frame is not whole: " + to_hex(wire));
        return std::to_integer<unsigned>(wire[at++]);
    };
    while (at < wire.size()) {
        wire_frame f;
        f.first               = next();
        const unsigned second = next();
        f.masked              = second >= 0x80;
        std::uint64_t length  = second % 0x80;
        if (const unsigned size = length == 126 ? 2 : length == 127 ? 8 : 0; size != 0) {
            length = 0;
            for (unsigned i = 0; i < size; ++i) length = length * 256 + next();
            if (length < (size == 2 ? 126u : 65'536u))
                throw std::runtime_error("a length is too long: " + to_hex(wire));
        }
        if (f.masked)
            for (std::byte& k : f.key) k = static_cast<std::byte>(next());
        for (std::uint64_t i = 0; i < length; ++i)
            f.payload.push_back(static_cast<std::byte>(next()) ^ f.key[i % 4]);
        frames.push_back(std::move(f));
    }
    return frames;
}

/// A frame as it stands before masking, its length in the shortest form.
inline byte_vector frame(unsigned first, navette::const_byte_span payload) {
    byte_vector   made{static_cast<std::byte>(first)};
    std::uint64_t length = payload.size();
    const int     size   = length < 126 ? 0 : length < 65'536 ? 2 : 8;
    made.push_back(static_cast<std::byte>(size == 0 ? length : size == 2 ? 126 : 127));
    for (int i = size - 1; i >= 0; --i)
        made.push_back(static_cast<std::byte>(length >> 8 * i & 0xff));
    made.insert(made.end(), payload.begin(), payload.end());
    return made;
}
inline byte_vector frame(unsigned first, std::string_view payload) {
    return frame(first, navette::as_bytes(payload));
}

/// The header of a frame of `length` bytes, without a payload.
inline byte_vector header(unsigned first, std::uint64_t length) {
    byte_vector made{static_cast<std::byte>(first),
                     static_cast<std::byte>(length < 126      ? length
                                            : length < 65'536 ? 126
                                                              : 127)};
    for (int i = length < 126 ? -1 : length < 65'536 ? 1 : 7; i >= 0; --i)
        made.push_back(static_cast<std::byte>(length >> 8 * i & 0xff));
    return made;
}

/// What a Close frame carries.
inline byte_vector close_payload(unsigned code, std::string_view reason = {}) {
    return concat(
        byte_vector{static_cast<std::byte>(code >> 8), static_cast<std::byte>(code & 0xff)},
        navette::as_bytes(reason));
}

/// Unmasked frames as a client sends them. The last may be cut off anywhere, and headers may break any rule.
inline byte_vector masked(navette::const_byte_span frames,
                          navette::masking_key key = {std::byte{0x37}, std::byte{0xfa},
                                                      std::byte{0x21}, std::byte{0x3d}}) {
    byte_vector made;
    for (std::size_t at = 0; at < frames.size();) {
        made.push_back(frames[at++]);
        if (at == frames.size()) break;
        const auto second = std::to_integer<unsigned>(frames[at++]);
        made.push_back(static_cast<std::byte>(second | 0x80));
        std::uint64_t length = second % 0x80;
        const std::size_t extended = length == 126 ? 2 : length == 127 ? 8 : 0;
        if (frames.size() - at < extended) {
            made.insert(made.end(), frames.begin() + static_cast<std::ptrdiff_t>(at), frames.end());
            break;
        }
        if (extended != 0) length = 0;
        for (std::size_t i = 0; i < extended; ++i) {
            length = length * 256 + std::to_integer<unsigned>(frames[at]);
            made.push_back(frames[at++]);
        }
        made.insert(made.end(), key.begin(), key.end());
        for (std::uint64_t i = 0; i < length && at < frames.size(); ++i)
            made.push_back(frames[at++] ^ key[i % 4]);
    }
    return made;
}

/// Unmasked frames as the peer of `P` sends them.
template <class P>
byte_vector from_peer(navette::const_byte_span frames) {
    return role_of<P> == navette::role::server ? masked(frames) : bytes(frames);
}

/// An event as text: `text Hello`, `binary(first) 0x0102`, `ping`, `close 1000 bye`, `failed invalid_utf8 1007`.
inline std::string to_text(const navette::event& e) {
    using navette::event_type;
    constexpr const char* names[] = {"none", "text", "binary", "ping", "pong", "close", "failed"};
    std::string           said    = names[static_cast<std::size_t>(e.type)];
    if (e.is_message() && !(e.first && e.last))
        said += e.first ? "(first)" : e.last ? "(last)" : "(middle)";
    if (e.type == event_type::failed) said += " " + std::string(navette::facts(e.error).name);
    if (e.type == event_type::failed || e.type == event_type::close)
        said += " " + std::to_string(static_cast<unsigned>(e.code));
    if (e.payload.empty() || e.type == event_type::failed) return said;   // the bytes depend on the cut
    const bool printable = std::all_of(e.payload.begin(), e.payload.end(), [](std::byte b) {
        return b >= std::byte{0x20} && b < std::byte{0x7f};
    });
    if (printable) return said + " " + std::string(navette::as_text(e.payload));
    said += " 0x";
    for (const std::byte b : e.payload) {
        said += "0123456789abcdef"[std::to_integer<unsigned>(b) >> 4];
        said += "0123456789abcdef"[std::to_integer<unsigned>(b) & 15];
    }
    return said;
}

/// A source of masking keys that counts its draws, can be told to fail, and never gives the same key twice.
struct counted_entropy {
    std::uint32_t draws    = 0;
    std::uint32_t fails_at = 0xffffffff;   // the draw, from 0, that fails, and all behind it

    static bool fill(void* self, navette::byte_span out) noexcept {
        auto& source = *static_cast<counted_entropy*>(self);
        if (source.draws >= source.fails_at) return false;
        const std::uint32_t n = ++source.draws * 2'654'435'761u;
        for (std::size_t i = 0; i < out.size(); ++i)
            out[i] = static_cast<std::byte>(n >> 8 * (i % 4) & 0xff);
        return true;
    }
    navette::entropy source() noexcept { return {&fill, this}; }
};

/// A protocol, or a session, and its output.
template <class P>
struct endpoint {
    P               ws;
    navette::buffer out;

    explicit endpoint(const navette::agreement& agreed = {},
                      const navette::limits& bounds    = navette::default_limits,
                      navette::entropy source          = {})
        : ws(agreed, bounds, source) {}

    /// What comes of unmasked frames of the peer: the events as text, joined by " | ". Input that is not used up shows
    /// as "(waits)". The input is overwritten afterwards, so that whoever kept a view of it shows.
    std::string hears(std::string_view unmasked_hex) { return hears(bytes(unmasked_hex)); }
    std::string hears(const byte_vector& unmasked) { return hears_raw(from_peer<P>(unmasked)); }
    std::string hears_raw(const byte_vector& wire) {
        const auto memory =
            std::make_unique<std::byte[]>(wire.size()); // exactly, for the address sanitizer
        std::copy(wire.begin(), wire.end(), memory.get());
        navette::byte_span in(memory.get(), wire.size());
        std::string        log;
        const auto note = [&](const std::string& what) {
            log += (log.empty() ? "" : " | ") + what;
        };
        // Each call takes a byte, tells an event, or ends the loop.
        for (std::size_t budget = 4 * wire.size() + 16;; --budget) {
            if (budget == 0) throw std::runtime_error("receive does not come to an end");
            const navette::event e = ws.receive(in, out);
            if (!e) break;
            note(to_text(e));
        }
        if (!in.empty()) note("(waits)");
        if (role_of<P> == navette::role::client &&
            !std::equal(wire.begin(), wire.end(), memory.get()))
            throw std::runtime_error("a client wrote to its input");
        std::fill_n(memory.get(), wire.size(), std::byte{0xdd});
        return log;
    }

    std::string hears_eof() {
        const navette::event e = ws.receive_eof(out);
        return e ? to_text(e) : "";
    }

    /// What is in the output, unmasked, and empties it. Throws if a frame is not whole, or masked against the role.
    byte_vector says() {
        byte_vector unmasked;
        for (const wire_frame& f : said_frames())
            unmasked = concat(unmasked, frame(f.first, f.payload));
        return unmasked;
    }
    std::vector<wire_frame> said_frames() {
        auto frames = frames_of(out.data());
        for (const wire_frame& f : frames)
            if (f.masked != (role_of<P> == navette::role::client))
                throw std::runtime_error("masked against the role");
        out.clear();
        return frames;
    }
};
