// An open connection as a server that has agreed to permessage-deflate.
// Input: options as setting_from says; a byte of agreement as agreed_by says; what the peer sends.
// covers: protocol/protocol.ipp extension/message_codec.hpp deflate_codec.hpp
// whole: at most 256 bytes
#include "bodies/protocol_deflate.hpp"

bool fuzz_one(fuzz::input in) { return fuzz::compressed_conversation<navette::role::server>(in); }
