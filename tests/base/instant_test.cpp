#include <navette/base/instant.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cstdint>
#include <limits>
#include <ratio>
#include <type_traits>

using namespace navette;

namespace {

constexpr std::int64_t largest  = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t smallest = std::numeric_limits<std::int64_t>::min();

// With a namespace of its own, since `duration` is both navette's and chrono's.
navette::duration from(auto d) { return d; }

} // namespace

// A bare number says no unit; a chrono type says it.
static_assert(!std::is_convertible_v<std::int64_t, navette::duration> && !std::is_convertible_v<std::int64_t, instant>);
static_assert(std::is_nothrow_convertible_v<std::chrono::milliseconds, navette::duration>);
static_assert(std::is_nothrow_convertible_v<std::chrono::steady_clock::time_point, instant>);
static_assert(!std::is_convertible_v<std::chrono::milliseconds, instant>);
static_assert(!std::is_convertible_v<std::chrono::steady_clock::time_point, navette::duration>);
static_assert(navette::duration(std::chrono::seconds(3)) == navette::seconds(3));

// In a constant expression no conversion may leave what its type holds.
static_assert(navette::duration(std::chrono::duration<double>(1e10)).nanoseconds == largest);
static_assert(navette::duration(std::chrono::duration<double>(-1e10)).nanoseconds == smallest);
static_assert(navette::duration(std::chrono::hours::max()).nanoseconds == largest);
static_assert(navette::duration(std::chrono::hours::min()).nanoseconds == smallest);

