// Connects to a ws or wss URI over any executor: a socket of a dialer, proxies, TLS, the opening handshake and redirections,
// one after the other, each within its deadline. Opens no socket itself.
#pragma once

#include <navette/stream/async_engine_stream.hpp>
#include <navette/stream/async_opening_handshake.hpp>
#include <navette/stream/client_journey.hpp>
#include <navette/stream/client_route.hpp>
#include <navette/stream/proxies_from_environment.hpp>

#include <type_traits>

namespace navette {

/// A client's connection over whatever its URI asks for: with TLS and without, through proxies and directly, of one type.
template <async_dialer D>
using async_client = async_connection<role::client, async_engine_stream<typename D::stream>>;

/// What `async_connect` by URI may be given, as connect_options of tcp.hpp. What it views is borrowed until the task has ended;
/// see `async_connect(S, ...)` for what longer.
struct async_connect_options {
    client_options handshake{};
    navette::limits limits{};
    navette::timeouts timeouts{};

    /// Makes the TLS engine of a wss URI, and of an https proxy; null: such are `errc::no_tls`, before a byte is sent.
    const transport_factory* tls = nullptr;

    /// The proxies on the way, a chain as proxy_chain has it; "": none. By default what proxies_from_environment says.
    std::optional<std::string_view> proxy{};

    /// Sent with the request as Basic authentication (RFC 7617), or as a bearer token (RFC 6750). One of them at most.
    credentials      login{};
    std::string_view bearer{};

    /// How many redirections are followed; then `errc::too_many_redirects`. At 0 a redirection is `errc::unexpected_status`.
    /// Another origin gets neither `login` nor `bearer` nor fields that are credentials (see is_credential).
    unsigned redirects = 0;

    /// If not null, is filled in.
    connect_report* report = nullptr;
};

static_assert(std::is_trivially_destructible_v<async_connect_options>);

namespace detail {

// A transport to the server, through all proxies and TLS.
template <async_dialer D>
typename D::stream::template task<io_result<async_engine_stream<typename D::stream>>>
reach(D& dialer, uri to, const async_connect_options& options) {
    using laid     = async_engine_stream<typename D::stream>;
    using transfer = async_transfer<laid>;
    const timeouts&        times   = options.timeouts;
    const std::string_view proxies = options.proxy ? *options.proxy : proxies_from_environment(to);
    auto route = client_route::make(to, proxies, options.tls, {}, options.limits);
    if (!route) co_return route.error();
    for (;;) {
        const authority first  = route->first();
        auto            socket = co_await dialer.dial(first.host, first.port, deadline(dialer.now(), times.connect));
        if (!socket) co_return socket.error();
        auto engine = route->is_direct() ? io_result<transport_engine>(transport_engine{}) : route->engine();
        if (!engine) co_return engine.error();
        laid made(*std::move(socket), *std::move(engine));
        if (!made) co_return errc::out_of_memory;
        if (route->is_direct()) co_return made;
        share<transfer> s(new (std::nothrow) transfer(std::move(made)));
        if (!s) co_return errc::out_of_memory;
        const typename transfer::closer closes(s);
        const std::error_code error =
            co_await transfer::shake_hands(s, client_journey::laying_ends(s->stream.now(), route->proxies(), to.secure, times));
        if (!error) co_return s->release();
        if (error == errc::proxy_wants_reconnection) continue;
        if (options.report != nullptr) options.report->proxy = route->refusal(options.report->proxy_head);
        if (error != std::errc::timed_out) co_return error;
        co_return route->is_through() ? errc::tls_timeout : errc::proxy_timeout;
    }
}

} // namespace detail

/// Connects to a ws or wss URI, over sockets of `dialer`: to its host or the first proxy, tunnels, TLS if secure, then the
/// opening handshake, each within its deadline. The URI is checked before anything is sent. `text` is borrowed until the task
/// has ended. Errors: as those of `connect(uri)` in tcp.hpp, and the dialer's.
///
///     const auto ws = co_await navette::async_connect(dialer, "wss://example.com/chat", options);
template <async_dialer D>
typename D::stream::template task<io_result<async_client<D>>> async_connect(D dialer, std::string_view text,
                                                                            async_connect_options options = {}) {
    const auto to = parse_uri(text);
    if (!to) co_return to.error();
    connect_report  unreported;
    connect_report& report = options.report != nullptr ? *options.report : unreported;
    client_journey  journey(*to, options.handshake, options.login, options.bearer, options.redirects, report);
    for (;;) {
        if (const errc error = journey.begin(); error != errc{}) co_return error;
        auto transport = co_await detail::reach(dialer, journey.target(), options);
        if (!transport) co_return transport.error();
        auto made = co_await async_connect(*std::move(transport), journey.target(), journey.asked(), options.limits,
                                           options.timeouts, &report.server);
        if (made) co_return made;
        if (const auto error = journey.failed(made.error())) co_return error;
    }
}

} // namespace navette
