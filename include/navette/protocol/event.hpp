// What a protocol has to say: one thing for each call of receive.
// Data only; how events follow from bytes is protocol.hpp.
#pragma once

#include <navette/base/bytes.hpp>
#include <navette/base/errc.hpp>
#include <navette/frame/close_code.hpp>

#include <cstdint>
#include <string_view>

namespace navette {

enum class event_type : std::uint8_t {
    none,    ///< feed more input, or drain the output
    text,    ///< a piece of a text message, or all of it; valid UTF-8 up to a character that the next piece completes
    binary,  ///< a piece of a binary message, or all of it
    ping,    ///< answered already, unless that was turned off
    pong,
    close,   ///< the peer's Close frame; our reply is in the output
    failed,  ///< this side failed the connection, or the transport ended too early
};

/// One thing that happened. Trivially copyable; the payload is borrowed, as the call that returned it says.
struct event {
    event_type type  = event_type::none;
    bool       first = false;  ///< the message's first piece
    bool       last  = false;  ///< the message's last piece; with `first`: all of it
    byte_span  payload{};      ///< of a piece, a ping or a pong; of a close: the reason, valid UTF-8; failed: the bytes that
                               ///< broke the rule, at most 14, for explanation(); empty: what failed was not that
    close_code code{};         ///< close: the peer's, 1005 if it gave none (7.1.5); failed: to_close_code(error)
    errc       error{};        ///< failed: why

    explicit         operator bool() const noexcept { return type != event_type::none; }
    bool             is_message() const noexcept { return type == event_type::text || type == event_type::binary; }
    std::string_view text() const noexcept { return as_text(payload); }
};

} // namespace navette
