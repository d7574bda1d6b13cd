// The bodies of `connect(uri)` in tcp.hpp: sockets, proxies, TLS, the opening handshake and redirections, one after the
// other, each within its deadline.
#pragma once

#include <navette/stream/client_route.hpp>
#include <navette/tcp.hpp>

namespace navette {

namespace detail {

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
        laid.write_expires_at(client_journey::laying_ends(laid.now(), route->proxies(), to.secure, times));
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

NAVETTE_INLINE io_result<client_connection> connect(const uri& to, const connect_options& options) {
    connect_report  unreported;
    connect_report& report = options.report != nullptr ? *options.report : unreported;
    client_journey journey(to, options.handshake, options.login, options.bearer, options.redirects, report);
    for (;;) {
        if (const errc error = journey.begin(); error != errc{}) return error;
        auto transport = detail::reach(journey.target(), options);
        if (!transport) return transport.error();
        if (!*transport) return errc::out_of_memory;
        auto made = connect(*std::move(transport), journey.target(), journey.asked(), options.limits, options.timeouts, &report.server);
        if (made) return made;
        if (const auto error = journey.failed(made.error())) return error;
    }
}

NAVETTE_INLINE io_result<client_connection> connect(std::string_view text, const connect_options& options) {
    const auto to = parse_uri(text);
    if (!to) return to.error();
    return connect(*to, options);
}

} // namespace navette
