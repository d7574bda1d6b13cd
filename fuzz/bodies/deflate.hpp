// permessage-deflate for the bodies: extensions with windows of several sizes over a counted heap, whose bounds are
// stated here, and agreements made from an input's byte.
#pragma once

#include "bodies/fuzz.hpp"

#include <navette/deflate.hpp>

#include <utility>

namespace fuzz {

/// The heap of all extensions. Large pieces, which are zlib's, are kept for the next connection: to ask the sanitizer's
/// heap for each would take most of the time.
class deflate_heap {
    static constexpr std::size_t large = 4096, classes = 20;
    struct piece { piece* next; };
    static inline piece*      kept_[classes]{};
    static inline std::size_t live_ = 0, peak_ = 0, begin_ = 0;

    static std::size_t class_of(std::size_t bytes) noexcept {
        std::size_t c = 0;
        while ((large << c) < bytes) ++c;
        return c;
    }
    static void* take(void*, std::size_t bytes) noexcept {
        live_ += bytes;
        if (live_ > peak_) peak_ = live_;
        if (bytes < large) return std::malloc(bytes);
        const std::size_t c = class_of(bytes);
        if (kept_[c] == nullptr) return std::malloc(large << c);
        piece* const taken = kept_[c];
        kept_[c]           = taken->next;
        return taken;
    }
    static void give(void*, void* memory, std::size_t bytes) noexcept {
        live_ -= bytes;
        if (bytes < large) return std::free(memory);
        const std::size_t c = class_of(bytes);
        kept_[c] = ::new (memory) piece{kept_[c]};
    }

public:
    static deflate_allocator hook() noexcept { return {.take = &take, .give = &give, .self = nullptr}; }
    static std::size_t live() noexcept { return live_; }
    static void        begin() noexcept { begin_ = peak_ = live_; }
    static std::size_t grown() noexcept { return peak_ - begin_; }   // since then, at most
};

inline deflate_options deflate_with(std::size_t window_size, bool releases, allocate when) {
    return {.level = 6, .memory_level = 1, .threshold = 8, .allocation = when, .release_when_idle = releases,
            .window_size = window_size, .max_idle = 1, .allocator = deflate_heap::hook()};
}

/// One of four: windows of 1, 13 and 512 bytes, one that releases what it can after each message.
inline const permessage_deflate& deflate_number(unsigned n) {
    static const permessage_deflate all[] = {permessage_deflate(deflate_with(512, false, allocate::lazily)),
                                             permessage_deflate(deflate_with(1, false, allocate::lazily)),
                                             permessage_deflate(deflate_with(13, false, allocate::eagerly)),
                                             permessage_deflate(deflate_with(64, true, allocate::lazily))};
    return all[n % 4];
}

/// A byte of an input: bits 0-1 the extension, 2-3 and 4-5 the windows of sending and of receiving, 6 and 7 no context
/// takeover in the one and in the other direction.
inline agreement agreed_by(unsigned byte) {
    constexpr std::uint8_t bits[] = {15, 8, 9, 15};
    const deflate_agreement agreed{.send_window_bits            = bits[byte >> 2 & 3],
                                   .receive_window_bits         = bits[byte >> 4 & 3],
                                   .send_no_context_takeover    = (byte >> 6 & 1) != 0,
                                   .receive_no_context_takeover = (byte >> 7 & 1) != 0};
    return {.extension = &deflate_number(byte).factory(), .parameters = to_parameters(agreed)};
}

/// The other side's view of the same agreement.
inline agreement seen_by_peer(agreement agreed) {
    auto& values = agreed.parameters.values;
    std::swap(values[0], values[1]);
    std::swap(values[2], values[3]);
    return agreed;
}

/// What the connections of one input may take, however much their messages inflate to: four compressors and
/// decompressors with the largest window, 128 + 8 and 32 + 12 KiB each, and what is kept of a context.
inline constexpr std::size_t deflate_memory_bound = std::size_t{4} * (180 + 64) * 1024;

inline void must_have_given_back() {
    must(deflate_heap::grown() <= deflate_memory_bound, "compression has a bound for its memory");
    static unsigned runs = 0;
    if (++runs % 256 != 0) return;
    for (unsigned n = 0; n < 4; ++n) const_cast<permessage_deflate&>(deflate_number(n)).release_idle();
    must(deflate_heap::live() == 0, "all memory of compression comes back");
}

} // namespace fuzz
