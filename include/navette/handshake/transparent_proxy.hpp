// What a proxy that nobody configured does to an unencrypted opening handshake, and how that looks from the client: it
// knows no Upgrade, which is meant for one hop (RFC 9110, 7.6.1), or answers itself. A guess, for the words of an
// error.
#pragma once

#include <navette/base/config.hpp>
#include <navette/base/instant.hpp>
#include <navette/handshake/client_handshake.hpp>

#include <cstdint>
#include <string_view>

namespace navette {

/// Signs of somebody between a client and a server.
enum class interference : std::uint8_t {
    none,                ///< nothing points to anybody
    upgrade_stripped,    ///< the request or the 101 has lost its Upgrade or Connection field
    answered_by_proxy,   ///< the answer bears the marks of a proxy or a cache
    plain_answer,        ///< it is one to a request without Upgrade; there may as well be no WebSocket server
    cut,                 ///< the connection ended before an answer came
    cut_when_idle,       ///< an open connection ended in a silence, without a Close
};

/// What a failed opening handshake looks like. Always `none` for wss, which nobody on the way can read, and for a
/// handshake that did not fail.
interference find_interference(const uri& target, errc error, const response_view& answer) noexcept;
inline interference find_interference(const uri& target, const client_handshake& failed) noexcept {
    return find_interference(target, failed.error(), failed.response());
}

/// What the end of an open connection looks like: `cut_when_idle` if it was ws and ended by `errc::truncated` after a
/// silence of 20 seconds or more.
interference find_interference(const uri& target, errc ended_by, duration silence) noexcept;

/// One sentence that says what was seen and what helps, in static storage; empty for `none`.
std::string_view describe(interference seen) noexcept;

} // namespace navette

#if !defined(NAVETTE_SEPARATE_COMPILATION)
#  include <navette/handshake/transparent_proxy.ipp>
#endif
