// Inputs by number: conversations and upgrade requests that are valid, and then many that are damaged. The same seed and
// number make the same input on every machine.
#pragma once

#include "partner.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace differential {

/// Numbers that only look random: a counter that is mixed (splitmix64).
class numbers {
    std::uint64_t state_;

public:
    explicit numbers(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        std::uint64_t n = state_ += 0x9e3779b97f4a7c15;
        n               = (n ^ n >> 30) * 0xbf58476d1ce4e5b9;
        n               = (n ^ n >> 27) * 0x94d049bb133111eb;
        return n ^ n >> 31;
    }
    /// 0 to bound - 1.
    std::size_t below(std::size_t bound) { return static_cast<std::size_t>(next() % bound); }
    /// Whether a thing happens that does so once in `n` times.
    bool once_in(std::size_t n) { return below(n) == 0; }

    template <class T, std::size_t N>
    const T& one_of(const T (&all)[N]) {
        return all[below(N)];
    }
};

/// What is said in an open connection: masked for a server, unmasked for a client.
std::string conversation(numbers&, receiver);

/// A request to open a connection, and a message behind it.
std::string request(numbers&);

/// Damages bytes anywhere: flips bits, leaves out, repeats, cuts.
void damage(numbers&, std::string&);

/// The input of that number; every fifth is a request.
input generate(std::uint64_t seed, std::uint64_t number);

} // namespace differential
