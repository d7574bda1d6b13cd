// The pieces that HTTP fields are made of: token, field value, quoted-string, comma-separated list, parameters
// (RFC 9110, 5.5 and 5.6). Every function reads its text once, forwards; nothing is copied. Knows no field by name.
#pragma once

#include <navette/base/bytes.hpp>
#include <navette/codec/vector.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace navette {

namespace detail {

inline constexpr std::array<bool, 256> token_chars = [] {
    std::array<bool, 256> is{};
    for (unsigned char c = '0'; c <= '9'; ++c) is[c] = true;
    for (unsigned char c = 'A'; c <= 'Z'; ++c) is[c] = true;
    for (unsigned char c = 'a'; c <= 'z'; ++c) is[c] = true;
    for (const char c : std::string_view("!#$%&'*+-.^_`|~"))
        is[static_cast<unsigned char>(c)] = true;
    return is;
}();

} // namespace detail

/// tchar (RFC 9110, 5.6.2).
constexpr bool is_token_char(char c) noexcept {
    return detail::token_chars[static_cast<unsigned char>(c)];
}

/// VCHAR, SP, HTAB or obs-text: neither CR, LF, NUL nor any other control character (RFC 9110, 5.5).
constexpr bool is_field_char(char c) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 0x20 && byte != 0x7f) || byte == '\t';
}

namespace detail {

// Kinds of text: `has` tells whether a character is of the kind, `most` of sixteen at once, and may deny some that are.
#if defined(NAVETTE_VECTOR_X86) || defined(NAVETTE_VECTOR_NEON)
#  define NAVETTE_TEXT_VECTORS 1
using text_vector = unsigned char __attribute__((vector_size(16)));
#endif

struct token_text {
    static constexpr bool has(char c) noexcept { return is_token_char(c); }
#if defined(NAVETTE_TEXT_VECTORS)
    static auto most(text_vector v) noexcept { return (text_vector((v | 0x20) - 'a') < 26) | (v == '-') | (v == '_'); }
#endif
};

struct field_text {
    static constexpr bool has(char c) noexcept { return is_field_char(c); }
#if defined(NAVETTE_TEXT_VECTORS)
    static auto most(text_vector v) noexcept { return ((v >= 0x20) & (v != 0x7f)) | (v == '\t'); }
#endif
};

// Within an element of a list.
struct element_text {
    static constexpr bool has(char c) noexcept { return c != ',' && c != '"'; }
#if defined(NAVETTE_TEXT_VECTORS)
    static auto most(text_vector v) noexcept { return (v != ',') & (v != '"'); }
#endif
};

#if defined(NAVETTE_TEXT_VECTORS)
// The index of the first character that `most` denies, 16 if there is none. With instructions that every processor of the
// family has: a line is too short to gain by more.
template <class Kind>
std::size_t first_other(text_vector v) noexcept {
    const auto others = ~Kind::most(v);
#  if defined(NAVETTE_VECTOR_X86)
    using chars = char __attribute__((vector_size(16)));
    const auto found = static_cast<unsigned>(__builtin_ia32_pmovmskb128(chars(others)));
    return static_cast<std::size_t>(__builtin_ctz(found | 1u << 16));
#  else
    std::uint64_t halves[2];
    std::memcpy(halves, &others, sizeof halves);
    if (halves[0] != 0) return static_cast<std::size_t>(__builtin_ctzll(halves[0])) / 8;
    if (halves[1] != 0) return 8 + static_cast<std::size_t>(__builtin_ctzll(halves[1])) / 8;
    return 16;
#  endif
}

// The same for a text of at least eight; its size if there is none.
template <class Kind>
std::size_t skip_most(std::string_view text) noexcept {
    text_vector v;
    if (text.size() < sizeof v) {
        // The last eight overlap the first.
        std::uint64_t ends[2];
        std::memcpy(&ends[0], text.data(), 8);
        std::memcpy(&ends[1], text.data() + text.size() - 8, 8);
        std::memcpy(&v, ends, sizeof v);
        const std::size_t at = first_other<Kind>(v);
        return at < 8 ? at : text.size() - 16 + at;
    }
    for (std::size_t i = 0;; i += sizeof v) {
        // The last sixteen overlap those before.
        const std::size_t last  = text.size() - sizeof v;
        const std::size_t begin = lesser(i, last);
        std::memcpy(&v, text.data() + begin, sizeof v);
        const std::size_t at = first_other<Kind>(v);
        if (at != sizeof v || begin == last) return begin + at;
    }
}
#endif

// The index of the first character that is not of the kind; the size of the text if there is none.
template <class Kind>
constexpr std::size_t skip(std::string_view text) noexcept {
    std::size_t i = 0;
#if defined(NAVETTE_TEXT_VECTORS)
    if (!std::is_constant_evaluated() && text.size() >= 8) i = skip_most<Kind>(text);
#endif
    while (i < text.size() && Kind::has(text[i])) ++i;
    return i;
}

constexpr std::size_t skip_token_chars(std::string_view text) noexcept { return skip<token_text>(text); }
constexpr std::size_t skip_field_chars(std::string_view text) noexcept { return skip<field_text>(text); }
constexpr std::size_t skip_element_chars(std::string_view text) noexcept { return skip<element_text>(text); }

// The parts of the field line at the front of `text`, which ends with the line or goes on behind it.
inline field_line_parts find_field_line(std::string_view text) noexcept {
    if (const auto at_once = vectors().field_line)
        if (const auto found = at_once(text.data(), text.size()); found.end != 0 && text[found.end] == '\r') return found;
    const std::size_t colon = skip_token_chars(text);
    if (colon == 0 || colon == text.size() || text[colon] != ':') return {};
    text.remove_prefix(colon + 1);
    return {colon, colon + 1 + skip_field_chars(text)};
}

} // namespace detail

