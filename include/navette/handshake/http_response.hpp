// Responses written to HTTP/1.1 (RFC 9112, 4 and 6). Says what a status is called and frames the body; which response
// it is to be is decided elsewhere.
#pragma once

#include <navette/base/buffer.hpp>
#include <navette/base/config.hpp>
#include <navette/base/errc.hpp>
#include <navette/handshake/http_fields.hpp>

#include <string_view>

namespace navette {

/// The phrase of a status, in static storage; empty for one that RFC 9110, 15 and RFC 6585 do not name.
std::string_view reason_phrase(unsigned status) noexcept;

/// Appends `response` to `out`. All but 101 carry Content-Length (204 and 304 none, and no body) and, unless the fields
/// have a Connection already, `Connection: close`: the transport ends behind them. On an error nothing is appended:
/// - `errc::invalid_status`: neither 101 nor from 200 to 599, or a body where there can be none
/// - `errc::invalid_field`: a field or the phrase has a forbidden character
/// - `errc::reserved_field`: the fields have Content-Length or Transfer-Encoding
/// - `errc::out_of_memory`
[[nodiscard]] errc append_http1(const response_view& response, buffer& out) noexcept;

} // namespace navette

#if !defined(NAVETTE_SEPARATE_COMPILATION)
#  include <navette/handshake/http_response.ipp>
#endif
