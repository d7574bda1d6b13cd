// Where a server's redirection leads (RFC 9110, 10.2.2 and 15.4), and which fields of a request may go there, too.
// RFC 6455, 4.1 lets a client follow one; whether it does, and how often, its caller decides.
#pragma once

#include <navette/base/buffer.hpp>
#include <navette/base/config.hpp>
#include <navette/base/result.hpp>
#include <navette/handshake/http_fields.hpp>
#include <navette/handshake/uri.hpp>

#include <string_view>

namespace navette {

/// 301, 302, 303, 307 or 308.
constexpr bool is_redirect(unsigned status) noexcept {
    return (status >= 301 && status <= 303) || status == 307 || status == 308;
}

/// Where the answer of the server at `from` leads: its Location, absolute or relative (RFC 3986, 5.2), http and https taken
/// for ws and wss; a fragment does not count. The URI lives in `storage`, which is emptied, and must not be `from`'s.
///
/// `errc::bad_redirect`: there is no Location or there are two, or it is no URI that can be connected to;
/// `errc::insecure_redirect`: from wss to ws; `errc::out_of_memory`.
result<uri> read_redirect(const uri& from, const response_view& answer, buffer& storage) noexcept;

/// Whether both have one scheme, host and port: then one may be sent what is meant for the other (RFC 6454, 5).
bool is_same_origin(const uri& a, const uri& b) noexcept;

/// Whether a field of a request is meant for its server alone, and must not go to another origin: Authorization, Cookie and
/// Proxy-Authorization.
constexpr bool is_credential(std::string_view name) noexcept {
    return iequals(name, "Authorization") || iequals(name, "Cookie") || iequals(name, "Cookie2") ||
           iequals(name, "Proxy-Authorization");
}

} // namespace navette

#if !defined(NAVETTE_SEPARATE_COMPILATION)
#  include <navette/handshake/redirect.ipp>
#endif
