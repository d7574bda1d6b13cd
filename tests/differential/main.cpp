// The differential tests: the same inputs to navette and to each partner. A difference has to be known, by what both say of
// the same violation, and each known one has to show with the input that stands beside it.
#include "difference.hpp"
#include "generator.hpp"
#include "hex.hpp"
#include "known.hpp"

#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

namespace differential {

namespace {

const partner* const partners[] = {&wslay, &beast, &websocketpp_, &wsproto};

bool takes(const partner& p, const input& from) {
    return p.has_handshake || from.to != receiver::handshake;
}

std::string as_line(const input& from) {
    std::string line(1, static_cast<char>(from.to));
    from.each_piece([&](std::string_view piece) { return line += ' ' + to_hex(piece), true; });
    return line;
}

input from_line(const std::string& line) {
    std::istringstream words(line);
    std::string word;
    input made;
    if (!(words >> word) || word.size() != 1 || std::string_view("sch").find(word[0]) == std::string_view::npos)
        throw std::invalid_argument("an input begins with s, c or h: " + line);
    made.to = static_cast<receiver>(word[0]);
    while (words >> word) {
        if (!made.bytes.empty()) made.cuts.push_back(made.bytes.size());
        made.bytes += from_hex(word);
    }
    return made;
}

std::string described(const outcome& o) {
    constexpr const char* ends[] = {"waits", "closed", "failed", "refused"};
    std::string line             = ends[static_cast<int>(o.end)];
    if (o.close != 0) line += ", writes Close " + std::to_string(o.close);
    if (!o.behind_close.empty()) line += " and " + to_hex(o.behind_close);
    if (!o.accept.empty()) line += ", accept " + o.accept;
    if (!o.why.empty()) line += ", \"" + o.why + '"';
    if (!o.broken_by.empty()) line += ", broken by " + readable(o.broken_by);
    const auto list = [&](const char* name, const std::vector<std::string>& all) {
        if (all.empty()) return;
        line += std::string(", ") + name;
        for (const std::string& one : all)
            line += ' ' + to_hex(std::string_view(one).substr(0, 40)) + (one.size() > 40 ? ".." : "");
    };
    list("messages", o.messages);
    list("pongs", o.pongs);
    return line;
}

void show(const std::string& line, const std::string& known_file, std::ostream& to) {
    const known_differences known(known_file);
    const input from   = from_line(line);
    const outcome ours = navette_itself.receive(from);
    to << "  navette      " << described(ours) << '\n';
    for (const partner* p : partners) {
        if (!takes(*p, from)) continue;
        const outcome theirs = p->receive(from);
        to << "  " << p->name << std::string(13 - p->name.size(), ' ') << described(theirs) << '\n';
        if (const auto d = compare(from, *p)) {
            const known_difference* const k = known.find(p->name, from, d);
            to << "    | " << d.navette << " | " << d.theirs << " | " << (k != nullptr ? k->row : "unknown") << '\n';
        }
    }
}

struct tally {
    std::uint64_t inputs = 0, agreements = 0, unknown = 0;
    std::map<std::string, std::uint64_t> known; // by row
    std::map<std::string, std::pair<std::uint64_t, std::string>> seen; // survey: how often, and the shortest input
};

struct options {
    std::uint64_t inputs = 8000, seed = 1, slow_inputs = 0;
    std::string only{}, known{}, log{}, date{};
    bool survey = false;
};

void note(const options& o, tally& t, const partner& p, const input& from, const difference& d,
          const known_differences& known) {
    const known_difference* const k = known.find(p.name, from, d);
    if (o.survey) {
        auto& [count, shortest] = t.seen[d.navette + '\t' + d.theirs + '\t' + (k != nullptr ? k->only_if : "?")];
        const std::string line  = as_line(from);
        if (count++ == 0 || line.size() < shortest.size()) shortest = line;
    }
    if (k != nullptr) {
        ++t.known[k->row];
        return;
    }
    if (++t.unknown > 5 || o.survey) return;
    std::cout << p.name << " differs: navette says " << d.navette << ", it says " << d.theirs << '\n'
              << "  repeat it with tests/differential/run.sh --show '" << as_line(from) << "'\n";
}

int run(const options& o) {
    const auto known = known_differences(o.known);
    int status       = 0;
    std::map<const partner*, tally> tallies;
    const auto wanted = [&](const partner& p) {
        if (!o.only.empty() && p.name != o.only) return std::uint64_t{0};
        return p.in_process ? o.inputs : o.slow_inputs;
    };
    bool more = true;
    for (std::uint64_t number = 0; more; ++number) {
        const input from = generate(o.seed, number);
        more             = false;
        for (const partner* p : partners) {
            tally& t = tallies[p];
            if (t.inputs >= wanted(*p)) continue;
            more = true;
            if (!takes(*p, from)) continue;
            try {
                ++t.inputs;
                const auto d = compare(from, *p);
                if (d) note(o, t, *p, from, d, known);
                else ++t.agreements;
            } catch (const std::exception& error) {
                std::cout << "with " << p->name << ": " << error.what() << "\n  repeat it with tests/differential/run.sh --show '"
                          << as_line(from) << "'\n";
                if (++t.unknown > 5) return 1;
            }
        }
    }
    std::ofstream log;
    if (!o.log.empty()) log.open(o.log, std::ios::app);
    for (const partner* p : partners) {
        const tally& t = tallies[p];
        if (t.inputs == 0) continue;
        std::uint64_t keyed = 0;
        std::string rows;
        for (const auto& [row, count] : t.known) {
            keyed += count;
            rows += (rows.empty() ? "" : ", ") + row + " " + std::to_string(count);
        }
        std::printf("%-12s %8llu inputs %8llu agreements %7llu known differences %5llu unknown\n",
                    std::string(p->name).c_str(), static_cast<unsigned long long>(t.inputs),
                    static_cast<unsigned long long>(t.agreements), static_cast<unsigned long long>(keyed),
                    static_cast<unsigned long long>(t.unknown));
        if (log.is_open())
            log << "| " << o.date << " | " << p->name << ' ' << p->version << " | " << o.seed << " | " << t.inputs << " | "
                << t.agreements << " | " << rows << " | " << t.unknown << " |\n";
        for (const auto& [what, how] : t.seen)
            std::cout << how.first << '\t' << p->name << '\t' << what << '\t' << how.second << '\n';
        if (t.unknown != 0) status = 1;
    }
    return status;
}

// Each known difference is one, still, and the one that it is said to be.
int check_known(const options& o) {
    const auto known = known_differences(o.known);
    int status       = 0;
    for (const known_difference& k : known.all()) {
        const partner* with = nullptr;
        for (const partner* p : partners)
            if (p->name == k.partner) with = p;
        std::string found = "there is no such partner";
        if (with != nullptr) {
            const input from = from_line(k.example);
            const auto d     = compare(from, *with);
            if (known.find(k.partner, from, d) == &k) continue;
            found = d ? d.navette + " | " + d.theirs : std::string("they agree");
        }
        std::cout << k.partner << ", " << k.row << ": its input no longer shows " << k.navette << " | " << k.theirs << ", but: "
                  << found << '\n';
        status = 1;
    }
    std::cout << known.all().size() << " known differences\n";
    return status;
}

int begin(int argc, char** argv) {
    options o;
    std::string mode = "run";
    for (int i = 1; i < argc; ++i) {
        const std::string option = argv[i];
        const auto value         = [&]() -> std::string {
            if (++i >= argc) throw std::invalid_argument(option + " needs a value");
            return argv[i];
        };
        if (option == "--inputs") o.inputs = std::stoull(value());
        else if (option == "--slow-inputs") o.slow_inputs = std::stoull(value());
        else if (option == "--seed") o.seed = std::stoull(value());
        else if (option == "--partner") o.only = value();
        else if (option == "--known") o.known = value();
        else if (option == "--log") o.log = value();
        else if (option == "--date") o.date = value();
        else if (option == "--survey") o.survey = true;
        else if (option == "--show") return show(value(), o.known, std::cout), 0;
        else if (option == "--check-known" || option == "--table") mode = option;
        else throw std::invalid_argument("unknown option " + option);
    }
    if (mode == "--check-known") return check_known(o);
    if (mode == "--table") return known_differences(o.known).write_table(std::cout), 0;
    return run(o);
}

} // namespace

} // namespace differential

int main(int argc, char** argv) try {
    return differential::begin(argc, argv);
} catch (const std::exception& error) {
    std::cerr << "differential: " << error.what() << '\n';
    return 2;
}
