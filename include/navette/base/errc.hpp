// Every error that navette itself can report, and the one table of what is known of each: who is to blame, the close
// code it sends (RFC 6455, 7.4.1), the HTTP status it answers with, a sentence and the clause.
// std::error_code begins on floor 6 (stream/error.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace navette {

/// An error. The value-initialised one, `errc{}`, means success and has no name.
enum class errc : std::uint8_t {
    // how a connection ends
    closed = 1, truncated, tls_truncated, request_answered,
    // frames
    reserved_bits, reserved_opcode, fragmented_control, control_too_long, non_minimal_length, length_overflow,
    unmasked_client_frame, masked_server_frame, unexpected_continuation, expected_continuation,
    invalid_close_payload, invalid_close_code, invalid_utf8, invalid_compressed_data,
    // what a peer may not exceed
    message_too_big, too_many_fragments,
    // what this side lacks
    out_of_memory, no_entropy, output_full, no_tls,
    // time
    connect_timeout, proxy_timeout, tls_timeout, handshake_timeout, idle_timeout, pong_timeout, close_timeout, write_timeout,
    // the caller's mistakes
    misuse, not_open, frame_open, message_in_progress, unsendable_text, unsendable_close_code, reason_too_long,
    payload_too_long, invalid_field, reserved_field, invalid_subprotocol, invalid_status, invalid_credentials,
    // URIs
    unsupported_scheme, invalid_uri, uri_has_fragment, uri_has_userinfo, invalid_host, invalid_port, invalid_path,
    unsupported_proxy, invalid_proxy,
    // reading an HTTP head, of either side
    bad_start_line, bad_line_end, bad_field_name, bad_field_value, folded_line, line_too_long, head_too_big,
    too_many_fields, head_truncated,
    // a server judges a request
    bad_host, bad_target, target_too_long, method_not_allowed, http_version_not_supported, connection_lacks_upgrade,
    missing_key, invalid_key, unsupported_version, bad_subprotocols, bad_extensions, origin_refused, unexpected_body,
    bad_proxy_header,
    // authentication, and a proxy on the way
    bad_authentication, unsupported_authentication, credentials_missing, credentials_refused,
    proxy_refused, proxy_truncated, proxy_wants_reconnection, early_tunnel_data,
    bad_socks_reply, socks_method_refused, socks_failure, socks_not_allowed, socks_network_unreachable,
    socks_host_unreachable, socks_connection_refused, socks_ttl_expired, socks_command_not_supported,
    socks_address_type_not_supported,
    // a client judges an answer
    unexpected_status, upgrade_mismatch, connection_mismatch, accept_mismatch, unoffered_extension,
    extension_refused, unoffered_subprotocol, too_many_interim_responses,
    bad_redirect, insecure_redirect, too_many_redirects,
};

/// Whose fault an error is; the error conditions of floor 6 carry the same names.
enum class blame : std::uint8_t {
    ended,               ///< nobody's: the connection has come to its end
    protocol_violation,  ///< the peer broke a rule of the open connection
    limit_exceeded,      ///< the peer sent more than `limits` allows
    handshake_failed,    ///< the opening handshake was not acceptable
    timed_out,           ///< a deadline of `timeouts` passed
    environment,         ///< this machine could not: memory, entropy, room, TLS
    misuse,              ///< the caller asked for what cannot be done
};

/// All that is known of one error. Plain C strings, since a table of views costs whoever includes it five times as much.
struct error_facts {
    errc             code;
    const char*      name;         ///< the enumerator, for logs
    blame            whose;
    std::uint16_t    close_code;   ///< what a failing endpoint sends; 1006 (never on the wire): nothing is sent
    std::uint16_t    http_status;  ///< what a server answers if it happens in the opening handshake; 0: not a server's
    const char*      sentence;
    const char*      clause;       ///< "RFC section", or empty
};

