// The conditions of known.tsv: `code A-B`: the Close that navette complains of has a code from A to B.
#include "known.hpp"

#include <algorithm>
#include <fstream>
#include <ostream>
#include <sstream>
#include <stdexcept>

namespace differential {

namespace {

bool holds(const std::string& condition, const difference& d) {
    if (condition.empty()) return true;
    std::istringstream words(condition);
    std::string what, codes;
    words >> what >> codes;
    const std::size_t dash = codes.find('-');
    if (what != "code" || dash == std::string::npos)
        throw std::runtime_error("unknown condition: " + condition);
    if (d.broken_by.size() < 2) return false;
    const auto byte     = [&](std::size_t i) { return static_cast<unsigned char>(d.broken_by[i]); };
    const unsigned code = byte(0) * 256u + byte(1);
    return std::stoul(codes.substr(0, dash)) <= code && code <= std::stoul(codes.substr(dash + 1));
}

} // namespace

known_differences::known_differences(const std::string& file) {
    std::ifstream lines(file);
    if (!lines) throw std::runtime_error("cannot read " + file);
    for (std::string line; std::getline(lines, line);) {
        if (line.empty() || line[0] == '#') continue;
        std::vector<std::string> cells(1);
        for (const char c : line)
            if (c == '\t') cells.emplace_back();
            else cells.back() += c;
        if (cells.size() != 7) throw std::runtime_error("not seven cells: " + line);
        known_difference k{cells[0], cells[1], cells[2], cells[3], cells[4], cells[5], cells[6]};
        const auto same = [&](const known_difference& other) {
            return other.partner == k.partner && other.navette == k.navette && other.theirs == k.theirs &&
                   other.only_if == k.only_if;
        };
        if (std::any_of(all_.begin(), all_.end(), same)) throw std::runtime_error("twice: " + line);
        all_.push_back(std::move(k));
    }
}

const known_difference* known_differences::find(std::string_view partner, const difference& d) const {
    for (const known_difference& k : all_)
        if (k.partner == partner && k.navette == d.navette && k.theirs == d.theirs && holds(k.only_if, d)) return &k;
    return nullptr;
}

void known_differences::write_table(std::ostream& out) const {
    out << "| Partner | Row | navette | The partner | What differs |\n| --- | --- | --- | --- | --- |\n";
    for (const known_difference& k : all_)
        out << "| " << k.partner << " | " << k.row << " | " << k.navette << (k.only_if.empty() ? "" : ", ") << k.only_if
            << " | " << k.theirs << " | " << k.sentence << " |\n";
}

} // namespace differential
