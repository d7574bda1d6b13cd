// Masking (RFC 6455, 5.3): in place, copied and in pieces, on each set of instructions and at every alignment, against
// the formula of the RFC. No byte around the payload may change.
#pragma once

#include "bodies/fuzz.hpp"

#include <navette/codec/mask.hpp>

namespace fuzz {

inline const place<max_input + 128> mask_from, mask_to;
inline const place<max_input>       mask_wanted;

inline bool mask(input in) {
    masking_key key;
    for (std::byte& b : key) b = static_cast<std::byte>(in.byte());
    const std::size_t     offset = in.options(0, 3), from_at = in.byte() % 64, to_at = in.byte() % 64;
    const const_byte_span payload = in.rest();
    const std::size_t     size    = payload.size();
    for (std::size_t i = 0; i < size; ++i) mask_wanted.data()[i] = payload[i] ^ key[(offset + i) % 4];
    const auto is_wanted = [&](const std::byte* found) {
        return size == 0 || std::memcmp(found, mask_wanted.data(), size) == 0;
    };

    with_each_instruction_set([&] {
        const byte_span from = mask_from.first(from_at + size).last(size);
        const byte_span to   = mask_to.first(to_at + 1 + size).last(size);
        if (size != 0) std::memcpy(from.data(), payload.data(), size);
        std::memset(mask_to.data(), 0xee, to_at + size + 2);
        copy_masked(to.data(), from, key, offset);
        must(is_wanted(to.data()), "a copy is masked as RFC 6455, 5.3 says");
        must(size == 0 || std::memcmp(from.data(), payload.data(), size) == 0, "copying leaves its source");
        must(mask_to.data()[to_at] == std::byte{0xee} && mask_to.data()[to_at + size + 1] == std::byte{0xee},
             "nothing is written outside");

        const byte_span copy = in_place(payload);
        apply_mask(copy, key, offset);
        must(is_wanted(copy.data()), "a payload is masked in place as RFC 6455, 5.3 says");
        std::size_t at = 0;
        for (std::size_t i = 0; at < size; ++i) {
            const std::size_t n = lesser(in.as_cut().sizes[i % 3], size - at);
            apply_mask(from.subspan(at, n), i % 2 == 0 ? key : rotate(key, offset + at),
                       i % 2 == 0 ? offset + at : 0);
            at += n;
        }
        must(is_wanted(from.data()), "pieces are masked as the whole is");
        apply_mask(from, rotate(key, offset));
        must(size == 0 || std::memcmp(from.data(), payload.data(), size) == 0, "masking twice changes nothing");
    });
    return size > detail::short_payload;
}

} // namespace fuzz
