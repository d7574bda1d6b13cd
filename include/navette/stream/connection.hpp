// A WebSocket connection over a blocking stream, after the opening handshake: whole messages in and out, pings answered,
// the closing handshake and the transport's end (RFC 6455, 5 to 7). A short loop over session; opening_handshake.hpp
// makes one.
#pragma once

#include <navette/base/buffer.hpp>
#include <navette/base/buffer_pool.hpp>
#include <navette/base/bytes.hpp>
#include <navette/base/limits.hpp>
#include <navette/base/timeouts.hpp>
#include <navette/codec/entropy.hpp>
#include <navette/codec/utf8.hpp>
#include <navette/extension/agreement.hpp>
#include <navette/protocol/heartbeat.hpp>
#include <navette/protocol/session.hpp>
#include <navette/stream/message.hpp>
#include <navette/stream/transfer.hpp>

#include <cstring>
#include <string_view>

namespace navette {

/// One end of an open connection. Movable; views into it stay valid when it moves.
///
///     while (auto message = ws.read())
///         if (auto error = ws.send(*message)) return error;
///
/// An error of `read` is the end: the transport has been ended as RFC 6455, 7.1.1 has it, and every later call says the
/// same. Pings are answered, and our own pings and the deadlines kept, while `read` waits: some thread must be reading.
/// Two ends that both send much before they read wait for each other until `timeouts::write_stall`.
///
/// Without a lock, one thread at a time. With `Lock` a std::mutex, one thread may call `read`, `read_into` and `close`
/// while any number call the rest; the stream must allow a read and a write at once. No lock is held while a read waits,
/// nor is the one that a read needs held while a write waits.
template <role R, sync_stream S, class Lock = no_lock>
class connection {
    static constexpr std::size_t read_size   = 16 * 1024;
    static constexpr std::size_t large       = 16 * 1024;  // a payload from here on is not copied whole
    static constexpr std::size_t masked_size = 64 * 1024;  // of a large payload, what a client masks at a time

    struct state {
        S           stream;
        limits      bounds;
        timeouts    times;
        buffer      subprotocol{};
        agreement   agreed;
        buffer_pool pool{};

        // `writing` is held by who writes to the stream, and while `wire` is used. `guard` is for the protocol and the
        // members behind it. `writing` is taken first; the reader, who has `guard`, only tries for it: if that fails, the
        // holder has yet to see what is in `out`, for it lets go of `writing` only in a `guard` that finds `out` empty.
        Lock            writing{};
        buffer          wire{};
        buffer          masked{};  // a piece of a large payload
        Lock            guard{};
        session<R>      messages;
        heartbeat       beat;
        buffer          out{};
        std::error_code ended{};
        instant         close_by       = instant::never();
        bool            sending_binary = false;  // a fragmented binary message is

        // The reader's alone.
        buffer                input{};  // storage of `in`
        byte_span             in{};
        peer_close            peer{};
        char                  reason[max_control_payload - 2]{};

        state(S s, const agreement& a, const limits& l, const timeouts& t, entropy source)
            : stream(std::move(s)), bounds(l), times(t), agreed(a),
              messages(navette::protocol<R>(a, bounds, source), pool), beat(watched(t), now_of(stream)) {}

        // Writes and the closing handshake have deadlines of their own, in write_all and close_by.
        static timeouts watched(timeouts t) noexcept {
            t.close_within = t.write_stall = duration{};
            return t;
        }
    };

    // Invariant: null only after a move; then every call fails with errc::misuse.
    state* state_ = nullptr;

    explicit connection(state* opened) noexcept : state_(opened) {}

public:
    /// Whether the timeouts are kept and pings of our own sent. Over an any_stream: if it keeps deadlines itself.
    static constexpr bool keeps_deadlines = deadline_stream<S>;

