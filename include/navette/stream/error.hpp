// std::error_code for navette's errors, and conditions by blame. Here the operating system's errors join: they pass
// through io_result untouched. The table of what is known of each error is base/errc.hpp.
#pragma once

#include <navette/base/config.hpp>
#include <navette/base/errc.hpp>
#include <navette/base/result.hpp>

#include <system_error>

template <>
struct std::is_error_code_enum<navette::errc> : std::true_type {};
template <>
struct std::is_error_condition_enum<navette::blame> : std::true_type {};

namespace navette {

/// The category of every `errc`, named "navette". The message is the error's sentence and its clause; the default
/// condition is whose fault it is.
const std::error_category& error_category() noexcept;

inline std::error_code make_error_code(errc e) noexcept { return {static_cast<int>(e), error_category()}; }

/// Makes `error == blame::protocol_violation` ask whose fault an error is. Conditions count from 1, so that none of
/// them is taken for success.
std::error_condition make_error_condition(blame b) noexcept;

/// A value, or an error of navette's, of the operating system's or of a stream's own category.
///
///     if (auto message = ws.read()) use(message->text());
///     else if (message.error() != navette::errc::closed) log(message.error().message());
template <class T>
using io_result = basic_result<T, std::error_code>;

} // namespace navette

#if !defined(NAVETTE_SEPARATE_COMPILATION)
#  include <navette/stream/error.ipp>
#endif
