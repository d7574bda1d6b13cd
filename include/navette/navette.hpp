// navette: the WebSocket protocol (RFC 6455) for programs that have sockets already. This is the contents list of floors
// 0 to 6, each of which stands on those before it and needs the standard library alone. The adapters are not in it: for
// the sockets of the operating system include <navette/tcp.hpp> as well; nor is what a client behind a proxy needs, which
// <navette/proxies.hpp> lists.
#pragma once

#include <navette/version.hpp>

// base: what everything stands on
#include <navette/base/config.hpp>                 // how bodies that are not templates are compiled
#include <navette/base/role.hpp>                   // client or server
#include <navette/base/errc.hpp>                   // every error, and all that is known of it
#include <navette/base/result.hpp>                 // a value or an error
#include <navette/base/bytes.hpp>                  // views of bytes and text
#include <navette/base/buffer.hpp>                 // a queue of bytes, growing or fixed
#include <navette/base/buffer_pool.hpp>            // buffers kept for reuse
#include <navette/base/limits.hpp>                 // every number that a peer can push against
#include <navette/base/instant.hpp>                // points in time, without a clock
#include <navette/base/timeouts.hpp>               // every deadline

// codec: algorithms on bytes and text
#include <navette/codec/vector.hpp>                // which instructions the others use
#include <navette/codec/mask.hpp>                  // the XOR on a client's payloads
#include <navette/codec/utf8.hpp>                  // UTF-8, checked as it comes
#include <navette/codec/sha1.hpp>                  // for Sec-WebSocket-Accept alone
#include <navette/codec/base64.hpp>                // for the same
#include <navette/codec/entropy.hpp>               // where unpredictable bytes come from
#include <navette/codec/http_grammar.hpp>          // tokens, lists, quoted strings
#include <navette/codec/ip_address.hpp>            // IP addresses, from text
#include <navette/codec/ip_network.hpp>            // networks of them

// frame: frames, without messages
#include <navette/frame/opcode.hpp>                // what a frame is
#include <navette/frame/close_code.hpp>            // why a connection ends
#include <navette/frame/frame_header.hpp>          // parse and write
#include <navette/frame/frame_codec.hpp>           // a decoder and an encoder

// extension: what is offered, what was agreed, and what it does to payloads
#include <navette/extension/extension_offer.hpp>   // the grammar
#include <navette/extension/message_codec.hpp>     // what an extension does to a message
#include <navette/extension/extension_factory.hpp> // how it is negotiated and made
#include <navette/extension/agreement.hpp>         // what passes from the handshake to the protocol
#include <navette/extension/permessage_deflate.hpp> // compression: what is offered and what was agreed

// handshake: the opening handshake, over no transport in particular
#include <navette/handshake/http_fields.hpp>       // requests and responses, as views
#include <navette/handshake/known_fields.hpp>      // those that a handshake reads, found in one pass
#include <navette/handshake/http_head.hpp>         // start line and fields, read
#include <navette/handshake/http_body.hpp>         // bodies, measured and read
#include <navette/handshake/http_request.hpp>      // what every request must be
#include <navette/handshake/http_writer.hpp>       // a head, written
#include <navette/handshake/http_response.hpp>     // responses, written
#include <navette/handshake/uri.hpp>               // ws and wss, and any other scheme
#include <navette/handshake/accept_key.hpp>        // Sec-WebSocket-Key and -Accept
#include <navette/handshake/origin.hpp>            // which web pages a server lets in
#include <navette/handshake/server_handshake.hpp>  // reads, judges and answers a request
#include <navette/handshake/forwarded.hpp>         // for whom a proxy says that it speaks
#include <navette/handshake/proxy_protocol.hpp>    // the same, before anything else
#include <navette/handshake/client_handshake.hpp>  // writes a request and judges the answer

// protocol: the sans-I/O heart
#include <navette/protocol/event.hpp>              // what it has to say
#include <navette/protocol/closing_handshake.hpp>  // its states, as a table
#include <navette/protocol/protocol.hpp>           // bytes to events, messages to bytes
#include <navette/protocol/session.hpp>            // whole messages
#include <navette/protocol/prepared_message.hpp>   // one message for many connections
#include <navette/protocol/heartbeat.hpp>          // pings, round-trip times, deadlines

// stream: connections over whatever reads and writes
#include <navette/stream/error.hpp>                // std::error_code
#include <navette/stream/stream.hpp>               // what a transport must be able to do
#include <navette/stream/message.hpp>              // what connections deliver
#include <navette/stream/transfer.hpp>             // reading, writing and ending in time
#include <navette/stream/transport_engine.hpp>     // a transformation of the bytes, such as TLS
#include <navette/stream/connection.hpp>           // messages in and out
#include <navette/stream/request_decision.hpp>     // what a server does with a request
#include <navette/stream/opening_handshake.hpp>    // accept and connect

// the same in coroutines of any executor
#include <navette/stream/async_stream.hpp>         // what an asynchronous transport must be able to do
#include <navette/stream/share.hpp>                // what several tasks own together
#include <navette/stream/async_transfer.hpp>       // reading, writing and ending in time
#include <navette/stream/async_engine_stream.hpp>  // a transformation of the bytes, driven
#include <navette/stream/async_connection_state.hpp> // what a connection's tasks do
#include <navette/stream/async_reading.hpp>        // how messages are read
#include <navette/stream/async_connection.hpp>     // messages in and out
#include <navette/stream/async_opening_handshake.hpp> // accept and connect
