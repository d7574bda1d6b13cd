// UTF-8 (RFC 3629): the validator, whole, cut and together with unmasking, on each set of instructions, against one
// that compares every character with the bit patterns and ranges of the RFC.
#pragma once

#include "bodies/fuzz.hpp"

#include <navette/codec/utf8.hpp>

namespace fuzz {

struct utf8_verdict {
    std::size_t taken    = 0;     // all, or the index of the first impossible byte
    bool        complete = true;
    friend bool operator==(const utf8_verdict&, const utf8_verdict&) = default;
};

// Where each byte may stand (RFC 3629, 4), one line of the grammar a line.
inline utf8_verdict utf8_by_the_grammar(const_byte_span text) noexcept {
    struct range { unsigned first, last; };
    struct form { range lead; range second; std::size_t size; };
    constexpr form forms[] = {
        {{0x00, 0x7f}, {0, 0}, 1},       {{0xc2, 0xdf}, {0x80, 0xbf}, 2}, {{0xe0, 0xe0}, {0xa0, 0xbf}, 3},
        {{0xe1, 0xec}, {0x80, 0xbf}, 3}, {{0xed, 0xed}, {0x80, 0x9f}, 3}, {{0xee, 0xef}, {0x80, 0xbf}, 3},
        {{0xf0, 0xf0}, {0x90, 0xbf}, 4}, {{0xf1, 0xf3}, {0x80, 0xbf}, 4}, {{0xf4, 0xf4}, {0x80, 0x8f}, 4},
    };
    const auto is_in = [](std::byte b, range r) { return unsigned(b) >= r.first && unsigned(b) <= r.last; };
    for (std::size_t i = 0; i < text.size();) {
        if (is_in(text[i], forms[0].lead)) {
            ++i;
            continue;
        }
        const form* found = nullptr;
        for (const form& f : forms)
            if (is_in(text[i], f.lead)) found = &f;
        if (found == nullptr) return {i, false};
        for (std::size_t k = 1; k < found->size; ++k) {
            if (i + k == text.size()) return {i + k, false};
            if (!is_in(text[i + k], k == 1 ? found->second : range{0x80, 0xbf})) return {i + k, false};
        }
        i += found->size;
    }
    return {text.size(), true};
}

// What the table of the validator is made from at compile time.
inline utf8_verdict utf8_by_states(const_byte_span text) noexcept {
    auto state = detail::utf8_state::boundary;
    for (std::size_t i = 0; i < text.size(); ++i) {
        state = detail::next_utf8_state(state, std::to_integer<unsigned>(text[i]));
        if (state == detail::utf8_state::failed) return {i, false};
    }
    return {text.size(), state == detail::utf8_state::boundary};
}

template <class Feed>
utf8_verdict utf8_in_pieces(const_byte_span text, const cuts& cut, Feed feed) {
    utf8_validator validator;
    std::size_t    taken = 0, seen = 0;
    validator.feed("\xff");
    validator.reset();
    for_each_piece(text, cut, [&](byte_span piece) {
        const bool        failed = validator.failed();
        const std::size_t n      = feed(validator, piece, seen);
        must(n == piece.size() || validator.failed(), "who does not take all of a piece has failed");
        must(!failed || n == 0, "who has failed takes nothing");
        taken += n;
        seen += piece.size();
    });
    return {taken, validator.complete()};
}

inline bool utf8(input in) {
    const const_byte_span text   = in.rest();
    const utf8_verdict    wanted = utf8_by_the_grammar(text);
    const masking_key     key{std::byte{0x37}, std::byte(in.options(0, 8)), std::byte{0x21}, std::byte{0x80}};
    const auto plainly  = [](utf8_validator& v, byte_span piece, std::size_t) { return v.feed(piece); };
    const auto unmasked = [&](utf8_validator& v, byte_span piece, std::size_t at) {
        for (std::size_t i = 0; i < piece.size(); ++i) piece[i] ^= key[(at + i) % 4];
        const std::size_t taken = unmask_and_feed(piece, key, at, v);
        must(std::memcmp(piece.data(), text.data() + at, piece.size()) == 0,
             "all of a piece is unmasked, valid or not");
        return taken;
    };
    const auto check = [&](const cuts& cut, auto feed) {
        must(utf8_in_pieces(text, cut, feed) == wanted, "UTF-8 is what the grammar says, however it is cut");
    };
    with_each_instruction_set([&] {
        check(uncut, plainly);
        check(in.as_cut(), unmasked);
    });
    check(in.as_cut(), plainly);
    check(uncut, unmasked);
    if (in.option(0)) check(every_byte, plainly);
    must(utf8_by_states(text) == wanted, "the states that the table is made of are the grammar");
    must(is_valid_utf8(in.text()) == wanted.complete && is_valid_utf8(text) == wanted.complete,
         "a text is valid if it is complete");
    return wanted.complete && !text.empty();
}

} // namespace fuzz