    /// Makes a connection whose opening handshake was done elsewhere. `already_read`: the bytes that came behind it. Copies
    /// everything but the extension's factory, which is borrowed. `errc::out_of_memory`: the stream is closed.
    static io_result<connection> open(S stream, const agreement& agreed, const limits& bounds = default_limits,
                                      const timeouts& times = {}, const_byte_span already_read = {},
                                      entropy source = {}) {
        connection made(new (std::nothrow) state(std::move(stream), agreed, bounds, times, source));
        if (made.state_ == nullptr) {
            stream.close();
            return errc::out_of_memory;
        }
        state& s = *made.state_;
        if (!s.subprotocol.append(as_bytes(agreed.subprotocol))) return errc::out_of_memory;
        s.agreed.subprotocol = as_text(s.subprotocol.data());
        if (s.input.grow(already_read.size() < read_size ? read_size : already_read.size()).empty()) return errc::out_of_memory;
        s.in = s.input.data().first(already_read.size());
        if (!already_read.empty()) std::memcpy(s.in.data(), already_read.data(), already_read.size());
        return made;
    }

    connection(connection&& other) noexcept : state_(detail::take(other.state_)) {}
    connection& operator=(connection&& other) noexcept {
        connection taken(std::move(other));
        detail::swap_values(state_, taken.state_);
        return *this;
    }

    /// Closes the stream at once; `close` is the polite way.
    ~connection() {
        if (state_ == nullptr) return;
        state_->stream.close();
        delete state_;
    }

    /// Waits for the next message. Errors, each of them final:
    /// - `errc::closed`: the peer's Close has come, our reply has left, the transport has ended: see closed_by
    /// - `errc::truncated`: the stream ended without a Close
    /// - one of `blame::protocol_violation` or `blame::limit_exceeded`: what the peer did; it was told by a Close
    /// - `errc::idle_timeout`, `pong_timeout`, `write_timeout`, `close_timeout` (after start_close)
    /// - the stream's own
    io_result<message> read() {
        if (state_ == nullptr) return errc::misuse;
        state& s = *state_;
        for (;;) {
            if (const auto error = ended()) return error;
            event e = guarded([&] { return s.messages.receive(s.in, s.out); });
            if (!e) {
                bool       direct = false;
                const auto got    = wait_for_bytes([&] {
                    const byte_span space = s.messages.direct_space();
                    direct                = !space.empty();
                    return space;
                });
                if (!got) return got.error();
                if (direct) e = guarded([&] { return s.messages.received_direct(got->size(), s.out); });
                else s.in = *got;
            }
            if (is_last(e)) return finish(e);
            if (e.is_message()) return delivered(e.type, e.payload);
        }
    }

    /// As read, but assembles the message in `place`, which the result views. A longer message fails the connection:
    /// `errc::message_too_big`, 1009.
    io_result<message> read_into(byte_span place) {
        if (state_ == nullptr) return errc::misuse;
        state&      s    = *state_;
        auto&       ws   = s.messages.protocol();
        std::size_t have = 0;
        const auto  fits = [&](const event& e) {
            const std::size_t room  = place.size() - have;
            const std::size_t piece = e.is_message() ? e.payload.size() : 0;
            return piece <= room && ws.payload_remaining() <= room - piece;
        };
        for (;;) {
            if (const auto error = ended()) return error;
            const event e = guarded([&] {
                const event next = ws.receive(s.in, s.out);
                return is_last(next) || fits(next) ? next : ws.fail(errc::message_too_big, s.out);
            });
            if (is_last(e)) return finish(e);
            if (e.is_message()) {
                const byte_span rest = place.subspan(have);
                if (!e.payload.empty() && e.payload.data() != rest.data())
                    std::memcpy(rest.data(), e.payload.data(), e.payload.size());
                have += e.payload.size();
                if (e.last) return delivered(e.type, place.first(have));
            }
            if (e) continue;
            const auto got = wait_for_bytes([&] {
                const byte_span rest = place.subspan(have);
                return rest.first(static_cast<std::size_t>(lesser<std::uint64_t>(rest.size(), ws.payload_remaining())));
            });
            if (!got) return got.error();
            s.in = *got;
        }
    }

