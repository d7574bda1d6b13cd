// How a websocket's own thread converses with the server: one connection, from the opening handshake to the end of the
// transport (RFC 6455, 4 to 7). Every wait is one poll over the socket and the bell, so that neither direction waits
// for the other, and whoever rings is heard at once.
#pragma once

#include <navette/handshake/client_handshake.hpp>
#include <navette/protocol/heartbeat.hpp>
#include <navette/protocol/session.hpp>
#include <navette/websocket_core.ipp>

#include <algorithm>
#include <climits>

namespace navette {

struct websocket::core::conversation {
    uri                    to;
    detail::websocket_link link;
    client_options         asked;
    buffer                 head{};
    client_handshake       handshake;
    client_handshake_status status = client_handshake_status::need_more;
    buffer_pool            pool{};
    std::optional<session<role::client>> messages{};
    heartbeat              beat;
    bool                   is_direct = false;   // what is being read goes to its place in a message
    bool                   is_lost = false;     // the transport is
    bool                   was_closed = false;  // the peer's Close has come
    close_code             code{};
    std::string            reason{};
    std::error_code        failure{};           // why this side failed the connection

    conversation(const uri& u, tcp::stream socket, transport_engine engine, const client_options& options,
                 const limits& bounds, const timeouts& times)
        : to(u), link(std::move(socket), std::move(engine)), asked(options), handshake(to, asked, head, {}, bounds),
          beat(watched(times), tcp::now()) {}

    // Writes and the closing handshake have deadlines of their own, in serve.
    static timeouts watched(timeouts t) noexcept {
        t.close_within = t.write_stall = duration{};
        return t;
    }

