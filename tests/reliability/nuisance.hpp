// Clients that are a nuisance: of three, one never finishes its handshake, one sends and never reads, one sends a byte a
// second. They say `ready` when they are, and stay until the end of the input, or until the server has had enough of them.
#pragma once

#include "crowd.hpp"

namespace crowd {

class nuisance {
    enum class kind { unfinished, deaf, slow };

    struct pest {
        kind what;
        end_point socket;
        buffer out{};
        bool is_upgraded = false, is_gone = false;
        std::uint64_t sent = 0;
    };

    static constexpr std::uint32_t at_input = 0xffff'ffff;

    std::vector<pest> pests_{};
    load::poller loop_{};
    buffer message_{}; // what the deaf ones send again and again

public:
    nuisance(std::uint16_t port, std::size_t count) {
        load::allow_connections(count);
        const frame_encoder<role::client> encoder;
        const std::string payload(64 * 1024, 'x');
        if (encoder.append({.op = opcode::text}, as_bytes(payload), message_) != errc{}) throw failure("no memory");
        const std::string half = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n";
        const std::string rest = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        for (std::size_t i = 0; i < count; ++i) {
            pests_.push_back({static_cast<kind>(i % 3), end_point(port, i)});
            pest& made = pests_.back();
            const int small = 4'096;
            if (made.what == kind::deaf)
                ::setsockopt(made.socket.descriptor(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
            if (!made.out.append(half) || (made.what != kind::unfinished && !made.out.append(rest))) throw failure("no memory");
            loop_.add(made.socket.descriptor(), EPOLLIN | EPOLLOUT | EPOLLET, static_cast<std::uint32_t>(i));
        }
    }

    void run() {
        const std::uint64_t began = now();
        bool ready = false, over = false;
        std::uint64_t next_byte = began + second;
        loop_.add(STDIN_FILENO, EPOLLIN, at_input);
        while (!over) {
            const std::uint64_t at = now();
            for (const ::epoll_event& e : loop_.wait(next_byte > at ? next_byte - at : 0)) {
                std::byte byte[64];
                if (e.data.u32 == at_input) over = ::read(STDIN_FILENO, byte, sizeof byte) <= 0;
                else if (!pests_[e.data.u32].is_gone) annoy(pests_[e.data.u32]);
            }
            if (now() >= next_byte) {
                next_byte += second;
                drip();
            }
            if (!ready && is_ready()) {
                ready = true;
                std::puts("ready");
                std::fflush(stdout);
            }
            if (!ready && now() - began > patience) throw failure("not all were upgraded within 20 s");
        }
        std::size_t gone[3] = {};
        for (const pest& each : pests_) gone[static_cast<std::size_t>(each.what)] += each.is_gone ? 1 : 0;
        std::printf("the server ended %zu unfinished, %zu deaf, %zu slow\n", gone[0], gone[1], gone[2]);
    }

private:
    // The deaf have sent all that is taken of them.
    bool is_ready() const {
        for (const pest& each : pests_)
            if (each.is_gone || (each.what != kind::unfinished && !each.is_upgraded)) return false;
        return true;
    }

    void annoy(pest& p) {
        const int error = p.socket.write(p.out);
        bool gone       = error != 0;
        if (!p.is_upgraded || p.what != kind::deaf) gone = gone || hears_end(p);
        while (!gone && p.what == kind::deaf && p.is_upgraded) {
            const auto offset          = static_cast<std::size_t>(p.sent % message_.size());
            const const_byte_span rest = message_.data().subspan(offset);
            const ssize_t n            = ::send(p.socket.descriptor(), rest.data(), rest.size(), MSG_NOSIGNAL);
            if (n < 0 && errno == EAGAIN) break;
            gone = n < 0;
            if (n > 0) p.sent += static_cast<std::uint64_t>(n);
        }
        if (gone) {
            p.is_gone = true;
            p.socket  = end_point();
        }
    }

    bool hears_end(pest& p) {
        std::byte place[1024];
        for (;;) {
            // The deaf one reads its answer to the request, and nothing more.
            const ssize_t n = p.socket.read(place);
            if (n == 0) return true;
            if (n < 0) return errno != EAGAIN;
            p.is_upgraded = true;
            if (p.what == kind::deaf) return false;
        }
    }

    // A byte of a long frame, or of a field of the request.
    void drip() {
        static constexpr unsigned char frame[] = {0x82, 0xfe, 0x40, 0x00, 1, 2, 3, 4};
        for (pest& each : pests_) {
            if (each.is_gone || each.what != kind::slow || !each.is_upgraded) continue;
            const char byte = each.sent < sizeof frame ? static_cast<char>(frame[each.sent]) : 'x';
            if (::send(each.socket.descriptor(), &byte, 1, MSG_NOSIGNAL) == 1) ++each.sent;
        }
    }
};

} // namespace crowd
