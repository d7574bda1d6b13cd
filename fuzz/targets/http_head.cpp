// Heads of HTTP requests and responses.
// Input: option bit 0: a response; bits 1-2: which limit is low; 7: every byte by itself, too;
// the head and what stands behind it.
// covers: handshake/http_head.hpp handshake/http_head.ipp handshake/known_fields.hpp
// small: at most 256 bytes
#include "bodies/http_head.hpp"

bool fuzz_one(fuzz::input in) { return fuzz::read_heads(in); }
