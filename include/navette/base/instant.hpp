// Points in time and durations as counts of nanoseconds, made from any clock's without including <chrono>.
// The core reads no clock: whoever calls it hands the time in. What would overflow ends at the largest or smallest value.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>

namespace navette {

template <class Duration>
concept chrono_duration = requires(const Duration& d) {
    d.count();
    Duration::period::num;
    Duration::period::den;
};

template <class TimePoint>
concept chrono_time_point = requires(const TimePoint& t) { requires chrono_duration<decltype(t.time_since_epoch())>; };

namespace detail {

constexpr std::int64_t saturating_add(std::int64_t a, std::int64_t b) noexcept {
    using all = std::numeric_limits<std::int64_t>;
    if (b > 0 && a > all::max() - b) return all::max();
    if (b < 0 && a < all::min() - b) return all::min();
    return a + b;
}

constexpr std::int64_t saturating_subtract(std::int64_t a, std::int64_t b) noexcept {
    using all = std::numeric_limits<std::int64_t>;
    if (b < 0 && a > all::max() + b) return all::max();
    if (b > 0 && a < all::min() + b) return all::min();
    return a - b;
}

// `n` is of any integer type, unsigned ones too; `factor` is positive.
template <class Integer>
constexpr std::int64_t saturating_multiply(Integer n, std::int64_t factor) noexcept {
    using all = std::numeric_limits<std::int64_t>;
    if (n > 0 && static_cast<std::uint64_t>(n) > static_cast<std::uint64_t>(all::max() / factor)) return all::max();
    if (n < 0 && static_cast<std::int64_t>(n) < all::min() / factor) return all::min();
    return static_cast<std::int64_t>(n) * factor;
}

constexpr std::int64_t saturating_round(double n) noexcept {
    using all = std::numeric_limits<std::int64_t>;
    if (!(n < 0x1p63)) return all::max();
    if (n < -0x1p63) return all::min();
    return static_cast<std::int64_t>(n);
}

} // namespace detail

/// A length of time in nanoseconds; any std::chrono::duration converts to it, rounded towards zero. Values are signed.
struct duration {
    std::int64_t nanoseconds = 0;

    constexpr duration() noexcept = default;
    constexpr explicit duration(std::int64_t ns) noexcept : nanoseconds(ns) {}

    template <chrono_duration D>
    constexpr duration(const D& d) noexcept {
        static_assert(1'000'000'000 % D::period::den == 0, "a period that nanoseconds can express");
        constexpr std::int64_t factor = 1'000'000'000 / D::period::den * D::period::num;
        if constexpr (requires { d.count() % 1; })
            nanoseconds = detail::saturating_multiply(d.count(), factor);
        else
            nanoseconds = detail::saturating_round(static_cast<double>(d.count()) * static_cast<double>(factor));
    }

    friend constexpr auto operator<=>(const duration&, const duration&) noexcept = default;
    friend constexpr duration operator+(duration a, duration b) noexcept {
        return duration(detail::saturating_add(a.nanoseconds, b.nanoseconds));
    }
    friend constexpr duration operator-(duration a, duration b) noexcept {
        return duration(detail::saturating_subtract(a.nanoseconds, b.nanoseconds));
    }
};

constexpr duration seconds(std::int64_t n) noexcept { return duration(detail::saturating_multiply(n, 1'000'000'000)); }
constexpr duration milliseconds(std::int64_t n) noexcept { return duration(detail::saturating_multiply(n, 1'000'000)); }

/// The duration in whole milliseconds, rounded up, as poll and its kin want it.
constexpr std::int64_t to_milliseconds(duration d) noexcept {
    return d.nanoseconds / 1'000'000 + (d.nanoseconds % 1'000'000 > 0);
}

/// A point in time: nanoseconds since whatever epoch the caller's clock has. Any std::chrono::time_point converts to it.
struct instant {
    std::int64_t nanoseconds = 0;

    constexpr instant() noexcept = default;
    constexpr explicit instant(std::int64_t ns) noexcept : nanoseconds(ns) {}

    template <chrono_time_point T>
    constexpr instant(const T& t) noexcept : nanoseconds(duration(t.time_since_epoch()).nanoseconds) {}

    /// Later than every other instant: a deadline that never comes.
    static constexpr instant never() noexcept { return instant(std::numeric_limits<std::int64_t>::max()); }

    friend constexpr auto operator<=>(const instant&, const instant&) noexcept = default;
    friend constexpr duration operator-(instant a, instant b) noexcept {
        return duration(detail::saturating_subtract(a.nanoseconds, b.nanoseconds));
    }

    /// Saturates at never().
    friend constexpr instant operator+(instant t, duration d) noexcept {
        return instant(detail::saturating_add(t.nanoseconds, d.nanoseconds));
    }
};

} // namespace navette
