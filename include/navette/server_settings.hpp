// What a server is told beside its callbacks, and what it counts; with the text of the counters as Prometheus reads it.
// The server itself is server.hpp.
#pragma once

#include <navette/base/limits.hpp>
#include <navette/base/timeouts.hpp>
#include <navette/handshake/forwarded.hpp>
#include <navette/handshake/origin.hpp>
#include <navette/handshake/server_handshake.hpp>
#include <navette/stream/transport_engine.hpp>
#include <navette/tcp.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace navette {

/// How a server serves. Text is copied; what pointers and spans name is borrowed and outlives the server.
struct server_settings {
    origin_policy            origins;           ///< who may come; there is no default
    std::vector<std::string> subprotocols{};    ///< those that it speaks
    std::vector<std::pair<std::string, std::string>> fields{};      ///< names and values added to every answer
    std::span<const extension_factory* const>        extensions{};  ///< with several loops they must not share a window
    transport_factory  tls{};                   ///< makes the engines, if it can make any: `context.factory()`
    navette::limits    limits{};
    navette::timeouts  timeouts{};              ///< `close_within` and `handshake` cannot be turned off: zero is their default
    unsigned           threads = 1;             ///< loops; 0: as many as there are processors

    std::size_t max_connections             = 1'000'000;   ///< in all; beyond it they are closed as they come
    std::size_t max_connections_per_address = 0;           ///< 0: any number; of IPv6 a /64 counts as one address
    std::size_t max_buffered = std::size_t{1} << 30;       ///< bytes that may wait for peers in all; beyond it nothing is queued

    /// Bytes that wait above which a connection is not read from, and below which `on_drain` comes.
    std::size_t pause_mark = 256 * 1024;
    std::size_t drain_mark = 64 * 1024;

    /// Peers that are believed when they say for whom they speak: addresses, networks such as "10.0.0.0/8" and
    /// "fd00::/8", or "unix" for all unix sockets. What they say: the field, or the PROXY protocol, versions 1 and 2, on
    /// every connection of theirs; nobody else's PROXY header is understood.
    std::vector<std::string> proxies{};
    forwarded_by             forwarded      = forwarded_by::nothing;
    bool                     proxy_protocol = false;

    const tcp::stop_signal* stop = nullptr;     ///< once it is raised the server stops, as by stop(); borrowed
    bool waits_by_poll = false;                 ///< by poll, as where there is no epoll
    std::size_t read_size = 256 * 1024;         ///< bytes read at once; one buffer for each loop
};

/// Why a connection was refused, or a request.
enum class refusal : std::uint8_t { connections, address, proxy_header, tls, handshake, timeout, application, stopping };
inline constexpr std::size_t refusal_count = 8;

/// What a server counts, in numbers of whatever type.
template <class Number>
struct basic_server_counters {
    Number accepted{};          ///< connections of the transport
    Number accept_failures{};   ///< for want of descriptors, mostly
    Number transports{};        ///< open ones, in whatever state
    Number open{};              ///< WebSocket connections
    Number opened{};            ///< the same, ever
    Number requests{};          ///< valid requests of either kind
    std::array<Number, refusal_count> refused{};   ///< by refusal
    Number messages_in{}, messages_out{};
    Number payload_in{}, payload_out{};            ///< bytes of messages
    Number bytes_in{}, bytes_out{};                ///< on the wire
    Number pings_in{}, pings_out{}, pongs_in{};
    Number published{};         ///< messages that subscribers got
    Number missed{};            ///< that they did not get, since too much waited
    Number subscriptions{};
    Number queued{};            ///< times that output had to wait
    Number full{};              ///< messages that were not taken
    Number buffered{};          ///< bytes that wait
    std::array<Number, 16> closes{};                       ///< by code, 1000 to 1015
    Number closes_registered{}, closes_private{};          ///< of 3000 to 3999, of 4000 to 4999
    std::array<Number, std::size(error_table) + 1> errors{};   ///< by errc; first those that are not navette's

    /// Calls `f` with each number of `a` and the same one of `b`.
    template <class A, class B, class F>
    static void for_each(A& a, B& b, F f) {
        const auto all = [&](auto& of_a, auto& of_b) {
            for (std::size_t i = 0; i < of_a.size(); ++i) f(of_a[i], of_b[i]);
        };
        f(a.accepted, b.accepted), f(a.accept_failures, b.accept_failures), f(a.transports, b.transports);
        f(a.open, b.open), f(a.opened, b.opened), f(a.requests, b.requests), all(a.refused, b.refused);
        f(a.messages_in, b.messages_in), f(a.messages_out, b.messages_out);
        f(a.payload_in, b.payload_in), f(a.payload_out, b.payload_out);
        f(a.bytes_in, b.bytes_in), f(a.bytes_out, b.bytes_out);
        f(a.pings_in, b.pings_in), f(a.pings_out, b.pings_out), f(a.pongs_in, b.pongs_in);
        f(a.published, b.published), f(a.missed, b.missed), f(a.subscriptions, b.subscriptions);
        f(a.queued, b.queued), f(a.full, b.full), f(a.buffered, b.buffered);
        all(a.closes, b.closes), f(a.closes_registered, b.closes_registered), f(a.closes_private, b.closes_private);
        all(a.errors, b.errors);
    }
};

/// What a server has counted.
using server_counters = basic_server_counters<std::uint64_t>;

/// The counters in the text format of Prometheus, version 0.0.4.
std::string to_prometheus(const server_counters& counters);

} // namespace navette

#if !defined(NAVETTE_SEPARATE_COMPILATION)
#  include <navette/server_settings.ipp>
#endif
