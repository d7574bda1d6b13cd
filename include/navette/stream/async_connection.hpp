// A WebSocket connection over an asynchronous stream, after the opening handshake: as connection.hpp's, in coroutines of any
// executor (RFC 6455, 5 to 7). Reading and writing go on side by side; one task alone writes. async_opening_handshake.hpp
// makes one.
#pragma once

#include <navette/stream/async_connection_state.hpp>
#include <navette/stream/async_reading.hpp>

#include <new>

namespace navette {

/// One end of an open connection, on the executor of its stream. Movable, also while operations are pending.
///
///     while (auto message = co_await ws.read())
///         if (auto error = co_await ws.send(*message)) co_return error;
///
/// **What may run at once.** All calls come from the one thread or strand that the stream belongs to. There
/// - one read is pending at a time, of whatever kind: another one ends at once with `errc::misuse`, which changes nothing;
/// - any number of `send`, `ping` and `flush` are pending, beside the read; what they send leaves in the order in which they
///   began. They wait for their own bytes and no others. Fragments of one message are the caller's to keep in order;
/// - any number of `close` wait at once, beside a read, which then takes what still comes. A read that begins while a `close`
///   reads ends when that does, as a read after the end;
/// - reads and waits may be cancelled, as the executor cancels, and every operation may be destroyed while it is suspended.
///   No byte is lost: what was to be sent is sent, and the next read goes on where the cancelled one was. It is the error
///   `std::errc::operation_canceled`, which is not final;
/// - the connection may be destroyed at any time: what is pending then ends with `std::errc::operation_canceled`.
///
/// A message is gone on with by the kind of read that began it; another kind is `errc::misuse`.
///
/// An error of a read is otherwise the end: the transport has been ended as RFC 6455, 7.1.1 has it, and every later call
/// says the same. Pings are answered while a read is pending, or when the next one is; deadlines are kept and pings of our
/// own sent always. That nothing came counts against the peer only while somebody listens: a read, or a look ahead of at
/// most 16 KiB, which begins once nobody has read for a while.
///
/// What is to be sent is copied into the queue; two buffers take turns, so that the steady state allocates nothing but
/// coroutines. Not even a large payload is sent from where it lies: whoever waits for that may go, with it, at any time.
template <role R, async_stream S>
class async_connection {
    using state = detail::async_connection_state<R, S>;

    // Invariant: null only after a move; then every call fails with errc::misuse.
    share<state> state_{};

    explicit async_connection(share<state> opened) noexcept : state_(std::move(opened)) {}

public:
    template <class T>
    using task = typename S::template task<T>;

    /// Makes a connection whose opening handshake was done elsewhere. `already_read`: the bytes that came behind it. Copies
    /// everything but the extension's factory, which is borrowed. `errc::out_of_memory`: the stream is closed.
    static io_result<async_connection> open(S stream, const agreement& agreed, const limits& bounds = default_limits,
                                            const timeouts& times = {}, const_byte_span already_read = {},
                                            entropy source = {}) {
        share<state> made(new (std::nothrow) state(std::move(stream), agreed, bounds, times, source));
        if (!made) {
            stream.close();
            return errc::out_of_memory;
        }
        if (!made->prepare(already_read)) return errc::out_of_memory;   // its destructor closes the stream
        made->stream.start(state::watch(made));
        return async_connection(std::move(made));
    }

    async_connection(async_connection&&) noexcept = default;
    async_connection& operator=(async_connection&& other) noexcept {
        async_connection taken(std::move(other));
        detail::swap_values(state_, taken.state_);
        return *this;
    }

    /// Closes the stream at once; `close` is the polite way.
    ~async_connection() {
        if (state_) state_->abandon();
    }

    /// Waits for the next message. Errors, each of them final:
    /// - `errc::closed`: the peer's Close has come, our reply has left, the transport has ended: see closed_by
    /// - `errc::truncated`: the transport has ended without a Close
    /// - what this side failed the connection for: a violation, a limit, `errc::idle_timeout`, `errc::pong_timeout`
    /// - `errc::close_timeout`, `errc::write_timeout`, and the stream's errors
    task<io_result<message>> read() { return detail::read_with(state_, detail::message_whole{}); }

    /// As read, but assembles the message in `place`, which the result views. A longer message fails the connection:
    /// `errc::message_too_big`, 1009. A message whose read was cancelled lies there in part: the next call goes on behind
    /// that part, in the same memory, or in a copy of it of the same size.
    task<io_result<message>> read_into(byte_span place) { return detail::read_with(state_, detail::message_into{place}); }

