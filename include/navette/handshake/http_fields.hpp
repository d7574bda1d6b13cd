// HTTP fields and the messages they belong to, as views: what a handshake shows of a request and of a response.
// Fields are read where they lie, in the text of a head or in lists of the user's; nothing is stored for each.
// Checks nothing: http_head.hpp reads heads, http_response.hpp writes responses.
#pragma once

#include <navette/codec/http_grammar.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

namespace navette {

/// A field line: the name, and the value without white space around it.
struct http_field {
    std::string_view name, value;
    friend constexpr bool operator==(const http_field&, const http_field&) noexcept = default;
};

class field_elements;

/// The fields of a message in their order, repeated names included; names have no case (RFC 9110, 5.1). A view: copied
/// freely, it lives as long as the text or the lists that it was made of. Every look-up reads from the front.
///
///     for (const http_field& field : request.fields) log(field.name, field.value);
///     if (auto token = request.fields.find("Authorization")) ...
class http_fields {
    struct list {
        const http_field* first = nullptr;
        std::size_t       size  = 0;
    };
    // Invariant: lines_ is empty or whole lines `name:value CRLF`. It comes before the lists, those in their order.
    std::string_view lines_{};
    list             lists_[3]{};

    static constexpr list list_of(std::span<const http_field> fields) noexcept { return {fields.data(), fields.size()}; }

public:
    class iterator;
    struct sentinel {};

    constexpr http_fields() noexcept = default;

    /// The fields of an array, a vector, a span or another contiguous range.
    template <class List>
        requires(!std::is_same_v<List, http_fields> &&
                 std::is_convertible_v<const List&, std::span<const http_field>>)
    constexpr http_fields(const List& fields) noexcept : lists_{list_of(fields), {}, {}} {}

    /// The fields of up to three lists, one behind the other.
    static constexpr http_fields of_lists(std::span<const http_field> first,
                                          std::span<const http_field> second,
                                          std::span<const http_field> third = {}) noexcept {
        return of_array(first.data(), first.size(), second, third);
    }

    /// The fields of `size` at `first`, then those of up to two lists.
    static constexpr http_fields of_array(const http_field* first, std::size_t size, std::span<const http_field> second,
                                          std::span<const http_field> third = {}) noexcept {
        http_fields fields;
        fields.lists_[0] = {first, size};
        fields.lists_[1] = list_of(second);
        fields.lists_[2] = list_of(third);
        return fields;
    }

    /// The fields of text that an http_head has checked: lines `name:value CRLF` and nothing else.
    static constexpr http_fields of_lines(std::string_view lines) noexcept {
        http_fields fields;
        fields.lines_ = lines;
        return fields;
    }

    constexpr bool empty() const noexcept {
        return lines_.empty() && (lists_[0].size | lists_[1].size | lists_[2].size) == 0;
    }

    /// The first field. Precondition: not empty.
    constexpr http_field front() const noexcept {
        if (lines_.empty()) return *lists_[first_list()].first;
        const std::string_view line = lines_.substr(0, lines_.find('\r'));
        const std::size_t colon = line.find(':');
        return {line.substr(0, colon), trim_ows(line.substr(colon + 1))};
    }

    /// Takes the first field off the view. Precondition: not empty.
    constexpr void pop_front() noexcept {
        if (!lines_.empty()) {
            lines_.remove_prefix(lines_.find('\n') + 1);
            return;
        }
        list& taken = lists_[first_list()];
        ++taken.first;
        --taken.size;
    }

    /// Takes the first field off the view and returns it. Precondition: not empty.
    constexpr http_field take_front() noexcept {
        const http_field field = front();
        pop_front();
        return field;
    }

    constexpr iterator begin() const noexcept;
    constexpr sentinel end() const noexcept { return {}; }

    /// Calls `use(field)` for each, in order.
    template <class Use>
    constexpr void for_each(Use use) const {
        for (http_fields rest = of_lines(lines_); !rest.empty();) use(rest.take_front());
        for (const list& each : lists_)
            for (std::size_t i = 0; i < each.size; ++i) use(each.first[i]);
    }

    /// Calls `use(value)` for each field named `name`, in order.
    template <class Use>
    constexpr void for_each(std::string_view name, Use use) const {
        for_each([&](const http_field& field) { if (iequals(field.name, name)) use(field.value); });
    }

    /// How many fields are named `name`.
    constexpr std::size_t count(std::string_view name) const noexcept {
        std::size_t n = 0;
        for_each(name, [&n](std::string_view) { ++n; });
        return n;
    }

    /// The value of the first field named `name`.
    constexpr std::optional<std::string_view> find(std::string_view name) const noexcept {
        for (http_fields rest = *this; !rest.empty(); rest.pop_front())
            if (const http_field field = rest.front(); iequals(field.name, name))
                return field.value;
        return std::nullopt;
    }

    /// The elements of the list that all fields named `name` make together (RFC 9110, 5.3).
    constexpr field_elements elements(std::string_view name) const noexcept;

