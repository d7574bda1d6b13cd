// What an async_connection and its tasks own together, and what those tasks do: the drain, which alone writes; the watch over
// the deadlines; the one that ends the transport (RFC 6455, 7.1.1); and the reads. Not for users: async_connection.hpp is.
#pragma once

#include <navette/base/buffer.hpp>
#include <navette/base/buffer_pool.hpp>
#include <navette/base/bytes.hpp>
#include <navette/base/limits.hpp>
#include <navette/base/timeouts.hpp>
#include <navette/codec/entropy.hpp>
#include <navette/extension/agreement.hpp>
#include <navette/protocol/heartbeat.hpp>
#include <navette/protocol/session.hpp>
#include <navette/stream/async_stream.hpp>
#include <navette/stream/message.hpp>
#include <navette/stream/share.hpp>

#include <cstring>
#include <string_view>

namespace navette::detail {

// How the message that is being received is read, if not as a whole.
enum class message_way : std::uint8_t { none, into, piecewise };

// One strand. Whatever calls a function of the stream, or notifies, does so last or expects that anything may have changed.
template <role R, async_stream S>
struct async_connection_state {
    template <class T>
    using task   = typename S::template task<T>;
    using self   = share<async_connection_state>;
    using waiter = waiting_for<async_connection_state>;
    using raised = raised_flag<async_connection_state>;

    static constexpr std::size_t read_size  = 16 * 1024;
    static constexpr std::size_t max_header = 14;

    std::size_t     shares = 0, waiting = 0, moves = 0;
    S               stream;
    limits          bounds;
    timeouts        times;
    buffer          subprotocol{};
    agreement       agreed;
    buffer_pool     pool{};
    session<R>      messages;
    heartbeat       beat;

    // What is owed, and what the drain is writing. taken, and the sizes of both, tell where in all that was ever sent a byte
    // stands: a pong that is replaced has nothing behind it.
    buffer          out{}, wire{};
    std::uint64_t   taken = 0;

    std::error_code ended{};                        // nothing goes on
    std::error_code last{};                         // the last event has come: why the transport is being ended
    instant         close_by      = instant::never();
    instant         stalled_since = instant::never();
    instant         watched_until{};                // when the watch wakes by itself
    bool            is_draining = false, is_reading = false;       // a user is
    bool            is_listening = false;           // somebody is in the stream's read_some
    bool            saw_end = false;                // of the stream
    bool            shuts = false, is_shut = false; // this side's direction is to be ended, and is
    bool            discards = false;               // a close has begun to take what comes

    // `in` is what was read and not yet parsed, of `input`; a message may be viewed there. `unseen` is the same of `ahead`,
    // where a look has put it. read_into has put `into_size` bytes of a message into its place.
    byte_span       in{}, unseen{};
    buffer          input{}, ahead{};
    message_way     midway    = message_way::none;
    std::size_t     into_size = 0;
    peer_close      peer{};
    char            reason[max_control_payload - 2]{};

    typename S::signal moved;                       // for operations that wait
    typename S::signal due;                         // for the watch

    async_connection_state(S s, const agreement& a, const limits& l, const timeouts& t, entropy source)
        : stream(std::move(s)), bounds(l), times(t), agreed(a), messages(protocol<R>(a, bounds, source), pool),
          beat(watched(t), stream.now()), moved(stream.make_signal()), due(stream.make_signal()) {}
    async_connection_state(const async_connection_state&)            = delete;
    async_connection_state& operator=(const async_connection_state&) = delete;
    ~async_connection_state() { stream.close(); }

    // Writes and the closing handshake have deadlines of their own, in poll.
    static timeouts watched(timeouts t) noexcept {
        t.close_within = t.write_stall = duration{};
        return t;
    }

    bool prepare(const_byte_span already_read) noexcept {
        if (!subprotocol.append(as_bytes(agreed.subprotocol))) return false;
        agreed.subprotocol = as_text(subprotocol.data());
        if (input.grow(already_read.size() < read_size ? read_size : already_read.size()).empty()) return false;
        in = input.data().first(already_read.size());
        if (!already_read.empty()) std::memcpy(in.data(), already_read.data(), already_read.size());
        return true;
    }

