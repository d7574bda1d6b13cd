// The core in a plain poll loop, with sockets as POSIX has them: an echo server that shows the three rules of the core.
//   1. Input is the caller's buffer: receive takes events off the front of what was read, and unmasks it in place.
//   2. Output is the caller's buffer: a pong, a Close or a message of ours is appended to `out`, and leaves in one write.
//   3. The core keeps nothing else: no socket, no clock, no thread, no callback. What happens when is decided here.
#include <navette/navette.hpp>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>
#include <optional>
#include <vector>

using namespace navette;

namespace {

constexpr timeouts times;
constexpr server_options options{.origins = origin_policy::any()};

instant now() {
    std::timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return instant(std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec);
}

struct client {
    int socket;
    instant until; // the deadline of what it is doing
    buffer head{}, out{};
    std::optional<server_handshake> handshake{};
    std::optional<server_protocol> ws{};
    heartbeat beat;
    bool refused = false, shut_down = false;

    client(int fd, instant at) : socket(fd), until(deadline(at, times.handshake)), beat(times, at) {
        handshake.emplace(options, head);
    }
    client(const client&)            = delete;
    client& operator=(const client&) = delete;
    ~client() { ::close(socket); }

    void read_handshake(byte_span& in) {
        const handshake_status status =
            handshake->receive(in, out); // a refusal is appended to out by it
        if (status == handshake_status::need_more) return;
        refused = status != handshake_status::upgrade;
        if (status == handshake_status::plain_request) static_cast<void>(handshake->respond(426));
        const result<agreement> agreed = handshake->accept(); // misuse, unless it was an upgrade
        if (status != handshake_status::refused)
            static_cast<void>(append_http1(handshake->response(), out));
        if (agreed) ws.emplace(*agreed);
        handshake.reset();
    }

    // A message is echoed piece by piece, as it comes: nothing is collected.
    void read_frames(byte_span& in) {
        while (event e = ws->receive(in, out)) {
            beat.received(e, now());
            if (!e.is_message()) continue;
            const opcode type = e.type == event_type::text ? opcode::text : opcode::binary;
            static_cast<void>(ws->send(e.first ? type : opcode::continuation, e.payload,
                                       e.last ? fin::yes : fin::no, out));
        }
    }

    /// False: it is over.
    bool read() {
        std::array<std::byte, 65536> storage;
        const ssize_t size = ::recv(socket, storage.data(), storage.size(), MSG_DONTWAIT);
        if (size < 0) return errno == EAGAIN || errno == EINTR;
        byte_span in(storage.data(), static_cast<std::size_t>(size));
        if (size == 0) {
            if (ws) static_cast<void>(ws->receive_eof(out));
            return ws.has_value();
        }
        beat.bytes_read(now());
        if (handshake) read_handshake(in);
        if (ws) read_frames(in);
        return true;
    }

    bool write() {
        if (out.empty()) return true;
        const ssize_t size =
            ::send(socket, out.data().data(), out.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (size < 0) return errno == EAGAIN || errno == EINTR;
        out.consume(static_cast<std::size_t>(size));
        beat.drained(now());
        return true;
    }

    /// Keeps the deadlines, and ends the transport as the closing handshake says: our side first, then what the peer
    /// still sends is read and thrown away, until it ends its side.
    bool goes_on() {
        if (ws && !shut_down) {
            const heartbeat_verdict verdict = beat.poll(*ws, now(), out);
            if (verdict.expired == errc::close_timeout || verdict.expired == errc::write_timeout)
                return false;
            until = verdict.next;
        }
        if (until <= now() && (!ws || shut_down)) return false;
        transport_action action = ws ? ws->transport(out) : transport_action::keep;
        if (refused && out.empty()) action = transport_action::shutdown_write;
        if (action == transport_action::shutdown_write && !shut_down) {
            ::shutdown(socket, SHUT_WR);
            shut_down = true;
            until     = deadline(now(), times.close_within);
        }
        return action != transport_action::close;
    }
};

int listen_on(std::uint16_t port) {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0), on = 1;
    sockaddr_in address{};
    const void* generic     = &address;
    address.sin_family      = AF_INET;
    address.sin_port        = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(socket, static_cast<const sockaddr*>(generic), sizeof address) != 0 ||
        ::listen(socket, 128) != 0)
        return -1;
    return socket;
}

} // namespace

int main(int argc, char** argv) {
    std::uint16_t port = 9001;
    if (argc > 1) std::from_chars(argv[1], argv[1] + std::strlen(argv[1]), port);
    const int listener = listen_on(port);
    if (listener < 0) return std::perror("sans_io_poll: cannot listen"), 1;
    std::printf("listening on ws://127.0.0.1:%u/\n", port);
    std::fflush(stdout);

    std::vector<std::unique_ptr<client>> clients;
    for (;;) {
        std::vector<pollfd> watched{{listener, POLLIN, 0}};
        instant next = instant::never();
        for (const auto& c : clients) { // who does not read is not read from
            watched.push_back(
                {c->socket, static_cast<short>(c->out.empty() ? POLLIN : POLLOUT), 0});
            next = std::min(next, c->until);
        }
        const std::int64_t left =
            std::clamp<std::int64_t>(to_milliseconds(next - now()), 0, 60'000);
        if (::poll(watched.data(), watched.size(), static_cast<int>(left)) < 0) continue;
        for (std::size_t i = clients.size(); i > 0; --i) {
            client& c = *clients[i - 1];
            if (((watched[i].revents & ~POLLOUT) != 0 && !c.read()) || !c.write() || !c.goes_on())
                clients.erase(clients.begin() + static_cast<std::ptrdiff_t>(i - 1));
        }
        if (watched[0].revents != 0)
            if (const int socket = ::accept(listener, nullptr, nullptr); socket >= 0)
                clients.push_back(std::make_unique<client>(socket, now()));
    }
}
