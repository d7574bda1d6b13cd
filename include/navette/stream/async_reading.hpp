// How messages are read from an async_connection: whole, into the caller's memory, or piece by piece; and how a connection
// is closed, which is to read until its end (RFC 6455, 7.1.2). Not for users: async_connection.hpp is.
#pragma once

#include <navette/stream/async_connection_state.hpp>

namespace navette::detail {

// A way to read has: what it delivers; whether it may begin; where it wants the next bytes, if that is not `input`; what
// comes of bytes that are there, or were just read; and whether a message's event is what it delivers.

struct message_whole {
    using delivered = message;
    bool is_direct  = false;   // what is being read goes to its place in a message

    template <class State>
    bool may_begin(const State& s) const noexcept {
        return s.midway == message_way::none;
    }
    template <class State>
    byte_span place(State& s) noexcept {
        const byte_span space = s.messages.direct_space();
        is_direct             = !space.empty();
        return space;
    }
    template <class State>
    event receive(State& s) noexcept {
        return s.messages.receive(s.in, s.out);
    }
    template <class State>
    event receive(State& s, byte_span read) noexcept {
        if (detail::take(is_direct)) return s.messages.received_direct(read.size(), s.out);
        s.in = read;
        return receive(s);
    }
    template <class State>
    io_result<message> deliver(State&, const event& e) const noexcept {
        return message{e.type == event_type::text ? opcode::text : opcode::binary, e.payload};
    }
    bool is_complete(const event&) const noexcept { return true; }
};

struct message_into {
    using delivered = message;
    byte_span memory;

    template <class State>
    byte_span rest(const State& s) const noexcept {
        return memory.subspan(s.into_size);
    }
    template <class State>
    bool may_begin(const State& s) const noexcept {
        if (s.midway == message_way::into) return s.into_size <= memory.size();
        return s.midway == message_way::none && !s.messages.is_assembling();
    }
    template <class State>
    byte_span place(State& s) const noexcept {
        const byte_span room = rest(s);
        return room.first(static_cast<std::size_t>(lesser<std::uint64_t>(room.size(), s.messages.protocol().payload_remaining())));
    }
    template <class State>
    event receive(State& s) const noexcept {
        auto&             ws    = s.messages.protocol();
        const event       e     = ws.receive(s.in, s.out);
        const byte_span   room  = rest(s);
        const std::size_t piece = e.is_message() ? e.payload.size() : 0;
        if (e.type == event_type::close || e.type == event_type::failed) return e;
        if (piece > room.size() || ws.payload_remaining() > room.size() - piece) return ws.fail(errc::message_too_big, s.out);
        if (!e.is_message()) return e;
        if (piece != 0 && e.payload.data() != room.data()) std::memcpy(room.data(), e.payload.data(), piece);
        s.into_size += piece;
        s.midway = message_way::into;
        return e;
    }
    template <class State>
    event receive(State& s, byte_span read) const noexcept {
        s.in = read;
        return receive(s);
    }
    template <class State>
    io_result<message> deliver(State& s, const event& e) const noexcept {
        s.midway = message_way::none;
        return message{e.type == event_type::text ? opcode::text : opcode::binary, memory.first(detail::take(s.into_size))};
    }
    bool is_complete(const event& e) const noexcept { return e.last; }
};

struct message_pieces {
    using delivered = message_piece;

