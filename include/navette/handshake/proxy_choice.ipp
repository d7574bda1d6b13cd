// The bodies of proxy_choice.hpp.
#pragma once

#include <navette/codec/http_grammar.hpp>
#include <navette/codec/ip_network.hpp>
#include <navette/handshake/http_authentication.ipp>
#include <navette/handshake/proxy_choice.hpp>
#include <navette/handshake/uri.ipp>

namespace navette {

namespace detail {

// `text` is "address/bits".
constexpr bool is_in_network(const ip_address& address, std::string_view text) noexcept {
    const std::size_t      slash   = text.find('/');
    const std::string_view digits  = text.substr(slash + 1);
    const ip_address       network = parse_ip(text.substr(0, slash));
    if (!network || network.size != address.size || digits.empty() || digits.size() > 3) return false;
    unsigned bits = 0;
    for (const char c : digits) {
        if (!is_digit(c)) return false;
        bits = bits * 10 + static_cast<unsigned>(c - '0');
    }
    if (bits > network.size * 8u) return false;
    for (unsigned i = 0; bits != 0; ++i) {
        const unsigned n    = lesser(bits, 8u);
        const unsigned mask = 0xff00u >> n & 0xffu;
        if ((static_cast<unsigned>(address.bytes[i] ^ network.bytes[i]) & mask) != 0) return false;
        bits -= n;
    }
    return true;
}

// Takes the port off an entry: `name:1`, `1.2.3.4:1`, `[::1]:1`; brackets too. False: it is malformed.
constexpr bool split_port(std::string_view& entry, std::uint16_t& port) noexcept {
    std::size_t end = entry.size();
    if (entry.starts_with('[')) {
        end = entry.find(']');
        if (end == std::string_view::npos) return false;
        const std::string_view behind = entry.substr(end + 1);
        if (!behind.empty() && (behind.front() != ':' || parse_port(behind.substr(1), port) != errc{})) return false;
        entry = entry.substr(1, end - 1);
        return bool(parse_ipv6(entry));
    }
    const std::size_t colon = entry.find(':');
    if (colon == std::string_view::npos || entry.find(':', colon + 1) != std::string_view::npos) return true;
    if (parse_port(entry.substr(colon + 1), port) != errc{}) return false;
    entry = entry.substr(0, colon);
    return true;
}

constexpr bool is_name_or_below(std::string_view host, std::string_view name) noexcept {
    if (name.starts_with("*.")) name.remove_prefix(1);
    if (name.starts_with('.')) name.remove_prefix(1);
    if (name.ends_with('.')) name.remove_suffix(1);
    if (name.empty() || host.size() < name.size()) return false;
    const std::string_view end = host.substr(host.size() - name.size());
    if (!iequals(end, name)) return false;
    return host.size() == name.size() || host[host.size() - name.size() - 1] == '.';
}

constexpr bool exempts(std::string_view entry, std::string_view host, const ip_address& address,
                       std::uint16_t target_port) noexcept {
    if (entry == "*") return true;
    if (entry.find('/') != std::string_view::npos) return address && is_in_network(address, entry);
    std::uint16_t port = 0;
    if (!split_port(entry, port) || (port != 0 && port != target_port)) return false;
    if (const ip_address exempt = parse_ip(entry)) return unmapped(exempt) == address;
    return !address && is_name_or_below(host, entry);
}

// RFC 3986, 3.2.1.
inline bool is_userinfo(const proxy_uri& proxy) noexcept {
    if (proxy.password.find_first_of("/@") != std::string_view::npos) return false;
    return is_uri_text(proxy.user, uri_text::name) && is_uri_text(proxy.password, uri_text::path);
}

// Decodes what is_uri_text has let through; returns how many characters that makes, at most text.size().
constexpr std::size_t percent_decode(std::string_view text, std::byte* to) noexcept {
    const auto digit = [](char c) { return static_cast<unsigned>(is_digit(c) ? c - '0' : to_lower(c) - 'a' + 10); };
    std::size_t written = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            to[written++] = static_cast<std::byte>(digit(text[i + 1]) << 4 | digit(text[i + 2]));
            i += 2;
        } else {
            to[written++] = static_cast<std::byte>(text[i]);
        }
    }
    return written;
}

} // namespace detail

