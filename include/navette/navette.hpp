// navette: the WebSocket protocol (RFC 6455) for programs that have sockets already. The contents list of floors 0 to 6,
// each of which stands on those before it; it needs the standard library alone. The adapters are not in it: include
// <navette/tcp.hpp> beside it for the sockets of the operating system.
#pragma once

#include <navette/version.hpp>

// base: what everything stands on
#include <navette/base/config.hpp>        // how bodies that are not templates are compiled
#include <navette/base/role.hpp>          // client or server
#include <navette/base/errc.hpp>          // every error, and all that is known of it
#include <navette/base/result.hpp>        // a value or an error
#include <navette/base/bytes.hpp>         // views of bytes and text
#include <navette/base/buffer.hpp>        // a queue of bytes, growing or fixed
#include <navette/base/buffer_pool.hpp>   // buffers kept for reuse
#include <navette/base/limits.hpp>        // every number that a peer can push against
#include <navette/base/instant.hpp>       // points in time, without a clock
#include <navette/base/timeouts.hpp>      // every deadline

// codec: algorithms on bytes
#include <navette/codec/mask.hpp>         // the XOR on a client's payloads
#include <navette/codec/utf8.hpp>         // UTF-8 checked as it comes
#include <navette/codec/sha1.hpp>         // for Sec-WebSocket-Accept
#include <navette/codec/base64.hpp>       // for keys
#include <navette/codec/entropy.hpp>      // where unpredictable bytes come from
#include <navette/codec/http_grammar.hpp> // tokens, lists, quoted strings

// extension: grammar, negotiation, and the table of a codec
#include <navette/extension/extension_offer.hpp>
#include <navette/extension/message_codec.hpp>
#include <navette/extension/extension_factory.hpp>
#include <navette/extension/agreement.hpp> // what the handshake agreed and the protocol needs to know

// stream: input and output
#include <navette/stream/error.hpp>            // std::error_code
#include <navette/stream/stream.hpp>           // what a transport must be able to do
#include <navette/stream/transport_engine.hpp> // a transformation of the byte stream, TLS for one