/// A token: one or more tchar (RFC 9110, 5.6.2). Field names, subprotocols and extension names are tokens.
constexpr bool is_token(std::string_view text) noexcept {
    return !text.empty() && detail::skip_token_chars(text) == text.size();
}

/// Whether `text` may stand in a field value, read or written. The one check that every string given by the user
/// passes before it goes on the wire: what it lets through cannot end a line.
constexpr bool is_field_value(std::string_view text) noexcept { return detail::skip_field_chars(text) == text.size(); }

/// OWS: SP or HTAB (RFC 9110, 5.6.3).
constexpr bool is_ows(char c) noexcept { return c == ' ' || c == '\t'; }

/// `text` without the optional white space at both ends (RFC 9110, 5.6.3).
constexpr std::string_view trim_ows(std::string_view text) noexcept {
    const char* begin = text.data();
    const char* end   = begin + text.size();
    while (begin != end && is_ows(*begin)) ++begin;
    while (begin != end && is_ows(end[-1])) --end;
    return {begin, static_cast<std::size_t>(end - begin)};
}

/// ASCII only, whatever the locale.
constexpr char to_lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

/// `text == literal`, without the call of memcmp that std::string_view makes for it.
template <std::size_t Size>
constexpr bool equals(std::string_view text, const char (&literal)[Size]) noexcept {
    return text.size() == Size - 1 && __builtin_memcmp(text.data(), literal, Size - 1) == 0;
}

namespace detail {

// Eight characters that differ in the case of ASCII letters alone. Letters are found by sums that reach the upper bit of
// their byte and no other byte.
inline bool iequals_eight(const char* a, const char* b) noexcept {
    constexpr std::uint64_t each = 0x0101'0101'0101'0101;
    std::uint64_t x, y;
    std::memcpy(&x, a, sizeof x);
    std::memcpy(&y, b, sizeof y);
    if (x == y) return true;
    const std::uint64_t low     = (x | 0x20 * each) & 0x7f * each;
    const std::uint64_t letters = (low + (0x80 - 'a') * each) & ~(low + (0x7f - 'z') * each) & ~x & 0x80 * each;
    return ((x ^ y) & ~(letters >> 2)) == 0;
}

} // namespace detail

/// Equal but for the case of ASCII letters.
constexpr bool iequals(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) return false;
    std::size_t i = 0;
    if (!std::is_constant_evaluated())
        for (; a.size() - i >= 8; i += 8)
            if (!detail::iequals_eight(a.data() + i, b.data() + i)) return false;
    for (; i < a.size(); ++i)
        if (a[i] != b[i] && to_lower(a[i]) != to_lower(b[i])) return false;
    return true;
}

namespace detail {

// The size of the quoted-string (RFC 9110, 5.6.4) at the front of `text`, quotes included; 0 if it does not end there
// or has a forbidden character. Precondition: `text` begins with a quote.
constexpr std::size_t quoted_string_size(std::string_view text) noexcept {
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"') return i + 1;
        if (text[i] == '\\' && ++i == text.size()) return 0;
        if (!is_field_char(text[i])) return 0;
    }
    return 0;
}

} // namespace detail

/// The elements of a comma-separated list (RFC 9110, 5.6.1): without the white space around them, empty ones skipped as
/// a recipient must. A comma within a quoted-string does not separate. Elements are views into the list; what they are
/// made of is not checked.
///
///     list_reader list("keep-alive, , Upgrade");
///     for (std::string_view element; list.next(element);) ...   // "keep-alive", "Upgrade"
class list_reader {
    std::string_view rest_;
    bool             malformed_ = false;

public:
    explicit constexpr list_reader(std::string_view list) noexcept : rest_(list) {}

    /// False at the end of the list, and once it is malformed.
    constexpr bool next(std::string_view& element) noexcept {
        while (!rest_.empty()) {
            std::size_t end = detail::skip_element_chars(rest_);
            while (end < rest_.size() && rest_[end] == '"') {
                std::string_view tail = rest_;
                tail.remove_prefix(end);
                const std::size_t quoted = detail::quoted_string_size(tail);
                if (quoted == 0) {
                    malformed_ = true;
                    rest_ = {};
                    return false;
                }
                tail.remove_prefix(quoted);
                end += quoted + detail::skip_element_chars(tail);
            }
            element = trim_ows(std::string_view(rest_.data(), end));
            rest_.remove_prefix(end < rest_.size() ? end + 1 : end);
            if (!element.empty()) return true;
        }
        return false;
    }

