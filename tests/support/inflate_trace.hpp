// A slow, obvious decoder of DEFLATE (RFC 1951) that shares no line with any library: it tells of a message's payload
// which blocks it is made of and how far back it looks. And a writer of bits, for blocks that no compressor makes.
#pragma once

#include <navette/base/bytes.hpp>

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

namespace trace {

struct decoded {
    std::vector<std::byte> message;
    std::string            blocks;             // of each: s(tored), f(ixed), d(ynamic), in capitals if it is the last
    std::size_t            max_distance  = 0;
    std::size_t            beyond_message = 0; // how far a match looked back behind this message's first byte
};

/// Reads one compressed message after the other. Throws on whatever breaks RFC 1951 or RFC 7692, 7.2.2.
class decoder {
    std::vector<std::byte> history_;
    std::vector<std::byte> in_;
    std::size_t            bit_ = 0;

    unsigned next() {
        if (bit_ / 8 >= in_.size()) throw std::runtime_error("the message is cut short");
        const unsigned b = std::to_integer<unsigned>(in_[bit_ / 8]) >> bit_ % 8 & 1u;
        ++bit_;
        return b;
    }
    unsigned number(unsigned bits) {
        unsigned n = 0;
        for (unsigned i = 0; i < bits; ++i) n |= next() << i;
        return n;
    }

    // A canonical Huffman code (RFC 1951, 3.2.2): how many codes there are of each length, and their symbols in order.
    struct code {
        unsigned              counts[16] = {};
        std::vector<unsigned> symbols;

        explicit code(const std::vector<unsigned>& lengths) {
            for (unsigned length = 1; length <= 15; ++length)
                for (unsigned s = 0; s < lengths.size(); ++s)
                    if (lengths[s] == length) {
                        ++counts[length];
                        symbols.push_back(s);
                    }
        }
    };
    unsigned symbol(const code& c) {
        unsigned value = 0, first = 0, before = 0;
        for (unsigned length = 1; length <= 15; ++length) {
            value = value << 1 | next();
            if (value - first < c.counts[length]) return c.symbols[before + value - first];
            before += c.counts[length];
            first = (first + c.counts[length]) << 1;
        }
        throw std::runtime_error("no such code");
    }

    static code fixed_literals() {
        std::vector<unsigned> lengths;
        for (unsigned s = 0; s < 288; ++s) lengths.push_back(s < 144 ? 8 : s < 256 ? 9 : s < 280 ? 7 : 8);
        return code(lengths);
    }

    void dynamic_block(decoded& made) {
        constexpr unsigned order[] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
        const unsigned     hlit = number(5) + 257, hdist = number(5) + 1, hclen = number(4) + 4;
        std::vector<unsigned> meta_lengths(19), all;
        for (unsigned i = 0; i < hclen; ++i) meta_lengths[order[i]] = number(3);
        const code meta(meta_lengths);
        while (all.size() < hlit + hdist) {
            const unsigned s = symbol(meta);
            if (s < 16) all.push_back(s);
            else if (s == 16) {
                if (all.empty()) throw std::runtime_error("nothing to repeat");
                all.insert(all.end(), 3 + number(2), all.back());
            } else all.insert(all.end(), s == 17 ? 3 + number(3) : 11 + number(7), 0);
        }
        if (all.size() != hlit + hdist) throw std::runtime_error("too many lengths");
        compressed_block(made, code({all.begin(), all.begin() + hlit}), code({all.begin() + hlit, all.end()}));
    }

    void copy(decoded& made, std::size_t length, std::size_t distance) {
        if (distance > history_.size()) throw std::runtime_error("a distance beyond the beginning");
        made.max_distance = std::max(made.max_distance, distance);
        if (distance > made.message.size())
            made.beyond_message = std::max(made.beyond_message, distance - made.message.size());
        for (std::size_t i = 0; i < length; ++i) put(made, history_[history_.size() - distance]);
    }
    void put(decoded& made, std::byte b) {
        history_.push_back(b);
        made.message.push_back(b);
    }

    void compressed_block(decoded& made, const code& literals, const code& distances) {
        constexpr unsigned bases[] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                      31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
        for (;;) {
            const unsigned s = symbol(literals);
            if (s == 256) return;
            if (s < 256) {
                put(made, static_cast<std::byte>(s));
                continue;
            }
            if (s > 285) throw std::runtime_error("no such length");
            const unsigned extra  = s < 265 || s == 285 ? 0 : (s - 261) / 4;
            const unsigned length = bases[s - 257] + number(extra);
            const unsigned d      = symbol(distances);
            if (d > 29) throw std::runtime_error("no such distance");
            const unsigned more = d < 4 ? 0 : d / 2 - 1;
            const unsigned base = d < 4 ? d + 1 : ((2 + d % 2) << more) + 1;
            copy(made, length, base + number(more));
        }
    }

public:
    /// The next message's payload, without its trailer.
    decoded message(navette::const_byte_span payload) {
        in_.assign(payload.begin(), payload.end());
        for (const unsigned b : {0x00u, 0x00u, 0xffu, 0xffu}) in_.push_back(static_cast<std::byte>(b));
        bit_ = 0;
        decoded made;
        while (bit_ / 8 < in_.size()) {
            const bool     last = next() != 0;
            const unsigned type = number(2);
            made.blocks += (last ? "SFD?" : "sfd?")[type];
            if (type == 0) {
                bit_                  = (bit_ + 7) / 8 * 8;
                const unsigned length = number(16);
                if ((number(16) ^ length) != 0xffff) throw std::runtime_error("a bad stored length");
                for (unsigned i = 0; i < length; ++i) put(made, static_cast<std::byte>(number(8)));
            } else if (type == 1) {
                compressed_block(made, fixed_literals(), code(std::vector<unsigned>(30, 5)));
            } else if (type == 2) {
                dynamic_block(made);
            } else {
                throw std::runtime_error("no such block");
            }
            if (last) bit_ = (bit_ + 7) / 8 * 8;
            // Behind the trailer nothing is left but the bits that fill a byte.
            if (bit_ == in_.size() * 8) return made;
        }
        throw std::runtime_error("the message does not end with the trailer");
    }
};

/// Bits as DEFLATE packs them, the lowest first.
class bit_writer {
    std::vector<std::byte> bytes_;
    unsigned               free_ = 0;

public:
    bit_writer& bits(unsigned value, unsigned count) {
        for (unsigned i = 0; i < count; ++i) {
            if (free_ == 0) {
                bytes_.push_back(std::byte{0});
                free_ = 8;
            }
            bytes_.back() |= static_cast<std::byte>((value >> i & 1u) << (8 - free_));
            --free_;
        }
        return *this;
    }
    /// A Huffman code, the highest bit first.
    bit_writer& code(unsigned value, unsigned count) {
        while (count-- > 0) bits(value >> count & 1u, 1);
        return *this;
    }
    bit_writer& align() {
        free_ = 0;
        return *this;
    }
    /// Ends with the header of an empty stored block, whose rest is the trailer.
    std::vector<std::byte> end_message() { return bits(0, 3).bytes_; }
    std::vector<std::byte> bytes() const { return bytes_; }
};

} // namespace trace
