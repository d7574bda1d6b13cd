// URIs: taken apart for any scheme (RFC 3986, 3), and those of WebSocket, ws and wss (RFC 6455, 3).
// Views into the text that was given; percent-encoding is kept, nothing is normalised or resolved, and a host that is
// not ASCII must come in its ASCII form.
#pragma once

#include <navette/base/config.hpp>
#include <navette/base/result.hpp>

#include <cstdint>
#include <string_view>

namespace navette {

/// The components of a URI, separated and not checked, but for the scheme (RFC 3986, appendix B).
struct uri_parts {
    std::string_view scheme, authority, path, query, fragment;
    bool has_authority = false, has_query = false, has_fragment = false;
};

/// Takes `text` apart; borrows it. `errc::invalid_uri` if it does not begin with a scheme.
result<uri_parts> split_uri(std::string_view text) noexcept;

/// `host [ ":" port ]`, as in a URI or a Host field.
struct authority {
    std::string_view host;    ///< never empty; an IPv6 address without its brackets
    bool ipv6 = false;
    std::uint16_t port = 0;   ///< 0: none was given

    /// The port, or `otherwise` if none was given.
    constexpr std::uint16_t port_or(std::uint16_t otherwise) const noexcept {
        return port == 0 ? otherwise : port;
    }
};

/// Reads and checks an authority; borrows the text. `errc::uri_has_userinfo`, `errc::invalid_host` or
/// `errc::invalid_port`: port 0 is invalid, an empty one counts as none (RFC 3986, 3.2).
result<authority> parse_authority(std::string_view text) noexcept;

/// The port of http, ws, https and wss; 0 for another scheme.
std::uint16_t default_port(std::string_view scheme) noexcept;

/// A ws or wss URI. Borrows the text that parse_uri was given.
///
///     result<uri> target = parse_uri("wss://example.com/chat?room=7");
///     if (!target) return target.error();
struct uri {
    bool             secure = false;   ///< wss
    std::string_view host;             ///< as written; an IPv6 address without its brackets
    bool             ipv6 = false;
    std::uint16_t    port = 80;
    std::string_view path = "/";       ///< never empty
    std::string_view query{};          ///< what stands behind `?`

    /// Whether the port is the scheme's own, which Host does not repeat (RFC 6455, 4.1).
    constexpr bool has_default_port() const noexcept { return port == (secure ? 443 : 80); }
};

/// Reads and checks a ws or wss URI (RFC 6455, 3); nothing that it lets through can break a request. Errors:
/// `errc::invalid_uri`, `unsupported_scheme`, `uri_has_fragment` (`#` only as %23), `uri_has_userinfo`, `invalid_host`,
/// `invalid_port`, `invalid_path`.
result<uri> parse_uri(std::string_view text) noexcept;

/// Whether a uri is one that parse_uri could have made; success or the error as there. For one that was put together
/// by hand.
[[nodiscard]] errc check_uri(const uri& target) noexcept;

} // namespace navette

#if !defined(NAVETTE_SEPARATE_COMPILATION)
#  include <navette/handshake/uri.ipp>
#endif
