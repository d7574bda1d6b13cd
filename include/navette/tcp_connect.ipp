// Connecting behind tcp.hpp: to the addresses of a host side by side (RFC 8305, 5), and to a unix socket. Unlike a TCP
// socket's, a unix socket's connect cannot be waited for with poll (connect(2), unix(7)).
#pragma once

#include <navette/tcp.hpp>
#include <navette/tcp_resolve.ipp>
#include <navette/tcp_wait.ipp>

#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

namespace navette::tcp {
namespace detail {

// One attempt for each address of a list. The first that succeeds wins, the others are closed.
class race {
    // Invariant: the first started_ addresses have been tried. watched_[i + 1] is the socket that is being connected to
    // address i, or -1, and open_ of them are not -1. error_ is the best of what has gone wrong, and rank_ its rank.
    const address_list&                              to_;
    const int                                        port_;
    std::array<::pollfd, 1 + address_list::max_size> watched_{};
    std::size_t                                      started_ = 0;
    std::size_t                                      open_    = 0;
    std::size_t                                      rank_    = 2 * address_list::max_size;
    std::error_code                                  error_{};

    // Begins the next attempt; false: it has failed already.
    bool start() noexcept {
        const std::size_t    i  = started_++;
        const socket_address to = to_socket_address(to_[i], port_);
        const int            fd = open_socket(to.storage.ss_family);
        watched_[i + 1]         = {fd, POLLOUT, 0};
        if (fd >= 0) {
            ++open_;
            make_nonblocking(fd);
            if (::connect(fd, to.get(), to.size) == 0) return true;
            if (errno == EINPROGRESS || errno == EINTR) return true;   // an interrupted connect goes on
        }
        lose(i, errno);
        return false;
    }

    // Of several errors the first address' is kept, but for those that only say that this machine has no route to it.
    void lose(std::size_t i, int number) noexcept {
        const bool        no_route = number == ENETUNREACH || number == EADDRNOTAVAIL || number == EAFNOSUPPORT;
        const std::size_t rank     = no_route ? address_list::max_size + i : i;
        if (rank < rank_) {
            rank_  = rank;
            error_ = system_error(number);
        }
        if (watched_[i + 1].fd < 0) return;
        ::close(std::exchange(watched_[i + 1].fd, -1));
        --open_;
    }

public:
    race(const address_list& to, int port) noexcept : to_(to), port_(port) {}
    race(const race&) = delete;
    race& operator=(const race&) = delete;
    ~race() {
        for (std::size_t i = 0; i < started_; ++i)
            if (watched_[i + 1].fd >= 0) ::close(watched_[i + 1].fd);
    }

    io_result<stream> run(duration delay, instant until, const stop_signal* stop) noexcept {
        instant next = now();
        for (;;) {
            if (const auto error = stopped(stop)) return error;
            const instant t = now();
            if (t >= until) return errc::connect_timeout;
            if (started_ < to_.size() && t >= next && start()) next = t + delay;
            const bool all_started = started_ == to_.size();
            if (open_ == 0) {
                if (all_started) return error_;
                continue;
            }
            const auto watched = std::span<::pollfd>(watched_).first(1 + started_);
            const auto error   = wait_for(watched, all_started ? until : std::min(next, until), stop);
            if (error == std::errc::timed_out) continue;
            if (error) return error;
            for (std::size_t i = 0; i < started_; ++i) {
                auto& [fd, events, ready] = watched_[i + 1];
                if (fd < 0 || ready == 0) continue;
                int         failure = 0;
                ::socklen_t size    = sizeof failure;
                if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) != 0) failure = errno;
                if (failure == 0) return stream(std::exchange(fd, -1));
                lose(i, failure);
                next = t;
            }
        }
    }
};

inline bool unix_address(std::string_view path, ::sockaddr_un& address) noexcept {
    std::array<char, sizeof address.sun_path> text{};
    if (path.empty() || !copy_text(path, text)) return false;
    address.sun_family = AF_UNIX;
    std::copy(text.begin(), text.end(), address.sun_path);
    return true;
}

inline const ::sockaddr* generic(const void* address) noexcept { return static_cast<const ::sockaddr*>(address); }

} // namespace detail

NAVETTE_INLINE io_result<stream> connect(std::string_view host, int port, const connect_options& options) noexcept {
    if (port < 0 || port > 65'535) return errc::invalid_port;
    const instant until = deadline(now(), options.within);
    address_list  found;
    if (const auto error = detail::resolve(host, options, until, found)) return error;
    if (found.size() == 0) return std::error_code(EAI_NONAME, resolver_category());

    // Addresses that swallow packets must not use up the time of those behind them.
    const duration each  = duration((until - now()).nanoseconds / static_cast<std::int64_t>(found.size()));
    const duration delay = std::clamp(std::min(options.attempt_delay, each), milliseconds(100), seconds(2));

    auto made = detail::race(found, port).run(delay, until, options.stop);
    if (made) made->stop_on(options.stop);
    return made;
}

NAVETTE_INLINE io_result<stream> connect(std::string_view host, int port, duration within) noexcept {
    return connect(host, port, connect_options{.within = within});
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

} // namespace navette::tcp
