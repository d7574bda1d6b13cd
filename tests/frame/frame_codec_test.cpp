#include <navette/frame/frame_codec.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/reference_frames.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

using namespace navette;
using namespace reference;

namespace {

// Gives out keys 0001020304, 0506.. and counts; fails when told so.
struct key_source {
    std::size_t calls = 0, drawn = 0;
    bool        broken = false;
    static bool fill(void* self, byte_span out) noexcept {
        auto& s = *static_cast<key_source*>(self);
        ++s.calls;
        for (std::byte& b : out) b = static_cast<std::byte>(++s.drawn);
        return !s.broken;
    }
    entropy source() { return {&fill, this}; }
};

masking_key key_number(std::size_t n) {
    masking_key made{};
    for (std::size_t i = 0; i < 4; ++i) made[i] = static_cast<std::byte>(4 * n + i + 1);
    return made;
}

// A buffer's bytes as an endpoint in the encoder's role sends them.
template <role R>
frame_encoder<R> encoder_with(key_source& keys) {
    if constexpr (R == role::client) return frame_encoder<R>(keys.source());
    else return static_cast<void>(keys), frame_encoder<R>();
}

} // namespace

static_assert(std::is_nothrow_default_constructible_v<frame_decoder<role::server>>);
static_assert(noexcept(std::declval<frame_decoder<role::client>&>().receive(std::declval<byte_span&>())));
static_assert(sizeof(frame_decoder_core) <= 136);

TEST_CASE("the RFC's example frames are decoded", "[frame_codec][6455:5.7]") {
    reader<role::client> client;
    client.read(bytes("81 05 48 65 6c 6c 6f  01 03 48 65 6c  80 02 6c 6f  89 05 48 65 6c 6c 6f"));
    CHECK(client.error == errc{});
    CHECK(client.seen == std::vector<whole_frame>{{0x81, text_bytes("Hello"), true},
                                                  {0x01, text_bytes("Hel"), true},
                                                  {0x80, text_bytes("lo"), true},
                                                  {0x89, text_bytes("Hello"), true}});
    reader<role::server> server;
    server.read(bytes("81 85 37 fa 21 3d 7f 9f 4d 51 58  8a 85 37 fa 21 3d 7f 9f 4d 51 58"));
    CHECK(server.error == errc{});
    CHECK(server.seen ==
          std::vector<whole_frame>{{0x81, text_bytes("Hello"), true}, {0x8a, text_bytes("Hello"), true}});
}

