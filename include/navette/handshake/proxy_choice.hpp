// Which proxy leads to a server: the rules of the environment variables that other programs obey, and the URIs of
// proxies. Reads no environment: an adapter hands it in.
#pragma once

#include <navette/base/buffer.hpp>
#include <navette/base/config.hpp>
#include <navette/base/result.hpp>
#include <navette/handshake/http_authentication.hpp>
#include <navette/handshake/uri.hpp>

#include <cstdint>
#include <string_view>

namespace navette {

/// The values of the environment variables of these names; an empty one counts as none. Who reads them takes the name
/// in lower case first, and then the one in capitals; but not HTTP_PROXY where REQUEST_METHOD is set, since a CGI
/// program gets a visitor's field "Proxy" in it.
struct proxy_environment {
    std::string_view http_proxy{}, https_proxy{}, all_proxy{}, ws_proxy{}, wss_proxy{};
    std::string_view no_proxy{};   ///< what is reached without a proxy: see bypasses_proxy
};

/// The variable that counts for `target`, for parse_proxy or proxy_chain; empty: no proxy. The first that is set of
///
/// - for wss: wss_proxy, https_proxy, all_proxy
/// - for ws: ws_proxy, https_proxy, http_proxy, all_proxy
///
/// For ws https_proxy comes before http_proxy, as RFC 6455, 4.1 advises: the proxy has to open a tunnel, and that is
/// what the one for https is there for. (curl takes http_proxy for ws and never https_proxy; Python's websockets goes
/// by the RFC.) The special comes before the general, so all_proxy is last, even if it names SOCKS.
std::string_view proxy_for(const uri& target, const proxy_environment& environment) noexcept;

/// Whether `no_proxy` exempts a host. It is a list, separated by commas or white space, of
///
/// - `*`: everything
/// - a name: that name and all that end in it behind a dot; `.name` and `*.name` mean the same (as with curl and
///   Python; with Go the dot would exclude the name itself)
/// - an address, an IPv6 one with or without brackets; it is compared as an address, in any notation
/// - a network of addresses, `10.0.0.0/8` or `fd00::/8`
/// - a name or an address (IPv6 in brackets) with a port, `example.com:8080`: that port alone
///
/// Names have no case; one final dot does not count. No name is resolved, so addresses exempt none. Loopback is not
/// exempt by itself (with Go it is). What is malformed exempts nothing.
bool bypasses_proxy(const authority& target, std::string_view no_proxy) noexcept;

enum class proxy_kind : std::uint8_t {
    http,     ///< CONNECT, in the clear
    https,    ///< CONNECT, over TLS to the proxy
    socks5,   ///< SOCKS5; names are always resolved by the proxy, so socks5 and socks5h are the same
};

/// A proxy. Views into its URI.
struct proxy_uri {
    proxy_kind       kind = proxy_kind::http;
    authority        address{};               ///< always with a port: 80, 443 or 1080 if none was given
    std::string_view user{}, password{};      ///< percent-encoded, as written
};

/// Reads `[scheme://][user[:password]@]host[:port][/]`. Without a scheme it is an HTTP proxy. `errc::unsupported_proxy`
/// (socks4 among others), `errc::invalid_proxy`.
result<proxy_uri> parse_proxy(std::string_view text) noexcept;

/// The credentials of a proxy, decoded into `storage`, which is emptied and which they live in; empty if there are
/// none. `errc::invalid_credentials`: they stand for control characters, or for what is not UTF-8;
/// `errc::out_of_memory`; `errc::invalid_proxy`, if parse_proxy did not make them.
result<credentials> proxy_login(const proxy_uri& proxy, buffer& storage) noexcept;

/// The proxies of a chain, separated by commas: a tunnel to the first leads to the second, and one through the last to
/// the server. A comma within a URI must be percent-encoded.
///
///     proxy_chain chain(proxy_for(target, environment));
///     for (proxy_uri proxy; chain.next(proxy);) ...
///     if (chain.error() != errc{}) ...
class proxy_chain {
    std::string_view rest_;
    bool             at_end_;
    errc             error_{};

public:
    /// An empty text is no chain: it has no proxy and no error.
    explicit proxy_chain(std::string_view text) noexcept : rest_(text), at_end_(text.empty()) {}

    /// False behind the last one, and at one that parse_proxy refuses.
    bool next(proxy_uri& proxy) noexcept;

    errc error() const noexcept { return error_; }
};

} // namespace navette

#if !defined(NAVETTE_SEPARATE_COMPILATION)
#  include <navette/handshake/proxy_choice.ipp>
#endif
