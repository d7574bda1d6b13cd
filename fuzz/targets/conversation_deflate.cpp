// Whole conversations with permessage-deflate.
// Input: as of conversation, with a byte in front that says which extension, as deflate_number does.
// covers: stream/connection.hpp stream/opening_handshake.hpp deflate_codec.hpp
// whole: at most 128 bytes
#include "bodies/conversation.hpp"

bool fuzz_one(fuzz::input in) { return fuzz::deflate_conversation(in); }
