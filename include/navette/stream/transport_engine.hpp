// A transformation of the byte stream that does no I/O, TLS for one, as a table and a state pointer; and engine_stream,
// which drives one over any stream and is a stream itself, so that engines nest. Floors 0 to 6 know no TLS library.
#pragma once

#include <navette/base/buffer.hpp>
#include <navette/base/bytes.hpp>
#include <navette/base/role.hpp>
#include <navette/stream/stream.hpp>

#include <string_view>

namespace navette {

/// The outcome of one call of an engine. Whatever it is, bytes that were appended to `cipher_out` are owed to the peer
/// and are sent before anything else is done: parts of a handshake, a key update, the alert that explains an error.
struct engine_step {
    std::size_t     produced = 0;  ///< receive: bytes written to the front of `plain_out`
    bool            open = false;  ///< send: the engine's handshake is complete
    bool            ended = false; ///< receive: the peer has ended its direction cleanly; nothing follows
    std::error_code error{};       ///< the stream is lost; the engine's own category may say more than errc can
};

/// The functions of an engine; none may be null. `self` is the state that the factory made. One thread at a time.
struct transport_engine_table {
    /// Takes bytes off the front of `cipher_in`, fills `plain_out` from its front, appends replies to `cipher_out`. Each
    /// call takes a byte, produces one, ends, fails, or means "more input is needed": that only once `cipher_in` is
    /// empty, or `plain_out` is and plain bytes are next. Those stay inside, or in `cipher_in`, for the next call.
    engine_step (*receive)(void* self, byte_span& cipher_in, byte_span plain_out, buffer& cipher_out) noexcept;
    /// The transport has ended: whether that is an end, or an error such as `errc::tls_truncated`.
    engine_step (*receive_eof)(void* self) noexcept;
    /// Takes bytes off the front of `plain`, as many as one record holds, and appends their cipher text. Takes none
    /// while the engine must receive first, as in its handshake, whose first flight this call begins, even if `plain` is
    /// empty.
    engine_step (*send)(void* self, const_byte_span& plain, buffer& cipher_out) noexcept;
    /// Appends the mark that ends this side's direction cleanly.
    engine_step (*shutdown)(void* self, buffer& cipher_out) noexcept;
    /// Destroys the state.
    void (*release)(void* self) noexcept;
};

/// An engine of one connection, or none. Owns its state.
class transport_engine {
    const transport_engine_table* table_ = nullptr;
    void*                         self_  = nullptr;

public:
    constexpr transport_engine() noexcept = default;
    constexpr transport_engine(const transport_engine_table& table, void* self) noexcept
        : table_(&table), self_(self) {}
    transport_engine(transport_engine&& other) noexcept
        : table_(detail::take(other.table_)), self_(detail::take(other.self_)) {}
    transport_engine& operator=(transport_engine&& other) noexcept {
        detail::swap_values(table_, other.table_);
        detail::swap_values(self_, other.self_);
        return *this;
    }
    ~transport_engine() {
        if (table_ != nullptr) table_->release(self_);
    }

    explicit operator bool() const noexcept { return table_ != nullptr; }

    /// The state, if it is an engine of that table; else null. For who knows the engine's type, to ask it things.
    void* state_of(const transport_engine_table& table) const noexcept { return table_ == &table ? self_ : nullptr; }

    engine_step receive(byte_span& cipher_in, byte_span plain_out, buffer& cipher_out) noexcept {
        return table_->receive(self_, cipher_in, plain_out, cipher_out);
    }
    engine_step receive_eof() noexcept { return table_->receive_eof(self_); }
    engine_step send(const_byte_span& plain, buffer& cipher_out) noexcept {
        return table_->send(self_, plain, cipher_out);
    }
    engine_step shutdown(buffer& cipher_out) noexcept { return table_->shutdown(self_, cipher_out); }
};

/// Makes engines. `self` holds what the application chose: certificates, trust, versions; it outlives the factory.
struct transport_factory {
    const void* self = nullptr;

    /// Makes an engine for one connection in role `r`. `host`: on a client the name, or the address without brackets,
    /// that the peer must prove to have; on a server empty.
    io_result<transport_engine> (*make)(const void* self, role r, std::string_view host) noexcept = nullptr;
};

/// Drives an engine over the stream `S`. The engine's handshake happens inside the first reads and writes, or before them
/// in `handshake`. What the end of `S` means says the engine, in general `errc::tls_truncated`. One write sends at most one
/// record of each of its pieces. Deadlines are those of `S`, if it has any: a write that must read first waits at most until
/// the write deadline, and the reverse.
///
/// With a mutex as Lock one thread may read while another writes, once the engine's handshake is complete.
template <sync_stream S, class Lock = no_lock>
class engine_stream {
    static constexpr std::size_t read_size = 18 * 1024;   // the largest record of TLS, and a small one behind it

    struct shared {
        S                next;
        transport_engine engine;
        Lock             lock{};
        buffer           input{};   // storage: the bytes that the engine has not taken stand in `cipher`
        byte_span        cipher{};
        buffer           output{};
        std::error_code  lost{};
        bool             ended          = false;
        instant          read_deadline  = instant::never();
        instant          write_deadline = instant::never();
    };

    // Invariant: null only after a move, or if there was no memory; then every call fails.
    shared* shared_;

public:
    /// Takes both over. `engine` is not empty.
    engine_stream(S next, transport_engine engine)
        : shared_(new (std::nothrow) shared{.next = std::move(next), .engine = std::move(engine)}) {}

    engine_stream(engine_stream&& other) noexcept : shared_(detail::take(other.shared_)) {}
    engine_stream& operator=(engine_stream&& other) noexcept {
        engine_stream taken(std::move(other));
        detail::swap_values(shared_, taken.shared_);
        return *this;
    }
    ~engine_stream() { delete shared_; }

