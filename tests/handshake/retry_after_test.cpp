#include <navette/handshake/retry_after.hpp>

#include "support/bytes.hpp"

#include <string>

using namespace navette;

namespace {

constexpr std::int64_t in_1994 = 784'111'777;     // Sun, 06 Nov 1994 08:49:37 GMT
constexpr std::int64_t in_2026 = 1'795'462'200;   // Mon, 23 Nov 2026 19:30:00 GMT

std::optional<std::int64_t> date(std::string_view text, std::int64_t now = in_2026) { return parse_http_date(text, now); }

std::optional<duration> asked(std::vector<http_field> fields, std::int64_t now = in_2026) { return read_retry_after(fields, now); }

} // namespace

TEST_CASE("dates are read in their three forms", "[retry_after][9110:5.6.7][client]") {
    CHECK(date("Sun, 06 Nov 1994 08:49:37 GMT") == in_1994);
    CHECK(date("Sunday, 06-Nov-94 08:49:37 GMT") == in_1994);
    CHECK(date("Sun Nov  6 08:49:37 1994") == in_1994);
    CHECK(date("Wed Nov 16 08:49:37 1994") == in_1994 + 10 * 86'400);
    CHECK(date("Mon, 23 Nov 2026 19:30:00 GMT") == in_2026);
    CHECK(date("Thu, 01 Jan 1970 00:00:00 GMT") == 0);
    CHECK(date("Fri, 31 Dec 9999 23:59:59 GMT") == 253'402'300'799);
}

TEST_CASE("the calendar has its leap years", "[retry_after][client]") {
    CHECK(date("Tue, 29 Feb 2000 00:00:00 GMT") == 951'782'400);
    CHECK(date("Wed, 01 Mar 2000 00:00:00 GMT") == 951'868'800);
    CHECK(date("Thu, 29 Feb 2024 12:00:00 GMT") == 1'709'208'000);
    CHECK_FALSE(date("Sun, 29 Feb 2026 00:00:00 GMT"));
    CHECK_FALSE(date("Mon, 29 Feb 2100 00:00:00 GMT"));
    CHECK_FALSE(date("Mon, 31 Apr 2026 00:00:00 GMT"));
    for (std::int64_t day = 0; day < 366 * 60; ++day) {   // day by day from one date to the next
        static constexpr int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        static constexpr const char* names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
        std::int64_t left = day;
        int          year = 1970, month = 0;
        for (;; ++year) {
            const int length = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 366 : 365;
            if (left < length) break;
            left -= length;
        }
        for (;; ++month) {
            const int length = lengths[month] + (month == 1 && year % 4 == 0 ? 1 : 0);
            if (left < length) break;
            left -= length;
        }
        std::string text = "Mon, ";
        text += (left < 9 ? "0" : "") + std::to_string(left + 1) + " " + names[month] + " " + std::to_string(year) + " 00:00:00 GMT";
        if (date(text) != day * 86'400) FAIL(text);
    }
}

TEST_CASE("a year of two digits is at most 50 years ahead", "[retry_after][9110:5.6.7][client]") {
    CHECK(date("Monday, 23-Nov-26 19:30:00 GMT") == in_2026);
    CHECK(date("Monday, 01-Jan-76 00:00:00 GMT") == 3'345'062'400);   // 2076
    CHECK(date("Monday, 01-Jan-77 00:00:00 GMT") == 220'924'800);     // 1977
}

TEST_CASE("what is no date is none", "[retry_after][9110:5.6.7][client]") {
    for (const std::string_view text :
         {"", "Sun", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 6 Nov 1994 08:49:37 GMT",
          "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
          "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
          "Sun, 06 anF 1994 08:49:37 GMT", "Son, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT ",
          "Thu, 31 Dec 1969 23:59:59 GMT", "Sun Nov 6 08:49:37 1994", "Sun Nov  0 08:49:37 1994", "06 Nov 1994 08:49:37 GMT"}) {
        CAPTURE(text);
        CHECK_FALSE(date(text));
    }
    CHECK(date("Sat, 31 Dec 2016 23:59:60 GMT") == 1'483'228'800);   // a leap second is the next
}

TEST_CASE("every prefix of a date, and every byte changed to a NUL, is none", "[retry_after][client]") {
    const std::string whole[] = {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"};
    for (const std::string& text : whole)
        for (std::size_t i = 0; i < text.size(); ++i) {
            CHECK_FALSE(date(text.substr(0, i)));
            std::string broken = text;
            broken[i]          = '\0';
            CHECK_FALSE(date(broken));
        }
}

TEST_CASE("Retry-After is a number of seconds", "[retry_after][9110:10.2.3][client]") {
    CHECK(asked({{"Retry-After", "120"}}) == seconds(120));
    CHECK(asked({{"retry-after", "0"}}) == seconds(0));
    CHECK(asked({{"Retry-After", "99999999999999999999999999"}}) == duration(INT64_MAX));
}

TEST_CASE("or a date, counted from the answer's own, or from now", "[retry_after][9110:10.2.3][client]") {
    CHECK(asked({{"Retry-After", "Mon, 23 Nov 2026 19:31:00 GMT"}}) == seconds(60));
    CHECK(asked({{"Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT"}}) == seconds(0));
    CHECK(asked({{"Date", "Sun, 06 Nov 1994 08:49:37 GMT"}, {"Retry-After", "Sun, 06 Nov 1994 08:50:37 GMT"}}) == seconds(60));
    CHECK(asked({{"Date", "yesterday"}, {"Retry-After", "Mon, 23 Nov 2026 19:31:00 GMT"}}) == seconds(60));
}

TEST_CASE("a Retry-After that is missing, twice there or malformed asks for nothing", "[retry_after][9110:10.2.3][client]") {
    CHECK_FALSE(asked({}));
    CHECK_FALSE(asked({{"Retry-After", "1"}, {"Retry-After", "2"}}));
    for (const std::string_view value : {"", "-1", "+1", "1.5", "1s", "1, 2", "soon"}) CHECK_FALSE(asked({{"Retry-After", value}}));
}
