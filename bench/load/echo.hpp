// The run that measures echoes: in a closed loop each echo is the leave for the next message; in an open loop messages
// leave when their time has come, and a server that pauses is charged for every message that it made wait.
#pragma once

#include "histogram.hpp"
#include "opening.hpp"

namespace load {

/// What a run has found.
struct outcome {
    std::uint64_t messages = 0;     ///< answered within the measured time
    std::uint64_t unanswered = 0;   ///< open loop: not answered when the run ended
    double seconds = 0;
    std::uint64_t server_cpu = 0, own_cpu = 0; ///< ns within the measured time
    histogram latency{};
};

class echo_run {
    const options& asked_;
    traffic sends_;
    poller loop_{};
    opening opening_;
    std::deque<lane> lanes_{};
    std::vector<std::byte> place_ = std::vector<std::byte>(256 * 1024);
    outcome found_{};
    std::uint64_t measured_from_ = 0, end_ = 0;
    bool measuring_ = false;
    std::uint64_t last_reply_ = 0;
    // Open loop: the messages that have become due, and when the first one was.
    std::uint64_t began_ = 0, due_ = 0;

public:
    explicit echo_run(const options& asked) : asked_(asked), sends_(asked), opening_(asked, sends_, loop_) {
        opening_.open(asked.connections, lanes_);
    }

    outcome run() {
        began_ = last_reply_ = now();
        measured_from_ = began_ + static_cast<std::uint64_t>(asked_.warmup * 1e9);
        end_           = measured_from_ + static_cast<std::uint64_t>(asked_.seconds * 1e9);
        if (asked_.rate == 0)
            for (lane& each : lanes_) {
                each.owe(asked_.in_flight, began_);
                each.flush(loop_);
            }
        std::uint64_t at = began_, started = 0;
        // A slow machine may need longer than it is given for as much as one reply.
        for (; at < end_ || (asked_.rate == 0 && found_.messages == 0); at = now()) {
            if (!measuring_ && at >= measured_from_) {
                measuring_        = true;
                started           = at;
                found_.server_cpu = asked_.pid == 0 ? 0 : cpu_time(asked_.pid);
                found_.own_cpu    = own_cpu_time();
            }
            std::uint64_t next = !measuring_ ? measured_from_ : at < end_ ? end_ : at + second;
            if (asked_.rate > 0) next = std::min(next, send_due(at));
            turn(std::min(next > at ? next - at : 0, second / 4)); // and see whether anything comes
            demand_progress();
        }
        found_.seconds = static_cast<double>(at - started) / 1e9;
        if (asked_.pid != 0) found_.server_cpu = cpu_time(asked_.pid) - found_.server_cpu;
        found_.own_cpu = own_cpu_time() - found_.own_cpu;
        measuring_     = false;
        drain();
        return found_;
    }

private:
    // Owes what is due, and returns when the next message will be.
    std::uint64_t send_due(std::uint64_t at) {
        const auto time_of = [this](std::uint64_t n) {
            return began_ + static_cast<std::uint64_t>(static_cast<double>(n) * 1e9 / asked_.rate);
        };
        while (time_of(due_) <= at) {
            lane& next = lanes_[due_ % lanes_.size()];
            next.owe(1, time_of(due_++));
            next.flush(loop_);
        }
        return time_of(due_);
    }

    void turn(std::uint64_t longest) {
        for (const ::epoll_event& e : loop_.wait(longest)) {
            lane& from = lanes_[e.data.u32];
            if (e.events & ~static_cast<unsigned>(EPOLLOUT)) read(from);
            if (e.events & EPOLLOUT) from.flush(loop_);
        }
    }

    void read(lane& from) {
        const std::uint64_t whole = from.receive(place_);
        const std::uint64_t at    = now();
        if (whole != 0) {
            last_reply_ = at;
            if (measuring_) found_.messages += whole;
            const bool all = from.waiting.pop(whole, [&](std::uint64_t since, std::uint64_t n) {
                // An open loop counts those that should have been sent within the time, a closed one those that came.
                if (asked_.rate > 0 ? since >= measured_from_ : measuring_) found_.latency.record(at - since, n);
            });
            if (!all) from.fail("the server sent more replies than it got messages");
            if (asked_.rate == 0 && at < end_) from.owe(whole, at);
        }
        from.flush(loop_);
    }

    void demand_progress() {
        if (now() - last_reply_ <= static_cast<std::uint64_t>(asked_.patience * 1e9)) return;
        std::uint64_t unanswered = 0;
        const lane* first        = nullptr;
        for (const lane& each : lanes_) {
            unanswered += each.unanswered;
            if (first == nullptr && each.unanswered != 0) first = &each;
        }
        if (first != nullptr)
            first->fail("nothing came for " + std::to_string(asked_.patience) + " s: " + std::to_string(unanswered) +
                        " messages wait for their echo");
    }

    // Every message must be answered, also those that were on their way at the end; an overloaded server may leave some
    // of an open loop's unanswered, which then count with the time that they have waited.
    void drain() {
        const std::uint64_t until = now() + static_cast<std::uint64_t>(asked_.patience * 1e9);
        const auto left           = [this] {
            return std::ranges::any_of(lanes_, [](const lane& each) { return each.unanswered != 0; });
        };
        while (left() && now() < until) turn(std::min<std::uint64_t>(until - std::min(until, now()), second / 10));
        const std::uint64_t at = now();
        for (lane& each : lanes_) {
            if (each.unanswered == 0) continue;
            if (asked_.rate == 0)
                each.fail("the server lost " + std::to_string(each.unanswered) + " of the messages");
            found_.unanswered += each.unanswered;
            each.waiting.pop_all([&](std::uint64_t since, std::uint64_t n) {
                if (since >= measured_from_) found_.latency.record(at - since, n);
            });
        }
    }
};

} // namespace load
