#include <navette/deflate.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/deflate_pair.hpp"
#include "support/endpoint.hpp"
#include "support/inflate_trace.hpp"

#include <navette/protocol/prepared_message.hpp>
#include <navette/protocol/session.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

using namespace navette;

namespace {

template <class P>
struct side : endpoint<P> {
    explicit side(const permessage_deflate& deflate, const deflate_agreement& agreed = widest,
                  const limits& bounds = default_limits)
        : endpoint<P>(agreement_on(deflate.factory(), agreed), bounds) {}

    // The payload of the one frame that a message becomes.
    byte_vector sends(std::string_view text, navette::compress how = compress::always) {
        return sends(opcode::text, as_bytes(text), how);
    }
    byte_vector sends(opcode op, const_byte_span message, navette::compress how = compress::always) {
        REQUIRE(this->ws.send(op, message, fin::yes, this->out, how) == errc{});
        const auto frames = this->said_frames();
        REQUIRE(frames.size() == 1);
        REQUIRE(frames[0].first == (how == compress::never ? 0x80u : 0xc0u) + static_cast<unsigned>(op));
        return frames[0].payload;
    }
};

} // namespace

TEMPLATE_TEST_CASE("the RFC's compressed Hello is what is sent", "[deflate][7692:7.2.3.1][C141]", client_protocol,
                   server_protocol) {
    const permessage_deflate deflate;
    side<TestType>           us(deflate);
    CHECK(us.sends("Hello") == bytes("f2 48 cd c9 c9 07 00"));
    CHECK(us.sends("Hello") == bytes("f2 00 11 00 00"));   // 7.2.3.2, the window shared
    CHECK(us.sends("") == bytes("00"));                    // 7.2.3.6
}

TEMPLATE_TEST_CASE("without context takeover each Hello is compressed as the first", "[deflate][7692:7.2.3.2][C137]",
                   client_protocol, server_protocol) {
    const permessage_deflate deflate({.allocation = GENERATE(allocate::lazily, allocate::eagerly)});
    side<TestType>           us(deflate, without_takeover);
    for (int i = 0; i < 3; ++i) CHECK(us.sends("Hello") == bytes("f2 48 cd c9 c9 07 00"));
}

TEMPLATE_TEST_CASE("at level 0 a Hello is sent in a stored block", "[deflate][7692:7.2.3.3][C143]", client_protocol,
                   server_protocol) {
    const permessage_deflate deflate({.level = 0});
    side<TestType>           us(deflate);
    CHECK(us.sends("Hello") == bytes("00 05 00 fa ff 48 65 6c 6c 6f 00"));
}

TEMPLATE_TEST_CASE("all of the RFC's examples are understood", "[deflate][7692:7.2.3][C139][C141][C142][C143][S50]",
                   client_protocol, server_protocol) {
    const permessage_deflate deflate;
    for (const std::size_t step : {std::size_t{1}, std::size_t{2}, std::size_t{5}, static_cast<std::size_t>(-1)}) {
        CAPTURE(step);
        const auto heard = [&](std::string_view frames) {
            side<TestType> us(deflate);
            return messages(us.ws, bytes(frames), step);
        };
        CHECK(heard("c1 07 f2 48 cd c9 c9 07 00") == "[Hello]");
        CHECK(heard("41 03 f2 48 cd  80 04 c9 c9 07 00") == "[Hello]");
        CHECK(heard("c1 07 f2 48 cd c9 c9 07 00  c1 05 f2 00 11 00 00") == "[Hello][Hello]");
        CHECK(heard("c1 0b 00 05 00 fa ff 48 65 6c 6c 6f 00") == "[Hello]");
        CHECK(heard("c1 08 f3 48 cd c9 c9 07 00 00") == "[Hello]");
        CHECK(heard("c1 0d f2 48 05 00 00 00 ff ff ca c9 c9 07 00") == "[Hello]");
        CHECK(heard("c1 01 00") == "[]");
        // The fragments of 6.1, and a message in several of these forms behind one another.
        CHECK(heard("41 01 f2  00 01 48  89 00  00 00  80 05 cd c9 c9 07 00") == "[Hello]");
        CHECK(heard("c1 08 f3 48 cd c9 c9 07 00 00  c1 05 f2 00 11 00 00  c1 01 00  c1 05 f2 00 11 00 00") ==
              "[Hello][Hello][][Hello]");
    }
}

