// Frames from bytes and bytes from frames, both roles (RFC 6455, 5.2 and 5.3): in place, resumable at every byte, with
// every rule that a single frame can break. Usable alone; messages, closing and limits are the protocol's.
#pragma once

#include <navette/base/buffer.hpp>
#include <navette/base/bytes.hpp>
#include <navette/base/result.hpp>
#include <navette/base/role.hpp>
#include <navette/codec/entropy.hpp>
#include <navette/frame/frame_header.hpp>

#include <cstring>

namespace navette {

/// A piece of a data frame's payload as it came, still masked with `key`.
struct masked_piece {
    byte_span   payload{};
    masking_key key{};
};

/// What both roles' decoders have in common, in two steps: the header, then the payload, so that a caller can refuse
/// a frame by its header before it touches a byte of its payload.
class frame_decoder_core {
    // Invariant: while header_ is the phase, storage_ holds the first held_ bytes of a header; in a control frame, the
    // first held_ bytes of its payload, unmasked; in a data frame, the count of payload bytes still to come. Once a rule is
    // broken, the held_ bytes that broke it.
    enum class phase : std::uint8_t { header, control, data };

    masking_key  key_{};
    std::uint8_t first_byte_     = 0;
    std::uint8_t control_length_ = 0;
    std::uint8_t held_           = 0;
    phase        phase_          = phase::header;
    std::byte    storage_[max_control_payload];

public:
    // storage_ is written before it is read, as held_ and phase_ say.
    frame_decoder_core() noexcept {}  // NOLINT(modernize-use-equals-default)

    bool     in_control_frame() const noexcept { return phase_ == phase::control; }
    bool     in_data_frame() const noexcept { return phase_ == phase::data; }
    bool     between_frames() const noexcept { return phase_ == phase::header && held_ == 0; }
    opcode   op() const noexcept { return static_cast<opcode>(first_byte_ & 0x0f); }
    fin      final() const noexcept { return static_cast<fin>((first_byte_ & 0x80) != 0); }
    rsv_bits rsv() const noexcept { return static_cast<rsv_bits>(first_byte_ & 0x70); }

    /// Bytes of the current data frame's payload that have not come yet.
    std::uint64_t remaining() const noexcept {
        std::uint64_t n = 0;
        if (phase_ == phase::data) std::memcpy(&n, storage_, sizeof n);
        return n;
    }

    /// Takes a header off the front of `in`; a part of one is kept, and `size` is 0. Precondition: in no frame.
    /// Errors: parse_header's, `unmasked_client_frame`, `masked_server_frame`, `reserved_bits`.
    parsed_header header(byte_span& in, role receiver, rsv_bits allowed) noexcept {
        parsed_header parsed = held_ == 0 ? parse_header(in) : parse_held(in);
        if (parsed.error != errc{}) {
            hold_most(in);
            return parsed;
        }
        if (parsed.size == 0) {
            hold(in);
            return parsed;
        }
        in    = in.subspan(parsed.size - held_);
        held_ = 0;

        const frame_header& h = parsed.header;
        if (parsed.error = check(h, receiver, allowed); parsed.error != errc{}) {
            held_ = static_cast<std::uint8_t>(write_header(h, storage_));
            return parsed;
        }
        first_byte_ = static_cast<std::uint8_t>((h.final == fin::yes ? 0x80u : 0u) | static_cast<unsigned>(h.rsv) |
                                                static_cast<unsigned>(h.op));
        key_        = h.key;
        if (is_control(h.op)) {
            phase_          = phase::control;
            control_length_ = static_cast<std::uint8_t>(h.payload_length);
        } else {
            phase_ = phase::data;
            set_remaining(h.payload_length);
        }
        return parsed;
    }

    /// Keeps what broke a rule, at most 14 bytes, in this decoder, which decodes no more; see broken_by.
    void break_by(const_byte_span bytes) noexcept {
        held_ = 0;
        hold_most(bytes);
    }

    /// Once header() has failed, the bytes of that header as far as they came, if it cannot be read maybe with some that
    /// follow; else what break_by was given.
    const_byte_span broken_by() const noexcept { return {storage_, std::size_t{held_}}; }
    byte_span       broken_by() noexcept { return {storage_, std::size_t{held_}}; }

    /// Takes what `in` has of the data frame's payload. Precondition: in_data_frame(). The frame has ended when
    /// in_data_frame() is false afterwards.
    masked_piece payload(byte_span& in) noexcept {
        const std::uint64_t left = remaining();
        const std::size_t   n    = left < in.size() ? static_cast<std::size_t>(left) : in.size();
        const masked_piece  piece{in.first(n), key_};
        in   = in.subspan(n);
        key_ = rotate(key_, n);
        set_remaining(left - n);
        if (left == n) phase_ = phase::header;
        return piece;
    }

