// The body of proxies_from_environment.hpp.
#pragma once

#include <navette/codec/ip_address.hpp>
#include <navette/handshake/proxy.hpp>
#include <navette/handshake/proxy_choice.hpp>
#include <navette/stream/proxies_from_environment.hpp>

#include <cstdlib>

namespace navette {

namespace detail {

inline std::string_view variable(const char* name, const char* in_capitals) noexcept {
    const char* value = std::getenv(name);
    if ((value == nullptr || *value == '\0') && in_capitals != nullptr) value = std::getenv(in_capitals);
    return value == nullptr ? std::string_view{} : std::string_view(value);
}

inline bool is_loopback(const uri& to) noexcept {
    std::string_view name = to.host;
    if (name.ends_with('.')) name.remove_suffix(1);
    if (iequals(name, "localhost") || (name.size() > 10 && iequals(name.substr(name.size() - 10), ".localhost"))) return true; // RFC 6761, 6.3
    const ip_address address = parse_ip(name);
    if (address.size == 4) return address.bytes[0] == std::byte{127};
    return address == parse_ip("::1");
}

} // namespace detail

NAVETTE_INLINE std::string_view proxies_from_environment(const uri& to) noexcept {
    if (detail::is_loopback(to)) return {};
    const bool is_cgi = std::getenv("REQUEST_METHOD") != nullptr;
    const proxy_environment set{
        .http_proxy  = detail::variable("http_proxy", is_cgi ? nullptr : "HTTP_PROXY"),
        .https_proxy = detail::variable("https_proxy", "HTTPS_PROXY"),
        .all_proxy   = detail::variable("all_proxy", "ALL_PROXY"),
        .ws_proxy    = detail::variable("ws_proxy", "WS_PROXY"),
        .wss_proxy   = detail::variable("wss_proxy", "WSS_PROXY"),
        .no_proxy    = detail::variable("no_proxy", "NO_PROXY"),
    };
    return bypasses_proxy(tunnel_target(to), set.no_proxy) ? std::string_view{} : proxy_for(to, set);
}

} // namespace navette
