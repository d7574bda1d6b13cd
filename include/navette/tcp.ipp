// The bodies of tcp.hpp over POSIX sockets. Every descriptor is non-blocking and closed on exec;
// every wait is one poll with a deadline (socket(7), poll(2), getaddrinfo(3)).
#pragma once

#include <navette/tcp.hpp>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
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

inline std::error_code system_error(int number = errno) noexcept { return {number, std::system_category()}; }
inline bool would_block(int number) noexcept { return number == EAGAIN || number == EWOULDBLOCK; }

class resolver_errors final : public std::error_category {
public:
    const char* name() const noexcept override { return "resolver"; }
    std::string message(int value) const override { return ::gai_strerror(value); }
};

// A descriptor that is closed unless it is released.
class owned_fd {
    int fd_;

public:
    explicit owned_fd(int fd) noexcept : fd_(fd) {}
    owned_fd(const owned_fd&) = delete;
    owned_fd& operator=(const owned_fd&) = delete;
    ~owned_fd() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const noexcept { return fd_; }
    int release() noexcept { return std::exchange(fd_, -1); }
};

struct address_list {
    ::addrinfo* first = nullptr;
    address_list() = default;
    address_list(const address_list&) = delete;
    address_list& operator=(const address_list&) = delete;
    ~address_list() {
        if (first != nullptr) ::freeaddrinfo(first);
    }
};

inline bool set_option(int fd, int level, int option, int value) noexcept {
    return ::setsockopt(fd, level, option, &value, sizeof value) == 0;
}

inline int open_socket(int family) noexcept {
#if defined(SOCK_CLOEXEC)
    return ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
#else
    const int fd = ::socket(family, SOCK_STREAM, 0);
    if (fd >= 0) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd;
#endif
}

inline void make_nonblocking(int fd) noexcept {
    if (const int flags = ::fcntl(fd, F_GETFL); flags >= 0) ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

// Waits until the socket is ready for `events`, or `until`.
inline std::error_code wait_for(int fd, short events, instant until) noexcept {
    for (;;) {
        int wait = -1;
        if (until != instant::never()) {
            const std::int64_t left = to_milliseconds(until - tcp::now());
            wait = static_cast<int>(std::clamp<std::int64_t>(left, 0, INT_MAX));
        }
        ::pollfd  watched{fd, events, 0};
        const int ready = ::poll(&watched, 1, wait);
        if (ready > 0) return {};
        if (ready < 0 && errno != EINTR) return system_error();
        if (until <= tcp::now()) return std::make_error_code(std::errc::timed_out);
    }
}

// A copy of `text` that ends in NUL, as the system wants it; false: too long, or a NUL inside.
template <std::size_t N>
bool copy_text(std::string_view text, std::array<char, N>& to) noexcept {
    if (text.size() >= N || text.find('\0') != std::string_view::npos) return false;
    std::copy(text.begin(), text.end(), to.begin());
    to[text.size()] = '\0';
    return true;
}

inline std::error_code resolve(std::string_view host, int port, int flags, address_list& found) noexcept {
    if (port < 0 || port > 65'535) return errc::invalid_port;
    std::array<char, 256> name;
    if (!copy_text(host, name)) return errc::invalid_host;
    std::array<char, 6> digits{};
    std::size_t         first = digits.size() - 1;
    for (int rest = port; first == digits.size() - 1 || rest != 0; rest /= 10)
        digits[--first] = static_cast<char>('0' + rest % 10);

    ::addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags    = flags | AI_NUMERICSERV;
    const int failure  = ::getaddrinfo(host.empty() ? nullptr : name.data(), &digits[first], &wanted, &found.first);
    if (failure == 0) return {};
    return failure == EAI_SYSTEM ? system_error() : std::error_code(failure, resolver_category());
}

inline io_result<stream> connect_to(const ::addrinfo& address, instant until) noexcept {
    owned_fd fd(open_socket(address.ai_family));
    if (fd.get() < 0) return system_error();
    make_nonblocking(fd.get());
    if (::connect(fd.get(), address.ai_addr, address.ai_addrlen) != 0) {
        if (errno != EINPROGRESS && errno != EINTR) return system_error();   // an interrupted connect goes on
        if (const auto error = wait_for(fd.get(), POLLOUT, until)) return error;
        int         failure = 0;
        ::socklen_t size    = sizeof failure;
        if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &failure, &size) != 0) return system_error();
        if (failure != 0) return system_error(failure);
    }
    return stream(fd.release());
}

inline bool unix_address(std::string_view path, ::sockaddr_un& address) noexcept {
    std::array<char, sizeof address.sun_path> text{};
    if (path.empty() || !copy_text(path, text)) return false;
    address.sun_family = AF_UNIX;
    std::copy(text.begin(), text.end(), address.sun_path);
    return true;
}

inline const ::sockaddr* generic(const void* address) noexcept { return static_cast<const ::sockaddr*>(address); }

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

