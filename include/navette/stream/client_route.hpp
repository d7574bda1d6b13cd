// The way from a client's socket to its server: a chain of proxies, TLS to some of them, TLS to the server; as engines, one
// on the other, so that whoever drives an engine goes this way (RFC 6455, 4.1). Opens no socket, reads no environment.
#pragma once

#include <navette/base/bytes.hpp>
#include <navette/handshake/proxy.hpp>
#include <navette/handshake/proxy_choice.hpp>
#include <navette/stream/engine_stack.hpp>
#include <navette/stream/transport_engine.hpp>

#include <optional>

namespace navette {

/// What leads to one server. Borrows the URI's and the proxies' text and the factory; the engines it makes borrow it
/// until their handshake is complete.
///
///     auto route = client_route::make(to, "http://user:secret@proxy.example:3128", &tls);
///     ... connect a socket to route->first() ...
///     auto engine = route->engine();          // empty if route->is_direct()
///     ... errc::proxy_wants_reconnection: another socket, and another engine ...
class client_route {
    // A proxy. Invariant: exactly one of the machines is there once an engine was made.
    struct hop {
        proxy_uri                     proxy{};
        authority                     leads_to{};
        buffer                        login{};      // storage of the credentials
        credentials                   decoded{};
        http_connect_options          options{};
        buffer                        answer{};
        std::optional<http_connect>   http{};
        std::optional<socks5_connect> socks{};
        hop*                          next = nullptr;
    };

    class tunnel;

    struct state {
        uri                      to;
        const transport_factory* tls;
        entropy                  source;
        limits                   bounds;
        hop*                     first    = nullptr;
        std::size_t              proxies  = 0;
        std::size_t              attempts = 0;
    };

    // Invariant: null only after a move.
    state* state_ = nullptr;

    explicit client_route(state* made) noexcept : state_(made) {}

public:
    /// `proxies` is a chain as proxy_chain has it, empty for none. Errors, before anything is sent: `errc::no_tls` (the URI
    /// is wss or a proxy https, and `tls` is null), `errc::unsupported_proxy`, `errc::invalid_proxy`,
    /// `errc::invalid_credentials`, `errc::out_of_memory`.
    static io_result<client_route> make(const uri& to, std::string_view proxies, const transport_factory* tls,
                                        entropy source = {}, const limits& bounds = default_limits) noexcept;

    client_route(client_route&& other) noexcept : state_(detail::take(other.state_)) {}
    client_route& operator=(client_route&& other) noexcept {
        detail::swap_values(state_, other.state_);
        return *this;
    }
    ~client_route();

    /// What a socket is to be connected to: the first proxy, or the server.
    authority first() const noexcept {
        return state_->first != nullptr ? state_->first->proxy.address : tunnel_target(state_->to);
    }

    /// Neither a proxy nor TLS: engine() is empty.
    bool is_direct() const noexcept { return state_->first == nullptr && !state_->to.secure; }

    std::size_t proxies() const noexcept { return state_->proxies; }

    /// Makes what is to be driven over a new socket. Its handshake fails with `errc::proxy_wants_reconnection` if a proxy
    /// takes credentials on a new connection only: then another socket and another engine; that often at most twice a
    /// proxy. Other errors: those of http_connect and socks5_connect, and of the factory's engines.
    io_result<transport_engine> engine() noexcept;

    /// What the proxy that refused answered, if it was an HTTP proxy and its head was complete; else status 0. Views into
    /// this object, or, with `kept`, into that, which takes the memory over: then no engine is made any more.
    response_view refusal() const noexcept;
    response_view refusal(buffer& kept) noexcept;

    /// Whether each proxy has opened its tunnel.
    bool is_through() const noexcept;
};

} // namespace navette

#if !defined(NAVETTE_SEPARATE_COMPILATION)
#  include <navette/stream/client_route.ipp>
#endif
