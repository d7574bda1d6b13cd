// An executor for tests: one thread, coroutines, and a clock that moves only when it is told to. Every task can be
// destroyed while it is suspended; what it waited for forgets it.
#pragma once

#include <navette/base/instant.hpp>

#include <coroutine>
#include <exception>
#include <list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

class test_loop {
public:
    // What resumes a coroutine once it is posted. Lives in the coroutine's frame, and leaves every list with it.
    class waiter {
        friend class test_loop;
        std::list<waiter*>*          list_ = nullptr;
        std::list<waiter*>::iterator place_{};

    public:
        std::coroutine_handle<> resumes{};

        waiter() = default;
        waiter(const waiter&) = delete;
        ~waiter() { leave(); }

        void join(std::list<waiter*>& list) {
            leave();
            list_  = &list;
            place_ = list.insert(list.end(), this);
        }
        void leave() {
            if (auto* const list = std::exchange(list_, nullptr)) list->erase(place_);
        }
    };

    // A coroutine that begins when it is awaited or started.
    template <class T>
    class task;

    class signal;

    navette::instant now() const { return clock_; }
    void             post(waiter& w) { w.join(ready_); }

    // Begins `work` now, or when the loop next runs.
    bool starts_at_once = false;
    void start(task<void> work);

    // Runs until nothing can go on before the clock moves; throws if that takes suspiciously long.
    void run() {
        for (std::size_t steps = 0; !ready_.empty(); ++steps) {
            if (steps > 5'000'000) throw std::runtime_error("the loop does not come to rest");
            waiter& next = *ready_.front();
            next.leave();
            next.resumes.resume();
            std::erase_if(started_, [](const auto& each) { return each->is_done(); });
        }
    }

    // Lets time pass, from one timer to the next.
    void advance(navette::duration by) {
        const navette::instant until = clock_ + by;
        run();
        for (auto next = first_timer(); next && *next <= until; next = first_timer()) {
            if (*next > clock_) clock_ = *next;
            fire();
            run();
        }
        clock_ = until;
    }

    // Tasks that were started and have not ended.
    std::size_t running() const { return started_.size(); }

    // Runs `work` to its end, letting time pass only if nothing else happens; throws if it hangs.
    template <class T>
    T wait_for(task<T> work);

    test_loop() = default;
    test_loop(const test_loop&) = delete;
    ~test_loop() {
        while (!started_.empty()) started_.pop_front();
    }

private:
    struct timer {
        navette::instant when;
        waiter*          who;
    };
    struct running_task {
        virtual ~running_task() = default;
        virtual bool is_done() const = 0;
    };
    struct started_task;

    std::optional<navette::instant> first_timer() const {
        std::optional<navette::instant> first;
        for (const timer& each : timers_)
            if (!first || each.when < *first) first = each.when;
        return first;
    }
    void fire() {
        for (auto each = timers_.begin(); each != timers_.end();) {
            if (each->when <= clock_) {
                post(*each->who);
                each = timers_.erase(each);
            } else {
                ++each;
            }
        }
    }

    navette::instant                         clock_{1'000'000'000};
    std::list<waiter*>                       ready_;
    std::list<timer>                         timers_;
    std::list<std::unique_ptr<running_task>> started_;
};

template <class T>
class test_loop::task {
    struct result_of_value {
        std::optional<T> value{};
        void return_value(T v) { value.emplace(std::move(v)); }
        T    take() { return std::move(*value); }
    };
    struct result_of_void {
        void return_void() {}
        void take() {}
    };

public:
    struct promise_type : std::conditional_t<std::is_void_v<T>, result_of_void, result_of_value> {
        std::coroutine_handle<> continuation = std::noop_coroutine();
        std::exception_ptr      thrown{};

        task get_return_object() { return task(std::coroutine_handle<promise_type>::from_promise(*this)); }
        std::suspend_always initial_suspend() noexcept { return {}; }
        auto final_suspend() noexcept {
            struct back {
                bool await_ready() noexcept { return false; }
                std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> h) noexcept {
                    return h.promise().continuation;
                }
                void await_resume() noexcept {}
            };
            return back{};
        }
        void unhandled_exception() { thrown = std::current_exception(); }
    };

