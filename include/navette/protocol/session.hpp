// Whole messages from a protocol's pieces (RFC 6455, 5.4 and 6.2), still no I/O: a view where a message lay whole in the
// input, else assembled in a buffer from a pool. Control frames and failures pass through.
#pragma once

#include <navette/base/buffer_pool.hpp>
#include <navette/protocol/protocol.hpp>

namespace navette {

/// An open connection that delivers whole messages. Holds memory only while a message is incomplete or just delivered.
/// `pool` is borrowed, outlives the session and belongs to the same thread.
///
///     session<role::server> ws{server_protocol{*agreed}, pool};
///     while (event e = ws.receive(in, out))
///         if (e.is_message()) use(e.text());
template <role R>
class session {
    // Invariant: the last direct_ bytes of assembly_ are space that direct_space() handed out, or the last parked_ bytes
    // of it were read into that space and not yet taken by the protocol; never both.
    navette::protocol<R> protocol_;
    buffer_pool*         pool_;
    buffer               assembly_;
    std::size_t          direct_    = 0;
    std::size_t          parked_    = 0;
    bool                 delivered_ = false;  // what assembly_ holds was delivered by the last call

public:
    session(navette::protocol<R> open, buffer_pool& pool) noexcept : protocol_(std::move(open)), pool_(&pool) {}
    session(session&& other) noexcept
        : protocol_(std::move(other.protocol_)), pool_(other.pool_), assembly_(std::move(other.assembly_)),
          direct_(std::exchange(other.direct_, 0)), parked_(std::exchange(other.parked_, 0)),
          delivered_(std::exchange(other.delivered_, false)) {}
    session& operator=(session&&) = delete;
    ~session() { pool_->give(std::move(assembly_)); }

    /// Like protocol::receive, but every text or binary event is a whole message, with `first` and `last` set. Its payload
    /// lies in `in`, in the codec's window or in a pooled buffer, and lives until the next receive or received_direct.
    /// Without memory to assemble a message the connection fails with `out_of_memory` (1011).
    event receive(byte_span& in, buffer& out) noexcept {
        release_delivered();
        drop_direct();
        if (parked_ != 0)
            if (const event e = take_parked(out); e || parked_ != 0) return e;
        for (;;) {
            const event e = protocol_.receive(in, out);
            if (!e.is_message()) return ended(e);
            if (e.first && e.last) return e;
            if (!assemble(e)) return ended(protocol_.fail(errc::out_of_memory, out));
            if (e.last) return whole(e.type);
        }
    }

    /// As protocol::receive_eof; an incomplete message is dropped.
    event receive_eof(buffer& out) noexcept {
        release_delivered();
        drop_direct();
        return ended(protocol_.receive_eof(out));
    }

    /// Space behind an incomplete message's bytes, for the rest of a large plain frame to be read straight into its place;
    /// empty: read into a buffer of your own. Bounded by what has come so far, never by what a header announces. Valid
    /// until the next call of received_direct or receive.
    byte_span direct_space() noexcept {
        constexpr std::size_t worthwhile = 16 * 1024;
        drop_direct();
        const std::uint64_t remaining = protocol_.payload_remaining();
        if (delivered_ || parked_ != 0 || assembly_.empty() || remaining < worthwhile) return {};
        const std::size_t most  = assembly_.size() < worthwhile ? worthwhile : assembly_.size();
        const byte_span   space = assembly_.grow(remaining < most ? static_cast<std::size_t>(remaining) : most);
        direct_                 = space.size();
        return space;
    }

    /// The first `n` bytes of the direct space have been read. Precondition: 0 < n <= its size. What they complete is
    /// returned as by receive; `none`: more is to come.
    event received_direct(std::size_t n, buffer& out) noexcept {
        assembly_.shrink(std::exchange(direct_, 0) - n);
        parked_ = n;
        return take_parked(out);
    }

    /// Whether a message has come in part: the protocol alone would go on in its middle.
    bool is_assembling() const noexcept { return !delivered_ && !assembly_.empty(); }

    navette::protocol<R>&       protocol() noexcept { return protocol_; }
    const navette::protocol<R>& protocol() const noexcept { return protocol_; }

private:
    // They are the payload of one plain frame, so one call takes them all, unless `out` has to be drained first.
    event take_parked(buffer& out) noexcept {
        byte_span   in = assembly_.data().last(parked_);
        const event e  = protocol_.receive(in, out);
        parked_        = in.size();
        if (!e.is_message()) return ended(e);
        return e.last ? whole(e.type) : event{};
    }

    void release_delivered() noexcept {
        if (!delivered_) return;
        pool_->give(std::move(assembly_));
        delivered_ = false;
    }

    void drop_direct() noexcept { assembly_.shrink(std::exchange(direct_, 0)); }

    bool assemble(const event& e) noexcept {
        if (e.first) assembly_ = pool_->take();
        return make_room(e.payload.size()) && assembly_.append(e.payload);
    }

    // Doubles, but to no more than a message may have: while it moves, the old place and the new one are held.
    bool make_room(std::size_t n) noexcept {
        const std::size_t size = assembly_.size();
        if (assembly_.capacity() - size >= n) return true;
        const std::uint64_t most = protocol_.bounds().max_message_size;
        buffer              larger;
        if (!larger.reserve(2 * size + n > most ? static_cast<std::size_t>(most) : 2 * size + n)) return false;
        if (!larger.append(assembly_.data())) return false;
        assembly_ = std::move(larger);
        return true;
    }

    event whole(event_type type) noexcept {
        delivered_ = true;
        return {.type = type, .first = true, .last = true, .payload = assembly_.data()};
    }

    // A connection that has ended keeps no part of a message (5.4).
    event ended(const event& e) noexcept {
        if (e.type == event_type::close || e.type == event_type::failed) {
            pool_->give(std::move(assembly_));
            parked_ = 0;
        }
        return e;
    }
};

} // namespace navette
