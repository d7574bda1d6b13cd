// Frames (RFC 6455, 5.2 and 5.3): the decoder of one role against a reader that goes through the frame's fields one
// after the other, whole, cut anywhere and with bytes given back; and every frame that was read, written again.
#pragma once

#include "bodies/fuzz.hpp"

#include <navette/frame/frame_codec.hpp>

namespace fuzz {

// A frame is written down as its first byte and its length, its payload, and an end; an error by its name's number.
inline void note_header(transcript& log, unsigned first_byte, std::uint64_t length) {
    log.add('F');
    log.add(first_byte);
    log.add(length);
}

/// Reads whole frames, and parts of data frames, as the RFC's figure shows them.
inline errc frames_by_the_figure(const_byte_span wire, role receiver, unsigned allowed_rsv, transcript& log) {
    for (std::size_t at = 0; at < wire.size();) {
        const auto has  = [&](std::size_t n) { return wire.size() - at >= n; };
        const auto byte = [&](std::size_t i) { return std::to_integer<unsigned>(wire[at + i]); };
        const unsigned first = byte(0), op = first % 16;
        if ((op > 2 && op < 8) || op > 10) return errc::reserved_opcode;
        if (op >= 8 && first < 128) return errc::fragmented_control;
        if (!has(2)) return {};
        const bool    masked = byte(1) >= 128;
        std::uint64_t length = byte(1) % 128;
        if (op >= 8 && length > 125) return errc::control_too_long;
        std::size_t size = 2;
        if (length >= 126) {
            const std::size_t more = length == 126 ? 2 : 8;
            if (more == 8 && has(3) && byte(2) >= 128) return errc::length_overflow;
            if (!has(size + more)) return {};
            length = 0;
            for (; size < 2 + more; ++size) length = length * 256 + byte(size);
            if (length < (more == 2 ? 126u : 65'536u)) return errc::non_minimal_length;
        }
        const std::size_t key_at = size;
        if (masked) size += 4;
        if (!has(size)) return {};
        if (masked && receiver == role::client) return errc::masked_server_frame;
        if (!masked && receiver == role::server) return errc::unmasked_client_frame;
        const unsigned rsv = first & 0x70;
        if (rsv != 0 && ((op != 1 && op != 2) || (rsv & ~allowed_rsv) != 0)) return errc::reserved_bits;
        const bool is_whole = wire.size() - at - size >= length;
        if (!is_whole && op >= 8) return {};
        note_header(log, first, length);
        const std::size_t n = is_whole ? static_cast<std::size_t>(length) : wire.size() - at - size;
        for (std::size_t i = 0; i < n; ++i) {
            const std::byte b = wire[at + size + i] ^ (masked ? wire[at + key_at + i % 4] : std::byte{0});
            log.add(const_byte_span(&b, 1));
        }
        if (is_whole) log.add('E');
        at += size + n;
    }
    return {};
}

template <role R>
class frame_run {
    frame_decoder<R> frames_;
    transcript&      log_;

public:
    errc error{};
    frame_run(rsv_bits allowed, transcript& log) : frames_(allowed), log_(log) { log.clear(); }

    void take(byte_span piece) {
        byte_span in = piece;
        while (const frame_piece p = receive(in)) {
            if (p.first)
                note_header(
                    log_, static_cast<unsigned>(p.op) | static_cast<unsigned>(p.rsv) | (p.final == fin::yes) * 128u,
                    p.payload.size() + p.remaining);
            log_.add(p.payload);
            must(p.last == (p.remaining == 0), "a frame ends with its last byte");
            must(!p.last || !is_control(p.op) || p.first, "control frames come whole");
            if (p.last) log_.add('E');
        }
        must(in.empty(), "nothing is left that was not looked at");
    }

private:
    frame_piece receive(byte_span& in) {
        const frame_piece p = frames_.receive(in);
        must(error == errc{} || (p.error == error && in.empty() && !p),
             "after an error there is nothing but that error");
        error = p.error;
        return p;
    }
};

// The two steps of which the decoder is made, with half of each piece of a payload given back once.
template <role R>
errc frames_with_bytes_given_back(byte_span in, rsv_bits allowed, transcript& log) {
    frame_decoder_core core;
    log.clear();
    for (;;) {
        const parsed_header parsed = core.header(in, R, allowed);
        if (parsed.error != errc{} || parsed.size == 0) return parsed.error;
        if (core.in_control_frame()) {
            const std::size_t length = static_cast<std::size_t>(parsed.header.payload_length);
            byte_span         whole;
            if (!core.control(in, R, whole)) return {};
            must(whole.size() == length, "a control frame has the length that it says");
            note_header(log, static_cast<unsigned>(core.op()) | (core.final() == fin::yes) * 128u, length);
            log.add(whole);
            log.add('E');
            continue;
        }
        note_header(log,
                    static_cast<unsigned>(core.op()) | static_cast<unsigned>(core.rsv()) |
                        (core.final() == fin::yes) * 128u,
                    core.remaining());
        while (core.in_data_frame()) {
            const masked_piece all  = core.payload(in);
            const std::size_t  back = all.payload.size() / 2;
            core.unread(in, back);
            const masked_piece rest = core.payload(in);
            must(rest.payload.size() == back, "bytes that were given back come again");
            if (R == role::server) {
                apply_mask(all.payload.first(all.payload.size() - back), all.key);
                apply_mask(rest.payload, rest.key);
            }
            log.add(all.payload);
            if (core.in_data_frame()) return {};
        }
        log.add('E');
    }
}

inline transcript frames_wanted, frames_found, frames_again;
inline const place<8 * max_input> frames_place;

// Writes down of `log` what an encoder of the peer's makes of it, whole frames alone; 0: there were none.
template <role R>
std::size_t encode_again(transcript& log, buffer& out) {
    counted_keys        keys;
    const frame_encoder encoder = [&] {
        if constexpr (R == role::server) return frame_encoder<role::client>(keys.source());
        else return frame_encoder<role::server>();
    }();
    std::size_t     at = 0;
    const byte_span bytes = log.bytes();
    while (bytes.size() - at >= 24) {
        const unsigned      first  = static_cast<unsigned>(load_be64(&bytes[at + 8]));
        const std::uint64_t length = load_be64(&bytes[at + 16]);
        if (length > bytes.size() || bytes.size() - at < 24 + length + 8) break;
        const byte_span payload = bytes.subspan(at + 24, static_cast<std::size_t>(length));
        frame_header    h{.op = static_cast<opcode>(first % 16), .final = static_cast<fin>(first >= 128),
                          .rsv = static_cast<rsv_bits>(first & 0x70)};
        if (length % 2 == 0) {
            must(encoder.append(h, payload, out) == errc{}, "there is room for a frame");
        } else {
            h.payload_length = length;
            auto mark = encoder.begin(h, out);
            must(bool(mark) && mark->before == out.size() && mark->masked() == (R == role::server),
                 "a frame is begun");
            const byte_span place = out.grow(payload.size());
            std::memcpy(place.data(), payload.data(), payload.size());
            mark->mask(place.first(place.size() / 3));
            mark->mask(place.subspan(place.size() / 3));
        }
        at += 24 + payload.size() + 8;
    }
    return at;
}

template <role R>
bool decode_frames(input in) {
    const auto allowed = static_cast<rsv_bits>(in.options(4, 3) << 4);
    frames_wanted.clear();
    const errc wanted = frames_by_the_figure(in.rest(), R, in.options(4, 3) << 4, frames_wanted);
    const auto check = [&](const cuts& cut) {
        frame_run<R> run(allowed, frames_found);
        for_each_piece(in.rest(), cut, [&](byte_span piece) { run.take(piece); });
        must(run.error == wanted, "a stream of frames fails as RFC 6455, 5 says, however it is cut");
        must(frames_found == frames_wanted, "frames are read as RFC 6455, 5.2 shows them, however they are cut");
    };
    check(uncut);
    check(in.as_cut());
    if (in.option(7)) check(every_byte);   // it costs more than all the rest
    must(frames_with_bytes_given_back<R>(in_place(in.rest()), allowed, frames_found) == wanted,
         "the two steps fail alike");
    must(frames_found == frames_wanted, "bytes that are given back change nothing");

    buffer            out{byte_span(frames_place)};
    const std::size_t whole = encode_again<R>(frames_wanted, out);
    frame_run<R>      run(allowed, frames_again);
    run.take(out.data());
    frames_wanted.resize(whole);
    must(run.error == errc{} && frames_again == frames_wanted, "what our encoder writes, our decoder reads");
    return whole != 0;
}

} // namespace fuzz
