// Opens all connections of a run: connect, TLS, opening handshake; a few hundred at a time, so that nobody's backlog
// overflows. A server that refuses, answers otherwise or stands still ends the run.
#pragma once

#include "lane.hpp"

#include <deque>
#include <memory>

namespace load {

class opening {
    static constexpr std::size_t at_once = 200;

    // One that is not open yet.
    struct candidate {
        channel socket;
        buffer head{}, out{};
        client_handshake handshake;
        bool requested = false;

        candidate(const options& asked, const client_options& offers, std::size_t number)
            : socket(asked, number), handshake(asked.target, offers, head) {}
    };

    const options& asked_;
    traffic& sends_;
    poller& loop_;
    permessage_deflate deflate_{{.send_no_context_takeover = true}};
    client_options offers_{};
    std::vector<std::unique_ptr<candidate>> candidates_{};

public:
    opening(const options& asked, traffic& sends, poller& loop) : asked_(asked), sends_(sends), loop_(loop) {
        if (asked.deflate) offers_.extensions = deflate_.extensions();
    }

    /// Opens `count` connections and appends them to `lanes`, whose places the poller will name.
    void open(std::size_t count, std::deque<lane>& lanes) {
        const std::size_t goal = lanes.size() + count;
        std::size_t begun      = lanes.size();
        std::vector<std::byte> place(16 * 1024);
        std::vector<std::size_t> free;
        candidates_.clear();
        std::uint64_t last = now();
        while (lanes.size() < goal) {
            while (begun < goal && candidates_.size() - free.size() < at_once) {
                auto next = std::make_unique<candidate>(asked_, offers_, begun++);
                std::size_t slot = candidates_.size();
                if (free.empty()) {
                    candidates_.emplace_back();
                } else {
                    slot = free.back();
                    free.pop_back();
                }
                candidates_[slot] = std::move(next);
                loop_.add(candidates_[slot]->socket.descriptor(), EPOLLIN | EPOLLOUT | EPOLLET,
                          mark | static_cast<std::uint32_t>(slot));
            }
            const auto ready = loop_.wait(static_cast<std::uint64_t>(asked_.patience * 1e9));
            if (now() - last > static_cast<std::uint64_t>(asked_.patience * 1e9))
                throw failure("no connection was opened for " + std::to_string(asked_.patience) + " s: " +
                              std::to_string(lanes.size()) + " of " + std::to_string(goal) + " are open");
            for (const ::epoll_event& e : ready) {
                if ((e.data.u32 & mark) == 0) continue; // one that is open says something: later
                const std::size_t slot = e.data.u32 & ~mark;
                if (!candidates_[slot] || !proceed(*candidates_[slot], place)) continue;
                enter(*candidates_[slot], lanes);
                candidates_[slot].reset();
                free.push_back(slot);
                last = now();
            }
        }
    }

private:
    static constexpr std::uint32_t mark = 0x8000'0000;

    // Whether it is open.
    bool proceed(candidate& c, byte_span place) {
        if (!c.socket.proceed()) return false;
        if (asked_.transport == scheme::tcp) return true;
        if (!c.requested) {
            c.requested = true;
            if (const errc e = c.handshake.request(c.out); e != errc{})
                c.socket.fail("cannot ask: " + std::string(describe(e)));
        }
        while (!c.out.empty()) {
            const std::size_t n = c.socket.write(c.out.data());
            if (n == 0) return false;
            c.out.consume(n);
        }
        for (;;) {
            const std::size_t n = c.socket.read(place);
            if (n == 0) return false;
            byte_span in = place.first(n);
            switch (c.handshake.receive(in)) {
            case client_handshake_status::need_more: continue;
            case client_handshake_status::failed:
                c.socket.fail("the opening handshake failed: " + std::string(describe(c.handshake.error())) + ", status " +
                              std::to_string(c.handshake.response().status));
            case client_handshake_status::upgrade: break;
            }
            if (!in.empty()) c.socket.fail("the server speaks before it is spoken to");
            if (asked_.deflate && c.handshake.agreed().extension == nullptr)
                c.socket.fail("the server did not agree to compression");
            return true;
        }
    }

    void enter(candidate& c, std::deque<lane>& lanes) {
        const agreement agreed = asked_.transport == scheme::tcp ? agreement{} : c.handshake.agreed();
        if (sends_.block.empty()) sends_.fill(asked_, agreed);
        const auto index = static_cast<std::uint32_t>(lanes.size());
        loop_.change(c.socket.descriptor(), EPOLLIN, index);
        lanes.emplace_back(std::move(c.socket), sends_, asked_, agreed, index);
    }
};

} // namespace load
