// The differences that are known, as known.tsv has them: which partner, which row of docs/conformance.md, what both say, a
// sentence, and an input that shows it.
#pragma once

#include "difference.hpp"

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace differential {

struct known_difference {
    std::string partner, row;
    std::string navette, theirs; ///< as in `difference`
    std::string only_if;         ///< a condition on the input, see known.cpp; empty: none
    std::string sentence, example;
};

class known_differences {
    std::vector<known_difference> all_;

public:
    /// Reads the file. Throws std::runtime_error if a line is malformed or stands there twice.
    explicit known_differences(const std::string& file);

    const known_difference* find(std::string_view partner, const input&, const difference&) const;
    const std::vector<known_difference>& all() const { return all_; }

    /// For docs/differential.md.
    void write_table(std::ostream&) const;
};

} // namespace differential
