#include <navette/stream/async_opening_handshake.hpp>

#include "support/async_pair.hpp"
#include "support/handshake_peer.hpp"
#include "support/toy_extension.hpp"

using namespace navette;

namespace {

using memory = async_memory;
using to_client = io_result<async_connection<role::client, memory>>;
using to_server = io_result<async_connection<role::server, memory>>;

const server_options anybody{.origins = origin_policy::any()};

uri chat() { return *parse_uri("ws://example.com/chat"); }

struct fixture {
    test_loop  loop;
    async_peer peer{loop};
};

} // namespace

TEST_CASE("a client and a server open a connection, at every size of what is read at once", "[async][6455:4]") {
    for (const std::size_t most : {std::size_t{1}, std::size_t{50}, std::size_t{10'000}, std::size_t{10'001}}) {
        test_loop loop;
        auto      plan = std::make_shared<async_plan>();
        plan->most     = most;
        plan->at_once = loop.starts_at_once = most == 10'001;
        auto [one, other] = memory::make_pair(loop, plan, plan);
        const std::string_view offered[] = {"b", "a"}, known[] = {"a"};
        toy::extension         mine, theirs;
        const extension_factory *mines[] = {&mine.factory}, *theirses[] = {&theirs.factory};
        begun client(async_connect(std::move(one), chat(), {.subprotocols = offered, .extensions = mines}));
        begun server(async_accept(std::move(other), {.origins = origin_policy::any(), .subprotocols = known, .extensions = theirses}));
        loop.run();
        auto c = client.result();
        auto s = server.result();
        REQUIRE(c);
        REQUIRE(s);
        CHECK(c->agreed().subprotocol == "a");
        CHECK(s->agreed().subprotocol == "a");
        begun read(s->read());
        CHECK_FALSE(loop.wait_for(c->send("packed")));
        CHECK(told(read.result()) == "text packed");
        CHECK(theirs.count().inflates != 0);
        begun closed(c->close());
        CHECK(loop.wait_for(s->read()).error() == errc::closed);
        loop.run();
        CHECK_FALSE(closed.result());
        CHECK(loop.running() == 0);
        CHECK_FALSE(plan->misused);
    }
}

TEST_CASE("frames that came with the request or the answer are the first that are read", "[async]") {
    SECTION("request") {
        fixture f;
        begun   made(async_accept(f.peer.stream(), anybody));
        f.peer.say(concat(text_bytes(upgrade_request()), masked(bytes("81 01 61"))));
        auto ws = made.result();
        REQUIRE(ws);
        CHECK(told(f.loop.wait_for(ws->read())) == "text a");
    }
    SECTION("answer") {
        fixture f;
        begun   made(async_connect(f.peer.stream(), chat()));
        f.peer.say(concat(text_bytes(upgrade_answer(f.peer.hear_text())), bytes("81 01 61")));
        auto ws = made.result();
        REQUIRE(ws);
        CHECK(told(f.loop.wait_for(ws->read())) == "text a");
    }
}

TEST_CASE("a refusal is reported whole, at every split of the answer", "[async][6455:4.4]") {
    const std::string answer = "HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\nX-Why: asked\r\n\r\nbasta";
    for (std::size_t cut = 1; cut < answer.size(); ++cut) {
        fixture          f;
        handshake_report report;
        begun made(async_connect(f.peer.stream(), chat(), {}, default_limits, {}, &report));
        f.peer.hear();
        f.peer.say(answer.substr(0, cut));
        f.peer.say(answer.substr(cut));
        CHECK(made.result().error() == errc::unexpected_status);
        CHECK(report.response.status == 403);
        CHECK(report.response.body == "basta");
        CHECK(f.peer.plan->order == "close ");
    }
}

