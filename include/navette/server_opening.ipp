// How connections of a server begin: accepted, or taken over, then the opening handshake, whose answer the application
// decides on, at once or later.
#pragma once

#include <navette/handshake/http_response.hpp>
#include <navette/server_output.ipp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace navette::detail {

// ---- the transport

inline ip_address to_ip(const ::sockaddr_storage& from) noexcept {
    ip_address made;
    if (from.ss_family == AF_INET) {
        ::sockaddr_in in{};
        std::memcpy(&in, &from, sizeof in);
        std::memcpy(made.bytes.data(), &in.sin_addr, made.size = 4);
    } else if (from.ss_family == AF_INET6) {
        ::sockaddr_in6 in{};
        std::memcpy(&in, &from, sizeof in);
        if (IN6_IS_ADDR_V4MAPPED(&in.sin6_addr)) std::memcpy(made.bytes.data(), in.sin6_addr.s6_addr + 12, made.size = 4);
        else std::memcpy(made.bytes.data(), &in.sin6_addr, made.size = 16);
    }
    return made;
}

inline void server_loop::accept_from(std::size_t listener) {
    constexpr int at_once = 64;   // before connections have their turn
    if (!accepts_ || is_stopping_) return;
    for (int i = 0; i < at_once; ++i) {
        ::sockaddr_storage from{};
        ::socklen_t        size = sizeof from;
        auto* const        generic = static_cast<::sockaddr*>(static_cast<void*>(&from));
        const int          socket  = listeners_[listener]->native_handle();
#if defined(SOCK_NONBLOCK)
        const int fd = ::accept4(socket, generic, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
#else
        const int fd = ::accept(socket, generic, &size);
        if (fd >= 0) {
            ::fcntl(fd, F_SETFD, FD_CLOEXEC);
            tcp::detail::make_nonblocking(fd);
        }
#endif
        if (fd >= 0) {
            admit(fd, &from, {});
            continue;
        }
        if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO) continue;
        if (tcp::detail::would_block(errno)) starves_ = false;
        else pause_accepting(tcp::detail::system_error());
        return;
    }
}

// Out of descriptors or memory: the connections wait where they are, and so does the loop, until it tries again.
inline void server_loop::pause_accepting(std::error_code why) {
    counted_.accept_failures.add(1);
    for (const auto& each : listeners_) poller_.remove(each->native_handle());
    accept_at_ = now_ + retry_accept;
    accepts_   = false;
    if (!std::exchange(starves_, true)) core_.complain(why, "cannot accept a connection: trying again every tenth of a second");
}

inline void server_loop::resume_accepting() {
    accepts_ = true;
    for (std::size_t i = 0; i < listeners_.size(); ++i) {
        const auto how = core_.loops.size() > 1 ? server_poller::watch::shared_listener : server_poller::watch::signal;
        poller_.add(listeners_[i]->native_handle(), listener_token + i, how);
    }
}

inline void server_loop::refuse_transport(int fd, refusal why) noexcept {
    refused(why);
    ::close(fd);
}

// `from` is null if it is to be asked for.
inline void server_loop::admit(int fd, const ::sockaddr_storage* from, const_byte_span already_read) {
    counted_.accepted.add(1);
    if (is_stopping_) return refuse_transport(fd, refusal::stopping);
    if (core_.transports.fetch_add(1, std::memory_order_relaxed) >= core_.settings.max_connections) {
        core_.transports.fetch_sub(1, std::memory_order_relaxed);
        return refuse_transport(fd, refusal::connections);
    }
    ::sockaddr_storage asked{};
    if (from == nullptr) {
        ::socklen_t size = sizeof asked;
        static_cast<void>(::getpeername(fd, static_cast<::sockaddr*>(static_cast<void*>(&asked)), &size));
        from = &asked;
    }
    const ip_address ip         = to_ip(*from);
    const bool       is_trusted = core_.trusts(ip, from->ss_family == AF_UNIX);
    address_count*   counted    = nullptr;
    if (!is_trusted && !core_.count_address(ip, counted)) {
        core_.transports.fetch_sub(1, std::memory_order_relaxed);
        return refuse_transport(fd, refusal::address);
    }
    if (ip) tcp::detail::set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
#if defined(SO_NOSIGPIPE)
    tcp::detail::set_option(fd, SOL_SOCKET, SO_NOSIGPIPE, 1);
#endif
    server_connection* const c = make(fd);
    if (c == nullptr || !poller_.add(fd, std::uint64_t{c->generation_} << 32 | c->slot_, server_poller::watch::connection)) {
        const auto why = c == nullptr ? make_error_code(errc::out_of_memory) : tcp::detail::system_error();
        if (counted != nullptr) core_.forget_address(*counted);
        core_.transports.fetch_sub(1, std::memory_order_relaxed);
        if (c != nullptr) {
            c->phase_ = server_connection::phase::dead;
            graves_.push_back(c);
        }
        core_.complain(why, "cannot take a connection");
        return refuse_transport(fd, refusal::connections);
    }
    c->address_ = counted;
    if (is_trusted) set(*c, trusted);
    if (is_trusted && core_.settings.proxy_protocol) set(*c, begins);
    wake_by(*c, due(now_, core_.settings.timeouts.handshake, timeouts{}.handshake));
    if (already_read.empty()) return;
    buffer bytes;
    if (!bytes.append(already_read)) return doom(*c, errc::out_of_memory);
    take_wire(*c, bytes.data());
    flush(*c);
    settle(*c);
}

