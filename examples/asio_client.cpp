#include <iostream>
#include <navette/asio.hpp>

asio::awaitable<void> print(std::string uri, int& status) {
    auto ws = co_await navette::asio::connect(uri);
    auto message = ws ? co_await ws->read() : ws.error();
    for (; message; message = co_await ws->read()) std::cout << message->text() << std::endl;
    if (message.error() == navette::errc::closed) co_return;
    std::cerr << message.error().message() << '\n';
    status = 1;
}

int main(int argc, char* argv[]) {
    asio::io_context io;
    int status = 0;
    co_spawn(io, print(argc > 1 ? argv[1] : "ws://127.0.0.1:9001/", status), asio::detached);
    io.run();
    return status;
}
