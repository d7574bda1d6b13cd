// The two ends of a WebSocket connection (RFC 6455, 1.2).
// They differ in who masks (5.1), who asks (4.1) and who ends the transport first (7.1.1).
#pragma once

#include <cstdint>

namespace navette {

/// Which end of the connection this side is: the client masks what it sends, the server does not (RFC 6455, 5.1).
enum class role : std::uint8_t { client, server };

/// The role of the peer.
constexpr role opposite(role r) noexcept { return r == role::client ? role::server : role::client; }

} // namespace navette
