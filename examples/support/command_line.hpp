// Options of the example programs, read with getopt_long, and how these programs end: a bad option or URL with one
// line and status 2, what fails later with one line and status 1.
#pragma once

#include <getopt.h>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace example {

/// The pieces as one text.
inline std::string joined(std::initializer_list<std::string_view> pieces) {
    std::string text;
    for (const std::string_view piece : pieces) text += piece;
    return text;
}

/// Prints `program: why` on standard error and ends the program. Control characters, which may come from a peer, are
/// shown as '?', so that it stays one line and the terminal is left alone.
[[noreturn]] inline void end_with(int status, std::string_view program, std::string why) {
    for (char& c : why)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    std::fflush(stdout);
    std::fprintf(stderr, "%.*s: %s\n", static_cast<int>(program.size()), program.data(),
                 why.c_str());
    std::exit(status);
}

/// The options of a program, one after the other.
///
///     command_line line(argc, argv, "chat", help, {"port="});
///     while (line.next())
///         if (line.is("port")) port = line.number<std::uint16_t>();
class command_line {
    int argc_;
    char** argv_;
    std::string_view program_;
    std::vector<std::string> names_;
    const char* help_;
    std::vector<struct option> options_;
    std::string letters_ = ":"; // of those options that have one
    int current_ = 0;

public:
    /// `names` are the options, with a `=` behind those that take a value, a letter and a `|` in front of those that have
    /// a short form; --help is always one of them, and prints `help`.
    command_line(int argc, char** argv, std::string_view program, const char* help,
                 std::initializer_list<std::string_view> names)
        : argc_(argc),
          argv_(argv),
          program_(program),
          names_(names.begin(), names.end()),
          help_(help) {
        names_.emplace_back("help");
        for (std::string& name : names_) {
            const bool takes_value = name.back() == '=';
            if (takes_value) name.pop_back();
            int letter = 0;
            if (name.size() > 2 && name[1] == '|') {
                letter = name[0];
                letters_ += name[0];
                name.erase(0, 2);
            }
            options_.push_back(
                {name.c_str(), takes_value ? required_argument : no_argument, nullptr, letter});
        }
        options_.push_back({});
    }

    /// Goes to the next option; false behind the last one.
    bool next() {
        opterr           = 0;
        const int before = optind;
        const int found  = getopt_long(argc_, argv_, letters_.c_str(), options_.data(), &current_);
        if (found == -1) return false;
        if (found == ':') refuse(joined({argv_[optind - 1], " needs a value"}));
        if (found == '?') refuse(joined({"unknown option ", argv_[before], "; --help lists them"}));
        if (found != 0) // a letter, or the name that it is short for
            for (current_ = 0; options_[static_cast<std::size_t>(current_)].val != found;) ++current_;
        if (is("help")) {
            std::fputs(help_, stdout);
            std::exit(0);
        }
        return true;
    }

    std::string_view name() const { return names_[static_cast<std::size_t>(current_)]; }
    bool is(std::string_view name_of_option) const { return name() == name_of_option; }

    /// The value of the current option; lives as long as the program.
    std::string_view value() const { return optarg; }

    /// The value as a number from 0 to the largest of its type.
    template <class Number>
    Number number() const {
        Number n{};
        const auto text  = value();
        const auto ended = std::from_chars(text.data(), text.data() + text.size(), n);
        if (ended.ec != std::errc{} || ended.ptr != text.data() + text.size())
            refuse_value("is not a number that fits");
        return n;
    }

    /// What stands behind the options.
    std::vector<std::string_view> operands() const { return {argv_ + optind, argv_ + argc_}; }

    [[noreturn]] void refuse(std::string why) const { end_with(2, program_, std::move(why)); }
    [[noreturn]] void refuse_value(std::string_view why) const {
        refuse(joined({"--", name(), " '", value(), "' ", why}));
    }
    /// For an option that this build knows but cannot do.
    [[noreturn]] void refuse_option(std::string_view why) const {
        refuse(joined({"--", name(), ": ", why}));
    }
};

} // namespace example
