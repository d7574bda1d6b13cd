// A server of one thread: one poll over all its sockets, and for each connection the core, which does no I/O: TLS if it
// is wanted, a server_handshake, then a session. Nobody holds it up: a peer whose output waits is not read from, and
// deadlines end those who never finish their handshakes, never read, or never answer a Close. Shared by echo_server, chat
// and demo.
#pragma once

#include "support/command_line.hpp"
#include "support/layered_socket.hpp"

#include <navette/navette.hpp>
#include <navette/tcp.hpp>

#include <poll.h>
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace example {

using namespace navette;

/// Bytes of waiting output above which a peer is not read from.
inline constexpr std::size_t output_mark = 256 * 1024;

template <class App>
class poll_server;

/// One connection, as the application sees it. `State` is the application's own.
template <class State>
class peer {
    template <class App>
    friend class poll_server;

    layered_socket socket_;
    buffer head_{}, out_{};
    std::optional<server_handshake> handshake_{};
    std::optional<session<role::server>> session_{};
    heartbeat heartbeat_;
    instant deadline_;
    bool answered_ = false; // by HTTP: what is in out_ is all that it gets
    bool draining_ = false; // shut down; what comes is thrown away
    bool ended_    = false; // the peer has ended its side
    bool gone_     = false;

    bool is_read() const { return !ended_ && (draining_ || queued() <= output_mark); }

public:
    State state{};

    peer(layered_socket socket, const server_options& options, const limits& bounds,
         const timeouts& times, instant now)
        : socket_(std::move(socket)),
          heartbeat_(times, now),
          deadline_(deadline(now, times.handshake)) {
        handshake_.emplace(options, head_, bounds);
    }

    bool is_open() const {
        return session_ && session_->protocol().state() == connection_state::open;
    }

    /// Bytes that wait for the peer to read.
    std::size_t queued() const { return out_.size() + socket_.owed(); }

    /// Appends a message to what waits; it leaves before the server waits again.
    errc send(opcode type, const_byte_span message) {
        return session_->protocol().send(type, message, fin::yes, out_);
    }
    errc send(std::string_view text) { return send(opcode::text, as_bytes(text)); }

    errc close(close_code code, std::string_view reason = {}) {
        return session_->protocol().close(code, reason, out_);
    }
};

/// Answers a plain request and appends the answer to `out`.
inline void respond(server_handshake& handshake, buffer& out, unsigned status,
                    std::span<const http_field> fields, std::string_view body) {
    if (handshake.respond(status, fields, body) == errc{})
        static_cast<void>(append_http1(handshake.response(), out));
}

/// Serves `App`, which has
///
///     struct state;                                                      // its own of each connection
///     result<agreement> on_upgrade(server_handshake&, peer<state>&);     // accept(), or reject() and return any error
///     void on_plain_request(server_handshake&, buffer& out);             // respond()
///     void on_open(peer<state>&);
///     void on_message(peer<state>&, opcode, const_byte_span);
///     void on_close(peer<state>&);                                       // of each that was opened, once
template <class App>
class poll_server {
public:
    using connection = example::peer<typename App::state>;

private:
    App& app_;
    tcp::listener listener_;
    server_options options_;
    limits limits_;
    transport_factory tls_;
    timeouts timeouts_{};
    stop_signal stop_{};
    buffer_pool pool_{};
    std::vector<std::unique_ptr<connection>> peers_{};
    std::vector<::pollfd> watched_{};
    instant now_    = tcp::now();
    bool stopping_  = false;
    bool accepting_ = true; // false: out of descriptors, until somebody leaves
    read_place place_;      // for all: bytes are dealt with as soon as they are read

public:
    /// `tls` makes the engines, if it can make any.
    poll_server(App& app, tcp::listener listener, const server_options& options,
                const limits& bounds = default_limits, const transport_factory& tls = {})
        : app_(app), listener_(std::move(listener)), options_(options), limits_(bounds), tls_(tls) {
        raise_descriptor_limit();
    }

    /// Serves until Ctrl-C or SIGTERM, then says Close 1001 to everybody and waits until they have gone.
    void run() {
        while (!stopping_ || !peers_.empty()) {
            wait();
            if (watched_[0].revents != 0 && !stopping_) stop();
            for (std::size_t i = 2; i < watched_.size(); ++i)
                if ((watched_[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0) read(*peers_[i - 2]);
            if (watched_[1].revents != 0) accept();
            for (std::size_t i = 0; i < peers_.size(); ++i) attend(*peers_[i]);
            if (std::erase_if(peers_, [](const auto& p) { return p->gone_; }) != 0)
                accepting_ = true;
        }
    }

private:
    void wait() {
        watched_.assign({{stop_.descriptor(), POLLIN, 0},
                         {stopping_ || !accepting_ ? -1 : listener_.native_handle(), POLLIN, 0}});
        instant next = instant::never();
        for (const auto& p : peers_) {
            const int events =
                (p->is_read() ? POLLIN : 0) | (p->socket_.owes(p->out_) ? POLLOUT : 0);
            watched_.push_back({p->socket_.native_handle(), static_cast<short>(events), 0});
            next = std::min(next, p->deadline_);
        }
        int left = -1;
        if (next != instant::never())
            left = static_cast<int>(
                std::clamp<std::int64_t>(to_milliseconds(next - tcp::now()), 0, 60'000));
        if (::poll(watched_.data(), static_cast<::nfds_t>(watched_.size()), left) < 0)
            for (::pollfd& w : watched_) w.revents = 0;
        now_ = tcp::now();
    }

    void accept() {
        for (;;) {
            const int fd = ::accept(listener_.native_handle(), nullptr, nullptr);
            if (fd >= 0) {
                ::fcntl(fd, F_SETFD, FD_CLOEXEC);
                admit(tcp::stream(fd));
            } else if (errno != EINTR && errno != ECONNABORTED) {
                accepting_ = errno == EAGAIN || errno == EWOULDBLOCK;
                return;
            }
        }
    }

    void admit(tcp::stream socket) {
        transport_engine engine;
        if (tls_.make != nullptr) {
            auto made = tls_.make(tls_.self, role::server, {});
            if (!made) return;
            engine = *std::move(made);
        }
        peers_.push_back(std::make_unique<connection>(
            layered_socket(std::move(socket), std::move(engine), place_), options_, limits_,
            timeouts_, now_));
    }

    void read(connection& p) {
        const std::uint64_t before  = p.socket_.bytes_read();
        const std::error_code error = p.socket_.read([&](byte_span in) { take(p, in); });
        if (p.socket_.bytes_read() != before) p.heartbeat_.bytes_read(now_);
        if (error) leave(p);
    }

    // Plain bytes; none: the peer has ended its side.
    void take(connection& p, byte_span in) {
        p.ended_ = in.empty();
        if (p.ended_ && p.draining_) return leave(p);
        if (p.draining_ || p.answered_) return;
        if (p.handshake_) shake_hands(p, in, p.ended_);
        if (p.session_) talk(p, in, p.ended_);
    }

    void shake_hands(connection& p, byte_span& in, bool ended) {
        server_handshake& handshake = *p.handshake_;
        switch (ended ? handshake.receive_eof(p.out_) : handshake.receive(in, p.out_)) {
        case handshake_status::need_more: return;
        case handshake_status::refused: break;
        case handshake_status::plain_request: app_.on_plain_request(handshake, p.out_); break;
        case handshake_status::upgrade:
            const result<agreement> agreed = app_.on_upgrade(handshake, p);
            if (append_http1(handshake.response(), p.out_) != errc{} || !agreed) break;
            p.session_.emplace(server_protocol(*agreed, limits_), pool_);
            p.handshake_.reset();
            p.head_ = buffer();
            app_.on_open(p);
            return;
        }
        p.handshake_.reset();
        p.answered_ = true;
    }

    void talk(connection& p, byte_span& in, bool ended) {
        while (event e = p.session_->receive(in, p.out_)) {
            p.heartbeat_.received(e, now_);
            if (e.type == event_type::text) app_.on_message(p, opcode::text, e.payload);
            if (e.type == event_type::binary) app_.on_message(p, opcode::binary, e.payload);
        }
        if (ended) static_cast<void>(p.session_->receive_eof(p.out_));
    }

    // Writes what waits, keeps the deadlines, and ends the transport when its time has come (RFC 6455, 7.1.1).
    void attend(connection& p) {
        if (p.gone_) return;
        if (p.socket_.owes(p.out_)) {
            const std::uint64_t before = p.socket_.bytes_written();
            if (p.socket_.write(p.out_)) return leave(p);
            const bool progress = p.socket_.bytes_written() != before;
            if (progress) p.heartbeat_.drained(now_);
            if (progress && !p.is_read())
                p.heartbeat_.bytes_read(now_); // it is alive, though it is not heard
        }
        if (p.session_ && !p.draining_) {
            const heartbeat_verdict verdict =
                p.heartbeat_.poll(p.session_->protocol(), now_, p.out_);
            if (verdict.expired == errc::close_timeout || verdict.expired == errc::write_timeout)
                return leave(p);
            p.deadline_ = verdict.next;
        }
        if (p.deadline_ <= now_ && (p.draining_ || !p.session_)) return leave(p);

        transport_action action = transport_action::keep;
        if (p.session_) action = p.session_->protocol().transport(p.out_);
        else if (p.answered_) action = transport_action::shutdown_write;
        if (action == transport_action::keep || p.queued() != 0 || p.draining_) return;
        p.socket_.shut_down();
        if (action == transport_action::close || p.ended_) return leave(p);
        p.draining_ = true;
        p.deadline_ = deadline(now_, timeouts_.close_within);
    }

    void leave(connection& p) {
        if (std::exchange(p.gone_, true)) return;
        if (p.session_) app_.on_close(p);
    }

    void stop() {
        stopping_ = true;
        listener_.close();
        for (const auto& p : peers_) {
            if (!p->session_ && !p->answered_) leave(*p);
            else if (p->is_open()) static_cast<void>(p->close(close_code::going_away));
        }
    }
};

/// Listens, says so as the first line of standard output, and serves `app` until the program is told to stop. Ends the
/// program with status 1 if it cannot listen.
template <class App>
void serve(std::string_view program, std::string_view scheme, std::string_view host,
           std::uint16_t port, App& app, const server_options& options,
           const limits& bounds = default_limits, const transport_factory& tls = {}) {
    const auto url = [&](std::uint16_t at) {
        const bool ipv6 = host.find(':') != std::string_view::npos;
        return joined({ipv6 ? "[" : "", host, ipv6 ? "]:" : ":", std::to_string(at)});
    };
    auto listener = tcp::listen(host, port);
    if (!listener)
        end_with(1, program,
                 joined({"cannot listen on ", url(port), ": ", listener.error().message()}));
    std::printf("listening on %.*s://%s/\n", static_cast<int>(scheme.size()), scheme.data(),
                url(listener->port()).c_str());
    std::fflush(stdout);
    poll_server<App>(app, std::move(*listener), options, bounds, tls).run();
}

} // namespace example
