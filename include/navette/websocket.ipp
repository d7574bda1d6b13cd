// The bodies of websocket.hpp: what any thread may call.
#pragma once

#include <navette/codec/utf8.hpp>
#include <navette/handshake/client_handshake.hpp>
#include <navette/stream/client_journey.hpp>
#include <navette/websocket.hpp>
#include <navette/websocket_core.ipp>
#include <navette/websocket_thread.ipp>

#include <algorithm>
#include <chrono>
#include <new>
#include <system_error>

namespace navette {
namespace detail {

// The URL as a ws or wss URI; http and https stand for these (WHATWG WebSockets Standard, 3.1).
inline std::string websocket_url(std::string_view url) {
    const std::string_view scheme = url.substr(0, url.find(':'));
    if (iequals(scheme, "http")) return "ws" + std::string(url.substr(4));
    if (iequals(scheme, "https")) return "wss" + std::string(url.substr(5));
    return std::string(url);
}

inline std::string to_text(const uri& from) {
    std::string text = from.secure ? "wss://" : "ws://";
    if (from.ipv6) text += '[';
    for (const char c : from.host) text += to_lower(c);
    if (from.ipv6) text += ']';
    if (!from.has_default_port()) text += ':' + std::to_string(from.port);
    text += from.path;
    if (!from.query.empty()) text.append("?").append(from.query);
    return text;
}

} // namespace detail

NAVETTE_INLINE websocket::core::core(std::string_view url, websocket_options options) : options_(std::move(options)) {
    const std::string given = detail::websocket_url(url);
    if (const auto parsed = parse_uri(given)) {
        url_    = detail::to_text(*parsed);
        target_ = *parse_uri(url_);
    } else {
        refused_ = parsed.error();
    }
    for (const std::string& each : options_.subprotocols) subprotocols_.emplace_back(each);
    for (const auto& [name, value] : options_.fields) fields_.push_back({name, value});
    if (!refused_) refused_ = check();
    if (refused_) state_ = ready_state::closed;
}

NAVETTE_INLINE connect_options websocket::core::asked() const {
    connect_options made;
    made.handshake = {.subprotocols = subprotocols_,
                      .fields       = fields_,
                      .origin       = options_.origin,
                      .extensions   = options_.extensions};
    made.limits    = options_.limits;
    made.timeouts  = options_.timeouts;
    made.tls       = &options_.tls;
    made.login     = {options_.user, options_.password};
    made.bearer    = options_.bearer;
    made.redirects = options_.redirects;
    return made;
}

// Writes a request to nowhere: what is wrong with it is known before anything is sent.
NAVETTE_INLINE std::error_code websocket::core::check() const {
    const connect_options all = asked();
    connect_report        nothing;
    client_journey        journey(target_, all.handshake, all.login, all.bearer, 0, nothing);
    if (const errc error = journey.begin(); error != errc{}) return error;
    buffer head, nowhere;
    if (const errc error = client_handshake(target_, journey.asked(), head).request(nowhere); error != errc{}) return error;
    const std::string_view proxies = options_.proxy ? *options_.proxy : proxies_from_environment(target_);
    return client_route::make(target_, proxies, &options_.tls).error();
}

// `self` may be destroyed by a callback as soon as the lock is given back.
NAVETTE_INLINE std::error_code websocket::core::connect(websocket& self, const std::shared_ptr<core>& shared) {
    const lock held(guard_);
    if (std::exchange(has_begun_, true)) return errc::misuse;
    const auto refuse = [&](std::error_code why) {
        refused_ = why;
        state_   = ready_state::closed;
        return why;
    };
    if (refused_) return refused_;
    if (bell_.native_handle() < 0 || call_.native_handle() < 0)
        return refuse(std::make_error_code(std::errc::too_many_files_open));
    told_ = {std::move(self.onopen), std::move(self.onmessage), std::move(self.onerror), std::move(self.onclose)};
    try {
        self.thread_ = std::thread([shared] { shared->run(); });
    } catch (const std::system_error& failed) {
        return refuse(failed.code());
    }
    own_ = self.thread_.get_id();
    return {};
}

NAVETTE_INLINE std::error_code websocket::core::send(opcode type, const_byte_span payload) {
    if (type == opcode::text && !is_valid_utf8(payload)) return errc::unsendable_text;
    outgoing made{.type = type, .size = payload.size()};
    if (!made.payload.append(payload)) return errc::out_of_memory;
    const lock held(guard_);
    const bool keeps = options_.reconnect && options_.reconnect->keep_unsent;
    const bool takes = keeps ? state_ <= ready_state::open : state_ == ready_state::open && is_linked_;
    if (!takes) return errc::not_open;
    const std::uint64_t most = options_.limits.max_output;
    const std::uint64_t room = most - std::min(most, waiting_);
    if (waiting_ != 0 && payload.size() + max_header > room) return errc::output_full;
    try {
        queue_.push_back(std::move(made));
    } catch (const std::bad_alloc&) {
        return errc::out_of_memory;
    }
    buffered_ += payload.size();
    waiting_ += payload.size() + max_header;
    if (std::this_thread::get_id() != own_) bell_.ring();
    return {};
}

NAVETTE_INLINE std::error_code websocket::core::close(close_code code, std::string_view reason) {
    const auto number = static_cast<std::uint16_t>(code);
    if (code == close_code::none ? !reason.empty() : number != 1000 && (number < 3000 || number > 4999))
        return errc::unsendable_close_code;
    if (reason.size() > max_control_payload - 2) return errc::reason_too_long;
    if (!is_valid_utf8(as_bytes(reason))) return errc::unsendable_text;
    const lock held(guard_);
    if (state_ >= ready_state::closing) return {};
    if (!has_begun_) {
        state_   = ready_state::closed;
        refused_ = std::make_error_code(std::errc::operation_canceled);
        return {};
    }
    is_being_closed_ = true;
    state_           = ready_state::closing;
    code_            = code;
    reason_          = reason;
    if (dialling_ != nullptr) dialling_->raise();
    bell_.ring();
    return {};
}

NAVETTE_INLINE std::error_code websocket::core::wait(duration within) {
    const instant until = deadline(tcp::now(), within);
    lock          held(guard_);
    const auto    self = std::this_thread::get_id();
    if (self == own_ || (is_polling_ && self == poller_)) return errc::misuse;
    while (!is_over_) {
        if (refused_) return refused_;
        if (is_abandoned_) return std::make_error_code(std::errc::operation_canceled);
        if (!events_.empty() && !is_polling_) {
            held.unlock();
            poll();
            held.lock();
            continue;
        }
        const duration left = until - tcp::now();
        if (until == instant::never()) changed_.wait(held);
        else if (left <= duration{}) return std::make_error_code(std::errc::timed_out);
        else changed_.wait_for(held, std::chrono::nanoseconds(left.nanoseconds));
    }
    return outcome_;
}

NAVETTE_INLINE std::size_t websocket::core::poll() {
    lock held(guard_);
    if (is_polling_ || !options_.polled) return 0;
    is_polling_ = true;
    poller_     = std::this_thread::get_id();
    struct finally {
        core& self;
        lock& held;
        ~finally() {
            if (!held.owns_lock()) held.lock();
            self.is_polling_ = false;
            if (self.events_.empty()) self.call_.hush();
            self.changed_.notify_all();
        }
    } const done{*this, held};

    std::size_t told = 0;
    for (std::size_t most = events_.size(); told < most && !is_abandoned_; ++told) {
        occurrence next = std::move(events_.front());
        events_.pop_front();
        const std::uint64_t before = std::exchange(events_size_, events_size_ - next.size());
        const std::uint64_t bound  = options_.limits.max_output;
        if (before >= bound && events_size_ < bound) bell_.ring();
        held.unlock();
        dispatch(next);
        held.lock();
    }
    return told;
}

NAVETTE_INLINE void websocket::core::abandon(std::thread& own) {
    {
        const lock held(guard_);
        is_abandoned_ = true;
        if (dialling_ != nullptr) dialling_->raise();
        bell_.ring();
        changed_.notify_all();
    }
    if (!own.joinable()) return;
    if (own.get_id() != std::this_thread::get_id()) return own.join();
    say_goodbye();
    own.detach();
}

NAVETTE_INLINE websocket::websocket(std::string_view url, websocket_options options)
    : core_(std::make_shared<core>(url, std::move(options))) {}

NAVETTE_INLINE websocket::~websocket() { core_->abandon(thread_); }

NAVETTE_INLINE std::error_code websocket::connect() {
    const auto shared = core_;
    return shared->connect(*this, shared);
}

NAVETTE_INLINE std::error_code websocket::send(std::string_view text) {
    return core_->send(opcode::text, as_bytes(text));
}
NAVETTE_INLINE std::error_code websocket::send(const_byte_span binary) { return core_->send(opcode::binary, binary); }
NAVETTE_INLINE std::error_code websocket::close(close_code code, std::string_view reason) {
    return core_->close(code, reason);
}

NAVETTE_INLINE ready_state   websocket::readyState() const noexcept { return core_->state(); }
NAVETTE_INLINE std::uint64_t websocket::bufferedAmount() const noexcept { return core_->buffered(); }
NAVETTE_INLINE std::string   websocket::protocol() const { return core_->protocol(); }
NAVETTE_INLINE std::string   websocket::extensions() const { return core_->extensions(); }
NAVETTE_INLINE std::string   websocket::url() const { return core_->url(); }
NAVETTE_INLINE int           websocket::native_handle() const noexcept { return core_->native_handle(); }

NAVETTE_INLINE std::error_code websocket::wait(duration within) {
    const auto shared = core_;
    if (const auto error = shared->connect(*this, shared); error && error != errc::misuse) return error;
    return shared->wait(within);
}

NAVETTE_INLINE std::size_t websocket::poll() {
    const auto shared = core_;
    return shared->poll();
}

} // namespace navette
