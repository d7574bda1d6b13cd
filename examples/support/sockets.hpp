// Non-blocking reads and writes for programs that wait in poll themselves, and as many descriptors as there may be.
#pragma once

#include <navette/base/bytes.hpp>

#include <sys/resource.h>
#include <sys/socket.h>
#include <cerrno>
#include <cstddef>

namespace example {

/// What a read or write without waiting has done.
struct transfer {
    std::size_t size = 0;     ///< bytes that were read or written
    bool ended       = false; ///< a read: the peer has ended its direction
    int failure      = 0;     ///< errno; the socket is of no more use
};

inline transfer made_of(ssize_t result, bool reading) {
    if (result > 0) return {.size = static_cast<std::size_t>(result)};
    if (result == 0) return {.ended = reading};
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {};
    return {.failure = errno};
}

inline transfer read_now(int socket, navette::byte_span in) {
    return made_of(::recv(socket, in.data(), in.size(), MSG_DONTWAIT), true);
}

inline transfer write_now(int socket, navette::const_byte_span out) {
#if defined(MSG_NOSIGNAL)
    return made_of(::send(socket, out.data(), out.size(), MSG_DONTWAIT | MSG_NOSIGNAL), false);
#else
    return made_of(::send(socket, out.data(), out.size(), MSG_DONTWAIT),
                   false); // tcp::stream has set SO_NOSIGPIPE
#endif
}

/// Lets the program have as many descriptors as the system allows it: the usual limit is 1,024.
inline void raise_descriptor_limit() {
    ::rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

} // namespace example
