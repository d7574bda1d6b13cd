// UTF-8, checked as it comes (RFC 3629; RFC 6455, 8.1): resumable at every byte, and failed at the first byte after
// which no continuation can be valid. Decodes nothing.
#pragma once

#include <navette/base/bytes.hpp>
#include <navette/codec/mask.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace navette {

namespace detail {

// Where a text stands between two bytes. After E0, ED, F0 and F4 the next byte has a range of its own, which keeps out
// overlong forms, surrogates and what is above U+10FFFF.
enum class utf8_state : std::uint8_t {
    boundary, one_left, two_left, three_left, after_e0, after_ed, after_f0, after_f4, failed
};
inline constexpr std::size_t utf8_state_count = 9;

// The grammar of RFC 3629, 4, one byte at a time.
constexpr utf8_state next_utf8_state(utf8_state state, unsigned byte) noexcept {
    using enum utf8_state;
    const auto in = [byte](unsigned low, unsigned high) { return low <= byte && byte <= high; };
    switch (state) {
    case boundary:
        if (in(0x00, 0x7f)) return boundary;
        if (in(0xc2, 0xdf)) return one_left;
        if (byte == 0xe0)   return after_e0;
        if (byte == 0xed)   return after_ed;
        if (in(0xe1, 0xef)) return two_left;
        if (byte == 0xf0)   return after_f0;
        if (in(0xf1, 0xf3)) return three_left;
        if (byte == 0xf4)   return after_f4;
        return failed;
    case one_left:   return in(0x80, 0xbf) ? boundary : failed;
    case two_left:   return in(0x80, 0xbf) ? one_left : failed;
    case three_left: return in(0x80, 0xbf) ? two_left : failed;
    case after_e0:   return in(0xa0, 0xbf) ? one_left : failed;
    case after_ed:   return in(0x80, 0x9f) ? one_left : failed;
    case after_f0:   return in(0x90, 0xbf) ? two_left : failed;
    case after_f4:   return in(0x80, 0x8f) ? two_left : failed;
    case failed:     break;
    }
    return failed;
}

// The same as one word for each byte: a state is held as the bit at which the word keeps its successor, six bits wide,
// so that a step is one load and one shift, whatever the text.
constexpr std::uint8_t utf8_shift(utf8_state state) noexcept {
    return static_cast<std::uint8_t>(6 * static_cast<unsigned>(state));
}

inline constexpr std::array<std::uint64_t, 256> utf8_steps = [] {
    // Up to each of these ends the bytes are alike; evaluating all 256 would cost whoever includes this a tenth more.
    constexpr unsigned ends[] = {0x80, 0x90, 0xa0, 0xc0, 0xc2, 0xe0, 0xe1, 0xed, 0xee, 0xf0, 0xf1, 0xf4, 0xf5, 0x100};
    std::array<std::uint64_t, 256> steps{};
    unsigned byte = 0;
    for (const unsigned end : ends) {
        std::uint64_t word = 0;
        for (std::size_t i = 0; i < utf8_state_count; ++i) {
            const auto from = static_cast<utf8_state>(i);
            word |= std::uint64_t{utf8_shift(next_utf8_state(from, byte))} << utf8_shift(from);
        }
        while (byte < end) steps[byte++] = word;
    }
    return steps;
}();

inline constexpr std::size_t   ascii_block = 16;
inline constexpr std::size_t   vector_text = 32;   // not all ASCII: from this size on vector code is worth its call
inline constexpr std::uint64_t not_ascii   = 0x8080808080808080;

inline bool is_ascii_block(const void* text) noexcept {
    std::uint64_t words[ascii_block / 8];
    std::memcpy(words, text, sizeof words);
    return ((words[0] | words[1]) & not_ascii) == 0;
}

// How many bytes at its front are ASCII, in whole blocks.
inline std::size_t ascii_blocks(const std::byte* text, std::size_t size) noexcept {
    std::size_t i = 0;
    while (size - i >= ascii_block && is_ascii_block(text + i)) i += ascii_block;
    return i;
}

// The place before the last lead byte, if that is one of the last three bytes; else behind the text. Of valid text
// that may lack its end, a place between two characters.
inline std::size_t last_lead(const std::byte* text, std::size_t size) noexcept {
    for (std::size_t n = 1; n <= 3 && n <= size; ++n) {
        const auto byte = static_cast<unsigned>(text[size - n]);
        if (byte < 0x80) break;
        if (byte >= 0xc0) return size - n;
    }
    return size;
}

// Of valid text that may lack its end, the last place between two characters, or the one before. Mostly it lacks nothing:
// no lead byte asks for more than there is. Which bytes stand at the end nobody can predict.
inline std::size_t last_boundary(const std::byte* text, std::size_t size) noexcept {
    const bool is_whole = size >= 3 && !((text[size - 1] >= std::byte{0xc0}) | (text[size - 2] >= std::byte{0xe0}) |
                                         (text[size - 3] >= std::byte{0xf0}));
    return is_whole ? size : last_lead(text, size);
}

} // namespace detail

