// A client's socket for programs that wait in poll themselves, with an engine on it if there is one: TLS, or the tunnel
// through a proxy. Plain bytes above, nothing waits.
#pragma once

#include "sockets.hpp"

#include <navette/stream/transport_engine.hpp>
#include <navette/tcp.hpp>

#include <array>
#include <utility>

namespace example {

class layered_socket {
    navette::tcp::stream          socket_;
    navette::transport_engine     engine_;
    navette::buffer               owed_{};          // what the engine has for the peer
    bool                          is_open_ = false;
    std::array<std::byte, 65'536> in_, plain_;

    // The engine's handshake goes on by itself.
    std::error_code advance() {
        navette::const_byte_span nothing;
        const auto step = engine_.send(nothing, owed_);
        is_open_        = is_open_ || step.open;
        return step.error;
    }

    std::error_code flush(navette::buffer& out) {
        const transfer done = write_now(socket_.native_handle(), out.data());
        out.consume(done.size);
        return {done.failure, std::system_category()};
    }

public:
    /// `engine` may be empty.
    layered_socket(navette::tcp::stream socket, navette::transport_engine engine)
        : socket_(std::move(socket)), engine_(std::move(engine)), is_open_(!engine_) {}

    int native_handle() const { return socket_.native_handle(); }
    const navette::tcp::stream& socket() const { return socket_; }
    const navette::transport_engine& engine() const { return engine_; }

    /// Plain bytes pass: proxies and TLS are through with their handshakes.
    bool is_open() const { return is_open_; }

    /// Whether there is something to write, beside `out`.
    bool owes(const navette::buffer& out) const { return !owed_.empty() || (is_open_ && !out.empty()); }

    /// Reads what is there. Calls `use(bytes)` for it, if it is plain bytes, and `use({})` at the end of the stream.
    template <class Use>
    std::error_code read(Use use) {
        const transfer done = read_now(socket_.native_handle(), in_);
        if (done.failure != 0) return {done.failure, std::system_category()};
        if (!engine_) {
            if (done.size != 0 || done.ended) use(navette::byte_span(in_).first(done.size));
            return {};
        }
        if (done.ended) {
            const auto step = engine_.receive_eof();
            if (step.ended) use(navette::byte_span{});
            return step.error;
        }
        for (navette::byte_span in = navette::byte_span(in_).first(done.size);;) {
            const auto step = engine_.receive(in, plain_, owed_);
            if (step.produced != 0) use(navette::byte_span(plain_).first(step.produced));
            if (step.ended) use(navette::byte_span{});
            if (step.error || step.ended) return step.error;
            if (step.produced == 0 && in.empty()) return is_open_ ? std::error_code{} : advance();
        }
    }

    /// Writes as much as the socket takes of what is owed and then of `out`. Called first, it begins the handshake.
    std::error_code write(navette::buffer& out) {
        if (!engine_) return out.empty() ? std::error_code{} : flush(out);
        if (!is_open_)
            if (const auto error = advance()) return error;
        while (is_open_ && !out.empty()) {
            navette::const_byte_span rest = out.data();
            const auto step = engine_.send(rest, owed_);
            if (step.error) return step.error;
            out.consume(out.size() - rest.size());
        }
        return owed_.empty() ? std::error_code{} : flush(owed_);
    }

    /// Ends this side's direction.
    void shut_down() {
        if (engine_ && !engine_.shutdown(owed_).error) static_cast<void>(flush(owed_));
        static_cast<void>(socket_.shutdown_write());
    }
};

} // namespace example
