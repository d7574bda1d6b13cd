// What connections of every kind deliver: messages, pieces of them, and how the peer closed (RFC 6455, 5.4 and 7.1.5).
// Data only.
#pragma once

#include <navette/base/bytes.hpp>
#include <navette/frame/close_code.hpp>
#include <navette/frame/opcode.hpp>

#include <string_view>

namespace navette {

/// A whole message. Its bytes belong to the connection and are valid until the next read; the reader may change them.
struct message {
    opcode    type = opcode::binary; ///< text or binary
    byte_span data{};

    /// The bytes as text: valid UTF-8 if `type` is text.
    std::string_view text() const noexcept { return as_text(data); }
};

/// A part of a message, as it came. Its bytes are as those of a message; a piece of a text may end within a character, which
/// the next piece completes.
struct message_piece {
    opcode    type  = opcode::binary; ///< the message's: text or binary
    bool      first = false, last = false;
    byte_span data{};
};

/// How the peer closed the connection.
struct peer_close {
    close_code       code = close_code::abnormal_closure; ///< 1005: its Close had none; 1006: it has sent no Close
    std::string_view reason{};                            ///< in the connection; valid as long as that
};

} // namespace navette