/// Validates a text that comes in pieces, however it is cut (RFC 6455, 5.6: a character may straddle frames).
/// One byte of state.
///
///     utf8_validator text;
///     if (text.feed(piece) != piece.size()) ...   // 1007, now
///     if (last && !text.complete()) ...           // 1007: the message ends inside a character
class utf8_validator {
    static constexpr std::uint8_t at_boundary = detail::utf8_shift(detail::utf8_state::boundary);
    static constexpr std::uint8_t at_failure  = detail::utf8_shift(detail::utf8_state::failed);

    // Invariant: the shift of a utf8_state.
    std::uint8_t shift_ = at_boundary;

    // Only the lowest six bits of the result are the state; the next step ignores the rest.
    template <class Char>
    static constexpr std::uint64_t step(std::uint64_t state, Char c) noexcept {
        return detail::utf8_steps[static_cast<unsigned char>(c)] >> (state & 63);
    }

    // Byte by byte, from `i` on; returns where it stopped.
    template <class Char>
    constexpr std::size_t walk(const Char* text, std::size_t i, std::size_t end) noexcept {
        std::uint64_t state = shift_;
        for (; i < end; ++i) {
            state = step(state, text[i]) & 63;
            if (state == at_failure) break;
        }
        shift_ = static_cast<std::uint8_t>(state);
        return i;
    }

    // The same in blocks, of which those that are all ASCII are skipped.
    NAVETTE_NEVER_INLINE std::size_t walk_blocks(const std::byte* text, std::size_t i, std::size_t end) noexcept {
        std::uint64_t state = shift_;
        while (end - i >= detail::ascii_block) {
            if (state == at_boundary && detail::is_ascii_block(text + i)) {
                i += detail::ascii_blocks(text + i, end - i);
                continue;
            }
            std::uint64_t after = state;
            for (std::size_t k = 0; k < detail::ascii_block; ++k) after = step(after, text[i + k]);
            after &= 63;
            if (after == at_failure) break;  // walk finds the byte
            state = after;
            i += detail::ascii_block;
        }
        shift_ = static_cast<std::uint8_t>(state);
        return walk(text, i, end);
    }

    // Vector code begins and ends between two characters, as `text` and the place that is returned do.
    std::size_t skip_valid(const std::byte* text, std::size_t size) const noexcept {
        const auto valid = detail::vectors().utf8;
        return valid != nullptr ? detail::last_boundary(text, valid(text, size)) : 0;
    }

public:
    /// Takes the next piece of the text, which it does not keep. Returns the number of bytes taken: all, or the index of
    /// the first byte that no valid text can have there. From then on it has failed and takes nothing, until reset.
    constexpr std::size_t feed(const_byte_span text) noexcept {
        const std::byte* const bytes = text.data();
        if (std::is_constant_evaluated()) return walk(bytes, 0, text.size());
        std::size_t i = 0;
        if (text.size() <= detail::short_payload && shift_ == at_boundary) i = detail::ascii_blocks(bytes, text.size());
        if (text.size() - i >= detail::vector_text) {
            while (shift_ != at_boundary && !failed() && i < text.size()) i = walk(bytes, i, i + 1);
            if (shift_ == at_boundary) i += skip_valid(bytes + i, text.size() - i);
        }
        return i == text.size() ? i : walk_blocks(bytes, i, text.size());
    }
    /// The same for `size` characters, and for a view of them. The library calls the former: for a call with a view, g++
    /// has to find out whether a view converts to a span, which costs as much as a standard header.
    constexpr std::size_t feed(const char* text, std::size_t size) noexcept {
        return std::is_constant_evaluated() ? walk(text, 0, size) : feed(as_bytes(std::string_view(text, size)));
    }
    constexpr std::size_t feed(std::string_view text) noexcept { return feed(text.data(), text.size()); }

