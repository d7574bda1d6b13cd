// Messages sent in every way, received whole by the other role.
// Input: option bit 0: by a client; 1: large frames are read in their place; 2: compression, a byte of agreement
// follows; messages: a byte that says how, as sender::send does (96: the size counts 128
// bytes, or 8), a size, up to 32 bytes.
// covers: protocol/session.hpp protocol/prepared_message.hpp base/buffer_pool.hpp
// whole: at most 128 bytes
#include "bodies/round_trip.hpp"

bool fuzz_one(fuzz::input in) { return fuzz::round_trips(in); }