    std::size_t   queued() const noexcept { return wire.size() + out.size(); }
    std::uint64_t end_of_queue() const noexcept { return taken + queued(); }

    void notify() {
        if (waiting == 0) return;
        ++moves;
        moved.notify_all();
    }

    // Lets the watch know of a deadline that it does not expect.
    void expect(instant when) {
        if (when < watched_until) due.notify_all();
    }

    // Nothing goes on any more, and why: what this side failed the connection for comes before what came of that.
    void end(std::error_code why) {
        if (ended) return;
        ended = last && last != errc::closed ? last : why;
        stream.close();
        notify();
        due.notify_all();
    }

    // The connection is destroyed.
    void abandon() {
        if (!ended) ended = std::make_error_code(std::errc::operation_canceled);
        stream.close();
        notify();
        due.notify_all();
    }

    // Holds the right to write; the connection is lost if that goes before all was written, with the executor or for want
    // of memory.
    class writer {
        self state_;

    public:
        explicit writer(self of) noexcept : state_(std::move(of)) { state_->is_draining = true; }
        writer(writer&&) noexcept = default;
        writer& operator=(writer&&) = delete;
        ~writer() {
            if (state_) state_->end(std::make_error_code(std::errc::operation_canceled));
        }
        async_connection_state* operator->() const noexcept { return &*state_; }

        void is_done() {
            const self held = std::move(state_);
            held->is_draining = false;
            held->notify();
        }
    };

    // Sees to it that what is owed is sent.
    void kick() {
        if (is_draining || ended || (out.empty() && (!shuts || is_shut))) return;
        stalled_since = stream.now();
        expect(deadline(stalled_since, times.write_stall));
        stream.start(drain(writer(self(this))));
    }

    static task<void> drain(writer s) {
        while (!s->ended) {
            if (s->wire.empty()) s->wire.swap(s->out);
            if (s->wire.empty()) {
                if (!s->shuts || s->is_shut) break;
                co_await s->stream.shutdown_write();
                s->is_shut = true;
                s->notify();
                continue;
            }
            const auto sent = co_await s->stream.write_some(s->wire.data());
            if (!sent) {
                s->end(sent.error());
                break;
            }
            s->wire.consume(*sent);
            s->taken += *sent;
            s->stalled_since = s->stream.now();
            s->notify();
        }
        s.is_done();
    }

    // The last event has come: what is owed leaves, and the transport ends (7.1.1).
    void begin_end(const event& e) {
        if (e.type == event_type::close) {
            const std::size_t size = lesser(e.payload.size(), sizeof reason);
            if (size != 0) std::memcpy(reason, e.payload.data(), size);
            peer = {e.code, std::string_view(static_cast<const char*>(reason), size)};
        }
        last = e.type == event_type::close ? errc::closed : e.error;
        if (close_by == instant::never()) close_by = deadline(stream.now(), times.close_within);
        expect(close_by);
        kick();
        stream.start(end_transport(self(this)));
        notify();
    }

    static task<void> end_transport(self s) {
        while (!s->ended && s->is_draining) {
            const waiter here(*s);
            co_await s->moved.wait_until(instant::never());
        }
        const bool goes_first = s->messages.protocol().transport(s->out) == transport_action::shutdown_write;
        for (bool discarded = false; !s->ended; discarded = true) {
            // Who waits for the peer's end ends its own direction behind it: TLS owes its peer a close_notify.
            if (goes_first || discarded) s->shuts = true;
            s->kick();
            while (!s->ended && s->shuts && !s->is_shut) {
                const waiter here(*s);
                co_await s->moved.wait_until(instant::never());
            }
            if (discarded) break;
            while (!s->ended && !s->saw_end) {
                if (s->is_listening) {
                    const waiter here(*s);
                    co_await s->moved.wait_until(instant::never());
                    continue;
                }
                const raised    listening(*s, s->is_listening);
                const byte_span scratch = s->scratch();
                if (scratch.empty()) break;
                const auto got = co_await s->stream.read_some(scratch);
                s->saw_end     = !got || *got == 0;
            }
        }
        s->end(s->last);
    }

