#include <navette/tls.hpp>

#include "support/catch.hpp"
#include "support/tls_pair.hpp"

#include <array>
#include <thread>

using namespace navette;
using namespace certificates;

TEST_CASE("a client and a server shake hands and talk", "[tls][C6]") {
    const tls::context client = client_of(), server = server_with(localhost());
    tls_pair           pair(client, server);
    REQUIRE(pair.shake_hands());
    CHECK(pair.client.send("question") == 8);
    pair.carry();
    CHECK(pair.server.plain == "question");
    CHECK(pair.server.send("answer") == 6);
    pair.carry();
    CHECK(pair.client.plain == "answer");

    const tls::facts facts = tls::facts_of(pair.client.engine);
    CHECK(std::string_view(facts.version) == "TLSv1.3");
    CHECK(std::string_view(facts.suite).starts_with("TLS_"));
    CHECK(facts.peer_certified);
    CHECK(tls::facts_of(pair.server.engine).server_name == "localhost");
    CHECK_FALSE(tls::facts_of(pair.server.engine).peer_certified);
}

TEST_CASE("facts are empty before the handshake is complete and for another kind of engine", "[tls]") {
    const tls::context client = client_of();
    const auto         engine = client.make("localhost");
    REQUIRE(engine);
    CHECK(std::string_view(tls::facts_of(*engine).version).empty());
    CHECK(tls::native_handle(*engine) != nullptr);
    CHECK(tls::native_handle(transport_engine()) == nullptr);
    CHECK(std::string_view(tls::facts_of(transport_engine()).suite).empty());
}

TEST_CASE("it does not matter how the bytes are cut", "[tls]") {
    const tls::context client = client_of(), server = server_with(localhost());
    const std::string  text   = text_of(70'000);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{1'000}, std::size_t{100'000}}) {
        tls_pair pair(client, server);
        REQUIRE(pair.shake_hands(piece));
        CHECK(pair.client.send(text) == text.size());
        CHECK(pair.server.send("short") == 5);
        REQUIRE_FALSE(pair.client.shut_down());
        pair.carry(piece);
        CHECK(pair.server.plain == text);
        CHECK(pair.server.ended);
        CHECK_FALSE(pair.server.error);
        CHECK(pair.client.plain == "short");
        CHECK_FALSE(pair.client.ended);
    }
}

