// Messages of every kind, sent in every way there is and received as whole messages by a session in the other role
// (RFC 6455, 5 and 6): what was sent arrives, once, in order and unchanged, however the bytes are cut, and what is held
// on the way is bounded by what was sent.
#pragma once

#include "bodies/deflate.hpp"

#include <navette/protocol/prepared_message.hpp>
#include <navette/protocol/session.hpp>

namespace fuzz {

inline transcript trip_sent, trip_heard;
inline const place<65'536> trip_text, trip_piece;

/// `text`, or `a` if there is none, again and again, until it has `size` bytes.
inline const_byte_span stretched(const_byte_span text, std::size_t size) {
    std::byte* const place = trip_text.data();
    place[0] = std::byte{'a'};
    if (!text.empty()) std::memcpy(place, text.data(), text.size());
    for (std::size_t have = text.empty() ? 1 : text.size(); have < size; have *= 2)
        std::memcpy(place + have, place, lesser(have, size - have));
    return trip_text.first(size);
}

inline void note_message(transcript& log, opcode op, const_byte_span payload) {
    log.add(static_cast<unsigned>(op));
    log.add(payload.size());
    log.add(payload);
}

template <role R>
class sender {
    counted_keys keys_;
    protocol<R>  ws_;

public:
    buffer& out;
    sender(const agreement& agreed, buffer& to) : ws_(agreed, default_limits, keys_.source()), out(to) { to.clear(); }

    // One message: bits 0-2 of `how` say in which way, bit 3 whether it is text.
    void send(unsigned how, const_byte_span text) {
        const opcode      op   = (how & 8) != 0 && is_valid_utf8(text) ? opcode::text : opcode::binary;
        const std::size_t half = text.size() / 2;
        const auto        no_error = [](errc e) { must(e == errc{}, "a message can be sent"); };
        const auto        squeezed = (how & 16) != 0 ? navette::compress::always : navette::compress::automatic;
        switch (how & 7) {
        case 0: no_error(ws_.send(op, text, fin::yes, out, squeezed)); break;
        case 1: no_error(ws_.send(op, text, fin::yes, out, navette::compress::never)); break;
        case 2:
        case 3:
            no_error(ws_.send(op, text.first(half), fin::no, out, squeezed));
            no_error(ws_.ping(text.first(lesser<std::size_t>(half, 125)), out));
            if ((how & 1) != 0) no_error(ws_.send(opcode::continuation, "", fin::no, out));
            must(ws_.send(op, "", fin::yes, out) == errc::message_in_progress, "messages are not mixed");
            no_error(ws_.send(opcode::continuation, text.subspan(half), fin::yes, out));
            break;
        case 4: send_in_place(op, text); break;
        case 5: send_prepared(op, text, squeezed); break;
        case 6: no_error(ws_.pong(text.first(lesser<std::size_t>(half, 125)), out)); return;
        default: ws_.release_when_idle(); return;
        }
        note_message(trip_sent, op, text);
    }

    void close() {
        must(ws_.close(close_code::going_away, "bye", out) == errc{} && ws_.state() == connection_state::close_sent,
             "an open connection can be closed");
        must(ws_.send(opcode::text, "", fin::yes, out) == errc::not_open, "nothing is sent behind a Close");
    }

