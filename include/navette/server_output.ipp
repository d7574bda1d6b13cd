// What a loop of a server writes. What one read leads to leaves in one write, out of the loop's own buffer; only what the
// socket does not take is kept with the connection. Large payloads are written where they lie.
#pragma once

#include <navette/server_input.ipp>

#include <sys/uio.h>

namespace navette::detail {

NAVETTE_ALWAYS_INLINE bool server_loop::fits(const server_connection& c, std::size_t size) const noexcept {
    constexpr std::size_t max_header = 10;
    const std::size_t     before     = waiting(c);
    if (before == 0) return true;
    const std::size_t most = core_.settings.limits.max_output;
    if (before >= most || size + max_header > most - before) return false;
    return core_.buffered.load(std::memory_order_relaxed) <= core_.settings.max_buffered;
}

// Where the connection's output goes: into the loop's buffer if it is the one that is dealt with, and nothing waits.
inline buffer& server_loop::output(server_connection& c) {
    if (current_ == &c && queued(c) == 0) return out_;
    touch(c);
    return io_of(c).out;
}

// It is flushed and settled before the turn ends.
inline void server_loop::touch(server_connection& c) {
    if (has(c, dirty)) return;
    set(c, dirty);
    dirty_.push_back(&c);
}

inline send_result server_loop::refuse(errc why) noexcept {
    if (why != errc::output_full) return {send_status::refused, why};
    counted_.full.add(1);
    return {send_status::full, why};
}

// Whether the extension leaves a message of that size as it is.
inline bool server_loop::is_whole(const server_connection& c, std::size_t size, compress how) const noexcept {
    const extension_factory* const extension = c.protocol_.extension();
    return extension == nullptr || how == compress::never || (how == compress::automatic && size < extension->threshold);
}

// A short message of the connection that is dealt with, of which nothing waits: two bytes and the payload.
NAVETTE_ALWAYS_INLINE send_result server_loop::send_short(opcode type, const_byte_span payload) {
    if (type != opcode::text && type != opcode::binary) return refuse(errc::misuse);
    if (type == opcode::text && !is_valid_utf8(payload)) return refuse(errc::unsendable_text);
    if (const errc error = current_->protocol_.send_prepared(false); error != errc{}) return refuse(error);
    const byte_span frame = out_.grow(2 + payload.size());
    if (frame.empty()) return refuse(errc::out_of_memory);
    frame[0] = static_cast<std::byte>(0x80 | static_cast<unsigned>(type));
    frame[1] = static_cast<std::byte>(payload.size());
    copy_short(frame.data() + 2, payload.data(), payload.size());
    counted_.messages_out.add(1);
    counted_.payload_out.add(payload.size());
    return {};
}

// The short way alone is in the place of the call: what goes the long way would cost it its registers.
NAVETTE_ALWAYS_INLINE send_result server_loop::send(server_connection& c, opcode type, const_byte_span payload, compress how) {
    if (c.phase_ != server_connection::phase::open || has(c, doomed)) return refuse(errc::not_open);
    if (!fits(c, payload.size())) return refuse(errc::output_full);
    if (payload.size() <= max_control_payload && c.io_ == nullptr && current_ == &c && is_whole(c, payload.size(), how))
        return send_short(type, payload);
    return send_long(c, type, payload, how);
}

NAVETTE_NEVER_INLINE send_result server_loop::send_long(server_connection& c, opcode type, const_byte_span payload, compress how) {
    if (payload.size() >= large && (c.io_ == nullptr || (c.io_->waiting() == 0 && !c.io_->engine)) && !has(c, lost) &&
        is_whole(c, payload.size(), how))
        return send_large(c, type, payload);
    const errc error = c.protocol_.send(type, payload, fin::yes, output(c), how);
    if (error != errc{}) return refuse(error);
    counted_.messages_out.add(1);
    counted_.payload_out.add(payload.size());
    if (current_ == &c && out_.size() > flush_mark) flush_current(c);
    if (!has(c, stalled)) return {};
    count_waiting(*c.io_);
    return {send_status::queued};
}

inline send_result server_loop::send_large(server_connection& c, opcode type, const_byte_span payload) {
    if (type == opcode::text && !is_valid_utf8(payload)) return refuse(errc::unsendable_text);
    buffer&    head = current_ == &c ? out_ : scratch_;
    const auto mark = c.protocol_.begin_frame(type, payload.size(), fin::yes, head);
    if (!mark) return refuse(mark.error());
    c.protocol_.end_frame();
    counted_.messages_out.add(1);
    counted_.payload_out.add(payload.size());

    const ::iovec parts[2] = {{head.data().data(), head.size()}, {const_cast<std::byte*>(payload.data()), payload.size()}};
    ::msghdr      all{};
    all.msg_iov    = const_cast<::iovec*>(parts);
    all.msg_iovlen = 2;
    ::ssize_t sent = 0;
    do sent = ::sendmsg(c.fd_, &all, tcp::detail::send_flags);
    while (sent < 0 && errno == EINTR);
    if (sent < 0 && !tcp::detail::would_block(errno)) {
        head.clear();
        lose(c);
        return {};
    }
    const std::size_t n = sent < 0 ? 0 : static_cast<std::size_t>(sent);
    const std::size_t of_head = lesser(n, head.size());
    counted_.bytes_out.add(n);
    if (core_.told.wire) {
        core_.told.wire(c, wire_direction::out, std::as_const(head).data().first(of_head));
        core_.told.wire(c, wire_direction::out, payload.first(n - of_head));
    }
    if (n == head.size() + payload.size()) {
        head.clear();
        return {};
    }
    server_io&            io   = io_of(c);
    const const_byte_span rest = payload.subspan(n - of_head);
    if (!io.out.append(std::as_const(head).data().subspan(of_head))) doom(c, errc::out_of_memory);
    head.clear();
    if (buffer apart = memory_.larger(rest.size()); apart.is_fixed()) {
        static_cast<void>(apart.append(rest));
        const const_byte_span bytes = std::as_const(apart).data();
        const auto give_back = [this](buffer* done) {
            memory_.give(std::move(*done));
            delete done;
        };
        share(c, std::shared_ptr<buffer>(new buffer(std::move(apart)), give_back), bytes);
    } else if (!io.out.append(rest)) {
        doom(c, errc::out_of_memory);
    }
    note_queue(c, true);
    return {send_status::queued};
}

// Puts bytes of a shared message behind all that waits.
inline void server_loop::share(server_connection& c, const std::shared_ptr<void>& owner, const_byte_span bytes) {
    server_io& io = io_of(c);
    if (current_ == &c && !out_.empty()) io.out.swap(out_);
    settle_pieces(io);
    if (io.pieces.empty() && !io.out.empty()) io.pieces.push_back({.own = io.out.size()});
    io.accounted = io.out.size();
    io.out.mark_pong(0);   // what stands behind a shared piece must not move
    io.pieces.push_back({.owner = owner, .shared = bytes});
    io.shared += bytes.size();
    if (has(c, stalled)) count_waiting(io);
    touch(c);
}

// Writes what the socket takes of `bytes` in one call, for a connection for which nothing waits: `n`. False: it is lost.
NAVETTE_ALWAYS_INLINE bool server_loop::write_some(server_connection& c, const_byte_span bytes, std::size_t& n) {
    ::ssize_t sent = 0;
    do sent = ::send(c.fd_, bytes.data(), bytes.size(), tcp::detail::send_flags);
    while (sent < 0 && errno == EINTR);
    if (sent < 0 && !tcp::detail::would_block(errno)) return lose(c), false;
    n = sent < 0 ? 0 : static_cast<std::size_t>(sent);
    counted_.bytes_out.add(n);
    if (core_.told.wire) core_.told.wire(c, wire_direction::out, bytes.first(n));
    return true;
}

// Writes bytes of a shared message at once, for a connection for which nothing waits.
inline void server_loop::share_now(server_connection& c, const std::shared_ptr<void>& owner, const_byte_span bytes) {
    std::size_t n = 0;
    if (!write_some(c, bytes, n) || n == bytes.size()) return;
    share(c, owner, bytes.subspan(n));
    note_queue(c, true);
}

// What was appended to the connection's own bytes stands behind the last piece.
inline void server_loop::settle_pieces(server_io& io) {
    if (io.pieces.empty() || io.out.size() == io.accounted) return;
    const std::size_t more = io.out.size() - io.accounted;
    if (io.pieces.back().owner == nullptr) io.pieces.back().own += more;
    else io.pieces.push_back({.own = more});
    io.accounted = io.out.size();
}

inline void server_loop::flush(server_connection& c) {
    if (current_ == &c) flush_current(c);
    if (c.io_ != nullptr && c.phase_ != server_connection::phase::dead) flush_queue(c);
}

// Writes what the connection that is dealt with has sent.
inline void server_loop::flush_current(server_connection& c) {
    if (current_ != &c) return;
    if (!out_.empty()) {
        if (has(c, lost)) {
            out_.clear();
        } else if (queued(c) != 0) {   // something was shared, or a large message did not leave
            if (!io_of(c).out.append(std::as_const(out_).data())) doom(c, errc::out_of_memory);
            out_.clear();
        } else {
            std::size_t n = 0;
            if (!write_some(c, std::as_const(out_).data(), n)) n = out_.size();   // nobody takes it any more
            out_.consume(n);
            if (!out_.empty()) {
                io_of(c).out.swap(out_);
                if (out_.capacity() == 0) out_ = memory_.take();
                note_queue(c, true);
            }
        }
    }
    if (out_.empty() && out_.capacity() > 4 * flush_mark) out_ = buffer();
}

inline void server_loop::flush_queue(server_connection& c) {
    note_queue(c, has(c, stalled) || write_queue(c));
}

// Writes what waits until nothing does, or the socket takes no more: true.
inline bool server_loop::write_queue(server_connection& c) {
    server_io& io     = *c.io_;
    bool       blocks = false;
    for (;;) {
        if (has(c, lost)) {
            io.out.clear();
            io.cipher.clear();
            io.pieces.clear();
            io.first = io.accounted = io.shared = 0;
        }
        if (io.engine && !encrypt(c)) break;
        if (io.engine ? io.cipher.empty() : io.out.empty() && io.shared == 0) break;
        const std::size_t n = write_once(c, blocks);
        if (n != 0) io.stalled_since = now_;
        if (blocks) break;
    }
    return blocks;
}

// Makes cipher bytes of plain ones, as many as are soon to be written. False: the engine has failed.
inline bool server_loop::encrypt(server_connection& c) {
    constexpr std::size_t enough = 128 * 1024;
    server_io&            io     = *c.io_;
    if (!io.is_laid) return true;
    settle_pieces(io);
    while (io.cipher.size() < enough) {
        const bool        is_shared = io.first < io.pieces.size() && io.pieces[io.first].owner != nullptr;
        const bool        is_mixed  = !io.pieces.empty();
        const_byte_span   next      = is_shared  ? io.pieces[io.first].shared
                                      : is_mixed ? std::as_const(io.out).data().first(io.pieces[io.first].own)
                                                 : std::as_const(io.out).data();
        if (next.empty()) return true;
        const std::size_t before = next.size();
        const engine_step step   = io.engine.send(next, io.cipher);
        if (step.error) {
            doom(c, step.error);
            return false;
        }
        if (next.size() == before) return true;   // it must receive first
        consume(io, before - next.size());
    }
    return true;
}

// Writes what the socket takes in one call.
inline std::size_t server_loop::write_once(server_connection& c, bool& blocks) {
    constexpr std::size_t most_parts = 64;
    server_io&            io         = *c.io_;
    ::iovec               parts[most_parts];
    std::size_t           count = 0, size = 0;
    const auto            add   = [&](const_byte_span part) {
        parts[count++] = {const_cast<std::byte*>(part.data()), part.size()};
        size += part.size();
    };
    if (io.engine) {
        add(io.cipher.data());
    } else if (io.pieces.empty()) {
        add(io.out.data());
    } else {
        settle_pieces(io);
        const_byte_span own = io.out.data();
        for (std::size_t i = io.first; i < io.pieces.size() && count < most_parts; ++i) {
            const server_piece& piece = io.pieces[i];
            if (piece.owner != nullptr) {
                add(piece.shared);
            } else {
                add(own.first(piece.own));
                own = own.subspan(piece.own);
            }
        }
    }
    ::ssize_t sent = 0;
    if (count == 1) {
        do sent = ::send(c.fd_, parts[0].iov_base, parts[0].iov_len, tcp::detail::send_flags);
        while (sent < 0 && errno == EINTR);
    } else {
        ::msghdr all{};
        all.msg_iov    = parts;
        all.msg_iovlen = static_cast<decltype(all.msg_iovlen)>(count);
        do sent = ::sendmsg(c.fd_, &all, tcp::detail::send_flags);
        while (sent < 0 && errno == EINTR);
    }
    if (sent < 0 && !tcp::detail::would_block(errno)) {
        lose(c);
        return 0;
    }
    const std::size_t n = sent < 0 ? 0 : static_cast<std::size_t>(sent);
    blocks              = n < size;
    counted_.bytes_out.add(n);
    if (core_.told.wire)
        for (std::size_t i = 0, left = n; left != 0; ++i) {
            const std::size_t of_part = lesser(left, parts[i].iov_len);
            core_.told.wire(c, wire_direction::out, {static_cast<const std::byte*>(parts[i].iov_base), of_part});
            left -= of_part;
        }
    if (io.engine) io.cipher.consume(n);
    else consume(io, n);
    return n;
}

// Takes `n` plain bytes off the front of what waits.
inline void server_loop::consume(server_io& io, std::size_t n) noexcept {
    if (io.pieces.empty()) return io.out.consume(n);
    while (n != 0) {
        server_piece&     piece   = io.pieces[io.first];
        const std::size_t of_this = lesser(n, piece.owner != nullptr ? piece.shared.size() : piece.own);
        if (piece.owner != nullptr) {
            piece.shared = piece.shared.subspan(of_this);
            io.shared -= of_this;
        } else {
            piece.own -= of_this;
            io.out.consume(of_this);
            io.accounted -= of_this;
        }
        n -= of_this;
        if (piece.owner != nullptr ? !piece.shared.empty() : piece.own != 0) break;
        piece.owner.reset();
        ++io.first;
    }
    if (io.first == io.pieces.size()) {
        io.pieces.clear();
        io.first = io.accounted = 0;
    }
}

// The socket takes nothing more, and never will. What the peer has sent before, a Close maybe, is still read.
inline void server_loop::lose(server_connection& c) noexcept {
    set(c, lost);
    clear(c, stalled);
    set(c, readable);
    const auto phase = c.phase_;
    if (phase == server_connection::phase::open && !has(c, paused) && !has(c, told)) read_later(c);
    else doom(c, std::make_error_code(std::errc::connection_reset));
}

inline void server_loop::count_waiting(server_io& io) noexcept {
    const std::size_t now = io.waiting();
    if (now == io.counted) return;
    core_.buffered.fetch_add(now - io.counted, std::memory_order_relaxed);   // modulo: also down
    counted_.buffered.add(now - io.counted);
    io.counted = now;
}

// What follows from what waits, and from whether the socket takes more.
inline void server_loop::note_queue(server_connection& c, bool blocks) {
    server_io& io = *c.io_;
    count_waiting(io);
    const std::size_t now = io.counted;
    const bool is_relieved = has(c, pressed) && !has(c, stalled) && now <= core_.settings.drain_mark;
    if (is_relieved) clear(c, pressed);
    if (blocks && !has(c, stalled)) {
        set(c, stalled);
        set(c, pressed);
        io.stalled_since = now_;
        counted_.queued.add(1);
        const duration after = core_.settings.timeouts.write_stall;
        if (after != duration{}) wake_by(c, due(now_, after));
        watch(c);
    }
    if (is_relieved && c.phase_ == server_connection::phase::open && !has(c, told) && !has(c, doomed) && core_.told.drain)
        core_.told.drain(c);
    if (blocks || c.phase_ == server_connection::phase::dead) return;
    if (c.phase_ == server_connection::phase::open && !io.parked.empty() && !has(c, paused)) touch(c);   // input may go on
    release_io(c);
    watch(c);
}

} // namespace navette::detail
