// An open connection in one role, driven by its peer's bytes and by an application that reacts to each message as the
// message itself says (RFC 6455, 5 to 7): the same comes of it however the bytes are cut; nothing is heard or said
// behind the end; texts are UTF-8 and within the limits; what we say, a protocol in the other role understands.
#pragma once

#include "bodies/fuzz.hpp"
#include "bodies/heap.hpp"
#include "bodies/utf8.hpp"

#include <navette/protocol/protocol.hpp>

namespace fuzz {

struct protocol_setting {
    agreement agreed{};
    limits    bounds{};
    bool      small_output = false;  // room for one control frame, and drained after each call
    bool      answer_pings = true;

    // zlib looks for a match in its window and in what the same call has inflated: a distance beyond a window that was
    // agreed to be smaller than the largest is refused or not as the cut has it.
    bool is_exact = true;
};

struct protocol_outcome {
    transcript heard, said;   // events and what sending returned; bytes for the peer
    transcript message;       // of which the end has not come, at last
    unsigned   messages = 0;
    errc       error{};
    bool       ended    = false, told_closed = false;
};
inline const place<32 * max_input> protocol_output;

template <role R>
class protocol_run {
    counted_keys            keys_;
    const protocol_setting& setting_;
    protocol<R>             ws_;
    buffer                  out_;
    protocol_outcome&       made_;
    unsigned                fragments_ = 0;

public:
    protocol_run(const protocol_setting& setting, protocol_outcome& made)
        : setting_(setting),
          ws_(setting.agreed, setting.bounds, keys_.source()),
          out_(protocol_output.last(setting.small_output ? protocol_core::reply_room : protocol_output.size())),
          made_(made) {
        ws_.answer_pings(setting.answer_pings);
        made.heard.clear();
        made.said.clear();
        made.message.clear();
        made.messages = 0;
        made.error    = {};
        made.ended = made.told_closed = false;
    }

