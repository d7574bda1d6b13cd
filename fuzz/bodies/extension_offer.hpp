// Offers of extensions (RFC 6455, 9.1) and permessage-deflate's (RFC 7692, 7.1): any text judged in either role, and
// the negotiation of two sides with any options, whose views of the agreement must match.
#pragma once

#include "bodies/fuzz.hpp"

#include <navette/extension/extension_offer.hpp>
#include <navette/extension/permessage_deflate.hpp>

namespace fuzz {

inline const place<1024> offer_place[2];

inline deflate_options options_from(unsigned bits) {
    return {.send_window_bits            = static_cast<std::uint8_t>(7 + bits % 10),   // 7 and 16 are misuse
            .receive_window_bits         = static_cast<std::uint8_t>(15 - bits / 10 % 8),
            .send_no_context_takeover    = (bits & 0x80) != 0,
            .receive_no_context_takeover = (bits & 0x100) != 0,
            .fall_back                   = (bits & 0x200) != 0};
}

// The only element of an answer; it must be well-formed and have the extension's name.
inline extension_offer only_element(std::string_view text) {
    extension_reader reader(text);
    extension_offer  element, more;
    must(reader.next(element) && element.text() == text && !reader.next(more) && !reader.malformed(),
         "an answer is one element");
    must(element.name() == permessage_deflate_name, "an answer has the extension's name");
    return element;
}

inline bool within(const deflate_agreement& a) {
    return a.send_window_bits >= 8 && a.send_window_bits <= 15 && a.receive_window_bits >= 8 &&
           a.receive_window_bits <= 15;
}

// What we offer with `client`, judged with `server`.
inline bool negotiate(const deflate_options& client, const deflate_options& server) {
    buffer offers{byte_span(offer_place[0])};
    if (append_deflate_offers(client, offers) != errc{}) {
        must(check_deflate_options(client) == errc::misuse && offers.empty(), "who may offer does");
        return false;
    }
    extension_reader reader(as_text(offers.data()));
    for (extension_offer offer; reader.next(offer);) {
        deflate_agreement here, there;
        buffer            answer{byte_span(offer_place[1])};
        if (negotiate_deflate(server, role::server, offer, here, answer) != errc{}) continue;
        must(within(here), "windows have 8 to 15 bits");
        const errc e = negotiate_deflate(client, role::client, only_element(as_text(answer.data())), there, answer);
        must(e == errc{} && within(there), "what our server answers to our client, our client accepts");
        must(here.send_window_bits <= there.receive_window_bits,
             "the server's window is one that the client is ready for");
        must(there.send_window_bits <= here.receive_window_bits,
             "the client's window is one that the server is ready for");
        must(here.send_no_context_takeover || !there.receive_no_context_takeover,
             "the server's context is what the client thinks");
        must(there.send_no_context_takeover || !here.receive_no_context_takeover,
             "the client's context is what the server thinks");
        if (!client.fall_back)
            must(there.receive_window_bits <= client.receive_window_bits, "the client gets what it demands");
        if (!server.fall_back)
            must(here.receive_window_bits <= server.receive_window_bits, "the server gets what it demands");
        must(to_deflate_agreement(to_parameters(here)) == here, "an agreement survives its way to the protocol");
        return true;
    }
    must(!reader.malformed(), "our offers are well-formed");
    return false;
}

inline bool extension_offers(input in) {
    const unsigned        ours = in.byte() << 8 | in.byte(), theirs = in.byte() << 8 | in.byte();
    const deflate_options options = options_from(ours);
    negotiate(options, options_from(theirs));

    const std::string_view text = as_text(in_place(in.rest()));
    extension_reader       reader(text);
    bool                   accepted = false;
    for (extension_offer offer; reader.next(offer);) {
        must(is_token(offer.name()), "an extension's name is a token");
        parameter_reader parameters = offer.parameters();
        for (parameter p; parameters.next(p);)
            must(!p.has_value || p.value_is_token(), "a parameter's value is a token");
        must(!parameters.malformed(), "what is delivered is well-formed");
        if (offer.name() != permessage_deflate_name) continue;

        deflate_agreement agreed, answered;
        buffer            answer{byte_span(offer_place[0])}, none{byte_span{}};
        if (negotiate_deflate(options, role::server, offer, agreed, answer) == errc{}) {
            accepted = true;
            must(within(agreed) && agreed.send_window_bits <= options.send_window_bits,
                 "no window is wider than wanted");
            only_element(as_text(answer.data()));
        } else {
            must(answer.empty(), "who declines says nothing");
        }
        if (negotiate_deflate(options, role::client, offer, answered, none) == errc{}) {
            accepted = true;
            must(within(answered), "windows have 8 to 15 bits");
            must(options.fall_back || answered.receive_window_bits <= options.receive_window_bits,
                 "a demand is met or refused");
            must(options.fall_back || answered.receive_no_context_takeover || !options.receive_no_context_takeover,
                 "a demand is met or refused");
        }
    }
    extension_offer more;
    must(!reader.next(more), "the end is the end");
    return accepted;
}

} // namespace fuzz
