// UTF-8 judged slowly and obviously: no tables, no states, straight from the bit patterns and ranges of RFC 3629, 3.
// Beside it what texts for tests are made of.
#pragma once

#include "support/catch.hpp"

#include <navette/base/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace navette {

// How many bytes a character takes that begins with `lead`; 0 if none does.
inline std::size_t character_size(unsigned lead) {
    if ((lead & 0x80) == 0x00) return 1;
    if ((lead & 0xe0) == 0xc0) return 2;
    if ((lead & 0xf0) == 0xe0) return 3;
    if ((lead & 0xf8) == 0xf0) return 4;
    return 0;
}

// Whether the encoding of some scalar value begins with `part`, one to four bytes: puts the lowest and the highest
// bits in the place of those that are missing, and looks whether a scalar value of that size lies between.
inline bool begins_a_character(const_byte_span part) {
    const auto byte = [part](std::size_t i) { return static_cast<std::uint32_t>(part[i]); };
    const std::size_t size = character_size(byte(0));
    if (size < part.size()) return false;
    if (size == 1) return true;
    std::uint32_t low = byte(0) & (0x7fu >> size), high = low;
    for (std::size_t i = 1; i < size; ++i) {
        if (i < part.size() && (byte(i) & 0xc0) != 0x80) return false;
        low = low << 6 | (i < part.size() ? byte(i) & 0x3f : 0x00);
        high = high << 6 | (i < part.size() ? byte(i) & 0x3f : 0x3f);
    }
    const auto overlaps = [=](std::uint32_t first, std::uint32_t last) {
        return low <= last && first <= high;
    };
    return size == 2 ? overlaps(0x80, 0x7ff)
         : size == 3 ? overlaps(0x800, 0xd7ff) || overlaps(0xe000, 0xffff)
                     : overlaps(0x10000, 0x10ffff);
}

struct verdict {
    std::size_t taken;      // all, or the index of the first impossible byte
    bool        complete;
    friend bool operator==(const verdict&, const verdict&) = default;
};

inline verdict judged_slowly(const_byte_span text) {
    std::size_t start = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (!begins_a_character(text.subspan(start, i + 1 - start))) return {i, false};
        if (character_size(static_cast<unsigned>(text[start])) == i + 1 - start) start = i + 1;
    }
    return {text.size(), start == text.size()};
}

// RFC 3629, 3: how a number is written.
inline std::string encoded(std::uint32_t scalar) {
    const auto tail = [scalar](unsigned shift) {
        return static_cast<char>(0x80 | (scalar >> shift & 0x3f));
    };
    if (scalar < 0x80) return {static_cast<char>(scalar)};
    if (scalar < 0x800) return {static_cast<char>(0xc0 | scalar >> 6), tail(0)};
    if (scalar < 0x10000) return {static_cast<char>(0xe0 | scalar >> 12), tail(6), tail(0)};
    return {static_cast<char>(0xf0 | scalar >> 18), tail(12), tail(6), tail(0)};
}

inline bool is_surrogate(std::uint32_t c) { return c >= 0xd800 && c <= 0xdfff; }

struct sequence {     // a small generator; the same numbers in every run
    std::uint32_t state = 1;
    std::uint32_t below(std::uint32_t bound) {
        state = state * 1664525u + 1013904223u;
        return (state >> 8) % bound;
    }
};

} // namespace navette
