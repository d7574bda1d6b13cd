// UTF-8 against the grammar, with each set of instructions.
// Input: option bits 0-7 are a byte of the masking key; the text.
// covers: codec/utf8.hpp
// small: at most 160 bytes
#include "bodies/utf8.hpp"

bool fuzz_one(fuzz::input in) { return fuzz::utf8(in); }
