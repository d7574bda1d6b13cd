// An open connection that has agreed to permessage-deflate (RFC 7692): as protocol.hpp, with the extension, and with
// bounds for its memory.
#pragma once

#include "bodies/deflate.hpp"
#include "bodies/protocol.hpp"

namespace fuzz {

template <role R>
bool compressed_conversation(input in) {
    protocol_setting setting = setting_from(in);
    setting.agreed           = agreed_by(in.byte());
    if (in.options(2, 2) == 0)
        setting.bounds.max_message_size = 1000; // or a bomb is what most of the time is spent on
    setting.is_exact = to_deflate_agreement(setting.agreed.parameters).receive_window_bits == 15;
    deflate_heap::begin();
    const bool accepted = protocol_conversation<R>(setting, in);
    must_have_given_back();
    return accepted;
}

} // namespace fuzz
