// An asynchronous stream in memory over a test_loop, and the other end of it in a test's hands: what it sends and takes, and
// which call fails. Each call suspends at least once, unless it is told to be at once.
#pragma once

#include "support/bytes.hpp"
#include "support/test_loop.hpp"

#include <navette/stream/async_stream.hpp>

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <vector>

// One direction.
struct async_pipe {
    std::deque<std::byte>                 bytes;
    std::size_t                           capacity = static_cast<std::size_t>(-1);
    bool                                  ended = false, gone = false;   // by the writer; the reader is
    std::list<test_loop::waiter*>         readers, writers;
};

// What is common to both ends, and to every end in a test that shares it.
struct async_plan {
    std::size_t most    = static_cast<std::size_t>(-1);   // bytes of one call
    std::size_t fail_at = static_cast<std::size_t>(-1);   // the call, from 1, reads and writes and shutdowns together
    std::size_t calls   = 0;
    bool        at_once = false;                          // what need not wait does not suspend
    bool        failed  = false;
    bool        misused = false;                          // a rule of async_stream was broken
    std::size_t writes  = 0;
    std::size_t reads_that_wait = 0;
    std::string order;                                    // of what ended: "shutdown close"
};

class async_memory {
    struct state {
        test_loop*                  loop;
        std::shared_ptr<async_pipe> in, out;
        std::shared_ptr<async_plan> plan;
        bool                        closed = false, reading = false, writing = false, shut = false, cancel_read = false;
    };
    std::shared_ptr<state> state_;

    struct busy {
        bool& flag;
        busy(bool& f, bool& misused) : flag(f) {
            misused = misused || flag;
            flag    = true;
        }
        ~busy() { flag = false; }
    };

    // Waits in one of a pipe's lists.
    struct wait {
        std::list<test_loop::waiter*>& list;
        test_loop::waiter              waits{};

        explicit wait(std::list<test_loop::waiter*>& l) : list(l) {}
        bool                           await_ready() { return false; }
        void                           await_suspend(std::coroutine_handle<> h) {
            waits.resumes = h;
            waits.join(list);
        }
        void await_resume() {}
    };

    static void wake(test_loop& loop, std::list<test_loop::waiter*>& list) {
        while (!list.empty()) loop.post(*list.front());
    }
    static bool fails(async_plan& plan) {
        if (++plan.calls < plan.fail_at) return false;
        plan.failed = true;
        return true;
    }
    static std::error_code failure() { return std::make_error_code(std::errc::io_error); }

public:
    template <class T>
    using task   = test_loop::task<T>;
    using signal = test_loop::signal;

    async_memory(test_loop& loop, std::shared_ptr<async_pipe> in, std::shared_ptr<async_pipe> out, std::shared_ptr<async_plan> plan)
        : state_(std::make_shared<state>(state{.loop = &loop, .in = std::move(in), .out = std::move(out), .plan = std::move(plan)})) {}
    async_memory(async_memory&&) = default;
    async_memory& operator=(async_memory&& other) {
        if (state_) close();
        state_ = std::move(other.state_);
        return *this;
    }
    ~async_memory() {
        if (state_) close();
    }

    task<navette::io_result<std::size_t>> read_some(navette::byte_span in) { return reads(state_, in); }
    task<navette::io_result<std::size_t>> write_some(navette::const_byte_span out) { return writes(state_, out); }
    task<void>                            shutdown_write() { return shuts(state_); }

    void close() {
        if (!state_->closed) state_->plan->order += "close ";
        state_->closed = true;
        for (auto* const pipe : {state_->in.get(), state_->out.get()}) {
            wake(*state_->loop, pipe->readers);
            wake(*state_->loop, pipe->writers);
        }
        state_->out->ended = true;
        state_->in->gone   = true;
    }

    // As an executor cancels a pending read.
    void cancel_read() {
        state_->cancel_read = state_->reading;
        wake(*state_->loop, state_->in->readers);
    }
    auto read_canceller() const {
        return [weak = std::weak_ptr(state_)] {
            if (const auto s = weak.lock()) {
                s->cancel_read = s->reading;
                wake(*s->loop, s->in->readers);
            }
        };
    }

    navette::instant now() const { return state_->loop->now(); }
    signal           make_signal() { return signal(*state_->loop); }
    void             start(task<void> work) { state_->loop->start(std::move(work)); }

    // Whether anybody still holds the stream.
    std::weak_ptr<void> probe() const { return state_; }

