// How connections of a server end: by the closing handshake, by failures, by deadlines, by a stop; and what the deadlines are.
#pragma once

#include <navette/server_opening.ipp>

namespace navette::detail {

// ---- one connection's end

inline void server_loop::doom(server_connection& c) { doom(c, std::make_error_code(std::errc::operation_canceled)); }

// It ends before the turn does, and not under the feet of a callback.
inline void server_loop::doom(server_connection& c, std::error_code why) {
    if (has(c, doomed) || c.phase_ == server_connection::phase::dead) return;
    set(c, doomed);
    reasons_.emplace_back(&c, why);
    touch(c);
}

// Does with the transport what follows from the state, once nothing waits (RFC 6455, 7.1.1).
inline void server_loop::settle(server_connection& c) {
    using phase = server_connection::phase;
    if (c.phase_ == phase::dead) return;
    if (has(c, doomed)) {
        std::error_code why;
        for (std::size_t i = 0; i < reasons_.size(); ++i) {
            if (reasons_[i].first != &c) continue;
            why = reasons_[i].second;
            reasons_.erase(reasons_.begin() + static_cast<std::ptrdiff_t>(i));
            break;
        }
        return end(c, why);
    }
    if (c.phase_ == phase::answered && c.io_ != nullptr) c.io_->opening.reset();
    const bool is_over = c.phase_ == phase::answered || (c.phase_ == phase::open && has(c, told));
    if (c.phase_ == phase::lingering && (has(c, ended) || has(c, lost))) return end(c, {});
    if (is_over && (waiting(c) == 0 || has(c, lost))) linger(c);
}

// Ends our side and waits for the peer's end: closing at once with something unread could lose what was said last.
inline void server_loop::linger(server_connection& c) {
    if (c.io_ != nullptr && c.io_->engine && !has(c, lost) && !std::exchange(c.io_->is_shut, true)) {
        static_cast<void>(c.io_->engine.shutdown(c.io_->cipher));
        flush(c);
        if (c.phase_ == server_connection::phase::dead || waiting(c) != 0) return;
    }
    if (has(c, ended) || has(c, lost)) return end(c, {});
    static_cast<void>(::shutdown(c.fd_, SHUT_WR));
    c.phase_ = server_connection::phase::lingering;
    c.since_ = now_;
    wake_by(c, due(now_, core_.settings.timeouts.close_within, timeouts{}.close_within));
    if (c.io_ != nullptr && c.io_->engine) c.io_->engine = transport_engine();
    release_io(c);
    if (has(c, readable)) read_later(c);
    watch(c);
}

// The connection is over for the application.
inline void server_loop::tell(server_connection& c, const server_close& how) {
    if (has(c, told) || !has(c, opened)) return;
    set(c, told);
    c.since_ = now_;
    wake_by(c, due(now_, core_.settings.timeouts.close_within, timeouts{}.close_within));
    unsubscribe_all(c);
    counted_.open.take(1);
    const auto code = static_cast<std::size_t>(how.code);
    if (code >= 1000 && code < 1000 + counted_.closes.size()) counted_.closes[code - 1000].add(1);
    else if (code >= 4000) counted_.closes_private.add(1);
    else counted_.closes_registered.add(1);
    if (how.error) count_error(how.error);
    if (core_.told.close) core_.told.close(c, how);
    c.drop_object();
    touch(c);
}

inline void server_loop::end(server_connection& c, std::error_code why) {
    using phase = server_connection::phase;
    if (c.phase_ == phase::dead) return;
    if (has(c, opened) && !has(c, told)) {
        tell(c, {.code = close_code::abnormal_closure, .error = why ? why : make_error_code(errc::truncated)});
    } else if (!has(c, opened) && why) {
        count_error(why);
    }
    if (c.io_ != nullptr && c.io_->opening)
        if (const auto later = c.io_->opening->later.lock()) later->go();
    c.phase_ = phase::dead;
    timers_.remove(c);
    poller_.remove(c.fd_);
    ::close(std::exchange(c.fd_, -1));
    if (current_ == &c) {
        current_ = nullptr;
        out_.clear();
    }
    if (has(c, ready)) std::erase(ready_, &c);
    if (has(c, dirty)) std::erase(dirty_, &c);
    if (server_io* const io = std::exchange(c.io_, nullptr)) {
        core_.buffered.fetch_sub(io->counted, std::memory_order_relaxed);
        counted_.buffered.take(io->counted);
        io_.destroy(io);
    }
    if (c.address_ != nullptr) core_.forget_address(*std::exchange(c.address_, nullptr));
    core_.transports.fetch_sub(1, std::memory_order_relaxed);
    c.drop_object();
    graves_.push_back(&c);
    // A place has been freed, and a descriptor.
    if (!accepts_) accept_at_ = now_;
}

// ---- deadlines

// When `after` from `since` is over, on the loop's clock; `otherwise` if it is off. Far away if both are.
inline std::uint32_t server_loop::due(std::uint32_t since, duration after, duration otherwise) const noexcept {
    constexpr std::int64_t farthest = 1'000'000'000;   // 11 days
    if (after == duration{}) after = otherwise;
    if (after == duration{}) return now_ + static_cast<std::uint32_t>(farthest);
    const std::int64_t ms = to_milliseconds(after);
    return since + static_cast<std::uint32_t>(ms < 0 ? 0 : ms > farthest ? farthest : ms);
}

// Its place in the wheel has come up, which need not mean that anything is due.
inline void server_loop::look(server_connection& c) {
    using phase          = server_connection::phase;
    const timeouts& times = core_.settings.timeouts;
    const bool      ends_by_itself = c.phase_ == phase::answered || c.phase_ == phase::lingering ||
                                (c.phase_ == phase::open && (has(c, told) || c.protocol_.state() != connection_state::open));
    if (ends_by_itself) {
        const std::uint32_t when = due(c.since_, times.close_within, timeouts{}.close_within);
        if (has_come(now_, when)) return end(c, has(c, told) || !has(c, opened) ? std::error_code{} : make_error_code(errc::close_timeout));
        wake_by(c, when);
    }
    if (has(c, stalled) && times.write_stall != duration{}) {
        const std::uint32_t when = due(c.io_->stalled_since, times.write_stall);
        if (has_come(now_, when)) return end(c, errc::write_timeout);
        wake_by(c, when);
    }
    if (c.phase_ == phase::open && !ends_by_itself) look_open(c);
    if (c.phase_ == phase::opening || c.phase_ == phase::pending) {
        const std::uint32_t when = due(c.since_, times.handshake, timeouts{}.handshake);
        if (has_come(now_, when)) expire_opening(c);
        else wake_by(c, when);
    }
}

// Who is not read from cannot be heard, and is not asked.
inline void server_loop::look_open(server_connection& c) {
    const timeouts& times = core_.settings.timeouts;
    if (!may_read(c)) c.last_read_ = now_;
    const auto fail = [&](errc why) {
        buffer& out = output(c);
        const event e = c.protocol_.fail(why, out);
        tell(c, {.code = e.code, .error = why});
    };
    if (times.idle != duration{}) {
        const std::uint32_t when = due(c.last_read_, times.idle);
        if (has_come(now_, when)) return fail(errc::idle_timeout);
        wake_by(c, when);
    }
    if (has(c, ping_awaited) && may_read(c)) {
        const std::uint32_t when = due(c.since_, times.pong_within);
        if (times.pong_within != duration{} && has_come(now_, when)) return fail(errc::pong_timeout);
        wake_by(c, when);
    } else if (times.ping_every != duration{}) {
        const std::uint32_t when = due(c.last_read_, times.ping_every);
        if (!has_come(now_, when)) return wake_by(c, when);
        if (c.protocol_.ping({}, output(c)) == errc{}) {
            counted_.pings_out.add(1);
            set(c, ping_awaited);
            c.since_ = now_;
        } else {
            c.last_read_ = now_;
        }
        wake_by(c, due(now_, times.pong_within, times.ping_every));
    }
}

inline void server_loop::expire_opening(server_connection& c) {
    refused(refusal::timeout);
    count_error(errc::handshake_timeout);
    if (c.phase_ == server_connection::phase::pending) {
        if (const auto later = c.io_->opening->later.lock()) later->go();
        if (answer(c, 503, {}, {}) != errc{}) return end(c, errc::handshake_timeout);
        return touch(c);
    }
    // Whoever has said nothing hears nothing.
    if (c.io_ == nullptr || !c.io_->opening || c.io_->opening->handshake.reject(408) != errc{}) return end(c, {});
    if (append_http1(c.io_->opening->handshake.response(), output(c)) != errc{}) return end(c, errc::out_of_memory);
    answered(c);
    touch(c);
}

// ---- stopping

inline void server_loop::begin_stop() {
    if (std::exchange(is_stopping_, true)) return;
    poller_.remove(core_.stop.native_handle());
    if (core_.settings.stop != nullptr) poller_.remove(core_.settings.stop->native_handle());
    if (accepts_)
        for (const auto& each : listeners_) poller_.remove(each->native_handle());
    listeners_.clear();
    core_.stop.raise();   // for the other loops, if it was the other signal
    duration within = core_.settings.timeouts.close_within == duration{} ? timeouts{}.close_within : core_.settings.timeouts.close_within;
    {
        const std::lock_guard held(core_.guard);
        if (core_.last_words >= duration{}) within = core_.last_words;
    }
    stop_by_ = due(now_, within);
    for_each([this](server_connection& c) { send_away(c); });
}

inline void server_loop::send_away(server_connection& c) {
    using phase = server_connection::phase;
    switch (c.phase_) {
    case phase::open:
        if (c.protocol_.close(close_code::going_away, {}, output(c)) == errc{}) {
            c.since_ = now_;
            wake_by(c, due(now_, core_.settings.timeouts.close_within, timeouts{}.close_within));
        }
        break;
    case phase::opening:
    case phase::pending:
        refused(refusal::stopping);
        if (c.io_ != nullptr && c.io_->opening)
            if (const auto later = c.io_->opening->later.lock()) later->go();
        if (c.io_ == nullptr || !c.io_->opening || answer(c, 503, {}, {}) != errc{}) return end(c, {});
        break;
    case phase::answered:
    case phase::lingering:
    case phase::dead: break;
    }
    touch(c);
}

inline void server_loop::count_error(std::error_code error) noexcept {
    const bool ours = error.category() == error_category();
    counted_.errors[ours ? static_cast<std::size_t>(error.value()) : 0].add(1);
}

inline server_loop::~server_loop() {
    for_each([this](server_connection& c) { end(c, {}); });
    bury();
}

} // namespace navette::detail
