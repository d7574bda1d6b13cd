// Points in time and durations as counts of nanoseconds, made from any clock's without including <chrono>.
// The core reads no clock: whoever calls it hands the time in.
#pragma once

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

/// A length of time in nanoseconds; any std::chrono::duration converts to it. Values are signed.
struct duration {
    std::int64_t nanoseconds = 0;

    constexpr duration() noexcept = default;
    constexpr explicit duration(std::int64_t ns) noexcept : nanoseconds(ns) {}

    template <chrono_duration D>
    constexpr duration(const D& d) noexcept
        : nanoseconds(static_cast<std::int64_t>(d.count() * (std::int64_t{1'000'000'000} / D::period::den) * D::period::num)) {
        static_assert(1'000'000'000 % D::period::den == 0, "a period that nanoseconds can express");
    }

    friend constexpr auto operator<=>(const duration&, const duration&) noexcept = default;
    friend constexpr duration operator+(duration a, duration b) noexcept { return duration(a.nanoseconds + b.nanoseconds); }
    friend constexpr duration operator-(duration a, duration b) noexcept { return duration(a.nanoseconds - b.nanoseconds); }
};

constexpr duration seconds(std::int64_t n) noexcept { return duration(n * 1'000'000'000); }
constexpr duration milliseconds(std::int64_t n) noexcept { return duration(n * 1'000'000); }

/// The duration in whole milliseconds, rounded up, as poll and its kin want it.
constexpr std::int64_t to_milliseconds(duration d) noexcept { return (d.nanoseconds + 999'999) / 1'000'000; }

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
    friend constexpr duration operator-(instant a, instant b) noexcept { return duration(a.nanoseconds - b.nanoseconds); }

    /// Saturates at never().
    friend constexpr instant operator+(instant t, duration d) noexcept {
        if (d.nanoseconds > 0 && t.nanoseconds > never().nanoseconds - d.nanoseconds) return never();
        return instant(t.nanoseconds + d.nanoseconds);
    }
};

} // namespace navette
