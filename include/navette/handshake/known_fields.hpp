// The fields that decide an opening handshake, found in one pass over a message's fields: a handshake asks for a dozen
// names, and each look-up by name reads all fields from the front. Knows their names, not their meaning.
#pragma once

#include <navette/codec/http_grammar.hpp>
#include <navette/handshake/http_fields.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace navette {

enum class known_field : std::uint8_t {
    host, origin, expect, upgrade, connection, content_length, transfer_encoding,
    key, accept, version, subprotocol, extensions,   // Sec-WebSocket-
    other
};

/// Which of the known fields has this name, in any case; `other`: none.
constexpr known_field which_field(std::string_view name) noexcept {
    // Browsers write the names like this.
    const auto if_it_is = [name](const auto& known, known_field field) {
        return equals(name, known) || iequals(name, {known, sizeof known - 1}) ? field : known_field::other;
    };
    switch (name.size()) {
    case 4:  return if_it_is("Host", known_field::host);
    case 6:  return to_lower(name[0]) == 'o' ? if_it_is("Origin", known_field::origin) : if_it_is("Expect", known_field::expect);
    case 7:  return if_it_is("Upgrade", known_field::upgrade);
    case 10: return if_it_is("Connection", known_field::connection);
    case 14: return if_it_is("Content-Length", known_field::content_length);
    case 17: return to_lower(name[0]) == 's' ? if_it_is("Sec-WebSocket-Key", known_field::key)
                                             : if_it_is("Transfer-Encoding", known_field::transfer_encoding);
    case 20: return if_it_is("Sec-WebSocket-Accept", known_field::accept);
    case 21: return if_it_is("Sec-WebSocket-Version", known_field::version);
    case 22: return if_it_is("Sec-WebSocket-Protocol", known_field::subprotocol);
    case 24: return if_it_is("Sec-WebSocket-Extensions", known_field::extensions);
    default: return known_field::other;
    }
}

/// What fields have for each known name: how many there are, and the first one's value. A view, as they are: it lives as
/// long as what they view.
class known_fields {
    struct text {
        const char* data; // set by the first field of the name: a connection's handshake need not clear them all
        std::size_t size;
    };
    static constexpr std::size_t number = static_cast<std::size_t>(known_field::other);
    // Invariant: counts_ tells how often each known field stands in fields_; unless that is 0, values_ has its first value.
    http_fields   fields_{};
    std::uint32_t counts_[number]{};
    text          values_[number];

    static constexpr std::size_t index(known_field field) noexcept { return static_cast<std::size_t>(field); }

public:
    constexpr known_fields() noexcept = default;
    explicit constexpr known_fields(const http_fields& fields) noexcept : fields_(fields) {
        fields.for_each([this](const http_field& field) { note(field); });
    }

    /// For who reads the fields anyhow: is told of each, in order, and then of all of them, once.
    constexpr void note(const http_field& field) noexcept {
        const known_field known = which_field(field.name);
        if (known == known_field::other) return;
        if (counts_[index(known)]++ != 0) return;
        values_[index(known)].data = field.value.data();
        values_[index(known)].size = field.value.size();
    }
    constexpr void end(const http_fields& fields) noexcept { fields_ = fields; }

    /// How many fields have this name. The argument, here and below: not `other`.
    constexpr bool        has(known_field field) const noexcept { return count(field) != 0; }
    constexpr std::size_t count(known_field field) const noexcept { return counts_[index(field)]; }

    /// The value of the first one; empty if there is none.
    constexpr std::string_view value(known_field field) const noexcept {
        return has(field) ? std::string_view(values_[index(field)].data, values_[index(field)].size) : std::string_view{};
    }

    /// Calls `use(value)` for each, in order.
    template <class Use>
    constexpr void for_each(known_field field, Use use) const {
        if (count(field) == 1) return use(value(field));
        if (count(field) == 0) return;
        fields_.for_each([&](const http_field& each) { if (which_field(each.name) == field) use(each.value); });
    }

    /// Calls `use(element)` for each element of the list that all of them make together (RFC 9110, 5.3).
    template <class Use>
    constexpr void for_each_element(known_field field, Use use) const {
        for_each(field, [&use](std::string_view value) {
            list_reader list(value);
            for (std::string_view element; list.next(element);) use(element);
        });
    }

    /// Whether the list that all of them make together has `token`, a whole element, in any case (RFC 9110, 7.8).
    constexpr bool contains_token(known_field field, std::string_view token) const noexcept {
        bool found = false;
        for_each(field, [&](std::string_view value) { found = found || list_contains_token(value, token); });
        return found;
    }
};

} // namespace navette
