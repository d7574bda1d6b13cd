// Many clients in one thread: what each of them is, and the sockets that they use. Every wait is bounded; whatever the
// server does that it must not ends the program with a sentence.
#pragma once

#include "load/poller.hpp"
#include "load/system.hpp"

#include <navette/navette.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace crowd {

using namespace navette;
using load::failure;
using load::now;
using load::second;

/// How long nothing may happen.
inline constexpr std::uint64_t patience = 20 * second;

[[noreturn]] inline void fail(std::size_t number, const std::string& why) {
    throw failure("client " + std::to_string(number) + ": " + why);
}
[[noreturn]] inline void fail_by(std::size_t number, int error) { fail(number, std::strerror(error)); }

/// A socket that never blocks, from an address of its own for each 5,000.
class end_point {
    int socket_ = -1;

public:
    end_point() = default;
    end_point(std::uint16_t port, std::size_t number)
        : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
        if (socket_ < 0) fail_by(number, errno);
        const int on = 1;
        ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ::setsockopt(socket_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
        ::sockaddr_in address{};
        address.sin_family      = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + static_cast<std::uint32_t>(number / 5'000 % 200));
        if (::bind(socket_, reinterpret_cast<const ::sockaddr*>(&address), sizeof address) != 0) fail_by(number, errno);
        address.sin_port        = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(socket_, reinterpret_cast<const ::sockaddr*>(&address), sizeof address) != 0 && errno != EINPROGRESS)
            fail_by(number, errno);
    }
    end_point(end_point&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
    end_point& operator=(end_point&& other) noexcept {
        std::swap(socket_, other.socket_);
        return *this;
    }
    ~end_point() {
        if (socket_ >= 0) ::close(socket_);
    }

    int descriptor() const { return socket_; }

    /// Whether the connection stands; what refused it otherwise.
    int error() const {
        int error        = 0;
        ::socklen_t size = sizeof error;
        ::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size);
        return error;
    }

    /// Bytes that have come; 0: the server has ended its side; -1: nothing, or errno is not EAGAIN.
    ssize_t read(byte_span in) const { return ::recv(socket_, in.data(), in.size(), 0); }

    /// Removes from `out` what the socket takes; errno of a failure, or 0.
    int write(buffer& out) const {
        while (!out.empty()) {
            const ssize_t n = ::send(socket_, out.data().data(), out.size(), MSG_NOSIGNAL);
            if (n < 0) return errno == EAGAIN || errno == EINTR ? 0 : errno;
            out.consume(static_cast<std::size_t>(n));
        }
        return 0;
    }

    void end_side() const { ::shutdown(socket_, SHUT_WR); }

    /// Closes it with a reset instead of an end.
    void reset() {
        const ::linger hard{1, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        ::close(std::exchange(socket_, -1));
    }
};

/// The target of all requests.
inline const uri& target(std::uint16_t port) {
    static const std::string text = "ws://127.0.0.1:" + std::to_string(port) + "/";
    static const uri parsed       = *parse_uri(text);
    return parsed;
}

/// One WebSocket client, from the connection to the end of the stream.
struct member {
    static inline const client_options asks_nothing{};

    std::size_t number;
    end_point socket;
    buffer head{}, out{};
    client_handshake handshake;
    std::unique_ptr<client_protocol> ws{};
    bool is_connected = false, is_ended = false, writes_later = false;
    std::uint64_t echoes = 0; ///< that have come
    close_code told{};        ///< of the Close that has come

    member(std::uint16_t port, std::size_t n)
        : number(n), socket(port, n), handshake(target(port), asks_nothing, head) {}

    std::string greeting() const { return "this is client " + std::to_string(number); }

    void say(std::string_view text) {
        if (const errc e = ws->send(opcode::text, text, fin::yes, out); e != errc{})
            fail(number, "cannot send: " + std::string(describe(e)));
    }
};

} // namespace crowd
