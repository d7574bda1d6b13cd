// A whole conversation (RFC 6455, 4 to 7): a connection over a stream, from its opening handshake to its close, with a
// peer in the other role made of handshake and session. Undamaged, both hear what the other has said, agree on what was
// agreed and on how it ended; damaged, cut off, refused or late, it ends with an error, and no message was changed.
#pragma once

#include "bodies/deflate.hpp"
#include "bodies/round_trip.hpp"
#include "bodies/shuttle.hpp"

#include <navette/stream/opening_handshake.hpp>

namespace fuzz {

inline constexpr std::string_view talk_subprotocols[] = {"chat", "superchat"};
inline shuttle_state talk;
inline transcript    said_here, said_there, heard_here, heard_there;
inline const place<1 << 18> talk_input;

/// One line of the conversation: a byte that says what to do (bit 7: the peer does it), a size, up to 16 bytes.
struct line {
    unsigned        what = 0;
    std::size_t     size = 0;
    const_byte_span begin{};

    bool            is_the_peers() const { return (what & 128) != 0; }
    const_byte_span text() const { return stretched(begin, size); }
};
inline line next_line(input& in) {
    line made{.what = in.byte()};
    made.size  = in.byte();
    made.begin = in.bytes(lesser<std::size_t>(made.size, 16));
    if ((made.what & 96) == 96) made.size *= 80;
    return made;
}

/// The peer, in role R.
template <role R>
class partner final : public peer {
    using handshake = std::conditional_t<R == role::client, client_handshake, server_handshake>;

    counted_keys      keys_;
    buffer            head_{}, out_{};
    input             script_;
    const uri         target_ = *parse_uri("ws://example.com/chat");
    client_options    wishes_{.subprotocols = talk_subprotocols};
    server_options    rules_{.origins = origin_policy::any(), .subprotocols = talk_subprotocols};
    std::optional<handshake> opening_;
    buffer_pool       pool_;
    std::optional<session<R>> ws_;

public:
    agreement  agreed{};
    event      last{};        // a Close or a failure; its payload is gone
    bool       refused = false;

    partner(input script, std::span<const extension_factory* const> extensions) : script_(script) {
        wishes_.extensions = rules_.extensions = extensions;
        if constexpr (R == role::client) {
            opening_.emplace(target_, wishes_, head_, keys_.source());
            must(opening_->request(out_) == errc{}, "a request can be made");
        } else {
            opening_.emplace(rules_, head_);
        }
        flush();
    }

    void hear(byte_span piece) override {
        byte_span in = talk_input.last(piece.size());
        std::memcpy(in.data(), piece.data(), piece.size());
        if (!ws_ && !open(in)) return;
        while (const event e = ws_->receive(in, out_)) {
            if (e.type == event_type::close || e.type == event_type::failed) last = e;
            if (e.is_message())
                note_message(heard_there, e.type == event_type::text ? opcode::text : opcode::binary, e.payload);
        }
        flush();
    }

    bool go_on() override {
        if (refused || last) return false;
        if (!ws_ || ws_->protocol().state() != connection_state::open) return false;
        if (script_.empty()) {
            static_cast<void>(ws_->protocol().close(close_code::normal, "done", out_));
        } else if (const line l = next_line(script_); l.is_the_peers()) {
            speak(l.what, l.text());
        }
        flush();
        return true;
    }

private:
    void flush() {
        talk.to_us.put(out_.data());
        out_.clear();
    }

    bool open(byte_span& in) {
        if (refused) return false;
        if constexpr (R == role::client) {
            const auto status = opening_->receive(in);
            refused = status == client_handshake_status::failed;
            if (status != client_handshake_status::upgrade) return false;
            agreed = opening_->agreed();
        } else {
            const auto status = opening_->receive(in, out_);
            refused = status == handshake_status::refused || status == handshake_status::plain_request;
            if (status == handshake_status::upgrade) {
                agreed = *opening_->accept();
                must(append_http1(opening_->response(), out_) == errc{}, "an answer can be made");
            }
            flush();
            if (status != handshake_status::upgrade) return false;
        }
        ws_.emplace(protocol<R>(agreed, default_limits, keys_.source()), pool_);
        return true;
    }

    void speak(unsigned what, const_byte_span text) {
        auto&        ws   = ws_->protocol();
        const opcode op   = (what & 8) != 0 && is_valid_utf8(text) ? opcode::text : opcode::binary;
        const auto   half = text.size() / 2;
        switch (what & 3) {
        case 0: must(ws.send(op, text, fin::yes, out_) == errc{}, "a message can be sent"); break;
        case 1:
            must(ws.send(op, text.first(half), fin::no, out_) == errc{} && ws.ping({}, out_) == errc{} &&
                     ws.send(opcode::continuation, text.subspan(half), fin::yes, out_) == errc{},
                 "fragments can be sent");
            break;
        case 2: static_cast<void>(ws.ping(text.first(lesser<std::size_t>(text.size(), 125)), out_)); return;
        default: static_cast<void>(ws.close(static_cast<close_code>(1000 + text.size() % 4), "", out_)); return;
        }
        note_message(said_there, op, text);
    }
};

/// The connection's side; returns the error that ended it.
template <role R>
class speaker {
    connection<R, shuttle>& ws_;

