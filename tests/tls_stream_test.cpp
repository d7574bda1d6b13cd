#include <navette/tls.hpp>

#include "support/bytes.hpp"
#include "support/memory_stream.hpp"
#include "support/tls_pair.hpp"

#include <navette/tcp.hpp>

#include <algorithm>
#include <array>
#include <thread>

using namespace navette;
using namespace certificates;

namespace {

template <class S>
std::string read_to_end(S& from, std::error_code& error) {
    std::string                text;
    std::array<std::byte, 777> place;
    for (;;) {
        const auto got = from.read_some(place);
        if (!got) error = got.error();
        if (!got || *got == 0) return text;
        text += as_text(const_byte_span(place).first(*got));
    }
}

template <class S>
void echo_all(S& on) {
    std::error_code   error;
    const std::string text = read_to_end(on, error);
    static_cast<void>(write_all(on, as_bytes(text), {}, {}));
    on.shutdown_write();
    std::array<std::byte, 1> rest;
    static_cast<void>(on.read_some(rest));
}

} // namespace

TEST_CASE("TLS over a stream is a stream", "[tls][C9]") {
    const tls::context client = client_of(), server = server_with(localhost());
    auto [a, b] = memory_stream::make_pair(5'000);
    std::thread peer([&, b = std::move(b)]() mutable {
        auto on = tls::accept(std::move(b), server);
        if (on) echo_all(*on);
    });
    auto on = tls::connect(std::move(a), client, "localhost");
    REQUIRE(on);
    const std::string text = text_of(100'000);
    CHECK_FALSE(write_all(*on, as_bytes(text), {}, {}));
    on->shutdown_write();
    std::error_code error;
    CHECK(read_to_end(*on, error) == text);
    CHECK_FALSE(error);
    peer.join();
}

TEST_CASE("TLS runs inside TLS", "[tls]") {
    const tls::context client = client_of(), server = server_with(localhost());
    auto [a, b] = memory_stream::make_pair();
    std::thread peer([&, b = std::move(b)]() mutable {
        auto outer = tls::accept(std::move(b), server);
        if (!outer) return;
        auto inner = tls::accept(*std::move(outer), server);
        if (!inner) return;
        echo_all(*inner);
        std::error_code error;
        static_cast<void>(read_to_end(inner->next(), error));
    });
    auto outer = tls::connect(std::move(a), client, "localhost");
    REQUIRE(outer);
    auto inner = tls::connect(*std::move(outer), client, "127.0.0.1");
    REQUIRE(inner);
    CHECK_FALSE(write_all(*inner, as_bytes("within"), {}, {}));
    inner->shutdown_write();
    std::error_code error;
    CHECK(read_to_end(*inner, error) == "within");
    CHECK_FALSE(error);
    peer.join();
}

TEST_CASE("the transport's end without close_notify is a truncation, at every byte", "[tls][C125][S30]") {
    const tls::context client = client_of(), server = server_with(localhost());
    // A server that answers, and whose transport ends after `budget` bytes, in any case without close_notify.
    const auto meet = [&](std::size_t budget) {
        auto [a, b] = memory_stream::make_pair();
        std::thread peer([&, b = std::move(b)]() mutable {
            engine_side side;
            side.engine = *server.make();
            std::array<std::byte, 4096> place;
            for (bool answered = false; budget != 0 && !(answered && side.out.empty());) {
                const auto got = b.read_some(place);
                if (!got || *got == 0) break;
                side.receive(const_byte_span(place).first(*got));
                if (!answered) answered = side.send("answer") != 0;
                const auto now = side.out.data().first(std::min(budget, side.out.size()));
                if (!now.empty() && !b.write_some(now)) break;
                budget -= now.size();
                side.out.consume(now.size());
            }
            b.close();
        });
        std::error_code error;
        std::string     text;
        if (auto on = tls::connect(std::move(a), client, "localhost")) {
            text = read_to_end(*on, error);
        } else {
            error = on.error();
        }
        peer.join();
        return std::pair(text, error);
    };
    for (std::size_t budget = 1; budget < 400; budget += 37) CHECK(meet(budget).second == errc::tls_truncated);
    const auto [text, error] = meet(100'000);
    CHECK(text == "answer");
    CHECK(error == errc::tls_truncated);
}

TEST_CASE("a connection over TLS ends with close_notify, as a server and as a client", "[tls][C119]") {
    const tls::context client = client_of(), server = server_with(localhost());
    for (const bool closes : {true, false}) {   // whether the server does
        auto [a, b] = memory_stream::make_pair();
        std::error_code server_error;
        std::thread peer([&, b = std::move(b)]() mutable {
            auto on = tls::accept(std::move(b), server);
            if (!on) return;
            auto ws      = connection<role::server, tls::stream<memory_stream>>::open(*std::move(on), {});
            server_error = closes ? ws->close() : ws->read().error();
        });
        auto on = tls::connect(std::move(a), client, "localhost");
        REQUIRE(on);
        // By hand, so that the end is seen: Close 1000, masked with zeros.
        const auto close = bytes("88 82 00000000 03E8");
        if (!closes) CHECK_FALSE(write_all(*on, close, {}, {}));
        std::array<std::byte, 4> frame;
        REQUIRE(*on->read_some(frame) == 4);
        CHECK(std::vector<std::byte>(frame.begin(), frame.end()) == bytes("88 02 03E8"));
        if (closes) CHECK_FALSE(write_all(*on, close, {}, {}));
        on->shutdown_write();
        CHECK(*on->read_some(frame) == 0);   // and not errc::tls_truncated
        peer.join();
        CHECK(server_error == (closes ? std::error_code{} : make_error_code(errc::closed)));
    }
    auto [a, b] = memory_stream::make_pair();
    std::error_code ended;
    std::thread peer([&, b = std::move(b)]() mutable {
        auto on = tls::accept(std::move(b), server);
        if (!on) return;
        std::array<std::byte, 100> place;
        static_cast<void>(on->read_some(place));
        static_cast<void>(write_all(*on, bytes("88 02 03E8"), {}, {}));
        on->shutdown_write();
        const auto got = on->read_some(place);
        ended          = got ? (*got == 0 ? std::error_code{} : make_error_code(errc::misuse)) : got.error();
    });
    auto on = tls::connect(std::move(a), client, "localhost");
    REQUIRE(on);
    auto ws = connection<role::client, tls::stream<memory_stream>>::open(*std::move(on), {});
    CHECK_FALSE(ws->close());
    peer.join();
    CHECK_FALSE(ended);
}

TEST_CASE("a server that never answers is not waited for longer than is asked", "[tls][S32][client]") {
    const tls::context client   = client_of();
    auto               listener = tcp::listen("127.0.0.1", 0);
    REQUIRE(listener);
    auto socket = tcp::connect("127.0.0.1", listener->port());
    REQUIRE(socket);
    CHECK(tls::connect(*std::move(socket), client, "localhost", milliseconds(50)).error() == errc::tls_timeout);
}

TEST_CASE("a wss URI is connected to with a context's factory", "[tls][client]") {
    const tls::context      client = client_of(), server = server_with(localhost());
    const transport_factory factory = client.factory();
    auto                    listener = tcp::listen("127.0.0.1", 0);
    REQUIRE(listener);
    std::thread peer([&] {
        auto socket = listener->accept(seconds(10));
        if (!socket) return;
        auto on = tls::accept(*std::move(socket), server);
        if (!on) return;
        auto ws = accept(*std::move(on), {.origins = origin_policy::any()});
        if (!ws) return;
        while (auto message = ws->read())
            if (ws->send(*message)) break;
    });
    const std::string address = "wss://localhost:" + std::to_string(listener->port()) + "/";
    auto              ws      = connect(address, {.tls = &factory});
    REQUIRE(ws);
    CHECK_FALSE(ws->send("through TLS"));
    const auto back = ws->read();
    REQUIRE(back);
    CHECK(back->text() == "through TLS");
    CHECK_FALSE(ws->close());
    peer.join();
}
