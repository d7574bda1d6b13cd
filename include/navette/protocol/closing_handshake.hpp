// The closing handshake as data (RFC 6455, 1.4, 5.5.1 and 7.1): which states an open connection passes until its end,
// and what the driver does with the transport in each. Knows no frames.
#pragma once

#include <navette/base/role.hpp>

#include <cstddef>
#include <cstdint>

namespace navette {

/// Where a connection stands; OPEN, CLOSING (the next three) and CLOSED of RFC 6455, 4.1 and 7.1.
enum class connection_state : std::uint8_t {
    open,        ///< messages go both ways
    close_sent,  ///< our Close was sent, the peer's has not come; what comes before it is still delivered
    close_done,  ///< both Closes were exchanged; nothing more is parsed
    failed,      ///< this side failed the connection; nothing more is parsed
    closed,      ///< the transport has ended
};
inline constexpr std::size_t connection_state_count = 5;

/// What can happen to that state.
enum class closing_input : std::uint8_t { close_sent, close_received, failure, end_of_transport };
inline constexpr std::size_t closing_input_count = 4;

/// What follows from an input.
struct closing_step {
    connection_state next;
    bool             send_close = false;  ///< a Close frame is owed: the echo of the peer's, or the failure's
    bool             truncated  = false;  ///< the end came before the closing handshake was complete: 1006 (7.1.5)
    bool             allowed    = true;   ///< false: the input cannot happen, or the call is refused
};

namespace detail {

using enum connection_state;
inline constexpr closing_step impossible(connection_state stay) { return {stay, false, false, false}; }

//   our close() | the peer's Close | a failure (7.1.7) | the transport's end
inline constexpr closing_step closing_table[connection_state_count][closing_input_count] = {
    /* open       */ {{close_sent, true}, {close_done, true}, {failed, true}, {closed, false, true}},
    /* close_sent */ {impossible(close_sent), {close_done}, {failed}, {closed, false, true}},
    /* close_done */ {impossible(close_done), impossible(close_done), impossible(close_done), {closed}},
    /* failed     */ {impossible(failed), impossible(failed), impossible(failed), {closed}},
    /* closed     */ {impossible(closed), impossible(closed), impossible(closed), {closed}},
};

} // namespace detail

/// What `input` does in `state`.
constexpr const closing_step& closing_step_for(connection_state state, closing_input input) noexcept {
    return detail::closing_table[static_cast<std::size_t>(state)][static_cast<std::size_t>(input)];
}

/// Whether frames are still parsed: in `open` and `close_sent`.
constexpr bool receives(connection_state state) noexcept {
    return state == connection_state::open || state == connection_state::close_sent;
}

/// What the driver does with the transport once the output is written.
enum class transport_action : std::uint8_t {
    keep,            ///< go on reading and writing; a client whose closing handshake is complete waits for the server's end
    shutdown_write,  ///< end the writing side, then read and discard until the end of the stream or the close deadline
    close,           ///< close it
};

/// The server ends the transport first, a client waits for that (RFC 6455, 7.1.1); who failed does not wait (7.1.7).
constexpr transport_action transport_action_for(connection_state state, role r) noexcept {
    switch (state) {
    case connection_state::open:
    case connection_state::close_sent: return transport_action::keep;
    case connection_state::close_done:
        return r == role::server ? transport_action::shutdown_write : transport_action::keep;
    case connection_state::failed: return transport_action::shutdown_write;
    case connection_state::closed: break;
    }
    return transport_action::close;
}

static_assert([] {
    for (std::size_t s = 0; s < connection_state_count; ++s)
        for (std::size_t i = 0; i < closing_input_count; ++i) {
            const closing_step& step = detail::closing_table[s][i];
            if (step.send_close && s != 0) return false;
            if (static_cast<std::size_t>(step.next) < s) return false;
        }
    return true;
}(), "a Close frame is sent once, and no step leads back");

} // namespace navette
