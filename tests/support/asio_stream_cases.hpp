// The cases of a stream, its signals and the dialer, the same for each Asio: see asio_test.cpp.
#pragma once

#include "support/asio_loop.hpp"

#include <array>
#include <csignal>
#include <deque>
#include <vector>

template <class Socket>
using stream_of = adapter::stream<Socket>;

static_assert(async_gather_stream<stream_of<tcp_socket>>);
static_assert(async_gather_stream<stream_of<local_socket>>);
static_assert(async_gather_stream<stream_of<tls_socket>>);
static_assert(async_dialer<adapter::dialer>);

// Reads until `size` bytes are there, or an end or an error, which is said.
template <class S>
task<std::string> read_all(S& s, std::size_t size) {
    std::vector<std::byte> place(size);
    std::size_t            have = 0;
    while (have < size) {
        const auto got = co_await s.read_some(byte_span(place).subspan(have));
        if (!got) co_return "error: " + got.error().message();
        if (*got == 0) break;
        have += *got;
    }
    co_return std::string(as_text(const_byte_span(place).first(have)));
}

template <class S>
task<std::error_code> write_all(S& s, std::string_view text) {
    for (const_byte_span rest = as_bytes(text); !rest.empty();) {
        const auto sent = co_await s.write_some(rest);
        if (!sent) co_return sent.error();
        rest = rest.subspan(*sent);
    }
    co_return std::error_code{};
}

// Bytes go both ways, in one piece and in several; each side ends for itself, and close may come twice.
template <class Socket>
task<void> converse(Socket a, Socket b) {
    stream_of<Socket> ours(std::move(a)), theirs(std::move(b));
    CHECK_AFTER(co_await write_all(ours, "question"), == std::error_code());
    CHECK_AFTER(co_await read_all(theirs, 8), == "question");

    const std::array<const_byte_span, 4> pieces{as_bytes("an"), as_bytes(""), as_bytes("sw"), as_bytes("er")};
    const auto                           sent = co_await theirs.write_some(pieces);
    REQUIRE(sent);
    CHECK_AFTER(co_await read_all(ours, *sent), == std::string("answer").substr(0, *sent));

    co_await ours.shutdown_write();
    co_await ours.shutdown_write();
    CHECK_AFTER(co_await read_all(theirs, 1), == "");
    CHECK_AFTER(co_await write_all(theirs, "still here"), == std::error_code());
    CHECK_AFTER(co_await read_all(ours, 10), == "still here");
    co_await theirs.shutdown_write();
    CHECK_AFTER(co_await read_all(ours, 1), == "");
    ours.close();
    ours.close();
    // OpenSSL knows that the peer had ended; a socket is closed.
    if constexpr (!std::is_same_v<Socket, tls_socket>) CHECK_AFTER(co_await read_all(ours, 1), != "");
}

TEST_CASE("bytes go both ways over TCP, each direction ends for itself", "[asio]") {
    run([](net::any_io_executor executor) -> task<void> {
        auto made = tcp_pair(executor);
        co_await converse(std::move(made.ours), std::move(made.theirs));
    });
}

TEST_CASE("bytes go both ways over a local socket", "[asio]") {
    run([](net::any_io_executor executor) -> task<void> {
        auto made = local_pair(executor);
        co_await converse(std::move(made.ours), std::move(made.theirs));
    });
}

TEST_CASE("bytes go both ways over TLS, and each direction ends with a close_notify", "[asio]") {
    tls_contexts contexts;
    run([&](net::any_io_executor) -> task<void> {
        auto made = co_await tls_pair(contexts);
        co_await converse(std::move(made.ours), std::move(made.theirs));
    });
}

TEST_CASE("a TLS stream that ends without a close_notify is an error", "[asio]") {
    tls_contexts contexts;
    run([&](net::any_io_executor) -> task<void> {
        auto                  made = co_await tls_pair(contexts);
        stream_of<tls_socket> ours(std::move(made.ours));
        made.theirs.next_layer().close();
        std::byte  place[1];
        const auto got = co_await ours.read_some(place);
        CHECK(got.error() == std::error_code(adapter::error_code(net::ssl::error::stream_truncated)));
    });
}