    client_protocol& protocol() noexcept { return messages->protocol(); }
};

// The answer is complete. False: nobody is to be told any more.
NAVETTE_INLINE bool websocket::core::take_upgrade(byte_span& in) {
    talk_->status = talk_->handshake.receive(in);
    if (talk_->status != client_handshake_status::upgrade) return true;
    const agreement& agreed = talk_->handshake.agreed();
    talk_->messages.emplace(client_protocol(agreed, options_.limits), talk_->pool);
    talk_->beat = heartbeat(conversation::watched(options_.timeouts), tcp::now());
    opened_     = tcp::now();
    {
        const lock held(guard_);
        is_linked_ = true;
    }
    occurrence open{.what = kind::open, .text = std::string(agreed.subprotocol)};
    talk_->handshake.response().fields.for_each("Sec-WebSocket-Extensions", [&](std::string_view value) {
        open.extensions.append(open.extensions.empty() ? "" : ", ").append(value);
    });
    return fire(std::move(open));
}

// From the upgrade to the end of the transport (RFC 6455, 7.1).
NAVETTE_INLINE void websocket::core::serve(ending& last) {
    using reading = detail::websocket_link::reading;
    const timeouts& times    = options_.timeouts;
    conversation&   t        = *talk_;
    auto&           ws       = t.protocol();
    instant         close_by = instant::never(), stalled_since = tcp::now();
    std::uint64_t   taken    = 0;
    bool            can_write = true, can_read = true;
    while (may_go_on() && !t.is_lost) {
        const instant now = tcp::now();
        if (ws.state() == connection_state::open && can_write) feed();
        const heartbeat_verdict beat = t.beat.poll(ws, now, t.link.out);
        if (beat.expired != errc{}) {
            t.failure = beat.expired;
            t.link.leave(now + last_words);   // nobody may be listening
            break;
        }
        if (ws.state() == connection_state::failed) t.link.shut_down();
        if (can_write && !t.link.flush()) {
            can_write = false;   // what the peer said before, a Close maybe, is still to be read
            if (!t.failure) t.failure = t.link.error;
        }
        count_sent();
        if ((ws.state() != connection_state::open || !can_write) && close_by == instant::never())
            close_by = now + (times.close_within == duration{} ? timeouts{}.close_within : times.close_within);
        if (now >= close_by) {
            if (!t.failure) t.failure = errc::close_timeout;
            break;
        }
        const bool is_writing = can_write && t.link.is_writing();
        if (!is_writing || std::exchange(taken, t.link.taken()) != t.link.taken()) stalled_since = now;
        const instant stalls = is_writing ? deadline(stalled_since, times.write_stall) : instant::never();
        if (now >= stalls) {
            t.failure = errc::write_timeout;
            break;
        }
        if (!can_read) break;
        const bool goes_on = can_write && !is_writing && ws.state() == connection_state::open && (has_more() || is_given_up());
        if (!wait_for_io(true, goes_on ? now : std::min({beat.next, close_by, stalls}))) continue;
        const reading got = read();
        if (got == reading::gone) return;
        if (got == reading::goes_on) continue;
        const event e = t.messages->receive_eof(t.link.out);
        if (!t.failure && e.type == event_type::failed)
            t.failure = got == reading::lost ? t.link.error : make_error_code(e.error);
        can_read = false;
        if (got == reading::lost || !t.link.is_writing()) break;
    }
    if (!may_go_on()) return;
    if (!t.was_closed) {
        last.error = t.failure ? t.failure : make_error_code(errc::truncated);
        return;
    }
    last.code   = t.code;
    last.reason = t.reason;
}

NAVETTE_INLINE detail::websocket_link::reading websocket::core::read() {
    const auto choose = [this] {
        const byte_span direct = talk_->messages ? talk_->messages->direct_space() : byte_span{};
        talk_->is_direct       = !direct.empty();
        return talk_->is_direct ? direct : talk_->link.storage();
    };
    return talk_->link.read(choose, [this](byte_span in) { return take(in); });
}

// False: nobody is to be told any more, and talk_ may be gone.
NAVETTE_INLINE bool websocket::core::take(byte_span in) {
    if (!talk_->messages) {
        if (!take_upgrade(in)) return false;
        if (!talk_->messages) return true;
    }
    talk_->beat.bytes_read(tcp::now());
    if (std::exchange(talk_->is_direct, false)) {
        const event e = talk_->messages->received_direct(in.size(), talk_->link.out);
        return !e || take(e);
    }
    while (const event e = talk_->messages->receive(in, talk_->link.out))
        if (!take(e)) return false;
    return true;
}

NAVETTE_INLINE bool websocket::core::take(const event& e) {
    switch (e.type) {
    case event_type::text:
    case event_type::binary: {
        occurrence came{.what = kind::message};
        came.type = e.type == event_type::text ? opcode::text : opcode::binary;
        came.data = e.payload;
        return fire(std::move(came));
    }
    case event_type::pong: talk_->beat.received(e, tcp::now()); return true;
    case event_type::close:
        talk_->was_closed = true;
        talk_->code       = e.code;
        talk_->reason     = e.text();
        return fire({.what = kind::closing});
    case event_type::failed: talk_->failure = e.error; return fire({.what = kind::closing});
    case event_type::none:
    case event_type::ping: break;
    }
    return true;
}

// Moves what is queued into the output, and the Close behind it.
NAVETTE_INLINE void websocket::core::feed() {
    constexpr std::size_t enough = 64 * 1024;
    bool closes = false;
    while (talk_->link.out.size() < enough && talk_->protocol().state() == connection_state::open) {
        if (framed_ < sending_.size()) {
            frame_messages();
            continue;
        }
        const lock held(guard_);
        if (queue_.empty()) {
            closes = is_being_closed_;
            break;
        }
        for (std::uint64_t size = 0; !queue_.empty() && size < enough; queue_.pop_front()) {
            size += queue_.front().size;
            sending_.push_back(std::move(queue_.front()));
        }
    }
    if (!closes) return;
    // The code and the reason do not change any more; if there is no room for them, the connection is lost anyway.
    if (const errc error = talk_->protocol().close(code_, reason_, talk_->link.out); error != errc{}) {
        talk_->protocol().fail(error, talk_->link.out);
        talk_->failure = error;
    }
}

// Whether feed() would find a message.
NAVETTE_INLINE bool websocket::core::has_more() {
    const lock held(guard_);
    return framed_ < sending_.size() || !queue_.empty();
}

// Frames the next message.
NAVETTE_INLINE void websocket::core::frame_messages() {
    outgoing&  next  = sending_[framed_];
    auto&      out   = talk_->link.out;
    const errc error = talk_->protocol().send(next.type, next.payload.data(), fin::yes, out);
    if (error != errc{}) {
        talk_->protocol().fail(error, out);
        talk_->failure = error;
        return;
    }
    next.end = talk_->link.taken() + out.size();
    ++framed_;
    if (!options_.reconnect || !options_.reconnect->keep_unsent) next.payload = buffer();
}

// Takes what the network has taken off bufferedAmount.
NAVETTE_INLINE void websocket::core::count_sent() {
    const std::uint64_t taken = talk_->link.taken();
    std::uint64_t       sum   = 0, room = 0;
    while (framed_ != 0) {
        outgoing&           first = sending_.front();
        const std::uint64_t left  = first.end > taken ? first.end - taken : 0;
        const std::uint64_t gone  = left < first.size ? first.size - left : 0;
        if (gone > first.counted) sum += gone - std::exchange(first.counted, gone);
        if (left != 0) break;
        sum += first.size - first.counted;
        room += first.size + max_header;
        sending_.pop_front();
        --framed_;
    }
    if (sum == 0 && room == 0) return;
    const lock held(guard_);
    buffered_ -= sum;
    waiting_ -= room;
}

// After a loss. A message whose last byte has not left cannot have arrived: it may be sent again.
NAVETTE_INLINE void websocket::core::drop_unsent(bool reconnects) {
    const bool keeps = reconnects && options_.reconnect->keep_unsent;
    const lock held(guard_);
    is_linked_ = false;
    while (keeps && !sending_.empty()) {
        outgoing& last = sending_.back();
        buffered_ += std::exchange(last.counted, 0);
        last.end = 0;
        queue_.push_front(std::move(last));
        sending_.pop_back();
    }
    if (!keeps) {
        queue_.clear();
        sending_.clear();
        if (reconnects) buffered_ = waiting_ = 0;
    }
    framed_ = 0;
}

// Waits for the socket, a ring of the bell, or `until`. True: there is something to read.
NAVETTE_INLINE bool websocket::core::wait_for_io(bool reads, instant until) {
    bool is_full = false;
    {
        const lock held(guard_);
        is_full = options_.polled && events_size_ >= options_.limits.max_output;
    }
    const bool writes = talk_ && talk_->link.is_writing();
    const bool waits  = talk_ && reads;
    if (is_full && talk_ && talk_->messages) talk_->beat.bytes_read(tcp::now());   // it is not the peer that is silent
    const auto events = static_cast<short>((waits && !is_full ? POLLIN : 0) | (writes ? POLLOUT : 0));
    const int  socket = waits && events != 0 ? talk_->link.native_handle() : -1;
    ::pollfd   watched[2] = {{bell_.native_handle(), POLLIN, 0}, {socket, events, 0}};
    int timeout = -1;
    if (until != instant::never())
        timeout = static_cast<int>(std::clamp<std::int64_t>(to_milliseconds(until - tcp::now()), 0, INT_MAX));
    static_cast<void>(::poll(watched, 2, timeout));
    if (watched[0].revents != 0) {
        const lock held(guard_);
        bell_.hush();
    }
    return !is_full && (watched[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0;
}

// The end of an object that is destroyed, on its own thread: what was borrowed is not touched after this.
NAVETTE_INLINE void websocket::core::say_goodbye() noexcept {
    if (talk_ && talk_->messages) {
        auto&         link  = talk_->link;
        const instant until = tcp::now() + last_words;
        try {
            for (feed(); link.flush() && has_more() && tcp::now() < until; feed())
                if (link.is_writing() && tcp::detail::wait_for(link.native_handle(), POLLOUT, until, nullptr)) break;
        } catch (const std::bad_alloc&) {   // then without the rest
        }
        static_cast<void>(talk_->protocol().close(close_code::going_away, {}, link.out));
        link.leave(until);
    }
    talk_.reset();
}

} // namespace navette
