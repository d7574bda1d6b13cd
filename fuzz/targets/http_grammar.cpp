// Tokens, field values, lists and parameters against readers of one character at a time.
// Input: a list.
// covers: codec/http_grammar.hpp
// small: at most 96 bytes
#include "bodies/http_grammar.hpp"

bool fuzz_one(fuzz::input in) { return fuzz::http_grammar(in); }