inline void server_loop::adopt(int fd, const_byte_span already_read) {
    tcp::detail::make_nonblocking(fd);
    admit(fd, nullptr, already_read);
}

// ---- the request

inline void server_loop::begin_opening(server_connection& c) {
    if (!has(c, begins) && core_.settings.tls.make != nullptr && (c.io_ == nullptr || !c.io_->engine)) {
        auto made = core_.settings.tls.make(core_.settings.tls.self, role::server, {});
        if (!made) {
            refused(refusal::tls);
            core_.complain(made.error(), "cannot make the engine of a connection");
            return doom(c, made.error());
        }
        server_io& io = io_of(c);
        io.engine     = *std::move(made);
        io.is_laid    = false;
        io.is_shut    = false;
    }
}

// The handshake has refused a request, and its answer is in the output.
inline void server_loop::request_refused(server_connection& c) {
    const server_handshake& handshake = c.io_->opening->handshake;
    refused(refusal::handshake);
    count_error(handshake.error());
    if (core_.told.refused) core_.told.refused(c, handshake.error(), handshake.broken_by());
    answered(c);
}

inline void server_loop::shake_hands(server_connection& c, byte_span in) {
    server_io& io = io_of(c);
    if (!io.opening) io.opening = std::make_unique<server_opening>(core_.options, core_.settings.limits);
    current_ = io.engine || io.waiting() != 0 ? nullptr : &c;
    server_handshake&      handshake = io.opening->handshake;
    const handshake_status status    = handshake.receive(in, output(c));
    switch (status) {
    case handshake_status::need_more: break;
    case handshake_status::refused: request_refused(c); break;
    case handshake_status::upgrade:
    case handshake_status::plain_request:
        counted_.requests.add(1);
        if (note_client(c)) decide_now(c, status == handshake_status::upgrade);
        break;
    }
    const bool goes_on = c.phase_ == server_connection::phase::open || c.phase_ == server_connection::phase::pending;
    if (goes_on && !in.empty() && !has(c, doomed)) take_plain(c, in);
    flush_current(c);
    current_ = nullptr;
}

// Asks the application.
inline void server_loop::decide_now(server_connection& c, bool is_upgrade) {
    if (!core_.told.request) {
        const errc error = is_upgrade ? accept(c, {}, {}) : answer(c, 426, {}, {});
        if (error != errc{}) static_cast<void>(answer(c, 500, {}, {}));
    } else {
        server_request request(*this, c, is_upgrade);
        core_.told.request(request);
        if (has(c, doomed)) return;
        if (!request.is_answered_ && request.later_) {
            if (!c.io_->opening->handshake.keep_request()) return doom(c, errc::out_of_memory);
            c.phase_ = server_connection::phase::pending;
            c.since_ = now_;
            wake_by(c, due(now_, core_.settings.timeouts.handshake, timeouts{}.handshake));
            return;
        }
        if (!request.is_answered_) {
            core_.complain(errc::misuse, "on_request has neither answered nor promised to");
            static_cast<void>(answer(c, 500, {}, {}));
        }
    }
    if (c.io_->opening->has_agreed) open(c);
}

