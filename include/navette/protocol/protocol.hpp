// The sans-I/O heart: an open WebSocket connection, either role (RFC 6455, 5 to 7). Bytes in, events out; bytes that the
// peer must get are appended to a buffer of the caller's. No I/O, no clock, no allocation, no callback, no thread.
#pragma once

#include <navette/base/buffer.hpp>
#include <navette/base/config.hpp>
#include <navette/base/limits.hpp>
#include <navette/base/result.hpp>
#include <navette/base/role.hpp>
#include <navette/codec/entropy.hpp>
#include <navette/codec/utf8.hpp>
#include <navette/extension/agreement.hpp>
#include <navette/frame/frame_codec.hpp>
#include <navette/protocol/closing_handshake.hpp>
#include <navette/protocol/event.hpp>

namespace navette {

/// Whether the agreed extension transforms a message to be sent; ignored when none was agreed (RFC 7692, 8: who sends
/// secrets beside an attacker's data says never).
enum class compress : std::uint8_t {
    automatic,  ///< if it has at least the extension's threshold of bytes, or comes in fragments
    never,
    always,
};

/// A data message of which all came in one frame, as it lies there.
struct whole_message {
    opcode    type = opcode::continuation;  ///< text or binary; continuation: there is no such message
    byte_span payload{};

    explicit operator bool() const noexcept { return type != opcode::continuation; }
};

/// What both roles share; made as client_protocol or server_protocol. One thread at a time; movable.
class protocol_core {
    const limits*            limits_;
    const extension_factory* extension_;
    message_codec            codec_;  // made at the first transformed message, or at once if the extension says eager
    extension_parameters     parameters_;
    std::uint64_t            message_size_ = 0;  // of the message being received, as the limit counts it
    std::uint32_t            fragments_    = 0;
    utf8_validator           received_text_;
    utf8_validator           sent_text_;
    connection_state         state_ = connection_state::open;
    role                     role_ : 1;
    bool                     receiving_ : 1         = false;  // a message has begun and not ended
    bool                     codec_pending_ : 1     = false;  // the codec has more to say of the input it took
    bool                     sending_ : 1           = false;  // a fragmented message has begun and not ended
    bool                     frame_open_ : 1        = false;
    bool                     answer_pings_ : 1      = true;
    std::uint8_t             unfinished_ : 2        = 0;      // bytes of the character that a text's pieces end within
    std::uint8_t             unfinished_lead_ : 6   = 0;      // and of each the lowest six bits
    bool                     receiving_text_ : 1    = false;
    bool                     receiving_coded_ : 1   = false;  // its payload goes through the codec
    std::uint8_t             unfinished_second_ : 6 = 0;
    bool                     first_piece_ : 1       = false;  // nothing of it was delivered yet
    bool                     fresh_context_ : 1     = false;  // our next transformed message may not refer to earlier ones
    std::uint8_t             unfinished_third_ : 6  = 0;
    bool                     sending_text_ : 1      = false;  // its fragments are validated
    bool                     sending_coded_ : 1     = false;
    frame_decoder_core       decoder_;

protected:
    protocol_core(role, const agreement&, const limits&) noexcept;
    protocol_core(protocol_core&&) noexcept            = default;
    protocol_core& operator=(protocol_core&&) noexcept = default;
    ~protocol_core()                                   = default;

    bool take_whole_message(role, byte_span& in, const buffer& out, event&) noexcept;

    // Inline as far as it is short, so that a loop over small frames keeps `in` and the event in registers.
    NAVETTE_ALWAYS_INLINE event receive_as(role receiver, byte_span& in, buffer& out) noexcept {
        event e;
        if (take_whole_message(receiver, in, out, e)) [[likely]] return e;
        byte_span rest = in;
        e              = take_frames(rest, out);
        in             = rest;
        return e;
    }
    NAVETTE_ALWAYS_INLINE whole_message receive_whole_as(role receiver, byte_span& in, const buffer& out) noexcept {
        event e;
        if (!take_whole_message(receiver, in, out, e)) return {};
        return {e.type == event_type::text ? opcode::text : opcode::binary, e.payload};
    }

public:
    /// Room that `out` must have for receive to work: the largest control frame, in bytes.
    static constexpr std::size_t reply_room = max_control_payload + 6;