TEST_CASE("a server decides about each request", "[async][6455:4.2.2]") {
    fixture     f;
    std::string seen;
    const auto  deciding = [&seen](decision made) {
        return [&seen, made](const request_view& request) {
            seen = request.target;
            return made;
        };
    };
    SECTION("rejected") {
        begun made(async_accept(f.peer.stream(), anybody, default_limits, {}, deciding(decision::reject(401, "no"))));
        f.peer.say(upgrade_request());
        CHECK(f.peer.hear_text().starts_with("HTTP/1.1 401 "));
        CHECK_FALSE(made.is_done());   // the answer is the last word: it must arrive
        CHECK(f.peer.plan->order == "shutdown ");
        f.peer.end();
        CHECK(made.result().error() == errc::request_answered);
        CHECK(seen == "/chat");
    }
    SECTION("a plain request, answered") {
        begun made(async_accept(f.peer.stream(), anybody, default_limits, {}, deciding(decision::respond(200, "page"))));
        f.peer.say("GET /page HTTP/1.1\r\nHost: example.com\r\n\r\n");
        CHECK(f.peer.hear_text().ends_with("\r\n\r\npage"));
        f.peer.end();
        CHECK(made.result().error() == errc::request_answered);
        CHECK(seen == "/page");
    }
    SECTION("a plain request, by default") {
        begun made(async_accept(f.peer.stream(), anybody));
        f.peer.say("GET /page HTTP/1.1\r\nHost: example.com\r\n\r\n");
        CHECK(f.peer.hear_text().starts_with("HTTP/1.1 426 "));
        f.peer.end();
        CHECK(made.result().error() == errc::request_answered);
    }
    SECTION("what cannot be done") {
        begun made(async_accept(f.peer.stream(), anybody, default_limits, {}, deciding(decision{.subprotocol = "unasked"})));
        f.peer.say(upgrade_request());
        CHECK(f.peer.hear_text().starts_with("HTTP/1.1 500 "));
        f.peer.end();
        CHECK_FALSE(made.result().error() == errc::request_answered);
    }
    SECTION("an invalid request") {
        begun made(async_accept(f.peer.stream(), anybody, default_limits, {}, deciding({})));
        f.peer.say("GET /chat HTTP/9.1\r\n\r\n");
        CHECK(f.peer.hear_text().starts_with("HTTP/1.1 505 "));
        f.loop.advance(seconds(5));   // the peer does not end: close_within
        CHECK_FALSE(made.result());
        CHECK(seen.empty());
    }
}

TEST_CASE("a client has so long in all for its handshake, however the server trickles", "[async][client]") {
    fixture f;
    begun   made(async_connect(f.peer.stream(), chat()));
    f.peer.hear();
    for (int second = 0; second < 9; ++second) {
        f.loop.advance(seconds(1));
        f.peer.say(second == 0 ? "HTTP/1.1 101 " : "x");
    }
    CHECK_FALSE(made.is_done());
    f.loop.advance(seconds(1));
    CHECK(made.result().error() == errc::handshake_timeout);
    CHECK(f.peer.plan->order == "close ");
    CHECK(f.loop.running() == 0);
}

TEST_CASE("a server answers a request that is late with 408, and one that never began with nothing", "[async][server]") {
    SECTION("begun") {
        fixture f;
        begun   made(async_accept(f.peer.stream(), anybody));
        f.peer.say("GET /chat");
        f.loop.advance(seconds(10));
        CHECK(f.peer.hear_text().starts_with("HTTP/1.1 408 "));
        CHECK(f.peer.plan->order == "shutdown ");
        f.peer.end();
        CHECK(made.result().error() == errc::handshake_timeout);
        CHECK_FALSE(f.peer.plan->misused);
    }
    SECTION("not begun") {
        fixture f;
        begun   made(async_accept(f.peer.stream(), anybody));
        f.loop.advance(seconds(10));
        CHECK(f.peer.hear_text().empty());
        CHECK(made.result().error() == errc::handshake_timeout);
    }
    SECTION("never heard") {
        fixture f;
        f.peer.take_at_most(0);
        begun made(async_accept(f.peer.stream(), anybody));
        f.peer.say("GET /chat");
        f.loop.advance(seconds(15));
        CHECK(made.result().error() == errc::handshake_timeout);
        CHECK(f.loop.running() == 0);
    }
}

