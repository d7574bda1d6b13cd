#include <navette/libdeflate.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/deflate_pair.hpp"
#include "support/endpoint.hpp"
#include "support/inflate_trace.hpp"

#include <navette/protocol/prepared_message.hpp>

#include <string>
#include <string_view>

using namespace navette;

namespace {

template <class P>
struct side : endpoint<P> {
    template <class Deflate>
    explicit side(const Deflate& deflate, const deflate_agreement& agreed = without_takeover)
        : endpoint<P>(agreement_on(deflate.factory(), agreed)) {}

    byte_vector sends(std::string_view text) {
        REQUIRE(this->ws.send(opcode::text, text, fin::yes, this->out, navette::compress::always) == errc{});
        return this->said_frames().at(0).payload;
    }
};

// Whether libdeflate has compressed a payload: it ends with a final block and the header of an empty one.
bool is_whole(const_byte_span payload) {
    const std::string blocks = trace::decoder().message(payload).blocks;
    return blocks.size() >= 2 && blocks.back() == 's' && std::string_view("SFD").find(blocks[blocks.size() - 2]) <= 2;
}

} // namespace

static_assert(deflate_backend<libdeflate_backend>);

TEMPLATE_TEST_CASE("a whole message without context ends with a final block and an empty one's header",
                   "[libdeflate][7692:7.2.3.4][C141][C143]", client_protocol, server_protocol) {
    const permessage_libdeflate deflate;
    side<TestType>              us(deflate);
    for (const std::size_t size : {1u, 64u, 1'000u, 100'000u}) {
        const auto payload = us.sends(json(size));
        CHECK((as_text(trace::decoder().message(payload).message) == json(size)));
        CHECK(is_whole(payload));
    }
    CHECK(us.sends("") == bytes("00"));
}