    static std::pair<async_memory, async_memory> make_pair(test_loop& loop, std::shared_ptr<async_plan> a, std::shared_ptr<async_plan> b,
                                                           std::size_t capacity = static_cast<std::size_t>(-1)) {
        auto there = std::make_shared<async_pipe>(), back = std::make_shared<async_pipe>();
        there->capacity = back->capacity = capacity;
        return {async_memory(loop, back, there, std::move(a)), async_memory(loop, there, back, std::move(b))};
    }

private:
    static task<navette::io_result<std::size_t>> reads(std::shared_ptr<state> s, navette::byte_span in) {
        const busy       held(s->reading, s->plan->misused);
        async_pipe&      pipe = *s->in;
        s->plan->misused = s->plan->misused || in.empty();
        if (!s->plan->at_once) co_await test_pause(*s->loop);
        if (fails(*s->plan)) co_return failure();
        while (pipe.bytes.empty() && !pipe.ended && !s->closed && !s->cancel_read) {
            ++s->plan->reads_that_wait;
            co_await wait(pipe.readers);
        }
        if (s->closed) co_return std::make_error_code(std::errc::bad_file_descriptor);
        if (std::exchange(s->cancel_read, false)) co_return std::make_error_code(std::errc::operation_canceled);
        const std::size_t n = std::min({in.size(), pipe.bytes.size(), s->plan->most});
        std::copy_n(pipe.bytes.begin(), n, in.begin());
        pipe.bytes.erase(pipe.bytes.begin(), pipe.bytes.begin() + static_cast<std::ptrdiff_t>(n));
        wake(*s->loop, pipe.writers);
        co_return n;
    }

    static task<navette::io_result<std::size_t>> writes(std::shared_ptr<state> s, navette::const_byte_span out) {
        const busy  held(s->writing, s->plan->misused);
        async_pipe& pipe = *s->out;
        s->plan->misused = s->plan->misused || out.empty() || s->shut;
        ++s->plan->writes;
        if (!s->plan->at_once) co_await test_pause(*s->loop);
        if (fails(*s->plan)) co_return failure();
        while (pipe.bytes.size() >= pipe.capacity && !pipe.gone && !s->closed) co_await wait(pipe.writers);
        if (s->closed) co_return std::make_error_code(std::errc::bad_file_descriptor);
        if (pipe.gone) co_return std::make_error_code(std::errc::broken_pipe);
        const std::size_t n = std::min({out.size(), pipe.capacity - pipe.bytes.size(), s->plan->most});
        pipe.bytes.insert(pipe.bytes.end(), out.begin(), out.begin() + static_cast<std::ptrdiff_t>(n));
        wake(*s->loop, pipe.readers);
        co_return n;
    }

    static task<void> shuts(std::shared_ptr<state> s) {
        const busy held(s->writing, s->plan->misused);
        s->plan->misused = s->plan->misused || s->shut;
        s->shut          = true;
        if (!s->plan->at_once) co_await test_pause(*s->loop);
        s->plan->order += "shutdown ";
        s->out->ended = true;
        wake(*s->loop, s->out->readers);
    }
};

static_assert(navette::async_stream<async_memory>);

// The other end of a stream, in a test's hands: no coroutine.
struct async_peer {
    test_loop&                  loop;
    std::shared_ptr<async_pipe> to, from;
    std::shared_ptr<async_plan> plan = std::make_shared<async_plan>();

    explicit async_peer(test_loop& l) : loop(l), to(std::make_shared<async_pipe>()), from(std::make_shared<async_pipe>()) {}

    async_memory stream() { return async_memory(loop, to, from, plan); }

    void say(navette::const_byte_span said) {
        to->bytes.insert(to->bytes.end(), said.begin(), said.end());
        wake(to->readers);
        loop.run();
    }
    void say(std::string_view said) { say(navette::as_bytes(said)); }
    void end() {
        to->ended = true;
        wake(to->readers);
        loop.run();
    }
    // Takes all that has come, and with it the place for more.
    std::vector<std::byte> hear() {
        std::vector<std::byte> heard;
        loop.run();
        while (!from->bytes.empty()) {
            heard.insert(heard.end(), from->bytes.begin(), from->bytes.end());
            from->bytes.clear();
            wake(from->writers);
            loop.run();
        }
        return heard;
    }
    std::string hear_text() { return std::string(navette::as_text(hear())); }
    // Takes nothing more beyond `n` bytes that wait.
    void take_at_most(std::size_t n) {
        from->capacity = n;
        wake(from->writers);
        loop.run();
    }

private:
    void wake(std::list<test_loop::waiter*>& list) {
        while (!list.empty()) loop.post(*list.front());
    }
};