    void take(byte_span piece) {
        byte_span in = piece;
        for (std::size_t calls = 0;; ++calls) {
            must(calls <= 40 * piece.size() + 2'000, "receive comes to an end");
            const std::size_t left = in.size();
            const event       e    = calls % 2 == 0 ? receive_briefly(in) : ws_.receive(in, out_);
            must(in.size() <= left, "input is taken off the front");
            if (e) note(e);
            else if (in.empty()) break;
            else
                must(!out_.empty() && !out_.can_take(protocol_core::reply_room),
                     "only a full output lets input wait");
            if (setting_.small_output) drain();
        }
    }

    void end() {
        const bool open = receives(ws_.state());
        must(out_.empty() || ws_.transport(out_) == transport_action::keep, "what is owed leaves first");
        drain();
        must((ws_.transport(out_) == transport_action::keep) ==
                 (open || (R == role::client && ws_.state() == connection_state::close_done)),
             "the transport is kept while it is needed (RFC 6455, 7.1.1)");
        const event e = ws_.receive_eof(out_);
        must(bool(e) == !made_.ended, "the end of the transport is told once");
        must(!e || (e.error == errc::truncated && e.code == close_code::abnormal_closure), "an early end is 1006");
        must(out_.empty() && ws_.transport(out_) == transport_action::close, "nothing is said behind the end");
        std::byte late[] = {std::byte{0x81}, std::byte{0}};
        byte_span in(late);
        must(!ws_.receive(in, out_) && in.empty() && !ws_.receive_eof(out_), "nothing is heard behind the end");
        must(ws_.send(opcode::text, "", fin::yes, out_) == errc::not_open && out_.empty(),
             "nothing can be sent behind the end");
    }

private:
    // The short way for those that take it, which has to see what the long way sees.
    event receive_briefly(byte_span& in) {
        const byte_span     before = in;
        const whole_message whole  = ws_.receive_whole(in, out_);
        if (whole)
            return {.type    = whole.type == opcode::text ? event_type::text : event_type::binary,
                    .first   = true,
                    .last    = true,
                    .payload = whole.payload};
        must(in.data() == before.data() && in.size() == before.size(), "what the short way leaves is as it was");
        return ws_.receive(in, out_);
    }

    void drain() {
        made_.said.add(out_.data());
        out_.clear();
    }

    void note(const event& e) {
        must(!made_.ended, "nothing comes behind a Close or a failure");
        if (e.is_message()) return note_message(e);
        made_.heard.add(static_cast<unsigned>(e.type));
        made_.heard.add(static_cast<unsigned>(e.code));
        made_.heard.add(static_cast<unsigned>(e.error));
        if (e.type == event_type::failed) {   // how much of a broken frame is told depends on how much was there
            must(e.payload.size() <= frame_header::max_size, "a failure shows a few bytes");
        } else {
            made_.heard.add(e.payload.size());
            made_.heard.add(const_byte_span(e.payload));
            must(e.payload.size() <= max_control_payload, "control frames have 125 bytes at most");
        }
        must((e.type == event_type::failed) == (e.error != errc{}), "a failure has an error");
        made_.told_closed = e.type == event_type::close;
        made_.error       = e.error;
        made_.ended = made_.told_closed || e.type == event_type::failed;
        if (e.type == event_type::failed) {
            must(e.code == to_close_code(e.error) && ws_.state() == connection_state::failed,
                 "a failure has its code");
        } else if (made_.told_closed) {
            must(utf8_by_the_grammar(e.payload).complete, "a reason is UTF-8");
            must(ws_.state() == connection_state::close_done, "both Closes were exchanged");
        }
    }

    void note_message(const event& e) {
        must(e.first == made_.message.empty(), "a message begins once");
        if (e.first) {
            made_.message.add(static_cast<unsigned>(e.type));
            fragments_ = 0;
        }
        must(load_be64(made_.message.bytes().data()) == static_cast<std::uint64_t>(e.type),
             "a message does not change its type");
        must(!e.payload.empty() || e.last, "pieces are not empty");
        made_.message.add(const_byte_span(e.payload));
        const const_byte_span text = made_.message.bytes().subspan(8);
        must(text.size() <= ws_.bounds().max_message_size, "no message is longer than the limit");
        must(ws_.payload_remaining() <= setting_.bounds.max_message_size, "no frame is longer than the limit");
        if (!e.last) return;
        must(e.type != event_type::text || utf8_by_the_grammar(text).complete, "a text is UTF-8");
        ++made_.messages;
        made_.heard.add(text.size());
        made_.heard.add(made_.message.bytes());
        react(e.type == event_type::text ? opcode::text : opcode::binary, text);
        made_.message.clear();
    }

    // What the application does: as the first byte of the message says.
    void react(opcode op, const_byte_span text) {
        const char    what = text.empty() ? '\0' : static_cast<char>(text[0]);
        const auto    rest = text.empty() ? text : text.subspan(1);
        const auto    half = rest.size() / 2;
        const auto    code = rest.size() < 2 ? close_code::none : static_cast<close_code>(load_be16(rest.data()));
        const auto    text_behind = [&](std::size_t n) { return as_text(rest.subspan(lesser(n, rest.size()))); };
        switch (what) {
        case 'p': note_result(ws_.ping(rest, out_)); break;
        case 'o': note_result(ws_.pong(rest, out_)); break;
        case 'c': note_result(ws_.close(code, text_behind(2), out_)); break;
        case 'f':
            note_result(ws_.send(op, rest.first(half), fin::no, out_));
            note_result(ws_.ping(rest.first(lesser<std::size_t>(half, 125)), out_));
            note_result(ws_.send(opcode::text, "between", fin::yes, out_));
            note_result(ws_.send(opcode::continuation, rest.subspan(half), fin::yes, out_, compress::always));
            break;
        case 'i': note_result(ws_.send(op, rest, fin::no, out_)); break;   // and left so
        case 'b': send_in_place(op, rest); break;
        case 's': note_result(ws_.send_prepared(false)); break;
        case 't': note_result(ws_.send_prepared(ws_.extension() != nullptr)); break;
        case 'r': ws_.release_when_idle(); break;
        case 'n': note_result(ws_.send(op, rest, fin::yes, out_, compress::never)); break;
        case 'a': note_result(ws_.send(op, rest, fin::yes, out_, compress::always)); break;
        case 'x': {
            const auto why = static_cast<errc>(
                rest.empty() ? 0 : std::to_integer<unsigned>(rest[0]) % (std::size(error_table) + 1));
            const event e   = ws_.fail(why, out_);
            if (e) note(e);
            break;
        }
        default: note_result(ws_.send(op, text, fin::yes, out_));
        }
        must(ws_.send(opcode::ping, "", fin::yes, out_) == errc::misuse, "a control frame is no message");
    }

    void send_in_place(opcode op, const_byte_span text) {
        auto mark = ws_.begin_frame(op, text.size(), fin::yes, out_);
        made_.heard.add(static_cast<unsigned>(mark.error()));
        if (!mark) return;
        must(ws_.ping({}, out_) == errc::frame_open && ws_.close(close_code::normal, "", out_) == errc::frame_open,
             "within a frame nothing else is sent");
        const byte_span place = out_.grow(text.size());
        if (place.size() == text.size()) {
            if (!text.empty()) std::memcpy(place.data(), text.data(), text.size());
            mark->mask(place);
        } else {
            out_.shrink(out_.size() - mark->before);   // the driver has no place for the payload: it gives up
            out_.shrink(lesser(out_.size(), header_size(text.size(), R == role::client)));
        }
        ws_.end_frame();
    }

    // A fragment that could not be sent compressed has failed the connection.
    void note_result(errc e) {
        made_.heard.add(static_cast<unsigned>(e));
        if (ws_.state() == connection_state::failed) made_.ended = true;
    }
};

inline protocol_outcome protocol_whole, protocol_cut, protocol_read;

template <role R>
void run_protocol(const protocol_setting& setting, const_byte_span wire, const cuts& cut, protocol_outcome& made) {
    protocol_run<R> run(setting, made);
    for_each_piece(wire, cut, [&](byte_span piece) { run.take(piece); });
    run.end();
}

// Of a message whose end did not come, or that failed, a cut may have let more through: the shorter begins the longer.
inline bool begins_alike(const transcript& a, const transcript& b) {
    const std::size_t n = lesser(a.size(), b.size());
    return std::memcmp(a.bytes().data(), b.bytes().data(), n) == 0;
}

/// What `run` has said, read by a protocol in the other role: whole frames, right for the role, and no fault.
template <role R>
void must_be_understood(const protocol_setting& setting, protocol_outcome& made) {
    protocol_setting peer{.agreed = setting.agreed};
    if (peer.agreed.extension != nullptr) {
        auto& values = peer.agreed.parameters.values;
        std::swap(values[0], values[1]);
        std::swap(values[2], values[3]);
    }
    peer.answer_pings        = false;
    peer.bounds.max_message_size = 1 << 20;
    protocol<opposite(R)> ws(peer.agreed, peer.bounds);
    buffer                out{byte_span(protocol_output)};
    ws.answer_pings(false);
    byte_span in = made.said.bytes();
    while (const event e = ws.receive(in, out))
        must(e.type != event_type::failed, "what we say, our other role understands");
    must(in.empty(), "all that we say is read");
}

template <role R>
bool protocol_conversation(const protocol_setting& setting, input in) {
    const heap_count heap;
    run_protocol<R>(setting, in.rest(), uncut, protocol_whole);
    const bool fits = protocol_whole.said.size() < protocol_output.size() - 65'536;
    const auto check = [&](const cuts& cut) {
        run_protocol<R>(setting, in.rest(), cut, protocol_cut);
        if (!setting.is_exact && (protocol_whole.error == errc::invalid_compressed_data ||
                                  protocol_cut.error == errc::invalid_compressed_data))
            return;
        must(protocol_cut.heard == protocol_whole.heard, "the same is heard however the bytes are cut");
        must(protocol_cut.said == protocol_whole.said, "the same is said however the bytes are cut");
        must(begins_alike(protocol_cut.message, protocol_whole.message), "what is lost of a message is its end");
    };
    check(in.as_cut());
    if (in.option(7)) check(every_byte);   // it costs more than all the rest
    if (fits) must_be_understood<R>(setting, protocol_whole);
    if (setting.agreed.extension == nullptr) must(heap.allocations() == 0, "a protocol allocates nothing");
    return protocol_whole.messages != 0 || protocol_whole.told_closed;
}

/// Option bit 0: a small output; 1: pings are left to the application; 2 and 3: the limits; 7: every byte by itself,
/// too.
inline protocol_setting setting_from(const input& in) {
    constexpr std::uint64_t sizes[]     = {default_limits.max_message_size, 0, 7, 130};
    constexpr std::uint32_t fragments[] = {default_limits.max_fragments, 1, 2, 3};
    protocol_setting        setting;
    setting.small_output            = in.option(0);
    setting.answer_pings            = !in.option(1);
    setting.bounds.max_message_size = sizes[in.options(2, 2)];
    setting.bounds.max_fragments    = fragments[in.options(2, 2)];
    setting.bounds.max_pongs        = in.options(2, 2) == 0 ? 40 : 1024;
    return setting;
}

} // namespace fuzz
