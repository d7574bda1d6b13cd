// The elements of Sec-WebSocket-Extensions, as offered and as answered: `name; parameter; parameter=value`
// (RFC 6455, 9.1). Reads views of the field's value, copies nothing, and knows no extension by name.
#pragma once

#include <navette/codec/http_grammar.hpp>

#include <string_view>

namespace navette {

/// One element: an extension's name and its parameters. Borrows the text it was read from.
///
///     parameter_reader parameters = offer.parameters();
///     for (parameter p; parameters.next(p);) use(p.name, p.has_value, p.value);
class extension_offer {
    // Invariant: empty, or a name and parameters that extension_reader has found well-formed.
    std::string_view element_{};

    friend class extension_reader;
    constexpr explicit extension_offer(std::string_view element) noexcept : element_(element) {}

public:
    constexpr extension_offer() noexcept = default;

    /// The extension's name, a token. Names are compared as they stand: RFC 6455 does not fold their case.
    constexpr std::string_view name() const noexcept { return parameters().name(); }

    /// The parameters in their order, repeated ones included. A quoted value is a token once unescaped.
    constexpr parameter_reader parameters() const noexcept { return parameter_reader(element_); }

    /// The element as it was written.
    constexpr std::string_view text() const noexcept { return element_; }
};

/// Reads the elements of one field value, or one line of it; the lines of a field are read one behind the other.
///
///     extension_reader offers(value);
///     for (extension_offer offer; offers.next(offer);) consider(offer);
///     if (offers.malformed()) return errc::bad_extensions;
class extension_reader {
    list_reader elements_;
    bool        malformed_ = false;

public:
    /// Borrows `value`, as do the offers that are read.
    explicit constexpr extension_reader(std::string_view value) noexcept : elements_(value) {}

    /// Reads the next element; false at the end and at the first malformed one.
    constexpr bool next(extension_offer& offer) noexcept {
        std::string_view element;
        if (malformed_ || !elements_.next(element)) return false;
        if (!is_well_formed(element)) {
            malformed_ = true;
            return false;
        }
        offer = extension_offer(element);
        return true;
    }

    /// Whether what was read so far breaks the grammar. Empty elements are tolerated (RFC 9110, 5.6.1.2).
    constexpr bool malformed() const noexcept { return malformed_ || elements_.malformed(); }

private:
    // A quoted value must be a token once unescaped (RFC 6455, 9.1).
    static constexpr bool is_well_formed(std::string_view element) noexcept {
        parameter_reader parameters(element);
        for (parameter p; parameters.next(p);)
            if (p.has_value && !p.value_is_token()) return false;
        return !parameters.malformed();
    }
};

} // namespace navette
