// For whom a proxy says that it speaks: Forwarded (RFC 7239) and X-Forwarded-For. Whether the proxy is to be believed is
// decided by who asks.
#pragma once

#include <navette/codec/http_grammar.hpp>
#include <navette/codec/ip_address.hpp>
#include <navette/handshake/http_fields.hpp>

#include <cstdint>
#include <string_view>

namespace navette {

/// Which field of a trusted proxy's request names the client.
enum class forwarded_by : std::uint8_t {
    nothing,
    forwarded,         ///< Forwarded
    x_forwarded_for,   ///< X-Forwarded-For
};

/// One end of a connection, as a proxy names it.
struct proxied_address {
    ip_address    ip{};       ///< of size 0: it says nothing, or hides it
    std::uint16_t port = 0;   ///< 0: not said

    friend constexpr bool operator==(const proxied_address&, const proxied_address&) noexcept = default;
};

/// Reads a node: an address, one of IPv6 in brackets or, as X-Forwarded-For has it, without; then perhaps a port
/// (RFC 7239, 6). "unknown", and names with an underscore, are none.
constexpr proxied_address parse_proxied_address(std::string_view node) noexcept {
    proxied_address  made;
    std::string_view host = node, port;
    if (node.starts_with('[')) {
        const std::size_t end = node.find(']');
        if (end == std::string_view::npos) return {};
        host = node.substr(1, end - 1);
        port = node.substr(end + 1);
        made.ip = parse_ipv6(host);
    } else if (const std::size_t colon = node.find(':'); colon != std::string_view::npos && colon == node.rfind(':')) {
        made.ip = parse_ipv4(node.substr(0, colon));
        port    = node.substr(colon);
    } else {
        made.ip = parse_ip(host);
    }
    if (!made.ip || port.empty()) return made.ip ? made : proxied_address{};
    if (port.front() != ':' || port.size() < 2) return {};
    if (port[1] == '_') return made;   // hidden (RFC 7239, 6.3)
    if (port.size() > 6) return {};
    std::uint32_t number = 0;
    for (const char c : port.substr(1)) {
        if (c < '0' || c > '9') return {};
        number = number * 10 + static_cast<std::uint32_t>(c - '0');
    }
    if (number > 65'535) return {};
    made.port = static_cast<std::uint16_t>(number);
    return made;
}

namespace detail {

// The value of `for` in an element of Forwarded; empty if it has none or is malformed. Quoted pairs do not occur in
// addresses, and whoever writes some is not understood.
constexpr std::string_view forwarded_for(std::string_view element) noexcept {
    std::string_view found;
    while (!element.empty()) {
        const std::size_t equals = element.find('=');
        if (equals == std::string_view::npos) return {};
        const std::string_view name = trim_ows(element.substr(0, equals));
        element.remove_prefix(equals + 1);
        std::string_view value;
        if (element.starts_with('"')) {
            const std::size_t end = element.find('"', 1);
            if (end == std::string_view::npos) return {};
            value = element.substr(1, end - 1);
            element.remove_prefix(end + 1);
            element = trim_ows(element);
            if (!element.empty() && element.front() != ';') return {};
        } else {
            const std::size_t end = element.find(';');
            value                 = trim_ows(element.substr(0, end));
            element.remove_prefix(end == std::string_view::npos ? element.size() : end);
        }
        if (!element.empty()) element.remove_prefix(1);
        if (iequals(name, "for")) found = value;
    }
    return found;
}

} // namespace detail

/// The client of a request that came from a trusted proxy: each proxy has added whom it heard, so it is the last one that
/// `is_trusted(const ip_address&)` denies, or the first if all are trusted. If that one cannot be read, nobody is named.
template <class IsTrusted>
constexpr proxied_address find_client(const http_fields& fields, forwarded_by how, IsTrusted is_trusted) {
    proxied_address client;
    if (how == forwarded_by::nothing) return client;
    bool is_first = true;
    for (const std::string_view element : fields.elements(how == forwarded_by::forwarded ? "Forwarded" : "X-Forwarded-For")) {
        const proxied_address heard =
            parse_proxied_address(how == forwarded_by::forwarded ? detail::forwarded_for(element) : element);
        if (is_first || !heard.ip || !is_trusted(heard.ip)) client = heard;
        is_first = false;
    }
    return client;
}

} // namespace navette
