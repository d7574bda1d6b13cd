// A socket to the server that never blocks, bare or under OpenSSL's TLS. Whatever fails says which connection it was and
// what the server did.
#pragma once

#include "options.hpp"
#include "system.hpp"

#include <navette/base/bytes.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace load {

/// One context for all connections. The server's certificate is not verified: it is this machine's own.
inline ::SSL_CTX* tls_context() {
    static ::SSL_CTX* const made = [] {
        ::SSL_CTX* const context = ::SSL_CTX_new(::TLS_client_method());
        if (context == nullptr) throw failure("OpenSSL gives no context");
        ::SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        return context;
    }();
    return made;
}

class channel {
    static constexpr std::size_t of_one_address = 5'000;

    int socket_      = -1;
    ::SSL* ssl_      = nullptr;
    bool connected_  = false;
    bool is_open_    = false;
    unsigned number_ = 0;

    [[noreturn]] void fail_by(int error) const {
        if (error == ECONNREFUSED) fail("the server refused it: nobody listens there");
        if (error == ECONNRESET || error == EPIPE) fail("the server reset it");
        fail(std::strerror(error));
    }

    // What OpenSSL says of a step: whether it has to be taken again later.
    bool is_later(int result) const {
        const int error = ::SSL_get_error(ssl_, result);
        if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return true;
        if (error == SSL_ERROR_ZERO_RETURN) fail("the server closed it");
        if (error == SSL_ERROR_SYSCALL && errno != 0) fail_by(errno);
        const unsigned long reason = ::ERR_get_error();
        fail(reason == 0 ? std::string("the server ended it") : std::string("TLS: ") + ::ERR_reason_error_string(reason));
    }

public:
    /// Begins to connect.
    channel(const options& to, std::size_t number) : number_(static_cast<unsigned>(number)) {
        socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (socket_ < 0) fail_by(errno);
        const int on = 1;
        ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ::sockaddr_in address{};
        address.sin_family = AF_INET;
        if (to.connections > of_one_address) { // one address has 28,000 ports for one server, by default
            ::setsockopt(socket_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
            address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + static_cast<std::uint32_t>(number / of_one_address));
            if (::bind(socket_, reinterpret_cast<const ::sockaddr*>(&address), sizeof address) != 0) fail_by(errno);
        }
        address.sin_port = htons(to.target.port);
        if (::inet_pton(AF_INET, to.address.c_str(), &address.sin_addr) != 1) fail("'" + to.address + "' is no address");
        if (::connect(socket_, reinterpret_cast<const ::sockaddr*>(&address), sizeof address) != 0 && errno != EINPROGRESS)
            fail_by(errno);
        if (to.transport != scheme::wss) return;
        ssl_ = ::SSL_new(tls_context());
        if (ssl_ == nullptr || ::SSL_set_fd(ssl_, socket_) != 1) fail("OpenSSL gives no connection");
        const std::string host(to.target.host);
        ::SSL_set_tlsext_host_name(ssl_, host.c_str());
        ::SSL_set_connect_state(ssl_);
    }
    channel(channel&& other) noexcept
        : socket_(std::exchange(other.socket_, -1)),
          ssl_(std::exchange(other.ssl_, nullptr)),
          connected_(other.connected_),
          is_open_(other.is_open_),
          number_(other.number_) {}
    channel& operator=(channel&&) = delete;
    ~channel() {
        ::SSL_free(ssl_);
        if (socket_ >= 0) ::close(socket_);
    }

    int descriptor() const { return socket_; }

    [[noreturn]] void fail(const std::string& why) const {
        throw failure("connection " + std::to_string(number_) + ": " + why);
    }

    /// Whether it is connected, and TLS is agreed. Precondition: the socket has become ready since the last call.
    bool proceed() {
        if (is_open_) return true;
        if (!connected_) {
            int error        = 0;
            ::socklen_t size = sizeof error;
            ::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size);
            if (error != 0) fail_by(error);
            ::sockaddr_in peer{};
            size = sizeof peer;
            if (::getpeername(socket_, reinterpret_cast<::sockaddr*>(&peer), &size) != 0) return false;
            connected_ = true;
        }
        if (ssl_ != nullptr) {
            ::ERR_clear_error();
            errno            = 0;
            const int result = ::SSL_do_handshake(ssl_);
            if (result != 1 && is_later(result)) return false;
        }
        return is_open_ = true;
    }

    /// What has come; 0: nothing yet.
    std::size_t read(navette::byte_span in) {
        if (ssl_ != nullptr) {
            ::ERR_clear_error();
            errno       = 0;
            const int n = ::SSL_read(ssl_, in.data(), static_cast<int>(in.size()));
            if (n > 0) return static_cast<std::size_t>(n);
            is_later(n);
            return 0;
        }
        const ssize_t n = ::recv(socket_, in.data(), in.size(), 0);
        if (n > 0) return static_cast<std::size_t>(n);
        if (n == 0) fail("the server ended it");
        if (errno != EAGAIN && errno != EINTR) fail_by(errno);
        return 0;
    }

    /// How much of it was taken; 0: nothing now.
    std::size_t write(navette::const_byte_span out) {
        if (ssl_ != nullptr) {
            ::ERR_clear_error();
            errno       = 0;
            const int n = ::SSL_write(ssl_, out.data(), static_cast<int>(out.size()));
            if (n > 0) return static_cast<std::size_t>(n);
            is_later(n);
            return 0;
        }
        const ssize_t n = ::send(socket_, out.data(), out.size(), MSG_NOSIGNAL);
        if (n >= 0) return static_cast<std::size_t>(n);
        if (errno != EAGAIN && errno != EINTR) fail_by(errno);
        return 0;
    }
};

} // namespace load
