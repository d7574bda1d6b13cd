// What connections, their handles, requests and late answers of server.hpp hand on to the loop.
#pragma once

#include <navette/server_topics.ipp>

namespace navette {

// ---- connection

NAVETTE_INLINE server_connection::~server_connection() {
    drop_object();
    delete extra_;
}

NAVETTE_INLINE send_result server_connection::send(opcode type, const_byte_span payload, compress how) {
    return loop_->send(*this, type, payload, how);
}

NAVETTE_INLINE send_result server_connection::ping(const_byte_span payload) {
    if (!is_open()) return loop_->refuse(errc::not_open);
    if (!loop_->fits(*this, payload.size())) return loop_->refuse(errc::output_full);
    if (const errc error = protocol_.ping(payload, loop_->output(*this)); error != errc{}) return loop_->refuse(error);
    loop_->counted_.pings_out.add(1);
    return {loop_->has(*this, detail::stalled) ? send_status::queued : send_status::sent};
}

NAVETTE_INLINE errc server_connection::close(close_code code, std::string_view reason) {
    if (!is_open()) return errc::not_open;
    if (const errc error = protocol_.close(code, reason, loop_->output(*this)); error != errc{}) return error;
    loop_->clear(*this, detail::ping_awaited);
    since_ = loop_->now_;
    loop_->wake_by(*this, loop_->due(since_, loop_->core_.settings.timeouts.close_within, timeouts{}.close_within));
    return {};
}

NAVETTE_INLINE void server_connection::terminate() { loop_->doom(*this); }

NAVETTE_INLINE void server_connection::pause() {
    loop_->set(*this, detail::paused);
    loop_->watch(*this);
}

NAVETTE_INLINE void server_connection::resume() {
    if (!loop_->has(*this, detail::paused)) return;
    loop_->clear(*this, detail::paused);
    if (phase_ == phase::dead) return;
    loop_->touch(*this);   // for what is parked
    loop_->read_later(*this);
    loop_->watch(*this);
}

NAVETTE_INLINE void server_connection::subscribe(std::string_view topic) { loop_->subscribe(*this, topic); }
NAVETTE_INLINE void server_connection::unsubscribe(std::string_view topic) { loop_->unsubscribe(*this, topic); }

NAVETTE_INLINE std::uint64_t server_connection::take_missed() noexcept {
    return extra_ == nullptr ? 0 : std::exchange(extra_->missed, 0);
}

NAVETTE_INLINE std::uint64_t server_connection::buffered() const noexcept { return loop_->waiting(*this); }
NAVETTE_INLINE unsigned      server_connection::loop() const noexcept { return loop_->number(); }

NAVETTE_INLINE std::string_view server_connection::subprotocol() const noexcept {
    if (subprotocol_ == 0) return {};
    return subprotocol_ == 255 ? std::string_view(extra_->subprotocol) : loop_->core_.subprotocols[subprotocol_ - 1u];
}

NAVETTE_INLINE tcp::endpoint server_connection::remote() const noexcept {
    if (extra_ != nullptr && extra_->has_client) return extra_->client;
    const auto asked = tcp::detail::ask_endpoint(fd_, ::getpeername);
    return asked ? *asked : tcp::endpoint{};
}

NAVETTE_INLINE connection_handle server_connection::handle() const {
    connection_handle made;
    made.box_        = loop_->box_;
    made.slot_       = slot_;
    made.generation_ = generation_;
    return made;
}

NAVETTE_INLINE bool connection_handle::post(std::function<void(server_connection&)> work) const {
    return box_ != nullptr && box_->post([slot = slot_, generation = generation_, work = std::move(work)](detail::server_loop& loop) {
        loop.work_on(slot, generation, work);
    });
}

// ---- requests

NAVETTE_INLINE const request_view& server_request::view() const noexcept { return connection_.io_->opening->handshake.request(); }

NAVETTE_INLINE errc server_request::accept(std::optional<std::string_view> subprotocol, std::span<const http_field> fields) {
    if (is_answered_ || later_) return errc::misuse;
    const errc error = loop_.accept(connection_, subprotocol, fields);
    is_answered_     = error == errc{};
    return error;
}

NAVETTE_INLINE errc server_request::reject(unsigned status, std::string_view body, std::span<const http_field> fields) {
    if (is_answered_ || later_) return errc::misuse;
    const errc error = loop_.answer(connection_, status, body, fields);
    is_answered_     = error == errc{};
    return error;
}
NAVETTE_INLINE errc server_request::respond(unsigned status, std::string_view body, std::span<const http_field> fields) {
    return reject(status, body, fields);
}

NAVETTE_INLINE late_answer server_request::later() {
    late_answer made;
    if (is_answered_) return made;
    if (!later_) later_ = loop_.wait_for_answer(connection_);
    made.shared_ = later_;
    return made;
}

// ---- answers that are given later

namespace detail {

inline errc decide(const std::shared_ptr<server_pending>& on, server_decision made, std::span<const http_field> fields) {
    if (on == nullptr) return errc::misuse;
    if (const errc error = check_servers_fields(fields); error != errc{}) return error;
    if (!made.accepts && (made.status < 200 || made.status > 599)) return errc::invalid_status;
    if ((made.status == 204 || made.status == 304) && !made.body.empty()) return errc::invalid_status;
    for (const http_field& each : fields) made.fields.emplace_back(each.name, each.value);
    {
        const std::lock_guard held(on->guard);
        if (on->is_gone) return errc::not_open;
        if (std::exchange(on->is_decided, true)) return errc::misuse;
    }
    const bool taken = on->box->post([slot = on->slot, generation = on->generation, made = std::move(made)](server_loop& loop) {
        loop.decide(slot, generation, made);
    });
    return taken ? errc{} : errc::not_open;
}

} // namespace detail

NAVETTE_INLINE errc late_answer::accept(std::optional<std::string_view> subprotocol, std::span<const http_field> fields,
                                        std::function<void(server_connection&)> prepare) const {
    detail::server_decision made{.accepts = true, .prepare = std::move(prepare)};
    if (subprotocol) made.subprotocol = std::string(*subprotocol);
    return detail::decide(shared_, std::move(made), fields);
}

NAVETTE_INLINE errc late_answer::reject(unsigned status, std::string_view body, std::span<const http_field> fields) const {
    return detail::decide(shared_, {.status = status, .body = std::string(body)}, fields);
}
NAVETTE_INLINE errc late_answer::respond(unsigned status, std::string_view body, std::span<const http_field> fields) const {
    return reject(status, body, fields);
}

NAVETTE_INLINE void late_answer::on_gone(std::function<void()> gone) const {
    if (shared_ == nullptr) return;
    {
        const std::lock_guard held(shared_->guard);
        if (!shared_->is_gone) {
            shared_->gone = std::move(gone);
            return;
        }
    }
    gone();
}

NAVETTE_INLINE bool late_answer::is_gone() const {
    if (shared_ == nullptr) return true;
    const std::lock_guard held(shared_->guard);
    return shared_->is_gone;
}

namespace detail {

inline void server_loop::work_on(std::uint32_t slot, std::uint32_t generation,
                                 const std::function<void(server_connection&)>& work) {
    server_connection* const c = find(slot, generation);
    if (c != nullptr && has(*c, opened) && !has(*c, told) && !has(*c, doomed)) work(*c);
}

} // namespace detail
} // namespace navette
