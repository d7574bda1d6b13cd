// Whole messages from a protocol's pieces (RFC 6455, 5.4 and 6.2), still no I/O: a view where a message lay whole in the
// input, else assembled in a buffer from a pool. Control frames and failures pass through.
#pragma once

#include <navette/base/buffer_pool.hpp>
#include <navette/base/bytes.hpp>
#include <navette/protocol/protocol.hpp>

namespace navette {

/// What makes whole messages of the pieces of a protocol that somebody else holds: for who has many connections and keeps
/// this only while a message is incomplete. `pool` is borrowed, outlives it and belongs to the same thread. It is a
/// buffer_pool, or has the functions of one: take, give, larger and drop.
template <class Pool = buffer_pool>
class message_assembly {
    // Invariant: the last direct_ bytes of bytes_ are space that direct_space() handed out, or the last parked_ bytes of it
    // were read into that space and not yet taken by the protocol; never both.
    Pool*       pool_;
    buffer      bytes_;
    std::size_t direct_    = 0;
    std::size_t parked_    = 0;
    bool        delivered_ = false;  // what bytes_ holds was delivered by the last call

public:
    explicit message_assembly(Pool& pool) noexcept : pool_(&pool) {}
    message_assembly(message_assembly&& other) noexcept
        : pool_(other.pool_), bytes_(std::move(other.bytes_)), direct_(detail::take(other.direct_)),
          parked_(detail::take(other.parked_)), delivered_(detail::take(other.delivered_)) {}
    message_assembly& operator=(message_assembly&&) = delete;
    ~message_assembly() { pool_->give(std::move(bytes_)); }

    /// See session::receive. `ws` is a protocol of either role, the same in every call.
    template <class Protocol>
    event receive(Protocol& ws, byte_span& in, buffer& out) noexcept {
        release_delivered();
        drop_direct();
        if (parked_ != 0)
            if (const event e = take_parked(ws, out); e || parked_ != 0) return e;
        return go_on(ws.receive(in, out), ws, in, out);
    }

    /// The same for who has called the protocol's receive himself, before there was anything to assemble, and got `e`.
    template <class Protocol>
    event go_on(event e, Protocol& ws, byte_span& in, buffer& out) noexcept {
        for (;; e = ws.receive(in, out)) {
            if (!e.is_message()) return ended(e);
            if (e.first && e.last) return e;
            if (!assemble(e, ws)) return ended(ws.fail(errc::out_of_memory, out));
            if (e.last) return whole(e.type);
        }
    }

    /// As session::receive_eof.
    event receive_eof(protocol_core& ws, buffer& out) noexcept {
        release_delivered();
        drop_direct();
        return ended(ws.receive_eof(out));
    }

    /// See session::direct_space.
    byte_span direct_space(const protocol_core& ws) noexcept {
        constexpr std::size_t worthwhile = 16 * 1024;
        drop_direct();
        const std::uint64_t remaining = ws.payload_remaining();
        if (delivered_ || parked_ != 0 || bytes_.empty() || remaining < worthwhile) return {};
        std::size_t most = bytes_.size() < worthwhile ? worthwhile : bytes_.size();
        if (remaining < most) most = static_cast<std::size_t>(remaining);
        if (!make_room(most, ws)) return {};
        // What a fixed buffer has is there already, and costs nothing more.
        if (const std::size_t room = bytes_.capacity() - bytes_.size(); bytes_.is_fixed())
            most = remaining < room ? static_cast<std::size_t>(remaining) : room;
        const byte_span space = bytes_.grow(most);
        direct_               = space.size();
        return space;
    }

    /// See session::received_direct.
    template <class Protocol>
    event received_direct(std::size_t n, Protocol& ws, buffer& out) noexcept {
        bytes_.shrink(detail::take(direct_) - n);
        parked_ = n;
        return take_parked(ws, out);
    }

    /// See session::is_assembling.
    bool is_assembling() const noexcept { return !delivered_ && !bytes_.empty(); }

