// What a loop of a server reads: bytes off the wire, through an engine if there is one, into messages and callbacks.
#pragma once

#include <navette/server_loop.ipp>

#include <sys/socket.h>

namespace navette::detail {

// Whoever does not read what waits for him is not read from.
inline bool server_loop::may_read(const server_connection& c) const noexcept {
    using phase = server_connection::phase;
    if (has(c, ended)) return false;
    switch (c.phase_) {
    case phase::opening: return queued(c) <= core_.settings.pause_mark;
    case phase::pending: return c.io_->parked.size() < park_mark;
    case phase::open: {
        if (has(c, told)) return true;   // to be thrown away, until the end
        if (has(c, paused) || (c.io_ != nullptr && !c.io_->parked.empty())) return false;
        return has(c, lost) || queued(c) <= core_.settings.pause_mark;
    }
    case phase::answered:
    case phase::lingering: return true;
    case phase::dead: break;
    }
    return false;
}

inline void server_loop::read_later(server_connection& c) {
    if (has(c, ready)) return;
    set(c, ready);
    ready_.push_back(&c);
}

// Reads until there is nothing more, or others should have their turn.
inline void server_loop::read(server_connection& c) {
    using phase = server_connection::phase;
    constexpr std::size_t first_read = 4'096;
    for (std::size_t sum = 0;;) {
        byte_span place;
        if (c.io_ != nullptr && c.phase_ == phase::open && !c.io_->engine) place = c.io_->assembly.direct_space(c.protocol_);
        const bool is_direct = !place.empty();
        // The head of a long message alone: the rest is then read straight into its place.
        if (!is_direct) place = has(c, sends_large) ? input_.data().first(lesser(first_read, input_.size())) : input_.data();

        const ::ssize_t got = ::recv(c.fd_, place.data(), place.size(), 0);
        if (got < 0) {
            if (errno == EINTR) continue;
            clear(c, readable);
            if (tcp::detail::would_block(errno)) return watch(c);
            return end(c, tcp::detail::system_error());
        }
        const auto n = static_cast<std::size_t>(got);
        if (n < place.size() && !has(c, ending)) clear(c, readable);   // epoll tells when more has come
        if (n == 0) {
            clear(c, readable);
            set(c, ended);
            if (c.io_ != nullptr && c.io_->engine) take_cipher_eof(c);
            else take_eof(c);
        } else {
            counted_.bytes_in.add(n);
            c.last_read_ = now_;
            clear(c, ping_awaited);
            if (core_.told.wire) core_.told.wire(c, wire_direction::in, place.first(n));
            if (is_direct) {
                set(c, sends_large);
                take_direct(c, n);
            } else {
                take_wire(c, place.first(n));
            }
        }
        flush(c);
        settle(c);
        if (c.phase_ == phase::dead) return;
        if (!has(c, readable) || !may_read(c)) return watch(c);
        if ((sum += n) >= read_at_once) return read_later(c);
    }
}

inline void server_loop::take_wire(server_connection& c, byte_span in) {
    if (c.phase_ == server_connection::phase::opening && (c.io_ == nullptr || (!c.io_->opening && !c.io_->engine))) {
        begin_opening(c);
        if (has(c, doomed)) return;
    }
    if (has(c, begins) && !take_proxy_header(c, in)) return;
    if (in.empty()) return;
    if (c.io_ != nullptr && c.io_->engine) decrypt(c, in);
    else take_plain(c, in);
}

// Plain bytes. They are as the peer sent them: what the connection is not ready for is kept or thrown away.
inline void server_loop::take_plain(server_connection& c, byte_span in) {
    using phase = server_connection::phase;
    switch (c.phase_) {
    case phase::opening: return shake_hands(c, in);
    case phase::pending: return park(c, in);
    case phase::open:
        if (has(c, told)) return;
        if (c.io_ != nullptr && !c.io_->parked.empty()) return park(c, in);
        return talk(c, in);
    case phase::answered:
    case phase::lingering:
    case phase::dead: break;
    }
}

inline void server_loop::decrypt(server_connection& c, byte_span in) {
    while (!has(c, doomed) && c.phase_ != server_connection::phase::dead) {
        server_io&        io     = *c.io_;
        const std::size_t before = in.size();
        const engine_step step   = io.engine.receive(in, plain_.data(), io.cipher);
        if (step.produced != 0) take_plain(c, plain_.data().first(step.produced));
        if (step.error) {
            if (!io.is_laid) refused(refusal::tls);
            flush(c);   // the alert that says why
            return doom(c, step.error);
        }
        if (!io.is_laid) {
            const_byte_span nothing;
            const engine_step own = io.engine.send(nothing, io.cipher);
            if (own.error) return doom(c, own.error);
            io.is_laid = own.open;
        }
        if (step.ended) {
            set(c, ended);
            if (io.parked.empty()) take_eof(c);   // otherwise unpark does
            return;
        }
        if (step.produced == 0 && in.empty()) return;
        if (step.produced == 0 && in.size() == before) return doom(c, errc::misuse);
    }
}

// The transport has ended under the engine, which says whether it may.
inline void server_loop::take_cipher_eof(server_connection& c) {
    const engine_step step = c.io_->engine.receive_eof();
    if (!step.error || c.phase_ != server_connection::phase::open || has(c, told)) return take_eof(c);
    static_cast<void>(c.protocol_.receive_eof(output(c)));
    tell(c, {.code = close_code::abnormal_closure, .error = step.error});
}

inline void server_loop::take_eof(server_connection& c) {
    using phase = server_connection::phase;
    switch (c.phase_) {
    case phase::opening: {
        if (c.io_ == nullptr || !c.io_->opening) return doom(c, {});
        const std::size_t before = waiting(c);
        c.io_->opening->handshake.receive_eof(output(c));
        if (waiting(c) == before) return doom(c, {});   // it had not begun to speak
        return request_refused(c);
    }
    case phase::pending: return doom(c, {});
    case phase::open: {
        if (has(c, told)) break;
        buffer&     out = output(c);
        const event e   = c.io_ != nullptr ? c.io_->assembly.receive_eof(c.protocol_, out) : c.protocol_.receive_eof(out);
        deliver(c, e);
        break;
    }
    case phase::answered:
    case phase::lingering:
    case phase::dead: break;
    }
}

// Most of what comes is whole messages, for a connection that has nothing but itself: these go the short way, as long as
// callbacks leave it so. What else there is, is returned.
inline event server_loop::talk_briefly(server_connection& c, byte_span& in) {
    std::uint64_t count = 0, size = 0;
    const auto    note  = [&] {
        counted_.messages_in.add(count);
        counted_.payload_in.add(size);
    };
    constexpr std::uint16_t leaves = doomed | paused;
    while (c.io_ == nullptr && (c.flags_ & leaves) == 0 && out_.size() <= flush_mark) {
        whole_message whole = c.protocol_.receive_whole(in, out_);
        if (!whole) {
            const event e = c.protocol_.receive(in, out_);
            if (!(e.is_message() && e.first && e.last)) {
                note();
                return e;
            }
            whole = {e.type == event_type::text ? opcode::text : opcode::binary, e.payload};
        }
        ++count;
        size += whole.payload.size();
        const message m{whole.type, whole.payload};
        if (core_.told.message) core_.told.message(c, m);
    }
    note();
    return {};
}

// Lets the protocol have `in`, and the callbacks what comes of it.
inline void server_loop::talk(server_connection& c, byte_span in) {
    current_ = c.io_ == nullptr || (!c.io_->engine && c.io_->waiting() == 0) ? &c : nullptr;
    clear(c, sends_large);
    while (!has(c, doomed) && !has(c, paused)) {
        event e;
        if (c.io_ == nullptr) {
            const std::size_t before = in.size();
            e                        = talk_briefly(c, in);
            if (out_.size() > flush_mark) flush_current(c);
            if (!e && in.size() != before && !in.empty()) continue;
            if (e.is_message()) e = io_of(c).assembly.go_on(e, c.protocol_, in, output(c));
        } else {
            e = c.io_->assembly.receive(c.protocol_, in, output(c));
        }
        if (!e || !deliver(c, e)) break;
        if (out_.size() > flush_mark) flush_current(c);
        if (queued(c) > core_.settings.pause_mark) break;
    }
    if (!in.empty() && !has(c, told) && !has(c, doomed)) park(c, in);
    flush_current(c);
    current_ = nullptr;
}

inline void server_loop::take_direct(server_connection& c, std::size_t n) {
    current_      = c.io_->waiting() == 0 ? &c : nullptr;
    const event e = c.io_->assembly.received_direct(n, c.protocol_, output(c));
    if (e) deliver(c, e);
    flush_current(c);
    current_ = nullptr;
}

// False: nothing more is to be delivered.
inline bool server_loop::deliver(server_connection& c, const event& e) {
    switch (e.type) {
    case event_type::text:
    case event_type::binary: {
        counted_.messages_in.add(1);
        counted_.payload_in.add(e.payload.size());
        const message m{e.type == event_type::text ? opcode::text : opcode::binary, e.payload};
        if (core_.told.message) core_.told.message(c, m);
        return !has(c, doomed);
    }
    case event_type::ping: counted_.pings_in.add(1); return true;
    case event_type::pong:
        counted_.pongs_in.add(1);
        if (core_.told.pong) core_.told.pong(c, e.payload);
        return !has(c, doomed);
    case event_type::close: tell(c, {.code = e.code, .reason = e.text(), .clean = true}); return false;
    case event_type::failed: tell(c, {.code = e.code, .error = e.error, .broken_by = e.payload}); return false;
    case event_type::none: break;
    }
    return true;
}

// Keeps input until the connection is ready for it.
inline void server_loop::park(server_connection& c, const_byte_span in) {
    if (in.empty()) return;
    if (!io_of(c).parked.append(in)) doom(c, errc::out_of_memory);
}

// Deals with what was kept, once it may be.
inline void server_loop::unpark(server_connection& c) {
    using phase = server_connection::phase;
    if (c.phase_ != phase::open || c.io_ == nullptr || c.io_->parked.empty() || has(c, paused) || has(c, doomed)) return;
    if (queued(c) > core_.settings.pause_mark && !has(c, lost)) return;
    buffer parked = std::exchange(c.io_->parked, buffer());
    if (!has(c, told)) talk(c, parked.data());
    if (has(c, ended) && c.io_->parked.empty() && !has(c, doomed)) take_eof(c);   // what an engine ended with comes last
    flush(c);
    settle(c);
    if (c.phase_ != phase::dead && has(c, readable) && may_read(c)) read_later(c);
    watch(c);
}

} // namespace navette::detail
