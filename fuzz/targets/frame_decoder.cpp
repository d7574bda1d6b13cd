// The frame decoder and encoder of both roles, against the figure of RFC 6455, 5.2.
// Input: option bit 0 says which role receives, bits 4-6 the reserved bits that it allows, 7:
// every byte by itself, too; the wire.
// covers: frame/frame_codec.hpp frame/frame_header.hpp
// small: at most 160 bytes
#include "bodies/frame_decoder.hpp"

bool fuzz_one(fuzz::input in) {
    using navette::role;
    return in.option(0) ? fuzz::decode_frames<role::client>(in) : fuzz::decode_frames<role::server>(in);
}