    /// Sends a message and returns when its bytes have left. Errors that change nothing: `errc::unsendable_text`,
    /// `not_open` (our Close was sent), `message_in_progress`, `misuse`, `no_entropy`, `out_of_memory`. After any other,
    /// `errc::write_timeout` or the stream's, the connection is lost.
    std::error_code send(std::string_view text) { return send(opcode::text, as_bytes(text), fin::yes); }
    std::error_code send(const_byte_span binary) { return send(opcode::binary, binary, fin::yes); }
    std::error_code send(const message& m) { return send(m.type, m.data, fin::yes); }

    /// Sends a message, or a fragment of one whose length is not known yet: text or binary begins it,
    /// `opcode::continuation` goes on, `fin::yes` ends it. One thread sends all fragments of a message. Errors as above.
    std::error_code send(opcode op, const_byte_span payload, fin final, compress how = compress::automatic) {
        if (state_ == nullptr) return errc::misuse;
        state&     s          = *state_;
        const bool in_place   = payload.size() >= large && s.agreed.extension == nullptr;
        const bool whole_text = op == opcode::text && final == fin::yes;
        if (in_place && whole_text && !is_valid_utf8(payload)) return errc::unsendable_text;
        s.writing.lock();
        if (in_place && (whole_text || op == opcode::binary || (op == opcode::continuation && s.sending_binary)))
            return send_large(op, payload, final);
        return write([&] {
            const errc refused = s.messages.protocol().send(op, payload, final, s.out, how);
            if (refused == errc{}) note_sent(op, final);
            return refused;
        });
    }

    /// Sends a Ping of at most 125 bytes. Its pong comes without notice. `errc::payload_too_long`; else as send.
    std::error_code ping(const_byte_span payload = {}) {
        if (state_ == nullptr) return errc::misuse;
        state_->writing.lock();
        return write([&] { return state_->messages.protocol().ping(payload, state_->out); });
    }

    /// Sends Close and returns: the thread that reads gets what still comes, then `errc::closed`, or `errc::close_timeout`
    /// when it next wakes after `timeouts::close_within`. `close_code::none`: without a code. Errors that change nothing:
    /// `errc::not_open`, `unsendable_close_code`, `reason_too_long`, `unsendable_text`, and send's.
    std::error_code start_close(close_code code = close_code::normal, std::string_view reason = {}) {
        if (state_ == nullptr) return errc::misuse;
        state& s = *state_;
        s.writing.lock();
        return write([&] {
            const errc refused = s.messages.protocol().close(code, reason, s.out);
            if (refused == errc{}) s.close_by = deadline(now_of(s.stream), s.times.close_within);
            return refused;
        });
    }

    /// Closes the connection: sends Close unless that was done, discards what still comes until the peer's Close, and ends
    /// the transport, all within `timeouts::close_within`. Success: the closing handshake is complete, now or before.
    /// Errors: those of start_close, then `errc::close_timeout` and read's.
    std::error_code close(close_code code = close_code::normal, std::string_view reason = {}) {
        std::error_code error = start_close(code, reason);
        if (error == errc::not_open) error.clear();
        while (!error) error = read().error();
        return error == errc::closed ? std::error_code{} : error;
    }

    /// How the peer closed, once `read` has failed; for the thread that reads.
    peer_close closed_by() const noexcept { return state_ == nullptr ? peer_close{} : state_->peer; }

    /// Why `read` has failed, as `explanation` puts it: the rule, its clause and the bytes that broke it; for the thread that
    /// reads. Empty before.
    std::string explanation() const {
        if (state_ == nullptr) return navette::explanation(errc::misuse);
        const scoped_lock held(state_->guard);
        if (!state_->ended) return {};
        return navette::explanation(state_->ended, state_->messages.protocol().broken_by());
    }

    /// What the opening handshake agreed; its subprotocol lives as long as the connection. Not after a move.
    const agreement& agreed() const noexcept { return state_->agreed; }

    /// The latest round-trip time of a ping that was sent by itself; negative: none was measured yet.
    duration round_trip() const {
        if (state_ == nullptr) return duration{-1};
        const scoped_lock held(state_->guard);
        return state_->beat.round_trip();
    }

