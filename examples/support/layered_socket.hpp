// A socket for programs that wait in poll themselves, with an engine on it if there is one: TLS, or a client's tunnel
// through a proxy. Plain bytes above; nothing waits, and what an engine has for the peer stays bounded.
#pragma once

#include "support/sockets.hpp"

#include <navette/stream/transport_engine.hpp>
#include <navette/tcp.hpp>

#include <array>
#include <cstdint>
#include <utility>

namespace example {

/// Where bytes lie while they are dealt with: one place for all sockets of a thread.
struct read_place {
    std::array<std::byte, 65'536> in, plain;
};

class layered_socket {
    static constexpr std::size_t owed_mark = 64 * 1024; // above it nothing more is made ready
    static constexpr std::size_t kept      = 4096;      // memory that an empty buffer may keep

    navette::tcp::stream socket_;
    navette::transport_engine engine_;
    read_place& place_;
    navette::buffer owed_{}; // what the engine has for the peer
    bool is_open_       = false;
    bool is_ending_     = false; // once nothing is owed
    std::uint64_t read_ = 0, written_ = 0;

    // The engine's handshake goes on by itself.
    std::error_code advance() {
        navette::const_byte_span nothing;
        const auto step = engine_.send(nothing, owed_);
        is_open_        = is_open_ || step.open;
        return step.error;
    }

    // So that an idle connection holds no buffer.
    static void consume(navette::buffer& from, std::size_t size) {
        from.consume(size);
        if (from.empty() && from.capacity() > kept) from = navette::buffer();
    }

    // Takes one record's worth off `out`.
    std::error_code make_ready(navette::buffer& out) {
        navette::const_byte_span rest = out.data();
        const auto step               = engine_.send(rest, owed_);
        consume(out, out.size() - rest.size());
        return step.error;
    }

    std::error_code flush(navette::buffer& out) {
        const transfer done = write_now(socket_.native_handle(), out.data());
        consume(out, done.size);
        written_ += done.size;
        return {done.failure, std::system_category()};
    }

    std::error_code flush_owed() {
        const std::error_code error = owed_.empty() ? std::error_code{} : flush(owed_);
        if (is_ending_ && owed_.empty()) static_cast<void>(socket_.shutdown_write());
        return error;
    }

public:
    /// `engine` may be empty; `place` is borrowed.
    layered_socket(navette::tcp::stream socket, navette::transport_engine engine, read_place& place)
        : socket_(std::move(socket)),
          engine_(std::move(engine)),
          place_(place),
          is_open_(!engine_) {}

    int native_handle() const { return socket_.native_handle(); }
    const navette::tcp::stream& socket() const { return socket_; }
    const navette::transport_engine& engine() const { return engine_; }

    /// Plain bytes pass: proxies and TLS are through with their handshakes.
    bool is_open() const { return is_open_; }

    /// Whether there is something to write, beside `out`.
    bool owes(const navette::buffer& out) const {
        return !owed_.empty() || (is_open_ && !out.empty());
    }

    /// Bytes that the engine has for the peer.
    std::size_t owed() const { return owed_.size(); }

    /// Bytes that the socket has given and taken so far, the engine's own among them.
    std::uint64_t bytes_read() const { return read_; }
    std::uint64_t bytes_written() const { return written_; }

    /// Reads what is there. Calls `use(bytes)` for it, if it is plain bytes, and `use({})` at the end of the stream.
    template <class Use>
    std::error_code read(Use use) {
        const transfer done = read_now(socket_.native_handle(), place_.in);
        read_ += done.size;
        if (done.failure != 0) return {done.failure, std::system_category()};
        navette::byte_span in = navette::byte_span(place_.in).first(done.size);
        if (!engine_) {
            if (done.size != 0 || done.ended) use(in);
            return {};
        }
        for (;;) {
            const auto step =
                done.ended ? engine_.receive_eof() : engine_.receive(in, place_.plain, owed_);
            if (step.produced != 0) use(navette::byte_span(place_.plain).first(step.produced));
            if (step.error) static_cast<void>(flush_owed()); // the alert that says why
            if (step.error) return step.error;
            if (step.produced != 0 || (!step.ended && !in.empty())) continue;
            const std::error_code error = is_open_ ? std::error_code{} : advance();
            if (step.ended) use(navette::byte_span{});
            return error;
        }
    }

    /// Writes as much as the socket takes of what is owed and then of `out`. Called first, it begins the handshake.
    std::error_code write(navette::buffer& out) {
        if (!engine_) return out.empty() ? std::error_code{} : flush(out);
        if (!is_open_)
            if (const auto error = advance()) return error;
        do {
            while (is_open_ && !out.empty() && owed_.size() < owed_mark)
                if (const auto error = make_ready(out)) return error;
            if (const auto error = flush_owed()) return error;
        } while (owed_.empty() && is_open_ && !out.empty());
        return {};
    }

    /// Ends this side's direction, after what is owed.
    void shut_down() {
        is_ending_ = true;
        if (engine_) static_cast<void>(engine_.shutdown(owed_));
        static_cast<void>(flush_owed());
    }
};

} // namespace example
