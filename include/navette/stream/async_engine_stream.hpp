// Drives a transport engine, TLS for one, over any asynchronous stream, and is such a stream itself, so that engines nest.
// Without an engine it passes bytes through: streams with TLS and without have one type.
#pragma once

#include <navette/base/buffer.hpp>
#include <navette/base/bytes.hpp>
#include <navette/stream/async_stream.hpp>
#include <navette/stream/share.hpp>
#include <navette/stream/transport_engine.hpp>

#include <new>

namespace navette {

/// Drives an engine, or none, over the stream `S`. The engine's handshake happens inside the first reads and writes, or before
/// them in `handshake`. What the end of `S` means says the engine, in general `errc::tls_truncated`. One write sends up to
/// four records.
///
/// One task at a time writes to `S`: a write that is pending, or, for what a read owes the peer, a task that is started for
/// that and goes on when the read is cancelled. A write that is destroyed before it has ended leaves the stream unusable.
template <async_stream S>
class async_engine_stream {
public:
    template <class T>
    using task   = typename S::template task<T>;
    using signal = typename S::signal;

private:
    static constexpr std::size_t read_size  = 18 * 1024;   // the largest record of TLS, and a small one behind it
    static constexpr std::size_t write_size = 64 * 1024;   // plain bytes of one write

    struct state {
        std::size_t      shares = 0, waiting = 0, moves = 0;
        S                next;
        transport_engine engine;
        buffer           input{};   // storage: the bytes that the engine has not taken stand in `cipher`
        byte_span        cipher{};
        buffer           output{}, wire{};
        std::error_code  lost{};
        bool             ended = false, is_writing = false, is_listening = false;
        signal           moved;

        state(S s, transport_engine e) : next(std::move(s)), engine(std::move(e)), moved(next.make_signal()) {}

        void notify() {
            if (waiting == 0) return;
            ++moves;
            moved.notify_all();
        }

        std::error_code lose(std::error_code error) {
            if (!lost) lost = error;
            notify();
            return lost;
        }

        // What a step owes has to leave, also if the step failed.
        void settle(const engine_step& step) {
            if (!output.empty() && !is_writing) next.start(drain(writer(share<state>(this))));
            if (step.error) lose(step.error);
        }

        // Lets the engine work on the cipher bytes at hand until it has produced some, needs more, or has ended.
        std::size_t take(byte_span plain) {
            while (!lost && !ended) {
                const std::size_t before = cipher.size();
                const engine_step step   = engine.receive(cipher, plain, output);
                ended                    = step.ended;
                settle(step);
                if (step.produced != 0) return step.produced;
                if (cipher.empty() || plain.empty()) break;
                if (cipher.size() == before && !ended) lose(errc::misuse);
            }
            return 0;
        }

        void take_end() {
            const engine_step step = engine.receive_eof();
            ended                  = step.ended;
            if (!ended) lose(step.error ? step.error : make_error_code(errc::tls_truncated));
        }
    };
    using self   = share<state>;
    using waiter = waiting_for<state>;
    using raised = raised_flag<state>;

    // Holds the right to write; if that goes before all was written, half a record may have left.
    class writer {
        self state_;

    public:
        explicit writer(self of) noexcept : state_(std::move(of)) { state_->is_writing = true; }
        writer(writer&&) noexcept = default;
        writer& operator=(writer&&) = delete;
        ~writer() {
            if (!state_) return;
            state_->is_writing = false;
            state_->lose(std::make_error_code(std::errc::operation_canceled));
        }
        state* operator->() const noexcept { return &*state_; }
        state& operator*() const noexcept { return *state_; }

        void is_done() {
            const self held  = std::move(state_);
            held->is_writing = false;
            held->notify();
        }
    };

    // Invariant: null only after a move, or if there was no memory; then reads and writes fail.
    self state_;

public:
    /// Takes both over. `engine` may be empty.
    explicit async_engine_stream(S next, transport_engine engine = {})
        : state_(new (std::nothrow) state(std::move(next), std::move(engine))) {}

    async_engine_stream(async_engine_stream&&) noexcept = default;
    async_engine_stream& operator=(async_engine_stream&& other) noexcept {
        async_engine_stream taken(std::move(other));
        detail::swap_values(state_, taken.state_);
        return *this;
    }
    ~async_engine_stream() {
        if (state_) close();
    }

    /// False: there was no memory for it, and nothing may be asked of it; or it was moved from.
    explicit operator bool() const noexcept { return static_cast<bool>(state_); }

    task<io_result<std::size_t>> read_some(byte_span in) {
        return state_ && !state_->engine ? state_->next.read_some(in) : read(state_, in);
    }
    task<io_result<std::size_t>> write_some(const_byte_span out) {
        return state_ && !state_->engine ? state_->next.write_some(out) : write(state_, out);
    }
    task<void> shutdown_write() {
        return state_ && !state_->engine ? state_->next.shutdown_write() : shut(state_);
    }

    /// Completes the engine's handshake. Success if it is complete already, or if there is no engine. No write is pending.
    task<std::error_code> handshake() { return shake_hands(state_); }

