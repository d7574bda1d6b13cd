#include <cerrno>
#include <iostream>
#include <navette/navette.hpp>
#include <sys/socket.h>
#include <unistd.h>

struct my_stream {
    int fd;
    static navette::io_result<std::size_t> check(ssize_t n) {
        if (n < 0) return std::error_code(errno, std::system_category());
        return static_cast<std::size_t>(n);
    }
    auto read_some(navette::byte_span in) { return check(::read(fd, in.data(), in.size())); }
    auto write_some(navette::const_byte_span out) {
        return check(::send(fd, out.data(), out.size(), MSG_NOSIGNAL));
    }
    void shutdown_write() { ::shutdown(fd, SHUT_WR); }
    void close() { ::close(std::exchange(fd, -1)); }
};

int main() { // inetd starts it for each connection: the socket is descriptor 0
    auto ws = navette::accept(my_stream{0}, {.origins = navette::origin_policy::any()});
    while (auto message = ws ? ws->read() : ws.error()) ws->send(*message);
    std::cerr << (ws ? ws->read() : ws.error()).error().message() << '\n';
}