TEMPLATE_TEST_CASE("a message that ends at a block's end needs no trailer", "[deflate][7692:7.2.2][C142]",
                   client_protocol, server_protocol) {
    // Some senders leave out the last byte of 7.2.3.4, or do not remove the trailer, or send nothing for nothing.
    const permessage_deflate deflate;
    side<TestType>           us(deflate);
    CHECK(messages(us.ws, bytes("c1 07 f3 48 cd c9 c9 07 00  c1 05 f2 00 11 00 00")) == "[Hello][Hello]");
    CHECK(messages(us.ws, bytes("c1 0b f2 48 cd c9 c9 07 00 00 00 ff ff  c1 00  c1 05 f2 00 11 00 00")) ==
          "[Hello][][Hello]");
    side<TestType> after(deflate);
    CHECK(messages(after.ws, bytes("c1 07 f2 48 cd c9 c9 07 00  c1 00  c1 05 f2 00 11 00 00")) == "[Hello][][Hello]");
}

TEMPLATE_TEST_CASE("a message whose last bits are too few for the trailer's header is cut short",
                   "[deflate][7692:7.2.2][C142][S50]", client_protocol, server_protocol) {
    // Each literal from 144 on has nine bits, so that the block ends at every place in a byte.
    const permessage_deflate deflate;
    for (unsigned literals = 0; literals < 16; ++literals) {
        trace::bit_writer w;
        w.bits(0, 1).bits(1, 2);
        for (unsigned i = 0; i < literals; ++i) w.code(0x190, 9);
        w.code(0, 7);
        const unsigned left = (8 - (10 + 9 * literals) % 8) % 8;   // bits, all 0; three are a header
        side<TestType> us(deflate);
        const auto     heard = messages(us.ws, concat(frame(0xc2, w.bytes()), bytes("c1 07 f2 48 cd c9 c9 07 00")));
        CAPTURE(literals, left);
        if (left == 1 || left == 2) CHECK(heard == "invalid_compressed_data");
        else CHECK(heard == "[" + std::string(literals, '\x90') + "][Hello]");
    }
}

TEMPLATE_TEST_CASE("blocks of every kind, in any order, are one message", "[deflate][7692:7.2.3][C143][S50]",
                   client_protocol, server_protocol) {
    // A literal in a block with fixed codes: 'A' is 0x30 + 0x41, in 8 bits; the end of the block seven zeros.
    const auto fixed = [](trace::bit_writer& w, char c, bool last) {
        w.bits(last, 1).bits(1, 2).code(0x30u + static_cast<unsigned>(c), 8).code(0, 7);
        if (last) w.align();
    };
    const auto stored = [](trace::bit_writer& w, char c, bool last) {
        w.bits(last, 1).bits(0, 2).align().bits(1, 16).bits(0xfffe, 16).bits(static_cast<unsigned char>(c), 8);
    };
    for (unsigned pattern = 0; pattern < 256; ++pattern) {   // of four blocks: which are stored, which have BFINAL
        trace::bit_writer w;
        for (unsigned i = 0; i < 4; ++i)
            (pattern >> i & 1 ? stored : fixed)(w, static_cast<char>('A' + i), (pattern >> (4 + i) & 1) != 0);
        const auto payload = w.end_message();
        REQUIRE(as_text(trace::decoder().message(payload).message) == "ABCD");
        for (const std::size_t window : {1u, 3u, 64u}) {
            const permessage_deflate deflate({.window_size = window});
            for (const std::size_t step : {std::size_t{1}, static_cast<std::size_t>(-1)}) {
                CAPTURE(pattern, window, step);
                side<TestType> us(deflate);
                CHECK(messages(us.ws, concat(frame(0xc1, payload), frame(0xc1, payload)), step) == "[ABCD][ABCD]");
            }
        }
    }
}

TEMPLATE_TEST_CASE("the context outlives a final block, within a message and between two",
                   "[deflate][7692:7.2.3.4][C143][S50]", client_protocol, server_protocol) {
    const permessage_deflate deflate;
    side<TestType>           us(deflate);
    // The length 5 (code 259) at the distance 5 (code 4, one more bit): in a block of its own, behind a final one.
    trace::bit_writer w;
    w.bits(1, 1).bits(1, 2);
    for (const char c : std::string_view("Hello")) w.code(0x30u + static_cast<unsigned>(c), 8);
    w.code(0, 7).align().bits(1, 1).bits(1, 2).code(3, 7).code(4, 5).bits(0, 1).code(0, 7).align();
    const auto message = w.end_message();
    REQUIRE(as_text(trace::decoder().message(message).message) == "HelloHello");
    CHECK(messages(us.ws, concat(frame(0xc1, message), bytes("c1 05 f2 00 11 00 00"))) == "[HelloHello][Hello]");
}