inline constexpr error_facts error_table[] = {
#define NAVETTE_ERROR(code, whose, close, status, sentence, clause) \
    {errc::code, #code, blame::whose, close, status, sentence, clause}
    NAVETTE_ERROR(closed, ended, 1006, 0, "the connection is closed", "RFC 6455, 7.1.4"),
    NAVETTE_ERROR(truncated, ended, 1006, 0, "the transport ended before the closing handshake was complete", "RFC 6455, 7.1.5"),
    NAVETTE_ERROR(tls_truncated, ended, 1006, 0, "the transport ended without the mark that its engine ends a stream with: it may have been cut", "RFC 8446, 6.1"),
    NAVETTE_ERROR(request_answered, ended, 1006, 0, "the request was answered without opening a WebSocket connection", "RFC 6455, 4.2.2"),

    NAVETTE_ERROR(reserved_bits, protocol_violation, 1002, 0, "a frame has a reserved bit set that no extension was agreed for", "RFC 6455, 5.2"),
    NAVETTE_ERROR(reserved_opcode, protocol_violation, 1002, 0, "a frame has an opcode that is reserved", "RFC 6455, 5.2"),
    NAVETTE_ERROR(fragmented_control, protocol_violation, 1002, 0, "a control frame is fragmented", "RFC 6455, 5.5"),
    NAVETTE_ERROR(control_too_long, protocol_violation, 1002, 0, "a control frame has a payload of more than 125 bytes", "RFC 6455, 5.5"),
    NAVETTE_ERROR(non_minimal_length, protocol_violation, 1002, 0, "a payload length is not in its shortest form", "RFC 6455, 5.2"),
    NAVETTE_ERROR(length_overflow, protocol_violation, 1002, 0, "a 64-bit payload length has its highest bit set", "RFC 6455, 5.2"),
    NAVETTE_ERROR(unmasked_client_frame, protocol_violation, 1002, 0, "the client sent a frame that is not masked", "RFC 6455, 5.1"),
    NAVETTE_ERROR(masked_server_frame, protocol_violation, 1002, 0, "the server sent a frame that is masked", "RFC 6455, 5.1"),
    NAVETTE_ERROR(unexpected_continuation, protocol_violation, 1002, 0, "a continuation frame came without a message to continue", "RFC 6455, 5.4"),
    NAVETTE_ERROR(expected_continuation, protocol_violation, 1002, 0, "a new message began before the last one was complete", "RFC 6455, 5.4"),
    NAVETTE_ERROR(invalid_close_payload, protocol_violation, 1002, 0, "a Close frame has a payload of one byte", "RFC 6455, 5.5.1"),
    NAVETTE_ERROR(invalid_close_code, protocol_violation, 1002, 0, "a Close frame has a code that may not be sent", "RFC 6455, 7.4"),
    NAVETTE_ERROR(invalid_utf8, protocol_violation, 1007, 0, "a text is not valid UTF-8", "RFC 6455, 8.1"),
    NAVETTE_ERROR(invalid_compressed_data, protocol_violation, 1007, 0, "a compressed message cannot be decompressed", "RFC 7692, 6.2"),

    NAVETTE_ERROR(message_too_big, limit_exceeded, 1009, 0, "a message is longer than the limit", "RFC 6455, 10.4"),
    NAVETTE_ERROR(too_many_fragments, limit_exceeded, 1008, 0, "a message has more fragments than the limit", "RFC 6455, 10.4"),

    NAVETTE_ERROR(out_of_memory, environment, 1011, 500, "no memory, or a fixed buffer is full", ""),
    NAVETTE_ERROR(no_entropy, environment, 1011, 500, "the source of random bytes failed", "RFC 6455, 10.3"),
    NAVETTE_ERROR(output_full, environment, 1011, 503, "the output queue is full", ""),
    NAVETTE_ERROR(no_tls, environment, 1006, 0, "a wss URI needs TLS, and none was supplied", "RFC 6455, 3"),

    NAVETTE_ERROR(connect_timeout, timed_out, 1006, 0, "the connection was not established in time", ""),
    NAVETTE_ERROR(proxy_timeout, timed_out, 1006, 0, "the proxy did not open a tunnel in time", ""),
    NAVETTE_ERROR(tls_timeout, timed_out, 1006, 0, "TLS was not established in time", "RFC 8446, 4"),
    NAVETTE_ERROR(handshake_timeout, timed_out, 1006, 408, "the opening handshake was not complete in time", ""),
    NAVETTE_ERROR(idle_timeout, timed_out, 1001, 0, "nothing was received for too long", ""),
    NAVETTE_ERROR(pong_timeout, timed_out, 1011, 0, "a ping was not answered in time", "RFC 6455, 5.5.2"),
    NAVETTE_ERROR(close_timeout, timed_out, 1006, 0, "the closing handshake was not complete in time", "RFC 6455, 7.1.1"),
    NAVETTE_ERROR(write_timeout, timed_out, 1006, 0, "the peer took no bytes for too long", ""),

    NAVETTE_ERROR(misuse, misuse, 1011, 500, "the call is not allowed here", ""),
    NAVETTE_ERROR(not_open, misuse, 1011, 500, "a Close frame was sent or received, or the connection failed", "RFC 6455, 6.1"),
    NAVETTE_ERROR(frame_open, misuse, 1011, 500, "a frame has been begun and not ended", "RFC 6455, 5.4"),
    NAVETTE_ERROR(message_in_progress, misuse, 1011, 500, "a fragmented message is being sent", "RFC 6455, 5.4"),
    NAVETTE_ERROR(unsendable_text, misuse, 1011, 500, "the text to be sent is not valid UTF-8", "RFC 6455, 6.1"),
    NAVETTE_ERROR(unsendable_close_code, misuse, 1011, 500, "the close code may not be sent by this role", "RFC 6455, 7.4"),
    NAVETTE_ERROR(reason_too_long, misuse, 1011, 500, "a close reason has more than 123 bytes", "RFC 6455, 5.5.1"),
    NAVETTE_ERROR(payload_too_long, misuse, 1011, 500, "the payload is longer than its frame allows", "RFC 6455, 5.5"),
    NAVETTE_ERROR(invalid_field, misuse, 1006, 500, "an HTTP field to be sent has a name or value with a forbidden character", "RFC 9110, 5.5"),
    NAVETTE_ERROR(reserved_field, misuse, 1006, 500, "an HTTP field to be sent belongs to the opening handshake itself", "RFC 6455, 4.1"),
    NAVETTE_ERROR(invalid_subprotocol, misuse, 1006, 500, "a subprotocol is not a token, is repeated, or was not offered by the client", "RFC 6455, 4.1"),
    NAVETTE_ERROR(invalid_status, misuse, 1006, 500, "an HTTP status to be sent is out of its range, or allows no body", "RFC 9110, 15"),
    NAVETTE_ERROR(invalid_credentials, misuse, 1006, 500, "a user name, password or token has a forbidden character, or is empty or too long", "RFC 7617, 2"),

    NAVETTE_ERROR(unsupported_scheme, misuse, 1006, 0, "the URI's scheme is neither ws nor wss", "RFC 6455, 3"),
    NAVETTE_ERROR(invalid_uri, misuse, 1006, 0, "the URI is malformed", "RFC 3986, 3"),
    NAVETTE_ERROR(uri_has_fragment, misuse, 1006, 0, "the URI has a fragment", "RFC 6455, 3"),
    NAVETTE_ERROR(uri_has_userinfo, misuse, 1006, 0, "the URI has a user name or password", "RFC 6455, 3"),
    NAVETTE_ERROR(invalid_host, misuse, 1006, 0, "the URI's host is malformed", "RFC 3986, 3.2.2"),
    NAVETTE_ERROR(invalid_port, misuse, 1006, 0, "the URI's port is not a number from 1 to 65535", "RFC 3986, 3.2.3"),
    NAVETTE_ERROR(invalid_path, misuse, 1006, 0, "the URI's path or query has a forbidden character", "RFC 3986, 3.3"),
    NAVETTE_ERROR(unsupported_proxy, misuse, 1006, 0, "the scheme of the proxy's URI is none of http, https, socks5 and socks5h", ""),
    NAVETTE_ERROR(invalid_proxy, misuse, 1006, 0, "the proxy's URI is malformed", "RFC 3986, 3"),

    NAVETTE_ERROR(bad_start_line, handshake_failed, 1006, 400, "the first line is not an HTTP/1.1 request or status line", "RFC 9112, 3 and 4"),
    NAVETTE_ERROR(bad_line_end, handshake_failed, 1006, 400, "a line of the HTTP head does not end in CR LF", "RFC 9112, 2.2"),
    NAVETTE_ERROR(bad_field_name, handshake_failed, 1006, 400, "the name of an HTTP field is not a token followed by a colon", "RFC 9112, 5.1"),
    NAVETTE_ERROR(bad_field_value, handshake_failed, 1006, 400, "the value of an HTTP field has a forbidden character", "RFC 9110, 5.5"),
    NAVETTE_ERROR(folded_line, handshake_failed, 1006, 400, "a line of the HTTP head begins with white space", "RFC 9112, 5.2"),
    NAVETTE_ERROR(line_too_long, handshake_failed, 1006, 431, "a line of the HTTP head is longer than the limit", "RFC 9110, 5.4"),
    NAVETTE_ERROR(head_too_big, handshake_failed, 1006, 431, "the HTTP head is longer than the limit", "RFC 9110, 5.4"),
    NAVETTE_ERROR(too_many_fields, handshake_failed, 1006, 431, "the HTTP head has more fields than the limit", "RFC 9110, 5.4"),
    NAVETTE_ERROR(head_truncated, handshake_failed, 1006, 400, "the transport ended before the HTTP head was complete", "RFC 9112, 8"),

    NAVETTE_ERROR(bad_host, handshake_failed, 1006, 400, "the Host field is missing, repeated or malformed", "RFC 9112, 3.2"),
    NAVETTE_ERROR(bad_target, handshake_failed, 1006, 400, "the request target is malformed", "RFC 9112, 3.2"),
    NAVETTE_ERROR(target_too_long, handshake_failed, 1006, 414, "the request target is longer than the limit", "RFC 9112, 3"),
    NAVETTE_ERROR(method_not_allowed, handshake_failed, 1006, 405, "the method of an upgrade request is not GET", "RFC 6455, 4.2.1"),
    NAVETTE_ERROR(http_version_not_supported, handshake_failed, 1006, 505, "the request's HTTP version is not 1.x", "RFC 9110, 15.6.6"),
    NAVETTE_ERROR(connection_lacks_upgrade, handshake_failed, 1006, 400, "the Connection field of an upgrade request lacks the token Upgrade", "RFC 6455, 4.2.1"),
    NAVETTE_ERROR(missing_key, handshake_failed, 1006, 400, "the Sec-WebSocket-Key field is missing", "RFC 6455, 4.2.1"),
    NAVETTE_ERROR(invalid_key, handshake_failed, 1006, 400, "the Sec-WebSocket-Key field is repeated or is not the base64 form of 16 bytes", "RFC 6455, 4.2.1"),
    NAVETTE_ERROR(unsupported_version, handshake_failed, 1006, 426, "the Sec-WebSocket-Version field is not 13", "RFC 6455, 4.4"),
    NAVETTE_ERROR(bad_subprotocols, handshake_failed, 1006, 400, "the Sec-WebSocket-Protocol field is not a list of distinct tokens", "RFC 6455, 11.3.4"),
    NAVETTE_ERROR(bad_extensions, handshake_failed, 1006, 400, "the Sec-WebSocket-Extensions field is malformed", "RFC 6455, 9.1"),
    NAVETTE_ERROR(origin_refused, handshake_failed, 1006, 403, "the Origin is not one that this server accepts", "RFC 6455, 10.2"),
    NAVETTE_ERROR(unexpected_body, handshake_failed, 1006, 400, "an upgrade request has a body, or its length is malformed", "RFC 9112, 6.3"),
    NAVETTE_ERROR(bad_proxy_header, handshake_failed, 1006, 0, "the proxy in front of the server began with no header of the PROXY protocol", ""),

    NAVETTE_ERROR(bad_authentication, handshake_failed, 1006, 0, "a challenge or credentials are missing or malformed", "RFC 9110, 11"),
    NAVETTE_ERROR(unsupported_authentication, handshake_failed, 1006, 0, "no way to authenticate is demanded that is supported", "RFC 9110, 11.3"),
    NAVETTE_ERROR(credentials_missing, handshake_failed, 1006, 0, "authentication is demanded, and no credentials were given", "RFC 9110, 11.4"),
    NAVETTE_ERROR(credentials_refused, handshake_failed, 1006, 0, "the user name or the password was refused", "RFC 9110, 11.4"),
    NAVETTE_ERROR(proxy_refused, handshake_failed, 1006, 0, "the proxy's status is not 2xx", "RFC 9110, 9.3.6"),
    NAVETTE_ERROR(proxy_truncated, handshake_failed, 1006, 0, "the proxy ended the connection before the tunnel was open", "RFC 9110, 9.3.6"),
    NAVETTE_ERROR(proxy_wants_reconnection, handshake_failed, 1006, 0, "the proxy takes credentials on a new connection only", "RFC 9112, 9.6"),
    NAVETTE_ERROR(early_tunnel_data, handshake_failed, 1006, 0, "bytes came through the tunnel before any were sent", "RFC 9110, 9.3.6"),
    NAVETTE_ERROR(bad_socks_reply, handshake_failed, 1006, 0, "the SOCKS proxy's reply is malformed", "RFC 1928, 6"),
    NAVETTE_ERROR(socks_method_refused, handshake_failed, 1006, 0, "the SOCKS proxy accepts none of the ways to authenticate that were offered", "RFC 1928, 3"),
    NAVETTE_ERROR(socks_failure, handshake_failed, 1006, 0, "the SOCKS proxy failed for a reason that it does not say", "RFC 1928, 6"),
    NAVETTE_ERROR(socks_not_allowed, handshake_failed, 1006, 0, "the SOCKS proxy's rules do not allow the connection", "RFC 1928, 6"),
    NAVETTE_ERROR(socks_network_unreachable, handshake_failed, 1006, 0, "the SOCKS proxy cannot reach the network", "RFC 1928, 6"),
    NAVETTE_ERROR(socks_host_unreachable, handshake_failed, 1006, 0, "the SOCKS proxy cannot reach or resolve the host", "RFC 1928, 6"),
    NAVETTE_ERROR(socks_connection_refused, handshake_failed, 1006, 0, "the host refused the SOCKS proxy's connection", "RFC 1928, 6"),
    NAVETTE_ERROR(socks_ttl_expired, handshake_failed, 1006, 0, "the SOCKS proxy's packets did not reach the host in time", "RFC 1928, 6"),
    NAVETTE_ERROR(socks_command_not_supported, handshake_failed, 1006, 0, "the SOCKS proxy opens no connections", "RFC 1928, 6"),
    NAVETTE_ERROR(socks_address_type_not_supported, handshake_failed, 1006, 0, "the SOCKS proxy does not know this kind of address", "RFC 1928, 6"),

    NAVETTE_ERROR(unexpected_status, handshake_failed, 1006, 0, "the server's status is not 101", "RFC 6455, 4.1"),
    NAVETTE_ERROR(upgrade_mismatch, handshake_failed, 1006, 0, "the server's Upgrade field is not websocket", "RFC 6455, 4.1"),
    NAVETTE_ERROR(connection_mismatch, handshake_failed, 1006, 0, "the server's Connection field lacks the token Upgrade", "RFC 6455, 4.1"),
    NAVETTE_ERROR(accept_mismatch, handshake_failed, 1006, 0, "the server's Sec-WebSocket-Accept field is missing, repeated or does not belong to the key", "RFC 6455, 4.1"),
    NAVETTE_ERROR(unoffered_extension, handshake_failed, 1006, 0, "the server accepted an extension that was not offered, or one twice", "RFC 6455, 4.1"),
    NAVETTE_ERROR(extension_refused, handshake_failed, 1006, 0, "the server answered an extension with parameters that are not acceptable", "RFC 6455, 9.1"),
    NAVETTE_ERROR(unoffered_subprotocol, handshake_failed, 1006, 0, "the server chose a subprotocol that was not offered, or more than one", "RFC 6455, 4.1"),
    NAVETTE_ERROR(too_many_interim_responses, handshake_failed, 1006, 0, "the server sent more interim responses than the limit", "RFC 9110, 15.2"),
    NAVETTE_ERROR(bad_redirect, handshake_failed, 1006, 0, "the server's Location is missing, repeated, or leads to no WebSocket server", "RFC 9110, 10.2.2"),
    NAVETTE_ERROR(insecure_redirect, handshake_failed, 1006, 0, "the server redirects from wss to ws", "RFC 9110, 15.4"),
    NAVETTE_ERROR(too_many_redirects, handshake_failed, 1006, 0, "the server redirects more often than is allowed", "RFC 9110, 15.4"),
#undef NAVETTE_ERROR
};

static_assert([] {
    std::size_t i = 0;
    for (const error_facts& row : error_table)
        if (static_cast<std::size_t>(row.code) != ++i) return false;
    return i == static_cast<std::size_t>(errc::too_many_redirects);
}(), "error_table has one row for each errc, in its order");

/// What is known of `e`. Precondition: `e` is an enumerator, not `errc{}`.
constexpr const error_facts& facts(errc e) noexcept { return error_table[static_cast<std::size_t>(e) - 1]; }

/// One sentence that says what `e` means, in static storage; "success" for `errc{}`.
constexpr std::string_view describe(errc e) noexcept { return e == errc{} ? "success" : facts(e).sentence; }

/// The status with which a server answers a request that failed by `e` (RFC 9110, 15); 500 if none is fit.
constexpr unsigned to_http_status(errc e) noexcept {
    return e == errc{} || facts(e).http_status == 0 ? 500u : facts(e).http_status;
}

} // namespace navette