    template <class State>
    bool may_begin(const State& s) const noexcept {
        return s.midway != message_way::into && !s.messages.is_assembling();
    }
    template <class State>
    byte_span place(State&) const noexcept {
        return {};
    }
    template <class State>
    event receive(State& s) const noexcept {
        return s.messages.protocol().receive(s.in, s.out);
    }
    template <class State>
    event receive(State& s, byte_span read) const noexcept {
        s.in = read;
        return receive(s);
    }
    template <class State>
    io_result<message_piece> deliver(State& s, const event& e) const noexcept {
        s.midway = e.last ? message_way::none : message_way::piecewise;
        return message_piece{e.type == event_type::text ? opcode::text : opcode::binary, e.first, e.last, e.payload};
    }
    bool is_complete(const event&) const noexcept { return true; }
};

// What comes is dropped: read_with ends with the connection.
struct no_message : message_pieces {
    template <class State>
    bool may_begin(const State&) const noexcept {
        return true;
    }
    bool is_complete(const event&) const noexcept { return false; }
};

template <role R, async_stream S>
typename S::template task<std::error_code> close(share<async_connection_state<R, S>>, close_code, std::string_view);

// Waits within the loop of a coroutine would each be a coroutine of their own: they stand where they are.
template <role R, async_stream S, class Way>
typename S::template task<io_result<typename Way::delivered>> read_with(share<async_connection_state<R, S>> s, Way way) {
    using state = async_connection_state<R, S>;
    if (!s) co_return errc::misuse;
    if (s->discards) {
        // A close has begun to discard: whatever reads after it waits for the same end.
        if constexpr (!std::is_same_v<Way, no_message>) {
            const std::error_code error = co_await close(s, close_code::normal, {});
            co_return error ? error : s->ended;
        }
    }
    if (s->ended) co_return s->ended;
    if (s->is_reading || (!s->last && !way.may_begin(*s))) co_return errc::misuse;

    const typename state::raised reading(*s, s->is_reading);
    byte_span                    read{};
    for (bool has_read = false;;) {
        if (s->ended) co_return s->ended;
        if (!s->last) {
            s->take_unseen();
            const event e = has_read ? way.receive(*s, read) : way.receive(*s);
            has_read      = false;
            if (e.type == event_type::pong) s->beat.received(e, s->stream.now());
            if (e.type == event_type::close || e.type == event_type::failed) {
                s->begin_end(e);
                continue;
            }
            s->kick();
            if (e.is_message() && way.is_complete(e)) co_return way.deliver(*s, e);
            if (e) continue;
            if (s->ended) continue;
        }
        if (s->last || s->is_listening) {   // another task reads from the stream, until the transport's end or once
            const typename state::waiter here(*s);
            co_await s->moved.wait_until(instant::never());
            if (!here.was_notified()) co_return std::make_error_code(std::errc::operation_canceled);
            continue;
        }
        byte_span place = way.place(*s);
        if (place.empty()) place = s->input.data();
        const typename state::raised listening(*s, s->is_listening);
        const auto                   got = co_await s->stream.read_some(place);
        if (s->last) {
            s->saw_end = s->saw_end || !got || *got == 0;   // what comes behind the last event is dropped
        } else if (!got) {
            if (got.error() == std::errc::operation_canceled) co_return s->ended ? s->ended : got.error();
            s->end(got.error());
        } else if (*got == 0) {
            s->end(errc::truncated);
        } else {
            s->beat.bytes_read(s->stream.now());
            read     = place.first(*got);
            has_read = true;
        }
    }
}

template <role R, async_stream S>
typename S::template task<std::error_code> close(share<async_connection_state<R, S>> s, close_code code, std::string_view reason) {
    using state = async_connection_state<R, S>;
    if (!s) co_return errc::misuse;
    if (!s->ended) {
        const std::error_code refused = s->start_close(code, reason);
        if (refused && refused != errc::not_open) co_return refused;
    }
    while (!s->ended) {
        if (s->is_reading) {
            const typename state::waiter here(*s);
            co_await s->moved.wait_until(instant::never());
            if (!here.was_notified()) co_return std::make_error_code(std::errc::operation_canceled);
            continue;
        }
        s->discards    = true;
        const auto got = co_await read_with(s, no_message{});
        if (!s->ended) co_return got.error();
    }
    co_return s->ended == errc::closed ? std::error_code{} : s->ended;
}

} // namespace navette::detail
