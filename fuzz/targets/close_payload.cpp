// Close frames, received and sent by both roles.
// Input: option bit 0: our own Close was sent before; the payload, which is also tried as code and reason to be sent.
// covers: frame/close_code.hpp protocol/closing_handshake.hpp
// small: at most 140 bytes
#include "bodies/close_payload.hpp"

bool fuzz_one(fuzz::input in) { return fuzz::close_payload(in); }
