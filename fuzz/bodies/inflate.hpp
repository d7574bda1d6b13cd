// permessage-deflate's codec by itself (RFC 7692, 6 and 7.2): messages of any bytes, inflated in one piece and in many,
// into windows of several sizes, against a decoder of RFC 1951 that reads one bit at a time; and what was inflated,
// deflated and inflated again.
#pragma once

#include "bodies/deflate.hpp"

#include <navette/deflate.hpp>

namespace fuzz {

inline constexpr std::size_t most_inflated =
    4096; // of one input; the codec itself knows no limit, the protocol does

/// DEFLATE (RFC 1951) one bit at a time. The history goes on from message to message.
class bit_by_bit {
    const_byte_span  in_;
    std::size_t      bit_    = 0;
    bool             wrong_  = false;
    std::byte        history_[most_inflated];
    std::size_t      size_   = 0, begin_ = 0;
    std::size_t      farthest_ = 0;

    // A canonical Huffman code (3.2.2).
    struct code {
        unsigned counts[16]{}, symbols[320]{};
        code(const std::uint8_t* lengths, unsigned n) {
            unsigned at = 0;
            for (unsigned length = 1; length < 16; ++length)
                for (unsigned s = 0; s < n; ++s)
                    if (lengths[s] == length) ++counts[length], symbols[at++] = s;
        }
    };

