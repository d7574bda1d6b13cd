// The bodies of `connect(uri)` in tcp.hpp: sockets, proxies, TLS, the opening handshake and redirections, one after the
// other, each within its deadline.
#pragma once

#include <navette/codec/ip_address.hpp>
#include <navette/handshake/proxy_choice.hpp>
#include <navette/handshake/redirect.hpp>
#include <navette/stream/client_route.hpp>
#include <navette/tcp.hpp>

#include <cstdlib>
#include <string>
#include <vector>

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

// What is sent to one origin: the options, and the authentication as a field.
struct request_fields {
    std::vector<http_field> fields{};
    buffer                  value{};

    errc fill(const connect_options& from, bool with_credentials) {
        fields.clear();
        value.clear();
        for (const http_field& each : from.handshake.fields)
            if (with_credentials || !is_credential(each.name)) fields.push_back(each);
        if (!with_credentials || (from.login.empty() && from.bearer.empty())) return {};
        if (!from.login.empty() && !from.bearer.empty()) return errc::misuse;
        const errc error = from.bearer.empty() ? append_basic(from.login, value) : append_bearer(from.bearer, value);
        fields.push_back({"Authorization", as_text(value.data())});
        return error;
    }
};

// When the proxies and TLS must be through with it: the sum of their times, or never, if one is off.
inline instant laying_ends(instant now, std::size_t proxies, bool is_secure, const timeouts& times) noexcept {
    for (; proxies != 0; --proxies) now = now == instant::never() ? now : deadline(now, times.proxy);
    if (is_secure && now != instant::never()) now = deadline(now, times.tls);
    return now;
}

// A transport to the server, through all proxies and TLS.
inline io_result<any_stream> reach(const uri& to, const connect_options& options) {
    const std::string_view proxies = options.proxy ? *options.proxy : proxies_from_environment(to);
    auto route = client_route::make(to, proxies, options.tls, {}, options.limits);
    if (!route) return route.error();
    const timeouts& times = options.timeouts;
    for (;;) {
        const authority first = route->first();
        auto socket = tcp::connect(first.host, first.port, {.within = times.connect, .resolver = options.resolver, .stop = options.stop});
        if (!socket) return socket.error();
        if (route->is_direct()) return any_stream(*std::move(socket));
        auto engine = route->engine();
        if (!engine) return engine.error();
        engine_stream laid(*std::move(socket), *std::move(engine));
        laid.write_expires_at(laying_ends(laid.now(), route->proxies(), to.secure, times));
        const auto error = laid.handshake();
        laid.write_expires_at(instant::never());
        if (!error) return any_stream(std::move(laid));
        laid.close();
        if (error == errc::proxy_wants_reconnection) continue;
        if (options.report != nullptr) options.report->proxy = route->refusal(options.report->proxy_head);
        if (error != std::errc::timed_out) return error;
        return make_error_code(route->is_through() ? errc::tls_timeout : errc::proxy_timeout);
    }
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

NAVETTE_INLINE io_result<client_connection> connect(const uri& to, const connect_options& options) {
    connect_report  unreported;
    connect_report& report = options.report != nullptr ? *options.report : unreported;
    report = {};
    detail::request_fields sent;
    client_options         asked = options.handshake;
    uri                    target = to;
    bool                   is_same = true;
    for (unsigned followed = 0;; ++followed) {
        if (const errc error = check_uri(target); error != errc{}) return error;
        if (const errc error = sent.fill(options, is_same); error != errc{}) return error;
        asked.fields = sent.fields;
        auto transport = detail::reach(target, options);
        if (!transport) return transport.error();
        if (!*transport) return errc::out_of_memory;
        auto made = connect(*std::move(transport), target, asked, options.limits, options.timeouts, &report.server);
        if (made) return made;
        const response_view& answer = report.server.response;
        if (made.error().category() == error_category())
            report.seen = find_interference(target, static_cast<errc>(made.error().value()), answer);
        if (options.redirects == 0 || made.error() != errc::unexpected_status || !is_redirect(answer.status)) return made.error();
        if (followed == options.redirects) return errc::too_many_redirects;
        buffer     next;
        const auto leads_to = read_redirect(target, answer, next);
        if (!leads_to) return leads_to.error();
        is_same         = is_same && is_same_origin(to, *leads_to);
        report.uri_text = std::move(next);
        report.uri      = as_text(report.uri_text.data());
        target          = *parse_uri(report.uri);
    }
}

NAVETTE_INLINE io_result<client_connection> connect(std::string_view text, const connect_options& options) {
    const auto to = parse_uri(text);
    if (!to) return to.error();
    return connect(*to, options);
}

} // namespace navette
