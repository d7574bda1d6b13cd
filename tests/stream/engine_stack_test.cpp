#include <navette/stream/engine_stack.hpp>

#include "support/bytes.hpp"
#include "support/engine_pair.hpp"
#include "support/memory_stream.hpp"
#include "support/toy_engine.hpp"

#include <array>
#include <thread>

using namespace navette;

namespace {

transport_engine toys(int height) {
    transport_engine all = toy_engine::make();
    for (int i = 1; i < height; ++i) all = *stack_engines(std::move(all), toy_engine::make());
    return all;
}

engine_pair pair_of(int height) {
    engine_pair pair;
    pair.client.engine = toys(height);
    pair.server.engine = toys(height);
    return pair;
}

std::string all_bytes(int size) {
    std::string text;
    for (int i = 0; i < size; ++i) text += static_cast<char>(i);
    return text;
}

} // namespace

TEST_CASE("engines on engines carry bytes both ways, however they are cut", "[engine_stack]") {
    for (const int height : {2, 3, 5})
        for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{100'000}}) {
            engine_pair pair = pair_of(height);
            REQUIRE(pair.shake_hands(piece));
            const std::string there = all_bytes(3'000), back = all_bytes(700);
            CHECK(pair.client.send(there) == there.size());
            CHECK(pair.server.send(back) == back.size());
            pair.carry(piece);
            CHECK(pair.server.plain == there);
            CHECK(pair.client.plain == back);
        }
}

TEST_CASE("the upper handshake begins once the lower one is complete", "[engine_stack]") {
    engine_pair pair = pair_of(2);
    CHECK(pair.client.send("x") == 0);
    CHECK_FALSE(pair.client.open);
    CHECK(pair.client.out.size() == 1);   // the lower one's greeting alone
    pair.client.send("x");
    CHECK(pair.client.out.size() == 1);
}

TEST_CASE("an end is the upper engine's own, and reaches the lower one's peer, too", "[engine_stack]") {
    engine_pair pair = pair_of(2);
    REQUIRE(pair.shake_hands());
    REQUIRE_FALSE(pair.client.shut_down());
    pair.carry();
    CHECK(pair.server.ended);
    CHECK(pair.server.send("half closed") == 11);
    pair.carry();
    CHECK(pair.client.plain == "half closed");
}

TEST_CASE("the transport's end, or the lower engine's, is a truncation to the upper one", "[engine_stack][C125]") {
    engine_pair pair = pair_of(2);
    CHECK(pair.client.engine.receive_eof().error == errc::tls_truncated);
    REQUIRE(pair.shake_hands());
    CHECK(pair.client.engine.receive_eof().error == errc::tls_truncated);
    buffer out;
    std::array<std::byte, 10> place;
    // The lower engine's mark of an end, below the upper one's bytes.
    auto cut = bytes("e502");
    byte_span in(cut);
    CHECK(pair.client.engine.receive(in, place, out).error == errc::tls_truncated);
}

TEST_CASE("what either engine finds wrong is told", "[engine_stack]") {
    engine_pair pair = pair_of(2);
    buffer out;
    std::array<std::byte, 10> place;
    auto garbage = bytes("ff");
    byte_span in(garbage);
    CHECK(pair.client.engine.receive(in, place, out).error == errc::bad_start_line);   // the lower one

    engine_pair other = pair_of(2);
    auto upper_garbage = bytes("48 00");   // the lower one's greeting, and what is no greeting of the upper one's
    byte_span second(upper_garbage);
    engine_step step = other.client.engine.receive(second, place, out);
    CHECK(step.error == errc::bad_start_line);
}

TEST_CASE("bytes that are left inside are produced without more input", "[engine_stack]") {
    engine_pair pair = pair_of(2);
    REQUIRE(pair.shake_hands());
    const std::string text = all_bytes(90);
    pair.server.send(text);
    std::vector<std::byte> cipher(pair.server.out.data().begin(), pair.server.out.data().end());
    byte_span in(cipher);
    std::string got;
    std::array<std::byte, 1> one;
    for (int i = 0; i < 1'000 && got.size() < text.size(); ++i) {
        const engine_step step = pair.client.engine.receive(in, one, pair.client.out);
        got += as_text(const_byte_span(one).first(step.produced));
    }
    CHECK(got == text);
}

TEST_CASE("a stack is driven over a stream like any engine", "[engine_stack]") {
    auto [a, b] = memory_stream::make_pair();
    engine_stream client(std::move(a), toys(3));
    engine_stream server(std::move(b), toys(3));
    std::thread   peer([&] {
        std::array<std::byte, 100> place;
        for (;;) {
            const auto got = server.read_some(place);
            if (!got || *got == 0) break;
            if (!server.write_some(const_byte_span(place).first(*got))) break;
        }
        server.shutdown_write();
    });
    CHECK_FALSE(client.handshake());
    const std::string text = all_bytes(60);
    CHECK(*client.write_some(as_bytes(text)) == text.size());
    client.shutdown_write();
    std::string back;
    std::array<std::byte, 100> place;
    for (;;) {
        const auto got = client.read_some(place);
        REQUIRE(got);
        if (*got == 0) break;
        back += as_text(const_byte_span(place).first(*got));
    }
    CHECK(back == text);
    peer.join();
}