TEMPLATE_TEST_CASE("every frame gets what its first byte, mask and length deserve",
                   "[frame_codec][6455:5.1][6455:5.2][6455:5.5][C69][C70][C77][C78][C89][C94]"
                   "[S3][S44][S46][S47]",
                   as_server, as_client) {
    constexpr role R = TestType::value;
    const auto     expected = [](unsigned first, bool masked, std::size_t length, unsigned allowed) {
        const unsigned op = first & 15, rsv = first & 0x70;
        if ((op >= 3 && op <= 7) || op >= 11) return errc::reserved_opcode;
        if (op >= 8 && (first & 0x80) == 0) return errc::fragmented_control;
        if (op >= 8 && length > 125) return errc::control_too_long;
        if (masked && R == role::client) return errc::masked_server_frame;
        if (!masked && R == role::server) return errc::unmasked_client_frame;
        if ((rsv & ~allowed) != 0 || (rsv != 0 && op != 1 && op != 2)) return errc::reserved_bits;
        return errc{};
    };
    std::string wrong;
    for (const bool masked : {false, true})
        for (const std::size_t length : {0u, 1u, 125u, 126u, 65'536u}) {
            wire start = frame(0, numbered(length), masked ? &key : nullptr);
            start.resize(std::min<std::size_t>(start.size(), 150));
            for (unsigned first = 0; first < 256; ++first)   // 16 opcodes, 8 reserved bits, FIN or not
                for (const unsigned allowed : {0x00u, 0x40u, 0x20u, 0x70u}) {
                    frame_decoder<R> frames(static_cast<rsv_bits>(allowed));
                    wire             memory = start;
                    byte_span        in{memory};
                    memory[0]        = static_cast<std::byte>(first);
                    const auto piece = frames.receive(in);
                    const errc e     = expected(first, masked, length, allowed);
                    if (piece.error != e || !in.empty() || static_cast<bool>(piece) != (e == errc{}))
                        wrong += to_hex(const_byte_span(memory).first(2)) + std::to_string(allowed) + " ";
                }
        }
    CHECK(wrong == "");
}

TEMPLATE_TEST_CASE("an empty frame of every kind comes once, as soon as its header is whole",
                   "[frame_codec][6455:5.2][C84][S12]", as_server, as_client) {
    constexpr role R = TestType::value;
    for (const opcode op : opcodes)
        for (const unsigned final : {0x00u, 0x80u}) {
            if (is_control(op) && final == 0) continue;
            const unsigned first_byte = static_cast<unsigned>(op) | final;
            const wire     header     = received<R>(first_byte);
            for (std::size_t cut = 0; cut <= header.size(); ++cut) {
                reader<R> r;
                r.read(const_byte_span(header).first(cut));
                CHECK(r.seen.size() == (cut == header.size() ? 1u : 0u));
                r.read(const_byte_span(header).subspan(cut));
                r.read({});
                CHECK(r.seen == std::vector<whole_frame>{{first_byte, {}, true}});
            }
        }
}

TEMPLATE_TEST_CASE("after an error nothing is decoded any more, whatever follows",
                   "[frame_codec][6455:7.1.7][C165][S49]", as_server, as_client) {
    constexpr role R    = TestType::value;
    const wire     good = received<R>(0x81, text_bytes("good"));
    for (const wire& bad : {received<R>(0x83), received<R>(0x09), received<R>(0xc1), frame(0x89, numbered(126), &key),
                            frame(0x82, {}, R == role::server ? nullptr : &key)}) {
        frame_decoder<R> frames;
        wire             memory = concat(good, bad, good);
        byte_span        in{memory};
        CHECK(as_text(frames.receive(in).payload) == "good");
        const errc e = frames.receive(in).error;
        CHECK(e != errc{});
        CHECK(in.empty());
        for (int again = 0; again < 2; ++again) {
            wire        later = good;
            byte_span   suffix{later};
            const auto  piece = frames.receive(suffix);
            CHECK_FALSE(piece);
            CHECK(piece.error == e);
            CHECK(piece.payload.empty());
            CHECK(suffix.empty());
            CHECK(later == good);
        }
    }
}

TEMPLATE_TEST_CASE("a frame that comes in pieces tells its first, its last and what is missing",
                   "[frame_codec][6455:6.2]", as_server, as_client) {
    constexpr role   R = TestType::value;
    wire             memory = received<R>(0x82, numbered(10));
    const std::size_t header = memory.size() - 10;
    frame_decoder<R> frames;

    byte_span in = byte_span(memory).first(header);
    auto      piece = frames.receive(in);
    CHECK((piece && piece.first && !piece.last));
    CHECK(piece.payload.empty());
    CHECK(piece.remaining == 10);
    CHECK_FALSE(frames.receive(in));

    in    = byte_span(memory).subspan(header, 4);
    piece = frames.receive(in);
    CHECK((piece && !piece.first && !piece.last));
    CHECK(piece.payload.size() == 4);
    CHECK(piece.remaining == 6);

    in    = byte_span(memory).subspan(header + 4);
    piece = frames.receive(in);
    CHECK((piece && !piece.first && piece.last));
    CHECK(piece.payload.size() == 6);
    CHECK(piece.remaining == 0);
    CHECK(bytes(const_byte_span(memory).last(10)) == numbered(10));
}

TEMPLATE_TEST_CASE("a frame as long as the format allows is decoded as it comes",
                   "[frame_codec][6455:5.2][C71][S1][S15]", as_server, as_client) {
    constexpr role R      = TestType::value;
    wire           memory =
        bytes(R == role::server ? "82 ff 7fffffffffffffff 00000000 aa" : "82 7f 7fffffffffffffff aa");
    byte_span        in{memory};
    frame_decoder<R> frames;
    auto             piece = frames.receive(in);
    CHECK(piece.first);
    CHECK_FALSE(piece.last);
    CHECK(bytes(piece.payload) == bytes("aa"));
    CHECK(piece.remaining == 0x7fff'ffff'ffff'fffe);
    wire more(1'000);
    in = more;
    CHECK(frames.receive(in).remaining == 0x7fff'ffff'ffff'fffe - 1'000);
}

TEMPLATE_TEST_CASE("a payload is a view of the input; only a control frame in pieces lies in the decoder",
                   "[frame_codec][6455:6.2]", as_server, as_client) {
    constexpr role R = TestType::value;
    const auto     lies_in = [](const_byte_span part, const_byte_span whole) {
        return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
    };
    for (const unsigned first_byte : {0x82u, 0x89u}) {
        wire             memory = received<R>(first_byte, numbered(100));
        frame_decoder<R> whole, header_apart, in_pieces;
        byte_span        in = byte_span(memory);
        CHECK(lies_in(whole.receive(in).payload, memory));

        wire again = received<R>(first_byte, numbered(100));
        in         = byte_span(again).first(1);
        CHECK_FALSE(header_apart.receive(in));
        in = byte_span(again).subspan(1);
        CHECK(lies_in(header_apart.receive(in).payload, again));
    }
    wire             memory = received<R>(0x89, numbered(100));
    frame_decoder<R> frames;
    byte_span        in = byte_span(memory).first(51);
    CHECK_FALSE(frames.receive(in));
    in                      = byte_span(memory).subspan(51);
    const frame_piece piece = frames.receive(in);
    CHECK_FALSE(lies_in(piece.payload, memory));
    CHECK(bytes(piece.payload) == numbered(100));
    CHECK((piece.first && piece.last));
}

TEST_CASE("a client changes no byte of its input", "[frame_codec][6455:5.1][client]") {
    const conversation<role::client> talk(true);
    for (const std::size_t step : {1u, 3u, 50u, 10'000u}) {
        wire                       memory = talk.stream;
        frame_decoder<role::client> frames;
        std::size_t                 count = 0;
        for (std::size_t at = 0; at < memory.size(); at += step) {
            byte_span in = byte_span(memory).subspan(at, std::min(step, memory.size() - at));
            while (const auto piece = frames.receive(in)) count += piece.last;
        }
        CHECK(count == talk.sent.size());
        CHECK(memory == talk.stream);
    }
}

TEST_CASE("a server unmasks at every alignment and length, and touches nothing else",
          "[frame_codec][6455:5.3][C80][S10][S14][S45][server]") {
    std::size_t wrong = 0;
    for (std::size_t at = 0; at < 64; ++at)
        for (std::size_t length = 0; length <= 300; ++length) {
            wire memory(at, std::byte{0xa5});
            const wire framed = received<role::server>(0x82, numbered(length));
            memory.insert(memory.end(), framed.begin(), framed.end());
            memory.insert(memory.end(), 16, std::byte{0xa5});
            frame_decoder<role::server> frames;
            byte_span  in    = byte_span(memory).subspan(at, framed.size());
            const auto piece = frames.receive(in);
            wrong += bytes(piece.payload) != numbered(length) || !piece.last;
            const std::size_t body = at + framed.size() - length;
            for (std::size_t i = 0; i < memory.size(); ++i)
                if (i < at || i >= body + length) wrong += memory[i] != std::byte{0xa5};
        }
    CHECK(wrong == 0);
}

TEMPLATE_TEST_CASE("bytes that are given back come again, with the right mask", "[frame_codec][6455:5.3][S45]",
                   as_server, as_client) {
    constexpr role R = TestType::value;
    for (std::size_t size = 1; size <= 12; ++size)            // of the payload
        for (std::size_t n = 1; n <= size; ++n)               // of it, in the first piece
            for (std::size_t k = 0; k <= n; ++k) {            // of that, given back
                wire               memory = received<R>(0x82, numbered(size));
                const std::size_t  header = memory.size() - size;
                frame_decoder_core core;
                byte_span          in{memory};
                REQUIRE(core.header(in, R, rsv_bits::none).size == header);

                in = in.first(n);
                masked_piece piece = core.payload(in);
                CHECK(piece.payload.size() == n);
                if (R == role::server) apply_mask(piece.payload.first(n - k), piece.key);
                core.unread(in, k);
                CHECK(in.size() == k);
                CHECK(in.data() == memory.data() + header + n - k);
                CHECK(core.remaining() == size - n + k);
                CHECK(core.in_data_frame() == (size - n + k > 0));

                in    = byte_span(memory).subspan(header + n - k);
                piece = core.in_data_frame() ? core.payload(in) : masked_piece{};
                if (R == role::server) apply_mask(piece.payload, piece.key);
                CHECK(bytes(const_byte_span(memory).subspan(header)) == numbered(size));
                CHECK(core.between_frames());
            }
}

TEST_CASE("a core says what frame it is in", "[frame_codec][6455:5.2]") {
    frame_decoder_core core;
    CHECK(core.between_frames());
    CHECK(core.remaining() == 0);

    wire      text = bytes("41 02 61 62");
    byte_span in{text};
    CHECK(core.header(in, role::client, rsv_bits::rsv1).header.payload_length == 2);
    CHECK((core.in_data_frame() && !core.in_control_frame() && !core.between_frames()));
    CHECK(core.op() == opcode::text);
    CHECK(core.final() == fin::no);
    CHECK(core.rsv() == rsv_bits::rsv1);
    CHECK(core.remaining() == 2);
    CHECK(as_text(core.payload(in).payload) == "ab");
    CHECK(core.between_frames());

    wire ping = bytes("89 01 78");
    in        = byte_span(ping).first(1);
    CHECK(core.header(in, role::client, rsv_bits::none).size == 0);
    CHECK_FALSE(core.between_frames());
    in = byte_span(ping).subspan(1);
    CHECK(core.header(in, role::client, rsv_bits::none).size == 2);
    CHECK((core.in_control_frame() && !core.in_data_frame() && !core.between_frames()));
    CHECK(core.op() == opcode::ping);
    CHECK(core.final() == fin::yes);
    CHECK(core.remaining() == 0);
    byte_span whole;
    CHECK(core.control(in, role::client, whole));
    CHECK(as_text(whole) == "x");
}

TEMPLATE_TEST_CASE("what is encoded are the RFC's bytes: a client's masked, a server's not, at every length",
                   "[frame_codec][6455:5.1][6455:5.2][6455:5.3][C71][C73][C75][C76]", as_server, as_client) {
    constexpr role R = TestType::value;
    for (const opcode op : opcodes)
        for (const fin final : {fin::no, fin::yes})
            for (const rsv_bits rsv : {rsv_bits::none, rsv_bits::rsv1})
                for (const std::size_t length : {0u, 1u, 5u, 125u, 126u, 127u, 65'535u, 65'536u}) {
                    if (is_control(op) && length > 125) continue;
                    key_source     keys;
                    buffer         out;
                    const unsigned first_byte = static_cast<unsigned>(op) | static_cast<unsigned>(rsv) |
                                                (final == fin::yes ? 0x80u : 0u);
                    const auto     encoder = encoder_with<R>(keys);
                    CHECK(encoder.append({.op = op, .final = final, .rsv = rsv}, numbered(length), out) == errc{});
                    const masking_key first = key_number(0);
                    CHECK(out == frame(first_byte, numbered(length), R == role::client ? &first : nullptr));
                }
}

TEMPLATE_TEST_CASE("a header's mask and length follow from the role and the payload, whatever it says",
                   "[frame_codec][6455:5.1][C75][C76]", as_server, as_client) {
    constexpr role R = TestType::value;
    key_source     keys;
    buffer         out;
    const auto     encoder = encoder_with<R>(keys);
    for (const bool masked : {false, true}) {
        const frame_header h{.op = opcode::text, .masked = masked, .payload_length = 999, .key = key};
        CHECK(encoder.append(h, text_bytes("ab"), out) == errc{});
    }
    const masking_key first = key_number(0), second = key_number(1);
    const bool        masks = R == role::client;
    CHECK(out == concat(frame(0x81, text_bytes("ab"), masks ? &first : nullptr),
                        frame(0x81, text_bytes("ab"), masks ? &second : nullptr)));
}

TEST_CASE("a client draws a key of four bytes once for each frame, and uses it for that frame",
          "[frame_codec][6455:5.3][6455:10.3][C79][S43][client]") {
    key_source keys;
    buffer     out;
    const auto encoder = encoder_with<role::client>(keys);
    wire       expected;
    for (std::size_t n = 0; n < 60; ++n) {
        const unsigned    first_byte = n % 3 == 0 ? 0x89u : 0x82u;
        const masking_key drawn      = key_number(n);
        const wire        framed     = frame(first_byte, numbered(n), &drawn);
        expected.insert(expected.end(), framed.begin(), framed.end());
        const frame_header h{.op = static_cast<opcode>(first_byte & 15)};
        CHECK(encoder.append(h, numbered(n), out) == errc{});
        CHECK(keys.calls == n + 1);
        CHECK(keys.drawn == 4 * (n + 1));
    }
    CHECK(out == expected);
    CHECK(encoder.begin({.op = opcode::binary, .payload_length = 1}, out));
    CHECK(keys.calls == 61);
}

TEST_CASE("by default a client's keys come from the system and differ", "[frame_codec][6455:5.3][C79][S43][client]") {
    const frame_encoder<role::client> encoder;
    buffer                            out;
    for (int i = 0; i < 100; ++i) CHECK(encoder.append({.op = opcode::text}, {}, out) == errc{});
    std::vector<wire> drawn;
    while (!out.empty()) {
        drawn.push_back(bytes(const_byte_span(out.data().subspan(2, 4))));
        out.consume(6);
    }
    std::sort(drawn.begin(), drawn.end());
    CHECK(std::unique(drawn.begin(), drawn.end()) - drawn.begin() >= 99);   // of 2^32: one in a million runs has a pair
}

TEST_CASE("without entropy a client sends nothing, and no old key", "[frame_codec][6455:10.3][C79][S43][client]") {
    key_source keys;
    buffer     out;
    const auto encoder = encoder_with<role::client>(keys);
    REQUIRE(encoder.append({.op = opcode::text}, text_bytes("one"), out) == errc{});
    const wire before = bytes(const_byte_span(out.data()));
    keys.broken       = true;
    CHECK(encoder.append({.op = opcode::text}, text_bytes("two"), out) == errc::no_entropy);
    CHECK(encoder.append({.op = opcode::ping}, {}, out) == errc::no_entropy);
    const auto mark = encoder.begin({.op = opcode::text, .payload_length = 3}, out);
    CHECK_FALSE(mark);
    CHECK(mark.error() == errc::no_entropy);
    CHECK(out == before);
}

TEMPLATE_TEST_CASE("a fixed output takes a frame that fits, and of one that does not fit nothing",
                   "[frame_codec][C164]", as_server, as_client) {
    constexpr role R = TestType::value;
    for (const std::size_t length : {0u, 1u, 125u, 126u, 65'536u}) {
        const std::size_t header = header_size(length, R == role::client);
        for (const std::size_t missing : {0u, 1u}) {
            key_source keys;
            const auto encoder = encoder_with<R>(keys);
            wire       storage(3 + header + length - missing);
            buffer     out{storage};
            REQUIRE(out.append("abc"));
            CHECK(encoder.append({.op = opcode::binary}, numbered(length), out) ==
                  (missing == 0 ? errc{} : errc::out_of_memory));
            CHECK(out.size() == (missing == 0 ? 3 + header + length : 3));

            wire   small(3 + header - missing);
            buffer for_header{small};
            REQUIRE(for_header.append("abc"));
            const auto mark = encoder.begin({.op = opcode::binary, .payload_length = length}, for_header);
            CHECK(mark.error() == (missing == 0 ? errc{} : errc::out_of_memory));
            CHECK(for_header.size() == (missing == 0 ? 3 + header : 3));
            CHECK(as_text(for_header.data().first(3)) == "abc");
        }
    }
}

TEMPLATE_TEST_CASE("a frame that is begun and then masked in pieces is the frame that is appended whole",
                   "[frame_codec][6455:5.3][C75][C76][C80][S45]", as_server, as_client) {
    constexpr role    R      = TestType::value;
    const masking_key first  = key_number(0);
    constexpr auto    length = std::size_t{40};
    const wire        whole  = frame(0x82, numbered(length), R == role::client ? &first : nullptr);
    for (std::size_t one = 0; one <= length; ++one)
        for (std::size_t two = one; two <= length; ++two) {
            key_source keys;
            buffer     out;
            REQUIRE(out.append("abc"));
            auto mark = encoder_with<R>(keys).begin({.op = opcode::binary, .payload_length = length}, out);
            REQUIRE(mark);
            wire payload = numbered(length);
            mark->mask(byte_span(payload).first(one));
            mark->mask(byte_span(payload).subspan(one, two - one));
            mark->mask(byte_span(payload).subspan(two));
            if (mark->masked() != (R == role::client) || mark->before != out.size() ||
                concat(out.data(), payload) != concat(text_bytes("abc"), whole))
                FAIL("cut at " << one << " and " << two);
        }
    CHECK(whole.size() == length + header_size(length, R == role::client));
}

TEMPLATE_TEST_CASE("what one end encodes the other decodes", "[frame_codec][6455:5.2][6455:6.2]",
                   as_server, as_client) {
    constexpr role           R = TestType::value;
    key_source               keys;
    buffer                   out;
    std::vector<whole_frame> sent;
    const auto               encoder = encoder_with<R>(keys);
    for (const std::size_t length : {0u, 1u, 125u, 126u, 65'535u, 65'536u}) {
        REQUIRE(encoder.append({.op = opcode::binary}, numbered(length), out) == errc{});
        REQUIRE(encoder.append({.op = opcode::pong}, numbered(length % 126), out) == errc{});
        sent.push_back({0x82, numbered(length), true});
        sent.push_back({0x8a, numbered(length % 126), true});
    }
    reader<opposite(R)> peer;
    peer.read(out.data());
    CHECK(peer.error == errc{});
    CHECK(peer.seen == sent);
}