TEST_CASE("an end of the transport within the handshake is truncated", "[async]") {
    fixture f;
    SECTION("client") {
        begun made(async_connect(f.peer.stream(), chat()));
        f.peer.say("HTTP/1.1 101");
        f.peer.end();
        CHECK(made.result().error() == errc::head_truncated);
    }
    SECTION("server") {
        begun made(async_accept(f.peer.stream(), anybody));
        f.peer.say("GET /chat");
        f.peer.end();
        CHECK_FALSE(made.result());
    }
    CHECK(f.loop.running() == 0);
}

TEST_CASE("a handshake that is destroyed anywhere closes its stream and leaves nothing", "[async][S36]") {
    const std::string request = upgrade_request();
    for (std::size_t calls = 0; calls < 12; ++calls) {
        for (const bool is_server : {false, true}) {
            fixture f;
            f.peer.plan->most = 40;
            f.peer.take_at_most(60);
            auto                stream = f.peer.stream();
            std::weak_ptr<void> probe  = stream.probe();
            const auto drive = [&](auto task) {
                begun made(std::move(task));
                for (std::size_t call = 0; call < calls; ++call)
                    f.peer.say(is_server ? request.substr(std::min(request.size(), call * 20), 20) : "");
                if (is_server && calls > 6) f.peer.say(request.substr(std::min(request.size(), calls * 20)));
                made.destroy();
            };
            if (is_server) drive(async_accept(std::move(stream), anybody));
            else drive(async_connect(std::move(stream), chat()));
            f.loop.run();
            CHECK(f.loop.running() == 0);
            CHECK(probe.expired());
        }
    }
}

TEST_CASE("a handshake of which any call fails is an error, and nothing hangs", "[async]") {
    for (const bool fails_at_client : {false, true}) {
        for (std::size_t fail_at = 1;; ++fail_at) {
            test_loop loop;
            auto      mine = std::make_shared<async_plan>(), theirs = std::make_shared<async_plan>();
            mine->most = theirs->most = 64;
            auto failing     = fails_at_client ? mine : theirs;
            failing->fail_at = fail_at;
            auto [one, other] = memory::make_pair(loop, mine, theirs);
            begun client(async_connect(std::move(one), chat()));
            begun server(async_accept(std::move(other), anybody));
            loop.advance(seconds(15));
            CAPTURE(fails_at_client, fail_at);
            REQUIRE(client.is_done());
            REQUIRE(server.is_done());
            const bool failed = failing->failed;
            {
                const auto c = client.result();
                const auto s = server.result();
                if (!failed) REQUIRE((c && s));
                else CHECK_FALSE((fails_at_client ? c.error() : s.error()) == std::error_code{});
            }
            loop.run();
            CHECK(loop.running() == 0);
            CHECK_FALSE(mine->misused);
            if (!failed) break;
            REQUIRE(fail_at < 30);
        }
    }
}

TEST_CASE("what broke a rule is reported in both roles", "[async][6455:4.1][6455:4.2.1]") {
    fixture          f;
    handshake_report report;
    SECTION("by the server") {
        begun made(async_connect(f.peer.stream(), chat(), {}, default_limits, {}, &report));
        f.peer.hear();
        f.peer.say("HTTP/1.1 101 Fine\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n");
        CHECK(made.result().error() == errc::upgrade_mismatch);
        CHECK(report.broken_by == "h2c");
    }
    SECTION("by the client") {
        begun made(async_accept(f.peer.stream(), anybody, default_limits, {}, accept_upgrades{}, &report));
        f.peer.say("GET / HTTP/1.1\r\nHost: a b\r\n\r\n");
        f.peer.end();
        CHECK(made.result().error() == errc::bad_host);
        CHECK(report.broken_by == "a b");
    }
    SECTION("by a server that goes on in HTTP") {
        begun made(async_connect(f.peer.stream(), chat()));
        f.peer.say(concat(text_bytes(upgrade_answer(f.peer.hear_text())), text_bytes("HTTP/1.1 400 Bad Request\r\n\r\n")));
        f.peer.end();
        auto ws = made.result();
        REQUIRE(ws);
        CHECK(ws->explanation().empty());
        CHECK_FALSE(f.loop.wait_for(ws->read()));
        CHECK(ws->explanation() == "the peer sent HTTP after 101 (RFC 6455, 5): \"HTTP/1.1 400 B\"");
    }
}