TEST_CASE("durations of every period become nanoseconds", "[instant]") {
    CHECK(from(std::chrono::nanoseconds(-5)).nanoseconds == -5);
    CHECK(from(std::chrono::microseconds(7)).nanoseconds == 7'000);
    CHECK(from(std::chrono::milliseconds(7)).nanoseconds == 7'000'000);
    CHECK(from(std::chrono::seconds(7)).nanoseconds == 7'000'000'000);
    CHECK(from(std::chrono::minutes(2)).nanoseconds == 120'000'000'000);
    CHECK(from(std::chrono::hours(2)).nanoseconds == 7'200'000'000'000);
    CHECK(from(std::chrono::days(1)).nanoseconds == 86'400'000'000'000);
    CHECK(from(std::chrono::duration<int, std::ratio<1, 50>>(3)).nanoseconds == 60'000'000);
    CHECK(from(std::chrono::duration<short, std::ratio<3, 2>>(2)).nanoseconds == 3'000'000'000);
    CHECK(from(std::chrono::duration<unsigned, std::milli>(4'000'000'000u)).nanoseconds == 4'000'000'000'000'000);
}

TEST_CASE("durations that are fractions are rounded towards zero", "[instant]") {
    CHECK(from(std::chrono::duration<double>(1.5)).nanoseconds == 1'500'000'000);
    CHECK(from(std::chrono::duration<float, std::milli>(-0.25f)).nanoseconds == -250'000);
    CHECK(from(std::chrono::duration<double, std::nano>(1.9)).nanoseconds == 1);
    CHECK(from(std::chrono::duration<double, std::nano>(-1.9)).nanoseconds == -1);
}

TEST_CASE("a duration that nanoseconds cannot hold becomes the nearest they can", "[instant]") {
    CHECK(from(std::chrono::nanoseconds::max()).nanoseconds == largest);
    CHECK(from(std::chrono::nanoseconds::min()).nanoseconds == smallest);
    CHECK(from(std::chrono::microseconds::max()).nanoseconds == largest);
    CHECK(from(std::chrono::microseconds::min()).nanoseconds == smallest);
    CHECK(from(std::chrono::seconds(9'223'372'036)).nanoseconds == 9'223'372'036'000'000'000);
    CHECK(from(std::chrono::seconds(9'223'372'037)).nanoseconds == largest);
    CHECK(from(std::chrono::seconds(-9'223'372'036)).nanoseconds == -9'223'372'036'000'000'000);
    CHECK(from(std::chrono::seconds(-9'223'372'037)).nanoseconds == smallest);
    CHECK(from(std::chrono::duration<std::uint64_t, std::nano>(~std::uint64_t{0})).nanoseconds == largest);
    CHECK(from(std::chrono::duration<std::uint64_t>(9'223'372'036)).nanoseconds == 9'223'372'036'000'000'000);
    CHECK(from(std::chrono::duration<std::uint64_t>(9'223'372'037)).nanoseconds == largest);
    CHECK(from(std::chrono::duration<double>(1e10)).nanoseconds == largest);
    CHECK(from(std::chrono::duration<double>(-1e10)).nanoseconds == smallest);
    CHECK(from(std::chrono::duration<double, std::nano>(0x1p63)).nanoseconds == largest);
    CHECK(from(std::chrono::duration<double, std::nano>(-0x1p63)).nanoseconds == smallest);
    CHECK(from(std::chrono::duration<double>(std::numeric_limits<double>::infinity())).nanoseconds == largest);
    CHECK(from(std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN())).nanoseconds == largest);
}

TEST_CASE("seconds and milliseconds are what they say, and end at the largest", "[instant]") {
    CHECK(seconds(20).nanoseconds == 20'000'000'000);
    CHECK(seconds(-1).nanoseconds == -1'000'000'000);
    CHECK(seconds(largest).nanoseconds == largest);
    CHECK(seconds(smallest).nanoseconds == smallest);
    CHECK(milliseconds(20).nanoseconds == 20'000'000);
    CHECK(milliseconds(largest).nanoseconds == largest);
    CHECK(milliseconds(smallest).nanoseconds == smallest);
}

TEST_CASE("whole milliseconds are rounded up, so that a wait is never too short", "[instant]") {
    CHECK(to_milliseconds(navette::duration(0)) == 0);
    CHECK(to_milliseconds(navette::duration(1)) == 1);
    CHECK(to_milliseconds(navette::duration(999'999)) == 1);
    CHECK(to_milliseconds(navette::duration(1'000'000)) == 1);
    CHECK(to_milliseconds(navette::duration(1'000'001)) == 2);
    CHECK(to_milliseconds(navette::duration(-1)) == 0);
    CHECK(to_milliseconds(navette::duration(-1'000'000)) == -1);
    CHECK(to_milliseconds(navette::duration(-1'000'001)) == -1);
    CHECK(to_milliseconds(navette::duration(largest)) == 9'223'372'036'855);
    CHECK(to_milliseconds(navette::duration(smallest)) == -9'223'372'036'854);
}

TEST_CASE("points of any clock become instants with the clock's epoch", "[instant]") {
    using std::chrono::milliseconds;
    CHECK(instant(std::chrono::steady_clock::time_point(milliseconds(3))) == instant(3'000'000));
    CHECK(instant(std::chrono::system_clock::time_point(milliseconds(3))) == instant(3'000'000));
    CHECK(instant(std::chrono::time_point<std::chrono::system_clock, std::chrono::seconds>(std::chrono::seconds(3))) ==
          instant(3'000'000'000));
    CHECK(instant(std::chrono::steady_clock::time_point::max()) == instant::never());
}

TEST_CASE("instants and durations are ordered by their nanoseconds", "[instant]") {
    CHECK(instant(1) < instant(2));
    CHECK(instant(-1) < instant());
    CHECK(instant(largest - 1) < instant::never());
    CHECK(navette::duration(1) < seconds(1));
    CHECK(seconds(1) == milliseconds(1'000));
    CHECK(seconds(1) != milliseconds(1'001));
}

TEST_CASE("instants and durations add and subtract", "[instant]") {
    CHECK(instant(5) + navette::duration(3) == instant(8));
    CHECK(instant(5) + navette::duration(-8) == instant(-3));
    CHECK(instant(5) - instant(8) == navette::duration(-3));
    CHECK(seconds(2) + milliseconds(1) == milliseconds(2'001));
    CHECK(seconds(2) - milliseconds(1) == milliseconds(1'999));
}

TEST_CASE("a deadline beyond the end of time is never", "[instant]") {
    CHECK(instant(10) + navette::duration(largest) == instant::never());
    CHECK(instant(largest - 5) + navette::duration(5) == instant::never());
    CHECK(instant(largest - 5) + navette::duration(4) == instant(largest - 1));
    CHECK(instant(largest - 5) + navette::duration(6) == instant::never());
    CHECK(instant::never() + navette::duration(1) == instant::never());
    CHECK(instant(-1) + navette::duration(largest) == instant(largest - 1));
}

TEST_CASE("sums and differences end at the largest and the smallest value", "[instant]") {
    CHECK(instant(smallest + 1) + navette::duration(-1) == instant(smallest));
    CHECK(instant(smallest + 1) + navette::duration(-2) == instant(smallest));
    CHECK(instant::never() - instant(-1) == navette::duration(largest));
    CHECK(instant::never() - instant(0) == navette::duration(largest));
    CHECK(instant::never() - instant(1) == navette::duration(largest - 1));
    CHECK(instant(-1) - instant(smallest) == navette::duration(largest));
    CHECK(instant(0) - instant(smallest) == navette::duration(largest));
    CHECK(instant(-2) - instant::never() == navette::duration(smallest));
    CHECK(instant(-1) - instant::never() == navette::duration(smallest));
    CHECK(instant(0) - instant::never() == navette::duration(smallest + 1));
    CHECK(navette::duration(largest) + navette::duration(largest) == navette::duration(largest));
    CHECK(navette::duration(smallest) + navette::duration(smallest) == navette::duration(smallest));
    CHECK(navette::duration(smallest) - navette::duration(1) == navette::duration(smallest));
    CHECK(navette::duration(largest) - navette::duration(-1) == navette::duration(largest));
}
