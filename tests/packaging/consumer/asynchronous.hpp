// The same conversation as echo.hpp's over an Asio, whose namespace is `net` and navette's over it `adapter`: one context, two
// coroutines, a socket of loopback. With BRIEF that conversation goes over memory, and of this adapter a stream is made: what
// finds the headers finds all of them, and coroutines are long to compile.
#pragma once

#include "echo.hpp"

#if defined(BRIEF)

int main() {
    if (converse() != 0) return 1;
    net::io_context                        io;
    adapter::stream<net::ip::tcp::socket> stream{net::ip::tcp::socket(io)};
    stream.close();
    io.run();
    return 0;
}

#else

inline net::awaitable<void> serve(net::ip::tcp::acceptor& listener) {
    auto                          socket = co_await listener.async_accept(net::use_awaitable);
    const navette::server_options options{.origins = navette::origin_policy::any()};
    auto                          ws = co_await adapter::accept(std::move(socket), options);
    while (ws) {
        const auto message = co_await ws->read();
        if (!message) break;
        co_await ws->send(*message);
    }
}

inline net::awaitable<void> talk(std::string uri, std::string& said) {
    auto ws = co_await adapter::connect(uri);
    if (!ws) said = ws.error().message();
    if (!ws) co_return;
    const std::string     text(1000, 'n');
    const std::error_code lost = co_await ws->send(text);
    const auto            back = co_await ws->read();
    said                       = !lost && back && back->text() == text ? "asynchronous" : "it did not come back";
    const std::error_code unclean = co_await ws->close();
    if (unclean) said = unclean.message();
}

int main() {
    net::io_context        io;
    net::ip::tcp::acceptor listener(io, {net::ip::address_v4::loopback(), 0});
    const std::string      uri = "ws://127.0.0.1:" + std::to_string(listener.local_endpoint().port()) + "/chat";
    std::string            said;
    net::co_spawn(io, serve(listener), net::detached);
    net::co_spawn(io, talk(uri, said), net::detached);
    io.run();
    return std::printf("navette %s: %s\n", NAVETTE_VERSION, said.c_str()), said != "asynchronous";
}

#endif
