#include <iostream>
#include <navette/asio.hpp>

asio::awaitable<void> serve(asio::ip::tcp::socket socket) {
    const auto anybody = navette::origin_policy::any();
    auto ws = co_await navette::asio::accept(std::move(socket), {.origins = anybody});
    auto message = ws ? co_await ws->read() : ws.error();
    for (; message; message = co_await ws->read()) co_await ws->send(*message);
}

asio::awaitable<void> listen(asio::io_context& io, asio::ip::tcp::acceptor on) {
    for (;;) co_spawn(io, serve(co_await on.async_accept(asio::use_awaitable)), asio::detached);
}

int main(int argc, char* argv[]) try {
    asio::io_context io;
    const auto port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 9001);
    asio::ip::tcp::acceptor on(io, {asio::ip::address_v4::loopback(), port});
    co_spawn(io, listen(io, std::move(on)), [](auto error) { std::rethrow_exception(error); });
    io.run();
} catch (const std::exception& error) {
    return std::cerr << error.what() << '\n', 1;
}
