// Masking against the formula, with each set of instructions.
// Input: option bits 0-2 are the offset into the payload; the key; alignments of source and destination; the payload.
// covers: codec/mask.hpp
// small: at most 300 bytes
#include "bodies/mask.hpp"

bool fuzz_one(fuzz::input in) { return fuzz::mask(in); }