    /// Gives back the last `n` bytes of the piece that payload() returned, untouched. Precondition: they came from it.
    void unread(byte_span& in, std::size_t n) noexcept {
        if (n == 0) return;
        in   = {in.data() - n, in.size() + n};
        key_ = rotate(key_, 4 - n % 4);
        set_remaining((phase_ == phase::data ? remaining() : 0) + n);
        phase_ = phase::data;
    }

    /// Takes what `in` has of the control frame's payload; true once it is whole, unmasked, in `whole`: a view into `in`,
    /// or, if it came in pieces, into this decoder until its next call. Precondition: in_control_frame().
    bool control(byte_span& in, role receiver, byte_span& whole) noexcept {
        const std::size_t left  = static_cast<std::size_t>(control_length_) - held_;
        const std::size_t n     = left < in.size() ? left : in.size();
        const byte_span   piece = in.first(n);
        in                      = in.subspan(n);
        if (held_ == 0 && n == left) {
            if (receiver == role::server) apply_mask(piece, key_);
            whole = piece;
        } else {
            const byte_span place(storage_ + held_, n);
            copy_piece(place, piece, receiver);
            held_ = static_cast<std::uint8_t>(held_ + n);
            if (n < left) return false;
            whole = byte_span(storage_, std::size_t{held_});
        }
        held_  = 0;
        phase_ = phase::header;
        return true;
    }

private:
    static constexpr errc check(const frame_header& h, role receiver, rsv_bits allowed) noexcept {
        if (receiver == role::server && !h.masked) return errc::unmasked_client_frame;             // 5.1
        if (receiver == role::client && h.masked) return errc::masked_server_frame;                // 5.1
        if (h.rsv == rsv_bits::none) return {};
        const bool may_be_marked = h.op == opcode::text || h.op == opcode::binary;                 // RFC 7692, 6
        if (!may_be_marked || (h.rsv & allowed) != h.rsv) return errc::reserved_bits;              // 5.2
        return {};
    }

    void set_remaining(std::uint64_t n) noexcept { std::memcpy(storage_, &n, sizeof n); }

    // The header that begins with what is held; `in` is not advanced.
    parsed_header parse_held(const_byte_span in) const noexcept {
        std::byte         glued[frame_header::max_size];
        const std::size_t more = lesser(in.size(), frame_header::max_size - held_);
        std::memcpy(glued, storage_, held_);
        if (more != 0) std::memcpy(glued + held_, in.data(), more);
        return parse_header({glued, held_ + more});
    }

    // Behind what is held, as much as a header may have. The bytes may be of storage_.
    void hold_most(const_byte_span bytes) noexcept {
        const std::size_t n = lesser(bytes.size(), frame_header::max_size - held_);
        if (n != 0) std::memmove(storage_ + held_, bytes.data(), n);
        held_ = static_cast<std::uint8_t>(held_ + n);
    }

    void hold(byte_span& in) noexcept {
        if (!in.empty()) std::memcpy(storage_ + held_, in.data(), in.size());
        held_ = static_cast<std::uint8_t>(held_ + in.size());
        in    = {};
    }

    void copy_piece(byte_span place, const_byte_span piece, role receiver) const noexcept {
        if (receiver == role::server)
            copy_masked(place.data(), piece, key_, held_);
        else if (!piece.empty())
            std::memcpy(place.data(), piece.data(), piece.size());
    }
};

/// A piece of a frame, or nothing yet, or an error.
struct frame_piece {
    opcode        op        = opcode::continuation;
    fin           final     = fin::no;
    rsv_bits      rsv       = rsv_bits::none;
    bool          first     = false;  ///< the frame's first piece: its payload_length is payload.size() + remaining
    bool          last      = false;  ///< the frame's last piece
    byte_span     payload{};          ///< unmasked
    std::uint64_t remaining = 0;      ///< bytes of this frame's payload that are still to come
    errc          error{};

    explicit operator bool() const noexcept { return first || last || !payload.empty(); }
};

/// Decodes the frames that an endpoint in role `R` receives: a server unmasks them, a client demands that they are not
/// masked (RFC 6455, 5.1). Allocates nothing.
///
///     frame_decoder<role::server> frames;
///     while (auto piece = frames.receive(in))     // data as it comes, control frames whole
///         use(piece.op, piece.payload);
template <role R>
class frame_decoder {
    frame_decoder_core core_;
    rsv_bits           allowed_;
    errc               error_{};

public:
    /// `allowed`: the reserved bits that the first frame of a message may have set.
    explicit frame_decoder(rsv_bits allowed = rsv_bits::none) noexcept : allowed_(allowed) {}

