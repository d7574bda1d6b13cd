#include <navette/deflate.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/deflate_pair.hpp"
#include "support/endpoint.hpp"
#include "support/handshake.hpp"
#include "support/inflate_trace.hpp"

#include <string>

using namespace navette;

// Answers of real servers to a client's offer of permessage-deflate, from their head to the messages behind it.

namespace {

struct client {
    permessage_deflate        deflate{};
    client_options            options{.extensions = deflate.extensions()};
    played_client             handshake;
    endpoint<client_protocol> talk;

    explicit client(const std::string& parameters)
        : handshake(adding(good_answer, "Sec-WebSocket-Extensions: permessage-deflate" + parameters + "\r\n"), options),
          talk(agreed()) {}

    const agreement& agreed() const {
        REQUIRE(handshake.status == client_handshake_status::upgrade);
        return handshake.handshake.agreed();
    }
    byte_vector sends(const_byte_span message) {
        REQUIRE(talk.ws.send(opcode::binary, message, fin::yes, talk.out, compress::always) == errc{});
        const auto frames = talk.said_frames();
        REQUIRE(frames.size() == 1);
        REQUIRE(frames[0].first == 0xc2);
        return frames[0].payload;
    }
};

} // namespace

TEST_CASE("a server that lets neither side keep its context is obeyed and understood",
          "[deflate][7692:7.1.1][C137][C138][client]") {
    client us("; server_no_context_takeover; client_no_context_takeover");
    const byte_vector hello = text_bytes("Hello");
    CHECK(us.sends(hello) == bytes("f2 48 cd c9 c9 07 00"));
    CHECK(us.sends(hello) == bytes("f2 48 cd c9 c9 07 00"));
    CHECK(us.talk.hears("c1 07 f2 48 cd c9 c9 07 00  c1 07 f2 48 cd c9 c9 07 00") == "text Hello | text Hello");
    // A server that then refers to its earlier message does not keep to its own answer.
    CHECK(us.talk.hears("c1 05 f2 00 11 00 00") == "failed invalid_compressed_data 1007");
}

TEST_CASE("a server that answers with windows of 12 bits is obeyed and understood",
          "[deflate][7692:7.1.2][C133][C136][client]") {
    client us("; server_max_window_bits=12; client_max_window_bits=12");
    const std::size_t window = std::size_t{1} << 12;

    // What lies a window back may be referred to, and what lies further back may not.
    trace::decoder server;
    std::size_t    longest = 0;
    for (const std::size_t period : {window / 2, window - 300, window, window + 1, 2 * window}) {
        const auto half = noise(period, static_cast<unsigned>(period));
        const auto read = server.message(us.sends(concat(half, half)));
        CHECK((read.message == concat(half, half)));
        CHECK(read.max_distance <= window);
        longest = std::max(longest, read.max_distance);
    }
    CHECK(longest >= window / 3);

    // And the server's messages, compressed with a window as wide, are read.
    const permessage_deflate  theirs;
    endpoint<server_protocol> peer(agreement_on(theirs.factory(), {.send_window_bits = 12, .receive_window_bits = 12}));
    const std::string         text = json(3 * window);
    for (int i = 0; i < 2; ++i) {
        REQUIRE(peer.ws.send(opcode::text, text, fin::yes, peer.out, compress::always) == errc{});
        CHECK(us.talk.hears_raw(bytes(peer.out.data())).find(text) != std::string::npos);
        peer.out.clear();
    }
}