NAVETTE_INLINE instant now() noexcept {
    ::timespec t{};
    ::clock_gettime(CLOCK_MONOTONIC, &t);
    return instant(std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec);
}

NAVETTE_INLINE const std::error_category& resolver_category() noexcept {
    static const detail::resolver_errors category;
    return category;
}

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
      write_deadline_(other.write_deadline_) {}

NAVETTE_INLINE stream& stream::operator=(stream&& other) noexcept {
    stream taken(std::move(other));
    std::swap(fd_, taken.fd_);
    unread_.swap(taken.unread_);
    std::swap(read_deadline_, taken.read_deadline_);
    std::swap(write_deadline_, taken.write_deadline_);
    return *this;
}

NAVETTE_INLINE io_result<std::size_t> stream::read_some(byte_span in) noexcept {
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
        if (const auto error = detail::wait_for(fd_, POLLIN, read_deadline_)) return error;
    }
}

NAVETTE_INLINE io_result<std::size_t> stream::write_some(const_byte_span out) noexcept {
    return write_some(std::span<const const_byte_span>(&out, 1));
}

NAVETTE_INLINE io_result<std::size_t> stream::write_some(std::span<const const_byte_span> pieces) noexcept {
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
        if (const auto error = detail::wait_for(fd_, POLLOUT, write_deadline_)) return error;
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

// ---- connecting

NAVETTE_INLINE io_result<stream> connect(std::string_view host, int port, duration within) noexcept {
    if (host.empty()) return errc::invalid_host;
    const instant        until = deadline(now(), within);
    detail::address_list found;
    if (const auto error = detail::resolve(host, port, AI_ADDRCONFIG, found)) return error;

    std::int64_t left = 0;
    for (const auto* a = found.first; a != nullptr; a = a->ai_next) ++left;
    std::error_code first_error;
    for (const auto* a = found.first; a != nullptr; a = a->ai_next, --left) {
        const instant start = now();
        if (start >= until) return errc::connect_timeout;
        // An address that swallows packets must not eat the time of those behind it.
        const instant share = until == instant::never() ? until : start + duration((until - start).nanoseconds / left);
        auto          made  = detail::connect_to(*a, share);
        if (made) return made;
        if (!first_error) first_error = made.error();
    }
    if (first_error == std::errc::timed_out && now() >= until) return errc::connect_timeout;
    return first_error;
}

NAVETTE_INLINE io_result<stream> unix_connect(std::string_view path, duration within) noexcept {
    ::sockaddr_un address{};
    if (!detail::unix_address(path, address)) return std::make_error_code(std::errc::filename_too_long);
    detail::owned_fd fd(detail::open_socket(AF_UNIX));
    if (fd.get() < 0) return detail::system_error();
    const instant until = deadline(now(), within);
    // A non-blocking connect to a full backlog fails at once, and poll cannot wait for it; a blocking one waits so long.
    for (;;) {
        const std::int64_t left = until == instant::never() ? 0 : std::max<std::int64_t>((until - now()).nanoseconds, 1'000);
        ::timeval limit{};
        limit.tv_sec  = static_cast<decltype(limit.tv_sec)>(left / 1'000'000'000);
        limit.tv_usec = static_cast<decltype(limit.tv_usec)>(left % 1'000'000'000 / 1'000);
        ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        if (::connect(fd.get(), detail::generic(&address), sizeof address) == 0) return stream(fd.release());
        if (detail::would_block(errno) || (errno == EINTR && now() >= until)) return errc::connect_timeout;
        if (errno != EINTR) return detail::system_error();
    }
}

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

NAVETTE_INLINE io_result<stream> listener::accept(duration within) noexcept {
    const instant until = deadline(now(), within);
    for (;;) {
#if defined(SOCK_CLOEXEC)
        const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
#else
        const int fd = ::accept(fd_, nullptr, nullptr);
        if (fd >= 0) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
#endif
        if (fd >= 0) return stream(fd);
        if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO) continue;
        if (!detail::would_block(errno)) return detail::system_error();
        if (const auto error = detail::wait_for(fd_, POLLIN, until)) return error;
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

NAVETTE_INLINE io_result<listener> listen(std::string_view host, int port, int backlog) noexcept {
    detail::address_list found;
    if (const auto error = detail::resolve(host, port, AI_PASSIVE, found)) return error;
    std::error_code first_error;
    // All interfaces: IPv6 first, since that socket takes IPv4 as well.
    for (const int family : {AF_INET6, AF_INET}) {
        for (const auto* a = found.first; a != nullptr; a = a->ai_next) {
            if (a->ai_family != family) continue;
            detail::owned_fd fd(detail::open_socket(family));
            if (fd.get() >= 0) {
                detail::set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
                if (family == AF_INET6) detail::set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, host.empty() ? 0 : 1);
                if (::bind(fd.get(), a->ai_addr, a->ai_addrlen) == 0 && ::listen(fd.get(), backlog) == 0)
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
