// An open connection as a client, without compression, and an application that reacts to its messages.
// Input: options as setting_from says; what the peer sends. The first byte of a message says what is done with it.
// covers: protocol/protocol.hpp protocol/closing_handshake.hpp frame/frame_header.hpp
// small: at most 160 bytes
#include "bodies/protocol.hpp"

bool fuzz_one(fuzz::input in) {
    return fuzz::protocol_conversation<navette::role::client>(fuzz::setting_from(in), in);
}
