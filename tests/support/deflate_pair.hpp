// Two ends of a connection that agreed to permessage-deflate, and the texts that go through it.
#pragma once

#include "support/bytes.hpp"
#include "support/endpoint.hpp"

#include <navette/extension/permessage_deflate.hpp>

#include <string>
#include <string_view>

/// What a handshake would have agreed.
inline navette::agreement agreement_on(const navette::extension_factory& factory,
                                       const navette::deflate_agreement& agreed) {
    return {.extension = &factory, .parameters = navette::to_parameters(agreed)};
}

/// The other side's view of the same agreement.
constexpr navette::deflate_agreement seen_by_peer(const navette::deflate_agreement& a) {
    return {.send_window_bits            = a.receive_window_bits,
            .receive_window_bits         = a.send_window_bits,
            .send_no_context_takeover    = a.receive_no_context_takeover,
            .receive_no_context_takeover = a.send_no_context_takeover};
}

inline constexpr navette::deflate_agreement widest{.send_window_bits = 15, .receive_window_bits = 15};
inline constexpr navette::deflate_agreement without_takeover{.send_window_bits            = 15,
                                                             .receive_window_bits         = 15,
                                                             .send_no_context_takeover    = true,
                                                             .receive_no_context_takeover = true};

/// JSON as a market sends it.
inline std::string json(std::size_t size, unsigned seed = 1) {
    constexpr const char* symbols[] = {"BTC-USD", "ETH-USD", "SOL-USD", "XRP-EUR", "ADA-USD"};
    const auto            draw      = [&](unsigned below) {
        seed = seed * 1'103'515'245u + 12'345u;
        return (seed >> 16) % below;
    };
    const auto  number = [&](unsigned from, unsigned below) { return std::to_string(from + draw(below)); };
    std::string text   = "{\"type\":\"trade\",\"items\":[";
    while (text.size() < size)
        text += "{\"id\":" + number(100'000'000, 65'536) + ",\"symbol\":\"" + symbols[draw(5)] + "\",\"price\":" +
                number(0, 60'000) + "." + number(10, 90) + ",\"size\":0." + number(0, 65'536) + ",\"side\":\"" +
                (draw(2) == 0 ? "buy" : "sell") + "\",\"time\":\"2024-05-" + number(10, 20) + "T12:" + number(10, 50) +
                ":" + number(10, 50) + "Z\"},";
    text.resize(size);
    return text;
}

/// Bytes that do not compress.
inline byte_vector noise(std::size_t size, unsigned seed = 1) {
    byte_vector made(size);
    for (std::byte& b : made) {
        seed = seed * 1'664'525u + 1'013'904'223u;
        b    = static_cast<std::byte>(seed >> 24);
    }
    return made;
}

/// The messages that `ws` hears, in brackets: "[one][two]"; what ends it as its error's name.
template <class P>
std::string messages(P& ws, navette::const_byte_span unmasked,
                     std::size_t step = static_cast<std::size_t>(-1)) {
    auto            wire = from_peer<P>(unmasked);
    navette::buffer out;
    std::string     all;
    for (std::size_t at = 0; at < wire.size();) {
        const std::size_t  n  = std::min(step, wire.size() - at);
        navette::byte_span in = navette::byte_span(wire).subspan(at, n);
        while (const navette::event e = ws.receive(in, out)) {
            if (e.type == navette::event_type::failed)
                return all + std::string(navette::facts(e.error).name);
            if (!e.is_message()) continue;
            if (e.first) all += "[";
            all += e.text();
            if (e.last) all += "]";
        }
        at += n;
    }
    return all;
}
