// What all bodies share: the first part of an input, which says how the rest is played; pieces of the rest in memory of
// their exact size; what came of it, written down so that two runs can be compared; and `must`.
// Nothing here allocates: the targets are to run a hundred thousand times a second.
#pragma once

#include <navette/base/buffer.hpp>
#include <navette/base/bytes.hpp>
#include <navette/base/role.hpp>
#include <navette/codec/entropy.hpp>
#include <navette/codec/vector.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace fuzz {

using namespace navette;

/// Bytes of an input that are looked at, at most.
inline constexpr std::size_t max_input = 4096;

/// The property that every target states: prints the sentence and aborts if it does not hold.
inline void must(bool holds, const char* sentence) noexcept {
    if (holds) [[likely]] return;
    std::fprintf(stderr, "BROKEN: %s\n", sentence);
    std::abort();
}

/// Sizes of the pieces that a transport cuts its bytes into, in rotation.
struct cuts {
    std::size_t sizes[3];
};
inline constexpr cuts uncut{{max_input, max_input, max_input}};
inline constexpr cuts every_byte{{1, 1, 1}};

/// An input: one byte of options, three that say how the rest is cut, each the size of a piece (0: 256 bytes), and the
/// rest. What is missing reads as 0. Targets that want more options take further bytes off the front.
class input {
    const_byte_span all_;
    unsigned        options_ = 0;
    cuts            cuts_{};

public:
    explicit input(const_byte_span data) noexcept : all_(data.first(lesser(data.size(), max_input))) {
        options_ = byte();
        for (std::size_t& size : cuts_.sizes) {
            const unsigned n = byte();
            size             = n == 0 ? 256 : n;
        }
    }

    bool            option(unsigned bit) const noexcept { return (options_ >> bit & 1) != 0; }
    unsigned options(unsigned bit, unsigned count) const noexcept { return options_ >> bit & ((1u << count) - 1); }
    const cuts&     as_cut() const noexcept { return cuts_; }
    const_byte_span rest() const noexcept { return all_; }
    std::string_view text() const noexcept { return as_text(all_); }
    bool            empty() const noexcept { return all_.empty(); }

    unsigned byte() noexcept {
        if (all_.empty()) return 0;
        const auto taken = std::to_integer<unsigned>(all_.front());
        all_             = all_.subspan(1);
        return taken;
    }
    const_byte_span bytes(std::size_t n) noexcept {
        const const_byte_span taken = all_.first(lesser(n, all_.size()));
        all_                        = all_.subspan(taken.size());
        return taken;
    }
};

/// Memory with the address sanitizer's guards on both sides, which arrays that are inline variables do not have.
template <std::size_t Size>
class place {
    std::byte* const bytes_ = new std::byte[Size];   // for good

public:
    operator byte_span() const noexcept { return {bytes_, Size}; }
    std::byte* data() const noexcept { return bytes_; }
    byte_span  first(std::size_t n) const noexcept {
        must(n <= Size, "an input fits into its place");
        return {bytes_, n};
    }
    /// The `n` bytes in front of the guard, so that who reads or writes behind them is seen.
    byte_span last(std::size_t n) const noexcept {
        must(n <= Size, "an input fits into its place");
        return {bytes_ + Size - n, n};
    }
    static constexpr std::size_t size() noexcept { return Size; }
};

/// Bytes that may be written, with the guard behind them. One at a time.
inline const place<max_input> piece_place;
inline byte_span in_place(const_byte_span bytes) noexcept {
    const byte_span copy = piece_place.last(bytes.size());
    if (bytes.size() == 1) copy[0] = bytes[0];  // what the sanitizer puts around memcpy costs more than the rest
    else if (!bytes.empty()) std::memcpy(copy.data(), bytes.data(), bytes.size());
    return copy;
}

/// Calls `use(piece)` for each piece; behind it the piece is overwritten, so that whoever kept a view of it shows.
template <class Use>
void for_each_piece(const_byte_span bytes, const cuts& cut, Use use) {
    for (std::size_t i = 0; !bytes.empty(); i = i == 2 ? 0 : i + 1) {
        const std::size_t n     = lesser(cut.sizes[i], bytes.size());
        const byte_span   piece = in_place(bytes.first(n));
        use(piece);
        if (n == 1) piece[0] = std::byte{0xdd};
        else std::memset(piece.data(), 0xdd, n);
        bytes = bytes.subspan(n);
    }
}

/// What came of a run, as bytes. What finds no room is left out, in every run alike.
class transcript {
    std::size_t size_ = 0;
    std::byte   bytes_[16 * max_input];

public:
    void clear() noexcept { size_ = 0; }
    void add(const_byte_span bytes) noexcept {
        const std::size_t n = lesser(bytes.size(), sizeof bytes_ - size_);
        if (n != 0) std::memcpy(bytes_ + size_, bytes.data(), n);
        size_ += n;
    }
    void add(std::string_view text) noexcept { add(as_bytes(text)); }
    template <class Number>
        requires(!std::is_convertible_v<Number, const_byte_span> && !std::is_convertible_v<Number, std::string_view>)
    void add(Number n) noexcept {
        std::byte place[8];
        store_be64(place, static_cast<std::uint64_t>(n));
        add(const_byte_span(place));
    }
    void            resize(std::size_t size) noexcept { size_ = size; }
    byte_span       bytes() noexcept { return {bytes_, size_}; }
    const_byte_span bytes() const noexcept { return {bytes_, size_}; }
    bool            empty() const noexcept { return size_ == 0; }
    std::size_t     size() const noexcept { return size_; }
    friend bool     operator==(const transcript& a, const transcript& b) noexcept {
        return a.size_ == b.size_ && std::memcmp(a.bytes_, b.bytes_, a.size_) == 0;
    }
};

/// Masking keys that are the same in every run.
struct counted_keys {
    std::uint32_t drawn = 0;
    static bool   fill(void* self, byte_span out) noexcept {
        const std::uint32_t n = ++static_cast<counted_keys*>(self)->drawn * 2'654'435'761u;
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::byte>(n >> 8 * (i % 4) & 0xff);
        return true;
    }
    entropy source() noexcept { return {&fill, this}; }
};

/// Calls `use()` with each set of instructions that this machine has.
template <class Use>
void with_each_instruction_set(Use use) {
    using enum instruction_set;
    for (const instruction_set set : {portable, ssse3, avx2, avx512, neon})
        if (use_instruction_set(set)) use();
}

} // namespace fuzz

/// What a target is: plays one input, and says whether it reached an accepted state.
bool fuzz_one(fuzz::input in);
