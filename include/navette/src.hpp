// Every body that is not a template, for programs that compile them once: NAVETTE_SEPARATE_COMPILATION is defined for all
// translation units, and exactly one of them includes this file.
#pragma once

#if !defined(NAVETTE_SEPARATE_COMPILATION)
#  error "define NAVETTE_SEPARATE_COMPILATION for every translation unit"
#endif

#include <navette/codec/entropy.ipp>
#include <navette/codec/vector.ipp>
#include <navette/codec/vector_neon.ipp>
#include <navette/codec/vector_utf8.ipp>
#include <navette/codec/vector_x86.ipp>
#include <navette/extension/permessage_deflate.ipp>
#include <navette/handshake/http_head.ipp>
#include <navette/handshake/http_body.ipp>
#include <navette/handshake/http_request.ipp>
#include <navette/handshake/http_writer.ipp>
#include <navette/handshake/http_response.ipp>
#include <navette/handshake/uri.ipp>
#include <navette/handshake/origin.ipp>
#include <navette/handshake/server_handshake.ipp>
#include <navette/handshake/client_handshake.ipp>
#include <navette/handshake/http_authentication.ipp>
#include <navette/handshake/proxy_http.ipp>
#include <navette/handshake/proxy_socks.ipp>
#include <navette/handshake/proxy_choice.ipp>
#include <navette/handshake/transparent_proxy.ipp>
#include <navette/handshake/redirect.ipp>
#include <navette/handshake/retry_after.ipp>
#include <navette/protocol/protocol.ipp>
#include <navette/protocol/heartbeat.ipp>
#include <navette/stream/error.ipp>
#include <navette/stream/client_route.ipp>
#include <navette/stream/client_journey.ipp>
#include <navette/stream/proxies_from_environment.ipp>
#include <navette/tcp_wait.ipp>
#include <navette/tcp_resolve.ipp>
#include <navette/tcp_connect.ipp>
#include <navette/tcp.ipp>
#include <navette/tcp_client.ipp>
#include <navette/websocket_link.ipp>
#include <navette/websocket_core.ipp>
#include <navette/websocket_conversation.ipp>
#include <navette/websocket_thread.ipp>
#include <navette/websocket.ipp>
#include <navette/server_settings.ipp>
#include <navette/server_memory.ipp>
#include <navette/server_poller.ipp>
#include <navette/server_timers.ipp>
#include <navette/server_core.ipp>
#include <navette/server_loop.ipp>
#include <navette/server_input.ipp>
#include <navette/server_output.ipp>
#include <navette/server_opening.ipp>
#include <navette/server_ending.ipp>
#include <navette/server_topics.ipp>
#include <navette/server_connection.ipp>
#include <navette/server_proxies.ipp>
#include <navette/server.ipp>
