// What the library asks of a transport: the concepts of a blocking stream, and any_stream, which holds one of any type.
// A stream is bytes in order, both ways; it knows nothing of HTTP or WebSocket. No socket is made here: tcp.hpp does.
#pragma once

#include <navette/base/bytes.hpp>
#include <navette/base/instant.hpp>
#include <navette/stream/error.hpp>

#include <concepts>
#include <new>
#include <utility>

namespace navette {

/// A blocking stream, movable, of which the library needs four operations:
///
/// - `read_some(in)` waits for bytes, puts at least one at the front of `in` (never empty) and returns how many; 0 says
///   that the peer has ended its direction cleanly. An end that may be a truncation (TLS without close_notify) is an error.
/// - `write_some(out)` sends at least one byte off the front of `out` (never empty) and returns how many, or fails.
///   It must not raise SIGPIPE.
/// - `shutdown_write()` ends this side's direction, once: a TCP FIN, a TLS close_notify. Reading goes on. What it
///   returns is ignored.
/// - `close()` ends everything and frees what the stream holds; it may be called twice.
///
/// Neither a read nor a write returns "would block"; interrupted calls are the stream's to repeat. After an error only
/// `close` is called, but for a read past its deadline (see deadline_stream). With a lock in the connection, one thread
/// may be in `read_some` while another is in `write_some` or `shutdown_write`.
template <class S>
concept sync_stream = requires(S& s, byte_span in, const_byte_span out) {
    { s.read_some(in) } -> std::same_as<io_result<std::size_t>>;
    { s.write_some(out) } -> std::same_as<io_result<std::size_t>>;
    s.shutdown_write();
    s.close();
} && std::movable<S>;   // last: Asio's traits call any `connect`, ours too, with objects whose move they are to decide

/// A stream that sends several pieces with one call: as `write_some` of all of them joined. At least one piece is not
/// empty, and the pieces are at most `max_gather`.
template <class S>
concept gather_stream = sync_stream<S> && requires(S& s, std::span<const const_byte_span> pieces) {
    { s.write_some(pieces) } -> std::same_as<io_result<std::size_t>>;
};

inline constexpr std::size_t max_gather = 4;

/// A stream with a clock. The deadlines hold for every later call until they are set again; at first, and at
/// `instant::never()`, there is none. A read or write that would have to wait beyond its deadline fails with
/// `std::errc::timed_out`; bytes that are there may be read even after it. A read that timed out leaves the stream
/// usable, a write does not. A connection over a stream without these keeps no deadline and sends no ping of its own.
template <class S>
concept deadline_stream = sync_stream<S> && requires(S& s, instant when) {
    { s.now() } -> std::same_as<instant>;
    s.read_expires_at(when);
    s.write_expires_at(when);
};

/// The lock of what one thread uses: none. In its place goes a std::mutex, or whatever has `lock`, `try_lock` (which does
/// not fail without cause) and `unlock`.
struct no_lock {
    void lock() noexcept {}
    bool try_lock() noexcept { return true; }
    void unlock() noexcept {}
};

/// Holds a lock for a scope.
template <class Lock>
class scoped_lock {
    Lock& lock_;

public:
    explicit scoped_lock(Lock& lock) : lock_(lock) { lock_.lock(); }
    scoped_lock(const scoped_lock&) = delete;
    scoped_lock& operator=(const scoped_lock&) = delete;
    ~scoped_lock() { lock_.unlock(); }
};

/// A stream of any type, held on the heap; itself a stream with gather writes and deadlines, which it passes on when
/// the stream it holds has them. Without them a gather write sends the first piece that is not empty, and `now()` stands
/// still, so that no deadline ever passes: `keeps_deadlines()` tells. Empty after a move, or if there was no memory:
/// then reads and writes fail with `errc::misuse`.
class any_stream {
    struct table {
        io_result<std::size_t> (*read_some)(void*, byte_span);
        io_result<std::size_t> (*write_some)(void*, const_byte_span);
        io_result<std::size_t> (*gather)(void*, std::span<const const_byte_span>);
        void (*shutdown_write)(void*);
        void (*close)(void*);
        instant (*now)(void*);
        void (*read_expires_at)(void*, instant);
        void (*write_expires_at)(void*, instant);
        void (*release)(void*) noexcept;
        bool keeps_deadlines;
    };

