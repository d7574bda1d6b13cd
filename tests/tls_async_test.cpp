#include <navette/tls.hpp>

#include "support/async_memory.hpp"
#include "support/tls_pair.hpp"

#include <navette/stream/async_opening_handshake.hpp>

using namespace navette;

namespace {

using laid = tls::async_stream<async_memory>;

struct fixture {
    test_loop                   loop;
    std::shared_ptr<async_plan> plan   = std::make_shared<async_plan>();
    tls::context                client = certificates::client_of(), server = certificates::server_with();

    template <class S>
    static tls::async_stream<S> lay(S next, const tls::context& with, std::string_view host = {}) {
        auto engine = with.make(host);
        REQUIRE(engine);
        return tls::async_stream<S>(std::move(next), *std::move(engine));
    }
};

template <class S>
test_loop::task<std::string> echo(S stream) {
    auto ws = co_await async_accept(std::move(stream), server_options{.origins = origin_policy::any()});
    if (!ws) co_return ws.error().message();
    for (;;) {
        const auto got = co_await ws->read();
        if (!got) co_return got.error() == errc::closed ? "closed" : got.error().message();
        const std::error_code error = co_await ws->send(*got);
        if (error) co_return error.message();
    }
}

template <class S>
test_loop::task<std::string> talk(S stream, std::size_t size) {
    auto ws = co_await async_connect(std::move(stream), *parse_uri("wss://localhost/"));
    if (!ws) co_return ws.error().message();
    const std::string text = certificates::text_of(size);
    for (int i = 0; i < 3; ++i) {
        const std::error_code error = co_await ws->send(text);
        if (error) co_return error.message();
        const auto got = co_await ws->read();
        if (!got) co_return got.error().message();
        if (got->text() != text) co_return "another text";
    }
    const std::error_code error = co_await ws->close();
    co_return error ? error.message() : "closed";
}

} // namespace

TEST_CASE("a connection goes over TLS in coroutines, at every size of what is read at once", "[tls][async]") {
    for (const std::size_t most : {std::size_t{5}, std::size_t{1'000}, std::size_t{1'000'000}}) {
        fixture f;
        f.plan->most      = most;
        auto [one, other] = async_memory::make_pair(f.loop, f.plan, f.plan);
        begun server(echo(f.lay(std::move(other), f.server)));
        begun client(talk(f.lay(std::move(one), f.client, "localhost"), most == 5 ? 1'000 : 200'000));
        f.loop.run();
        CHECK(client.result() == "closed");
        CHECK(server.result() == "closed");
        CHECK(f.loop.running() == 0);
        CHECK_FALSE(f.plan->misused);
    }
}

TEST_CASE("TLS goes through TLS", "[tls][async]") {
    fixture f;
    auto [one, other] = async_memory::make_pair(f.loop, f.plan, f.plan);
    begun server(echo(f.lay(f.lay(std::move(other), f.server), f.server)));
    begun client(talk(f.lay(f.lay(std::move(one), f.client, "localhost"), f.client, "localhost"), 50'000));
    f.loop.run();
    CHECK(client.result() == "closed");
    CHECK(server.result() == "closed");
}

TEST_CASE("a certificate for another name is refused, and the server hears of it", "[tls][async]") {
    fixture f;
    auto [one, other] = async_memory::make_pair(f.loop, f.plan, f.plan);
    laid client = f.lay(std::move(one), f.client, "other.example");
    laid server = f.lay(std::move(other), f.server);
    std::byte   place[9];
    begun shaken(client.handshake());
    begun read(server.read_some(place));
    f.loop.run();
    CHECK(shaken.result() == std::error_code(X509_V_ERR_HOSTNAME_MISMATCH, tls::certificate_category()));
    REQUIRE(read.is_done());
    CHECK(read.result().error().category() == tls::openssl_category());   // the alert has come
}

TEST_CASE("facts are known of TLS in coroutines", "[tls][async]") {
    fixture f;
    auto [one, other] = async_memory::make_pair(f.loop, f.plan, f.plan);
    laid client = f.lay(std::move(one), f.client, "localhost");
    laid server = f.lay(std::move(other), f.server);
    begun shaken(client.handshake());
    CHECK_FALSE(f.loop.wait_for(server.handshake()));
    CHECK_FALSE(shaken.result());
    CHECK(tls::facts_of(client.engine()).version == std::string("TLSv1.3"));
    CHECK(tls::facts_of(server.engine()).server_name == "localhost");
}