    /// Takes the next event off the front of `in`, unmasking in place; `none` once `in` is used up, or, with `in` not
    /// empty, until `out` is drained. Replies owed to the peer are appended to `out`: send them before reading again.
    /// A payload lies in `in`, in the codec's window or in this object, and lives until the next receive or receive_eof,
    /// or until its memory moves. Bytes left in `in` are untouched. A client writes to no byte of `in`.
    /// Never throws on peer input; after `failed` or `close` whatever `in` holds is dropped (RFC 6455, 7.1.7).
    NAVETTE_ALWAYS_INLINE event receive(byte_span& in, buffer& out) noexcept { return receive_as(role_, in, out); }

    /// Only what receive does for most messages: takes one off the front of `in` if it lies there whole, in one frame of at
    /// most 64 KiB that no extension transformed, and `out` has room for a reply. Otherwise nothing changes: call receive.
    /// For loops that have a short way of their own; payload and `in` as with receive.
    NAVETTE_ALWAYS_INLINE whole_message receive_whole(byte_span& in, const buffer& out) noexcept {
        return receive_whole_as(role_, in, out);
    }

    /// The transport has ended: `failed` with `errc::truncated` and 1006 unless the closing handshake was complete or
    /// the connection had failed (RFC 6455, 7.1.5). Appends nothing.
    event receive_eof(buffer& out) noexcept;

    /// Appends a message, or a fragment of one: text or binary begins it, `opcode::continuation` goes on, `fin::yes` ends
    /// it. Text is validated, across fragments. Errors, with nothing appended and nothing changed: `not_open`,
    /// `frame_open`, `message_in_progress`, `unsendable_text`, `misuse` (a control opcode, or nothing to continue),
    /// `no_entropy`, `out_of_memory` (RFC 6455, 5.4 and 6.1). If the codec fails within a fragmented message, the peer
    /// cannot read on: the connection fails too.
    [[nodiscard]] errc send(opcode, const_byte_span payload, fin, buffer& out,
                            compress = compress::automatic) noexcept;
    [[nodiscard]] errc send(opcode op, std::string_view payload, fin final, buffer& out,
                            compress how = compress::automatic) noexcept {
        return send(op, as_bytes(payload), final, out, how);
    }

    /// Appends a Ping with at most 125 bytes of payload (RFC 6455, 5.5.2). Errors, with nothing appended: `not_open`,
    /// `frame_open`, `payload_too_long`, `no_entropy`, `out_of_memory`.
    [[nodiscard]] errc ping(const_byte_span payload, buffer& out) noexcept;

    /// Appends a Pong, which nobody need have asked for (RFC 6455, 5.5.3). Errors as ping's; also allowed after our Close.
    [[nodiscard]] errc pong(const_byte_span payload, buffer& out) noexcept;

    /// Begins the closing handshake (RFC 6455, 7.1.2): appends a Close. `close_code::none`: one without code and reason.
    /// The reason is UTF-8 of at most 123 bytes. A message being sent is abandoned. Errors, with nothing appended:
    /// `not_open`, `frame_open`, `unsendable_close_code`, `reason_too_long`, `unsendable_text`, `no_entropy`, `out_of_memory`.
    [[nodiscard]] errc close(close_code, std::string_view reason, buffer& out) noexcept;

    /// Fails the connection for a reason of the caller's, such as a deadline (RFC 6455, 7.1.7): appends a Close with
    /// to_close_code(why) if none was sent yet. Returns the event that says so; `none` if the connection was ending anyway.
    /// A failure without an error cannot be made: `errc{}` becomes `misuse`.
    event fail(errc why, buffer& out) noexcept;