TEST_CASE("TLS ends one direction beside a read that is pending, which gets what still comes", "[asio]") {
    tls_contexts contexts;
    run([&](net::any_io_executor) -> task<void> {
        auto                  made = co_await tls_pair(contexts);
        stream_of<tls_socket> ours(std::move(made.ours)), theirs(std::move(made.theirs));
        std::string           read;
        co_await both([&]() -> task<void> { read = co_await read_all(ours, 5); }(),
                      [&]() -> task<void> {
                          co_await ours.shutdown_write();
                          CHECK_AFTER(co_await read_all(theirs, 1), == "");
                          CHECK_AFTER(co_await write_all(theirs, "later"), == std::error_code());
                      }());
        CHECK(read == "later");
    });
}

TEST_CASE("a close_notify that nobody takes does not keep a stream from being closed", "[asio]") {
    tls_contexts contexts;
    run([&](net::any_io_executor executor) -> task<void> {
        auto made = co_await tls_pair(contexts);
        auto ours = std::make_optional<stream_of<tls_socket>>(std::move(made.ours));
        // Fills all buffers on the way, past what a write takes at once.
        std::size_t stuck = 0;
        const auto  fill  = [&]() -> task<void> {
            const std::vector<std::byte> much(64 * 1024);
            while ((co_await ours->write_some(much))) stuck = 0;
            ++stuck;
        };
        net::co_spawn(executor, fill(), net::detached);
        net::steady_timer pause(executor, std::chrono::milliseconds(100));
        co_await pause.async_wait(net::use_awaitable);
        ours->close();
        co_await ours->shutdown_write();
        ours.reset();
        while (stuck == 0) {
            pause.expires_after(std::chrono::milliseconds(1));
            co_await pause.async_wait(net::use_awaitable);
        }
        CHECK(stuck == 1);
    });
}

TEST_CASE("TCP_NODELAY is set", "[asio]") {
    run([](net::any_io_executor executor) -> task<void> {
        auto                  made = tcp_pair(executor);
        stream_of<tcp_socket> ours(std::move(made.ours));
        net::ip::tcp::no_delay is_set;
        ours.socket().get_option(is_set);
        CHECK(is_set.value());
        co_return;
    });
}

