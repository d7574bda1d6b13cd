// What a loop of server.hpp waits in: epoll, edge-triggered and with one system call for each connection in its life, or
// poll (epoll(7), poll(2)).
#pragma once

#include <navette/server.hpp>
#include <navette/tcp_wait.ipp>

#include <array>
#include <cerrno>
#include <climits>
#include <poll.h>
#include <unistd.h>
#include <vector>
#if defined(__linux__)
#  include <sys/epoll.h>
#endif

namespace navette::detail {

// What has become possible. With epoll it is told once, when it becomes so; with poll as long as it is so and wanted.
struct readiness {
    std::uint64_t token;
    bool          reads, writes;
    bool          ended;   // the peer has ended its side, or the socket is lost: reading says which
};

class server_poller {
    // Invariant, with poll: tokens_[i] belongs to watched_[i], and places_[watched_[i].fd] is i.
    std::vector<::pollfd>       watched_{};
    std::vector<std::uint64_t>  tokens_{};
    std::vector<std::size_t>    places_{};
    std::vector<readiness>      ready_{};
#if defined(__linux__)
    int                                epoll_ = -1;
    std::array<::epoll_event, 512>     events_;
#endif
    bool is_epoll_ = false;

public:
    enum class watch : std::uint8_t { connection, signal, shared_listener };

    server_poller() noexcept {}
    server_poller(const server_poller&)            = delete;
    server_poller& operator=(const server_poller&) = delete;
    ~server_poller() {
#if defined(__linux__)
        if (epoll_ >= 0) ::close(epoll_);
#endif
    }

    std::error_code open([[maybe_unused]] bool by_poll) noexcept {
#if defined(__linux__)
        if (by_poll) return {};
        epoll_    = ::epoll_create1(EPOLL_CLOEXEC);
        is_epoll_ = true;
        if (epoll_ < 0) return tcp::detail::system_error();
#endif
        return {};
    }

    bool add(int fd, std::uint64_t token, watch how) {
#if defined(__linux__)
        if (is_epoll_) {
            ::epoll_event event{};
            event.data.u64 = token;
            event.events   = how == watch::connection ? EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET : EPOLLIN;
            if (how == watch::shared_listener) event.events |= EPOLLEXCLUSIVE;   // one loop wakes, not all
            return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0;
        }
#endif
        static_cast<void>(how);
        const auto at = static_cast<std::size_t>(fd);
        if (places_.size() <= at) places_.resize(at + 1);
        places_[at] = watched_.size();
        watched_.push_back({fd, POLLIN, 0});
        tokens_.push_back(token);
        return true;
    }

    // Which of the two poll is to wait for.
    void want(int fd, bool reads, bool writes) noexcept {
        if (is_epoll_) return;
        watched_[places_[static_cast<std::size_t>(fd)]].events =
            static_cast<short>((reads ? POLLIN : 0) | (writes ? POLLOUT : 0));
    }
    bool is_told() const noexcept { return !is_epoll_; }   // that want has an effect

    void remove(int fd) noexcept {
#if defined(__linux__)
        if (is_epoll_) {
            ::epoll_event none{};
            ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, &none);
            return;
        }
#endif
        const std::size_t at = places_[static_cast<std::size_t>(fd)];
        watched_[at]         = watched_.back();
        tokens_[at]          = tokens_.back();
        places_[static_cast<std::size_t>(watched_[at].fd)] = at;
        watched_.pop_back();
        tokens_.pop_back();
    }

    // Waits at most `milliseconds`, for ever if negative; returns how many are ready.
    std::size_t wait(int milliseconds) {
#if defined(__linux__)
        if (is_epoll_) {
            const int n = ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), milliseconds);
            return n < 0 ? 0 : static_cast<std::size_t>(n);
        }
#endif
        ready_.clear();
        if (::poll(watched_.data(), static_cast<::nfds_t>(watched_.size()), milliseconds) <= 0) return 0;
        for (std::size_t i = 0; i < watched_.size(); ++i) {
            const short what  = watched_[i].revents;
            const bool  ended = (what & (POLLHUP | POLLERR | POLLNVAL)) != 0;
            if (what != 0) ready_.push_back({tokens_[i], (what & POLLIN) != 0 || ended, (what & POLLOUT) != 0, ended});
        }
        return ready_.size();
    }

    readiness operator[](std::size_t i) const noexcept {
#if defined(__linux__)
        if (is_epoll_) {
            const std::uint32_t what  = events_[i].events;
            const bool          ended = (what & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
            return {events_[i].data.u64, (what & EPOLLIN) != 0 || ended, (what & EPOLLOUT) != 0, ended};
        }
#endif
        return ready_[i];
    }
};

} // namespace navette::detail
