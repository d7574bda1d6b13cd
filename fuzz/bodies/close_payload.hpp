// Close frames (RFC 6455, 5.5.1 and 7.4): any payload received by either role, and any code and reason sent by either,
// against the lists of the RFC and of the registry.
#pragma once

#include "bodies/fuzz.hpp"
#include "bodies/utf8.hpp"

#include <navette/protocol/protocol.hpp>

namespace fuzz {

// RFC 6455, 7.4.1 and 7.4.2, and the registry of 11.7, one line a range.
inline bool may_come(unsigned code) {
    switch (code) {
    case 1000: case 1001: case 1002: case 1003: return true;
    case 1007: case 1008: case 1009: case 1010: case 1011: case 1012: case 1013: case 1014: return true;
    default: return code >= 3000 && code < 5000;
    }
}
inline bool may_go(unsigned code, role from) { return may_come(code) && (code != 1010 || from == role::client); }

// The one frame that is in `out`: a Close. Returns its payload, unmasked.
inline const_byte_span only_close(buffer& out, role from) {
    const byte_span     all    = out.data();
    const parsed_header parsed = parse_header(all);
    must(parsed.size != 0 && parsed.header.op == opcode::close && parsed.header.rsv == rsv_bits::none,
         "a Close is written");
    must(parsed.header.masked == (from == role::client), "a client masks, a server does not");
    must(all.size() == parsed.size + parsed.header.payload_length, "nothing is written behind a Close");
    const byte_span payload = all.subspan(parsed.size);
    if (parsed.header.masked) apply_mask(payload, parsed.header.key);
    return payload;
}

template <role R>
bool receive_close(const_byte_span payload, const cuts& cut, bool closing) {
    counted_keys keys;
    std::byte    place[256], wire[2 + 4 + max_control_payload];
    buffer       out{byte_span(place)};
    protocol<R>  ws({}, default_limits, keys.source());
    must(ws.transport(out) == transport_action::keep, "an open connection keeps its transport");
    if (closing) must(ws.close(close_code::normal, "", out) == errc{}, "an open connection can be closed");
    out.clear();
    const std::size_t head = write_header({.op             = opcode::close,
                                           .masked         = R == role::server,
                                           .payload_length = payload.size(),
                                           .key = {std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}}},
                                          wire);
    if (!payload.empty()) std::memcpy(wire + head, payload.data(), payload.size());
    if (R == role::server)
        apply_mask(byte_span(wire + head, payload.size()),
                   {std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}});

    const unsigned        code   = payload.size() < 2 ? 1005 : load_be16(payload.data());
    const const_byte_span reason = payload.size() < 2 ? const_byte_span{} : payload.subspan(2);
    const bool is_ok =
        payload.empty() || (payload.size() > 1 && may_come(code) && utf8_by_the_grammar(reason).complete);
    bool                  told   = false;
    for_each_piece(const_byte_span(wire, head + payload.size()), cut, [&](byte_span in) {
        const event e = ws.receive(in, out);
        must(in.empty(), "all of a Close is taken");
        if (!e) return;
        told = true;
        must((e.type == event_type::close) == is_ok, "a Close is accepted if RFC 6455, 5.5.1 and 7.4 allow it");
        if (!is_ok) {
            const errc why = payload.size() == 1 ? errc::invalid_close_payload
                             : !may_come(code)   ? errc::invalid_close_code
                                                 : errc::invalid_utf8;
            must(e.error == why && e.code == to_close_code(why), "what is wrong with a Close is said");
        } else {
            must(static_cast<unsigned>(e.code) == code, "the code is told");
            must(as_text(e.payload) == as_text(reason), "the reason is told");
        }
    });
    must(told, "a whole Close is an event");
    if (closing) {
        must(out.empty(), "a Close is sent once");
    } else {
        const const_byte_span reply = only_close(out, R);
        if (!is_ok)
            must(reply.size() == 2 && may_go(load_be16(reply.data()), R), "who fails the connection says why");
        else if (payload.empty()) must(reply.empty(), "an empty Close is answered by one");
        else must(load_be16(reply.data()) == (may_go(code, R) ? code : 1000), "the code is sent back");
    }
    must(ws.state() == (is_ok ? connection_state::close_done : connection_state::failed),
         "the connection has ended");
    must(ws.transport(out) == (out.empty() ? transport_action_for(ws.state(), R) : transport_action::keep),
         "what is owed leaves first");
    out.clear();
    must((ws.transport(out) == transport_action::keep) == (is_ok && R == role::client),
         "only a client waits for the server's end");
    must(!ws.receive_eof(out) && ws.transport(out) == transport_action::close, "the end is told once");
    return is_ok;
}

template <role R>
bool send_close(unsigned code, std::string_view reason) {
    counted_keys keys;
    std::byte    place[256];
    buffer       out{byte_span(place)};
    protocol<R>  ws({}, default_limits, keys.source());
    const bool   is_empty = code == 0 && reason.empty();
    const bool is_ok =
        is_empty || (may_go(code, R) && reason.size() <= 123 && utf8_by_the_grammar(as_bytes(reason)).complete);
    const errc   e        = ws.close(static_cast<close_code>(code), reason, out);
    must((e == errc{}) == is_ok, "a Close can be sent if RFC 6455, 5.5.1 and 7.4 allow it");
    must(out.empty() == !is_ok && (ws.state() == connection_state::open) == !is_ok, "an error changes nothing");
    if (!is_ok) return false;
    const const_byte_span payload = only_close(out, R);
    must(payload.size() == (is_empty ? 0 : 2 + reason.size()), "a Close has its code and its reason");
    must(receive_close<opposite(R)>(payload, uncut, false), "what we send, we accept");
    return true;
}

inline bool close_payload(input in) {
    const bool            closing  = in.option(0);
    const const_byte_span payload  = in.rest().first(lesser(in.rest().size(), max_control_payload));
    const bool            accepted = receive_close<role::server>(payload, in.as_cut(), closing);
    must(accepted == receive_close<role::client>(payload, uncut, closing), "both roles accept the same");
    const unsigned code = in.byte() << 8 | in.byte();
    send_close<role::server>(code, in.text());
    send_close<role::client>(code, in.text());
    must(to_string(static_cast<close_code>(code)).empty() == false, "each code has a name");
    return accepted && !payload.empty();
}

} // namespace fuzz