    /// What was delivered last is not needed any more. True: nothing is incomplete, so that this could be destroyed.
    bool release() noexcept {
        release_delivered();
        return bytes_.empty() && parked_ == 0;
    }

private:
    // They are the payload of one plain frame, so one call takes them all, unless `out` has to be drained first.
    template <class Protocol>
    event take_parked(Protocol& ws, buffer& out) noexcept {
        byte_span   in = bytes_.data().last(parked_);
        const event e  = ws.receive(in, out);
        parked_        = in.size();
        if (!e.is_message()) return ended(e);
        return e.last ? whole(e.type) : event{};
    }

    void release_delivered() noexcept {
        if (!delivered_) return;
        pool_->give(std::move(bytes_));
        delivered_ = false;
    }

    void drop_direct() noexcept { bytes_.shrink(detail::take(direct_)); }

    bool assemble(const event& e, const protocol_core& ws) noexcept {
        if (e.first) bytes_ = pool_->take();
        return make_room(e.payload.size(), ws) && bytes_.append(e.payload);
    }

    // To twice as much, but no more than a message may have: while it moves, the old place and the new one are held.
    bool make_room(std::size_t n, const protocol_core& ws) noexcept {
        const std::size_t size = bytes_.size();
        if (bytes_.capacity() - size >= n) return true;
        const std::uint64_t most   = ws.bounds().max_message_size;
        buffer              larger = pool_->larger(2 * size + n > most ? static_cast<std::size_t>(most) : 2 * size + n);
        if (larger.capacity() < size + n || !larger.append(bytes_.data())) return false;
        bytes_.swap(larger);
        pool_->drop(std::move(larger));
        return true;
    }

    event whole(event_type type) noexcept {
        delivered_ = true;
        return {.type = type, .first = true, .last = true, .payload = bytes_.data()};
    }

    // A connection that has ended keeps no part of a message (5.4).
    event ended(const event& e) noexcept {
        if (e.type == event_type::close || e.type == event_type::failed) {
            pool_->give(std::move(bytes_));
            parked_ = 0;
        }
        return e;
    }
};

/// An open connection that delivers whole messages. Holds memory only while a message is incomplete or just delivered.
/// `pool` is borrowed, outlives the session and belongs to the same thread.
///
///     session<role::server> ws{server_protocol{*agreed}, pool};
///     while (event e = ws.receive(in, out))
///         if (e.is_message()) use(e.text());
template <role R>
class session {
    navette::protocol<R> protocol_;
    message_assembly<>   assembly_;

public:
    session(navette::protocol<R> open, buffer_pool& pool) noexcept : protocol_(std::move(open)), assembly_(pool) {}
    session(session&& other) noexcept            = default;
    session& operator=(session&&)                = delete;

    /// Like protocol::receive, but every text or binary event is a whole message, with `first` and `last` set. Its payload
    /// lies in `in`, in the codec's window or in a pooled buffer, and lives until the next receive or received_direct.
    /// Without memory to assemble a message the connection fails with `out_of_memory` (1011).
    event receive(byte_span& in, buffer& out) noexcept { return assembly_.receive(protocol_, in, out); }

    /// As protocol::receive_eof; an incomplete message is dropped.
    event receive_eof(buffer& out) noexcept { return assembly_.receive_eof(protocol_, out); }

    /// Space behind an incomplete message's bytes, for the rest of a large plain frame to be read straight into its place;
    /// empty: read into a buffer of your own. Bounded by what has come so far, never by what a header announces. Valid
    /// until the next call of received_direct or receive.
    byte_span direct_space() noexcept { return assembly_.direct_space(protocol_); }

    /// The first `n` bytes of the direct space have been read. Precondition: 0 < n <= its size. What they complete is
    /// returned as by receive; `none`: more is to come.
    event received_direct(std::size_t n, buffer& out) noexcept { return assembly_.received_direct(n, protocol_, out); }

    /// Whether a message has come in part: the protocol alone would go on in its middle.
    bool is_assembling() const noexcept { return assembly_.is_assembling(); }

    navette::protocol<R>&       protocol() noexcept { return protocol_; }
    const navette::protocol<R>& protocol() const noexcept { return protocol_; }
};

} // namespace navette