TEMPLATE_TEST_CASE("zlib's side understands libdeflate's, and libdeflate's zlib's", "[libdeflate][7692:7.2][C143][C144]",
                   client_protocol, server_protocol) {
    const permessage_libdeflate whole({.window_size = GENERATE(1u, 100u, 16'384u)});
    const permessage_deflate    deflate;
    for (const deflate_agreement& agreed : {widest, without_takeover}) {
        side<TestType>          us(whole, agreed);
        side<peer_of<TestType>> them(deflate, seen_by_peer(agreed)), same(whole, seen_by_peer(agreed));
        for (std::size_t size = 0; size < 40'000; size = size * 3 / 2 + 1) {
            const auto text = json(size, static_cast<unsigned>(size));
            const auto sent = frame(0xc1, us.sends(text));
            CHECK((messages(them.ws, sent) == "[" + text + "]"));
            CHECK((messages(same.ws, sent) == "[" + text + "]"));
            CHECK((messages(us.ws, frame(0xc1, them.sends(text))) == "[" + text + "]"));
        }
        CHECK((messages(us.ws, frame(0xc1, them.sends(json(500))), 1) == "[" + json(500) + "]"));
    }
}

TEMPLATE_TEST_CASE("libdeflate serves a message of the widest window, or no longer than the window",
                   "[libdeflate][7692:7.1.2][C134][C136][S48]", client_protocol, server_protocol) {
    const permessage_libdeflate deflate;
    for (std::uint8_t bits = 8; bits <= 15; ++bits) {
        const std::size_t window = std::size_t{1} << bits;
        side<TestType>    us(deflate, {.send_window_bits            = bits,
                                       .receive_window_bits         = 15,
                                       .send_no_context_takeover    = true,
                                       .receive_no_context_takeover = true});
        for (const std::size_t size : {window - 1, window, window + 1, 3 * window}) {
            CAPTURE(bits, size);
            const std::string text = json(size / 2) + json(size - size / 2);   // its halves are the same
            const auto        sent = us.sends(text);
            const auto        read = trace::decoder().message(sent);
            CHECK((as_text(read.message) == text));
            CHECK(read.max_distance <= window);
            CHECK(is_whole(sent) == (bits == 15 || size <= window));
        }
    }
}

TEMPLATE_TEST_CASE("messages with a context, and in fragments, are zlib's", "[libdeflate][7692:7.1.1][C137]",
                   client_protocol, server_protocol) {
    const permessage_libdeflate deflate;
    side<TestType>              with(deflate, widest), without(deflate);
    CHECK_FALSE(is_whole(with.sends("Hello")));
    CHECK(with.sends("Hello") == bytes("f2 00 11 00 00"));
    REQUIRE(without.ws.send(opcode::text, "Hel", fin::no, without.out) == errc{});
    REQUIRE(without.ws.send(opcode::continuation, "lo", fin::yes, without.out) == errc{});
    const auto said = without.said_frames();
    side<peer_of<TestType>> them(deflate);
    CHECK(messages(them.ws, concat(frame(0x41, said[0].payload), frame(0x80, said[1].payload))) == "[Hello]");
    CHECK_FALSE(is_whole(concat(said[0].payload, said[1].payload)));
    CHECK(is_whole(without.sends("Hello")));
}

TEMPLATE_TEST_CASE("all of the RFC's examples are understood with libdeflate", "[libdeflate][7692:7.2.3][C143][S50]",
                   client_protocol, server_protocol) {
    const permessage_libdeflate deflate({.window_size = GENERATE(4u, 5u, 64u)});
    for (const std::size_t step : {std::size_t{1}, static_cast<std::size_t>(-1)})
        for (const char* example :
             {"c1 07 f2 48 cd c9 c9 07 00", "41 03 f2 48 cd  80 04 c9 c9 07 00", "c1 0b 00 05 00 fa ff 48 65 6c 6c 6f 00",
              "c1 08 f3 48 cd c9 c9 07 00 00", "c1 0d f2 48 05 00 00 00 ff ff ca c9 c9 07 00",
              "c1 07 f3 48 cd c9 c9 07 00"}) {
            CAPTURE(step, example);
            side<TestType> us(deflate);
            CHECK(messages(us.ws, concat(bytes(example), bytes(example), bytes("c1 01 00 c1 00")), step) ==
                  "[Hello][Hello][][]");
        }
}

TEMPLATE_TEST_CASE("corrupt data fails with libdeflate as it does with zlib", "[libdeflate][7692:7.2.2][C142][S10]",
                   client_protocol, server_protocol) {
    const permessage_libdeflate whole({.window_size = 64});
    const permessage_deflate    deflate({.window_size = 64});
    const auto                  good = side<peer_of<TestType>>(deflate).sends(json(150));
    const auto                  ours = side<peer_of<TestType>>(whole).sends(json(150));
    for (const auto& sent : {good, ours})
        for (std::size_t at = 0; at < sent.size(); ++at)
            for (const unsigned flip : {0x01u, 0x10u, 0xffu}) {
                auto changed = sent;
                changed[at] ^= static_cast<std::byte>(flip);
                side<TestType> one(whole), other(deflate);
                CHECK(messages(one.ws, frame(0xc2, changed)) == messages(other.ws, frame(0xc2, changed)));
                const auto cut = frame(0xc2, const_byte_span(sent).first(at));
                side<TestType> third(whole), fourth(deflate);
                CHECK(messages(third.ws, cut) == messages(fourth.ws, cut));
            }
}

TEMPLATE_TEST_CASE("the limit is kept with libdeflate", "[libdeflate][6455:10.4][C145][S19]", client_protocol,
                   server_protocol) {
    const permessage_libdeflate deflate;
    const auto                  payload = side<peer_of<TestType>>(deflate).sends(std::string(1'000, 'z'));
    for (const std::uint64_t most : {999u, 1'000u, 1'001u}) {
        limits bounds;
        bounds.max_message_size = most;
        endpoint<TestType> us(agreement_on(deflate.factory(), without_takeover), bounds);
        CHECK((us.hears(frame(0xc1, payload)) == "failed message_too_big 1009") == (most < 1'000));
    }
}

TEMPLATE_TEST_CASE("a message for which there is no room leaves nothing with libdeflate", "[libdeflate][C164]",
                   client_protocol, server_protocol) {
    const permessage_libdeflate deflate;
    const std::string           text = json(2'000);
    const std::size_t           size = side<TestType>(deflate).sends(text).size();
    for (std::size_t room = 0; room < size + 64; ++room) {
        byte_vector    storage(room);
        side<TestType> us(deflate);
        buffer         out{byte_span(storage)};
        const errc     e = us.ws.send(opcode::text, text, fin::yes, out);
        CHECK(e == (out.empty() ? errc::out_of_memory : errc{}));
        if (room < size) CHECK(e == errc::out_of_memory);
        if (room > size + 32) CHECK(e == errc{});
    }
}

TEST_CASE("a prepared message is libdeflate's where that may serve it", "[libdeflate][server]") {
    const permessage_libdeflate deflate;
    prepared_message            news(opcode::text, as_bytes(json(5'000)));
    for (std::uint8_t bits = 8; bits <= 15; ++bits) {
        side<server_protocol> us(deflate, {.send_window_bits = bits, .receive_window_bits = 15});
        side<client_protocol> them(deflate, {.send_window_bits = 15, .receive_window_bits = bits});
        const auto            wire = news.wire(us.ws);
        REQUIRE(wire);
        CHECK((messages(them.ws, *wire) == "[" + json(5'000) + "]"));
        CHECK(is_whole(frames_of(*wire)[0].payload) == (bits >= 13));
    }
}

TEST_CASE("libdeflate makes messages no larger than zlib does", "[libdeflate]") {
    const permessage_libdeflate whole;
    const permessage_deflate    deflate;
    side<server_protocol>       ours(whole), theirs(deflate);
    std::size_t                 with = 0, without = 0;
    for (unsigned seed = 1; seed <= 100; ++seed) {
        with += ours.sends(json(1'024, seed)).size();
        without += theirs.sends(json(1'024, seed)).size();
    }
    CHECK(with <= without);
}
