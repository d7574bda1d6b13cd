// The bodies of server.hpp: the server itself, what its loops share, and what connections and answers hand on to them.
#pragma once

#include <navette/server_connection.ipp>
#include <navette/server_proxies.ipp>
#include <navette/server_topics.ipp>

#include <charconv>
#include <chrono>
#include <system_error>

namespace navette {
namespace detail {

// The loop that this thread runs.
inline thread_local server_loop* this_loop = nullptr;

NAVETTE_INLINE server_core::server_core(server_settings given) : settings(std::move(given)), options{.origins = settings.origins} {
    for (const std::string& each : settings.subprotocols) subprotocols.emplace_back(each);
    for (const auto& [name, value] : settings.fields) fields.push_back({name, value});
    options.subprotocols = subprotocols;
    options.extensions   = settings.extensions;
    options.fields       = fields;
    if (settings.threads == 0) settings.threads = std::thread::hardware_concurrency();
    if (settings.threads == 0) settings.threads = 1;
    for (const std::string& each : settings.proxies) {
        if (each == "unix") {
            trusts_unix = true;
        } else if (const ip_network network = parse_ip_network(each)) {
            proxies.push_back(network);
        } else {
            refused = errc::invalid_proxy;
        }
    }
}

NAVETTE_INLINE server_core::~server_core() = default;

NAVETTE_INLINE std::error_code server_core::add(io_result<tcp::listener> one) {
    if (!one) return one.error();
    const std::lock_guard held(guard);
    if (at != stage::idle) return errc::misuse;
    if (port == 0) port = one->port();
    listeners.push_back({{std::make_shared<tcp::listener>(*std::move(one))}});
    return {};
}

// One socket for each loop, over which the system spreads the connections.
NAVETTE_INLINE std::error_code server_core::listen(std::string_view host, int asked) {
#if defined(SO_REUSEPORT)
    const unsigned count = settings.threads;
#else
    const unsigned count = 1;
#endif
    server_listener made;
    for (unsigned i = 0; i < count; ++i) {
        auto one = tcp::listen(host, asked, tcp::max_backlog, count > 1);
        if (!one) return one.error();
        asked = one->port();
        made.sockets.push_back(std::make_shared<tcp::listener>(*std::move(one)));
    }
    const std::lock_guard held(guard);
    if (at != stage::idle) return errc::misuse;
    if (port == 0) port = static_cast<std::uint16_t>(asked);
    listeners.push_back(std::move(made));
    return {};
}

NAVETTE_INLINE std::error_code server_core::listen(std::string_view where) {
    const auto number = [](std::string_view text) {
        int        n     = -1;
        const auto ended = std::from_chars(text.data(), text.data() + text.size(), n);
        return ended.ec == std::errc{} && ended.ptr == text.data() + text.size() && text.front() != '-' ? n : -1;
    };
    if (where.starts_with("unix:")) return add(tcp::unix_listen(where.substr(5)));
    if (where.starts_with("fd:")) {
        const int fd = number(where.substr(3));
        return fd < 0 ? make_error_code(errc::invalid_port) : add(tcp::listener(fd));
    }
    const std::size_t colon = where.rfind(':');
    if (colon == std::string_view::npos || colon + 1 == where.size()) return errc::invalid_port;
    std::string_view host = where.substr(0, colon);
    const int        to   = number(where.substr(colon + 1));
    if (to < 0) return errc::invalid_port;
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
        if (parse_ipv6(host).size == 0) return errc::invalid_host;
    } else if (host.find(':') != std::string_view::npos) {
        return errc::invalid_host;
    }
    return listen(host, to);
}

NAVETTE_INLINE std::error_code server_core::begin(server_callbacks callbacks) {
    const std::lock_guard held(guard);
    if (at != stage::idle) return errc::misuse;
    if (refused) return refused;
    if (stop.native_handle() < 0) return std::make_error_code(std::errc::too_many_files_open);
    told = std::move(callbacks);
    if (const auto error = open_loops()) {
        loops.clear();
        return error;
    }
    at      = stage::running;
    running = loops.size();
    return {};
}

NAVETTE_INLINE std::error_code server_core::open_loops() {
    for (unsigned i = 0; i < settings.threads; ++i) loops.push_back(std::make_unique<server_loop>(*this, i));
    for (unsigned i = 0; i < settings.threads; ++i) {
        std::vector<std::shared_ptr<tcp::listener>> own;
        for (const server_listener& each : listeners) own.push_back(each.sockets[i % each.sockets.size()]);
        if (const auto error = loops[i]->open(std::move(own))) return error;
    }
    listeners.clear();
    return {};
}

NAVETTE_INLINE std::error_code server_core::start_threads(std::size_t first) {
    try {
        for (std::size_t i = first; i < loops.size(); ++i) threads.emplace_back([this, i] { serve(*loops[i]); });
    } catch (const std::system_error& failed) {
        {
            const std::lock_guard held(guard);
            running -= loops.size() - first - threads.size();   // those that never begin
        }
        stop.raise();
        return failed.code();
    }
    return {};
}

NAVETTE_INLINE void server_core::serve(server_loop& loop) noexcept {
    this_loop = &loop;
    loop.run();
    this_loop = nullptr;
    const std::lock_guard held(guard);
    if (--running == 0) at = stage::over;
    changed.notify_all();
}

NAVETTE_INLINE void server_core::join() {
    for (std::thread& each : threads)
        if (each.joinable()) each.join();
}

// A /64 is what one visitor has of IPv6.
NAVETTE_INLINE bool server_core::count_address(const ip_address& from, address_count*& counted) {
    const std::size_t most = settings.max_connections_per_address;
    counted                = nullptr;
    if (most == 0 || !from) return true;
    std::string key;
    for (std::size_t i = 0; i < (from.size == 4 ? 4u : 8u); ++i) key += static_cast<char>(from.bytes[i]);
    const std::lock_guard held(address_guard);
    const auto            place = addresses.try_emplace(std::move(key)).first;
    if (place->second.connections >= most) return false;
    ++place->second.connections;
    place->second.key = &place->first;
    counted           = &place->second;
    return true;
}

NAVETTE_INLINE void server_core::forget_address(address_count& counted) {
    const std::lock_guard held(address_guard);
    if (--counted.connections == 0) addresses.erase(addresses.find(*counted.key));
}

} // namespace detail

