#include <navette/deflate_codec.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/counted_allocator.hpp"
#include "support/deflate_pair.hpp"
#include "support/endpoint.hpp"
#include "support/handshake.hpp"

#include <navette/deflate.hpp>
#include <navette/protocol/prepared_message.hpp>

#include <list>
#include <string>
#include <thread>
#include <vector>

using namespace navette;

namespace {

// One side of a connection, and what it is to say and hear.
template <class P>
struct side : endpoint<P> {
    explicit side(const permessage_deflate& deflate, const deflate_agreement& agreed = widest)
        : endpoint<P>(agreement_on(deflate.factory(), agreed)) {}

    bool sends(std::string_view text, fin final = fin::yes, opcode op = opcode::text) {
        return this->ws.send(op, text, final, this->out, navette::compress::always) == errc{};
    }
};

// What compressed frames of a peer say to this side.
template <class P>
byte_vector compressed(std::string_view text, const deflate_agreement& agreed = without_takeover) {
    const permessage_deflate deflate;
    side<peer_of<P>>         them(deflate, agreed);
    REQUIRE(them.sends(text));
    return them.says();
}

std::size_t memory_of(const permessage_deflate& deflate) { return deflate.counters().memory; }

constexpr deflate_agreement windows(std::uint8_t send, std::uint8_t receive, bool alone = false) {
    return {.send_window_bits            = send,
            .receive_window_bits         = receive,
            .send_no_context_takeover    = alone,
            .receive_no_context_takeover = alone};
}

// What zlib takes for a compressor, and for a decompressor with its window, to a tenth.
constexpr std::size_t compressor_size(unsigned window, unsigned memory) {
    return (std::size_t{1} << (window + 2)) + (std::size_t{1} << (memory + 9));
}
constexpr std::size_t decompressor_size(unsigned window) { return 7'000 + (std::size_t{1} << window); }

} // namespace

TEST_CASE("the extension says to the handshake and the protocol what its options say", "[deflate_codec]") {
    const permessage_deflate plain, special({.threshold = 7, .allocation = allocate::eagerly});
    CHECK(plain.factory().name == "permessage-deflate");
    CHECK(plain.factory().rsv == rsv_bits::rsv1);
    CHECK(plain.factory().threshold == 64);
    CHECK_FALSE(plain.factory().eager);
    CHECK(special.factory().threshold == 7);
    CHECK(special.factory().eager);
    CHECK(special.options().threshold == 7);
    REQUIRE(plain.extensions().size() == 1);
    CHECK(plain.extensions()[0] == &plain.factory());
}

TEST_CASE("a server takes the first acceptable of several offers, over several lines",
          "[deflate_codec][7692:5][C130][server]") {
    const permessage_deflate deflate;
    server_options           options = any_origin;
    options.extensions               = deflate.extensions();
    const auto answer                = [&](std::string_view lines) {
        played_server server(adding(good_request, lines), options);
        REQUIRE(server.status == handshake_status::upgrade);
        const auto agreed = server.handshake.accept();
        REQUIRE(agreed);
        CHECK(static_cast<bool>(agreed_deflate(*agreed)) == (agreed->extension != nullptr));
        const auto written = server.handshake.response().fields.find("Sec-WebSocket-Extensions");
        return written ? std::string(*written) : "none";
    };
    const std::string name = "Sec-WebSocket-Extensions: ";
    CHECK(answer("") == "none");
    CHECK(answer(name + "permessage-deflate\r\n") == "permessage-deflate");
    CHECK(answer(name + "permessage-deflate; what, permessage-deflate; server_max_window_bits=10, permessage-deflate\r\n") ==
          "permessage-deflate; server_max_window_bits=10");
    CHECK(answer(name + "x-webkit-deflate-frame, permessage-deflate; client_max_window_bits=\"9\"\r\n") ==
          "permessage-deflate; client_max_window_bits=9");
    CHECK(answer(name + "permessage-deflate; server_max_window_bits=7\r\n" + name +
                 "permessage-deflate; server_max_window_bits\r\n" + name +
                 "permessage-deflate; server_no_context_takeover\r\n") == "permessage-deflate; server_no_context_takeover");
    // To decline all is no error.
    CHECK(answer(name + "permessage-deflate; what, Permessage-Deflate, permessage-deflate; client_max_window_bits=16\r\n") ==
          "none");
}

TEST_CASE("a client offers, and opens or fails by what the server answers",
          "[deflate_codec][7692:5.1][C129][C133][C138][client]") {
    const permessage_deflate deflate({.receive_window_bits = 12, .threshold = 0});
    client_options           options;
    options.extensions = deflate.extensions();
    const auto outcome = [&](std::string_view answer) {
        const auto    line = "Sec-WebSocket-Extensions: " + std::string(answer) + "\r\n";
        played_client client(answer.empty() ? good_answer : adding(good_answer, line), options);
        CHECK(to_string(client.out.data()).find("Sec-WebSocket-Extensions: permessage-deflate; "
                                                "server_max_window_bits=12; client_max_window_bits\r\n") !=
              std::string::npos);
        if (client.status != client_handshake_status::upgrade) return std::string(facts(client.error()).name);
        const auto agreed = agreed_deflate(client.handshake.agreed());
        return agreed ? std::to_string(agreed.send_window_bits) + "/" + std::to_string(agreed.receive_window_bits)
                      : "plain";
    };
    CHECK(outcome("") == "plain");
    CHECK(outcome("permessage-deflate; server_max_window_bits=11; client_max_window_bits=9") == "9/11");
    CHECK(outcome("permessage-deflate") == "extension_refused");
    CHECK(outcome("permessage-deflate; server_max_window_bits=13") == "extension_refused");
    CHECK(outcome("permessage-deflate; server_max_window_bits=12; client_max_window_bits") == "extension_refused");
    CHECK(outcome("permessage-deflate; server_max_window_bits=12; unknown") == "extension_refused");
    CHECK(outcome("permessage-deflate; server_max_window_bits=12, permessage-deflate; server_max_window_bits=12") ==
          "unoffered_extension");
    CHECK(outcome("permessage-inflate") == "unoffered_extension");
}

TEMPLATE_TEST_CASE("there is no memory before the first compressed message, and then for its direction alone",
                   "[deflate_codec][S24]", client_protocol, server_protocol) {
    const permessage_deflate deflate;
    side<TestType>           us(deflate);
    us.hears("81 01 61");
    REQUIRE(us.ws.send(opcode::text, "short", fin::yes, us.out) == errc{});
    CHECK(memory_of(deflate) == 0);
    REQUIRE(us.sends(""));   // an empty message needs no compressor
    CHECK(memory_of(deflate) < 1'000);
    REQUIRE(us.sends("Hello"));
    const auto sending = memory_of(deflate);
    CHECK(sending > compressor_size(15, 8));
    CHECK(sending < compressor_size(15, 8) * 11 / 10);
    CHECK(us.hears("c1 07 f2 48 cd c9 c9 07 00") == "text Hello");
    const auto both = memory_of(deflate) - sending;
    CHECK(both > decompressor_size(15) + 16 * 1'024);
    CHECK(both < (decompressor_size(15) + 16 * 1'024) * 11 / 10);
}

TEMPLATE_TEST_CASE("eagerly all memory is taken with the connection, the windows included, and none later",
                   "[deflate_codec][S24]", client_protocol, server_protocol) {
    const bool        alone = GENERATE(false, true);
    counted_allocator counted;
    {
        const permessage_deflate deflate({.allocation = allocate::eagerly, .allocator = counted.hook()});
        side<TestType>           us(deflate, windows(15, 15, alone));
        const auto               taken = counted.takes;
        CHECK(counted.live > compressor_size(15, 8) + decompressor_size(15) + 16 * 1'024);
        for (int i = 0; i < 3; ++i) {
            REQUIRE(us.sends(json(50'000)));
            us.out.clear();
            REQUIRE(us.sends("a", fin::no));
            REQUIRE(us.sends(json(50'000), fin::yes, opcode::continuation));
            us.out.clear();
            us.hears(compressed<TestType>(json(50'000)));
            us.hears("c1 08 f3 48 cd c9 c9 07 00 00");
            us.ws.release_when_idle();
        }
        CHECK(us.ws.state() == connection_state::open);
        CHECK(counted.takes == taken);
        CHECK(counted.gives == 0);
    }
    CHECK(counted.live == 0);
    CHECK(counted.wrong == 0);
}

TEMPLATE_TEST_CASE("all memory comes from the application's allocator, and all goes back",
                   "[deflate_codec][C128][S24]", client_protocol, server_protocol) {
    counted_allocator counted;
    {
        const permessage_deflate deflate({.allocator = counted.hook()});
        for (int i = 0; i < 200; ++i) {
            side<TestType> us(deflate, windows(15, 15, i % 2 == 0));
            REQUIRE(us.sends(json(100), i % 3 == 0 ? fin::no : fin::yes));
            us.hears(i % 5 == 0 ? bytes("41 03 f2 48 cd") : bytes("c1 07 f2 48 cd c9 c9 07 00"));
            CHECK(counted.live == memory_of(deflate));
        }
        // What is left waits for the next message without a context.
        CHECK(counted.live < compressor_size(15, 8) * 11 / 10 + decompressor_size(15) * 11 / 10);
    }
    CHECK(counted.takes == counted.gives);
    CHECK(counted.live == 0);
    CHECK(counted.wrong == 0);
}

TEMPLATE_TEST_CASE("connections of a thread that keep no context share one compressor and one decompressor",
                   "[deflate_codec][C137]", client_protocol, server_protocol) {
    std::vector<std::byte>    window(4'096);
    const permessage_deflate  deflate({.window = window});
    std::list<side<TestType>> connections;
    const auto                hello = compressed<TestType>("Hello");
    for (int i = 0; i < 100; ++i) {
        connections.emplace_back(deflate, without_takeover);
        REQUIRE(connections.back().sends(json(500)));
        CHECK(connections.back().hears(hello) == "text Hello");
    }
    const auto one = compressor_size(15, 8) + decompressor_size(15);
    CHECK(memory_of(deflate) < one * 11 / 10 + 100 * 200);

    // Of two messages under way at once each has its own.
    REQUIRE(connections.front().sends("a", fin::no));
    const auto before = memory_of(deflate);
    REQUIRE(connections.back().sends("b", fin::no));
    CHECK(memory_of(deflate) > before + compressor_size(15, 8));
}

TEMPLATE_TEST_CASE("messages of many connections without context do not mix", "[deflate_codec][C137]", client_protocol,
                   server_protocol) {
    const permessage_deflate           deflate, theirs;
    std::list<side<TestType>>          us;
    std::list<side<peer_of<TestType>>> them;
    for (int i = 0; i < 5; ++i) {
        us.emplace_back(deflate, windows(static_cast<std::uint8_t>(11 + i), 15, true));
        them.emplace_back(theirs, seen_by_peer(windows(static_cast<std::uint8_t>(11 + i), 15, true)));
    }
    for (int piece = 0; piece < 4; ++piece) {
        auto peer = them.begin();
        for (auto& one : us) {
            const auto text = json(3'000, static_cast<unsigned>(piece));
            REQUIRE(one.sends(text, piece == 3 ? fin::yes : fin::no, piece == 0 ? opcode::text : opcode::continuation));
            CHECK((peer++->hears(one.says()).ends_with(text)));
        }
    }
}

TEMPLATE_TEST_CASE("a quiet connection gives back its memory, except what the peer may refer to",
                   "[deflate_codec][7692:7.1.1]", client_protocol, server_protocol) {
    const permessage_deflate deflate, theirs;
    side<TestType>           us(deflate);
    side<peer_of<TestType>>  them(theirs);
    const std::string        text = json(1'000);
    for (int round = 0; round < 3; ++round) {
        REQUIRE(us.sends(text));
        CHECK(them.hears(us.says()) == "text " + text);
        REQUIRE(them.sends(text));
        const auto said = them.says();
        CHECK((round == 0 || said.size() < 50));   // it refers to the message before
        CHECK(us.hears(said) == "text " + text);
        us.ws.release_when_idle();
        CHECK(memory_of(deflate) >= 1'000);
        CHECK(memory_of(deflate) < 1'000 * (std::size_t{1} + static_cast<unsigned>(round)) + 500);
    }
    // Within a message nothing of its direction is given back.
    REQUIRE(us.sends("one ", fin::no));
    auto said = us.says();
    us.ws.release_when_idle();
    CHECK(memory_of(deflate) > compressor_size(15, 8));
    REQUIRE(us.sends("two", fin::yes, opcode::continuation));
    CHECK(them.hears(concat(said, us.says())) == "text(first) one  | text(last) two");
    REQUIRE(them.sends("one ", fin::no));
    CHECK(us.hears(them.says()) == "text(first) one ");
    us.ws.release_when_idle();
    CHECK(memory_of(deflate) > decompressor_size(15));
    REQUIRE(them.sends("two", fin::yes, opcode::continuation));
    CHECK(us.hears(them.says()) == "text(last) two");
}

TEMPLATE_TEST_CASE("where the peer keeps no context a quiet connection gives back everything",
                   "[deflate_codec][7692:7.1.1]", client_protocol, server_protocol) {
    permessage_deflate deflate;
    side<TestType>     us(deflate, {.send_window_bits            = 15,
                                    .receive_window_bits         = 15,
                                    .receive_no_context_takeover = true});
    REQUIRE(us.sends(json(1'000)));
    us.hears(compressed<TestType>(json(1'000)));
    us.ws.release_when_idle();
    deflate.release_idle();
    CHECK(memory_of(deflate) < 200);
    REQUIRE(us.sends(json(1'000)));
}

TEMPLATE_TEST_CASE("released after each message, the memory of many connections is their peers' history",
                   "[deflate_codec][7692:7.1.1]", client_protocol, server_protocol) {
    std::vector<std::byte>             window(4'096);
    const permessage_deflate           deflate({.release_when_idle = true, .window = window}), theirs;
    std::list<side<TestType>>          us;
    std::list<side<peer_of<TestType>>> them;
    const std::string                  text = json(700);
    for (int i = 0; i < 50; ++i) {
        us.emplace_back(deflate);
        them.emplace_back(theirs);
    }
    for (std::size_t round = 1; round <= 3; ++round) {
        auto peer = them.begin();
        for (auto& one : us) {
            REQUIRE(one.sends(text));
            CHECK(peer->hears(one.says()) == "text " + text);
            REQUIRE(peer->sends(text));
            CHECK(one.hears(peer->says()) == "text " + text);
            ++peer;
        }
        const auto shared = (compressor_size(15, 8) + decompressor_size(15)) * 11 / 10;
        CHECK(memory_of(deflate) < shared + 50 * (round * 700 + 200));
    }
}

TEMPLATE_TEST_CASE("history that cannot be kept keeps its decompressor", "[deflate_codec][C164]", client_protocol,
                   server_protocol) {
    counted_allocator        counted;
    const permessage_deflate deflate({.allocator = counted.hook()});
    side<TestType>           us(deflate);
    CHECK(us.hears("c1 07 f2 48 cd c9 c9 07 00") == "text Hello");
    counted.refused_from = 0;
    us.ws.release_when_idle();
    counted.refused_from = counted_allocator::never;
    CHECK(memory_of(deflate) > decompressor_size(15));
    CHECK(us.hears("c1 05 f2 00 11 00 00") == "text Hello");
}

TEST_CASE("once the memory is in use, new connections agree to no context takeover, and are counted",
          "[deflate_codec][7692:7.1.1][C138][server]") {
    permessage_deflate deflate({.max_memory = 100'000});
    server_options     options = any_origin;
    options.extensions         = deflate.extensions();
    const auto answer          = [&] {
        played_server server(adding(good_request, "Sec-WebSocket-Extensions: permessage-deflate\r\n"), options);
        const auto    agreed = server.handshake.accept();
        REQUIRE(agreed);
        return std::string(server.handshake.response().fields.find("Sec-WebSocket-Extensions").value_or(""));
    };
    CHECK(answer() == "permessage-deflate");
    CHECK(deflate.counters().without_takeover == 0);
    {
        side<server_protocol> first(deflate);
        REQUIRE(first.sends("Hello"));
        CHECK(answer() == "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
        CHECK(answer() == "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
        CHECK(deflate.counters().without_takeover == 2);
    }
    CHECK(answer() == "permessage-deflate");
    CHECK(deflate.counters().without_takeover == 2);
}

TEST_CASE("once the memory is in use, a client asks for no context takeover", "[deflate_codec][7692:7.1.1][client]") {
    permessage_deflate deflate({.max_memory = 100'000});
    client_options     options;
    options.extensions     = deflate.extensions();
    const auto agreed_with = [&](std::string_view answer) {
        played_client client(adding(good_answer, "Sec-WebSocket-Extensions: " + std::string(answer) + "\r\n"), options);
        REQUIRE(client.status == client_handshake_status::upgrade);
        const bool asked =
            to_string(client.out.data())
                .find("permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max") !=
            std::string::npos;
        CHECK(asked == (memory_of(deflate) > 100'000));
        return agreed_deflate(client.handshake.agreed());
    };
    CHECK(agreed_with("permessage-deflate") == widest);
    side<client_protocol> first(deflate);
    REQUIRE(first.sends("Hello"));
    CHECK(agreed_with("permessage-deflate; server_no_context_takeover; client_no_context_takeover") == without_takeover);
    // A server that does not grant it is no reason to fail; this side keeps no context all the same.
    CHECK(agreed_with("permessage-deflate") == deflate_agreement{.send_window_bits         = 15,
                                                                 .receive_window_bits      = 15,
                                                                 .send_no_context_takeover = true});
    CHECK(deflate.counters().without_takeover == 2);
}

TEMPLATE_TEST_CASE("once the memory is in use, connections that agreed to a context send without",
                   "[deflate_codec][7692:7.1.1]", client_protocol, server_protocol) {
    permessage_deflate                 deflate({.max_memory = 600'000}), theirs;
    std::list<side<TestType>>          us;
    std::list<side<peer_of<TestType>>> them;
    for (int i = 0; i < 20; ++i) {
        us.emplace_back(deflate);
        them.emplace_back(theirs);
    }
    for (int round = 0; round < 3; ++round) {
        auto peer = them.begin();
        for (auto& one : us) {
            REQUIRE(one.sends(json(600)));
            CHECK(peer++->hears(one.says()) == "text " + json(600));
        }
    }
    // Three have their own, and one more is shared.
    CHECK(memory_of(deflate) < 600'000 + 2 * compressor_size(15, 8) * 11 / 10);
}

TEST_CASE("a prepared message takes a compressor for a moment", "[deflate_codec][server]") {
    const deflate_options    lazy{}, eager{.allocation = allocate::eagerly};
    for (const deflate_options& options : {lazy, eager}) {
        permessage_deflate deflate(options);
        prepared_message   news(opcode::text, as_bytes(json(500)));
        {
            side<server_protocol> us(deflate, windows(12, 12));
            const auto            before = memory_of(deflate);
            REQUIRE(news.wire(us.ws));
            CHECK(memory_of(deflate) > before + compressor_size(12, 8));
            const auto made = memory_of(deflate);
            prepared_message more(opcode::text, as_bytes(json(600)));
            REQUIRE(more.wire(us.ws));
            CHECK(memory_of(deflate) == made);
        }
        deflate.release_idle();
        CHECK(memory_of(deflate) == 0);
    }
}

TEMPLATE_TEST_CASE("whichever piece of memory is refused, it is an error code and nothing is lost",
                   "[deflate_codec][C128][C164][S42]", client_protocol, server_protocol) {
    const allocate when  = GENERATE(allocate::lazily, allocate::eagerly);
    const bool     alone = GENERATE(false, true);
    std::size_t    n     = 0;
    for (bool complete = false; !complete; ++n) {
        REQUIRE(n < 100);
        counted_allocator counted{.refused_from = n};
        {
            const permessage_deflate deflate({.allocation = when, .allocator = counted.hook()});
            side<TestType>           us(deflate, windows(15, 15, alone));
            const bool               sent  = us.sends("Hello");
            const auto               heard = us.hears(compressed<TestType>("Hello"));
            complete                       = sent && heard == "text Hello";
            if (!sent) CHECK(us.said_frames().size() <= 1);
            if (heard != "text Hello") CHECK(heard == "failed out_of_memory 1011");
        }
        CHECK(counted.live == 0);
    }
    CHECK(n > 6);
}

TEMPLATE_TEST_CASE("what has passed is counted, both ways", "[deflate_codec]", client_protocol, server_protocol) {
    const permessage_deflate deflate;
    side<TestType>           us(deflate);
    REQUIRE(us.sends("Hello"));
    REQUIRE(us.sends("Hello"));
    us.hears("c1 07 f2 48 cd c9 c9 07 00  41 03 f2 00 11  80 02 00 00  81 01 61");
    const deflate_counters c = deflate.counters();
    CHECK(c.sent == 10);
    CHECK(c.sent_compressed == 12);
    CHECK(c.received == 10);
    CHECK(c.received_compressed == 12);
}

TEST_CASE("threads may share an extension", "[deflate_codec][S40]") {
    const permessage_deflate deflate;
    prepared_message         unused(opcode::text, {});
    std::vector<std::string> failures(4);
    std::vector<std::thread> threads;
    for (unsigned who = 0; who < 4; ++who)
        threads.emplace_back([&, who] {
            const auto                agreed = windows(15, 15, who % 2 == 0);
            endpoint<server_protocol> server(agreement_on(deflate.factory(), agreed));
            endpoint<client_protocol> client(agreement_on(deflate.factory(), seen_by_peer(agreed)));
            for (unsigned i = 0; i < 200; ++i) {
                const auto text = json(300 + i, who);
                if (server.ws.send(opcode::text, text, fin::yes, server.out) != errc{}) failures[who] += "not sent ";
                if (client.hears(server.says()) != "text " + text) failures[who] += "not heard ";
            }
        });
    for (auto& t : threads) t.join();
    CHECK(failures == std::vector<std::string>(4));
    CHECK(deflate.counters().received == deflate.counters().sent);
}