    /// Takes the next piece off the front of `in`; false: feed more, or an error. A payload is a view into `in`, or into
    /// the decoder if it is a control frame's that came in pieces, until the next call. After an error every call
    /// returns that error, and `in` is emptied.
    frame_piece receive(byte_span& in) noexcept {
        bool first = false;
        if (error_ == errc{} && !core_.in_data_frame() && !core_.in_control_frame()) {
            const parsed_header parsed = core_.header(in, R, allowed_);
            error_ = parsed.error;
            if (error_ == errc{} && parsed.size == 0) return {};
            first = true;
        }
        if (error_ != errc{}) {
            in = {};
            return {.error = error_};
        }
        frame_piece piece{.op = core_.op(), .final = core_.final(), .rsv = core_.rsv()};
        if (core_.in_control_frame()) {
            if (!core_.control(in, R, piece.payload)) return {};
            piece.first = piece.last = true;
            return piece;
        }
        const masked_piece masked = core_.payload(in);
        if constexpr (R == role::server) apply_mask(masked.payload, masked.key);
        piece.payload   = masked.payload;
        piece.first     = first;
        piece.last      = !core_.in_data_frame();
        piece.remaining = core_.remaining();
        return piece;
    }

    /// Whether the transport may end here: no frame has begun that is not whole. Means nothing after an error.
    bool between_frames() const noexcept { return core_.between_frames(); }
};

/// A frame whose header is written and whose payload the caller writes.
class frame_mark {
    masking_key key_{};
    bool        masked_ = false;

public:
    /// Bytes of the output that stand before the payload's place.
    std::size_t before = 0;

    /// Of no frame.
    frame_mark() noexcept = default;
    frame_mark(std::size_t place, const frame_header& h) noexcept : key_(h.key), masked_(h.masked), before(place) {}

    /// Masks the next piece of the payload in place if the frame is a client's (RFC 6455, 5.3), else leaves it. The
    /// pieces must be given once each and in order.
    void mask(byte_span piece) noexcept {
        if (!masked_) return;
        apply_mask(piece, key_);
        key_ = rotate(key_, piece.size());
    }
    bool masked() const noexcept { return masked_; }
};

/// Appends the frame's header to `out`; `source` null: not masked, else it gives the masking key, fresh for each frame
/// (RFC 6455, 5.3). Errors, with nothing appended: `no_entropy`, `out_of_memory`.
inline result<frame_mark> append_header(frame_header h, const entropy* source, buffer& out) noexcept {
    h.masked = source != nullptr;
    if (h.masked && !(*source)(h.key)) return errc::no_entropy;
    const byte_span place = out.grow(header_size(h.payload_length, h.masked));
    if (place.empty()) return errc::out_of_memory;
    write_header(h, place.data());
    return frame_mark(out.size(), h);
}

/// Appends a whole frame to `out`; h.payload_length is taken from `payload`, which must not lie in `out`. Errors as
/// append_header's.
inline errc append_frame(frame_header h, const_byte_span payload, const entropy* source, buffer& out) noexcept {
    h.payload_length = payload.size();
    h.masked         = source != nullptr;
    if (h.masked && !(*source)(h.key)) return errc::no_entropy;
    const byte_span place = out.grow(header_size(h.payload_length, h.masked) + payload.size());
    if (place.empty()) return errc::out_of_memory;
    std::byte* const body = place.data() + write_header(h, place.data());
    if (h.masked)
        copy_masked(body, payload, h.key);
    else if (!payload.empty())
        std::memcpy(body, payload.data(), payload.size());
    return {};
}

/// Encodes the frames that an endpoint in role `R` sends: a client masks each with a fresh key (RFC 6455, 5.1). Opcode,
/// FIN and reserved bits are written as they are given; mask and length are the encoder's.
template <role R>
class frame_encoder;

template <>
class frame_encoder<role::client> {
    entropy entropy_;

public:
    explicit frame_encoder(entropy source = {}) noexcept : entropy_(source) {}

    /// Appends a whole frame to `out`. Errors, with nothing appended: `no_entropy`, `out_of_memory`.
    errc append(const frame_header& h, const_byte_span payload, buffer& out) const noexcept {
        return append_frame(h, payload, &entropy_, out);
    }
    /// Appends the header alone: h.payload_length bytes of payload are to follow, masked through the mark.
    result<frame_mark> begin(const frame_header& h, buffer& out) const noexcept { return append_header(h, &entropy_, out); }
};

template <>
class frame_encoder<role::server> {
public:
    /// Appends a whole frame to `out`. Error, with nothing appended: `out_of_memory`.
    errc append(const frame_header& h, const_byte_span payload, buffer& out) const noexcept {
        return append_frame(h, payload, nullptr, out);
    }
    /// Appends the header alone: h.payload_length bytes of payload are to follow.
    result<frame_mark> begin(const frame_header& h, buffer& out) const noexcept { return append_header(h, nullptr, out); }
};

} // namespace navette