    /// Whether that list has `token`, a whole element, in any case (RFC 9110, 7.8): "notupgrade" is not "upgrade".
    constexpr bool contains_token(std::string_view name, std::string_view token) const noexcept {
        bool found = false;
        for_each(name, [&](std::string_view value) {
            found = found || list_contains_token(value, token);
        });
        return found;
    }

private:
    constexpr std::size_t first_list() const noexcept { return lists_[0].size != 0 ? 0 : lists_[1].size != 0 ? 1 : 2; }
};

/// Goes over fields; it is the rest of the view, so it does not refer to the http_fields that it came from.
class http_fields::iterator {
    http_fields rest_{};

public:
    using value_type      = http_field;
    using difference_type = std::ptrdiff_t;

    constexpr iterator() noexcept = default;
    explicit constexpr iterator(const http_fields& rest) noexcept : rest_(rest) {}

    constexpr http_field operator*() const noexcept { return rest_.front(); }
    constexpr iterator&  operator++() noexcept {
        rest_.pop_front();
        return *this;
    }
    constexpr void operator++(int) noexcept { rest_.pop_front(); }
    friend constexpr bool operator==(const iterator& at, sentinel) noexcept {
        return at.rest_.empty();
    }
};

constexpr http_fields::iterator http_fields::begin() const noexcept { return iterator(*this); }

/// The elements of a comma-separated list that may stand in several fields of one name, as a range of std::string_view.
/// A line that is malformed (an open quoted-string) ends where it is.
///
///     for (std::string_view subprotocol : request.subprotocols()) ...
class field_elements {
    http_fields      fields_;
    std::string_view name_;

public:
    class iterator;
    struct sentinel {};

    constexpr field_elements(const http_fields& fields, std::string_view name) noexcept
        : fields_(fields), name_(name) {}

    constexpr iterator begin() const noexcept;
    constexpr sentinel end() const noexcept { return {}; }
};

/// Goes over the elements; borrows the name that they were asked for by.
class field_elements::iterator {
    // Invariant: element_ is the element this stands on, unless at_end_; list_ is the rest of its line, fields_ the
    // fields behind it.
    http_fields      fields_{};
    std::string_view name_{};
    list_reader      list_{{}};
    std::string_view element_{};
    bool             at_end_ = true;

public:
    using value_type      = std::string_view;
    using difference_type = std::ptrdiff_t;

    constexpr iterator() noexcept = default;
    constexpr iterator(const http_fields& fields, std::string_view name) noexcept
        : fields_(fields), name_(name), at_end_(false) {
        advance();
    }

    constexpr std::string_view operator*() const noexcept { return element_; }
    constexpr iterator&        operator++() noexcept {
        advance();
        return *this;
    }
    constexpr void operator++(int) noexcept { advance(); }
    friend constexpr bool operator==(const iterator& at, sentinel) noexcept { return at.at_end_; }

private:
    constexpr void advance() noexcept {
        while (!list_.next(element_)) {
            while (!fields_.empty() && !iequals(fields_.front().name, name_)) fields_.pop_front();
            if (fields_.empty()) {
                at_end_ = true;
                return;
            }
            list_ = list_reader(fields_.front().value);
            fields_.pop_front();
        }
    }
};

constexpr field_elements::iterator field_elements::begin() const noexcept {
    return iterator(fields_, name_);
}

constexpr field_elements http_fields::elements(std::string_view name) const noexcept {
    return {*this, name};
}

/// A request, as views. A server_handshake that has read one fills all of it. One that was read elsewhere needs the
/// method, the target, the version and the fields, of HTTP/2 and HTTP/3 also `host` (":authority") and `protocol`.
struct request_view {
    std::string_view method{};
    std::string_view target{}; ///< as it was sent; of an extended CONNECT ":path"
    std::string_view path{};   ///< of the target, percent-encoding kept; empty for CONNECT, `*` for OPTIONS *
    std::string_view query{};  ///< of the target, what stands behind `?`
    std::string_view host{};   ///< with the port if given; an absolute target's wins over Host (RFC 9112, 3.2.2)
    std::string_view origin{}; ///< the Origin; empty if there is none
    unsigned version_major = 1, version_minor = 1;
    http_fields fields{};
    std::string_view protocol{};   ///< ":protocol" of an extended CONNECT (RFC 8441, 4); empty: none

    /// The offered subprotocols, the client's first choice first, over all lines (RFC 6455, 11.3.4).
    constexpr field_elements subprotocols() const noexcept {
        return fields.elements("Sec-WebSocket-Protocol");
    }

    /// The value of the first cookie named exactly `name`, as it was sent, over all lines (RFC 6265, 4.2).
    constexpr std::optional<std::string_view> cookie(std::string_view name) const noexcept {
        std::optional<std::string_view> found;
        fields.for_each("Cookie", [&](std::string_view pairs) {
            while (!found && !pairs.empty()) {
                const std::size_t end = pairs.find(';');
                const std::string_view pair = trim_ows(pairs.substr(0, end));
                pairs = end == std::string_view::npos ? std::string_view{} : pairs.substr(end + 1);
                if (const std::size_t equals = pair.find('=');
                    equals != std::string_view::npos && pair.substr(0, equals) == name)
                    found = pair.substr(equals + 1);
            }
        });
        return found;
    }
};

/// A response, as views; what appends it to HTTP/1.1 is append_http1.
struct response_view {
    unsigned status = 0;
    std::string_view reason{};   ///< the phrase behind the status; HTTP/2 has none
    http_fields fields{};
    std::string_view body{};
    bool omit_body = false;      ///< it answers HEAD: the body's length is told, not its bytes (RFC 9110, 9.3.2)
};

} // namespace navette
