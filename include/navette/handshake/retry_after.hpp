// When a server that refuses wants to be asked again: Retry-After, and the dates of HTTP in their three forms (RFC
// 9110, 10.2.3 and 5.6.7). Reads no clock.
#pragma once

#include <navette/base/config.hpp>
#include <navette/base/instant.hpp>
#include <navette/handshake/http_fields.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace navette {

/// The seconds since 1970 of a date as HTTP writes it, from 1970 to 9999. `now`, in the same seconds, tells the century
/// of one with two digits: at most 50 years ahead. Whether the day of the week fits is not asked.
std::optional<std::int64_t> parse_http_date(std::string_view text, std::int64_t now) noexcept;

/// How long an answer asks to wait: a number of seconds, or until a date, counted from the answer's own Date if it has
/// one and else from `now`, in seconds since 1970. Nothing if it does not say, twice, or not in a form that can be
/// read.
std::optional<duration> read_retry_after(const http_fields& answer, std::int64_t now) noexcept;

} // namespace navette

#if !defined(NAVETTE_SEPARATE_COMPILATION)
#  include <navette/handshake/retry_after.ipp>
#endif
