// What all of tcp.hpp stands on: system errors, descriptors, the clock, stop_signal, and the one place where a thread
// waits, which is poll with a deadline and a stop signal (poll(2), eventfd(2)).
#pragma once

#include <navette/tcp.hpp>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <ctime>
#include <fcntl.h>
#include <poll.h>
#include <span>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#if defined(__linux__)
#  include <sys/eventfd.h>
#endif

namespace navette::tcp {
namespace detail {

inline std::error_code system_error(int number = errno) noexcept { return {number, std::system_category()}; }
inline bool would_block(int number) noexcept { return number == EAGAIN || number == EWOULDBLOCK; }

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

// Why nothing may be done or waited for any more.
inline std::error_code stopped(const stop_signal* stop) noexcept {
    if (stop == nullptr) return {};
    if (stop->native_handle() < 0) return std::make_error_code(std::errc::too_many_files_open);
    return stop->is_raised() ? std::make_error_code(std::errc::operation_canceled) : std::error_code{};
}

// Waits until one of `watched` is ready, or `until`. The first of them is the place of the stop signal.
inline std::error_code wait_for(std::span<::pollfd> watched, instant until, const stop_signal* stop) noexcept {
    watched.front() = {stop == nullptr ? -1 : stop->native_handle(), POLLIN, 0};
    for (;;) {
        if (const auto error = stopped(stop)) return error;
        int wait = -1;
        if (until != instant::never()) {
            const std::int64_t left = to_milliseconds(until - tcp::now());
            wait = static_cast<int>(std::clamp<std::int64_t>(left, 0, INT_MAX));
        }
        const int ready = ::poll(watched.data(), static_cast<::nfds_t>(watched.size()), wait);
        if (ready > 0) return stopped(stop);
        if (ready < 0 && errno != EINTR) return system_error();
        if (until <= tcp::now()) return std::make_error_code(std::errc::timed_out);
    }
}

// Waits until a descriptor is ready for `events`, or `until`.
inline std::error_code wait_for(int fd, short events, instant until, const stop_signal* stop) noexcept {
    std::array<::pollfd, 2> watched{{{}, {fd, events, 0}}};
    return wait_for(watched, until, stop);
}

// A copy of `text` that ends in NUL, as the system wants it; false: too long, or a NUL inside.
template <std::size_t N>
bool copy_text(std::string_view text, std::array<char, N>& to) noexcept {
    if (text.size() >= N || text.find('\0') != std::string_view::npos) return false;
    std::copy(text.begin(), text.end(), to.begin());
    to[text.size()] = '\0';
    return true;
}

} // namespace detail

NAVETTE_INLINE instant now() noexcept {
    ::timespec t{};
    ::clock_gettime(CLOCK_MONOTONIC, &t);
    return instant(std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec);
}

NAVETTE_INLINE stop_signal::stop_signal() noexcept {
#if defined(__linux__)
    reader_ = writer_ = ::eventfd(0, EFD_CLOEXEC);
#else
    int ends[2];
    if (::pipe(ends) != 0) return;
    for (const int fd : ends) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    reader_ = ends[0];
    writer_ = ends[1];
#endif
}

NAVETTE_INLINE stop_signal::~stop_signal() {
    if (reader_ >= 0) ::close(reader_);
    if (writer_ >= 0 && writer_ != reader_) ::close(writer_);
}

NAVETTE_INLINE void stop_signal::raise() noexcept {
    if (raised_.exchange(true)) return;
    const int           before = errno;
    const std::uint64_t one    = 1;   // what an eventfd takes
    while (::write(writer_, &one, sizeof one) < 0 && errno == EINTR) {}
    errno = before;
}

} // namespace navette::tcp
