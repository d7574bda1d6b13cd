#include <iostream>
#include <navette/tcp.hpp>

int main(int argc, char* argv[]) {
    auto ws = navette::connect(argc > 1 ? argv[1] : "ws://127.0.0.1:9001/");
    auto message = ws ? ws->read() : ws.error();
    for (; message; message = ws->read()) std::cout << message->text() << std::endl;
    if (message.error() == navette::errc::closed) return 0;
    std::cerr << message.error().message() << '\n';
    return 1;
}
