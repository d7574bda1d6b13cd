// The floor: an epoll loop that sends back whatever bytes come, which no server can be faster than by much. With --hold it
// only holds the sockets: the floor for idle memory. With --fan-out what one connection sends goes to all others, by one
// send each.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

enum class duty { echo, hold, fan_out };

// What a socket did not take; by descriptor.
std::vector<std::string> rest;
std::vector<int> members;

void watch(int epoll, int operation, int socket, unsigned events) {
    ::epoll_event e{};
    e.events  = events;
    e.data.fd = socket;
    ::epoll_ctl(epoll, operation, socket, &e);
}

void write(int epoll, int to, const char* data, std::size_t size) {
    std::string& kept = rest[static_cast<std::size_t>(to)];
    std::size_t done  = 0;
    if (kept.empty()) {
        const ssize_t n = ::send(to, data, size, MSG_NOSIGNAL);
        if (n > 0) done = static_cast<std::size_t>(n);
        if (done == size) return;
        // While it owes something it does not read: no memory grows.
        watch(epoll, EPOLL_CTL_MOD, to, EPOLLOUT);
    }
    kept.append(data + done, size - done);
}

void go_on_writing(int epoll, int to) {
    std::string& kept = rest[static_cast<std::size_t>(to)];
    const ssize_t n   = ::send(to, kept.data(), kept.size(), MSG_NOSIGNAL);
    if (n > 0) kept.erase(0, static_cast<std::size_t>(n));
    if (kept.empty()) watch(epoll, EPOLL_CTL_MOD, to, EPOLLIN);
}

void leave(int socket) {
    std::erase(members, socket);
    std::string().swap(rest[static_cast<std::size_t>(socket)]);
    ::close(socket);
}

void admit(int epoll, int listener, duty what) {
    for (;;) {
        const int socket = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (socket < 0) return;
        const int on = 1;
        ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (what != duty::hold && rest.size() <= static_cast<std::size_t>(socket))
            rest.resize(static_cast<std::size_t>(socket) + 1);
        if (what == duty::fan_out) members.push_back(socket);
        watch(epoll, EPOLL_CTL_ADD, socket, EPOLLIN);
    }
}

} // namespace

int main(int argc, char** argv) {
    duty what          = duty::echo;
    std::uint16_t port = 0;
    for (int i = 1; i < argc; ++i) {
        const std::string_view option = argv[i];
        if (option == "--hold") what = duty::hold;
        else if (option == "--fan-out") what = duty::fan_out;
        else if (option == "--port" && i + 1 < argc) port = static_cast<std::uint16_t>(std::stoi(argv[++i]));
        else return std::fputs("usage: floor [--port P] [--hold | --fan-out]\n", stderr), 2;
    }
    ::rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);

    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on       = 1;
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ::sockaddr_in address{};
    address.sin_family      = AF_INET;
    address.sin_port        = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::socklen_t size        = sizeof address;
    if (::bind(listener, reinterpret_cast<::sockaddr*>(&address), size) != 0 || ::listen(listener, 4096) != 0)
        return std::fprintf(stderr, "floor: cannot listen: %s\n", std::strerror(errno)), 1;
    ::getsockname(listener, reinterpret_cast<::sockaddr*>(&address), &size);
    std::printf("listening on tcp://127.0.0.1:%u/\n", static_cast<unsigned>(ntohs(address.sin_port)));
    std::fflush(stdout);

    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, EPOLL_CTL_ADD, listener, EPOLLIN);
    static char place[512 * 1024];
    static ::epoll_event ready[512];
    for (;;) {
        const int n = ::epoll_wait(epoll, ready, static_cast<int>(std::size(ready)), -1);
        for (int i = 0; i < n; ++i) {
            const int from = ready[i].data.fd;
            if (from == listener) {
                admit(epoll, listener, what);
                continue;
            }
            if (ready[i].events & EPOLLOUT) {
                go_on_writing(epoll, from);
                continue;
            }
            const ssize_t came = ::recv(from, place, sizeof place, 0);
            if (came == 0 || (came < 0 && errno != EAGAIN && errno != EINTR)) {
                leave(from);
            } else if (came > 0 && what == duty::echo) {
                write(epoll, from, place, static_cast<std::size_t>(came));
            } else if (came > 0 && what == duty::fan_out) {
                for (const int to : members)
                    if (to != from) write(epoll, to, place, static_cast<std::size_t>(came));
            }
        }
    }
}
