// Reading, writing and ending over any asynchronous stream, with deadlines, as transfer.hpp does over a blocking one. Each
// call of the stream is a task of its own, which owns a share of all it uses: whoever waits for it may leave, when the time
// is up, when it is cancelled or destroyed. Before a connection is open; then async_connection.hpp has the stream.
#pragma once

#include <navette/base/buffer.hpp>
#include <navette/base/bytes.hpp>
#include <navette/base/timeouts.hpp>
#include <navette/stream/async_stream.hpp>
#include <navette/stream/share.hpp>

#include <new>

namespace navette {

/// A stream in somebody's hands for a while, with the buffers that are read and written. Made on the heap, and shared.
template <async_stream S>
class async_transfer {
    template <class T>
    using task   = typename S::template task<T>;
    using self   = share<async_transfer>;
    using waiter = waiting_for<async_transfer>;

    // A started call of the stream is under way. Owns a share, and raises the flag before the task has begun.
    class under_way {
        self  transfer_;
        bool* flag_;

    public:
        under_way(self of, bool& flag) noexcept : transfer_(std::move(of)), flag_(&flag) { flag = true; }
        under_way(under_way&&) noexcept = default;
        under_way& operator=(under_way&&) = delete;
        ~under_way() {
            if (!transfer_) return;
            *flag_ = false;
            transfer_->notify();
        }
        async_transfer* operator->() const noexcept { return &*transfer_; }
    };

    io_result<std::size_t> got_{std::size_t{0}};
    std::error_code        sent_{};
    bool                   is_reading_ = false, is_writing_ = false, has_got_ = false;   // what nobody has waited for to its end
    typename S::signal     moved_;

public:
    std::size_t shares = 0, waiting = 0, moves = 0;   // for share and waiting_for

    S      stream;
    buffer input{}, output{};
    bool   closes = true;   ///< the last share closes the stream, as long as it is here

    explicit async_transfer(S s) : moved_(s.make_signal()), stream(std::move(s)) {}
    async_transfer(const async_transfer&)            = delete;
    async_transfer& operator=(const async_transfer&) = delete;
    ~async_transfer() {
        if (closes) stream.close();
    }

    void notify() {
        if (waiting == 0) return;
        ++moves;
        moved_.notify_all();
    }

    /// Gives the stream away. Precondition: nothing is under way.
    S release() {
        closes = false;
        return std::move(stream);
    }

    /// Waits until bytes are in `input`, which is not empty, from its front; or for the end: 0. `std::errc::timed_out`: it has
    /// not come until then, and goes on: the next call waits for the same bytes.
    static task<io_result<std::size_t>> read(self s, instant until) {
        if (s->stream.now() >= until) co_return std::make_error_code(std::errc::timed_out);
        if (!s->is_reading_ && !s->has_got_) s->stream.start(reads(under_way(s, s->is_reading_)));
        while (s->is_reading_) {
            const waiter here(*s);
            co_await s->moved_.wait_until(until);
            if (here.was_notified()) continue;
            co_return std::make_error_code(s->stream.now() >= until ? std::errc::timed_out : std::errc::operation_canceled);
        }
        s->has_got_ = false;
        co_return s->got_;
    }

    enum class then : bool { keep, shut_down };

    /// Sends all of `output`, and ends this side's direction or not. `errc::write_timeout` when no byte was taken for `stall`
    /// (zero: no such bound), or when `until` has passed: then the stream is of no more use; else the stream's error.
    static task<std::error_code> write(self s, duration stall, instant until, then next = then::keep) {
        if (s->is_writing_) co_return errc::misuse;
        s->stream.start(writes(under_way(s, s->is_writing_), next));
        std::size_t left  = s->output.size();
        instant     since = s->stream.now();
        while (s->is_writing_) {
            const instant stalls = lesser(until, deadline(since, stall));
            if (s->stream.now() >= stalls) co_return errc::write_timeout;
            const waiter here(*s);
            co_await s->moved_.wait_until(stalls);
            if (!here.was_notified() && s->stream.now() < stalls) co_return std::make_error_code(std::errc::operation_canceled);
            if (s->output.size() != detail::take(left, s->output.size())) since = s->stream.now();
        }
        co_return s->sent_;
    }

    /// Reads and discards until the peer ends its direction, an error or `until`.
    static task<void> discard(self s, instant until) {
        for (;;) {
            const auto got = co_await read(s, until);
            if (!got || *got == 0) co_return;
        }
    }

    /// For a stream over an engine: completes its handshake. `std::errc::timed_out`.
    static task<std::error_code> shake_hands(self s, instant until) {
        s->stream.start(shakes(under_way(s, s->is_writing_)));
        while (s->is_writing_) {
            if (s->stream.now() >= until) co_return std::make_error_code(std::errc::timed_out);
            const waiter here(*s);
            co_await s->moved_.wait_until(until);
            if (!here.was_notified() && s->stream.now() < until) co_return std::make_error_code(std::errc::operation_canceled);
        }
        co_return s->sent_;
    }

    /// Closes the stream when whoever holds this leaves, unless it was released: whatever is under way then ends.
    class closer {
        self transfer_;

    public:
        explicit closer(self of) noexcept : transfer_(std::move(of)) {}
        closer(const closer&)            = delete;
        closer& operator=(const closer&) = delete;
        ~closer() {
            if (transfer_->closes) transfer_->stream.close();
        }
    };

private:
    // What a call holds it gives back at the end of its body: its parameters live as long as an executor keeps the frame.
    static task<void> reads(under_way begun) {
        const under_way s(std::move(begun));
        const auto      got = co_await s->stream.read_some(s->input.data());
        s->got_             = got;
        s->has_got_         = true;
    }

    static task<void> writes(under_way begun, then next) {
        const under_way s(std::move(begun));
        s->sent_ = {};
        while (!s->output.empty()) {
            const auto sent = co_await s->stream.write_some(s->output.data());
            if (!sent) {
                s->sent_ = sent.error();
                co_return;
            }
            s->output.consume(*sent);
            s->notify();
        }
        if (next == then::shut_down) co_await s->stream.shutdown_write();
    }

    static task<void> shakes(under_way begun) {
        const under_way       s(std::move(begun));
        const std::error_code error = co_await s->stream.handshake();
        s->sent_                    = error;
    }
};

} // namespace navette
