// Bodies of protocol.hpp.
// Receiving first, then control frames and failure, then sending.
#pragma once

#include <navette/protocol/protocol.hpp>

namespace navette {

namespace detail {

// Of a text whose byte at `valid` is impossible, or which ends there too early: the character from its first byte, and that
// byte.
inline const_byte_span impossible_text(const_byte_span text, std::size_t valid) noexcept {
    const std::size_t begin = last_lead(text.data(), valid);
    return text.subspan(begin, lesser(text.size(), valid + 1) - begin);
}

} // namespace detail

NAVETTE_INLINE protocol_core::protocol_core(role r, const agreement& agreed, const limits& bounds) noexcept
    : limits_(&bounds), extension_(agreed.extension), parameters_(agreed.parameters), role_(r) {
    // If that fails it is tried again at the first transformed message, where the error has a place to go.
    if (extension_ != nullptr && extension_->eager) static_cast<void>(make_codec());
}

NAVETTE_INLINE const entropy* protocol_core::key_source() const noexcept {
    return role_ == role::client ? &static_cast<const client_protocol*>(this)->source_ : nullptr;
}

NAVETTE_INLINE event protocol_core::take_frames(byte_span& in, buffer& out) noexcept {
    if (!receives(state_)) {
        in = {};
        return {};
    }
    if (!out.can_take(reply_room)) return out.capacity() < reply_room ? fail(errc::out_of_memory, out) : event{};
    for (;;) {
        event e;
        if (decoder_.in_control_frame()) {
            byte_span payload;
            return decoder_.control(in, role_, payload) ? on_control(payload, out) : event{};
        }
        if (codec_pending_ || (decoder_.in_data_frame() && receiving_coded_))
            e = take_coded(in, out);
        else if (decoder_.in_data_frame())
            e = take_plain(in, out);
        if (e) return e;
        if (decoder_.in_data_frame() || codec_pending_) {
            if (in.empty() && !codec_pending_) return {};
            continue;
        }
        if (in.empty()) return {};

        const parsed_header parsed = decoder_.header(in, role_, allowed_rsv());
        if (parsed.error != errc{}) return fail_by(parsed.error, decoder_.broken_by(), out);
        if (parsed.size == 0) return {};
        if (is_control(parsed.header.op)) continue;
        if (const errc refused = begin_received_frame(parsed.header); refused != errc{}) {
            std::byte header[frame_header::max_size];
            return fail_by(refused, {header, write_header(parsed.header, header)}, out);
        }
    }
}

NAVETTE_INLINE errc protocol_core::begin_received_frame(const frame_header& h) noexcept {
    if (h.op == opcode::continuation) {
        if (!receiving_) return errc::unexpected_continuation;                       // 5.4
    } else {
        if (receiving_) return errc::expected_continuation;                          // 5.4
        receiving_       = true;
        first_piece_     = true;
        receiving_text_  = h.op == opcode::text;
        receiving_coded_ = h.rsv != rsv_bits::none;
        message_size_    = 0;
        fragments_       = 0;
        received_text_.reset();
        unfinished_ = 0;
        if (receiving_coded_)
            if (const errc e = make_codec(); e != errc{}) return e;
    }
    if (fragments_ >= limits_->max_fragments) return errc::too_many_fragments;       // 10.4
    ++fragments_;
    if (receiving_coded_) return {};                                                 // counted as it is inflated
    if (h.payload_length > limits_->max_message_size - message_size_) return errc::message_too_big;  // 10.4
    message_size_ += h.payload_length;
    return {};
}

NAVETTE_INLINE event protocol_core::take_plain(byte_span& in, buffer& out) noexcept {
    const auto [piece, key] = decoder_.payload(in);
    if (receiving_text_) {
        const std::size_t valid = role_ == role::server ? unmask_and_feed(piece, key, 0, received_text_)
                                                        : received_text_.feed(piece);
        if (valid != piece.size()) return fail_text(piece, valid, out);              // 8.1
        keep_unfinished(piece);
    } else if (role_ == role::server) {
        apply_mask(piece, key);
    }
    return deliver(piece, !decoder_.in_data_frame() && decoder_.final() == fin::yes, out);
}

// The codec may stop within the piece, when its window is full. The rest stays in `in` as it came: masked.
NAVETTE_INLINE event protocol_core::take_coded(byte_span& in, buffer& out) noexcept {
    constexpr std::size_t piece_size = 4096;  // what may have to be masked again
    byte_span             front      = in.first(in.size() < piece_size ? in.size() : piece_size);
    masked_piece          piece;
    if (decoder_.in_data_frame()) piece = decoder_.payload(front);
    if (role_ == role::server) apply_mask(piece.payload, piece.key);

    const bool       ends = !decoder_.in_data_frame() && decoder_.final() == fin::yes;
    const codec_step step = codec_.inflate(piece.payload, ends);
    const byte_span  rest = piece.payload.subspan(step.consumed);
    if (role_ == role::server) apply_mask(rest, piece.key, step.consumed);
    in = in.subspan(piece.payload.size());
    decoder_.unread(in, rest.size());

    // The first byte that is wrong decides, not how much was inflated at once.
    const std::uint64_t room   = limits_->max_message_size - message_size_;
    const std::size_t   within = room < step.produced.size() ? static_cast<std::size_t>(room) : step.produced.size();
    message_size_ += within;
    if (receiving_text_)
        if (const std::size_t valid = received_text_.feed(step.produced.first(within)); valid != within)
            return fail_text(step.produced, valid, out);                             // 8.1, RFC 7692, 6.2
    keep_unfinished(step.produced.first(within));
    if (within != step.produced.size()) return fail(errc::message_too_big, out);     // 10.4, as inflated

    const bool stuck = !step.done && step.produced.empty() && step.consumed == 0;
    errc       wrong = step.error;
    if (wrong == errc{} && stuck && (codec_pending_ || !piece.payload.empty())) wrong = errc::invalid_compressed_data;
    if (wrong != errc{}) {
        if (role_ == role::server) apply_mask(rest, piece.key, step.consumed);
        return fail_by(wrong, rest, out);
    }
    codec_pending_ = !step.done && rest.empty();
    const bool last = ends && step.done && rest.empty();
    if (last) codec_.end_message();
    return deliver(step.produced, last, out);
}

// Keeps what of a character lies at the end of a text as far as it has come, so that it can be told if it is not finished.
NAVETTE_INLINE void protocol_core::keep_unfinished(const_byte_span piece) noexcept {
    if (received_text_.complete()) {
        unfinished_ = 0;
        return;
    }
    std::size_t i = detail::last_lead(piece.data(), piece.size());
    if (i != piece.size()) unfinished_ = 0;
    else i = 0;                                                                      // an earlier piece has begun it
    for (; i < piece.size(); ++i) {
        const auto byte = static_cast<std::uint8_t>(piece[i]);
        if (unfinished_ == 0) unfinished_lead_ = byte & 0x3f;
        if (unfinished_ == 1) unfinished_second_ = byte & 0x3f;
        if (unfinished_ == 2) unfinished_third_ = byte & 0x3f;
        unfinished_ = (unfinished_ + 1) & 3;
    }
}

// Writes what was kept to `character`, and returns how many bytes that are: at most 3.
NAVETTE_INLINE std::size_t protocol_core::unfinished(std::byte* character) const noexcept {
    character[0] = static_cast<std::byte>(0xc0 | unfinished_lead_);
    character[1] = static_cast<std::byte>(0x80 | unfinished_second_);
    character[2] = static_cast<std::byte>(0x80 | unfinished_third_);
    return unfinished_;
}

// The byte at `valid` of a piece of a text is impossible, perhaps in a character that an earlier piece has begun.
NAVETTE_INLINE event protocol_core::fail_text(const_byte_span piece, std::size_t valid, buffer& out) noexcept {
    std::byte         joined[8];
    const std::size_t before = valid < 4 ? unfinished(joined) : 0;
    if (before == 0) return fail_by(errc::invalid_utf8, detail::impossible_text(piece, valid), out);
    std::memcpy(joined + before, piece.data(), valid + 1);
    return fail_by(errc::invalid_utf8, detail::impossible_text({joined, before + valid + 1}, before + valid), out);
}

NAVETTE_INLINE event protocol_core::deliver(byte_span piece, bool ends, buffer& out) noexcept {
    if (ends) {
        if (receiving_text_ && !received_text_.complete()) {                         // 8.1
            std::byte         character[3];
            const std::size_t size = unfinished(character);
            return fail_by(errc::invalid_utf8, {character, size}, out);
        }
        receiving_       = false;
        receiving_coded_ = false;
    } else if (piece.empty()) {
        return {};
    }
    const bool first = first_piece_;
    first_piece_     = false;
    return {.type    = receiving_text_ ? event_type::text : event_type::binary,
            .first   = first,
            .last    = ends,
            .payload = piece};
}

NAVETTE_INLINE event protocol_core::on_control(byte_span payload, buffer& out) noexcept {
    switch (decoder_.op()) {
    case opcode::close: return on_close(payload, out);
    case opcode::ping:  return on_ping(payload, out);
    default:            return {.type = event_type::pong, .payload = payload};
    }
}

NAVETTE_INLINE event protocol_core::on_ping(byte_span payload, buffer& out) noexcept {
    if (answer_pings_) {
        // 5.5.3: of several pings only the latest need be answered; above the bound that keeps memory constant.
        if (out.size() > limits_->max_pongs) out.shrink(out.pong_size());
        const std::size_t before = out.size();
        if (const errc e = append_control(opcode::pong, payload, out); e != errc{}) return fail(e, out);
        out.mark_pong(out.size() - before);
    }
    return {.type = event_type::ping, .payload = payload};
}

NAVETTE_INLINE event protocol_core::on_close(byte_span payload, buffer& out) noexcept {
    if (payload.size() == 1) return fail_by(errc::invalid_close_payload, payload, out); // 5.5.1
    close_code code = close_code::no_status_received;                                // 7.1.5
    byte_span  reason;
    if (!payload.empty()) {
        code   = static_cast<close_code>(load_be16(payload.data()));
        reason = payload.subspan(2);
        if (!is_receivable(code)) return fail_by(errc::invalid_close_code, payload, out); // 7.4
        utf8_validator    text;
        const std::size_t valid = text.feed(reason);
        if (valid != reason.size() || !text.complete())                              // 5.5.1
            return fail_by(errc::invalid_utf8, detail::impossible_text(reason, valid), out);
    }
    const closing_step& step = closing_step_for(state_, closing_input::close_received);
    if (step.send_close) {
        std::byte         echo[2];
        const std::size_t size   = payload.empty() ? 0 : sizeof echo;
        const auto        echoed = is_sendable(code, role_) ? code : close_code::normal;   // 1010 is the client's alone
        store_be16(echo, static_cast<std::uint16_t>(echoed));
        const errc e = append_control(opcode::close, const_byte_span(echo, size), out);
        if (e != errc{}) return fail(e, out);
    }
    state_ = step.next;
    return {.type = event_type::close, .payload = reason, .code = code};
}

NAVETTE_INLINE event protocol_core::receive_eof(buffer&) noexcept {
    const closing_step& step = closing_step_for(state_, closing_input::end_of_transport);
    state_                   = step.next;
    if (!step.truncated) return {};
    decoder_.break_by({});
    return {.type = event_type::failed, .code = close_code::abnormal_closure, .error = errc::truncated};
}

NAVETTE_INLINE event protocol_core::fail(errc why, buffer& out) noexcept {
    const closing_step& step = closing_step_for(state_, closing_input::failure);
    if (!step.allowed) return {};
    if (why == errc{}) why = errc::misuse;
    decoder_.break_by({});
    state_                = step.next;
    const close_code code = to_close_code(why);
    if (step.send_close && is_sendable(code, role_)) {
        std::byte payload[2];
        store_be16(payload, static_cast<std::uint16_t>(code));
        // Without room or entropy for it the connection ends without a Close, which 7.1.7 allows.
        static_cast<void>(append_control(opcode::close, payload, out));
    }
    return {.type = event_type::failed, .code = code, .error = why};
}

NAVETTE_INLINE event protocol_core::fail_by(errc why, const_byte_span bytes, buffer& out) noexcept {
    event e = fail(why, out);
    if (facts(why).whose != blame::environment) decoder_.break_by(bytes);
    e.payload = decoder_.broken_by();
    return e;
}

NAVETTE_INLINE errc protocol_core::append_control(opcode op, const_byte_span payload, buffer& out) const noexcept {
    return append_frame({.op = op}, payload, key_source(), out);
}

NAVETTE_INLINE errc protocol_core::ping(const_byte_span payload, buffer& out) noexcept {
    if (state_ != connection_state::open) return errc::not_open;
    if (frame_open_) return errc::frame_open;
    if (payload.size() > max_control_payload) return errc::payload_too_long;         // 5.5
    return append_control(opcode::ping, payload, out);
}

NAVETTE_INLINE errc protocol_core::pong(const_byte_span payload, buffer& out) noexcept {
    if (!receives(state_)) return errc::not_open;
    if (frame_open_) return errc::frame_open;
    if (payload.size() > max_control_payload) return errc::payload_too_long;         // 5.5
    return append_control(opcode::pong, payload, out);
}

NAVETTE_INLINE errc protocol_core::close(close_code code, std::string_view reason, buffer& out) noexcept {
    const closing_step& step = closing_step_for(state_, closing_input::close_sent);
    if (!step.allowed) return errc::not_open;
    if (frame_open_) return errc::frame_open;
    const bool empty = code == close_code::none && reason.empty();
    if (!empty && !is_sendable(code, role_)) return errc::unsendable_close_code;     // 7.4
    if (reason.size() > max_control_payload - 2) return errc::reason_too_long;       // 5.5
    if (!is_valid_utf8(as_bytes(reason))) return errc::unsendable_text;              // 5.5.1

    std::byte payload[max_control_payload];
    store_be16(payload, static_cast<std::uint16_t>(code));
    if (!reason.empty()) std::memcpy(payload + 2, reason.data(), reason.size());
    const errc e = append_control(opcode::close, const_byte_span(payload, empty ? 0 : 2 + reason.size()), out);
    if (e == errc{}) state_ = step.next;
    return e;
}

// Which messages may be begun or gone on with (5.4).
NAVETTE_INLINE errc protocol_core::check_send(opcode op) const noexcept {
    if (is_control(op) || is_reserved(op)) return errc::misuse;
    if (state_ != connection_state::open) return errc::not_open;                     // 6.1
    if (frame_open_) return errc::frame_open;
    if (sending_ && op != opcode::continuation) return errc::message_in_progress;
    if (!sending_ && op == opcode::continuation) return errc::misuse;
    return {};
}

NAVETTE_INLINE void protocol_core::note_sent(opcode op, fin final, bool coded) noexcept {
    if (op != opcode::continuation) {
        sending_text_  = op == opcode::text;
        sending_coded_ = coded;
    }
    sending_ = final == fin::no;
}

NAVETTE_INLINE errc protocol_core::send(opcode op, const_byte_span payload, fin final, buffer& out,
                                        compress how) noexcept {
    if (const errc e = check_send(op); e != errc{}) return e;
    const bool     begins = op != opcode::continuation;
    utf8_validator text   = begins ? utf8_validator{} : sent_text_;
    if (begins ? op == opcode::text : sending_text_) {
        if (text.feed(payload) != payload.size()) return errc::unsendable_text;      // 6.1
        if (final == fin::yes && !text.complete()) return errc::unsendable_text;
    }
    bool coded = sending_coded_;
    if (begins)
        coded = extension_ != nullptr &&
                (how == compress::always ||
                 (how == compress::automatic && (final == fin::no || payload.size() >= extension_->threshold)));

    const frame_header h{.op = op, .final = final, .rsv = coded && begins ? allowed_rsv() : rsv_bits::none};
    const errc e = coded ? send_coded(h, payload, out) : append_frame(h, payload, key_source(), out);
    if (e != errc{}) return e;
    sent_text_ = text;
    note_sent(op, final, coded);
    return {};
}

NAVETTE_INLINE errc protocol_core::make_codec() noexcept {
    return codec_ ? errc{} : extension_->make(extension_->self, parameters_, role_, codec_);
}

// The length is known only behind the last byte: the payload is appended first, behind room for the header that it
// would have if the codec saved nothing, and moved if that guess was wrong.
NAVETTE_INLINE errc protocol_core::send_coded(frame_header h, const_byte_span payload, buffer& out) noexcept {
    if (const errc e = make_codec(); e != errc{}) return e;
    const entropy* const source = key_source();
    h.masked                    = source != nullptr;
    if (h.masked && !(*source)(h.key)) return errc::no_entropy;
    if (fresh_context_ && h.op != opcode::continuation) {
        codec_.reset_deflate();
        fresh_context_ = false;
    }

    const std::size_t start   = out.size();
    const std::size_t guessed = header_size(payload.size(), h.masked);
    const auto        undo    = [&](errc e) {
        out.shrink(out.size() - start);
        codec_.reset_deflate();  // what it said of this message was not sent
        if (h.op == opcode::continuation) fail(e, out);
        return e;
    };
    if (out.grow(guessed).empty()) return undo(errc::out_of_memory);
    if (const errc e = codec_.deflate(payload, h.final == fin::yes, out); e != errc{}) return undo(e);

    h.payload_length         = out.size() - start - guessed;
    const std::size_t header = header_size(h.payload_length, h.masked);
    const std::size_t length = out.size() - start - guessed;
    if (header > guessed && out.grow(header - guessed).empty()) return undo(errc::out_of_memory);
    const byte_span frame = out.data().subspan(start);
    if (header != guessed) std::memmove(frame.data() + header, frame.data() + guessed, length);
    if (header < guessed) out.shrink(guessed - header);
    write_header(h, frame.data());
    if (h.masked) apply_mask(frame.subspan(header, length), h.key);
    return {};
}

NAVETTE_INLINE result<frame_mark> protocol_core::begin_frame(opcode op, std::uint64_t length, fin final,
                                                             buffer& out) noexcept {
    if (const errc e = check_send(op); e != errc{}) return e;
    if (op == opcode::continuation && sending_coded_) return errc::misuse;
    if (length >> 63 != 0) return errc::payload_too_long;                            // 5.2
    const result<frame_mark> mark =
        append_header({.op = op, .final = final, .payload_length = length}, key_source(), out);
    if (!mark) return mark;
    note_sent(op, final, false);
    sending_text_ = false;  // a fragment that nobody read: the rest cannot be validated either
    frame_open_   = true;
    return mark;
}

NAVETTE_INLINE errc protocol_core::send_prepared(bool transformed) noexcept {
    if (const errc e = check_send(opcode::binary); e != errc{}) return e;
    if (transformed) fresh_context_ = true;
    return {};
}

} // namespace navette
