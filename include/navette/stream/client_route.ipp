// The bodies of client_route.hpp.
#pragma once

#include <navette/stream/client_route.hpp>

#include <cstring>

namespace navette {

// A proxy's handshake as that of an engine, which then passes bytes on as they are.
class client_route::tunnel {
    // Invariant: proxy_ is null once the tunnel is open.
    hop* proxy_;
    bool has_begun_ = false;

    static constexpr std::size_t piece = 16 * 1024;

    template <class Machine>
    engine_step shake_hands(Machine& machine, byte_span* in, buffer& out) noexcept {
        if (!detail::take(has_begun_, true))
            if (const errc refused = machine.request(out); refused != errc{}) return {.error = refused};
        if (in == nullptr || in->empty()) return {};
        return said(machine, machine.receive(*in, out));
    }

    template <class Machine>
    engine_step said(const Machine& machine, proxy_status status) noexcept {
        switch (status) {
        case proxy_status::need_more:
        case proxy_status::authenticate_here: return {};
        case proxy_status::reconnect_and_authenticate: return {.error = errc::proxy_wants_reconnection};
        case proxy_status::refused: return {.error = machine.error()};
        case proxy_status::tunnel: proxy_ = nullptr; return {.open = true};
        }
        return {};
    }

    engine_step shake_hands(byte_span* in, buffer& out) noexcept {
        return proxy_->http ? shake_hands(*proxy_->http, in, out) : shake_hands(*proxy_->socks, in, out);
    }

    static tunnel& at(void* self) noexcept { return *static_cast<tunnel*>(self); }

    engine_step receive(byte_span& in, byte_span plain, buffer& out) noexcept {
        if (proxy_ != nullptr) return shake_hands(&in, out);
        engine_step step{.produced = lesser(in.size(), plain.size())};
        if (step.produced != 0) std::memcpy(plain.data(), in.data(), step.produced);
        in = in.subspan(step.produced);
        return step;
    }

    engine_step receive_eof() noexcept {
        if (proxy_ == nullptr) return {.ended = true};
        engine_step step = proxy_->http ? said(*proxy_->http, proxy_->http->receive_eof())
                                        : said(*proxy_->socks, proxy_->socks->receive_eof());
        if (!step.error) step.error = errc::proxy_truncated;
        return step;
    }

    engine_step send(const_byte_span& plain, buffer& out) noexcept {
        if (proxy_ != nullptr)
            if (const engine_step step = shake_hands(nullptr, out); !step.open) return step;
        const const_byte_span now = plain.first(lesser(plain.size(), piece));
        if (!out.append(now)) return {.error = errc::out_of_memory};
        plain = plain.subspan(now.size());
        return {.open = true};
    }

public:
    static io_result<transport_engine> make(hop& proxy) noexcept {
        auto* const made = new (std::nothrow) tunnel;
        if (made == nullptr) return errc::out_of_memory;
        made->proxy_ = &proxy;
        return transport_engine(table, made);
    }

    static const transport_engine_table table;
};

inline constexpr transport_engine_table client_route::tunnel::table{
    [](void* self, byte_span& in, byte_span plain, buffer& out) noexcept { return at(self).receive(in, plain, out); },
    [](void* self) noexcept { return at(self).receive_eof(); },
    [](void* self, const_byte_span& plain, buffer& out) noexcept { return at(self).send(plain, out); },
    [](void*, buffer&) noexcept { return engine_step{}; },
    [](void* self) noexcept { delete &at(self); },
};

NAVETTE_INLINE io_result<client_route> client_route::make(const uri& to, std::string_view proxies, const transport_factory* tls,
                                                          entropy source, const limits& bounds) noexcept {
    client_route route(new (std::nothrow) state{.to = to, .tls = tls, .source = source, .bounds = bounds});
    if (route.state_ == nullptr) return errc::out_of_memory;
    bool        needs_tls = to.secure;
    hop**       last      = &route.state_->first;
    hop*        before    = nullptr;
    proxy_chain chain(proxies);
    for (proxy_uri proxy; chain.next(proxy); ++route.state_->proxies) {
        hop* const made = new (std::nothrow) hop{.proxy = proxy, .leads_to = tunnel_target(to)};
        if (made == nullptr) return errc::out_of_memory;
        *last = made;
        last  = &made->next;
        if (before != nullptr) before->leads_to = proxy.address;
        before           = made;
        const auto login = proxy_login(proxy, made->login);
        if (!login) return login.error();
        made->decoded       = *login;
        made->options.login = *login;
        needs_tls           = needs_tls || proxy.kind == proxy_kind::https;
    }
    if (chain.error() != errc{}) return chain.error();
    if (needs_tls && (tls == nullptr || tls->make == nullptr)) return errc::no_tls;
    return route;
}

NAVETTE_INLINE client_route::~client_route() {
    if (state_ == nullptr) return;
    for (hop* each = state_->first; each != nullptr;) delete detail::take(each, each->next);
    delete state_;
}

NAVETTE_INLINE io_result<transport_engine> client_route::engine() noexcept {
    if (state_->attempts++ > 2 * state_->proxies) return errc::proxy_wants_reconnection;
    transport_engine all;
    const auto lay = [&all](io_result<transport_engine> next) -> std::error_code {
        if (!next) return next.error();
        if (!all) {
            all = *std::move(next);
            return {};
        }
        auto stacked = stack_engines(std::move(all), *std::move(next));
        if (!stacked) return stacked.error();
        all = *std::move(stacked);
        return {};
    };
    const auto tls = [&](std::string_view host) { return state_->tls->make(state_->tls->self, role::client, host); };

    for (hop* each = state_->first; each != nullptr; each = each->next) {
        if (each->proxy.kind == proxy_kind::https)
            if (const auto error = lay(tls(each->proxy.address.host))) return error;
        // The one that asked for this connection has kept its challenge.
        const bool goes_on = each->http && each->http->status() == proxy_status::reconnect_and_authenticate;
        if (each->proxy.kind == proxy_kind::socks5) each->socks.emplace(each->leads_to, each->decoded);
        else if (!goes_on) each->http.emplace(each->leads_to, each->options, each->answer, state_->source, state_->bounds);
        if (const auto error = lay(tunnel::make(*each))) return error;
    }
    if (state_->to.secure)
        if (const auto error = lay(tls(state_->to.host))) return error;
    return all;
}

NAVETTE_INLINE response_view client_route::refusal() const noexcept {
    for (const hop* each = state_->first; each != nullptr; each = each->next)
        if (each->http && each->http->status() == proxy_status::refused) return each->http->response();
    return {};
}

NAVETTE_INLINE response_view client_route::refusal(buffer& kept) noexcept {
    const response_view answer = refusal();
    for (hop* each = state_->first; each != nullptr; each = each->next)
        if (each->http && each->http->status() == proxy_status::refused) kept = std::move(each->answer);
    return answer;
}

NAVETTE_INLINE bool client_route::is_through() const noexcept {
    for (const hop* each = state_->first; each != nullptr; each = each->next) {
        if (each->http && each->http->status() != proxy_status::tunnel) return false;
        if (each->socks && each->socks->status() != proxy_status::tunnel) return false;
        if (!each->http && !each->socks) return false;
    }
    return true;
}

} // namespace navette