    /// Appends the header of a frame of `length` bytes, for a gather write of a large payload. The driver writes `out`
    /// up to the mark's `before`, then the payload (a client's masked through the mark), then what came behind. Until
    /// end_frame, send, ping and close answer `frame_open`. Never transformed; text is not validated. Errors as send's,
    /// and `payload_too_long` above 2^63 - 1.
    [[nodiscard]] result<frame_mark> begin_frame(opcode, std::uint64_t length, fin, buffer& out) noexcept;
    void                             end_frame() noexcept { frame_open_ = false; }

    /// Bytes of the current plain data frame that have not come: read them straight into their place, then pass that
    /// place to receive as `in`, which delivers it where it lies. 0 between frames, for a transformed message, and once
    /// nothing is parsed any more.
    std::uint64_t payload_remaining() const noexcept {
        return receiving_coded_ || !receives(state_) ? 0 : decoder_.remaining();
    }

    connection_state state() const noexcept { return state_; }

    /// Of a connection that was failed, the bytes by which the peer broke the rule, at most 14, in this object: of a frame
    /// its header, of a text its first impossible character, of a Close its payload. Empty: it has not failed, or by the
    /// transport's end, the caller or for want of memory.
    const_byte_span broken_by() const noexcept { return receives(state_) ? const_byte_span{} : decoder_.broken_by(); }

    /// The limits that were given to the constructor.
    const limits& bounds() const noexcept { return *limits_; }

    /// What to do with the transport: keep while `out` holds anything, then as the closing handshake says (7.1.1).
    transport_action transport(const buffer& out) const noexcept {
        return out.empty() ? transport_action_for(state_, role_) : transport_action::keep;
    }

    /// Whether receive answers pings itself; by default it does.
    void answer_pings(bool automatically) noexcept { answer_pings_ = automatically; }

    /// Gives back what memory the extension can do without until the next message in each direction, for a connection
    /// that is quiet. It compresses its next message less well; a payload that was delivered may die.
    void release_when_idle() noexcept {
        if (codec_) codec_.release_idle();
    }

    /// The variant of a message prepared apart that this connection can take (extension_factory::variant), if any.
    const extension_factory* extension() const noexcept { return extension_; }
    std::uint8_t             extension_variant() const noexcept { return extension_->variant(parameters_, role_); }

    /// Asks to send a whole message that was prepared apart; the caller then sends its bytes. `transformed`: by the
    /// extension, so that the next message of this connection may not refer to earlier ones (RFC 7692, 7.1.1).
    /// Errors: `not_open`, `frame_open`, `message_in_progress`.
    [[nodiscard]] errc send_prepared(bool transformed) noexcept;

private:
    const entropy* key_source() const noexcept;
    rsv_bits       allowed_rsv() const noexcept { return extension_ == nullptr ? rsv_bits::none : extension_->rsv; }

    event take_frames(byte_span& in, buffer& out) noexcept;
    errc  begin_received_frame(const frame_header&) noexcept;
    event take_plain(byte_span& in, buffer& out) noexcept;
    event take_coded(byte_span& in, buffer& out) noexcept;
    event deliver(byte_span piece, bool ends, buffer& out) noexcept;
    event fail_by(errc why, const_byte_span bytes, buffer& out) noexcept;
    event fail_text(const_byte_span piece, std::size_t valid, buffer& out) noexcept;

    void        keep_unfinished(const_byte_span piece) noexcept;
    std::size_t unfinished(std::byte* character) const noexcept;

    event on_control(byte_span payload, buffer& out) noexcept;
    event on_ping(byte_span payload, buffer& out) noexcept;
    event on_close(byte_span payload, buffer& out) noexcept;
    errc  append_control(opcode, const_byte_span payload, buffer& out) const noexcept;