// ---- the server

NAVETTE_INLINE server::server(server_settings settings) : core_(std::make_shared<detail::server_core>(std::move(settings))) {}

NAVETTE_INLINE server::server(std::string_view where, server_settings settings) : server(std::move(settings)) {
    if (const auto error = core_->listen(where); error && !core_->refused) core_->refused = error;
}

NAVETTE_INLINE server::~server() {
    {
        const std::lock_guard held(core_->guard);
        core_->last_words = milliseconds(100);
    }
    core_->stop.raise();
    core_->join();
}

NAVETTE_INLINE std::error_code server::listen(std::string_view where) { return core_->listen(where); }
NAVETTE_INLINE std::error_code server::listen(std::string_view host, int port) { return core_->listen(host, port); }
NAVETTE_INLINE std::error_code server::listen_unix(std::string_view path) { return core_->add(tcp::unix_listen(path)); }
NAVETTE_INLINE std::error_code server::listen_on(int listening_socket) {
    return core_->add(tcp::listener(listening_socket));
}
NAVETTE_INLINE std::uint16_t server::port() const noexcept { return core_->port; }

namespace detail {

inline server_callbacks take_callbacks(server& s) {
    return {std::move(s.on_request), std::move(s.on_open),    std::move(s.on_message), std::move(s.on_pong), std::move(s.on_drain),
            std::move(s.on_close),   std::move(s.on_refused), std::move(s.on_error),   std::move(s.on_wire)};
}

} // namespace detail

NAVETTE_INLINE std::error_code server::run() {
    if (const auto error = core_->begin(detail::take_callbacks(*this)))
        return error;
    const auto error = core_->start_threads(1);
    core_->serve(*core_->loops.front());
    core_->join();
    return error;
}

NAVETTE_INLINE std::error_code server::start() {
    if (const auto error = core_->begin(detail::take_callbacks(*this)))
        return error;
    return core_->start_threads(0);
}

NAVETTE_INLINE void server::stop() noexcept { core_->stop.raise(); }

NAVETTE_INLINE void server::wait() {
    std::unique_lock held(core_->guard);
    core_->changed.wait(held, [this] { return core_->at != detail::server_core::stage::running; });
}

NAVETTE_INLINE std::error_code server::adopt(int socket, const_byte_span already_read) {
    auto bytes = std::make_shared<buffer>();
    if (!bytes->append(already_read)) return errc::out_of_memory;
    const std::lock_guard held(core_->guard);
    if (core_->at != detail::server_core::stage::running) return errc::not_open;
    const unsigned number = core_->next_loop.fetch_add(1, std::memory_order_relaxed) % static_cast<unsigned>(core_->loops.size());
    auto           owned  = std::make_shared<tcp::detail::owned_fd>(socket);
    const bool     taken  = core_->loops[number]->box().post(
        [owned, bytes](detail::server_loop& loop) { loop.adopt(owned->release(), std::as_const(*bytes).data()); });
    if (taken) return {};
    static_cast<void>(owned->release());
    return errc::not_open;
}

NAVETTE_INLINE errc server::publish(std::string_view topic, opcode type, const_byte_span payload, compress how) {
    if (type == opcode::text && !is_valid_utf8(payload)) return errc::unsendable_text;
    if (type != opcode::text && type != opcode::binary) return errc::misuse;
    const auto  message = std::make_shared<detail::published_message>(type, payload, how);
    std::string name(topic);
    {
        const std::lock_guard held(core_->guard);
        if (core_->at != detail::server_core::stage::running) return errc::not_open;
    }
    for (const auto& loop : core_->loops) {
        if (loop.get() == detail::this_loop) continue;
        loop->box().post([name, message](detail::server_loop& there) { there.publish(name, message); });
    }
    if (detail::this_loop != nullptr && detail::this_loop->is_of(*core_)) detail::this_loop->publish(name, message);
    return {};
}

NAVETTE_INLINE bool server::post(std::function<void(unsigned)> work) {
    const auto            shared = std::make_shared<std::function<void(unsigned)>>(std::move(work));
    const std::lock_guard held(core_->guard);
    if (core_->at != detail::server_core::stage::running) return false;
    for (const auto& loop : core_->loops)
        loop->box().post([shared](detail::server_loop& there) { (*shared)(there.number()); });
    return true;
}

NAVETTE_INLINE server_counters server::counters() const {
    server_counters       sum;
    const std::lock_guard held(core_->guard);
    for (const auto& loop : core_->loops)
        server_counters::for_each(sum, loop->counted(), [](std::uint64_t& n, const detail::tally& more) { n += more.value(); });
    return sum;
}

} // namespace navette
