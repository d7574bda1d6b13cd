// The lowest part of websocket.hpp: a socket and the engine on it, proxies and TLS, driven without ever waiting; and
// the bell by which other threads wake the one that polls (poll(2), pipe(2)).
#pragma once

#include <navette/stream/transport_engine.hpp>
#include <navette/tcp.hpp>
#include <navette/tcp_wait.ipp>

#include <poll.h>
#include <unistd.h>

namespace navette::detail {

// Readable from the first ring until it is hushed. One lock serves both.
class doorbell {
    int  ends_[2] = {-1, -1};
    bool rings_   = false;

public:
    doorbell() noexcept {
        if (::pipe(ends_) != 0) return;
        for (const int end : ends_) {
            ::fcntl(end, F_SETFD, FD_CLOEXEC);
            tcp::detail::make_nonblocking(end);
        }
    }
    doorbell(const doorbell&)            = delete;
    doorbell& operator=(const doorbell&) = delete;
    ~doorbell() {
        for (const int end : ends_)
            if (end >= 0) ::close(end);
    }

    int native_handle() const noexcept { return ends_[0]; }

    void ring() noexcept {
        const char one = 0;
        if (!std::exchange(rings_, true))
            while (::write(ends_[1], &one, 1) < 0 && errno == EINTR) {}
    }
    void hush() noexcept {
        char one;
        if (std::exchange(rings_, false))
            while (::read(ends_[0], &one, 1) < 0 && errno == EINTR) {}
    }
};

class websocket_link {
    static constexpr std::size_t read_size      = 64 * 1024;
    static constexpr std::size_t write_at_once  = 256 * 1024;   // before it is read again

    // Invariant: cipher_ is what of cipher_storage_ the engine has not taken.
    tcp::stream      socket_;
    transport_engine engine_;
    buffer           storage_{}, cipher_storage_{}, cipher_out_{};
    byte_span        cipher_{};
    std::uint64_t    taken_ = 0;
    bool             is_laid_;
    bool             shuts_down_ = false, engine_is_shut_ = false, is_shut_ = false;

public:
    enum class reading { goes_on, ended, lost, gone };

    buffer          out{};     // what is to be sent
    std::error_code error{};   // why it is lost

    // `engine` may be empty. `socket` is made never to wait.
    websocket_link(tcp::stream socket, transport_engine engine) noexcept
        : socket_(std::move(socket)), engine_(std::move(engine)), is_laid_(!engine_) {
        socket_.read_expires_at(instant{});
        socket_.write_expires_at(instant{});
    }

    bool prepare() noexcept {
        return !storage_.grow(read_size).empty() && (!engine_ || !cipher_storage_.grow(read_size).empty());
    }

    int native_handle() const noexcept { return socket_.native_handle(); }

    // The engine's handshake is complete.
    bool is_laid() const noexcept { return is_laid_; }

    // Bytes of `out` that the network has taken, or the engine.
    std::uint64_t taken() const noexcept { return taken_; }

    bool is_writing() const noexcept { return !cipher_out_.empty() || (is_laid_ && !out.empty()); }

    byte_span storage() noexcept { return storage_.data(); }

    // Ends this side's direction once everything is sent.
    void shut_down() noexcept { shuts_down_ = true; }

    // Sends what it can. False: it is lost.
    bool flush() noexcept {
        for (std::size_t sent = 0; sent < write_at_once;) {
            const bool has_failed = engine_ && cipher_out_.empty() && !encrypt();
            buffer&    wire       = engine_ ? cipher_out_ : out;
            if (wire.empty()) {
                if (has_failed) return false;
                if (!shuts_down_ || is_shut_ || !out.empty()) return true;
                if (!end_direction()) return true;
                continue;
            }
            const auto n = socket_.write_some(wire.data());
            if (has_failed) return false;   // what explains it has been tried
            if (!n && n.error() == std::errc::timed_out) return true;
            if (!n) return lose(n.error());
            wire.consume(*n);
            sent += *n;
            if (!engine_) taken_ += *n;
        }
        return true;
    }

    // Reads once, into the place that `choose` names each time, and gives what came to `take`. That returns false if
    // this object is gone.
    template <class Choose, class Take>
    reading read(Choose choose, Take take) {
        if (engine_) return decrypt(choose, take);
        const byte_span place = choose();
        const auto      got   = socket_.read_some(place);
        if (!got) return is_nothing(got.error());
        if (*got == 0) return reading::ended;
        return take(place.first(*got)) ? reading::goes_on : reading::gone;
    }

    // The last words: sends what is left, ends the direction, and reads until the peer's end; all that until then.
    void leave(instant until) noexcept {
        if (!is_laid_) return socket_.close();
        shut_down();
        while (flush() && !is_shut_ && tcp::now() < until)
            if (tcp::detail::wait_for(native_handle(), POLLOUT, until, nullptr)) break;
        std::byte scratch[4'096];
        socket_.read_expires_at(until);
        while (is_shut_ && tcp::now() < until)
            if (const auto got = socket_.read_some(scratch); !got || *got == 0) break;
        socket_.close();
    }

private:
    bool lose(std::error_code why) noexcept {
        error = why;
        return false;
    }

    reading is_nothing(std::error_code why) noexcept {
        if (why == std::errc::timed_out) return reading::goes_on;
        lose(why);
        return reading::lost;
    }

    // False: the engine has failed.
    bool encrypt() noexcept {
        const_byte_span   rest = out.data();
        const engine_step step = engine_.send(rest, cipher_out_);
        const std::size_t n    = out.size() - rest.size();
        out.consume(n);
        taken_ += n;
        is_laid_ = is_laid_ || step.open;
        return step.error ? lose(step.error) : true;
    }

    // True: there is more to send.
    bool end_direction() noexcept {
        if (engine_ && !std::exchange(engine_is_shut_, true)) {
            static_cast<void>(engine_.shutdown(cipher_out_));
            return true;
        }
        is_shut_ = true;
        static_cast<void>(socket_.shutdown_write());
        return false;
    }

    template <class Choose, class Take>
    reading decrypt(Choose choose, Take take) {
        const auto got = socket_.read_some(cipher_storage_.data());
        if (!got) return is_nothing(got.error());
        if (*got == 0) {
            const engine_step step = engine_.receive_eof();
            if (step.ended && is_laid_) return reading::ended;
            lose(step.error ? step.error : make_error_code(errc::tls_truncated));
            return reading::lost;
        }
        cipher_ = cipher_storage_.data().first(*got);
        for (;;) {
            const std::size_t before = cipher_.size();
            const byte_span   place  = choose();
            const engine_step step   = engine_.receive(cipher_, place, cipher_out_);
            if (step.error) {
                flush();
                lose(step.error);
                return reading::lost;
            }
            if (step.produced != 0 && !take(place.first(step.produced))) return reading::gone;
            if (step.ended) return reading::ended;
            if (step.produced != 0) continue;
            if (cipher_.empty()) return reading::goes_on;
            if (cipher_.size() == before) {
                lose(errc::misuse);
                return reading::lost;
            }
        }
    }
};

} // namespace navette::detail
