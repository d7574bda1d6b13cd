// When a client that has lost its connection tries again (RFC 6455, 7.2.3): pauses that grow, each drawn at random, and
// what servers ask for. Whether it does at all for that loss, and how long it waits; no clock, no I/O, no thread.
#pragma once

#include <navette/base/instant.hpp>
#include <navette/codec/entropy.hpp>
#include <navette/frame/close_code.hpp>

#include <cstdint>
#include <optional>

namespace navette {

/// How a client tries again. The n-th pause in a row is drawn between half of `first * factor^n` and all of it, `most`
/// being the largest: pauses never shrink, and clients that lost one server come back one after the other.
struct reconnect_policy {
    duration first  = seconds(1);
    double   factor = 2;            ///< below 1 is taken for 1
    duration most   = seconds(60);
    duration held   = seconds(30);  ///< a connection that stood so long makes the next pause a first one

    unsigned attempts = 0xffff'ffff;  ///< that many in a row, then the client gives up

    /// What a server asks for by Retry-After is kept up to this long.
    duration longest_retry_after = seconds(3600);

    /// Messages that had not left when the connection was lost, and those sent while there is none, go to the next one.
    /// A message of which the last byte had left is not sent again, whether it arrived or not.
    bool keep_unsent = false;
};

/// How a connection was lost, or was not to be had.
struct connection_loss {
    close_code              code   = close_code::abnormal_closure;  ///< the peer's; 1006: it sent no Close
    unsigned                status = 0;                             ///< the HTTP status that refused the upgrade; 0: none did
    std::optional<duration> retry_after{};                          ///< what that answer asked for
};

/// Whether another attempt may fare better: after 1001, 1006, 1011 to 1014, and of statuses 408, 425, 429, 500 and 502
/// to 504. Not after an end that was meant (1000, 1005), a rule that was broken, or a code of the application's own.
constexpr bool may_reconnect(const connection_loss& loss) noexcept {
    const auto code = static_cast<unsigned>(loss.code);
    if (code == 1006 && loss.status != 0)
        return loss.status == 408 || loss.status == 425 || loss.status == 429 || loss.status == 500 ||
               (loss.status >= 502 && loss.status <= 504);
    return code == 1001 || code == 1006 || (code >= 1011 && code <= 1014);
}

/// The pauses of one client.
///
///     reconnect_delay pauses(policy);
///     pauses.opened(now);                                  // the connection stands
///     if (auto pause = pauses.lost({.code = code}, now)) wait(*pause), connect();
class reconnect_delay {
    reconnect_policy policy_;
    entropy          source_;
    unsigned         attempts_ = 0;                 // since the last connection that held
    instant          open_since_ = instant::never();

    // Somewhere from `least` to `most`; at `most` if there is no randomness.
    duration between(duration least, duration most) const noexcept {
        std::byte drawn[4]{};
        if (most <= least || !source_(drawn)) return most;
        std::uint64_t n = 0;
        for (const std::byte b : drawn) n = n << 8 | std::to_integer<std::uint64_t>(b);
        const double part = static_cast<double>(n) / 4'294'967'295.0;
        return least + duration(detail::saturating_round(static_cast<double>((most - least).nanoseconds) * part));
    }

    static constexpr duration half(duration d) noexcept { return duration(d.nanoseconds / 2); }
    static constexpr duration larger(duration a, duration b) noexcept { return a < b ? b : a; }

    // The largest that the pause after `attempts_` attempts may be.
    duration bound() const noexcept {
        const double most = static_cast<double>(policy_.most.nanoseconds);
        double       next = static_cast<double>(policy_.first.nanoseconds);
        if (policy_.factor > 1)
            for (unsigned i = 0; i < attempts_ && next > 0 && next < most; ++i) next *= policy_.factor;
        return next < most ? duration(detail::saturating_round(next)) : policy_.most;
    }

public:
    explicit reconnect_delay(const reconnect_policy& policy, entropy source = {}) noexcept : policy_(policy), source_(source) {}

    /// The opening handshake is complete.
    void opened(instant now) noexcept { open_since_ = now; }

    /// A connection was lost, or an attempt has failed: how long to wait before the next; nothing: do not try.
    ///
    /// 1012 asks for 5 to 30 seconds; 1013, 429 and 503, if they do not say how long, for as long as the policy has
    /// (IANA's registry of close codes; RFC 9110, 15.6.4). A Retry-After is waited out, and then a pause of the usual
    /// length at most.
    std::optional<duration> lost(const connection_loss& loss, instant now) noexcept {
        if (open_since_ != instant::never() && now - open_since_ >= policy_.held) attempts_ = 0;
        open_since_ = instant::never();
        if (!may_reconnect(loss) || attempts_ >= policy_.attempts) return std::nullopt;
        const duration most = bound();
        ++attempts_;
        if (loss.retry_after) {
            const duration asked = larger(lesser(*loss.retry_after, policy_.longest_retry_after), duration{});
            return asked + between(duration{}, most);
        }
        const duration pause = between(half(most), most);
        if (loss.code == close_code::service_restart) return larger(pause, between(seconds(5), seconds(30)));
        if (loss.code == close_code::try_again_later || loss.status == 503 || loss.status == 429)
            return larger(pause, between(half(policy_.most), policy_.most));
        return pause;
    }
};

} // namespace navette
