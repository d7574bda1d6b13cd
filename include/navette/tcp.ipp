// Streams and listeners of tcp.hpp over POSIX sockets, which are non-blocking and closed on exec (socket(7), unix(7)).
// Connecting is in tcp_connect.ipp, waiting in tcp_wait.ipp.
#pragma once

#include <navette/tcp.hpp>
#include <navette/tcp_connect.ipp>
#include <navette/tcp_resolve.ipp>
#include <navette/tcp_wait.ipp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

namespace navette::tcp {
namespace detail {

#if defined(MSG_NOSIGNAL)
inline constexpr int send_flags = MSG_NOSIGNAL;
#else
inline constexpr int send_flags = 0;   // SO_NOSIGPIPE is set on every socket instead
#endif

inline endpoint to_endpoint(const ::sockaddr_storage& address, ::socklen_t size) noexcept {
    endpoint made;
    if (address.ss_family == AF_UNIX) {
        const auto& local = reinterpret_cast<const ::sockaddr_un&>(address);
        const auto  begin = offsetof(::sockaddr_un, sun_path);
        if (size > begin) std::copy_n(local.sun_path, std::min<std::size_t>(size - begin, made.name.size() - 1), made.name.begin());
        return made;
    }
    static_cast<void>(::getnameinfo(generic(&address), size, made.name.data(), static_cast<::socklen_t>(made.name.size()),
                                    nullptr, 0, NI_NUMERICHOST));
    if (address.ss_family == AF_INET) made.port = ntohs(reinterpret_cast<const ::sockaddr_in&>(address).sin_port);
    if (address.ss_family == AF_INET6) made.port = ntohs(reinterpret_cast<const ::sockaddr_in6&>(address).sin6_port);
    return made;
}

template <class Ask>
io_result<endpoint> ask_endpoint(int fd, Ask ask) noexcept {
    ::sockaddr_storage address{};
    ::socklen_t        size = sizeof address;
    if (ask(fd, static_cast<::sockaddr*>(static_cast<void*>(&address)), &size) != 0) return system_error();
    return to_endpoint(address, size);
}

} // namespace detail

// ---- stream

NAVETTE_INLINE stream::stream(int fd, const_byte_span already_read) noexcept : fd_(fd) {
    detail::make_nonblocking(fd);
    detail::set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);   // not a TCP socket: refused, and not needed
#if defined(SO_NOSIGPIPE)
    detail::set_option(fd, SOL_SOCKET, SO_NOSIGPIPE, 1);
#endif
    if (!unread_.append(already_read)) close();
}

NAVETTE_INLINE stream::stream(stream&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), unread_(std::move(other.unread_)), read_deadline_(other.read_deadline_),
      write_deadline_(other.write_deadline_), stop_(other.stop_) {}

NAVETTE_INLINE stream& stream::operator=(stream&& other) noexcept {
    stream taken(std::move(other));
    std::swap(fd_, taken.fd_);
    unread_.swap(taken.unread_);
    std::swap(read_deadline_, taken.read_deadline_);
    std::swap(write_deadline_, taken.write_deadline_);
    std::swap(stop_, taken.stop_);
    return *this;
}

NAVETTE_INLINE io_result<std::size_t> stream::read_some(byte_span in) noexcept {
    if (const auto error = detail::stopped(stop_)) return error;
    if (!unread_.empty()) {
        const std::size_t n = std::min(in.size(), unread_.size());
        std::memcpy(in.data(), unread_.data().data(), n);
        unread_.consume(n);
        return n;
    }
    for (;;) {
        const ::ssize_t n = ::recv(fd_, in.data(), in.size(), 0);
        if (n >= 0) return static_cast<std::size_t>(n);
        if (errno == EINTR) continue;
        if (!detail::would_block(errno)) return detail::system_error();
        if (const auto error = detail::wait_for(fd_, POLLIN, read_deadline_, stop_)) return error;
    }
}

NAVETTE_INLINE io_result<std::size_t> stream::write_some(const_byte_span out) noexcept {
    return write_some(std::span<const const_byte_span>(&out, 1));
}

NAVETTE_INLINE io_result<std::size_t> stream::write_some(std::span<const const_byte_span> pieces) noexcept {
    if (const auto error = detail::stopped(stop_)) return error;
    std::array<::iovec, max_gather> parts{};
    std::size_t                     count = 0;
    for (const const_byte_span piece : pieces.first(std::min(pieces.size(), max_gather)))
        if (!piece.empty()) parts[count++] = {const_cast<std::byte*>(piece.data()), piece.size()};
    ::msghdr head{};
    head.msg_iov    = parts.data();
    head.msg_iovlen = static_cast<decltype(head.msg_iovlen)>(count);
    for (;;) {
        const ::ssize_t n = ::sendmsg(fd_, &head, detail::send_flags);
        if (n >= 0) return static_cast<std::size_t>(n);
        if (errno == EINTR) continue;
        if (!detail::would_block(errno)) return detail::system_error();
        if (const auto error = detail::wait_for(fd_, POLLOUT, write_deadline_, stop_)) return error;
    }
}

