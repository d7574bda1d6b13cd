// Whole conversations, from handshake to close.
// Input: option bit 0: the connection is the client; 2: something goes wrong, three bytes say what; 3: it closes
// itself; lines as next_line reads them.
// covers: stream/connection.hpp stream/opening_handshake.hpp stream/transfer.hpp
// whole: at most 128 bytes
#include "bodies/conversation.hpp"

bool fuzz_one(fuzz::input in) { return fuzz::plain_conversation(in); }
