// The course of a websocket's own thread: it connects, converses (websocket_conversation.ipp), tells the callbacks how
// that went, and begins anew.
#pragma once

#include <navette/handshake/http_response.hpp>
#include <navette/handshake/retry_after.hpp>
#include <navette/handshake/transparent_proxy.hpp>
#include <navette/stream/client_journey.hpp>
#include <navette/websocket_conversation.ipp>

#include <ctime>

namespace navette {

// ---- telling

NAVETTE_INLINE bool websocket::core::fire(occurrence o) {
    if (!options_.polled) return dispatch(o);
    const lock held(guard_);
    if (is_abandoned_) return false;
    if (o.what == kind::message && !o.owned.append(o.data)) throw std::bad_alloc();
    events_size_ += o.size();
    events_.push_back(std::move(o));
    call_.ring();
    changed_.notify_all();
    return true;
}

NAVETTE_INLINE bool websocket::core::dispatch(occurrence& o) {
    {
        const lock held(guard_);
        if (is_abandoned_) return false;
        switch (o.what) {
        case kind::open:
            if (state_ != ready_state::connecting) return true;
            state_      = ready_state::open;
            protocol_   = o.text;
            extensions_ = o.extensions;
            break;
        case kind::message:
            if (state_ != ready_state::open) return true;   // close() was called
            break;
        case kind::closing:
            if (state_ == ready_state::open) state_ = ready_state::closing;
            return true;
        case kind::error: break;
        case kind::close:
            state_ = o.reconnects_in ? ready_state::connecting : ready_state::closed;
            break;
        }
    }
    // What is over is over even if the callback throws.
    struct finally {
        core&             self;
        const occurrence& told;
        ~finally() {
            if (told.what == kind::close && !told.reconnects_in) self.end(told.error);
        }
    } const done{*this, o};
    if (options_.polled) call(o);
    else [&]() noexcept { call(o); }();
    const lock held(guard_);
    return !is_abandoned_;
}

NAVETTE_INLINE void websocket::core::call(occurrence& o) {
    switch (o.what) {
    case kind::open:
        if (told_.open) told_.open();
        break;
    case kind::message:
        if (options_.polled) o.data = o.owned.data();
        if (told_.message) told_.message({o.type, o.data});
        break;
    case kind::error:
        if (told_.error) told_.error({.error = o.error, .text = o.text, .status = o.status});
        break;
    case kind::close:
        if (told_.close)
            told_.close({.code = o.code, .reason = o.text, .wasClean = o.was_clean, .reconnects_in = o.reconnects_in});
        break;
    case kind::closing: break;
    }
}

NAVETTE_INLINE void websocket::core::end(std::error_code outcome) {
    const lock held(guard_);
    is_over_ = true;
    outcome_ = outcome;
    changed_.notify_all();
}

// ---- the thread

NAVETTE_INLINE void websocket::core::run() noexcept {
    { const lock held(guard_); }   // until connect() has noted whose thread this is
    try {
        live();
    } catch (const std::bad_alloc&) {
        // There is no memory to tell it with; wait() returns it.
        const lock held(guard_);
        state_   = ready_state::closed;
        is_over_ = true;
        outcome_ = make_error_code(errc::out_of_memory);
        changed_.notify_all();
    }
    say_goodbye();
}

NAVETTE_INLINE bool websocket::core::may_go_on() {
    const lock held(guard_);
    return !is_abandoned_;
}

NAVETTE_INLINE bool websocket::core::is_given_up() {
    const lock held(guard_);
    return is_abandoned_ || is_being_closed_;
}

NAVETTE_INLINE void websocket::core::live() {
    reconnect_delay pauses(options_.reconnect.value_or(reconnect_policy{}));
    for (;;) {
        ending last = attempt();
        if (!may_go_on()) return;
        if (opened_ != instant::never()) pauses.opened(opened_);
        talk_.reset();
        std::optional<duration> again;
        if (options_.reconnect && !is_given_up() && may_retry(last))
            again = pauses.lost({last.code, last.status, last.retry_after}, tcp::now());
        drop_unsent(again.has_value());
        for (;;) {
            occurrence failed{.what = kind::error, .text = last.text, .error = last.error, .status = last.status};
            if (last.error && !fire(std::move(failed))) return;
            occurrence closed{.what = kind::close, .text = last.reason, .error = last.error};
            closed.code          = last.code;
            closed.was_clean     = !last.error;
            closed.reconnects_in = again;
            if (!fire(std::move(closed)) || !again) return;
            if (pause(*again)) break;
            if (!may_go_on()) return;
            last       = {};
            last.error = std::make_error_code(std::errc::operation_canceled);
            last.text  = last.error.message();
            again.reset();
        }
    }
}

// Waits before the next attempt; false: there will be none.
NAVETTE_INLINE bool websocket::core::pause(duration length) {
    const instant until = tcp::now() + length;
    while (!is_given_up()) {
        if (tcp::now() >= until) return true;
        wait_for_io(false, until);
    }
    return false;
}

// ---- connecting

// Connects, follows redirections, and converses until the end.
NAVETTE_INLINE websocket::core::ending websocket::core::attempt() {
    const connect_options all = asked();
    connect_report        report;
    client_journey        journey(target_, all.handshake, all.login, all.bearer, all.redirects, report);
    opened_ = instant::never();
    while (may_go_on()) {
        static_cast<void>(journey.begin());   // it was good in the constructor
        ending last = converse(journey.target(), journey.asked());
        if (last.error != errc::unexpected_status || !talk_) return last;
        report.server.response = talk_->handshake.response();
        const std::error_code error = journey.failed(last.error);
        if (!error) continue;
        if (error != last.error) {
            last.error = error;
            last.text  = error.message();
        }
        return last;
    }
    return {};
}

NAVETTE_INLINE websocket::core::ending websocket::core::converse(const uri& to, const client_options& asked) {
    ending last;
    const auto fail = [&](std::error_code error) {
        last.error = error;
        return explain(std::move(last), to);
    };
    const std::string_view proxies = options_.proxy ? *options_.proxy : proxies_from_environment(to);
    auto route = client_route::make(to, proxies, &options_.tls, {}, options_.limits);
    if (!route) return fail(route.error());
    for (;;) {
        talk_.reset();
        auto socket = dial(route->first());
        if (!socket) return fail(socket.error());
        transport_engine engine;
        if (!route->is_direct()) {
            auto made = route->engine();
            if (!made) return fail(made.error());
            engine = *std::move(made);
        }
        talk_ = std::make_unique<conversation>(to, *std::move(socket), std::move(engine), asked, options_.limits,
                                               options_.timeouts);
        if (!talk_->link.prepare()) return fail(errc::out_of_memory);
        shake_hands(last, *route);
        if (!may_go_on()) return last;
        if (last.error != errc::proxy_wants_reconnection) break;
        last.error.clear();
    }
    if (!last.error) serve(last);
    if (!may_go_on()) return last;
    if (!talk_->link.is_laid()) note_refusal(last, route->refusal());
    return last.error ? explain(std::move(last), to) : last;
}

NAVETTE_INLINE io_result<tcp::stream> websocket::core::dial(const authority& to) {
    tcp::stop_signal give_up;
    {
        const lock held(guard_);
        if (is_abandoned_ || is_being_closed_) return std::make_error_code(std::errc::operation_canceled);
        dialling_ = &give_up;
    }
    auto made = tcp::connect(to.host, to.port,
                             {.within = options_.timeouts.connect, .resolver = options_.resolver, .stop = &give_up});
    const lock held(guard_);
    dialling_ = nullptr;
    if (made) made->stop_on(nullptr);
    return made;
}

NAVETTE_INLINE void websocket::core::shake_hands(ending& last, const client_route& route) {
    using reading = detail::websocket_link::reading;
    const timeouts& times = options_.timeouts;
    auto&           link  = talk_->link;
    if (const errc error = talk_->handshake.request(link.out); error != errc{}) {
        last.error = error;
        return;
    }
    bool    was_laid = link.is_laid();
    instant until    = was_laid ? deadline(tcp::now(), times.handshake)
                                : client_journey::laying_ends(tcp::now(), route.proxies(), talk_->to.secure, times);
    while (talk_->status == client_handshake_status::need_more) {
        if (is_given_up()) {
            last.error = std::make_error_code(std::errc::operation_canceled);
            return;
        }
        if (!link.flush()) {
            last.error = link.error;
            return;
        }
        const instant now = tcp::now();
        if (!was_laid && link.is_laid()) {
            was_laid = true;
            until    = deadline(now, times.handshake);
        }
        if (now >= until) {
            last.error = was_laid ? errc::handshake_timeout : route.is_through() ? errc::tls_timeout : errc::proxy_timeout;
            return;
        }
        if (!wait_for_io(true, until)) continue;
        switch (read()) {
        case reading::goes_on: break;
        case reading::gone: return;
        case reading::ended: talk_->status = talk_->handshake.receive_eof(); break;
        case reading::lost:
            // If it was only after the upgrade, what came in between has been delivered.
            if (talk_->status != client_handshake_status::upgrade) last.error = link.error;
            else if (!talk_->failure) talk_->failure = link.error;
            talk_->is_lost = true;
            break;
        }
        if (last.error) return;
    }
    if (talk_->status == client_handshake_status::failed) last.error = talk_->handshake.error();
    if (last.error) note_refusal(last, talk_->handshake.response());
}

NAVETTE_INLINE void websocket::core::note_refusal(ending& last, const response_view& answer) {
    last.status      = answer.status;
    last.retry_after = read_retry_after(answer.fields, static_cast<std::int64_t>(std::time(nullptr)));
}

// ---- what is said of an end

NAVETTE_INLINE websocket::core::ending websocket::core::explain(ending last, const uri& to) const {
    const_byte_span broken_by{};
    if (talk_ && talk_->messages) broken_by = talk_->messages->protocol().broken_by();
    else if (talk_ && last.status == 101) broken_by = as_bytes(talk_->handshake.broken_by());
    last.text = explanation(last.error, broken_by);
    if (last.status != 0 && last.status != 101) {
        last.text.append(": ").append(std::to_string(last.status));
        last.text.append(" ").append(reason_phrase(last.status));
    }
    if (talk_ && last.error.category() == error_category()) {
        const auto error = static_cast<errc>(last.error.value());
        const auto seen  = talk_->messages ? interference::none : find_interference(to, error, talk_->handshake.response());
        if (seen != interference::none) last.text.append("; ").append(describe(seen));
    }
    return last;
}

// Whether another attempt may fare better, beyond what the codes say.
NAVETTE_INLINE bool websocket::core::may_retry(const ending& last) const {
    if (!last.error || last.status != 0) return true;
    for (const blame lasting : {blame::misuse, blame::protocol_violation, blame::limit_exceeded})
        if (last.error == lasting) return false;
    if (last.error == errc::no_tls || last.error == std::errc::operation_canceled) return false;
    if (last.error != blame::handshake_failed) return true;
    for (const errc passing : {errc::head_truncated, errc::proxy_truncated, errc::socks_failure,
                               errc::socks_network_unreachable, errc::socks_host_unreachable,
                               errc::socks_connection_refused, errc::socks_ttl_expired})
        if (last.error == passing) return true;
    return false;
}

} // namespace navette
