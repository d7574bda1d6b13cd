// The bodies of origin.hpp.
#pragma once

#include <navette/handshake/origin.hpp>
#include <navette/handshake/uri.hpp>

namespace navette {

namespace detail {

// Scheme, host and port of an origin; a port of 0: the scheme has none by default and none was given.
struct parsed_origin {
    std::string_view scheme, host;
    std::uint16_t port = 0;
};

inline result<parsed_origin> parse_origin(std::string_view text) noexcept {
    const auto parts = split_uri(text);
    if (!parts) return parts.error();
    if (!parts->has_authority || !parts->path.empty() || parts->has_query || parts->has_fragment)
        return errc::invalid_uri;
    const auto from = parse_authority(parts->authority);
    if (!from) return from.error();
    return parsed_origin{parts->scheme, from->host, from->port_or(default_port(parts->scheme))};
}

} // namespace detail

NAVETTE_INLINE bool is_same_origin(std::string_view a, std::string_view b) noexcept {
    if (a.empty() || b.empty()) return false;
    if (iequals(a, b))
        return true; // "null" too, and schemes whose origins have no host, as "file://"
    const auto x = detail::parse_origin(a);
    const auto y = detail::parse_origin(b);
    return x && y && iequals(x->scheme, y->scheme) && iequals(x->host, y->host) &&
           x->port == y->port;
}

NAVETTE_INLINE bool origin_policy::admits(const request_view& request, const known_fields& fields) const noexcept {
    if (!fields.has(known_field::origin)) return !required_;
    if (fields.count(known_field::origin) > 1) return false;
    const std::string_view claimed = fields.value(known_field::origin);

    switch (kind_) {
    case kind::any: return true;
    case kind::list:
        for (const std::string_view allowed : listed_)
            if (is_same_origin(claimed, allowed)) return true;
        return false;
    case kind::same_origin: break;
    }
    const auto from = detail::parse_origin(claimed);
    const auto here = parse_authority(request.host);
    if (!from || !here || from->port == 0) return false;
    if (!scheme_.empty() && !iequals(from->scheme, scheme_)) return false;
    return iequals(from->host, here->host) &&
           from->port == here->port_or(default_port(from->scheme));
}

} // namespace navette