TEST_CASE("one send takes at most one record, and none before the handshake is complete", "[tls]") {
    const tls::context client = client_of(), server = server_with(localhost());
    tls_pair           pair(client, server);
    const std::string  text = text_of(40'000);
    const_byte_span    rest = as_bytes(text);
    CHECK(pair.client.engine.send(rest, pair.client.out).open == false);
    CHECK(rest.size() == text.size());
    CHECK_FALSE(pair.client.out.empty());
    pair.carry();
    const auto step = pair.client.engine.send(rest, pair.client.out);
    CHECK(step.open);
    CHECK(text.size() - rest.size() == 16 * 1024);
}

TEST_CASE("a close_notify is an end, in each direction by itself", "[tls][C125]") {
    const tls::context client = client_of(), server = server_with(localhost());
    tls_pair           pair(client, server);
    REQUIRE(pair.shake_hands());
    REQUIRE_FALSE(pair.client.shut_down());
    pair.carry();
    CHECK(pair.server.ended);
    CHECK_FALSE(pair.client.ended);
    CHECK(pair.server.send("still") == 5);
    REQUIRE_FALSE(pair.server.shut_down());
    pair.carry();
    CHECK(pair.client.plain == "still");
    CHECK(pair.client.ended);
}

TEST_CASE("a factory makes engines of its context's role", "[tls]") {
    const tls::context      client  = client_of();
    const transport_factory factory = client.factory();
    CHECK(factory.make(factory.self, role::client, "localhost"));
    CHECK(factory.make(factory.self, role::server, "").error() == errc::misuse);
}

TEST_CASE("a client takes up an earlier session, in TLS 1.2 and 1.3", "[tls][client]") {
    for (const bool old : {false, true}) {
        const tls::context client = client_of();
        tls::context       server = server_with(localhost());
        if (old) SSL_CTX_set_max_proto_version(server.native_handle(), TLS1_2_VERSION);
        for (const bool resumed : {false, true, true}) {
            tls_pair pair(client, server);
            REQUIRE(pair.shake_hands());
            pair.server.send("x");
            pair.carry();
            CHECK(tls::facts_of(pair.client.engine).resumed == resumed);
            CHECK(tls::facts_of(pair.server.engine).resumed == resumed);
            CHECK(tls::facts_of(pair.client.engine).peer_certified);
        }
        tls_pair other(client, server, "127.0.0.1");
        REQUIRE(other.shake_hands());
        CHECK_FALSE(tls::facts_of(other.client.engine).resumed);   // a session belongs to its host
    }
}

TEST_CASE("the lowest version is 1.2, or what is asked for", "[tls]") {
    tls::context client = client_of(), server = server_with(localhost());
    CHECK(SSL_CTX_get_min_proto_version(client.native_handle()) == TLS1_2_VERSION);
    CHECK(SSL_CTX_get_min_proto_version(server.native_handle()) == TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(client.native_handle(), TLS1_2_VERSION);
    tls_pair old(client, server);
    REQUIRE(old.shake_hands());
    CHECK(std::string_view(tls::facts_of(old.client.engine).version) == "TLSv1.2");
    REQUIRE_FALSE(server.at_least(tls::version::tls1_3));
    tls_pair refused(client, server);
    CHECK_FALSE(refused.shake_hands());
    CHECK(refused.server.error.message() == "TLS: unsupported protocol");
    CHECK(refused.client.error.message() == "TLS: tlsv1 alert protocol version");
}

TEST_CASE("http/1.1 is agreed by ALPN, and a client that speaks other protocols alone is refused", "[tls][server]") {
    tls::context       client = client_of();
    const tls::context server = server_with(localhost());
    tls_pair           pair(client, server);
    REQUIRE(pair.shake_hands());
    const unsigned char* name = nullptr;
    unsigned             size = 0;
    SSL_get0_alpn_selected(tls::native_handle(pair.client.engine), &name, &size);
    CHECK(std::string(name, name + size) == "http/1.1");

    const unsigned char h2[] = {2, 'h', '2'};
    REQUIRE(SSL_CTX_set_alpn_protos(client.native_handle(), h2, sizeof h2) == 0);
    tls_pair refused(client, server);
    CHECK_FALSE(refused.shake_hands());
    CHECK(refused.client.error.message() == "TLS: tlsv1 alert no application protocol");
}

TEST_CASE("a client's renegotiation is refused with a warning, and the server goes on", "[tls][server]") {
    tls::context client = client_of(), server = server_with(localhost());
    SSL_CTX_set_max_proto_version(client.native_handle(), TLS1_2_VERSION);
    SSL_CTX_clear_options(client.native_handle(), SSL_OP_NO_RENEGOTIATION);
    tls_pair pair(client, server);
    REQUIRE(pair.shake_hands());
    SSL* const native = tls::native_handle(pair.client.engine);
    REQUIRE(SSL_renegotiate(native) == 1);
    pair.client.send("before");   // begins the new handshake
    pair.server.receive(pair.client.out.data());
    CHECK_FALSE(pair.server.error);
    CHECK(pair.server.send("after") == 5);
    pair.client.receive(pair.server.out.data());
    CHECK(pair.client.error.message() == "TLS: no renegotiation");   // OpenSSL as a client takes the warning so
    CHECK(SSL_total_renegotiations(tls::native_handle(pair.server.engine)) == 0);
}

TEST_CASE("keys are updated amid data, by either side", "[tls]") {
    const tls::context client = client_of(), server = server_with(localhost());
    tls_pair           pair(client, server);
    REQUIRE(pair.shake_hands());
    std::string sent;
    for (int i = 0; i < 20; ++i) {
        engine_side& from = i % 2 == 0 ? pair.client : pair.server;
        REQUIRE(SSL_key_update(tls::native_handle(from.engine), SSL_KEY_UPDATE_REQUESTED) == 1);
        const std::string text = "round " + std::to_string(i) + ";";
        CHECK(pair.client.send(text) == text.size());
        CHECK(pair.server.send(text) == text.size());
        pair.carry(3);
        sent += text;
    }
    CHECK(pair.client.plain == sent);
    CHECK(pair.server.plain == sent);
}

TEST_CASE("an update of keys is taken without room for plain bytes, and answered before what is sent next", "[tls]") {
    const tls::context client = client_of(), server = server_with(localhost());
    tls_pair           pair(client, server);
    REQUIRE(pair.shake_hands());
    REQUIRE(SSL_key_update(tls::native_handle(pair.server.engine), SSL_KEY_UPDATE_REQUESTED) == 1);
    pair.server.send("x");
    std::vector<std::byte> cipher(pair.server.out.data().begin(), pair.server.out.data().end());
    byte_span              in(cipher);
    CHECK_FALSE(pair.client.engine.receive(in, {}, pair.client.out).error);
    CHECK(in.empty());
    CHECK(SSL_get_key_update_type(tls::native_handle(pair.client.engine)) == SSL_KEY_UPDATE_NOT_REQUESTED);
    pair.client.receive({});
    CHECK(pair.client.plain == "x");
    pair.client.send("y");
    CHECK(SSL_get_key_update_type(tls::native_handle(pair.client.engine)) == SSL_KEY_UPDATE_NONE);
    pair.server.out.clear();
    pair.carry();
    CHECK(pair.server.plain == "y");
}

TEST_CASE("a changed byte anywhere ends it, with an alert", "[tls]") {
    const tls::context client = client_of(), server = server_with(localhost());
    tls_pair           pair(client, server);
    REQUIRE(pair.shake_hands());
    pair.client.send("secret");
    std::vector<std::byte> cipher(pair.client.out.data().begin(), pair.client.out.data().end());
    pair.client.out.clear();
    cipher.back() ^= std::byte{1};
    pair.server.receive(cipher);
    CHECK(pair.server.plain.empty());
    CHECK(pair.server.error.message() == "TLS: decryption failed or bad record mac");
    const std::error_code first = pair.server.error;
    pair.carry();
    CHECK(pair.client.error.message() == "TLS: sslv3 alert bad record mac");
    pair.server.error.clear();
    pair.server.receive(cipher);
    CHECK(pair.server.error == first);   // the state absorbs
    pair.server.error.clear();
    CHECK(pair.server.send("x") == 0);
    CHECK(pair.server.error == first);
}

TEST_CASE("who does not speak TLS is told from who speaks it badly", "[tls]") {
    const tls::context client = client_of(), server = server_with(localhost());
    tls_pair           pair(client, server);
    pair.client.send({});
    pair.client.receive(as_bytes("HTTP/1.1 400 Bad Request\r\n\r\n"));
    CHECK(pair.client.error.message() ==
          "TLS: wrong version number (the peer does not speak TLS on this port, or not a version that is accepted)");
    pair.server.receive(as_bytes("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    CHECK(pair.server.error.message() ==
          "TLS: http request (the peer does not speak TLS on this port, or not a version that is accepted)");
}

TEST_CASE("output that finds no room is an error, not a loss", "[tls]") {
    const tls::context     client = client_of();
    auto                   engine = client.make("localhost");
    std::array<std::byte, 100> place;
    buffer                 small{byte_span(place)};
    const_byte_span        nothing;
    REQUIRE(engine);
    CHECK(engine->send(nothing, small).error == errc::out_of_memory);
    CHECK(engine->send(nothing, small).error == errc::out_of_memory);
}

TEST_CASE("many clients use one context at the same time", "[tls]") {
    const tls::context       client = client_of(), server = server_with(localhost());
    std::vector<std::thread> threads;
    std::array<int, 4>       done{};
    for (int& mine : done)
        threads.emplace_back([&] {
            for (int i = 0; i < 10; ++i) {
                tls_pair pair(client, server);
                if (!pair.shake_hands()) return;
                pair.server.send("x");
                pair.carry();
                mine += pair.client.plain == "x" ? 1 : 0;
            }
        });
    for (auto& each : threads) each.join();
    CHECK(done == std::array{10, 10, 10, 10});
}