    /// The stream, to ask it things. Not after a move.
    S& stream() noexcept { return state_->stream; }

private:
    static constexpr bool is_last(const event& e) noexcept {
        return e.type == event_type::close || e.type == event_type::failed;
    }

    std::error_code ended() {
        const scoped_lock held(state_->guard);
        return state_->ended;
    }

    // Runs a step of the protocol and lets the heartbeat hear what came of it.
    template <class Step>
    event guarded(Step step) {
        const scoped_lock held(state_->guard);
        const event       e = step();
        if (e.type == event_type::pong) state_->beat.received(e, now_of(state_->stream));
        return e;
    }

    void note_sent(opcode op, fin final) noexcept {
        if (op != opcode::continuation) state_->sending_binary = op == opcode::binary;
        if (final == fin::yes) state_->sending_binary = false;
    }

    // Lets the protocol append to `out` and drains it. `writing` is held, and given back.
    template <class Append>
    std::error_code write(Append append) {
        state& s = *state_;
        s.guard.lock();
        std::error_code error = s.ended;
        if (!error)
            if (const errc refused = append(); refused != errc{}) error = refused;
        const bool failed = s.messages.protocol().state() == connection_state::failed;
        s.guard.unlock();
        const std::error_code lost = drain();
        if (error && failed) lose(error);   // a codec failed in the middle of a message: the peer has been told
        return error ? error : lost;
    }

    // Writes all that is owed. `writing` is held, and given back.
    std::error_code drain() {
        state& s = *state_;
        for (;;) {
            s.guard.lock();
            if (s.out.empty() || s.ended) {
                const std::error_code ended = s.ended;
                s.writing.unlock();
                s.guard.unlock();
                return ended;
            }
            s.wire.swap(s.out);
            s.guard.unlock();
            lose(write_all(s.stream, s.wire.data(), {}, s.times.write_stall, s.close_by));
            s.wire.clear();
        }
    }

    // The same for the reader, unless somebody is writing: they then see to it.
    std::error_code drain_if_free() {
        state& s = *state_;
        s.guard.lock();
        const bool mine = !s.out.empty() && s.writing.try_lock();
        s.guard.unlock();
        return mine ? drain() : std::error_code{};
    }

    // Writes a frame without a copy of all of its payload; control frames wait in `out` until it has ended (5.5.2).
    // `writing` is held, and given back.
    std::error_code send_large(opcode op, const_byte_span payload, fin final) {
        state& s  = *state_;
        auto&  ws = s.messages.protocol();
        // Without this room a client does not begin what it could not end.
        const bool         room = R == role::server || s.masked.reserve(lesser(payload.size(), masked_size));
        result<frame_mark>   mark = errc::out_of_memory;
        if (const std::error_code refused = write_header([&] {
                if (room) mark = ws.begin_frame(op, payload.size(), final, s.out);
                return mark.error();
            }))
            return refused;

        std::error_code error;
        while (!error && (!payload.empty() || !s.wire.empty())) {
            const auto piece = payload.first(mark->masked() ? lesser(payload.size(), masked_size) : payload.size());
            error = write_all(s.stream, s.wire.data(), mark->masked() ? masked(*mark, piece) : piece,
                              s.times.write_stall, s.close_by);
            s.wire.clear();
            payload = payload.subspan(piece.size());
        }
        s.wire.clear();
        lose(error);

        s.guard.lock();
        ws.end_frame();
        if (!error) note_sent(op, final);
        s.guard.unlock();
        return drain();
    }

    // Takes all that is owed, with the header behind it, into `wire`. On an error `writing` is given back.
    template <class Begin>
    std::error_code write_header(Begin begin) {
        state& s = *state_;
        s.guard.lock();
        std::error_code error = s.ended;
        if (!error)
            if (const errc refused = begin(); refused != errc{}) error = refused;
        if (!error) s.wire.swap(s.out);
        s.guard.unlock();
        if (error) static_cast<void>(drain());
        return error;
    }

