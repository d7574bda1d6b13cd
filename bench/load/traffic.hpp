// What is sent: one message, made once, and a block of it as it stands on the wire, one behind the other.
#pragma once

#include "options.hpp"
#include "system.hpp"

#include <navette/deflate.hpp>
#include <navette/navette.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace load {

using namespace navette;

/// The bytes of a message. ASCII is words, which a compressor finds something in; mixed text is letters of two bytes and
/// ideographs of three, at random; the last bytes of what they do not fill are spaces. Binary is what a generator of
/// pseudo-random numbers gives, the same in each run.
inline std::string make_payload(const options& asked) {
    std::uint32_t state = 0x2545f491;
    const auto random   = [&state](std::uint32_t below) {
        state = state * 1'664'525 + 1'013'904'223;
        return (state >> 8) % below;
    };
    std::string made;
    made.reserve(asked.size + 16);
    if (!asked.text) {
        while (made.size() < asked.size) made += static_cast<char>(random(256));
        return made;
    }
    constexpr std::string_view words[] = {"shuttle ", "weft ", "warp ", "loom ", "thread ", "frame ", "reed ", "heddle "};
    while (made.size() < asked.size) {
        std::string next;
        if (asked.characters == script::ascii) {
            next = words[random(std::size(words))];
        } else if (random(2) == 0) {
            const std::uint32_t letter = 0x3b1 + random(24); // Greek
            next = {static_cast<char>(0xc0 | letter >> 6), static_cast<char>(0x80 | (letter & 0x3f))};
        } else {
            const std::uint32_t ideograph = 0x4e00 + random(0x5000);
            next = {static_cast<char>(0xe0 | ideograph >> 12), static_cast<char>(0x80 | (ideograph >> 6 & 0x3f)),
                    static_cast<char>(0x80 | (ideograph & 0x3f))};
        }
        if (made.size() + next.size() > asked.size && asked.characters == script::mixed) break;
        made += next;
    }
    made.resize(asked.size, ' ');
    return made;
}

struct traffic {
    opcode type;
    std::string payload;
    std::vector<std::byte> block{};
    std::size_t message = 0; ///< bytes of one message in block

    explicit traffic(const options& asked)
        : type(asked.text ? opcode::text : opcode::binary), payload(make_payload(asked)) {}

    /// Fills the block as a client with this agreement sends it. Without compression all frames have one masking key, as
    /// a server does not see; with it, no message refers to an earlier one.
    void fill(const options& asked, const agreement& agreed) {
        buffer one;
        if (asked.transport == scheme::tcp) {
            if (!one.append(payload)) throw failure("no memory for a message");
        } else {
            client_protocol sender(agreed);
            const errc error = sender.send(type, as_bytes(payload), fin::yes, one,
                                           asked.deflate ? compress::always : compress::never);
            if (error != errc{}) throw failure("cannot make the message: " + std::string(describe(error)));
        }
        message                 = one.size();
        const std::size_t times = std::clamp<std::size_t>(256 * 1024 / message, 1, std::max<std::size_t>(asked.in_flight, 64));
        for (std::size_t i = 0; i < times; ++i)
            block.insert(block.end(), one.data().begin(), one.data().end());
    }
};

} // namespace load