    void close() {
        if (!state_) return;
        state_->next.close();
        state_->lose(std::make_error_code(std::errc::operation_canceled));
    }

    instant now() { return state_ ? state_->next.now() : instant{}; }
    signal  make_signal() { return state_->next.make_signal(); }
    void    start(task<void> work) { state_->next.start(std::move(work)); }

    /// What is driven, to ask it things. Not after a move.
    transport_engine& engine() noexcept { return state_->engine; }
    S&                next() noexcept { return state_->next; }

private:
    static task<io_result<std::size_t>> read(self s, byte_span in) {
        if (!s) co_return errc::out_of_memory;
        for (;;) {
            const std::size_t produced = s->take(in);
            if (produced != 0) co_return produced;
            while (s->lost && s->is_writing) {   // what explains it is to leave before the stream is closed
                const waiter here(*s);
                co_await s->moved.wait_until(instant::never());
                if (!here.was_notified()) break;
            }
            if (s->lost) co_return s->lost;
            if (s->ended) co_return std::size_t{0};
            const std::error_code error = co_await fill(s);
            if (error && error != s->lost) co_return error;
        }
    }

    // Waits for cipher bytes, or until another has got some.
    static task<std::error_code> fill(self s) {
        if (s->is_listening) {
            const waiter here(*s);
            co_await s->moved.wait_until(instant::never());
            co_return here.was_notified() ? s->lost : std::make_error_code(std::errc::operation_canceled);
        }
        if (s->input.empty() && s->input.grow(read_size).empty()) co_return s->lose(errc::out_of_memory);
        const raised listening(*s, s->is_listening);
        const auto   got = co_await s->next.read_some(s->input.data());
        if (s->lost) co_return s->lost;
        if (!got && got.error() == std::errc::operation_canceled) co_return got.error();
        if (!got) co_return s->lose(got.error());
        if (*got != 0) s->cipher = s->input.data().first(*got);
        else s->take_end();
        co_return s->lost;
    }

    // Sends what is owed, whoever owes it.
    static task<std::error_code> write_all(self s) {
        for (;;) {
            if (s->wire.empty()) s->wire.swap(s->output);
            if (s->wire.empty()) co_return std::error_code{};
            const auto sent = co_await s->next.write_some(s->wire.data());
            if (!sent) co_return s->lose(sent.error());
            s->wire.consume(*sent);
        }
    }

    static task<void> drain(writer s) {
        co_await write_all(self(&*s));
        s.is_done();
    }

    static task<std::error_code> shake_hands(self s) {
        if (!s) co_return errc::out_of_memory;
        if (!s->engine) co_return std::error_code{};
        const_byte_span nothing;
        co_return co_await send(std::move(s), nothing, nullptr);
    }

    static task<io_result<std::size_t>> write(self s, const_byte_span out) {
        if (!s) co_return errc::out_of_memory;
        std::size_t           taken = 0;
        const std::error_code error = co_await send(std::move(s), out, &taken);
        if (error) co_return error;
        co_return taken;
    }

    static task<void> shut(self s) {
        if (!s) co_return;
        while (s->is_writing) {
            const waiter here(*s);
            co_await s->moved.wait_until(instant::never());
            if (!here.was_notified()) co_return;
        }
        if (s->lost) co_return;
        writer                turn(s);
        const engine_step     step  = s->engine.shutdown(s->output);
        const std::error_code error = co_await write_all(s);
        if (step.error) s->lose(step.error);
        if (!error && !step.error) co_await s->next.shutdown_write();
        turn.is_done();
    }

    // Lets the engine send, and receive where it must, until it has taken bytes of `out`, or, if `taken` is null, is open.
    static task<std::error_code> send(self s, const_byte_span out, std::size_t* taken) {
        for (;;) {
            while (s->is_writing) {   // for a read
                const waiter here(*s);
                co_await s->moved.wait_until(instant::never());
                if (!here.was_notified()) co_return std::make_error_code(std::errc::operation_canceled);
            }
            if (s->lost) co_return s->lost;
            const const_byte_span piece = out.first(lesser(out.size(), write_size));
            const_byte_span       rest  = piece;
            engine_step           step;
            std::size_t           before = 0;
            do {
                before = rest.size();
                step   = s->engine.send(rest, s->output);
            } while (!step.error && !rest.empty() && rest.size() != before);
            const std::size_t took = piece.size() - rest.size();
            if (!s->output.empty()) {
                writer                turn(s);
                const std::error_code error = co_await write_all(s);
                turn.is_done();
                if (error && !step.error) co_return error;
            }
            if (step.error) co_return s->lose(step.error);
            if (taken == nullptr ? step.open : took != 0) {
                if (taken != nullptr) *taken = took;
                co_return std::error_code{};
            }
            before = s->cipher.size();
            s->take({});
            if (s->lost) co_return s->lost;
            if (s->ended) co_return s->lose(errc::tls_truncated);
            if (s->cipher.size() != before) continue;
            if (before != 0) co_return s->lose(errc::misuse);   // an engine that neither sends nor receives
            const std::error_code error = co_await fill(s);
            if (error) co_return error;
        }
    }
};

} // namespace navette
