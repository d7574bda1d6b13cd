// What HTTP fields are made of (RFC 9110, 5.5 and 5.6): tokens, values, lists and parameters, against readers that look
// at one character at a time.
#pragma once

#include "bodies/fuzz.hpp"

#include <navette/codec/http_grammar.hpp>

namespace fuzz {

inline bool is_tchar(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && std::strchr("!#$%&'*+-.^_`|~", c) != nullptr);
}
inline bool is_vchar(char c) { return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != '\x7f'); }

template <class Is>
bool all_are(std::string_view text, Is is) {
    for (const char c : text)
        if (!is(c)) return false;
    return true;
}

/// The elements of a list, one character at a time, in a transcript; false: it is malformed.
inline bool list_by_characters(std::string_view list, transcript& log) {
    std::size_t begin = 0;
    bool        quoted = false;
    const auto  end_at = [&](std::size_t end) {
        const std::string_view element = trim_ows(list.substr(begin, end - begin));
        if (!element.empty()) log.add(element.size()), log.add(element);
        begin = end + 1;
    };
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (quoted && list[i] == '\\') {
            if (++i == list.size() || !is_vchar(list[i])) return false;
        } else if (quoted && !is_vchar(list[i])) {
            return false;
        } else if (list[i] == '"') {
            quoted = !quoted;
        } else if (list[i] == ',' && !quoted) {
            end_at(i);
        }
    }
    if (quoted) return false;
    end_at(list.size());
    return true;
}

inline transcript grammar_wanted, grammar_found;
inline const place<max_input> grammar_place;

inline void check_parameter(const parameter& p) {
    const std::string_view raw = p.value;
    // Escapes resolved where they lie, with the guard behind them.
    const byte_span        copy  = grammar_place.last(raw.size());
    char* const            chars = static_cast<char*>(static_cast<void*>(copy.data()));
    if (!raw.empty()) std::memcpy(chars, raw.data(), raw.size());
    const std::string_view value(chars, p.quoted ? unescape({chars, raw.size()}, chars) : raw.size());
    must(is_token(p.name), "a parameter's name is a token");
    must(p.has_value || raw.empty(), "a parameter without a value has none");
    must(!p.has_value || p.quoted || is_token(raw), "a value without quotes is a token");
    must(is_field_value(raw), "a value cannot end a line");
    must(!p.has_value || p.value_is(value), "a value is what it stands for without escapes");
    must(p.has_value == false || p.value_is_token() == (!raw.empty() && all_are(value, is_tchar)),
         "a value is a token or not");
}

inline bool http_grammar(input in) {
    // In a place of its exact size: vector code must not look behind it.
    const std::string_view text = as_text(in_place(in.rest()));
    must(is_token(text) == (!text.empty() && all_are(text, is_tchar)),
         "a token is made of tchar (RFC 9110, 5.6.2)");
    must(is_field_value(text) == all_are(text, is_vchar), "a value is made of what RFC 9110, 5.5 allows");
    const std::string_view trimmed = trim_ows(text);
    must(trimmed.empty() || (!is_ows(trimmed.front()) && !is_ows(trimmed.back())),
         "trimmed text has no white space around");

    grammar_wanted.clear();
    grammar_found.clear();
    const bool  well_formed = list_by_characters(text, grammar_wanted);
    list_reader list(text);
    bool        accepted = false;
    for (std::string_view element; list.next(element);) {
        grammar_found.add(element.size());
        grammar_found.add(element);
        must(list_contains_token(element, element) || !is_token(element), "a token is in the list of itself");
        if (well_formed && is_token(element)) must(list_contains_token(text, element), "a list has its elements");
        parameter_reader parameters(element);
        parameter        p;
        while (parameters.next(p)) check_parameter(p);
        must(parameters.malformed() || is_token(parameters.name()), "who is well-formed has a name");
        must(!parameters.next(p), "the end is the end");
        accepted = accepted || !parameters.malformed();
    }
    std::string_view none;
    must(!list.next(none), "the end of a list is its end");
    must(list.malformed() == !well_formed, "a list is malformed by an open quoted-string or what stands in it");
    if (well_formed) must(grammar_found == grammar_wanted, "a list has these elements (RFC 9110, 5.6.1)");
    return accepted && well_formed;
}

} // namespace fuzz
