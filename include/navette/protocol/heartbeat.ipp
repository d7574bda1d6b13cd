// Bodies of heartbeat.hpp.
// Which deadline counts when is in poll, in the order of what is lost first.
#pragma once

#include <navette/protocol/heartbeat.hpp>

#include <cstring>

namespace navette {

NAVETTE_INLINE void heartbeat::received(const event& e, instant now) noexcept {
    if (e.type != event_type::pong || !timing_ || e.payload.size() != sizeof pings_) return;
    std::uint32_t number = 0;
    std::memcpy(&number, e.payload.data(), sizeof number);
    if (number != pings_) return;  // an earlier ping's, or nobody's (5.5.3)
    timing_     = false;
    round_trip_ = now - ping_sent_;
}

NAVETTE_INLINE bool heartbeat::send_ping(protocol_core& ws, instant now, buffer& out) noexcept {
    const std::uint32_t number = pings_ + 1;
    std::byte           payload[sizeof number];
    std::memcpy(payload, &number, sizeof number);
    if (ws.ping(payload, out) != errc{}) return false;
    pings_        = number;
    ping_sent_    = now;
    pong_awaited_ = timing_ = true;
    return true;
}

NAVETTE_INLINE heartbeat_verdict heartbeat::poll(protocol_core& ws, instant now, buffer& out) noexcept {
    heartbeat_verdict verdict;
    // Whether `after` from `since` is over; if not, it is one of the things to wake up for.
    const auto over = [&](instant since, duration after) {
        const instant due = since == instant::never() ? since : deadline(since, after);
        if (due <= now && due != instant::never()) return true;
        if (due < verdict.next) verdict.next = due;
        return false;
    };
    const auto expire = [](errc e) { return heartbeat_verdict{instant::never(), e}; };

    if (ws.state() != connection_state::open && closing_since_ == instant::never()) closing_since_ = now;
    if (over(closing_since_, close_within_)) return expire(errc::close_timeout);

    if (ws.state() == connection_state::open) {
        const bool silent = over(last_read_, idle_);
        if (silent || (pong_awaited_ && over(ping_sent_, pong_within_))) {
            const errc why = silent ? errc::idle_timeout : errc::pong_timeout;
            ws.fail(why, out);
            closing_since_ = now;
            return expire(why);
        }
        if (!pong_awaited_ && over(last_read_, ping_every_)) over(now, send_ping(ws, now, out) ? pong_within_ : ping_every_);
    }

    if (out.empty())
        waiting_since_ = instant::never();
    else if (waiting_since_ == instant::never())
        waiting_since_ = now;
    if (over(waiting_since_, write_stall_)) return expire(errc::write_timeout);
    return verdict;
}

} // namespace navette
