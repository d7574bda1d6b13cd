// epoll, and a wait that can be as short as a few microseconds.
#pragma once

#include "system.hpp"

#include <sys/epoll.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <span>
#include <vector>

namespace load {

class poller {
    int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    std::vector<::epoll_event> ready_ = std::vector<::epoll_event>(512);

    void control(int operation, int descriptor, unsigned events, std::uint32_t index) {
        ::epoll_event event{};
        event.events   = events;
        event.data.u32 = index;
        if (::epoll_ctl(epoll_, operation, descriptor, &event) != 0)
            throw failure(std::string("epoll: ") + std::strerror(errno));
    }

public:
    poller()              = default;
    poller(const poller&) = delete;
    ~poller() { ::close(epoll_); }

    void add(int descriptor, unsigned events, std::uint32_t index) { control(EPOLL_CTL_ADD, descriptor, events, index); }
    void change(int descriptor, unsigned events, std::uint32_t index) { control(EPOLL_CTL_MOD, descriptor, events, index); }

    void remove(int descriptor) { control(EPOLL_CTL_DEL, descriptor, 0, 0); }

    /// What is ready, at the latest after `longest` nanoseconds; empty: nothing.
    std::span<const ::epoll_event> wait(std::uint64_t longest) {
        const ::timespec within{static_cast<std::time_t>(longest / second), static_cast<long>(longest % second)};
        const int n = ::epoll_pwait2(epoll_, ready_.data(), static_cast<int>(ready_.size()), &within, nullptr);
        return std::span(ready_).first(n < 0 ? 0 : static_cast<std::size_t>(n));
    }
};

} // namespace load
