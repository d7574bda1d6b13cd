#include <navette/tcp.hpp>

#include "support/bytes.hpp"
#include "support/toy_engine.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

using namespace navette;

namespace {

const server_options anybody = {.origins = origin_policy::any()};

struct pair_of_streams {
    tcp::stream client, server;
};

pair_of_streams loopback() {
    auto listener = tcp::listen("127.0.0.1", 0);
    REQUIRE(listener);
    auto client = tcp::connect("127.0.0.1", listener->port());
    auto server = listener->accept(seconds(5));
    REQUIRE(client);
    REQUIRE(server);
    return {*std::move(client), *std::move(server)};
}

template <class S>
std::string read_exactly(S& s, std::size_t size) {
    std::vector<std::byte> place(size);
    std::size_t            have = 0;
    while (have < size) {
        const auto got = s.read_some(byte_span(place).subspan(have));
        if (!got || *got == 0) break;
        have += *got;
    }
    return std::string(as_text(const_byte_span(place).first(have)));
}

// Makes the peer's kernel answer with a reset instead of an end.
void reset(tcp::stream& s) {
    const ::linger now{1, 0};
    ::setsockopt(s.native_handle(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    s.close();
}

std::string uri_of(const tcp::listener& listener, std::string_view scheme = "ws") {
    return std::string(scheme) + "://127.0.0.1:" + std::to_string(listener.port()) + "/";
}

// A folder of its own, removed at the end.
class temporary_folder {
    std::string path_ = "/tmp/navette-test-XXXXXX";

public:
    temporary_folder() { REQUIRE(::mkdtemp(path_.data()) != nullptr); }
    temporary_folder(const temporary_folder&)            = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    ~temporary_folder() {
        ::unlink(file("socket").c_str());
        ::rmdir(path_.c_str());
    }
    std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }
};

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

} // namespace

TEST_CASE("a stream reads what the other end writes, and its end", "[tcp]") {
    auto [a, b] = loopback();
    CHECK(*a.write_some(as_bytes("hello")) == 5);
    CHECK(read_exactly(b, 5) == "hello");
    CHECK_FALSE(a.shutdown_write());
    std::byte place[1];
    CHECK(*b.read_some(place) == 0);
    CHECK(*b.write_some(as_bytes("half open")) == 9);
    CHECK(read_exactly(a, 9) == "half open");
}

TEST_CASE("a gather write sends all pieces, empty ones too", "[tcp]") {
    auto [a, b] = loopback();
    const const_byte_span pieces[] = {as_bytes("he"), {}, as_bytes("ll"), as_bytes("o")};
    CHECK(*a.write_some(pieces) == 5);
    CHECK(read_exactly(b, 5) == "hello");
}

TEST_CASE("streams send small writes at once, and neither end is inherited by other programs", "[tcp]") {
    auto [a, b] = loopback();
    for (const int fd : {a.native_handle(), b.native_handle()}) {
        int         on   = 0;
        ::socklen_t size = sizeof on;
        REQUIRE(::getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &size) == 0);
        CHECK(on != 0);
        CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
        CHECK((::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    }
}

TEST_CASE("both ends know their addresses", "[tcp]") {
    auto [a, b] = loopback();
    const auto mine = a.local(), theirs = b.remote();
    REQUIRE(mine);
    REQUIRE(theirs);
    CHECK(mine->host() == "127.0.0.1");
    CHECK(mine->port != 0);
    CHECK(theirs->port == mine->port);
    CHECK(a.remote()->port == b.local()->port);
}

TEST_CASE("close may be called twice, and a closed stream says so", "[tcp]") {
    auto [a, b] = loopback();
    a.close();
    a.close();
    std::byte place[1];
    CHECK_FALSE(a.is_open());
    CHECK(a.read_some(place).error() == std::errc::bad_file_descriptor);
    CHECK(a.write_some(as_bytes("x")).error() == std::errc::bad_file_descriptor);
    CHECK(a.shutdown_write() == std::errc::bad_file_descriptor);
    CHECK_FALSE(a.local());
    CHECK(*b.read_some(place) == 0);
}

TEST_CASE("a stream that is moved keeps its socket, and one that is assigned to closes its own", "[tcp]") {
    auto [a, b] = loopback();
    auto [c, d] = loopback();
    tcp::stream moved(std::move(a));
    CHECK_FALSE(a.is_open());
    CHECK(*moved.write_some(as_bytes("x")) == 1);
    CHECK(read_exactly(b, 1) == "x");
    c = std::move(moved);
    std::byte place[1];
    CHECK(*d.read_some(place) == 0);
    CHECK(*c.write_some(as_bytes("y")) == 1);
    CHECK(read_exactly(b, 1) == "y");
}

TEST_CASE("a read past its deadline fails and leaves the stream usable", "[tcp][C162]") {
    auto [a, b] = loopback();
    std::byte     place[1];
    const instant start = tcp::now();
    a.read_expires_at(start + milliseconds(30));
    CHECK(a.read_some(place).error() == std::errc::timed_out);
    CHECK(tcp::now() >= start + milliseconds(30));
    a.read_expires_at(instant::never());
    CHECK(*b.write_some(as_bytes("x")) == 1);
    CHECK(*a.read_some(place) == 1);
}

TEST_CASE("a write to a peer that never reads ends at its deadline", "[tcp][S23][C162]") {
    auto [a, b] = loopback();
    const std::string much(1 << 20, 'x');
    a.write_expires_at(tcp::now() + milliseconds(50));
    std::error_code error;
    for (int i = 0; i < 1'000 && !error; ++i) error = a.write_some(as_bytes(much)).error();
    CHECK(error == std::errc::timed_out);
}

TEST_CASE("no write raises SIGPIPE, neither to a reset socket nor after the own end", "[tcp]") {
    REQUIRE(std::signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    auto [a, b] = loopback();
    reset(b);
    std::error_code error;
    for (int i = 0; i < 100 && !error; ++i) error = a.write_some(as_bytes("x")).error();
    CHECK((error == std::errc::connection_reset || error == std::errc::broken_pipe));
    const const_byte_span pieces[] = {as_bytes("x"), as_bytes("y")};
    CHECK(a.write_some(pieces).error() == std::errc::broken_pipe);

    auto [c, d] = loopback();
    CHECK_FALSE(c.shutdown_write());
    CHECK(c.write_some(as_bytes("x")).error() == std::errc::broken_pipe);
}

TEST_CASE("a connection to a reset socket fails without SIGPIPE", "[tcp]") {
    REQUIRE(std::signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    auto [a, b] = loopback();
    auto ws = connection<role::server, tcp::stream>::open(std::move(a), {});
    reset(b);
    std::error_code error;
    for (int i = 0; i < 100 && !error; ++i) error = ws->send("x");
    CHECK((error == std::errc::connection_reset || error == std::errc::broken_pipe));
    CHECK(ws->read().error() == error);
}

TEST_CASE("a call that a signal interrupts goes on", "[tcp]") {
    struct sigaction handler {};
    handler.sa_handler = [](int) {};   // without SA_RESTART
    struct sigaction before {};
    REQUIRE(::sigaction(SIGUSR1, &handler, &before) == 0);
    auto [a, b] = loopback();
    const ::pthread_t reader = ::pthread_self();
    std::thread       disturber([&, &b = b] {
        for (int i = 0; i < 10; ++i) {
            ::usleep(2'000);
            ::pthread_kill(reader, SIGUSR1);
        }
        ::usleep(2'000);
        static_cast<void>(b.write_some(as_bytes("x")));
    });
    std::byte place[1];
    a.read_expires_at(tcp::now() + seconds(10));
    const auto got = a.read_some(place);
    disturber.join();
    ::sigaction(SIGUSR1, &before, nullptr);
    CHECK(got);
}

TEST_CASE("an accepted descriptor is taken over with the bytes already read from it", "[tcp]") {
    auto [a, b] = loopback();
    CHECK(*b.write_some(as_bytes("rest")) == 4);
    std::string early = "early ";
    tcp::stream adopted(a.release(), as_bytes(early));
    early = "XXXXXX";
    CHECK_FALSE(a.is_open());
    std::byte two[2];
    CHECK(*adopted.read_some(two) == 2);
    tcp::stream moved(std::move(adopted));
    CHECK(read_exactly(moved, 8) == "rly rest");
}

TEST_CASE("a handshake works when its request was read by somebody else", "[tcp][C41]") {
    auto [a, b] = loopback();
    std::thread client([stream = std::move(b)]() mutable {
        auto ws = connect(std::move(stream), *parse_uri("ws://localhost/"));
        if (ws) static_cast<void>(ws->send("hello"));
        if (ws) static_cast<void>(ws->close());
    });
    std::byte  part[20];
    const auto got = a.read_some(part);
    REQUIRE(got);
    auto ws = accept(tcp::stream(a.release(), const_byte_span(part).first(*got)), anybody);
    REQUIRE(ws);
    CHECK(ws->read()->text() == "hello");
    CHECK(ws->read().error() == errc::closed);
    client.join();
}

// ---- connecting and listening

TEST_CASE("all addresses of a name are tried", "[tcp]") {
    // localhost may stand for ::1 first, on which nobody listens.
    auto listener = tcp::listen("127.0.0.1", 0);
    REQUIRE(listener);
    auto stream = tcp::connect("localhost", listener->port(), seconds(5));
    REQUIRE(stream);
    CHECK(stream->remote()->host() == "127.0.0.1");
}

TEST_CASE("IPv6 is listened on and connected to", "[tcp]") {
    auto listener = tcp::listen("::1", 0);
    if (!listener && (listener.error() == std::errc::address_not_available ||
                      listener.error() == std::errc::address_family_not_supported)) {
        WARN("this machine has no IPv6");
        CHECK_FALSE(listener);
        return;
    }
    REQUIRE(listener);
    auto stream = tcp::connect("::1", listener->port(), seconds(5));
    REQUIRE(stream);
    CHECK(stream->remote()->host() == "::1");
    CHECK(listener->local()->host() == "::1");
}

TEST_CASE("without a host all interfaces are listened on, IPv4 among them", "[tcp]") {
    auto listener = tcp::listen("", 0);
    REQUIRE(listener);
    CHECK(tcp::connect("127.0.0.1", listener->port(), seconds(5)));
}

TEST_CASE("a port on which nobody listens refuses", "[tcp]") {
    std::uint16_t port = 0;
    {
        auto listener = tcp::listen("127.0.0.1", 0);
        REQUIRE(listener);
        port = listener->port();
    }
    CHECK(tcp::connect("127.0.0.1", port).error() == std::errc::connection_refused);
    CHECK(navette::connect("ws://127.0.0.1:" + std::to_string(port)).error() == std::errc::connection_refused);
}

TEST_CASE("a port in use says so, and one that was in use is free at once", "[tcp]") {
    auto first = tcp::listen("127.0.0.1", 0);
    REQUIRE(first);
    const std::uint16_t port = first->port();
    CHECK(tcp::listen("127.0.0.1", port).error() == std::errc::address_in_use);
    auto client = tcp::connect("127.0.0.1", port);
    auto server = first->accept(seconds(5));
    REQUIRE(server);
    first->close();
    server->close();   // the server's side of the connection now lingers
    CHECK(tcp::listen("127.0.0.1", port));
}

TEST_CASE("a host that is no name is refused before anything is resolved", "[tcp]") {
    CHECK(tcp::connect("", 80).error() == errc::invalid_host);
    CHECK(tcp::connect(std::string(256, 'a'), 80).error() == errc::invalid_host);
    CHECK(tcp::connect(std::string_view("local\0host", 10), 80).error() == errc::invalid_host);
}

TEST_CASE("a port outside of its range is refused", "[tcp]") {
    for (const int port : {-1, 65'536, 1'000'000}) {
        CHECK(tcp::connect("127.0.0.1", port).error() == errc::invalid_port);
        CHECK(tcp::listen("127.0.0.1", port).error() == errc::invalid_port);
    }
    CHECK(tcp::connect("127.0.0.1", 65'535).error() != errc::invalid_port);
}

TEST_CASE("a name that cannot be resolved is the resolver's error, in its words", "[tcp]") {
    const auto error = tcp::connect("not a name", 80).error();
    CHECK(error.category() == tcp::resolver_category());
    CHECK(std::string(error.category().name()) == "resolver");
    CHECK(error.message().size() > 5);
}

TEST_CASE("connecting to a server that does not answer ends in time", "[tcp][C162]") {
    // A listener whose queue is full lets further connections wait.
    auto listener = tcp::listen("127.0.0.1", 0, 0);
    REQUIRE(listener);
    std::vector<io_result<tcp::stream>> queued;
    std::error_code                     error;
    const instant                       start = tcp::now();
    for (int i = 0; i < 10 && !error; ++i) {
        queued.push_back(tcp::connect("127.0.0.1", listener->port(), milliseconds(100)));
        error = queued.back().error();
    }
    CHECK(error == errc::connect_timeout);
    CHECK(tcp::now() < start + seconds(5));
}

TEST_CASE("a listener waits for a connection no longer than it is told", "[tcp]") {
    auto listener = tcp::listen("127.0.0.1", 0);
    REQUIRE(listener);
    CHECK(listener->accept(milliseconds(20)).error() == std::errc::timed_out);
    auto client = tcp::connect("127.0.0.1", listener->port());
    CHECK(listener->accept(seconds(5)));
    tcp::listener adopted(::dup(listener->native_handle()));
    CHECK(adopted.port() == listener->port());
    adopted.close();
    CHECK(adopted.port() == 0);
    CHECK(adopted.accept(milliseconds(1)).error() == std::errc::bad_file_descriptor);
}

// ---- unix sockets

TEST_CASE("a WebSocket connection runs over a unix socket, whose file goes with the listener", "[tcp]") {
    const temporary_folder folder;
    const std::string      path = folder.file("socket");
    {
        auto listener = tcp::unix_listen(path);
        REQUIRE(listener);
        CHECK(listener->local()->host() == path);
        std::thread server([&] {
            auto stream = listener->accept(seconds(5));
            if (!stream) return;
            auto ws = accept(*std::move(stream), anybody);
            while (auto m = ws ? ws->read() : ws.error())
                if (ws->send(*m)) break;
        });
        auto stream = tcp::unix_connect(path);
        REQUIRE(stream);
        CHECK(stream->remote()->host() == path);
        auto ws = connect(*std::move(stream), *parse_uri("ws://localhost/"));
        REQUIRE(ws);
        CHECK_FALSE(ws->send("hello"));
        CHECK(ws->read()->text() == "hello");
        CHECK_FALSE(ws->close());
        server.join();
        CHECK(exists(path));
    }
    CHECK_FALSE(exists(path));
}

TEST_CASE("a socket file that nobody listens on any more is taken over, others are not", "[tcp]") {
    const temporary_folder folder;
    const std::string      path = folder.file("socket");
    SECTION("stale") {
        {
            auto dead = tcp::unix_listen(path);
            REQUIRE(dead);
            ::close(::dup(dead->native_handle()));
            const std::string kept = folder.file("kept");
            REQUIRE(::rename(path.c_str(), kept.c_str()) == 0);   // as after a crash: nobody removes it
        }
        REQUIRE(::rename(folder.file("kept").c_str(), path.c_str()) == 0);
        REQUIRE(exists(path));
        CHECK(tcp::unix_connect(path).error() == std::errc::connection_refused);
        CHECK(tcp::unix_listen(path));
    }
    SECTION("alive") {
        auto alive = tcp::unix_listen(path);
        REQUIRE(alive);
        CHECK(tcp::unix_listen(path).error() == std::errc::address_in_use);
        CHECK(tcp::unix_connect(path));
    }
    SECTION("no socket") {
        std::FILE* file = std::fopen(path.c_str(), "w");
        REQUIRE(file != nullptr);
        std::fclose(file);
        CHECK(tcp::unix_listen(path).error() == std::errc::address_in_use);
        CHECK(exists(path));
    }
}

TEST_CASE("a unix path that is too long, or missing, is an error", "[tcp]") {
    CHECK(tcp::unix_connect(std::string(200, 'p')).error() == std::errc::filename_too_long);
    CHECK(tcp::unix_listen(std::string(200, 'p')).error() == std::errc::filename_too_long);
    CHECK(tcp::unix_connect("/nowhere/at/all").error() == std::errc::no_such_file_or_directory);
}

TEST_CASE("connecting to a unix socket whose queue is full ends in time", "[tcp][C162]") {
    const temporary_folder folder;
    auto                   listener = tcp::unix_listen(folder.file("socket"), 0);
    REQUIRE(listener);
    std::vector<io_result<tcp::stream>> queued;
    std::error_code                     error;
    for (int i = 0; i < 10 && !error; ++i) {
        queued.push_back(tcp::unix_connect(folder.file("socket"), milliseconds(50)));
        error = queued.back().error();
    }
    CHECK(error == errc::connect_timeout);
}

// ---- connect(uri)

TEST_CASE("a ws URI is connected over TCP", "[tcp][client][C1]") {
    auto listener = tcp::listen("127.0.0.1", 0);
    REQUIRE(listener);
    std::thread server([&] {
        auto stream = listener->accept(seconds(5));
        if (!stream) return;
        auto ws = accept(*std::move(stream), anybody);
        while (auto m = ws ? ws->read() : ws.error())
            if (ws->send(*m)) break;
    });
    auto ws = navette::connect(uri_of(*listener));
    REQUIRE(ws);
    const std::string much(100'000, 'x');
    CHECK_FALSE(ws->send("hello"));
    CHECK(ws->read()->text() == "hello");
    CHECK(ws->stream().keeps_deadlines());
    CHECK_FALSE(ws->send(as_bytes(much)));
    CHECK(ws->read()->text() == much);
    CHECK_FALSE(ws->close());
    server.join();
}

TEST_CASE("a URI is refused before anything is sent", "[tcp][client][C4]") {
    auto listener = tcp::listen("127.0.0.1", 0);
    REQUIRE(listener);
    CHECK(navette::connect(uri_of(*listener, "http")).error() == errc::unsupported_scheme);
    CHECK(navette::connect(uri_of(*listener) + "#fragment").error() == errc::uri_has_fragment);
    CHECK(navette::connect(uri_of(*listener, "wss")).error() == errc::no_tls);
    uri bad  = *parse_uri("ws://127.0.0.1/");
    bad.port = listener->port();
    bad.path = "/a b";
    CHECK(navette::connect(bad).error() == errc::invalid_path);
    CHECK(listener->accept(milliseconds(30)).error() == std::errc::timed_out);
}

TEST_CASE("a wss URI is connected through the transport factory that is given, for its host", "[tcp][client]") {
    auto listener = tcp::listen("127.0.0.1", 0);
    REQUIRE(listener);
    std::thread server([&] {
        auto stream = listener->accept(seconds(5));
        if (!stream) return;
        auto ws = accept(engine_stream(*std::move(stream), toy_engine::make()), anybody);
        while (auto m = ws ? ws->read() : ws.error())
            if (ws->send(*m)) break;
    });
    std::string host;
    const auto  factory = toy_engine::factory(&host);
    auto        ws      = navette::connect(uri_of(*listener, "wss"), {.tls = &factory});
    REQUIRE(ws);
    CHECK(host == "127.0.0.1");
    CHECK_FALSE(ws->send("secret"));
    CHECK(ws->read()->text() == "secret");
    CHECK_FALSE(ws->close());
    server.join();
}

TEST_CASE("a refusal can be read by the caller of connect", "[tcp][client][C39][C68]") {
    auto listener = tcp::listen("127.0.0.1", 0);
    REQUIRE(listener);
    std::thread server([&] {
        auto stream = listener->accept(seconds(5));
        if (!stream) return;
        const auto ws = accept(*std::move(stream), anybody, default_limits, {},
                               [](const request_view&) { return decision::reject(403, "not you"); });
        static_cast<void>(ws);
    });
    connect_report report;
    CHECK(navette::connect(uri_of(*listener), {.report = &report}).error() == errc::unexpected_status);
    server.join();
    CHECK(report.server.response.status == 403);
    CHECK(report.server.response.body == "not you");
}

TEST_CASE("the Close of a failing server arrives although it had not read all that was sent", "[tcp][server][C119]") {
    for (int i = 0; i < 10; ++i) {
        auto [a, b] = loopback();
        std::error_code error;
        std::thread     server([&error, stream = std::move(b)]() mutable {
            auto ws = connection<role::server, tcp::stream>::open(std::move(stream), {}, limits{.max_message_size = 100});
            error   = ws->read().error();
        });
        // A frame that is too big, and much behind it.
        const auto        head = bytes("82 ff 0000000000100000 00000000");
        const std::string much(1 << 20, 'x');
        CHECK_FALSE(write_all(a, head, as_bytes(much), seconds(5)));
        CHECK_FALSE(a.shutdown_write());
        CHECK(read_exactly(a, 4) == "\x88\x02\x03\xf1");   // 1009
        std::byte place[1];
        const auto end = a.read_some(place);
        CHECK((end && *end == 0));
        server.join();
        CHECK(error == errc::message_too_big);
    }
}

TEST_CASE("a silent peer is found out by the heartbeat over TCP", "[tcp][C162]") {
    auto [a, b]         = loopback();
    const timeouts times{.ping_every   = milliseconds(20), .pong_within = milliseconds(20),
                         .close_within = milliseconds(20)};
    auto ws = connection<role::server, tcp::stream>::open(std::move(a), {}, default_limits, times);
    CHECK(ws->read().error() == errc::pong_timeout);
    CHECK(read_exactly(b, 6).substr(0, 2) == "\x89\x04");
}
