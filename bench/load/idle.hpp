// The run that measures memory: what a server has resident before, with so many connections open, and after each of them
// has echoed one message.
#pragma once

#include "opening.hpp"

namespace load {

struct memory {
    std::uint64_t before = 0, open = 0, echoed = 0; ///< bytes resident
};

class idle_run {
    static constexpr std::size_t at_once = 16;

    const options& asked_;
    traffic sends_;
    poller loop_{};
    opening opening_;
    std::deque<lane> lanes_{};

public:
    explicit idle_run(const options& asked) : asked_(asked), sends_(asked), opening_(asked, sends_, loop_) {}

    memory run() {
        memory found;
        found.before = settled();
        opening_.open(asked_.connections, lanes_);
        found.open = settled();
        if (!asked_.echo) return found;
        echo_once_each();
        found.echoed = settled();
        return found;
    }

private:
    // The same twice, 50 ms apart: what a server does behind its last reply is done. At most 3 s.
    std::uint64_t settled() const {
        std::uint64_t before = 0;
        for (int i = 0; i < 60; ++i) {
            const std::uint64_t found = resident_bytes(asked_.pid);
            if (found == before) break;
            before = found;
            ::usleep(50'000);
        }
        return before;
    }

    void echo_once_each() {
        std::vector<std::byte> place(256 * 1024);
        std::size_t begun = 0, done = 0;
        const auto begin_next = [&] {
            if (begun == lanes_.size()) return;
            lanes_[begun].owe(1, 0);
            lanes_[begun++].flush(loop_);
        };
        for (std::size_t i = 0; i < at_once; ++i) begin_next();
        while (done < lanes_.size()) {
            const auto ready = loop_.wait(static_cast<std::uint64_t>(asked_.patience * 1e9));
            if (ready.empty())
                throw failure("nothing came for " + std::to_string(asked_.patience) + " s: " + std::to_string(done) +
                              " of " + std::to_string(lanes_.size()) + " connections have their echo");
            for (const ::epoll_event& e : ready) {
                lane& from = lanes_[e.data.u32];
                const std::uint64_t whole = from.receive(place);
                from.flush(loop_);
                for (std::uint64_t i = 0; i < whole; ++i, ++done) begin_next();
            }
        }
    }
};

} // namespace load