    /// Waits for the next piece of a message, as it comes: for messages that are larger than one wants to hold, or of which
    /// the beginning is of use before the end. No piece is empty but the last.
    task<io_result<message_piece>> read_piece() { return detail::read_with(state_, detail::message_pieces{}); }

    /// Sends a message and waits until its bytes have left. `payload` is copied at once, and is not needed any more once the
    /// task has begun. Errors that change nothing: `errc::unsendable_text`, `not_open` (our Close was sent),
    /// `message_in_progress`, `misuse`, `no_entropy`, `out_of_memory`; `output_full`: it, and what waits before it, are more
    /// than `limits::max_output`; one message always fits behind nothing. Any other is the connection's end.
    task<std::error_code> send(std::string_view text) { return send(opcode::text, as_bytes(text), fin::yes); }
    task<std::error_code> send(const_byte_span binary) { return send(opcode::binary, binary, fin::yes); }
    task<std::error_code> send(const message& m) { return send(m.type, m.data, fin::yes); }

    /// Sends a message, or a fragment of one whose length is not known yet: text or binary begins it,
    /// `opcode::continuation` goes on, `fin::yes` ends it. Errors as above.
    task<std::error_code> send(opcode op, const_byte_span payload, fin final, compress how = compress::automatic) {
        return state::send(state_, [=](state& s) { return s.queue(op, payload, final, how); });
    }

    /// Sends a Ping of at most 125 bytes. Its pong comes without notice. `errc::payload_too_long`; else as send.
    task<std::error_code> ping(const_byte_span payload = {}) { return state::send(state_, [=](state& s) { return s.ping(payload); }); }

    /// As send, without waiting: for many messages that then leave with few writes. The errors are those of the moment; what
    /// befalls the bytes later, flush says.
    std::error_code start_send(opcode op, const_byte_span payload, fin final, compress how = compress::automatic) {
        return state_ ? state_->queue(op, payload, final, how) : make_error_code(errc::misuse);
    }
    std::error_code start_send(std::string_view text) { return start_send(opcode::text, as_bytes(text), fin::yes); }

    /// Waits until all that was queued before has left. Its errors are final.
    task<std::error_code> flush() { return state::send(state_, [](state& s) { return s.ended; }); }

    /// Sends Close, without waiting: whoever reads gets what still comes, then `errc::closed`, or `errc::close_timeout` after
    /// `timeouts::close_within`. `close_code::none`: without a code. Errors that change nothing: `errc::not_open`,
    /// `unsendable_close_code`, `reason_too_long`, `unsendable_text`, and send's.
    std::error_code start_close(close_code code = close_code::normal, std::string_view reason = {}) {
        return state_ ? state_->start_close(code, reason) : make_error_code(errc::misuse);
    }

    /// Closes the connection: sends Close unless that was done, waits for the peer's Close, discarding what comes before it
    /// unless a read is pending, and ends the transport, all within `timeouts::close_within`. Success: the closing handshake
    /// is complete, now or before. Errors: those of start_close, then `errc::close_timeout` and read's. `reason` is borrowed
    /// until the task has begun.
    task<std::error_code> close(close_code code = close_code::normal, std::string_view reason = {}) {
        return detail::close(state_, code, reason);
    }

    /// How the peer closed, once a read has failed.
    peer_close closed_by() const noexcept { return state_ ? state_->peer : peer_close{}; }

    /// Why a read has failed, as `explanation` puts it: the rule, its clause and the bytes that broke it. Empty before.
    std::string explanation() const {
        if (!state_) return navette::explanation(errc::misuse);
        if (!state_->ended) return {};
        return navette::explanation(state_->ended, state_->messages.protocol().broken_by());
    }

    /// What the opening handshake agreed; its subprotocol lives as long as the connection. Not after a move.
    const agreement& agreed() const noexcept { return state_->agreed; }

    /// The latest round-trip time of a ping that was sent by itself; negative: none was measured yet.
    duration round_trip() const noexcept { return state_ ? state_->beat.round_trip() : duration{-1}; }

    /// Bytes that wait to be sent, frame headers included.
    std::size_t queued() const noexcept { return state_ ? state_->queued() : 0; }

    /// The stream, to ask it things. Not after a move.
    S& stream() noexcept { return state_->stream; }
};

} // namespace navette