inline errc server_loop::accept(server_connection& c, std::optional<std::string_view> subprotocol,
                                std::span<const http_field> fields) {
    server_opening& opening = *c.io_->opening;
    const auto      agreed  = opening.handshake.accept({.subprotocol = subprotocol, .fields = fields});
    if (!agreed) return agreed.error();
    if (const errc error = append_http1(opening.handshake.response(), output(c)); error != errc{}) {
        doom(c, error);
        return error;
    }
    opening.agreed     = *agreed;
    opening.has_agreed = true;
    set_subprotocol(c, agreed->subprotocol);
    return {};
}

inline errc server_loop::answer(server_connection& c, unsigned status, std::string_view body,
                                std::span<const http_field> fields) {
    server_handshake& handshake = c.io_->opening->handshake;
    errc error = handshake.respond(status, fields, body);
    if (error == errc::misuse) error = handshake.reject(status, fields, body);
    if (error != errc{}) return error;
    if (append_http1(handshake.response(), output(c)) != errc{}) doom(c, errc::out_of_memory);
    refused(refusal::application);
    answered(c);
    return {};
}

// The answer is in the output, and the transport ends behind it.
inline void server_loop::answered(server_connection& c) {
    c.phase_ = server_connection::phase::answered;
    c.since_ = now_;
    wake_by(c, due(now_, core_.settings.timeouts.close_within, timeouts{}.close_within));
}

inline void server_loop::open(server_connection& c) {
    const agreement agreed = c.io_->opening->agreed;
    c.io_->opening.reset();
    c.protocol_ = server_protocol(agreed, core_.settings.limits);
    c.phase_    = server_connection::phase::open;
    c.last_read_ = c.since_ = now_;
    set(c, opened);
    counted_.open.add(1);
    counted_.opened.add(1);
    look_open(c);
    if (core_.told.open) core_.told.open(c);
}

inline void server_loop::set_subprotocol(server_connection& c, std::string_view chosen) {
    constexpr std::size_t by_number = 254;
    c.subprotocol_ = 0;
    if (chosen.empty()) return;
    for (std::size_t i = 0; i < core_.subprotocols.size() && i < by_number; ++i) {
        if (core_.subprotocols[i] != chosen) continue;
        c.subprotocol_ = static_cast<std::uint8_t>(i + 1);
        return;
    }
    extra_of(c).subprotocol = chosen;
    c.subprotocol_          = 255;
}

// ---- answers that are given later

// What was decided, on its way to the loop.
struct server_decision {
    bool                                         accepts = false;
    unsigned                                     status  = 0;
    std::optional<std::string>                   subprotocol{};
    std::vector<std::pair<std::string, std::string>> fields{};
    std::string                                  body{};
    std::function<void(server_connection&)>      prepare{};
};

inline std::shared_ptr<server_pending> server_loop::wait_for_answer(server_connection& c) {
    auto made        = std::make_shared<server_pending>();
    made->box        = box_;
    made->slot       = c.slot_;
    made->generation = c.generation_;
    c.io_->opening->later = made;
    return made;
}

inline void server_loop::decide(std::uint32_t slot, std::uint32_t generation, const server_decision& made) {
    server_connection* const c = find(slot, generation);
    if (c == nullptr || c->phase_ != server_connection::phase::pending) return;
    std::vector<http_field> fields;
    for (const auto& [name, value] : made.fields) fields.push_back({name, value});
    std::optional<std::string_view> subprotocol;
    if (made.subprotocol) subprotocol = *made.subprotocol;
    const errc error = made.accepts ? accept(*c, subprotocol, fields) : answer(*c, made.status, made.body, fields);
    if (error != errc{} && !has(*c, doomed)) {
        core_.complain(error, "a late answer cannot be given");
        static_cast<void>(answer(*c, 500, {}, {}));
    }
    if (c->phase_ == server_connection::phase::pending && c->io_->opening->has_agreed) {
        if (made.prepare) made.prepare(*c);
        if (!has(*c, doomed)) open(*c);
    }
    touch(*c);
}

inline server_pending::~server_pending() {
    if (is_decided || is_gone) return;
    box->post([slot = slot, generation = generation](server_loop& loop) {
        loop.decide(slot, generation, {.status = 500});
    });
}

// The client has gone, or is sent away.
inline void server_pending::go() {
    std::function<void()> hears;
    {
        const std::lock_guard held(guard);
        if (is_decided || std::exchange(is_gone, true)) return;
        hears.swap(gone);
    }
    if (hears) hears();
}

} // namespace navette::detail
