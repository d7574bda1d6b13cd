// permessage-deflate's codec against a decoder that reads one bit at a time.
// Input: option bit 0 gives memory back between messages, 1 resets the compressor, 2 sends in two fragments, 3 sends
// at all; a byte of agreement as agreed_by says; messages, each behind its size (255: the rest is one).
// covers: deflate.hpp deflate_codec.hpp deflate_backend.hpp
// small: at most 128 bytes
#include "bodies/inflate.hpp"

bool fuzz_one(fuzz::input in) { return fuzz::inflate_messages(in); }