    // What the other side has said: pongs, and its Close.
    void hears(buffer& from) {
        byte_span in = from.data();
        buffer    none{trip_piece.first(256)};
        event     last;
        while (const event e = ws_.receive(in, none)) last = e;
        must(last.type == event_type::close && last.code == close_code::going_away && none.empty(),
             "the Close is answered, once");
        must(ws_.transport(none) == (R == role::server ? transport_action::shutdown_write : transport_action::keep),
             "the server ends the transport");
    }

private:
    void send_in_place(opcode op, const_byte_span text) {
        auto mark = ws_.begin_frame(op, text.size(), fin::yes, out);
        must(bool(mark), "a frame can be begun");
        const byte_span place = out.grow(text.size());
        if (!text.empty()) std::memcpy(place.data(), text.data(), text.size());
        mark->mask(place.first(place.size() / 3));
        mark->mask(place.subspan(place.size() / 3));
        ws_.end_frame();
    }
    void send_prepared(opcode op, const_byte_span text, navette::compress squeezed) {
        if constexpr (R == role::server) {
            prepared_message message(op, text, squeezed);
            const auto first = message.wire(ws_);
            must(bool(first) && out.append(*first), "a prepared message can be sent");
            note_message(trip_sent, op, text);
            const auto again = message.wire(ws_);
            must(bool(again) && again->data() == first->data() && out.append(*again), "it is prepared once");
        } else {
            must(ws_.send(op, text, fin::yes, out, squeezed) == errc{}, "a message can be sent");
        }
    }
};

template <role R>
void hear_all(const agreement& agreed, byte_span wire, const cuts& cut, bool direct, buffer& replies,
              bool ends_closed) {
    static buffer_pool pool(1 << 20);
    counted_keys       keys;
    session<R>         ws(protocol<R>(agreed, default_limits, keys.source()), pool);
    std::size_t        heard = 0;
    bool               closed = false;
    trip_heard.clear();
    replies.clear();
    const auto note = [&](const event& e) {
        must(e.type != event_type::failed, "what is sent is understood");
        closed = e.type == event_type::close;
        if (!e.is_message()) return;
        must(e.first && e.last, "a session delivers whole messages");
        ++heard;
        note_message(trip_heard, e.type == event_type::text ? opcode::text : opcode::binary, e.payload);
    };
    for (std::size_t i = 0; !wire.empty(); ++i) {
        const byte_span space = direct ? ws.direct_space() : byte_span{};
        if (!space.empty()) {
            const std::size_t n = lesser(lesser(space.size(), wire.size()), std::size_t{7'000} + i);
            std::memcpy(space.data(), wire.data(), n);
            wire = wire.subspan(n);
            if (const event e = ws.received_direct(n, replies)) note(e);
            continue;
        }
        // With large frames, pieces are large too.
        const std::size_t n  = lesser(lesser(cut.sizes[i % 3] * (direct ? 64 : 1), wire.size()), trip_piece.size());
        byte_span         in = trip_piece.last(n);
        std::memcpy(in.data(), wire.data(), n);
        wire = wire.subspan(n);
        while (const event e = ws.receive(in, replies)) note(e);
        must(in.empty(), "all is taken");
    }
    must(closed == ends_closed, "a Close arrives");
    must(pool.bytes_kept() <= 1 << 20, "a pool keeps what it may");
}

inline buffer trip_wire, trip_replies;

template <role R>
bool round_trip(input in, agreement agreed, agreement seen_by_peer) {
    sender<R> us(agreed, trip_wire);
    trip_sent.clear();
    std::size_t messages = 0;
    while (!in.empty() && trip_wire.size() < 8'000) {
        const unsigned how  = in.byte();
        std::size_t    size = in.byte();
        if ((how & 96) == 96) size *= agreed.extension == nullptr ? 128 : 8;
        const const_byte_span text = in.bytes(lesser<std::size_t>(size, 32));
        us.send(how, stretched(text, size));
        messages += (how & 7) < 6;
    }
    us.close();
    for (const cuts& cut : {uncut, in.as_cut()}) {
        hear_all<opposite(R)>(seen_by_peer, trip_wire.data(), cut, in.option(1), trip_replies, true);
        must(trip_heard.size() == trip_sent.size() && trip_heard == trip_sent,
             "what is sent arrives, in order and unchanged");
    }
    us.hears(trip_replies);
    return messages != 0;
}

inline bool round_trips(input in) {
    agreement agreed, seen;
    if (in.option(2)) {
        agreed = agreed_by(in.byte());
        seen   = seen_by_peer(agreed);
    }
    deflate_heap::begin();
    const bool accepted =
        in.option(0) ? round_trip<role::client>(in, agreed, seen) : round_trip<role::server>(in, agreed, seen);
    must_have_given_back();
    return accepted;
}

} // namespace fuzz
