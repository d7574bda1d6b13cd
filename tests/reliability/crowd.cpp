// crowd: clients by the thousands, each of which does what clients do, or what they should not.
//     crowd echo PORT COUNT          all are open at once and echo once; `echoed`; then, at the end of the input, close
//     crowd busy PORT COUNT          all echo without a pause, until the server says goodbye to each: Close 1001
//     crowd abort PORT COUNT SEED    each vanishes at a point of its life, by a reset, an end, or half an end
//     crowd nuisance PORT COUNT      a third never finishes its handshake, a third never reads, a third sends a byte a second
// Says in one line what went wrong; status 1.
#include "abort.hpp"
#include "crowd.hpp"
#include "nuisance.hpp"

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

using namespace crowd;

class gathering {
    static constexpr std::size_t at_once    = 1'000; // that are being opened
    static constexpr std::uint32_t at_input = 0xffff'ffff;

    std::uint16_t port_;
    std::size_t goal_;
    bool busy_;
    load::poller loop_{};
    std::vector<std::unique_ptr<member>> members_{};
    std::vector<std::byte> place_ = std::vector<std::byte>(64 * 1024);
    std::size_t open_ = 0, echoed_ = 0, ended_ = 0;
    bool closing_ = false;

public:
    gathering(std::uint16_t port, std::size_t count, bool busy) : port_(port), goal_(count), busy_(busy) {
        load::allow_connections(count);
    }

    void run() {
        until([this] { return echoed_ == goal_; }, "are open and have an echo");
        say("echoed");
        // A busy crowd ends when the server says so; another one when its own user does.
        if (!busy_) loop_.add(STDIN_FILENO, EPOLLIN, at_input);
        until([this] { return ended_ == goal_; }, "have been told goodbye");
        say(busy_ ? "told 1001" : "closed");
    }

private:
    void say(const char* what) const {
        std::printf("%zu %s\n", goal_, what);
        std::fflush(stdout);
    }

    template <class Done>
    void until(Done done, const char* what) {
        std::uint64_t last = now();
        while (!done()) {
            while (members_.size() < goal_ && members_.size() - open_ < at_once) admit();
            const auto ready = loop_.wait(second);
            const bool waits_for_user = !busy_ && !closing_ && echoed_ == goal_;
            if (!ready.empty() || waits_for_user) last = now();
            if (now() - last > patience)
                throw failure("nothing happened for 20 s, and not all " + std::to_string(goal_) + " " + what + ": " +
                              std::to_string(open_) + " opened, " + std::to_string(echoed_) + " echoed, " +
                              std::to_string(ended_) + " ended");
            for (const ::epoll_event& e : ready) {
                if (e.data.u32 == at_input) close_all();
                else attend(*members_[e.data.u32]);
            }
        }
    }

    void admit() {
        members_.push_back(std::make_unique<member>(port_, members_.size()));
        loop_.add(members_.back()->socket.descriptor(), EPOLLIN | EPOLLOUT, static_cast<std::uint32_t>(members_.size() - 1));
        members_.back()->writes_later = true;
    }

    void close_all() {
        std::byte byte[64];
        if (::read(STDIN_FILENO, byte, sizeof byte) > 0) return;
        loop_.remove(STDIN_FILENO);
        closing_ = true;
        for (const auto& each : members_) {
            if (each->ws->close(close_code::normal, {}, each->out) != errc{}) fail(each->number, "cannot close");
            flush(*each);
        }
    }

    void attend(member& m) {
        if (m.is_ended) return;
        if (!m.is_connected) {
            if (const int error = m.socket.error(); error != 0) fail_by(m.number, error);
            m.is_connected = true;
            if (m.handshake.request(m.out) != errc{}) fail(m.number, "cannot ask");
        }
        flush(m);
        const ssize_t n = m.socket.read(place_);
        if (n > 0) {
            take(m, byte_span(place_).first(static_cast<std::size_t>(n)));
            flush(m);
        } else if (n == 0) {
            end(m);
        } else if (errno != EAGAIN && errno != EINTR) {
            fail_by(m.number, errno);
        }
    }

    void take(member& m, byte_span in) {
        if (!m.ws) {
            const auto status = m.handshake.receive(in);
            if (status == client_handshake_status::need_more) return;
            if (status == client_handshake_status::failed)
                fail(m.number, "the handshake failed: " + std::string(describe(m.handshake.error())));
            m.ws = std::make_unique<client_protocol>(m.handshake.agreed());
            ++open_;
            m.say(m.greeting());
        }
        while (const event e = m.ws->receive(in, m.out)) {
            if (e.type == event_type::failed) fail(m.number, "the connection failed: " + std::string(describe(e.error)));
            if (e.type == event_type::close) m.told = e.code;
            if (!e.is_message()) continue;
            if (!e.first || !e.last || as_text(e.payload) != m.greeting()) fail(m.number, "the echo is not what was sent");
            if (++m.echoes == 1) ++echoed_;
            if (busy_ && m.ws->state() == connection_state::open) m.say(m.greeting());
        }
    }

    void end(member& m) {
        const close_code wanted = busy_ ? close_code::going_away : close_code::normal;
        if (m.told != wanted)
            fail(m.number, m.told == close_code{} ? std::string("the stream ended without a Close")
                                                  : "Close " + std::to_string(static_cast<unsigned>(m.told)));
        m.is_ended = true;
        loop_.remove(m.socket.descriptor());
        m.socket = end_point();
        ++ended_;
    }

    void flush(member& m) {
        if (m.is_ended) return;
        // The server may have ended what it has said goodbye to.
        if (const int error = m.socket.write(m.out); error != 0 && m.told == close_code{}) fail_by(m.number, error);
        if (m.writes_later == m.out.empty()) {
            m.writes_later = !m.out.empty();
            loop_.change(m.socket.descriptor(), m.writes_later ? EPOLLIN | EPOLLOUT : EPOLLIN,
                         static_cast<std::uint32_t>(m.number));
        }
    }
};

} // namespace

int main(int argc, char** argv) try {
    const std::string_view what = argc > 1 ? argv[1] : "";
    if (argc < 4) throw failure("usage: crowd echo|busy|abort|nuisance PORT COUNT [SEED]");
    const auto port  = static_cast<std::uint16_t>(std::atoi(argv[2]));
    const auto count = static_cast<std::size_t>(std::atol(argv[3]));
    if (what == "echo" || what == "busy") {
        gathering(port, count, what == "busy").run();
    } else if (what == "abort" && argc == 5) {
        vanishing(port, count, static_cast<std::uint32_t>(std::atol(argv[4]))).run();
    } else if (what == "nuisance") {
        nuisance(port, count).run();
    } else {
        throw failure("usage: crowd echo|busy|abort|nuisance PORT COUNT [SEED]");
    }
    return 0;
} catch (const std::exception& e) {
    std::fprintf(stderr, "crowd: %s\n", e.what());
    return 1;
}