    /// A quoted-string has no end, or a control character in it.
    constexpr bool malformed() const noexcept { return malformed_; }
};

/// Whether `token` is an element of `list`, the whole element, in any case: "keep-alive, Upgrade" has "upgrade",
/// "notupgrade" has not. A malformed list has nothing.
constexpr bool list_contains_token(std::string_view list, std::string_view token) noexcept {
    if (iequals(list, token)) return true;  // most lists have one element
    list_reader reader(list);
    bool found = false;
    for (std::string_view element; reader.next(element);) found = found || iequals(element, token);
    return found && !reader.malformed();
}

/// Resolves the quoted pairs in `raw`, the inside of a quoted-string, and writes what it stands for to `to`, which has
/// room for raw.size() characters and may be where `raw` lies. Returns how many it wrote.
constexpr std::size_t unescape(std::string_view raw, char* to) noexcept {
    std::size_t written = 0;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        if (raw[i] == '\\' && i + 1 < raw.size()) ++i;
        to[written++] = raw[i];
    }
    return written;
}

/// A parameter behind a list element: `name`, `name=token` or `name="quoted"`. Views into the element.
struct parameter {
    std::string_view name;
    std::string_view value;   ///< of a quoted one what is between the quotes, as it came
    bool             has_value = false;
    bool             quoted = false;

    /// Whether the value, its quoted pairs resolved, is `text`.
    constexpr bool value_is(std::string_view text) const noexcept {
        std::size_t matched = 0;
        for (std::size_t i = 0; i < value.size(); ++i, ++matched) {
            if (is_escape(i)) ++i;
            if (matched == text.size() || value[i] != text[matched]) return false;
        }
        return has_value && matched == text.size();
    }

    /// Whether the value, its quoted pairs resolved, is a token, as it must be for an extension (RFC 6455, 9.1).
    constexpr bool value_is_token() const noexcept {
        for (std::size_t i = 0; i < value.size(); ++i) {
            if (is_escape(i)) ++i;
            if (!is_token_char(value[i])) return false;
        }
        return !value.empty();
    }

private:
    constexpr bool is_escape(std::size_t i) const noexcept {
        return quoted && value[i] == '\\' && i + 1 < value.size();
    }
};

/// An element with parameters, `name; a; b=1; c="x"`: the name, then one parameter after the other. Optional white
/// space is allowed around `;` and `=`, as the grammar of RFC 6455, 9.1 implies (RFC 2616, 2.1); an empty parameter is
/// not. What is malformed ends it.
///
///     parameter_reader reader("permessage-deflate; client_max_window_bits");
///     for (parameter p; reader.next(p);) ...
///     if (reader.malformed()) ...
class parameter_reader {
    // Invariant: rest_ is what lies behind the name or the last parameter, and does not begin with white space.
    std::string_view name_;
    std::string_view rest_;
    bool             malformed_ = false;

public:
    explicit constexpr parameter_reader(std::string_view element) noexcept : rest_(element) {
        skip_ows();
        name_ = take_token();
        skip_ows();
        if (name_.empty()) malformed_ = true;
    }

    /// A token; empty if the element does not begin with one, which is malformed.
    constexpr std::string_view name() const noexcept { return name_; }

    /// False at the end, and once something is malformed: then `p` is unspecified.
    constexpr bool next(parameter& p) noexcept {
        if (malformed_ || rest_.empty()) return false;
        malformed_ = !take(';') || !take_parameter(p);
        return !malformed_;
    }

    /// Something other than a name and its parameters was met. Known of all the element once next has returned false.
    constexpr bool malformed() const noexcept { return malformed_; }

private:
    constexpr void skip_ows() noexcept {
        while (!rest_.empty() && is_ows(rest_.front())) rest_.remove_prefix(1);
    }

    // The delimiter `c` and the white space behind it, if it is next.
    constexpr bool take(char c) noexcept {
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        skip_ows();
        return true;
    }

    constexpr std::string_view take_front(std::size_t size) noexcept {
        const std::string_view front(rest_.data(), size);
        rest_.remove_prefix(size);
        return front;
    }

    constexpr std::string_view take_token() noexcept { return take_front(detail::skip_token_chars(rest_)); }

    constexpr bool take_parameter(parameter& p) noexcept {
        p = {};
        p.name = take_token();
        skip_ows();
        if (take('=')) {
            p.has_value = true;
            p.quoted = !rest_.empty() && rest_.front() == '"';
            if (p.quoted) {
                const std::size_t size = detail::quoted_string_size(rest_);
                if (size == 0) return false;
                p.value = take_front(size);
                p.value.remove_prefix(1);
                p.value.remove_suffix(1);
            } else {
                p.value = take_token();
                if (p.value.empty()) return false;
            }
            skip_ows();
        }
        return !p.name.empty();
    }
};

} // namespace navette
