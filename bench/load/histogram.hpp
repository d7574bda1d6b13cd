// A histogram of times: buckets that are narrow in proportion to what they hold, so that a nanosecond and a minute take
// the same place and are told equally well. A percentile is at most 1.6 % above the value it stands for, never below.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace load {

class histogram {
    // 64 buckets for each power of two; below 64 each value has its own.
    static constexpr unsigned fine_bits = 6;
    static constexpr std::size_t fine   = std::size_t{1} << fine_bits;

    std::array<std::uint64_t, (64 - fine_bits + 1) * fine> counts_{};
    std::uint64_t total_ = 0, max_ = 0;
    double sum_ = 0;

    static constexpr std::size_t bucket_of(std::uint64_t value) {
        if (value < fine) return static_cast<std::size_t>(value);
        const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - fine_bits - 1;
        return (shift + 1) * fine + static_cast<std::size_t>((value >> shift) - fine);
    }

    static constexpr std::uint64_t last_of(std::size_t bucket) {
        if (bucket < fine) return bucket;
        const unsigned shift = static_cast<unsigned>(bucket / fine) - 1;
        return ((static_cast<std::uint64_t>(bucket % fine + fine) + 1) << shift) - 1;
    }

public:
    /// Adds `times` values of `value` nanoseconds.
    void record(std::uint64_t value, std::uint64_t times = 1) {
        counts_[bucket_of(value)] += times;
        total_ += times;
        sum_ += static_cast<double>(value) * static_cast<double>(times);
        if (value > max_) max_ = value;
    }

    std::uint64_t total() const { return total_; }
    std::uint64_t max() const { return max_; }
    double mean() const { return total_ == 0 ? 0 : sum_ / static_cast<double>(total_); }

    /// The value that a share of all, above 0 and at most 1, does not exceed; 0 if there is none.
    std::uint64_t at(double share) const {
        const auto rank = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(total_)));
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            seen += counts_[i];
            if (seen >= rank && seen != 0) return last_of(i) < max_ ? last_of(i) : max_;
        }
        return max_;
    }
};

} // namespace load
