// The categories behind stream/error.hpp; what they say comes from the table in base/errc.hpp.
// Conditions have one of their own: two values of one category are equal when their numbers are (std::error_category).
#pragma once

#include <navette/stream/error.hpp>

#include <string>

namespace navette {
namespace detail {

class errc_category final : public std::error_category {
    static bool is_known(int value) noexcept {
        return value >= 1 && static_cast<std::size_t>(value) <= std::size(error_table);
    }

public:
    const char* name() const noexcept override { return "navette"; }

    std::string message(int value) const override {
        if (!is_known(value)) return value == 0 ? "success" : "unknown error";
        const error_facts& known = facts(static_cast<errc>(value));
        std::string text(known.sentence);
        if (*known.clause != 0) text.append(" (").append(known.clause).append(")");
        return text;
    }

    std::error_condition default_error_condition(int value) const noexcept override {
        if (!is_known(value)) return {value, *this};
        return make_error_condition(facts(static_cast<errc>(value)).whose);
    }
};

class blame_category final : public std::error_category {
public:
    const char* name() const noexcept override { return "navette.blame"; }

    std::string message(int value) const override {
        constexpr std::string_view sentences[] = {
            "the connection has ended",   "the peer broke the protocol",
            "the peer exceeded a limit",  "the opening handshake failed",
            "a deadline passed",          "this machine could not",
            "the call was not allowed",
        };
        if (value < 1 || static_cast<std::size_t>(value) > std::size(sentences)) return "unknown";
        return std::string(sentences[value - 1]);
    }
};

} // namespace detail

NAVETTE_INLINE const std::error_category& error_category() noexcept {
    static const detail::errc_category category;
    return category;
}

NAVETTE_INLINE std::error_condition make_error_condition(blame b) noexcept {
    static const detail::blame_category category;
    return {static_cast<int>(b) + 1, category};
}

} // namespace navette
