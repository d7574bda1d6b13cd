// What the tests over an Asio begin with: a context that runs a coroutine to its end, pairs of connected sockets, TLS
// contexts. Included behind an adapter, once `net` is its Asio and `adapter` its namespace in navette.
#pragma once

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/event_log.hpp"

#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <string>

using namespace navette;

/// CHECK of what an awaited value is. Within CHECK itself GCC 12 would run the co_await more than once.
#define CHECK_AFTER(awaited, ...)     \
    do {                              \
        const auto it = awaited;      \
        CHECK(it __VA_ARGS__);        \
    } while (false)

template <class T>
using task = net::awaitable<T>;

using tcp_socket   = net::ip::tcp::socket;
using local_socket = net::local::stream_protocol::socket;
using tls_socket   = net::ssl::stream<tcp_socket>;

/// How long a context runs at most.
inline constexpr std::chrono::nanoseconds at_most{patience.nanoseconds};

/// Runs a coroutine and whatever it has started, on this thread, until the context has nothing left to do.
inline void run(std::function<task<void>(net::any_io_executor)> function) {
    net::io_context    io;
    bool               ended = false;
    std::exception_ptr thrown;
    net::co_spawn(io, function(io.get_executor()), [&](std::exception_ptr e) {
        ended  = true;
        thrown = e;
    });
    io.run_for(at_most);
    if (thrown) std::rethrow_exception(thrown);
    REQUIRE(ended);
    REQUIRE(io.stopped());   // nothing is left behind that waits
}

/// Two ends that are connected.
template <class Socket>
struct pair_of {
    Socket ours, theirs;
};

inline pair_of<tcp_socket> tcp_pair(const net::any_io_executor& a, const net::any_io_executor& b) {
    net::ip::tcp::acceptor  listener(a, {net::ip::address_v4::loopback(), 0});
    pair_of<tcp_socket>     made{tcp_socket(a), tcp_socket(b)};
    made.ours.connect(listener.local_endpoint());
    listener.accept(made.theirs);
    return made;
}
inline pair_of<tcp_socket> tcp_pair(const net::any_io_executor& executor) { return tcp_pair(executor, executor); }

inline pair_of<local_socket> local_pair(const net::any_io_executor& executor) {
    pair_of<local_socket> made{local_socket(executor), local_socket(executor)};
    net::local::connect_pair(made.ours, made.theirs);
    return made;
}

/// A server's TLS context with a certificate for localhost, and a client's that trusts it.
struct tls_contexts {
    net::ssl::context server{net::ssl::context::tls_server}, client{net::ssl::context::tls_client};
    std::string       trusted;

    tls_contexts() {
        static certificates::issuer       root;
        static const certificates::issued shown = root.issue();
        trusted                                 = root.text();
        server.use_certificate_chain(net::buffer(shown.chain));
        server.use_private_key(net::buffer(shown.key_text), net::ssl::context::pem);
        client.add_certificate_authority(net::buffer(trusted));
        client.set_verify_mode(net::ssl::verify_peer);
    }
};

/// A pause, for what has no event to wait for.
inline task<void> sleep_for(duration d) {
    net::steady_timer timer(co_await net::this_coro::executor, std::chrono::nanoseconds(d.nanoseconds));
    co_await timer.async_wait(net::use_awaitable);
}

/// Looks until something is so.
inline task<void> until(std::function<bool()> is_so) {
    for (int i = 0; !is_so() && i < 5'000; ++i) co_await sleep_for(milliseconds(1));
    CHECK(is_so());
}

/// Runs two coroutines side by side and waits for both.
inline task<void> both(task<void> first, task<void> second) {
    const net::any_io_executor executor = co_await net::this_coro::executor;
    net::steady_timer          done(executor, net::steady_timer::time_point::max());
    int                        left = 2;
    std::exception_ptr         thrown;
    const auto                 ended = [&](std::exception_ptr e) {
        if (e) thrown = e;
        if (--left == 0) done.cancel();
    };
    net::co_spawn(executor, std::move(first), ended);
    net::co_spawn(executor, std::move(second), ended);
    adapter::error_code ignored;
    while (left != 0) co_await done.async_wait(net::redirect_error(net::use_awaitable, ignored));
    if (thrown) std::rethrow_exception(thrown);
}

inline task<pair_of<tls_socket>> tls_pair(tls_contexts& with) {
    const net::any_io_executor executor = co_await net::this_coro::executor;
    pair_of<tcp_socket>        below    = tcp_pair(executor);
    pair_of<tls_socket>        made{tls_socket(std::move(below.ours), with.client), tls_socket(std::move(below.theirs), with.server)};
    co_await both(made.ours.async_handshake(net::ssl::stream_base::client, net::use_awaitable),
                  made.theirs.async_handshake(net::ssl::stream_base::server, net::use_awaitable));
    co_return made;
}
