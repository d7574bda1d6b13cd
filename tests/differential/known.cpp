// The conditions of known.tsv. They read the input for themselves, so that a difference in which navette is wrong is not
// taken for the known one:
//
//     code A-B          the Close that it is about has a code from A to B
//     cut off           the partner delivers a text that ends within a character
//     in pieces         the input was cut
//     line RE           a line of the head, without CR LF, matches; `bad line RE`: one does not
//     bad ends          a line of the head does not end in CR LF, or holds another CR
//     start RE          the first line matches; `bad start RE`: it does not
//     some NAME RE      a field of that name has a value that matches
//     bad NAME RE       such a field is there, and not one alone with a value that matches
//     no NAME RE        the same, or there is none
//     lacks NAME TOKEN  no field of that name has the token among its elements, in any case
//     repeats NAME      elements of the lists of that name are equal, or no tokens
//
// Two of them are joined by ` && `. Regular expressions are POSIX's; bytes that do not print stand in them as <NN>.
#include "known.hpp"

#include "hex.hpp"

#include <regex.h>
#include <strings.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <ostream>
#include <stdexcept>

namespace differential {

namespace {

using lines = std::vector<std::string>;

bool matches(const std::string& text, const std::string& expression) {
    static std::map<std::string, regex_t> compiled;
    auto [at, is_new] = compiled.try_emplace(expression);
    if (is_new && regcomp(&at->second, expression.c_str(), REG_EXTENDED | REG_NOSUB) != 0)
        throw std::runtime_error("no regular expression: " + expression);
    return regexec(&at->second, text.c_str(), 0, nullptr, 0) == 0;
}

std::string trimmed(const std::string& text) {
    const std::size_t begin = text.find_first_not_of(" \t");
    if (begin == std::string::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

lines split(const std::string& text, char at) {
    lines all(1);
    for (const char c : text)
        if (c == at) all.emplace_back();
        else all.back() += c;
    return all;
}

// Each line with its CR if it has one, up to the empty one that ends the head. Another may stand in front.
lines lines_of(const input& from) {
    lines all = split(from.bytes, '\n');
    std::size_t end = 1;
    while (end < all.size() && !all[end].empty() && all[end] != "\r") ++end;
    all.resize(std::min(end + 1, all.size()));
    return all;
}

lines without_ends(lines all) {
    if (all.size() > 1) all.pop_back();
    for (std::string& line : all)
        if (!line.empty() && line.back() == '\r') line.pop_back();
    return all;
}

lines values_of(const lines& head, const std::string& name) {
    lines values;
    for (const std::string& line : head) {
        const std::size_t colon = line.find(':');
        if (colon == name.size() && strncasecmp(line.c_str(), name.c_str(), colon) == 0)
            values.push_back(trimmed(line.substr(colon + 1)));
    }
    return values;
}

// A comma within a quoted string parts nothing.
lines elements_of(const lines& head, const std::string& name) {
    lines elements;
    for (const std::string& value : values_of(head, name)) {
        bool quoted = false;
        elements.emplace_back();
        for (const char c : value) {
            if (c == '"') quoted = !quoted;
            if (c == ',' && !quoted) elements.emplace_back();
            else elements.back() += c;
        }
    }
    for (std::string& element : elements) element = trimmed(element);
    return elements;
}

bool has_bad_ends(const lines& head) {
    return std::any_of(head.begin(), head.end(), [](const std::string& line) {
        return line.find('\r') != line.size() - 1 || line.empty();
    });
}

bool repeats(const lines& head, const std::string& name) {
    lines elements = elements_of(head, name);
    elements.erase(std::remove(elements.begin(), elements.end(), ""), elements.end());
    std::sort(elements.begin(), elements.end());
    const bool no_token = std::any_of(elements.begin(), elements.end(), [](const std::string& one) {
        return !matches(readable(one), "^[]!#$%&'*+.^_`|~0-9A-Za-z-]+$") || one.find(']') != std::string::npos;
    });
    return no_token || elements.empty() ||
           std::adjacent_find(elements.begin(), elements.end()) != elements.end();
}

bool is_within(const std::string& range, const std::string& about) {
    const std::size_t dash = range.find('-');
    if (dash == std::string::npos) throw std::runtime_error("no range of codes: " + range);
    if (about.size() < 2) return false;
    const unsigned code = static_cast<unsigned char>(about[0]) * 256u + static_cast<unsigned char>(about[1]);
    return std::stoul(range.substr(0, dash)) <= code && code <= std::stoul(range.substr(dash + 1));
}

bool is_cut_off(const std::string& message) {
    for (std::size_t n = 1; n <= 3 && n < message.size(); ++n) {
        const unsigned byte = static_cast<unsigned char>(message[message.size() - n]);
        if (byte >= 0xc2) return n < (byte >= 0xf0 ? 4u : byte >= 0xe0 ? 3u : 2u);
        if (byte < 0x80) return false;
    }
    return false;
}

bool one_holds(const std::string& condition, const input& from, const difference& d) {
    const std::size_t first = condition.find(' '), second = condition.find(' ', first + 1);
    const std::string what  = condition.substr(0, first);
    const std::string word  = first == std::string::npos ? "" : condition.substr(first + 1, second - first - 1);
    const std::string rest  = second == std::string::npos ? "" : condition.substr(second + 1);
    const std::string after = first == std::string::npos ? "" : condition.substr(first + 1);
    if (what == "code") return is_within(after, d.about);
    if (condition == "cut off") return is_cut_off(d.delivered);
    if (condition == "in pieces") return !from.cuts.empty();

    const lines raw  = lines_of(from);
    const lines head = without_ends(raw);
    const auto match = [&](const std::string& line) { return matches(readable(line), word == "line" ? rest : after); };
    if (condition == "bad ends") return has_bad_ends(raw);
    if (what == "line") return std::any_of(head.begin() + 1, head.end(), match);
    if (what == "bad" && word == "line") return !std::all_of(head.begin() + 1, head.end(), match);
    if (what == "start") return matches(readable(head[0]), after);
    if (what == "bad" && word == "start") return !matches(readable(head[0]), rest);
    const lines values = values_of(head, word);
    const auto fits    = [&](const std::string& value) { return matches(readable(value), rest); };
    if (what == "some") return std::any_of(values.begin(), values.end(), fits);
    if (what == "bad") return !values.empty() && (values.size() > 1 || !fits(values[0]));
    if (what == "no") return values.size() != 1 || !fits(values[0]);
    if (what == "repeats") return repeats(head, word);
    if (what == "lacks") {
        const lines elements = elements_of(head, word);
        return std::none_of(elements.begin(), elements.end(),
                            [&](const std::string& one) { return strcasecmp(one.c_str(), rest.c_str()) == 0; });
    }
    throw std::runtime_error("unknown condition: " + condition);
}

bool holds(const std::string& conditions, const input& from, const difference& d) {
    static const std::string joint = " && ";
    std::size_t begin = 0;
    while (begin < conditions.size()) {
        const std::size_t end = std::min(conditions.find(joint, begin), conditions.size());
        if (!one_holds(conditions.substr(begin, end - begin), from, d)) return false;
        begin = end + joint.size();
    }
    return true;
}

} // namespace

known_differences::known_differences(const std::string& file) {
    std::ifstream text(file);
    if (!text) throw std::runtime_error("cannot read " + file);
    for (std::string line; std::getline(text, line);) {
        if (line.empty() || line[0] == '#') continue;
        const lines cells = split(line, '\t');
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

const known_difference* known_differences::find(std::string_view partner, const input& from,
                                                const difference& d) const {
    for (const known_difference& k : all_)
        if (k.partner == partner && k.navette == d.navette && k.theirs == d.theirs && holds(k.only_if, from, d)) return &k;
    return nullptr;
}

void known_differences::write_table(std::ostream& out) const {
    out << "| Partner | Row | navette | The partner | What differs |\n| --- | --- | --- | --- | --- |\n";
    for (const known_difference& k : all_)
        out << "| " << k.partner << " | " << k.row << " | " << k.navette << " | " << k.theirs << " | " << k.sentence << " |\n";
}

} // namespace differential