    // Behind the message stands the trailer (RFC 7692, 7.2.2).
    unsigned bit() {
        const std::size_t at = bit_ / 8, size = in_.size();
        if (at >= size + 4) wrong_ = true;
        const unsigned byte = at < size ? std::to_integer<unsigned>(in_[at]) : at < size + 2 ? 0x00 : 0xff;
        return byte >> bit_++ % 8 & 1u;
    }
    unsigned number(unsigned bits) {
        unsigned n = 0;
        for (unsigned i = 0; i < bits; ++i) n |= bit() << i;
        return n;
    }
    unsigned symbol(const code& c) {
        unsigned value = 0, first = 0, before = 0;
        for (unsigned length = 1; length < 16 && !wrong_; ++length) {
            value = value << 1 | bit();
            if (value - first < c.counts[length]) return c.symbols[before + value - first];
            before += c.counts[length];
            first = (first + c.counts[length]) << 1;
        }
        wrong_ = true;
        return 256;
    }
    void put(std::byte b) {
        if (size_ == most_inflated) wrong_ = true;
        else history_[size_++] = b;
    }
    void stored() {
        bit_ = (bit_ + 7) / 8 * 8;
        const unsigned length = number(16);
        if ((number(16) ^ length) != 0xffff) wrong_ = true;
        for (unsigned i = 0; i < length && !wrong_; ++i) put(static_cast<std::byte>(number(8)));
    }
    void compressed(const code& literals, const code& distances) {
        constexpr unsigned lengths[] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                        31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
        while (!wrong_) {
            const unsigned s = symbol(literals);
            if (s == 256) return;
            if (s < 256) {
                put(static_cast<std::byte>(s));
                continue;
            }
            if (s > 285) break;
            const unsigned length = lengths[s - 257] + number(s < 265 || s == 285 ? 0 : (s - 261) / 4);
            const unsigned d      = symbol(distances);
            if (d > 29) break;
            const unsigned    more = d < 4 ? 0 : d / 2 - 1;
            const std::size_t distance = (d < 4 ? d + 1 : ((2 + d % 2) << more) + 1) + number(more);
            if (distance > size_) break;
            if (distance > farthest_) farthest_ = distance;
            for (unsigned i = 0; i < length && !wrong_; ++i) put(history_[size_ - distance]);
        }
        wrong_ = true;
    }
    void fixed() {
        std::uint8_t lengths[288], fives[30];
        for (unsigned s = 0; s < 288; ++s) lengths[s] = s < 144 ? 8 : s < 256 ? 9 : s < 280 ? 7 : 8;
        std::memset(fives, 5, sizeof fives);
        compressed(code(lengths, 288), code(fives, 30));
    }
    void dynamic() {
        constexpr unsigned order[] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
        const unsigned     hlit = number(5) + 257, hdist = number(5) + 1, hclen = number(4) + 4;
        std::uint8_t       meta[19]{}, all[320 + 140]{};
        for (unsigned i = 0; i < hclen; ++i) meta[order[i]] = static_cast<std::uint8_t>(number(3));
        const code how(meta, 19);
        for (unsigned n = 0; n < hlit + hdist && !wrong_;) {
            const unsigned s = symbol(how);
            if (s < 16) {
                all[n++] = static_cast<std::uint8_t>(s);
                continue;
            }
            const std::uint8_t last   = n == 0 ? std::uint8_t{0} : all[n - 1];
            const unsigned     repeat = s == 16 ? 3 + number(2) : s == 17 ? 3 + number(3) : 11 + number(7);
            for (unsigned i = 0; i < repeat; ++i) all[n++] = s == 16 ? last : std::uint8_t{0};
        }
        if (!wrong_) compressed(code(all, hlit), code(all + hlit, hdist));
    }

public:
    /// One message; false: it is none. What it inflated to is message(). A message whose last block ends with its last
    /// byte needs no trailer.
    bool inflate(const_byte_span payload) {
        in_    = payload;
        bit_   = 0;
        begin_ = size_;
        while (!wrong_ && bit_ != in_.size() * 8 && bit_ < (in_.size() + 4) * 8) {
            const bool last = bit() != 0;
            switch (number(2)) {
            case 0: stored(); break;
            case 1: fixed(); break;
            case 2: dynamic(); break;
            default: wrong_ = true;
            }
            if (last) bit_ = (bit_ + 7) / 8 * 8;
        }
        return !wrong_ && (bit_ == in_.size() * 8 || bit_ == (in_.size() + 4) * 8);
    }
    const_byte_span message() const { return {history_ + begin_, size_ - begin_}; }
    std::size_t     farthest() const { return farthest_; }
    void            forget() { size_ = 0; }
};

struct inflated {
    transcript bytes;
    errc       error{};
    bool       too_much = false;
};
inline inflated inflated_whole, inflated_cut;
inline const place<8 * most_inflated> inflate_place;

inline message_codec codec_for(const agreement& agreed, role r) {
    message_codec made;
    must(agreed.extension->make(agreed.extension->self, agreed.parameters, r, made) == errc{},
         "there is memory for a codec");
    return made;
}

/// The next message through `codec`: pieces as they are cut, all that comes written down.
inline void inflate_message(message_codec& codec, const_byte_span payload, const cuts& cut, std::size_t window,
                            inflated& made) {
    std::size_t seen = 0;
    const auto  take = [&](byte_span piece) {
        seen += piece.size();
        const bool      last = seen == payload.size();
        const_byte_span in   = piece;
        for (codec_step step; !step.done && made.error == errc{} && !made.too_much; in = in.subspan(step.consumed)) {
            step = codec.inflate(in, last);
            must(step.consumed <= in.size() && step.produced.size() <= window,
                 "no step takes more than it is given or has room for");
            must(step.done || step.error != errc{} || step.consumed != 0 || !step.produced.empty(),
                 "every step takes a byte, makes one or is done");
            must(!step.done || step.consumed == in.size(), "who is done has taken all");
            made.bytes.add(const_byte_span(step.produced));
            made.error    = step.error;
            made.too_much = made.bytes.size() > most_inflated - window;
        }
    };
    if (payload.empty()) take({});
    for_each_piece(payload, cut, [&](byte_span piece) {
        if (made.error == errc{} && !made.too_much) take(piece);
    });
    if (made.error == errc{} && !made.too_much) codec.end_message();
}

// `message`, sent in one or two fragments and received again.
inline void deflate_and_inflate(message_codec& sender, message_codec& receiver, const_byte_span message,
                                bool in_two, std::size_t window) {
    buffer out{byte_span(inflate_place)};
    const std::size_t half = in_two ? message.size() / 2 : 0;
    if (in_two)
        must(sender.deflate(message.first(half), false, out) == errc{}, "what there is room for is compressed");
    must(sender.deflate(message.subspan(half), true, out) == errc{}, "what there is room for is compressed");
    inflated_cut.bytes.clear();
    inflated_cut.error    = {};
    inflated_cut.too_much = false;
    const std::size_t size = lesser(out.size(), std::size_t{max_input});
    if (size != out.size()) return;
    inflate_message(receiver, out.data(), uncut, window, inflated_cut);
    const const_byte_span found = inflated_cut.bytes.bytes();
    must(inflated_cut.too_much || (found.size() == message.size() && as_text(found) == as_text(message)),
         "what is deflated is inflated to itself");
}

inline bool inflate_messages(input in) {
    constexpr std::size_t windows[] = {512, 1, 13, 64};
    const unsigned        byte      = in.byte();
    const agreement       agreed = agreed_by(byte), one_by_one = agreed_by((byte & 0xfc) | 1);
    const auto            what   = to_deflate_agreement(agreed.parameters);
    const agreement       peer = seen_by_peer(agreed);
    deflate_heap::begin();
    bool accepted = false;
    {
        static bit_by_bit slow;
        slow = {};
        message_codec whole = codec_for(agreed, role::server), cut = codec_for(one_by_one, role::server);
        message_codec sender, receiver;
        if (in.option(3)) sender = codec_for(agreed, role::server), receiver = codec_for(peer, role::client);
        inflated_whole.error = inflated_cut.error = {};
        std::size_t total = 0;
        for (bool more = true; more && !in.empty();) {
            const std::size_t size = in.byte();
            more                   = size < 255;
            const auto payload     = in.bytes(more ? size : in.rest().size());
            inflated_whole.bytes.clear();
            inflated_whole.too_much = false;
            inflate_message(whole, payload, uncut, windows[byte % 4], inflated_whole);
            transcript& again = inflated_cut.bytes;
            again.clear();
            inflated_cut.error    = {};
            inflated_cut.too_much = false;
            inflate_message(cut, payload, in.as_cut(), 1, inflated_cut);
            if (inflated_whole.too_much || inflated_cut.too_much) break;
            const bool is_message = slow.inflate(payload);
            // A distance beyond a smaller window is refused or not as the cut has it: see protocol.hpp.
            if (slow.farthest() > std::size_t{1} << what.receive_window_bits) break;
            must(inflated_whole.error == inflated_cut.error && again == inflated_whole.bytes,
                 "a message inflates to the same however it is cut");
            total += again.size();
            if (inflated_whole.error != errc{}) break;
            must(is_message, "what is accepted is DEFLATE (RFC 1951)");
            must(as_text(slow.message()) == as_text(inflated_whole.bytes.bytes()),
                 "a message inflates to what RFC 1951 says");
            if (what.receive_no_context_takeover) slow.forget();
            accepted = true;
            if (in.option(0)) whole.release_idle(), cut.release_idle();
            if (sender) {
                if (in.option(0)) sender.release_idle();
                if (in.option(1)) sender.reset_deflate();
                deflate_and_inflate(sender, receiver, inflated_whole.bytes.bytes(), in.option(2), windows[byte % 4]);
            }
            if (total > most_inflated / 2) break;
        }
    }
    must_have_given_back();
    return accepted;
}

} // namespace fuzz
