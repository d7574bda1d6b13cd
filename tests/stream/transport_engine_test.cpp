#include <navette/stream/transport_engine.hpp>

#include "support/bytes.hpp"
#include "support/failing_stream.hpp"
#include "support/memory_stream.hpp"
#include "support/scripted_stream.hpp"
#include "support/toy_engine.hpp"

#include <array>
#include <string>
#include <thread>

using namespace navette;

namespace {

// Reads until the end or an error.
template <class S>
std::pair<std::string, std::error_code> read_all(S& s, std::size_t at_a_time = 1000) {
    std::string            text;
    std::vector<std::byte> place(at_a_time);
    for (;;) {
        const auto got = s.read_some(place);
        if (!got) return {text, got.error()};
        if (*got == 0) return {text, {}};
        text += as_text(const_byte_span(place).first(*got));
    }
}

template <class S>
std::error_code write_text(S& s, std::string_view text) {
    while (!text.empty()) {
        const auto n = s.write_some(as_bytes(text));
        if (!n) return n.error();
        text.remove_prefix(*n);
    }
    return {};
}

std::string all_bytes() {
    std::string text;
    for (int i = 0; i < 2'000; ++i) text += static_cast<char>(i);
    return text;
}

std::shared_ptr<script> peer_says(std::vector<std::byte> bytes) {
    auto s = std::make_shared<script>();
    if (!bytes.empty()) s->say(std::move(bytes));
    return s;
}

} // namespace

TEST_CASE("two engine streams talk over a stream, handshake, data and clean end", "[transport_engine]") {
    auto [a, b] = memory_stream::make_pair();
    engine_stream client(std::move(a), toy_engine::make());
    engine_stream server(std::move(b), toy_engine::make());
    std::thread   echo([&] {
        const auto [text, error] = read_all(server);
        static_cast<void>(write_text(server, text));
        server.shutdown_write();
    });
    CHECK_FALSE(write_text(client, all_bytes()));
    client.shutdown_write();
    const auto [text, error] = read_all(client, 7);
    echo.join();
    CHECK_FALSE(error);
    CHECK(text == all_bytes());
}

TEST_CASE("engine streams nest", "[transport_engine]") {
    auto [a, b] = memory_stream::make_pair();
    engine_stream client(engine_stream(std::move(a), toy_engine::make()), toy_engine::make());
    engine_stream server(engine_stream(std::move(b), toy_engine::make()), toy_engine::make());
    std::thread   echo([&] {
        const auto [text, error] = read_all(server);
        static_cast<void>(write_text(server, text));
        server.shutdown_write();
    });
    CHECK_FALSE(write_text(client, all_bytes()));
    client.shutdown_write();
    const auto [text, error] = read_all(client);
    echo.join();
    CHECK_FALSE(error);
    CHECK(text == all_bytes());
}

TEST_CASE("a write waits for the engine's handshake, of which it sends the first flight", "[transport_engine]") {
    auto          s = peer_says(bytes("48"));
    engine_stream stream(scripted_stream(s), toy_engine::make());
    CHECK(*stream.write_some(as_bytes("a")) == 1);
    CHECK(s->written == bytes("48 3b"));
    CHECK(s->reads == 1);
}

TEST_CASE("an engine's handshake is completed by itself, and only once", "[transport_engine]") {
    auto [a, b] = memory_stream::make_pair();
    engine_stream client(std::move(a), toy_engine::make());
    engine_stream server(std::move(b), toy_engine::make());
    std::error_code peer_error = errc::misuse;
    std::thread     peer([&] { peer_error = server.handshake(); });
    CHECK_FALSE(client.handshake());
    peer.join();
    CHECK_FALSE(peer_error);
    CHECK_FALSE(client.handshake());
    CHECK_FALSE(write_text(client, "x"));
    std::array<std::byte, 4> place;
    CHECK(*server.read_some(place) == 1);
}

TEST_CASE("an engine's handshake that the transport cuts off is a truncation", "[transport_engine]") {
    auto s = peer_says({});
    s->end();
    engine_stream stream(scripted_stream(s), toy_engine::make());
    CHECK(stream.handshake() == errc::tls_truncated);
    CHECK(stream.handshake() == errc::tls_truncated);
}

TEST_CASE("an engine is known by its table", "[transport_engine]") {
    const transport_engine engine = toy_engine::make();
    static const transport_engine_table other{};
    CHECK(engine.state_of(toy_engine::table) != nullptr);
    CHECK(engine.state_of(other) == nullptr);
    CHECK(transport_engine().state_of(other) == nullptr);
}

TEST_CASE("one write sends at most one record", "[transport_engine]") {
    auto          s = peer_says(bytes("48"));
    engine_stream stream(scripted_stream(s), toy_engine::make());
    CHECK(*stream.write_some(as_bytes(std::string(1'000, 'a'))) == 100);
}

TEST_CASE("a gather write sends a record of each piece, with one write", "[transport_engine]") {
    auto          s = peer_says(bytes("48"));
    engine_stream stream(scripted_stream(s), toy_engine::make());
    CHECK(*stream.write_some(as_bytes("-")) == 1);
    std::size_t writes = 0;
    s->on_write        = [&](script&) { ++writes; };
    const std::string   long_text(1'000, 'a');
    const std::array<const_byte_span, 4> pieces{as_bytes("head"), {}, as_bytes(long_text), as_bytes("never")};
    CHECK(*stream.write_some(pieces) == 104);
    CHECK(writes == 1);
    static_assert(gather_stream<engine_stream<scripted_stream>>);
}

TEST_CASE("the end of the stream below before the engine's own end is a truncation", "[transport_engine][C125]") {
    auto s = peer_says(bytes("48 3b"));
    s->end();
    engine_stream stream(scripted_stream(s), toy_engine::make());
    const auto [text, error] = read_all(stream);
    CHECK(text == "a");
    CHECK(error == errc::tls_truncated);
}

TEST_CASE("the engine's own end is the end of the stream, said as often as it is asked", "[transport_engine]") {
    auto          s = peer_says(bytes("48 3b e502 3b"));
    engine_stream stream(scripted_stream(s), toy_engine::make());
    CHECK(read_all(stream) == std::pair<std::string, std::error_code>("a", {}));
    CHECK(read_all(stream) == std::pair<std::string, std::error_code>("", {}));
}

TEST_CASE("what the engine owes the peer leaves inside a read", "[transport_engine]") {
    auto s = peer_says(bytes("48 3b e503 3b e502"));
    engine_stream stream(scripted_stream(s), toy_engine::make());
    CHECK(read_all(stream).first == "aa");
    CHECK(s->written == bytes("48 e504"));
}

TEST_CASE("an engine's error comes after the record that explains it, and stays", "[transport_engine]") {
    auto          s = peer_says(bytes("47"));
    engine_stream stream(scripted_stream(s), toy_engine::make());
    CHECK(read_all(stream).second == errc::bad_start_line);
    CHECK(s->written == bytes("48 e505"));
    CHECK(write_text(stream, "a") == errc::bad_start_line);
    stream.shutdown_write();
    CHECK(s->written == bytes("48 e505"));
    CHECK(s->order.empty());
}

TEST_CASE("a write that waits for the handshake meets the peer's error", "[transport_engine]") {
    auto          s = peer_says(bytes("47"));
    engine_stream stream(scripted_stream(s), toy_engine::make());
    CHECK(write_text(stream, "a") == errc::bad_start_line);
}

TEST_CASE("a read that timed out leaves an engine stream usable", "[transport_engine]") {
    auto s = peer_says(bytes("48"));
    s->say(bytes("3b"), seconds(5));
    engine_stream stream(scripted_stream(s), toy_engine::make());
    stream.read_expires_at(stream.now() + seconds(1));
    std::byte b{};
    CHECK(stream.read_some({&b, 1}).error() == std::errc::timed_out);
    stream.read_expires_at(instant::never());
    CHECK(*stream.read_some({&b, 1}) == 1);
    CHECK(b == std::byte{'a'});
}

TEST_CASE("a write that must read first waits until the write deadline", "[transport_engine]") {
    auto          s = peer_says({});
    const instant start = s->clock;
    engine_stream stream(scripted_stream(s), toy_engine::make());
    stream.write_expires_at(start + seconds(2));
    CHECK(write_text(stream, "a") == std::errc::timed_out);
    CHECK(s->clock == start + seconds(2));
}

TEST_CASE("a read that owes output waits until the read deadline for it to leave", "[transport_engine]") {
    auto s = peer_says(bytes("48"));
    s->takes = 0;
    const instant start = s->clock;
    engine_stream stream(scripted_stream(s), toy_engine::make());
    stream.read_expires_at(start + seconds(2));
    std::byte b{};
    CHECK(stream.read_some({&b, 1}).error() == std::errc::timed_out);
    CHECK(s->clock == start + seconds(2));
}

TEST_CASE("shutdown sends the engine's end before the stream's", "[transport_engine][C119]") {
    auto          s = peer_says(bytes("48"));
    engine_stream stream(scripted_stream(s), toy_engine::make());
    CHECK_FALSE(write_text(stream, "a"));
    stream.shutdown_write();
    CHECK(s->written == bytes("48 3b e502"));
    CHECK(s->order == "shutdown ");
    stream.close();
    CHECK(s->order == "shutdown close");
}

TEST_CASE("every failing call under an engine stream is its error", "[transport_engine][C128]") {
    for (std::size_t at = 1; at <= 8; ++at) {
        auto s = peer_says(bytes("48 3b e503 3b"));
        s->say(bytes("e502"));
        auto plan = std::make_shared<failing_plan>();
        plan->fail_at = at;
        engine_stream stream(failing_stream(scripted_stream(s), plan), toy_engine::make());
        std::error_code error = write_text(stream, "b");
        if (!error) error = read_all(stream).second;
        CAPTURE(at);
        CHECK((error == std::errc::io_error) == plan->failed);
        CHECK_FALSE(plan->used_after_failure);
        stream.close();
    }
}

TEST_CASE("an engine stream works on single bytes", "[transport_engine]") {
    auto s = peer_says(bytes("48 e501 3b e503 e502"));
    auto plan = std::make_shared<failing_plan>();
    plan->most = 1;
    engine_stream stream(failing_stream(scripted_stream(s), plan), toy_engine::make());
    CHECK(read_all(stream, 1).first == "\xbf" "a");
    CHECK(s->written == bytes("48 e504"));
}

TEST_CASE("a factory makes an engine for the host it is told", "[transport_engine]") {
    std::string  host;
    const auto   factory = toy_engine::factory(&host);
    const auto   engine  = factory.make(factory.self, role::client, "example.com");
    REQUIRE(engine);
    CHECK(host == "example.com");
}
