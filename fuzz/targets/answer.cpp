// Answers to a client that has asked with RFC 6455's sample nonce.
// Input: options: bit 0 subprotocols, 1 compression, 2 an origin, 3-4 a low limit, 5 little of a body is kept; the
// answer and what stands behind it.
// covers: handshake/client_handshake.hpp handshake/client_handshake.ipp handshake/http_body.ipp
// small: at most 256 bytes
#include "bodies/answer.hpp"

bool fuzz_one(fuzz::input in) { return fuzz::answers(in); }