    io_result<std::size_t> read_some(byte_span in) {
        if (shared_ == nullptr) return errc::out_of_memory;
        for (;;) {
            {
                const scoped_lock held(shared_->lock);
                const auto produced = take(in, shared_->read_deadline);
                if (!produced || *produced != 0 || shared_->ended) return produced;
            }
            if (const auto error = fill(shared_->read_deadline)) return error;
        }
    }

    io_result<std::size_t> write_some(const_byte_span out) {
        const const_byte_span pieces[] = {out};
        return write_some(pieces);
    }

    /// Sends one record of each piece, up to the first piece that one record does not hold; all of them with one write.
    io_result<std::size_t> write_some(std::span<const const_byte_span> pieces) {
        std::size_t taken = 0;
        const auto  error = send([&](transport_engine& engine, buffer& to) {
            engine_step step;
            for (const const_byte_span piece : pieces) {
                if (piece.empty()) continue;
                const_byte_span rest = piece;
                step                 = engine.send(rest, to);
                taken += piece.size() - rest.size();
                if (step.error || !rest.empty()) break;
            }
            return step;
        }, [&](const engine_step&) { return taken != 0; });
        if (error) return error;
        return taken;
    }

    /// Completes the engine's handshake, within the write deadline. Success if it is complete already.
    std::error_code handshake() {
        return send([](transport_engine& engine, buffer& to) {
            const_byte_span nothing;
            return engine.send(nothing, to);
        }, [](const engine_step& step) { return step.open; });
    }

    void shutdown_write() {
        if (shared_ == nullptr) return;
        const scoped_lock held(shared_->lock);
        if (shared_->lost) return;
        const engine_step step = shared_->engine.shutdown(shared_->output);
        if (!settle(step, shared_->write_deadline)) shared_->next.shutdown_write();
    }

    void close() {
        if (shared_ != nullptr) shared_->next.close();
    }

    instant now()
        requires deadline_stream<S>
    {
        return shared_ != nullptr ? shared_->next.now() : instant{};
    }
    void read_expires_at(instant when)
        requires deadline_stream<S>
    {
        if (shared_ != nullptr) shared_->read_deadline = when;
    }
    void write_expires_at(instant when)
        requires deadline_stream<S>
    {
        if (shared_ != nullptr) shared_->write_deadline = when;
    }

    /// What is driven, to ask it things. Not after a move.
    transport_engine& engine() noexcept { return shared_->engine; }
    S&                next() noexcept { return shared_->next; }

private:
    // Lets the engine send, and receive where it must, until `is_done`.
    template <class Send, class IsDone>
    std::error_code send(Send engine_send, IsDone is_done) {
        if (shared_ == nullptr) return errc::out_of_memory;
        for (;;) {
            {
                const scoped_lock held(shared_->lock);
                if (shared_->lost) return shared_->lost;
                const engine_step step = engine_send(shared_->engine, shared_->output);
                if (const auto error = settle(step, shared_->write_deadline)) return error;
                if (is_done(step)) return {};
                const std::size_t before   = shared_->cipher.size();
                const auto        produced = take({}, shared_->write_deadline);
                if (!produced) return produced.error();
                if (shared_->ended) return lose(errc::tls_truncated);
                if (shared_->cipher.size() != before) continue;
                if (before != 0) return lose(errc::misuse);   // an engine that neither sends nor receives
            }
            if (const auto error = fill(shared_->write_deadline)) return error;
        }
    }

    std::error_code lose(std::error_code error) {
        shared_->lost = error;
        return error;
    }

    // Sends what the engine owes, whether it failed or not; the error, if either did.
    std::error_code settle(const engine_step& step, instant until) {
        if constexpr (deadline_stream<S>)
            if (!shared_->output.empty()) shared_->next.write_expires_at(until);
        while (!shared_->output.empty()) {
            const auto sent = shared_->next.write_some(shared_->output.data());
            if (!sent) return lose(step.error ? step.error : sent.error());
            shared_->output.consume(*sent);
        }
        return step.error ? lose(step.error) : std::error_code{};
    }

    // Lets the engine work on the cipher bytes at hand until it has produced some, needs more, or has ended.
    io_result<std::size_t> take(byte_span plain, instant until) {
        if (shared_->lost) return shared_->lost;
        while (!shared_->ended) {
            const std::size_t before = shared_->cipher.size();
            const engine_step step   = shared_->engine.receive(shared_->cipher, plain, shared_->output);
            if (const auto error = settle(step, until)) return error;
            shared_->ended = step.ended;
            if (step.produced != 0 || step.ended) return step.produced;
            if (shared_->cipher.empty() || plain.empty()) break;
            if (shared_->cipher.size() == before) return lose(errc::misuse);
        }
        return std::size_t{0};
    }

    // Waits for cipher bytes. Only one thread does, and the lock is not held meanwhile.
    std::error_code fill(instant until) {
        if (!shared_->cipher.empty()) return {};
        if (shared_->input.empty() && shared_->input.grow(read_size).empty()) return lose(errc::out_of_memory);
        if constexpr (deadline_stream<S>) shared_->next.read_expires_at(until);
        const auto        got  = shared_->next.read_some(shared_->input.data());
        const scoped_lock held(shared_->lock);
        if (!got && got.error() == std::errc::timed_out) return got.error();
        if (!got) return lose(got.error());
        if (*got != 0) {
            shared_->cipher = shared_->input.data().first(*got);
            return {};
        }
        const engine_step step = shared_->engine.receive_eof();
        shared_->ended         = step.ended;
        if (step.ended) return {};
        return lose(step.error ? step.error : make_error_code(errc::tls_truncated));
    }
};

} // namespace navette