NAVETTE_INLINE std::error_code stream::shutdown_write() noexcept {
    return ::shutdown(fd_, SHUT_WR) == 0 ? std::error_code{} : detail::system_error();
}

NAVETTE_INLINE void stream::close() noexcept {
    unread_.clear();
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));   // not repeated after EINTR: the descriptor is gone on Linux
}

NAVETTE_INLINE io_result<endpoint> stream::local() const noexcept { return detail::ask_endpoint(fd_, ::getsockname); }
NAVETTE_INLINE io_result<endpoint> stream::remote() const noexcept { return detail::ask_endpoint(fd_, ::getpeername); }

// ---- listener

NAVETTE_INLINE listener::listener(int fd) noexcept : fd_(fd) { detail::make_nonblocking(fd); }

NAVETTE_INLINE listener::listener(listener&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::exchange(other.path_, {})) {}

NAVETTE_INLINE listener& listener::operator=(listener&& other) noexcept {
    listener taken(std::move(other));
    std::swap(fd_, taken.fd_);
    std::swap(path_, taken.path_);
    return *this;
}

NAVETTE_INLINE io_result<stream> listener::accept(duration within, const stop_signal* stop) noexcept {
    const instant until = deadline(now(), within);
    for (;;) {
        if (const auto error = detail::stopped(stop)) return error;
#if defined(SOCK_CLOEXEC)
        const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
#else
        const int fd = ::accept(fd_, nullptr, nullptr);
        if (fd >= 0) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
#endif
        if (fd >= 0) {
            stream made(fd);
            made.stop_on(stop);
            return made;
        }
        if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO) continue;
        if (!detail::would_block(errno)) return detail::system_error();
        if (const auto error = detail::wait_for(fd_, POLLIN, until, stop)) return error;
    }
}

NAVETTE_INLINE void listener::close() noexcept {
    if (fd_ < 0) return;
    ::close(std::exchange(fd_, -1));
    if (path_[0] != '\0') ::unlink(path_.data());
}

NAVETTE_INLINE io_result<endpoint> listener::local() const noexcept {
    return detail::ask_endpoint(fd_, ::getsockname);
}

NAVETTE_INLINE std::uint16_t listener::port() const noexcept {
    const auto at = local();
    return at ? at->port : std::uint16_t{0};
}

NAVETTE_INLINE io_result<listener> listen(std::string_view host, int port, int backlog, bool shares_port) noexcept {
    if (port < 0 || port > 65'535) return errc::invalid_port;
    std::array<char, 256> name;
    if (!detail::copy_text(host, name)) return errc::invalid_host;
    address_list found;
    if (const auto error = detail::ask_system(host.empty() ? nullptr : name.data(), AI_PASSIVE, found)) return error;
    std::error_code first_error;
    // All interfaces: IPv6 first, since that socket takes IPv4 as well.
    for (const int family : {AF_INET6, AF_INET}) {
        for (std::size_t i = 0; i < found.size(); ++i) {
            const auto at = detail::to_socket_address(found[i], port);
            if (at.storage.ss_family != family) continue;
            detail::owned_fd fd(detail::open_socket(family));
            if (fd.get() >= 0) {
                detail::set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
#if defined(SO_REUSEPORT)
                if (shares_port) detail::set_option(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);
#endif
                if (family == AF_INET6) detail::set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, host.empty() ? 0 : 1);
                if (::bind(fd.get(), at.get(), at.size) == 0 && ::listen(fd.get(), backlog) == 0)
                    return listener(fd.release());
            }
            if (!first_error) first_error = detail::system_error();
        }
    }
    return first_error;
}

NAVETTE_INLINE io_result<listener> unix_listen(std::string_view path, int backlog) noexcept {
    ::sockaddr_un         address{};
    std::array<char, 108> name{};
    if (!detail::unix_address(path, address) || !detail::copy_text(path, name))
        return std::make_error_code(std::errc::filename_too_long);
    struct ::stat file {};
    if (::lstat(name.data(), &file) == 0) {
        if (!S_ISSOCK(file.st_mode)) return std::make_error_code(std::errc::address_in_use);
        const auto alive = unix_connect(path, seconds(1));
        if (alive || alive.error() != std::errc::connection_refused)
            return std::make_error_code(std::errc::address_in_use);
        ::unlink(name.data());
    }
    detail::owned_fd fd(detail::open_socket(AF_UNIX));
    if (fd.get() < 0) return detail::system_error();
    if (::bind(fd.get(), detail::generic(&address), sizeof address) != 0) return detail::system_error();
    if (::listen(fd.get(), backlog) != 0) {
        const auto error = detail::system_error();
        ::unlink(name.data());
        return error;
    }
    detail::make_nonblocking(fd.get());
    return listener(fd.release(), name);
}

} // namespace navette::tcp
