// Compressed messages come to the same wherever the transport cuts them, and whatever window they are inflated to.
#include <navette/deflate.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/deflate_pair.hpp"
#include "support/endpoint.hpp"

#include <navette/protocol/session.hpp>

#include <string>

using namespace navette;

namespace {

// A conversation of every kind of message, from the peer of P, unmasked; and what it says.
template <class P>
byte_vector conversation(std::string& said) {
    const permessage_deflate deflate;
    endpoint<peer_of<P>>     them(agreement_on(deflate.factory(), widest));
    auto&                    ws   = them.ws;
    const auto               send = [&](opcode op, std::string_view text, fin final, navette::compress how) {
        REQUIRE(ws.send(op, text, final, them.out, how) == errc{});
        said += (op == opcode::continuation ? "" : "[") + std::string(text) + (final == fin::yes ? "]" : "");
    };
    using navette::compress;
    send(opcode::text, json(90), fin::yes, compress::always);
    send(opcode::text, "plain", fin::yes, compress::never);
    send(opcode::text, "", fin::yes, compress::always);
    send(opcode::text, json(30), fin::no, compress::always);
    REQUIRE(ws.ping(as_bytes("?"), them.out) == errc{});
    send(opcode::continuation, "", fin::no, compress::always);
    send(opcode::continuation, json(90), fin::yes, compress::always);
    send(opcode::binary, std::string(200, 'z'), fin::yes, compress::always);
    send(opcode::text, json(90), fin::yes, compress::always);
    return them.says();
}

// What a protocol or session makes of two reads.
template <class Receiver>
std::string heard(Receiver& ws, byte_vector wire, std::size_t cut) {
    std::string all;
    buffer      out;
    for (byte_span in : {byte_span(wire).first(cut), byte_span(wire).subspan(cut)})
        while (const event e = ws.receive(in, out)) {
            if (e.type == event_type::failed) all += facts(e.error).name;
            if (!e.is_message()) continue;
            all += (e.first ? "[" : "") + std::string(e.text()) + (e.last ? "]" : "");
        }
    return all;
}

} // namespace

TEMPLATE_TEST_CASE("compressed messages are the same wherever two reads divide them",
                   "[property][deflate][C92][C137][C144][S45][S50]", client_protocol, server_protocol) {
    std::string              said;
    const auto               wire = from_peer<TestType>(conversation<TestType>(said));
    const permessage_deflate deflate({.window_size = GENERATE(1u, 13u, 16'384u)});
    const agreement          agreed = agreement_on(deflate.factory(), widest);
    buffer_pool              pool;
    for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
        TestType                   pieces(agreed);
        session<role_of<TestType>> whole(TestType(agreed), pool);
        if (heard(pieces, wire, cut) != said) FAIL("cut at " << cut);
        if (heard(whole, wire, cut) != said) FAIL("whole messages, cut at " << cut);
    }
}

TEMPLATE_TEST_CASE("compressed messages that the transport breaks off are neither delivered nor a fault",
                   "[property][deflate][6455:7.1.5][C125]", client_protocol, server_protocol) {
    std::string              said;
    const auto               wire = from_peer<TestType>(conversation<TestType>(said));
    const permessage_deflate deflate;
    buffer_pool              pool;
    for (std::size_t size = 0; size < wire.size(); ++size) {
        session<role_of<TestType>> ws(TestType(agreement_on(deflate.factory(), widest)), pool);
        const auto                 first = heard(ws, byte_vector(wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(size)), size);
        if (!said.starts_with(first) || first.size() == said.size()) FAIL("cut off at " << size << ": " << first);
        buffer out;
        CHECK(ws.receive_eof(out).error == errc::truncated);
    }
}

TEMPLATE_TEST_CASE("of a compressed message with several faults the first one counts, wherever two reads divide it",
                   "[property][deflate][6455:7.1.7][C144][S19][S50]", client_protocol, server_protocol) {
    struct { const char* why; byte_vector unmasked; } const faulty[] = {
        {"message_too_big", bytes("41 0a b3 c5 ff ff ff ff ff ff ff 29")},                       // a byte, then no DEFLATE
        {"invalid_utf8", bytes("c1 12 4a 4c 4a fe ff ef ef bf bf 55 95 15 e5 65 a5 25 00 00")},   // "abc", FF, eleven more
    };
    const permessage_deflate deflate({.window_size = GENERATE(1u, 13u, 16'384u)});
    limits                   bounds;
    for (const auto& [why, unmasked] : faulty) {
        bounds.max_message_size = why == std::string("invalid_utf8") ? 7 : 0;
        const auto wire = from_peer<TestType>(unmasked);
        for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
            TestType   ws(agreement_on(deflate.factory(), widest), bounds);
            const auto said = heard(ws, wire, cut);
            if (!said.ends_with(why)) FAIL("cut at " << cut << ": " << said);
        }
    }
    CHECK(bounds.max_message_size == 7);
}