TEST_CASE("a write to a peer that has gone is an error and no signal", "[asio]") {
    REQUIRE(std::signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    run([](net::any_io_executor executor) -> task<void> {
        auto                    made = local_pair(executor);
        stream_of<local_socket> ours(std::move(made.ours));
        made.theirs.close();
        CHECK_AFTER(co_await write_all(ours, "nobody"), == std::errc::broken_pipe);
    });
}

TEST_CASE("close ends a read and a write that are pending", "[asio]") {
    run([](net::any_io_executor executor) -> task<void> {
        auto                  made = tcp_pair(executor);
        stream_of<tcp_socket> ours(std::move(made.ours));
        std::error_code       read, written;
        co_await both(
            [&]() -> task<void> {
                std::byte  place[1];
                const auto got = co_await ours.read_some(place);
                read           = got.error();
            }(),
            [&]() -> task<void> {
                co_await both(
                    [&]() -> task<void> {
                        const std::vector<std::byte> much(1 << 20);
                        while (!written) written = (co_await ours.write_some(much)).error();
                    }(),
                    [&]() -> task<void> {
                        net::steady_timer pause(executor, std::chrono::milliseconds(50));
                        co_await pause.async_wait(net::use_awaitable);
                        ours.close();
                    }());
            }());
        CHECK(read == std::errc::operation_canceled);
        CHECK((written == std::errc::operation_canceled || written == std::errc::bad_file_descriptor));
    });
}

TEST_CASE("a stream that was moved from fails, and does nothing else", "[asio]") {
    run([](net::any_io_executor executor) -> task<void> {
        auto                  made = tcp_pair(executor);
        stream_of<tcp_socket> ours(std::move(made.ours));
        stream_of<tcp_socket> taken(std::move(ours));
        std::byte             place[1];
        CHECK_AFTER(co_await ours.read_some(place), .error() == errc::misuse);
        CHECK_AFTER(co_await ours.write_some(place), .error() == errc::misuse);
        co_await ours.shutdown_write();
        ours.close();
        CHECK(taken.socket().is_open());
    });
}

TEST_CASE("a signal wakes all who wait, and each at its own time", "[asio]") {
    run([](net::any_io_executor executor) -> task<void> {
        stream_of<tcp_socket> stream{tcp_socket(executor)};
        auto                  moved = stream.make_signal();
        std::string           order;
        const auto wait = [&](char name, instant until) -> task<void> {
            co_await moved.wait_until(until);
            order += name;
        };
        moved.notify_all();   // wakes nobody, and nobody later
        const instant now = stream.now();
        stream.start(wait('c', instant::never()));
        stream.start(wait('d', now + seconds(3'600)));
        co_await both(wait('b', now + milliseconds(40)), wait('a', now + milliseconds(10)));
        CHECK(order == "ab");
        CHECK(stream.now() >= now + milliseconds(40));
        moved.notify_all();
        co_await moved.wait_until(now);
        CHECK((order == "abcd" || order == "abdc"));
    });
}

TEST_CASE("a context that is destroyed takes with it who waits", "[asio]") {
    struct counted {
        int& alive;
        explicit counted(int& n) : alive(n) { ++alive; }
        counted(const counted&) = delete;
        ~counted() { --alive; }
    };
    int alive = 0;
    {
        net::io_context io;
        const auto      executor = net::any_io_executor(io.get_executor());
        auto            made     = tcp_pair(executor);
        struct everything {
            stream_of<tcp_socket> ours;
            stream_of<tcp_socket>::signal moved;
            explicit everything(tcp_socket s) : ours(std::move(s)), moved(ours.make_signal()) {}
        };
        const auto shared = std::make_shared<everything>(std::move(made.ours));
        const auto reads  = [](std::shared_ptr<everything> s, int& n) -> task<void> {
            const counted here(n);
            std::byte     place[1];
            static_cast<void>(co_await s->ours.read_some(place));
        };
        const auto waits = [](std::shared_ptr<everything> s, int& n) -> task<void> {
            const counted here(n);
            co_await s->moved.wait_until(instant::never());
            s->ours.close();
        };
        shared->ours.start(reads(shared, alive));
        shared->ours.start(waits(shared, alive));
        shared->ours.start(waits(shared, alive));
        io.run_for(std::chrono::milliseconds(20));
        CHECK(alive == 3);
    }
    CHECK(alive == 0);
}

TEST_CASE("a dialer connects by name and by address", "[asio][client]") {
    run([](net::any_io_executor executor) -> task<void> {
        net::ip::tcp::acceptor listener(executor, {net::ip::address_v4::loopback(), 0});
        const auto             port = listener.local_endpoint().port();
        adapter::dialer        dialer(executor);
        for (const char* host : {"127.0.0.1", "localhost"}) {
            auto made = co_await dialer.dial(host, port, dialer.now() + seconds(10));
            REQUIRE(made);
            tcp_socket accepted(executor);
            listener.accept(accepted);
            CHECK(made->socket().remote_endpoint().port() == port);
            CHECK_AFTER(co_await write_all(*made, "x"), == std::error_code());
        }
    });
}

TEST_CASE("a dialer says why it cannot connect", "[asio][client]") {
    run([](net::any_io_executor executor) -> task<void> {
        net::ip::tcp::acceptor listener(executor, {net::ip::address_v4::loopback(), 0});
        const auto             port = listener.local_endpoint().port();
        listener.close();
        adapter::dialer dialer(executor);
        const instant   until = dialer.now() + seconds(10);
        CHECK_AFTER(co_await dialer.dial("127.0.0.1", port, until), .error() == std::errc::connection_refused);
        CHECK_AFTER(co_await dialer.dial("127.0.0.1", port, dialer.now()), .error() == errc::connect_timeout);
        CHECK_AFTER(co_await dialer.dial("", port, until), .error() == errc::invalid_host);
        CHECK_AFTER(co_await dialer.dial(std::string(256, 'a'), port, until), .error() == errc::invalid_host);
        CHECK_AFTER(co_await dialer.dial(std::string_view("a\0b", 3), port, until), .error() == errc::invalid_host);
        const auto unknown = co_await dialer.dial("nobody.invalid", port, until);
        CHECK_FALSE(unknown);
        CHECK(unknown.error() != errc::connect_timeout);
    });
}

using addresses = std::vector<net::ip::tcp::endpoint>;

// A listener whose queue is full: who comes now gets no answer.
struct deaf {
    net::ip::tcp::acceptor listener;
    std::deque<tcp_socket> waiting;

    deaf(const net::any_io_executor& executor, const char* address) : listener(executor, net::ip::tcp::v4()) {
        listener.bind({net::ip::make_address(address), 0});
        listener.listen(0);
        for (int i = 0; i < 4; ++i) {
            waiting.emplace_back(executor);
            waiting.back().async_connect(endpoint(), [](const adapter::error_code&) {});
        }
    }
    net::ip::tcp::endpoint endpoint() const { return listener.local_endpoint(); }
};

TEST_CASE("an address that does not answer is tried beside the next one", "[asio][client]") {
    run([](net::any_io_executor executor) -> task<void> {
        const deaf             silent(executor, "127.0.0.1");
        net::ip::tcp::acceptor listener(executor, {net::ip::make_address("127.0.0.2"), 0});
        adapter::dialer        dialer(executor, milliseconds(100));
        const instant          began = dialer.now();
        const addresses        found{silent.endpoint(), listener.local_endpoint()};
        auto                   made = co_await dialer.dial(found, began + seconds(10));
        REQUIRE(made);
        CHECK(made->socket().remote_endpoint() == listener.local_endpoint());
        CHECK(dialer.now() >= began + milliseconds(100));
        CHECK(dialer.now() < began + seconds(2));
    });
}

TEST_CASE("an address that refuses is followed by the next one at once, and the first one's error is told", "[asio][client]") {
    run([](net::any_io_executor executor) -> task<void> {
        net::ip::tcp::acceptor listener(executor, {net::ip::make_address("127.0.0.2"), 0});
        net::ip::tcp::acceptor gone(executor, {net::ip::make_address("127.0.0.1"), 0});
        const auto             open = listener.local_endpoint(), refused = gone.local_endpoint();
        const addresses        one_of_two{refused, open}, none_of_two{refused, refused};
        gone.close();
        adapter::dialer dialer(executor, seconds(2));
        const instant   began = dialer.now();
        CHECK_AFTER(co_await dialer.dial(one_of_two, began + seconds(10)), .has_value());
        CHECK(dialer.now() < began + seconds(1));
        CHECK_AFTER(co_await dialer.dial(none_of_two, began + seconds(10)), .error() == std::errc::connection_refused);
        const std::error_code none = adapter::error_code(net::error::host_not_found);
        CHECK_AFTER(co_await dialer.dial(addresses(), began + seconds(10)), .error() == none);
    });
}

TEST_CASE("a dialer gives up in time", "[asio][client]") {
    run([](net::any_io_executor executor) -> task<void> {
        const deaf      silent(executor, "127.0.0.1");
        const addresses found{silent.endpoint()};
        adapter::dialer dialer(executor);
        const instant   began = dialer.now();
        const auto      made  = co_await dialer.dial(found, began + milliseconds(200));
        CHECK(made.error() == errc::connect_timeout);
        CHECK(dialer.now() < began + seconds(2));
    });
}

TEST_CASE("IPv6 and IPv4 take turns, beginning with the kind of the first", "[asio][client]") {
    const auto at = [](const char* address) { return net::ip::tcp::endpoint(net::ip::make_address(address), 1); };
    CHECK(adapter::detail::take_turns({}) == addresses{});
    CHECK(adapter::detail::take_turns({at("::1"), at("::2"), at("::3"), at("127.0.0.1")}) ==
          addresses{at("::1"), at("127.0.0.1"), at("::2"), at("::3")});
    CHECK(adapter::detail::take_turns({at("127.0.0.1"), at("127.0.0.2"), at("::1")}) ==
          addresses{at("127.0.0.1"), at("::1"), at("127.0.0.2")});
}
