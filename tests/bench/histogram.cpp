// The generator's histogram against a sorted list: of values of all sizes, each percentile is at least the true one, and at
// most a sixty-fourth above it. Prints the first that is not; status 1.
#include "load/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

namespace {

int compare(const char* what, std::vector<std::uint64_t> values) {
    load::histogram made;
    double sum = 0;
    for (const std::uint64_t value : values) {
        made.record(value);
        sum += static_cast<double>(value);
    }
    std::ranges::sort(values);
    for (const double share : {1e-9, 0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
        const auto rank          = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
        const std::uint64_t real = values[rank - 1], found = made.at(share);
        if (found >= real && static_cast<double>(found - real) <= static_cast<double>(real) / 64) continue;
        std::printf("%s: share %g is %llu, and the histogram says %llu\n", what, share, static_cast<unsigned long long>(real),
                    static_cast<unsigned long long>(found));
        return 1;
    }
    const double mean = sum / static_cast<double>(values.size());
    if (made.total() == values.size() && made.max() == values.back() && std::abs(made.mean() - mean) <= mean / 1e9) return 0;
    std::printf("%s: count, longest or mean is wrong\n", what);
    return 1;
}

} // namespace

int main() {
    std::mt19937_64 random(7);
    std::vector<std::uint64_t> all_sizes, narrow, borders;
    for (int i = 0; i < 100'000; ++i) {
        all_sizes.push_back(random() >> (random() % 64));
        narrow.push_back(20'000 + random() % 5'000);
    }
    for (unsigned bit = 0; bit < 64; ++bit)
        for (const std::uint64_t off : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}})
            borders.push_back((std::uint64_t{1} << bit) + off);

    load::histogram at_once, one_by_one;
    at_once.record(1'000, 5);
    for (int i = 0; i < 5; ++i) one_by_one.record(1'000);
    if (at_once.at(0.5) != one_by_one.at(0.5) || at_once.total() != 5 || load::histogram().at(0.5) != 0)
        return std::puts("several at once are not several, or nothing is something"), 1;
    const int wrong = compare("all sizes", all_sizes) + compare("narrow", narrow) + compare("borders", borders) +
                      compare("one", {12'345});
    return wrong == 0 ? 0 : 1;
}
