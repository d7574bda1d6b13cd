// std::error_code for navette's errors, and conditions by blame. Here the operating system's errors join: they pass
// through io_result untouched. The table of what is known of each error is base/errc.hpp.
#pragma once

#include <navette/base/bytes.hpp>
#include <navette/base/config.hpp>
#include <navette/base/errc.hpp>
#include <navette/base/result.hpp>

#include <string>
#include <string_view>
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

/// One sentence on `why`: its message, which for navette's own says the rule and its clause, and the bytes that broke it, if
/// there are any: as text, or in hexadecimal if they are part of a frame. No more than 120 bytes of text are shown; what is
/// not printable, and `"` and `\`, is escaped. For `broken_by` see `event::payload`, `protocol_core::broken_by`,
/// `handshake_report`, and `broken_by` of client_handshake and server_handshake.
///
///     a frame has an opcode that is reserved (RFC 6455, 5.2): 83 05
///     the server's Upgrade field is not websocket (RFC 6455, 4.1): "h2c"
///     the peer sent HTTP after 101 (RFC 6455, 5): "HTTP/1.1 400 B"
std::string explanation(std::error_code why, const_byte_span broken_by = {});
inline std::string explanation(std::error_code why, std::string_view broken_by) { return explanation(why, as_bytes(broken_by)); }

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