    task(task&& other) noexcept : frame_(std::exchange(other.frame_, {})) {}
    task& operator=(task&& other) noexcept {
        std::swap(frame_, other.frame_);
        return *this;
    }
    ~task() {
        if (frame_) frame_.destroy();
    }

    auto operator co_await() && {
        struct awaiter {
            std::coroutine_handle<promise_type> frame;
            bool                                await_ready() { return false; }
            std::coroutine_handle<>             await_suspend(std::coroutine_handle<> parent) {
                frame.promise().continuation = parent;
                return frame;
            }
            T await_resume() {
                if (frame.promise().thrown) std::rethrow_exception(frame.promise().thrown);
                return frame.promise().take();
            }
        };
        return awaiter{frame_};
    }

    // For who is no coroutine.
    void begin() { frame_.resume(); }
    bool is_done() const { return frame_.done(); }
    T    result() {
        if (frame_.promise().thrown) std::rethrow_exception(frame_.promise().thrown);
        return frame_.promise().take();
    }

private:
    explicit task(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
    std::coroutine_handle<promise_type> frame_;
};

// Suspends until the loop comes round to it. Made by a constructor, as is every awaiter that is no mere flag: g++ 12 copies
// a braced aggregate within a co_await bytewise and destroys it twice.
struct test_pause {
    test_loop&        loop;
    test_loop::waiter waits{};

    explicit test_pause(test_loop& l) : loop(l) {}
    bool await_ready() { return false; }
    void await_suspend(std::coroutine_handle<> h) {
        waits.resumes = h;
        loop.post(waits);
    }
    void await_resume() {}
};

class test_loop::signal {
    test_loop*         loop_;
    std::list<waiter*> waiting_;

    struct wait {
        signal&          on;
        navette::instant when;
        waiter           waits{};

        wait(signal& s, navette::instant until) : on(s), when(until) {}
        ~wait() { forget(); }
        void forget() {
            std::erase_if(on.loop_->timers_, [&](const timer& each) { return each.who == &waits; });
        }
        bool await_ready() { return when <= on.loop_->now(); }
        void await_suspend(std::coroutine_handle<> h) {
            waits.resumes = h;
            waits.join(on.waiting_);
            if (when != navette::instant::never()) on.loop_->timers_.push_back({when, &waits});
        }
        void await_resume() { forget(); }
    };

public:
    explicit signal(test_loop& loop) : loop_(&loop) {}
    signal(const signal&) = delete;

    task<void> wait_until(navette::instant when) { co_await wait(*this, when); }
    void       notify_all() {
        while (!waiting_.empty()) loop_->post(*waiting_.front());
    }
    // What an executor does to one whose wait is cancelled.
    void cancel_all() { notify_all(); }
};

struct test_loop::started_task final : running_task {
    task<void> work;
    waiter     begins{};

    explicit started_task(task<void> w) : work(std::move(w)) {}
    bool is_done() const override { return work.is_done(); }
};

inline void test_loop::start(task<void> work) {
    // Begun by a coroutine of the loop's own, so that it is posted as any other.
    started_.push_back(std::make_unique<started_task>([](test_loop& loop, task<void> inner, bool now) -> task<void> {
        if (!now) co_await test_pause(loop);
        co_await std::move(inner);
    }(*this, std::move(work), starts_at_once)));
    static_cast<started_task&>(*started_.back()).work.begin();
}

// A task that a test has begun and holds: to be asked, or destroyed.
template <class T>
class begun {
    std::optional<test_loop::task<T>> work_;

public:
    explicit begun(test_loop::task<T> work) : work_(std::move(work)) { work_->begin(); }
    bool is_done() const { return work_ && work_->is_done(); }
    // What it has returned, once: the coroutine goes, as when it is awaited.
    T result() {
        if (!is_done()) throw std::runtime_error("the task has not ended");
        auto ended = std::exchange(work_, std::nullopt);
        return ended->result();
    }
    void destroy() { work_.reset(); }
};

template <class T>
T test_loop::wait_for(task<T> work) {
    begun<T> held(std::move(work));
    for (int turns = 0; turns < 1000; ++turns) {
        run();
        if (held.is_done()) return held.result();
        const auto next = first_timer();
        if (!next) break;
        advance(*next - clock_);
    }
    throw std::runtime_error("the task hangs");
}
