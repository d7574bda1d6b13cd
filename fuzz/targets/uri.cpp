// URIs, and the requests that are made for them.
// Input: a URI.
// covers: handshake/uri.hpp handshake/uri.ipp
// small: at most 96 bytes
#include "bodies/uri.hpp"

bool fuzz_one(fuzz::input in) { return fuzz::uri_text(in); }