    const_byte_span masked(frame_mark& mark, const_byte_span piece) {
        state_->masked.clear();
        if (piece.empty()) return {};
        const byte_span place = state_->masked.grow(piece.size());
        std::memcpy(place.data(), piece.data(), piece.size());
        mark.mask(place);
        return place;
    }

    // Notes the first error that ended the connection.
    void lose(std::error_code error) {
        const scoped_lock held(state_->guard);
        if (error && !state_->ended) state_->ended = error;
    }

    // For the reader: the connection is lost without more words.
    std::error_code abandon(std::error_code error) {
        state& s = *state_;
        lose(error);
        if (s.writing.try_lock()) {   // else the destructor closes it
            s.stream.close();
            s.writing.unlock();
        }
        return error;
    }

    io_result<message> delivered(event_type type, byte_span payload) {
        static_cast<void>(drain_if_free());   // its error waits for the next call: the message has come
        return message{type == event_type::text ? opcode::text : opcode::binary, payload};
    }

    // Waits for bytes, which go to the place that `choose` names, or to `input` if that is empty. Sends what is owed
    // before, keeps the deadlines meanwhile. An end of the stream, or of the connection, is an error.
    template <class Choose>
    io_result<byte_span> wait_for_bytes(Choose choose) {
        state& s = *state_;
        for (;;) {
            heartbeat_verdict verdict;
            byte_span         place;
            instant           until;
            {
                const scoped_lock held(s.guard);
                if (s.ended) return s.ended;
                const instant now = now_of(s.stream);
                verdict = s.beat.poll(s.messages.protocol(), now, s.out);
                place   = choose();
                until   = lesser(verdict.next, s.close_by);
                if (now >= s.close_by) verdict.expired = errc::close_timeout;
            }
            if (verdict.expired == errc::close_timeout) return abandon(errc::close_timeout);
            if (verdict.expired != errc{}) return finish({.type = event_type::failed, .error = verdict.expired});
            if (const auto error = drain_if_free()) return abandon(error);
            if (place.empty()) place = s.input.data();

            const auto got = read_until(s.stream, place, until);
            const instant now = now_of(s.stream);
            if (!got && got.error() == std::errc::timed_out && now >= until) continue;   // what expired is found above
            if (!got) return abandon(got.error());
            const scoped_lock held(s.guard);
            if (*got != 0) {
                s.beat.bytes_read(now);
                return place.first(*got);
            }
            static_cast<void>(s.messages.receive_eof(s.out));
            break;
        }
        return abandon(errc::truncated);
    }

    // The last event has come: what is owed leaves, and the transport ends (7.1.1).
    std::error_code finish(const event& e) {
        state& s = *state_;
        if (e.type == event_type::close) {
            const std::size_t size = lesser(e.payload.size(), sizeof s.reason);
            if (size != 0) std::memcpy(s.reason, e.payload.data(), size);
            s.peer = {e.code, std::string_view(static_cast<const char*>(s.reason), size)};
        }
        const std::error_code last = e.type == event_type::close ? errc::closed : e.error;
        s.writing.lock();
        s.guard.lock();
        if (s.close_by == instant::never()) s.close_by = deadline(now_of(s.stream), s.times.close_within);
        s.guard.unlock();
        const std::error_code lost = drain();

        s.writing.lock();
        if (!lost) {
            s.guard.lock();
            const transport_action action = s.messages.protocol().transport(s.out);
            s.guard.unlock();
            const bool goes_first = action == transport_action::shutdown_write;
            if (goes_first) static_cast<void>(s.stream.shutdown_write());
            discard_until_end(s.stream, s.input.data(), s.close_by);
            if (!goes_first) static_cast<void>(s.stream.shutdown_write());   // TLS owes its peer a close_notify
        }
        s.stream.close();
        const std::error_code ended = lost && e.type == event_type::close ? lost : last;
        s.guard.lock();
        s.ended = ended;
        s.guard.unlock();
        s.writing.unlock();
        return ended;
    }
};

} // namespace navette
