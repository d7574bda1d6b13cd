// Close codes: why a connection ends (RFC 6455, 7.4 and 11.7), and who may put which of them on the wire.
// Which error sends which code stands in base/errc.hpp.
#pragma once

#include <navette/base/errc.hpp>
#include <navette/base/role.hpp>

#include <cstdint>
#include <string_view>

namespace navette {

/// The status code of a Close frame. Any value from 3000 to 4999 is a library's or an application's own (7.4.2).
enum class close_code : std::uint16_t {
    none                = 0,     ///< no connection has ended
    normal              = 1000,
    going_away          = 1001,
    protocol_error      = 1002,
    unsupported_data    = 1003,
    no_status_received  = 1005,  ///< never on the wire: the Close frame had no code
    abnormal_closure    = 1006,  ///< never on the wire: there was no Close frame
    invalid_payload     = 1007,
    policy_violation    = 1008,
    message_too_big     = 1009,
    mandatory_extension = 1010,  ///< a client misses an extension; a server does not send it
    internal_error      = 1011,
    service_restart     = 1012,
    try_again_later     = 1013,
    bad_gateway         = 1014,
    tls_handshake       = 1015,  ///< never on the wire: TLS failed
};

/// Whether a peer may send this code: 1000 to 1003, 1007 to 1014, 3000 to 4999 (RFC 6455, 7.4; the IANA registry).
constexpr bool is_receivable(close_code code) noexcept {
    const auto n = static_cast<std::uint16_t>(code);
    return (n >= 1000 && n <= 1003) || (n >= 1007 && n <= 1014) || (n >= 3000 && n <= 4999);
}

/// Whether an endpoint in role `r` may send this code: the same, but 1010 is for clients alone (RFC 6455, 7.4.1).
constexpr bool is_sendable(close_code code, role r) noexcept {
    return is_receivable(code) && !(code == close_code::mandatory_extension && r == role::server);
}

/// The code with which an endpoint fails the connection after `e` (RFC 6455, 7.1.7); abnormal_closure: no Close is sent.
constexpr close_code to_close_code(errc e) noexcept {
    return e == errc{} ? close_code::normal : static_cast<close_code>(facts(e).close_code);
}

/// What the code means, in the RFC's sense; "application code" from 3000 on, "reserved" for the rest.
constexpr std::string_view to_string(close_code code) noexcept {
    switch (code) {
    case close_code::none:                return "none";
    case close_code::normal:              return "normal closure";
    case close_code::going_away:          return "going away";
    case close_code::protocol_error:      return "protocol error";
    case close_code::unsupported_data:    return "unsupported data";
    case close_code::no_status_received:  return "no status received";
    case close_code::abnormal_closure:    return "abnormal closure";
    case close_code::invalid_payload:     return "invalid payload data";
    case close_code::policy_violation:    return "policy violation";
    case close_code::message_too_big:     return "message too big";
    case close_code::mandatory_extension: return "mandatory extension";
    case close_code::internal_error:      return "internal error";
    case close_code::service_restart:     return "service restart";
    case close_code::try_again_later:     return "try again later";
    case close_code::bad_gateway:         return "bad gateway";
    case close_code::tls_handshake:       return "TLS handshake failed";
    }
    const auto n = static_cast<std::uint16_t>(code);
    return n >= 3000 && n <= 4999 ? "application code" : "reserved";
}

static_assert([] {
    for (const error_facts& row : error_table)
        if (row.close_code != 1006 && !is_sendable(static_cast<close_code>(row.close_code), role::server)) return false;
    return true;
}(), "every close code of the error table may be sent by both roles");

} // namespace navette