    /// No continuation can make the text valid.
    constexpr bool failed() const noexcept { return shift_ == at_failure; }

    /// What was fed so far is valid and ends between two characters.
    constexpr bool complete() const noexcept { return shift_ == at_boundary; }

    /// Begins a new text.
    constexpr void reset() noexcept { *this = {}; }
};

static_assert(sizeof(utf8_validator) == 1);

/// Whether `text` is UTF-8, whole characters only. Noncharacters such as U+FFFE are valid (RFC 3629, 3).
[[nodiscard]] constexpr bool is_valid_utf8(std::string_view text) noexcept {
    utf8_validator validator;
    validator.feed(text.data(), text.size());
    return validator.complete();
}

[[nodiscard]] constexpr bool is_valid_utf8(const_byte_span text) noexcept {
    utf8_validator validator;
    validator.feed(text);
    return validator.complete();
}

namespace detail {

// In two passes. What is not all ASCII stays in the first-level cache from the one to the other.
inline std::size_t unmask_then_feed(byte_span payload, mask_word mask, utf8_validator& text) noexcept {
    constexpr std::size_t longest_piece = 4096;
    std::size_t taken = 0;
    while (!payload.empty()) {
        const byte_span piece = payload.first(lesser(payload.size(), longest_piece));
        const mask_word all   = mask_portably(piece.data(), piece.data(), piece.size(), mask);
        const bool      ascii = (all & not_ascii) == 0 && text.complete();
        taken += ascii ? piece.size() : text.feed(piece);  // nothing, once it has failed
        payload = payload.subspan(piece.size());
        mask    = rotate(mask, piece.size());
    }
    return taken;
}

// In one pass, if there is vector code for it, which begins and ends between two characters.
inline std::size_t unmask_and_feed_long(byte_span payload, mask_word mask, utf8_validator& text) noexcept {
    const auto fused = vectors().unmask_utf8;
    if (fused == nullptr) return unmask_then_feed(payload, mask, text);

    std::size_t taken = 0;
    while (!text.complete() && !text.failed() && !payload.empty()) {
        taken += unmask_then_feed(payload.first(1), mask, text);
        payload = payload.subspan(1);
        mask    = rotate(mask, 1);
    }
    if (text.failed()) return taken + unmask_then_feed(payload, mask, text);

    const std::size_t valid = fused(payload.data(), payload.size(), mask);
    mask_portably(payload.data() + valid, payload.data() + valid, payload.size() - valid, rotate(mask, valid));
    const std::size_t boundary = last_boundary(payload.data(), valid);
    return taken + boundary + text.feed(payload.subspan(boundary));
}

} // namespace detail

/// Unmasks all of `payload` in place, as apply_mask does, and feeds it to `text`. Returns what feed would have
/// returned: payload.size(), or the index of the first impossible byte; what lies behind it is unmasked all the same.
NAVETTE_ALWAYS_INLINE std::size_t unmask_and_feed(byte_span payload, masking_key key, std::size_t offset,
                                                  utf8_validator& text) noexcept {
    const detail::mask_word mask = detail::mask_of(key, offset);
    if (payload.size() > detail::short_payload) return detail::unmask_and_feed_long(payload, mask, text);
    const detail::mask_word all = detail::mask_short(payload.data(), payload.data(), payload.size(), mask);
    return (all & detail::not_ascii) == 0 && text.complete() ? payload.size() : text.feed(payload);
}

} // namespace navette
