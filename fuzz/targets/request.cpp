// Requests to a server, and its answers.
// Input: options: bits 0-1 the origins, 2 subprotocols, 3 compression, 4 a low limit, 5-6 the answer, 7 keeps the
// request; the request and what stands behind it.
// covers: handshake/server_handshake.hpp handshake/server_handshake.ipp handshake/http_request.ipp handshake/origin.ipp
// small: at most 400 bytes
#include "bodies/request.hpp"

bool fuzz_one(fuzz::input in) { return fuzz::requests(in); }
