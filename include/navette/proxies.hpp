// The contents list of what leads a client to its server by detours, proxies and redirections, and back to it after a loss,
// beside that of navette.hpp: also of floors 1 and 4 to 6, and of the standard library alone. Whoever connects without them
// is spared its cost.
#pragma once

#include <navette/codec/digest.hpp>                // MD5 and SHA-256, for Digest authentication alone
#include <navette/handshake/http_authentication.hpp> // challenges and credentials: Basic, Digest, Bearer
#include <navette/handshake/proxy.hpp>             // CONNECT and SOCKS5
#include <navette/handshake/proxy_choice.hpp>      // which proxy for which URI
#include <navette/handshake/transparent_proxy.hpp> // what one that nobody configured does
#include <navette/handshake/redirect.hpp>          // where a redirection leads
#include <navette/handshake/retry_after.hpp>       // when a server that refuses wants to be asked again
#include <navette/protocol/reconnect_delay.hpp>    // when a client that was cut off tries again
#include <navette/stream/engine_stack.hpp>         // one engine on another
#include <navette/stream/client_route.hpp>         // proxies and TLS on the way to a server, as engines
#include <navette/stream/client_journey.hpp>       // from one server to the next, as they redirect
#include <navette/stream/proxies_from_environment.hpp> // which proxies this process is told to use
#include <navette/stream/async_connect.hpp>        // all of it, and the opening handshake, in coroutines