    template <class S>
    struct held {
        static S& stream(void* self) noexcept { return *static_cast<S*>(self); }

        static io_result<std::size_t> gather(void* self, std::span<const const_byte_span> pieces) {
            if constexpr (gather_stream<S>) {
                return stream(self).write_some(pieces);
            } else {
                std::size_t first = 0;
                while (pieces[first].empty()) ++first;
                return stream(self).write_some(pieces[first]);
            }
        }
        static instant now([[maybe_unused]] void* self) {
            if constexpr (deadline_stream<S>) return stream(self).now();
            else return instant{};
        }
        static void read_expires_at([[maybe_unused]] void* self, [[maybe_unused]] instant when) {
            if constexpr (deadline_stream<S>) stream(self).read_expires_at(when);
        }
        static void write_expires_at([[maybe_unused]] void* self, [[maybe_unused]] instant when) {
            if constexpr (deadline_stream<S>) stream(self).write_expires_at(when);
        }

        static constexpr table functions{
            [](void* self, byte_span in) { return stream(self).read_some(in); },
            [](void* self, const_byte_span out) { return stream(self).write_some(out); },
            &gather,
            [](void* self) { static_cast<void>(stream(self).shutdown_write()); },
            [](void* self) { static_cast<void>(stream(self).close()); },
            &now,
            &read_expires_at,
            &write_expires_at,
            [](void* self) noexcept { delete &stream(self); },
            deadline_stream<S>,
        };
    };

    // Invariant: self_ is what table_ was made for, or both are null.
    const table* table_ = nullptr;
    void*        self_  = nullptr;

public:
    any_stream() noexcept = default;

    /// Takes `stream` over.
    template <class S>
        requires(!std::same_as<S, any_stream> && sync_stream<S>)
    any_stream(S stream) : self_(new (std::nothrow) S(std::move(stream))) {
        if (self_ != nullptr) table_ = &held<S>::functions;
    }

    any_stream(any_stream&& other) noexcept
        : table_(detail::take(other.table_)), self_(detail::take(other.self_)) {}
    any_stream& operator=(any_stream&& other) noexcept {
        any_stream taken(std::move(other));
        detail::swap_values(table_, taken.table_);
        detail::swap_values(self_, taken.self_);
        return *this;
    }
    ~any_stream() {
        if (table_ != nullptr) table_->release(self_);
    }

    explicit operator bool() const noexcept { return table_ != nullptr; }

    io_result<std::size_t> read_some(byte_span in) {
        return table_ != nullptr ? table_->read_some(self_, in) : errc::misuse;
    }
    io_result<std::size_t> write_some(const_byte_span out) {
        return table_ != nullptr ? table_->write_some(self_, out) : errc::misuse;
    }
    io_result<std::size_t> write_some(std::span<const const_byte_span> pieces) {
        return table_ != nullptr ? table_->gather(self_, pieces) : errc::misuse;
    }
    void shutdown_write() {
        if (table_ != nullptr) table_->shutdown_write(self_);
    }
    void close() {
        if (table_ != nullptr) table_->close(self_);
    }

    instant now() { return table_ != nullptr ? table_->now(self_) : instant{}; }
    void    read_expires_at(instant when) {
        if (table_ != nullptr) table_->read_expires_at(self_, when);
    }
    void write_expires_at(instant when) {
        if (table_ != nullptr) table_->write_expires_at(self_, when);
    }

    /// Whether the stream that it holds has a clock and deadlines.
    bool keeps_deadlines() const noexcept { return table_ != nullptr && table_->keeps_deadlines; }
};

static_assert(gather_stream<any_stream> && deadline_stream<any_stream>);

} // namespace navette
