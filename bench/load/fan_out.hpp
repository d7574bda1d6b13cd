// The run that measures publishing: one connection sends a message, all others get it; then the next one. What counts is
// the time from the send until the last one has it.
#pragma once

#include "echo.hpp"

namespace load {

class fan_out_run {
    const options& asked_;
    traffic sends_;
    poller loop_{};
    opening opening_;
    std::deque<lane> lanes_{}; // the subscribers, then the publisher

public:
    explicit fan_out_run(const options& asked) : asked_(asked), sends_(asked), opening_(asked, sends_, loop_) {
        opening_.open(asked.connections + 1, lanes_);
    }

    outcome run() {
        outcome found;
        std::vector<std::byte> place(256 * 1024);
        std::vector<std::uint64_t> got(lanes_.size());
        const std::uint64_t measured_from = now() + static_cast<std::uint64_t>(asked_.warmup * 1e9);
        const std::uint64_t end           = measured_from + static_cast<std::uint64_t>(asked_.seconds * 1e9);
        lane& publisher                   = lanes_.back();
        std::uint64_t started             = 0;
        for (std::uint64_t published = 1, at = now(); at < end || started == 0; ++published) {
            if (started == 0 && at >= measured_from) {
                started          = at;
                found.server_cpu = asked_.pid == 0 ? 0 : cpu_time(asked_.pid);
                found.own_cpu    = own_cpu_time();
            }
            publisher.owe(1, at);
            publisher.flush(loop_);
            for (std::size_t missing = asked_.connections; missing != 0;) {
                const auto ready = loop_.wait(static_cast<std::uint64_t>(asked_.patience * 1e9));
                if (ready.empty())
                    throw failure("nothing came for " + std::to_string(asked_.patience) + " s: " + std::to_string(missing) +
                                  " of " + std::to_string(asked_.connections) + " subscribers lack message " +
                                  std::to_string(published));
                for (const ::epoll_event& e : ready) {
                    lane& to = lanes_[e.data.u32];
                    if (e.events & EPOLLOUT) to.flush(loop_);
                    const std::uint64_t whole = to.receive_unasked(place);
                    if (&to == &publisher) continue; // some servers publish to the publisher, too
                    got[e.data.u32] += whole;
                    if (got[e.data.u32] > published) to.fail("it got more messages than were published");
                    missing -= whole;
                }
            }
            const std::uint64_t done = now();
            if (started != 0) {
                ++found.messages;
                found.latency.record(done - at);
            }
            at = done;
        }
        found.seconds = static_cast<double>(now() - started) / 1e9;
        if (asked_.pid != 0) found.server_cpu = cpu_time(asked_.pid) - found.server_cpu;
        found.own_cpu = own_cpu_time() - found.own_cpu;
        return found;
    }
};

} // namespace load