    std::error_code read_one() {
        const auto m = ws_.read();
        if (m) note_message(heard_here, m->type, m->data);
        return m.error();
    }

public:
    explicit speaker(connection<R, shuttle>& ws) : ws_(ws) {}

    std::error_code talk_on(input script) {
        while (!script.empty()) {
            const line l = next_line(script);
            if (l.is_the_peers()) continue;
            if (const auto error = speak(l.what, l.text())) return error;
        }
        return {};
    }

    std::error_code end(bool politely) {
        if (politely)
            if (const auto error = ws_.close(close_code::going_away, "bye")) return error;
        for (;;)
            if (const auto error = read_one()) return error;
    }

private:
    std::error_code speak(unsigned what, const_byte_span text) {
        const opcode    op   = (what & 8) != 0 && is_valid_utf8(text) ? opcode::text : opcode::binary;
        const auto      half = text.size() / 2;
        std::error_code error;
        switch (what & 7) {
        case 0: error = ws_.send(op, text, fin::yes); break;
        case 1:
            if (!(error = ws_.send(op, text.first(half), fin::no)))
                error = ws_.send(opcode::continuation, text.subspan(half), fin::yes);
            break;
        case 2: return ws_.ping(text.first(lesser<std::size_t>(text.size(), 125)));
        case 3: {
            const auto m = ws_.read_into(trip_piece.last(4'096));
            if (m) note_message(heard_here, m->type, m->data);
            return m.error();
        }
        default: return read_one();
        }
        if (!error) note_message(said_here, op, text);
        return error;
    }
};

inline bool begins(const transcript& whole, const transcript& part) {
    return part.size() <= whole.size() && std::memcmp(part.bytes().data(), whole.bytes().data(), part.size()) == 0;
}

template <role R>
bool converse(input in, std::span<const extension_factory* const> extensions) {
    talk.to_us.clear();
    talk.to_peer.clear();
    talk.cut    = in.as_cut();
    talk.pieces = talk.calls = talk.writes = 0;
    talk.closed = talk.shut = false;
    talk.write_fails_at = pipe::never;
    talk.clock = instant{1};
    talk.tick  = {};
    for (transcript* log : {&said_here, &said_there, &heard_here, &heard_there}) log->clear();
    bool whole = true;
    if (in.option(2)) {   // what goes wrong
        whole = false;
        const unsigned  how = in.byte();
        const std::size_t at = (in.byte() << 8 | in.byte()) % 1024;
        auto& way = (how & 1) != 0 ? talk.to_us : talk.to_peer;
        if ((how & 6) == 0) way.damaged_at = at, way.damage = static_cast<std::byte>(1u << (how >> 4 & 7));
        if ((how & 6) == 2) way.ends_at = at;
        if ((how & 6) == 4) talk.write_fails_at = at % 16;
        if ((how & 6) == 6) talk.tick = duration{std::int64_t{1} << (20 + how / 16)};
    }
    partner<opposite(R)> other(in, extensions);
    talk.other = &other;

    const client_options wishes{.subprotocols = talk_subprotocols, .extensions = extensions};
    const server_options rules{
        .origins = origin_policy::any(), .subprotocols = talk_subprotocols, .extensions = extensions};
    counted_keys         keys;
    auto opened = [&] {
        if constexpr (R == role::client)
            return connect(shuttle(talk), *parse_uri("ws://example.com/chat"), wishes, default_limits, {}, nullptr,
                           keys.source());
        else return accept(shuttle(talk), rules);
    }();
    std::error_code error = opened.error();
    if (opened) {
        auto& ws = *opened;
        if (whole) {
            talk.let_peer_hear();
            must(ws.agreed().subprotocol == other.agreed.subprotocol &&
                     ws.agreed().extension == other.agreed.extension,
                 "both agree on what was agreed");
        }
        speaker<R> us(ws);
        error = us.talk_on(in);
        const bool politely = in.option(3);
        if (!error) error = us.end(politely);
        const bool lost = !ws.read();
        must(lost, "the end is the end");
        if (whole && error != errc::message_too_big) {
            talk.let_peer_hear();
            must(error == errc::closed && other.last.type == event_type::close,
                 "a conversation ends with both Closes");
            must(begins(heard_there, said_here) && begins(said_here, heard_there), "the peer hears what was said");
            must(begins(said_there, heard_here), "nothing is heard that was not said");
            must(politely || heard_here == said_there, "all that was said before the Close is heard");
            must(ws.closed_by().code != close_code::abnormal_closure, "the peer's Close is known");
        }
    }
    const bool was_open = bool(opened);
    {
        const auto gone = std::move(opened);   // a connection that could not write closes its stream with its life
    }
    must(bool(error) && talk.closed, "a conversation ends, and its stream is closed");
    if (whole) must(was_open, "two of us open a connection");
    return was_open && !heard_there.empty() && !heard_here.empty();
}

inline bool plain_conversation(input in) {
    return in.option(0) ? converse<role::client>(in, {}) : converse<role::server>(in, {});
}

inline bool deflate_conversation(input in) {
    deflate_heap::begin();
    const auto extensions = deflate_number(in.byte()).extensions();
    const bool accepted =
        in.option(0) ? converse<role::client>(in, extensions) : converse<role::server>(in, extensions);
    must_have_given_back();
    return accepted;
}

} // namespace fuzz