    errc check_send(opcode) const noexcept;
    void note_sent(opcode, fin, bool coded) noexcept;
    errc make_codec() noexcept;
    errc send_coded(frame_header, const_byte_span payload, buffer& out) noexcept;
};

// Most messages are one short frame that lies whole in the input: they need nothing of what is kept between calls, and
// break no rule. False: all is as it was, and whatever it is goes the long way.
NAVETTE_ALWAYS_INLINE bool protocol_core::take_whole_message(role receiver, byte_span& in, const buffer& out,
                                                             event& e) noexcept {
    if (!receives(state_) || (receiving_ | codec_pending_) || !decoder_.between_frames()) return false;
    if (!out.can_take(reply_room) || in.size() < 2) return false;
    std::byte* const  frame  = in.data();
    const bool        masked = receiver == role::server;
    const bool        text   = frame[0] == std::byte{0x81};                          // FIN, no reserved bit
    std::size_t       length = static_cast<std::size_t>(frame[1]) ^ (masked ? 0x80 : 0);
    std::size_t       header = masked ? 6 : 2;
    if (!text && frame[0] != std::byte{0x82}) return false;
    if (length > max_control_payload) {
        if (length != 126 || in.size() < 4) return false;
        length = load_be16(frame + 2);
        header += 2;
        if (length <= max_control_payload) return false;
    }
    if (in.size() < header + length || length > limits_->max_message_size || limits_->max_fragments == 0) return false;

    const byte_span payload(frame + header, length);
    masking_key     key{};
    if (masked) std::memcpy(key.data(), payload.data() - key.size(), key.size());
    if (text) {
        utf8_validator    checked;
        const std::size_t valid = masked ? unmask_and_feed(payload, key, 0, checked) : checked.feed(payload);
        if (valid != length || !checked.complete()) {
            if (masked) apply_mask(payload, key);  // the long way fails the connection
            return false;
        }
    } else if (masked) {
        apply_mask(payload, key);
    }
    in = byte_span(frame + header + length, in.size() - header - length);
    // Each for itself: a whole event that is made in one place and copied to another costs as much as the frame.
    e.type    = text ? event_type::text : event_type::binary;
    e.first   = true;
    e.last    = true;
    e.payload = payload;
    return true;
}

/// An open connection in role `R`, made from what the opening handshake agreed. `limits` is borrowed and outlives it.
///
///     server_protocol ws{*agreed, limits};
///     while (event e = ws.receive(in, out))                          // in: what the transport read
///         if (e.is_message() && ws.send(opcode::binary, e.payload, fin::yes, out) != errc{}) break;
///     transport_write(out);
template <role R>
class protocol;

template <>
class protocol<role::server> : public protocol_core {
public:
    explicit protocol(const agreement& agreed = {}, const limits& bounds = default_limits, entropy = {}) noexcept
        : protocol_core(role::server, agreed, bounds) {}
    protocol(const agreement&, const limits&&, entropy = {}) = delete;

    NAVETTE_ALWAYS_INLINE event receive(byte_span& in, buffer& out) noexcept { return receive_as(role::server, in, out); }
    NAVETTE_ALWAYS_INLINE whole_message receive_whole(byte_span& in, const buffer& out) noexcept {
        return receive_whole_as(role::server, in, out);
    }
};

/// A client's draws a masking key from `source` for each frame that it sends (RFC 6455, 5.3).
template <>
class protocol<role::client> : public protocol_core {
    friend class protocol_core;  // which keeps to one body for both roles
    entropy source_;

public:
    explicit protocol(const agreement& agreed = {}, const limits& bounds = default_limits, entropy source = {}) noexcept
        : protocol_core(role::client, agreed, bounds), source_(source) {}
    protocol(const agreement&, const limits&&, entropy = {}) = delete;

    NAVETTE_ALWAYS_INLINE event receive(byte_span& in, buffer& out) noexcept { return receive_as(role::client, in, out); }
    NAVETTE_ALWAYS_INLINE whole_message receive_whole(byte_span& in, const buffer& out) noexcept {
        return receive_whole_as(role::client, in, out);
    }
};

using client_protocol = protocol<role::client>;
using server_protocol = protocol<role::server>;

static_assert(sizeof(server_protocol) <= 192 && sizeof(client_protocol) <= 208);

} // namespace navette

#if !defined(NAVETTE_SEPARATE_COMPILATION)
#  include <navette/protocol/protocol.ipp>
#endif
