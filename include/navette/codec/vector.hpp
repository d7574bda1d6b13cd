// Vector code for the codec: which instructions this machine has, and the functions that use them. Chosen once, at run
// time, so that a program compiled for any processor of its family uses what the one it runs on has. With other
// compilers than GCC and clang, and on other processors than x86-64 and AArch64, the portable code does all.
#pragma once

#include <navette/base/config.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>

#if defined(__GNUC__) && defined(__x86_64__)
#  define NAVETTE_VECTOR_X86 1
#elif defined(__GNUC__) && defined(__aarch64__) && defined(__ARM_NEON) && !defined(__AARCH64EB__)
#  define NAVETTE_VECTOR_NEON 1
#endif

namespace navette {

/// What the codec can be told to use. `avx512`: its F, BW and VL parts. SHA-1 uses the processor's SHA extensions
/// with every set but `portable`.
enum class instruction_set : std::uint8_t { portable, ssse3, avx2, avx512, neon };

namespace detail {

// Up to this size the inline code is faster than a call.
inline constexpr std::size_t short_payload = 64;

// Eight bytes of masking key, as they lie in memory, so that byte i masks byte i: a key that goes through bytes in memory
// makes the next load wait for them.
using mask_word = std::uint64_t;

// The key as it stands `offset` bytes into a payload.
constexpr mask_word rotate(mask_word mask, std::size_t offset) noexcept {
    const unsigned bits = 8 * (offset & 3);
    if (std::endian::native == std::endian::little) return mask >> bits | mask << ((64 - bits) & 63);
    return mask << bits | mask >> ((64 - bits) & 63);
}

// Where a field line has its colon, and where its value ends; 0: this was not found.
struct field_line_parts {
    std::size_t colon = 0, end = 0;
};

// Each function reads and writes no byte but those that it is given, at any alignment. A null pointer: there is only the
// portable code.
struct vector_code {
    instruction_set set;

    // What copy_masked does. Precondition: size > short_payload.
    void (*mask)(std::byte* to, const std::byte* from, std::size_t size, mask_word mask) noexcept;

    // Validates text that begins between two characters. Returns `size`, or how many bytes come before the block in
    // which the first wrong byte lies. The last of those returned may begin a character that is not whole.
    std::size_t (*utf8)(const std::byte* text, std::size_t size) noexcept;

    // The same for masked text, which it unmasks in place: exactly as many bytes as it returns.
    std::size_t (*unmask_utf8)(std::byte* text, std::size_t size, mask_word mask) noexcept;

    // Hashes one block of 64 bytes into the five words of the state.
    void (*sha1)(std::uint32_t* state, const std::byte* block) noexcept;

    // Finds the parts of the field line at the front of a text (RFC 9112, 5): a name, which is a token of at most 31
    // characters, a colon, and what characters from SP to `~` there are behind it. Finds nothing in less than 32.
    field_line_parts (*field_line)(const char* text, std::size_t size) noexcept;
};

// Null until the first use. Whoever is first sets it; all set it to the same.
inline const vector_code* chosen_vector_code = nullptr;
const vector_code* vector_code_of(instruction_set) noexcept;  // null: not supported
const vector_code& choose_vector_code() noexcept;

inline const vector_code& vectors() noexcept {
#if defined(__GNUC__)
    const vector_code* const chosen = __atomic_load_n(&chosen_vector_code, __ATOMIC_ACQUIRE);
#else
    const vector_code* const chosen = chosen_vector_code;  // there is only one to choose
#endif
    return chosen != nullptr ? *chosen : choose_vector_code();
}

} // namespace detail

/// Whether this program has code for `set` and this machine can run it. `portable` it always can.
bool is_supported(instruction_set set) noexcept;

/// The set in use: the best one that is supported, unless use_instruction_set has lowered it.
instruction_set instruction_set_in_use() noexcept;

/// Makes the codec use `set` from now on, in all threads; false: it is not supported. For tests and measurements.
bool use_instruction_set(instruction_set set) noexcept;

} // namespace navette

#if !defined(NAVETTE_SEPARATE_COMPILATION)
#  include <navette/codec/vector.ipp>
#endif