TEMPLATE_TEST_CASE("what comes is the same message whether it was compressed or not",
                   "[deflate][7692:6][C92][C137][C140][C144][S50]", client_protocol, server_protocol) {
    const std::size_t window = GENERATE(1u, 7u, 1'024u, 16'384u);
    const permessage_deflate ours({.window_size = window}), theirs({.window_size = window});
    for (const deflate_agreement& agreed : {widest, without_takeover}) {
        side<TestType>          us(ours, agreed);
        side<peer_of<TestType>> them(theirs, seen_by_peer(agreed));
        const auto              check = [&](const std::string& text, navette::compress how) {
            REQUIRE(us.ws.send(opcode::text, text, fin::yes, us.out, how) == errc{});
            CHECK((messages(them.ws, us.says()) == "[" + text + "]"));
        };
        for (std::size_t size = 0; size < (window == 1 ? 300u : 3'000u); size += 1 + size / 17) {
            check(json(size), compress::always);
            check(json(size, 7), compress::never);
            check(json(size, 3), compress::automatic);
        }
        // Exactly a window, and around it.
        for (const std::size_t size : {window - 1, window, window + 1, 2 * window, 2 * window + 1})
            check(json(size), compress::always);
    }
}

TEMPLATE_TEST_CASE("messages of 0 to 70,000 bytes of any kind survive, in pieces of any size",
                   "[deflate][7692:7.2][C144][S50]", client_protocol, server_protocol) {
    const permessage_deflate deflate({.level = 1});
    side<TestType>           us(deflate);
    side<peer_of<TestType>>  them(deflate);
    for (std::size_t size = 0; size <= 70'000; size += size < 300 ? 1 : 3'001)
        for (const bool noisy : {false, true}) {
            CAPTURE(size, noisy);
            const byte_vector message = noisy ? noise(size) : text_bytes(json(size));
            REQUIRE(us.ws.send(opcode::binary, message, fin::yes, us.out, compress::always) == errc{});
            const auto heard = messages(them.ws, us.says(), 1 + size % 4'099);
            CHECK((heard == "[" + std::string(as_text(message)) + "]"));
        }
}

TEMPLATE_TEST_CASE("output that ends exactly with the room for it loses nothing", "[deflate][7692:7.2.1][C141][S50]",
                   client_protocol, server_protocol) {
    // Noise leaves in stored blocks: each size of message makes another size of output, around that of a chunk.
    const permessage_deflate deflate({.level = 0});
    side<TestType>           us(deflate);
    trace::decoder           peer;
    for (std::size_t size = 1; size < 600; ++size) {
        const auto message = noise(size);
        CHECK(peer.message(us.sends(opcode::binary, message)).message == message);
    }
    for (std::size_t size = 32'700; size < 32'790; ++size) {
        const auto message = noise(size);
        CHECK(peer.message(us.sends(opcode::binary, message)).message == message);
    }
}

TEMPLATE_TEST_CASE("a fragment can be read as soon as it has come", "[deflate][7692:6.1][C90][C144]", client_protocol,
                   server_protocol) {
    const deflate_agreement agreed = GENERATE(widest, without_takeover);
    const permessage_deflate ours, theirs;
    side<TestType>           us(ours, agreed);
    side<peer_of<TestType>>  them(theirs, seen_by_peer(agreed));
    for (int round = 0; round < 3; ++round) {
        REQUIRE(us.ws.send(opcode::text, "one ", fin::no, us.out) == errc{});
        CHECK(them.hears(us.says()) == "text(first) one ");
        REQUIRE(us.ws.send(opcode::continuation, "", fin::no, us.out) == errc{});
        CHECK(them.hears(us.says()) == "");
        REQUIRE(us.ws.send(opcode::continuation, "two ", fin::no, us.out) == errc{});
        CHECK(them.hears(us.says()) == "text(middle) two ");
        REQUIRE(us.ws.send(opcode::continuation, round == 0 ? "" : "three", fin::yes, us.out) == errc{});
        const auto said = us.said_frames();
        CHECK(said[0].first == 0x80);
        CHECK(said[0].payload.size() >= 1);
        CHECK(them.hears(frame(0x80, said[0].payload)) == (round == 0 ? "text(last)" : "text(last) three"));
        REQUIRE(us.ws.send(opcode::text, "", fin::no, us.out) == errc{});
        REQUIRE(us.ws.send(opcode::continuation, "", fin::yes, us.out) == errc{});
        CHECK(them.hears(us.says()) == "text");
    }
}

TEMPLATE_TEST_CASE("a compressed message may be cut into frames anywhere, empty ones among them",
                   "[deflate][7692:6.1][C144]", client_protocol, server_protocol) {
    const permessage_deflate deflate;
    side<peer_of<TestType>>  them(deflate);
    const std::string        text    = json(200);
    const auto               payload = them.sends(text);
    for (std::size_t cut = 0; cut <= payload.size(); ++cut) {
        side<TestType> us(deflate);
        const auto     wire = concat(frame(0x41, const_byte_span(payload).first(cut)), frame(0x00, ""),
                                     frame(0x8a, "pong"), frame(0x80, const_byte_span(payload).subspan(cut)));
        CHECK((messages(us.ws, wire) == "[" + text + "]"));
    }
}

TEMPLATE_TEST_CASE("no distance exceeds the window that was agreed", "[deflate][7692:7.1.2][C134][C136][C146][S48]",
                   client_protocol, server_protocol) {
    // Each message repeats what lay a little more and a little less than a window before.
    for (std::uint8_t bits = 8; bits <= 15; ++bits)
        for (const std::uint8_t level : {std::uint8_t{0}, std::uint8_t{1}, std::uint8_t{6}, std::uint8_t{9}})
            for (const bool alone : {false, true}) {
                if (alone && level != 6) continue;
                CAPTURE(bits, level, alone);
                const permessage_deflate deflate({.level = level});
                side<TestType> us(deflate, {.send_window_bits         = bits,
                                            .receive_window_bits      = 15,
                                            .send_no_context_takeover = alone});
                trace::decoder    peer;
                const std::size_t window = std::size_t{1} << bits;
                std::size_t       longest = 0;
                for (const std::size_t period : {window / 2, window - 263, window - 262, window - 200, window - 1, window,
                                                 window + 1}) {
                    if (period > 2 * window) continue;   // it would be negative
                    auto message = noise(period, static_cast<unsigned>(period));
                    message.insert(message.end(), message.begin(), message.end());
                    message.insert(message.end(), message.begin(), message.begin() + 20);
                    const auto read = peer.message(us.sends(opcode::binary, message));
                    CHECK((read.message == message));
                    CHECK(read.max_distance <= window);
                    if (alone) CHECK(read.beyond_message == 0);
                    longest = std::max(longest, read.max_distance);
                }
                if (level != 0) CHECK(longest >= window / 3);   // or the case could not fail
            }
}

TEMPLATE_TEST_CASE("what looks further back than the agreed window is corrupt", "[deflate][7692:7.1.2][C136][S48]",
                   client_protocol, server_protocol) {
    const permessage_deflate deflate;
    side<peer_of<TestType>>  wide(deflate);
    const auto               first  = noise(1'000);
    const auto one = wide.sends(opcode::binary, first), two = wide.sends(opcode::binary, first);
    for (std::uint8_t bits = 8; bits <= 15; ++bits) {
        CAPTURE(bits);
        side<TestType> us(deflate, {.send_window_bits = 15, .receive_window_bits = bits});
        const auto     heard = messages(us.ws, concat(frame(0xc2, one), frame(0xc2, two)));
        CHECK(heard.ends_with("invalid_compressed_data") == (bits < 10));
    }
}

TEMPLATE_TEST_CASE("the inflater forgets its context where that was agreed, and only there",
                   "[deflate][7692:7.1.1][C137]", client_protocol, server_protocol) {
    const permessage_deflate deflate;
    for (const bool alone : {false, true}) {
        side<TestType> us(deflate, {.send_window_bits            = 15,
                                    .receive_window_bits         = 15,
                                    .receive_no_context_takeover = alone});
        // The second message refers to the first.
        const auto heard = messages(us.ws, bytes("c1 07 f2 48 cd c9 c9 07 00  c1 05 f2 00 11 00 00"));
        CHECK(heard == (alone ? "[Hello]invalid_compressed_data" : "[Hello][Hello]"));
    }
}

TEMPLATE_TEST_CASE("without context takeover no message refers to an earlier one", "[deflate][7692:7.1.1][C137]",
                   client_protocol, server_protocol) {
    const permessage_deflate deflate;
    side<TestType>           alone(deflate, without_takeover), together(deflate);
    trace::decoder           first, second;
    const std::string        text = json(500);
    for (int i = 0; i < 4; ++i) {
        CHECK(first.message(alone.sends(text)).beyond_message == 0);
        CHECK((second.message(together.sends(text)).beyond_message != 0) == (i != 0));
    }
}

TEMPLATE_TEST_CASE("compress says which messages leave compressed", "[deflate][7692:8][C140][C147][S53]",
                   client_protocol, server_protocol) {
    const permessage_deflate deflate({.threshold = 10});
    side<TestType>           us(deflate);
    const auto marked = [&](std::string_view text, navette::compress how) {
        REQUIRE(us.ws.send(opcode::text, text, fin::yes, us.out, how) == errc{});
        const auto frames = us.said_frames();
        if (frames[0].first == 0x81) CHECK(frames[0].payload == text_bytes(text));
        return frames[0].first == 0xc1;
    };
    CHECK_FALSE(marked("a secret!", compress::automatic));
    CHECK(marked("no secret.", compress::automatic));
    CHECK(marked("", compress::always));
    CHECK_FALSE(marked("a secret beside what an attacker has chosen", compress::never));
    // What was never compressed leaves no trace in what is.
    side<TestType> one(deflate), other(deflate);
    REQUIRE(one.ws.send(opcode::text, "the secret", fin::yes, one.out, compress::never) == errc{});
    one.out.clear();
    CHECK(one.sends("is it the secret?") == other.sends("is it the secret?"));
}

TEMPLATE_TEST_CASE("fragments without RSV1 are taken as they are, though compression was agreed",
                   "[deflate][7692:6][C140]", client_protocol, server_protocol) {
    const permessage_deflate deflate;
    side<TestType>           us(deflate);
    CHECK(us.hears("01 03 48656c  80 02 6c6f") == "text(first) Hel | text(last) lo");
    CHECK(us.hears("41 03 f248cd  80 04 c9c90700") == "text(first) He | text(last) llo");
    CHECK(us.hears("02 00  80 01 ff") == "binary 0xff");
}

TEMPLATE_TEST_CASE("compressed text is validated as it inflates and fails at the first bad byte",
                   "[deflate][7692:6][6455:8.1][C109]", client_protocol, server_protocol) {
    const permessage_deflate deflate({.window_size = GENERATE(1u, 5u, 64u)});
    const auto compressed = [&](std::string_view text) {
        return side<peer_of<TestType>>(deflate).sends(opcode::binary, as_bytes(text));
    };
    side<TestType> good(deflate);
    CHECK(messages(good.ws, frame(0xc1, compressed("d\xc3\xa9j\xc3\xa0"))) == "[d\xc3\xa9j\xc3\xa0]");

    // The message is not over when the byte comes: it is the byte that fails, not the end.
    side<TestType> bad(deflate);
    const auto     begun = compressed("abc\xff" + std::string(100, 'x'));
    CHECK(messages(bad.ws, concat(header(0xc1, begun.size() + 50), begun)).ends_with("invalid_utf8"));
    side<TestType> cut(deflate);
    CHECK(cut.hears(frame(0xc1, compressed("abc\xc3"))).ends_with("failed invalid_utf8 1007"));
    CHECK(cut.says() == bytes("88 02 03EF"));
    side<TestType> blob(deflate);
    CHECK(messages(blob.ws, frame(0xc2, compressed("abc\xff"))) == "[abc\xff]");
}

TEMPLATE_TEST_CASE("the limit counts inflated bytes, to the byte, however they are cut",
                   "[deflate][6455:10.4][C82][C145][S19]", client_protocol, server_protocol) {
    const permessage_deflate deflate({.window_size = GENERATE(1u, 10u, 100u, 4'096u)});
    const std::string        text(1'000, 'z');
    side<peer_of<TestType>>  them(deflate);
    const auto               first = them.sends(text), again = them.sends(text);
    for (const std::uint64_t most : {0u, 1u, 999u, 1'000u, 1'001u}) {
        limits bounds;
        bounds.max_message_size = most;
        CAPTURE(most);
        side<TestType> whole(deflate, widest, bounds), pieces(deflate, widest, bounds);
        const auto     heard = messages(whole.ws, concat(frame(0xc1, first), frame(0xc1, again)));
        const auto cut = messages(pieces.ws, concat(frame(0x41, const_byte_span(first).first(3)), frame(0x00, ""),
                                                    frame(0x80, const_byte_span(first).subspan(3))));
        if (most >= 1'000) {
            CHECK(heard == "[" + text + "][" + text + "]");
            CHECK(cut == "[" + text + "]");
        } else {
            CHECK(heard.ends_with("message_too_big"));
            CHECK(heard.size() <= most + 16);
            CHECK(cut.ends_with("message_too_big"));
        }
    }
}

TEMPLATE_TEST_CASE("corrupt data fails the connection with 1007", "[deflate][7692:7.2.2][C123][C142][S10]",
                   client_protocol, server_protocol) {
    const permessage_deflate deflate;
    const char*              bad[] = {
        "c1 01 06",                                  // the reserved block type
        "c1 05 00 05 00 fb ff",                      // a stored length that is not its complement
        "c1 06 00 05 00 fa ff 48",                   // a stored block cut short
        "c1 03 f2 48 cd",                            // a fixed block cut short
        "c1 05 f2 00 11 00 00",                      // a distance beyond the beginning
        "c1 08 ff ff ff ff ff ff ff ff",
        "c1 07 f2 48 cd c9 c9 07 07",                // the reserved type behind a good block
        "c1 04 04 00 00 00",                         // a dynamic block without codes
        "c2 08 f3 48 cd c9 c9 07 00 06",             // behind a final block
    };
    for (const char* frames : bad) {
        CAPTURE(frames);
        side<TestType> us(deflate);
        CHECK(us.hears(frames) == "failed invalid_compressed_data 1007");
        CHECK(us.says() == bytes("88 02 03EF"));
        // Not one later byte is parsed.
        CHECK(us.hears("81 01 61  c1 07 f2 48 cd c9 c9 07 00") == "");
    }
}

TEMPLATE_TEST_CASE("every byte of a message can be changed, and nothing breaks", "[deflate][7692:7.2.2][C142][S10][S49]",
                   client_protocol, server_protocol) {
    const permessage_deflate deflate({.window_size = 16});
    const auto               good = side<peer_of<TestType>>(deflate).sends(json(150));
    for (std::size_t at = 0; at < good.size(); ++at)
        for (const unsigned flip : {0x01u, 0x04u, 0x80u, 0xffu}) {
            auto changed = good;
            changed[at] ^= static_cast<std::byte>(flip);
            side<TestType> us(deflate);
            const auto     heard = us.hears(concat(frame(0xc2, changed), frame(0x81, "behind")));
            const bool     over  = heard.find("failed") != std::string::npos;
            CHECK(heard.ends_with("text behind") == !over);
            CHECK((us.ws.state() == connection_state::failed) == over);
        }
}

TEMPLATE_TEST_CASE("a message that is cut short anywhere is corrupt, not empty", "[deflate][7692:7.2.2][C142][S50]",
                   client_protocol, server_protocol) {
    const permessage_deflate deflate;
    const auto               good = side<peer_of<TestType>>(deflate).sends(json(150));
    for (std::size_t size = 1; size < good.size(); ++size) {
        CAPTURE(size);
        side<TestType> us(deflate);
        const auto heard = us.hears(frame(0xc2, const_byte_span(good).first(size)));
        // Where the text's block ends with a byte nothing is missing but the trailer's header.
        if (heard != "binary " + json(150)) CHECK(heard.ends_with("failed invalid_compressed_data 1007"));
        else CHECK(size == good.size() - 1);
    }
}

TEMPLATE_TEST_CASE("RSV1 is for the first frame of a message, and no other reserved bit is for anything",
                   "[deflate][7692:6][6455:5.2][C69][C139][S46][S47]", client_protocol, server_protocol) {
    const permessage_deflate deflate;
    const bool               negotiated = GENERATE(false, true);
    const bool               in_message = GENERATE(false, true);
    for (unsigned rsv = 0; rsv < 8; ++rsv)
        for (unsigned op = 0; op < 16; ++op) {
            CAPTURE(negotiated, in_message, rsv, op);
            side<TestType>     with(deflate);
            endpoint<TestType> without;
            const unsigned     first = 0x80 | rsv << 4 | op;
            const bool         marks = rsv == 4 && negotiated && (op == 1 || op == 2);
            auto               wire  = frame(first, marks ? bytes("00") : byte_vector());
            if (in_message) wire = concat(frame(0x01, "a"), wire);
            const auto heard = negotiated ? with.hears(wire) : without.hears(wire);
            if (rsv != 0 && !marks && op <= 10 && (op <= 2 || op >= 8))
                CHECK(heard == (in_message ? "text(first) a | " : "") + std::string("failed reserved_bits 1002"));
            else
                CHECK(heard.find("reserved_bits") == std::string::npos);
            if (marks) CHECK(heard == (in_message ? "text(first) a | failed expected_continuation 1002"
                                                  : op == 1 ? "text" : "binary"));
        }
}

TEMPLATE_TEST_CASE("frames that a compressed message becomes are marked once", "[deflate][7692:6.1][C139]",
                   client_protocol, server_protocol) {
    const permessage_deflate deflate;
    side<TestType>           us(deflate);
    REQUIRE(us.ws.send(opcode::text, json(100), fin::no, us.out) == errc{});
    REQUIRE(us.ws.ping({}, us.out) == errc{});
    REQUIRE(us.ws.send(opcode::continuation, json(100), fin::no, us.out) == errc{});
    REQUIRE(us.ws.send(opcode::continuation, json(100), fin::yes, us.out) == errc{});
    REQUIRE(us.ws.close(close_code::normal, "", us.out) == errc{});
    std::string firsts;
    for (const wire_frame& f : us.said_frames()) firsts += std::to_string(f.first) + " ";
    CHECK(firsts == "65 137 0 128 136 ");   // 41 89 00 80 88
}

TEMPLATE_TEST_CASE("what is sent may be overwritten as soon as send returns", "[deflate][S37]", client_protocol,
                   server_protocol) {
    const permessage_deflate deflate;
    side<TestType>           us(deflate), kept(deflate);
    const auto               text = text_bytes(json(5'000));
    for (int i = 0; i < 3; ++i) {
        const auto memory = std::make_unique<byte_vector>(text);
        REQUIRE(us.ws.send(opcode::text, *memory, fin::yes, us.out) == errc{});
        std::fill(memory->begin(), memory->end(), std::byte{0xdd});
        CHECK((us.said_frames()[0].payload == kept.sends(as_text(text))));
    }
}

TEMPLATE_TEST_CASE("a compressed message that finds no room changes nothing", "[deflate][C160][C164]", client_protocol,
                   server_protocol) {
    const permessage_deflate deflate;
    const std::string        text = json(3'000);
    const std::size_t        size = side<TestType>(deflate).sends(text).size();
    for (std::size_t room = 0; room < size + 64; ++room) {
        CAPTURE(room);
        byte_vector             storage(room);
        side<TestType>          us(deflate);
        side<peer_of<TestType>> them(deflate);
        CHECK(them.hears(frame(0xc1, us.sends("before"))) == "text before");
        buffer     out{byte_span(storage)};
        const errc e = us.ws.send(opcode::text, text, fin::yes, out);
        CHECK(e == (out.empty() ? errc::out_of_memory : errc{}));
        // The trailer needs room until it is removed, and so does what zlib keeps free behind it.
        if (room < size) CHECK(e == errc::out_of_memory);
        if (room >= size + 14 + 8) CHECK(e == errc{});
        if (e != errc{}) CHECK(them.hears(frame(0xc1, us.sends("after"))) == "text after");
    }
}

TEST_CASE("own and prepared messages with a text in common alternate, window by window",
          "[deflate][7692:7.1.1][C137][server]") {
    const permessage_deflate ours, theirs;
    prepared_message         news(opcode::text, as_bytes("the news of today: " + json(300)));
    for (const bool alone : {false, true})
        for (std::uint8_t bits = 8; bits <= 15; ++bits) {
            const deflate_agreement agreed{.send_window_bits         = bits,
                                           .receive_window_bits      = 15,
                                           .send_no_context_takeover = alone};
            side<server_protocol>   us(ours, agreed);
            side<client_protocol>   them(theirs, seen_by_peer(agreed));
            const auto              hears = [&](std::string_view expected) {
                CHECK((messages(them.ws, us.out.data()) == "[" + std::string(expected) + "]"));
                us.out.clear();
            };
            for (int round = 0; round < 3; ++round) {
                const std::string own = "the news of today: mine. " + json(300);
                REQUIRE(us.ws.send(opcode::text, own, fin::yes, us.out) == errc{});
                hears(own);
                const auto wire = news.wire(us.ws);
                REQUIRE(wire);
                CHECK((*wire)[0] == std::byte{0xc1});
                REQUIRE(us.out.append(*wire));
                hears("the news of today: " + json(300));
            }
        }
}

TEST_CASE("a prepared message has one form for each window and never looks beyond its own beginning",
          "[deflate][7692:7.1.1][C134][server]") {
    const permessage_deflate deflate;
    const std::string        text = json(40'000);
    prepared_message         news(opcode::text, as_bytes(text));
    std::vector<const void*> forms;
    for (int round = 0; round < 2; ++round)
        for (std::uint8_t bits = 8; bits <= 15; ++bits) {
            side<server_protocol> us(deflate, {.send_window_bits = bits, .receive_window_bits = 15});
            const auto            wire = news.wire(us.ws);
            REQUIRE(wire);
            const auto read = trace::decoder().message(frames_of(*wire)[0].payload);
            CHECK((as_text(read.message) == text));
            CHECK(read.max_distance <= std::size_t{1} << bits);
            if (round == 0) forms.push_back(wire->data());
            else CHECK(forms[bits - 8u] == wire->data());
        }
}

TEMPLATE_TEST_CASE("a hundred thousand empty final blocks are one message, and more of them are too many",
                   "[deflate][7692:7.2.3.4][C142][S20]", client_protocol, server_protocol) {
    const permessage_deflate deflate;
    const auto               blocks = [](std::size_t n) {
        byte_vector payload;   // 03 00: final, fixed, empty
        for (std::size_t i = 0; i < n; ++i) payload.insert(payload.end(), {std::byte{3}, std::byte{0}});
        return concat(payload, bytes("f2 48 cd c9 c9 07 00"));
    };
    side<TestType> us(deflate), far(deflate);
    CHECK(us.hears(frame(0xc1, blocks(100'000))) == "text Hello");
    CHECK(us.hears(frame(0xc1, blocks(131'072))) == "text Hello");
    CHECK(us.hears(frame(0xc1, blocks(131'073))) == "failed invalid_compressed_data 1007");
    // The same with a history to be kept at each of them.
    REQUIRE(far.hears(frame(0xc2, side<peer_of<TestType>>(deflate).sends(opcode::binary, noise(40'000)))) != "");
    CHECK(far.hears(frame(0xc1, blocks(20'000))) == "text Hello");
}

TEMPLATE_TEST_CASE("what has the header of zlib or of gzip is corrupt: nothing of a peer's gets to the code that reads them",
                   "[deflate][7692:7.2.2][S39]", client_protocol, server_protocol) {
    const permessage_deflate deflate;
    CHECK(side<TestType>(deflate).hears("c1 07 f2 48 cd c9 c9 07 00") == "text Hello");
    CHECK(side<TestType>(deflate).hears("c1 09 78 9c f2 48 cd c9 c9 07 00") == "failed invalid_compressed_data 1007");
    CHECK(side<TestType>(deflate).hears("c1 11 1f 8b 08 00 00000000 00 ff f2 48 cd c9 c9 07 00") ==
          "failed invalid_compressed_data 1007");
}

TEST_CASE("zlib's functions that a codec stands on do what it expects", "[deflate][C146][S48]") {
    ::z_stream stream{};
    CHECK(deflateInit2(&stream, 6, Z_DEFLATED, -8, 8, Z_DEFAULT_STRATEGY) == Z_STREAM_ERROR);   // why 9 is used for 8
    CHECK(deflateInit2(&stream, 6, Z_DEFLATED, -9, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    ::deflateEnd(&stream);
    ::z_stream other{};
    CHECK(inflateInit2(&other, -8) == Z_OK);
    ::inflateEnd(&other);
    static_assert(deflate_backend<zlib_backend>);
}