    // Where bytes go while a message may be viewed in `input`.
    byte_span scratch() noexcept {
        if (ahead.empty() && ahead.grow(read_size).empty()) return {};
        return ahead.data();
    }

    // What a look has found is what is to be parsed next. Whatever was viewed is not any more.
    void take_unseen() noexcept {
        if (!in.empty() || unseen.empty()) return;
        input.swap(ahead);
        in = detail::take(unseen);
    }

    // Reads ahead, once, while nobody else reads.
    static task<void> look(self s) {
        const byte_span place = s->scratch();
        if (place.empty() || s->is_listening || s->ended) co_return;
        const raised listening(*s, s->is_listening);
        const auto   got = co_await s->stream.read_some(place);
        s->saw_end       = !got || *got == 0;
        if (s->last || s->ended) co_return;
        if (s->saw_end) {
            s->end(got ? make_error_code(errc::truncated) : got.error());
        } else {
            s->unseen = place.first(*got);
            s->beat.bytes_read(s->stream.now());
        }
    }

    // Keeps the deadlines until the connection has ended.
    static task<void> watch(self s) {
        for (bool first = true; !s->ended; first = false) {
            s->watched_until = s->poll(first);
            if (s->ended) break;
            co_await s->due.wait_until(s->watched_until);
        }
    }

    // Does what is due. Returns when it is to be called again.
    instant poll(bool first) {
        watched_until     = instant{};
        const instant now = stream.now();
        if (now >= close_by) {
            end(!last ? errc::close_timeout : queued() != 0 ? errc::write_timeout : last);
            return now;
        }
        instant next = instant::never();
        if (!last) {
            const bool is_deaf = !is_listening;
            if (is_deaf) beat.bytes_read(now);   // it is not the peer that is silent
            const heartbeat_verdict verdict = beat.poll(messages.protocol(), now, out);
            next                            = verdict.next;
            if (verdict.expired != errc{}) begin_end({.type = event_type::failed, .error = verdict.expired});
            else if (is_deaf && !first && next != instant::never() && in.empty() && unseen.empty() && !saw_end)
                stream.start(look(self(this)));
        }
        kick();
        const instant stalls = is_draining ? deadline(stalled_since, times.write_stall) : instant::never();
        if (now >= stalls) end(errc::write_timeout);
        return lesser(lesser(next, close_by), stalls);
    }

    // Lets the protocol append what is to be sent, `size` bytes at most; 0: it is not counted.
    template <class Append>
    std::error_code append(std::size_t size, Append protocol_appends) {
        if (ended) return ended;
        const std::size_t have = queued();
        if (size != 0 && have != 0 && (have >= bounds.max_output || size > bounds.max_output - have)) return errc::output_full;
        const errc refused = protocol_appends();
        // A codec may have failed in the middle of a message: the peer has been told.
        if (messages.protocol().state() == connection_state::failed && !last)
            begin_end({.type = event_type::failed, .error = refused});
        kick();
        if (refused == errc{}) return {};
        return refused;
    }

    std::error_code queue(opcode op, const_byte_span payload, fin final, compress how) {
        return append(payload.size() + max_header,
                      [&] { return messages.protocol().send(op, payload, final, out, how); });
    }

    std::error_code ping(const_byte_span payload) {
        return append(payload.size() + max_header, [&] { return messages.protocol().ping(payload, out); });
    }

    std::error_code start_close(close_code code, std::string_view why) {
        return append(0, [&] {
            const errc refused = messages.protocol().close(code, why, out);
            if (refused == errc{}) expect(close_by = deadline(stream.now(), times.close_within));
            return refused;
        });
    }

    // Queues something, and waits until all that is queued then has left.
    template <class Queue>
    static task<std::error_code> send(self s, Queue queues) {
        if (!s) co_return errc::misuse;
        const std::error_code refused = queues(*s);
        if (refused) co_return refused;
        for (const std::uint64_t mine = s->end_of_queue(); s->taken < mine;) {
            if (s->ended) co_return s->ended;
            const waiter here(*s);
            co_await s->moved.wait_until(instant::never());
            if (!here.was_notified()) co_return std::make_error_code(std::errc::operation_canceled);
        }
        co_return std::error_code{};
    }
};

} // namespace navette::detail
