// Clients that vanish, each at a point of its life that a generator with a seed draws: after its SYN, within its
// handshake, within a frame; by a reset, by an end, or by half an end, after which the server has to end its side.
#pragma once

#include "crowd.hpp"

#include <random>

namespace crowd {

class vanishing {
    static constexpr std::size_t at_once = 500;

    enum class point { syn, connected, head, answer, upgraded, frame, message };
    enum class way { reset, end, half };

    // One client: writes what is planned, reads whatever comes, goes.
    struct ghost {
        std::size_t number = 0;
        end_point socket{};
        point at{};
        way by{};
        buffer out{};
        std::string behind{}; // what it sends once it is upgraded
        bool is_connected = false, is_upgraded = false, is_half = false, is_gone = true;
    };

    std::uint16_t port_;
    std::size_t goal_;
    std::mt19937 random_;
    load::poller loop_{};
    std::vector<ghost> ghosts_ = std::vector<ghost>(at_once);
    std::vector<std::byte> place_ = std::vector<std::byte>(64 * 1024);
    std::size_t begun_ = 0, gone_ = 0;

public:
    vanishing(std::uint16_t port, std::size_t count, std::uint32_t seed) : port_(port), goal_(count), random_(seed) {
        load::allow_connections(at_once);
    }

    void run() {
        std::uint64_t last = now();
        while (gone_ < goal_) {
            for (std::size_t slot = 0; slot < at_once; ++slot)
                if (ghosts_[slot].is_gone && begun_ < goal_) begin(slot);
            if (gone_ == goal_) break;
            const auto ready = loop_.wait(second);
            if (!ready.empty()) last = now();
            if (now() - last > patience)
                throw failure("nothing happened for 20 s, and " + std::to_string(goal_ - gone_) + " have not gone");
            for (const ::epoll_event& e : ready)
                if (!ghosts_[e.data.u32].is_gone) proceed(ghosts_[e.data.u32]);
        }
        std::printf("%zu gone\n", gone_);
    }

private:
    std::size_t below(std::size_t n) { return random_() % n; }

    void begin(std::size_t slot) {
        ghost& g  = ghosts_[slot];
        g         = ghost{};
        g.number  = begun_++;
        g.at      = static_cast<point>(below(7));
        g.by      = static_cast<way>(below(3));
        g.is_gone = false;
        g.socket  = end_point(port_, g.number);
        if (g.at == point::syn) return go(g, g.by == way::half ? way::end : g.by);
        const std::string head = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        if (g.at == point::head) append(g, std::string_view(head).substr(0, 1 + below(head.size() - 1)));
        if (g.at > point::head) append(g, head);
        if (g.at >= point::frame) {
            // A masked frame of up to 3,000 bytes, or a message's first fragment; of a frame, a part.
            buffer frame;
            const std::string payload(1 + below(3'000), 'x');
            const bool whole = g.at == point::message;
            const frame_encoder<role::client> encoder;
            if (encoder.append({.op = opcode::text, .final = whole ? fin::no : fin::yes}, as_bytes(payload), frame) != errc{})
                throw failure("no memory for a frame");
            g.behind = as_text(frame.data()).substr(0, whole ? frame.size() : 1 + below(frame.size() - 1));
        }
        loop_.add(g.socket.descriptor(), EPOLLIN | EPOLLOUT | EPOLLET, static_cast<std::uint32_t>(slot));
    }

    void append(ghost& g, std::string_view text) {
        if (!g.out.append(text)) throw failure("no memory for a request");
    }

    void proceed(ghost& g) {
        if (!g.is_connected) {
            if (const int error = g.socket.error(); error != 0) fail_by(g.number, error);
            g.is_connected = true;
            if (g.at == point::connected) return go(g, g.by);
        }
        for (;;) {
            if (const int error = g.socket.write(g.out); error != 0) fail_by(g.number, error);
            if (!g.out.empty()) return;
            if (g.is_half || (g.at <= point::answer && g.at != point::connected)) {
                if (!g.is_half) go(g, g.by);
                if (!g.is_half) return;
            }
            const ssize_t n = g.socket.read(place_);
            if (n == 0 || (n < 0 && errno == ECONNRESET)) {
                if (!g.is_half) fail(g.number, "the server ended it");
                return go(g, way::end);
            }
            if (n < 0) return;
            if (g.is_half || g.is_upgraded) continue; // a Close, or an answer
            if (!as_text(byte_span(place_).first(static_cast<std::size_t>(n))).starts_with("HTTP/1.1 101 "))
                fail(g.number, "it was not upgraded");
            g.is_upgraded = true;
            append(g, g.behind);
            if (const int error = g.socket.write(g.out); error != 0) fail_by(g.number, error);
            go(g, g.by);
            if (!g.is_half) return;
        }
    }

    void go(ghost& g, way by) {
        if (by == way::half) {
            g.is_half = true;
            return g.socket.end_side();
        }
        if (by == way::reset) g.socket.reset();
        g.socket  = end_point();
        g.is_gone = true;
        ++gone_;
    }
};

} // namespace crowd
