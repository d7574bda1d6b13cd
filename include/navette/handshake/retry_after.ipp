// The bodies of retry_after.hpp.
#pragma once

#include <navette/handshake/retry_after.hpp>

namespace navette {

namespace detail {

// Takes a date apart from its front. Whatever does not fit makes it fail for good.
class date_reader {
    std::string_view rest_;
    bool             failed_ = false;

    static constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    static constexpr std::string_view days[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                "Friday", "Saturday", "Sunday"};

public:
    std::int64_t year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;

    explicit date_reader(std::string_view text) noexcept : rest_(text) {}

    bool is_done() const noexcept { return !failed_ && rest_.empty(); }

    void literal(std::string_view expected) noexcept {
        if (!rest_.starts_with(expected)) failed_ = true;
        else rest_.remove_prefix(expected.size());
    }

    void weekday(bool in_full) noexcept {
        for (const std::string_view name : days)
            if (const auto form = in_full ? name : name.substr(0, 3); rest_.starts_with(form)) return literal(form);
        failed_ = true;
    }

    void month_name() noexcept {
        const std::size_t at = rest_.size() < 3 ? std::string_view::npos : months.find(rest_.substr(0, 3));
        if (at == std::string_view::npos || at % 3 != 0) {
            failed_ = true;
            return;
        }
        month = static_cast<std::int64_t>(at) / 3 + 1;
        rest_.remove_prefix(3);
    }

    void number(std::size_t size, std::int64_t& value, std::int64_t least, std::int64_t most) noexcept {
        value = 0;
        for (std::size_t i = 0; i < size; ++i) {
            const char digit = rest_.empty() ? '\0' : rest_.front();
            if (digit < '0' || digit > '9') {
                failed_ = true;
                return;
            }
            value = value * 10 + (digit - '0');
            rest_.remove_prefix(1);
        }
        if (value < least || value > most) failed_ = true;
    }

    // Of asctime: a day below 10 has a space before it.
    void padded_day() noexcept {
        const bool is_short = rest_.starts_with(' ');
        if (is_short) literal(" ");
        number(is_short ? 1 : 2, day, 1, 31);
    }

    void time() noexcept {
        number(2, hour, 0, 23);
        literal(":");
        number(2, minute, 0, 59);
        literal(":");
        number(2, second, 0, 60);   // 60: a leap second
    }

    // Seconds since 1970, in the calendar that has always been Gregorian: days are counted in years that begin in
    // March.
    std::optional<std::int64_t> since_1970() const noexcept {
        constexpr std::int64_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        const bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        if (year < 1970 || day > lengths[month - 1] + (month == 2 && is_leap)) return std::nullopt;
        const std::int64_t from_march = (month + 9) % 12;
        const std::int64_t y          = year - (month <= 2);
        const std::int64_t before     = y * 365 + y / 4 - y / 100 + y / 400;   // days of whole years
        const std::int64_t count      = before + (from_march * 153 + 2) / 5 + day - 1 - 719'468;
        return ((count * 24 + hour) * 60 + minute) * 60 + second;
    }
};

// The year with these two last digits that is at most 50 years after `now` (RFC 9110, 5.6.7).
inline std::int64_t year_near(std::int64_t two_digits, std::int64_t now) noexcept {
    const std::int64_t this_year = 1970 + now / 31'556'952;   // of 365.2425 days
    std::int64_t       year      = this_year - this_year % 100 + 100 + two_digits;
    while (year > this_year + 50) year -= 100;
    return year;
}

} // namespace detail

NAVETTE_INLINE std::optional<std::int64_t> parse_http_date(std::string_view text, std::int64_t now) noexcept {
    detail::date_reader fixed(text);   // Sun, 06 Nov 1994 08:49:37 GMT
    fixed.weekday(false);
    fixed.literal(", ");
    fixed.number(2, fixed.day, 1, 31);
    fixed.literal(" ");
    fixed.month_name();
    fixed.literal(" ");
    fixed.number(4, fixed.year, 0, 9999);
    fixed.literal(" ");
    fixed.time();
    fixed.literal(" GMT");
    if (fixed.is_done()) return fixed.since_1970();

    detail::date_reader dashed(text);   // Sunday, 06-Nov-94 08:49:37 GMT
    dashed.weekday(true);
    dashed.literal(", ");
    dashed.number(2, dashed.day, 1, 31);
    dashed.literal("-");
    dashed.month_name();
    dashed.literal("-");
    dashed.number(2, dashed.year, 0, 99);
    dashed.literal(" ");
    dashed.time();
    dashed.literal(" GMT");
    if (dashed.is_done()) {
        dashed.year = detail::year_near(dashed.year, now);
        return dashed.since_1970();
    }

    detail::date_reader plain(text);   // Sun Nov  6 08:49:37 1994
    plain.weekday(false);
    plain.literal(" ");
    plain.month_name();
    plain.literal(" ");
    plain.padded_day();
    plain.literal(" ");
    plain.time();
    plain.literal(" ");
    plain.number(4, plain.year, 0, 9999);
    return plain.is_done() ? plain.since_1970() : std::nullopt;
}

NAVETTE_INLINE std::optional<duration> read_retry_after(const http_fields& answer, std::int64_t now) noexcept {
    if (answer.count("Retry-After") != 1) return std::nullopt;
    const std::string_view value = *answer.find("Retry-After");
    if (!value.empty() && value.find_first_not_of("0123456789") == std::string_view::npos) {
        std::int64_t asked = 0;
        for (const char digit : value)
            asked = detail::saturating_add(detail::saturating_multiply(asked, 10), digit - '0');
        return seconds(asked);
    }
    const auto until = parse_http_date(value, now);
    if (!until) return std::nullopt;
    const auto said = answer.find("Date");
    const auto date = said ? parse_http_date(*said, now) : std::nullopt;
    const auto from = date ? *date : now;
    return seconds(*until > from ? *until - from : 0);
}

} // namespace navette