NAVETTE_INLINE std::string_view proxy_for(const uri& target, const proxy_environment& environment) noexcept {
    if (bypasses_proxy({target.host, target.ipv6, target.port}, environment.no_proxy)) return {};
    const auto& e = environment;
    const std::string_view for_wss[] = {e.wss_proxy, e.https_proxy, {}, e.all_proxy};
    const std::string_view for_ws[]  = {e.ws_proxy, e.https_proxy, e.http_proxy, e.all_proxy};
    for (const std::string_view value : target.secure ? for_wss : for_ws)
        if (!trim_ows(value).empty()) return trim_ows(value);
    return {};
}

NAVETTE_INLINE bool bypasses_proxy(const authority& target, std::string_view no_proxy) noexcept {
    std::string_view host    = target.host;
    const ip_address address = unmapped(target.ipv6 ? parse_ipv6(host) : parse_ipv4(host));
    if (host.ends_with('.')) host.remove_suffix(1);
    while (!no_proxy.empty()) {
        const std::size_t end = lesser(no_proxy.find_first_of(", \t"), no_proxy.size());
        if (detail::exempts(no_proxy.substr(0, end), host, address, target.port)) return true;
        no_proxy.remove_prefix(lesser(end + 1, no_proxy.size()));
    }
    return false;
}

NAVETTE_INLINE result<proxy_uri> parse_proxy(std::string_view text) noexcept {
    struct scheme {
        std::string_view name;
        proxy_kind       kind;
        std::uint16_t    port;
    };
    constexpr scheme schemes[] = {{"http", proxy_kind::http, 80},
                                  {"https", proxy_kind::https, 443},
                                  {"socks5", proxy_kind::socks5, 1080},
                                  {"socks5h", proxy_kind::socks5, 1080}};
    text                   = trim_ows(text);
    const scheme* known    = &schemes[0];
    if (const std::size_t end = text.find("://"); end != std::string_view::npos) {
        const auto parts = split_uri(text);
        if (!parts || parts->scheme.size() != end) return errc::invalid_proxy;
        known = nullptr;
        for (const scheme& each : schemes)
            if (iequals(each.name, parts->scheme)) known = &each;
        if (known == nullptr) return errc::unsupported_proxy;
        text.remove_prefix(end + 3);
    }
    if (text.ends_with('/')) text.remove_suffix(1);

    proxy_uri proxy;
    proxy.kind = known->kind;
    if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
        const std::string_view login = text.substr(0, at);
        const std::size_t      colon = lesser(login.find(':'), login.size());
        proxy.user     = login.substr(0, colon);
        proxy.password = login.substr(lesser(colon + 1, login.size()));
        text.remove_prefix(at + 1);
        if (!detail::is_userinfo(proxy)) return errc::invalid_proxy;
    }
    const auto address = parse_authority(text);
    if (!address) return errc::invalid_proxy;
    proxy.address      = *address;
    proxy.address.port = address->port_or(known->port);
    return proxy;
}

NAVETTE_INLINE result<credentials> proxy_login(const proxy_uri& proxy, buffer& storage) noexcept {
    storage.clear();
    if (!detail::is_userinfo(proxy)) return errc::invalid_proxy;
    const std::size_t most  = proxy.user.size() + proxy.password.size();
    const byte_span   place = storage.grow(most);
    if (place.size() != most) return errc::out_of_memory;
    const std::size_t user     = detail::percent_decode(proxy.user, place.data());
    const std::size_t password = detail::percent_decode(proxy.password, place.data() + user);
    const credentials login{as_text(place.first(user)), as_text(place.subspan(user, password))};
    if (!detail::is_sendable(login.user) || !detail::is_sendable(login.password)) return errc::invalid_credentials;
    return login;
}

NAVETTE_INLINE bool proxy_chain::next(proxy_uri& proxy) noexcept {
    if (at_end_) return false;
    const std::size_t end  = lesser(rest_.find(','), rest_.size());
    const auto        read = parse_proxy(rest_.substr(0, end));
    at_end_                = !read || end == rest_.size();
    rest_.remove_prefix(lesser(end + 1, rest_.size()));
    error_ = read.error();
    if (!read) return false;
    proxy = *read;
    return true;
}

} // namespace navette
