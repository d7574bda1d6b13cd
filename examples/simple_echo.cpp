#include <iostream>
#include <navette/tcp.hpp>

int main(int argc, char* argv[]) {
    auto listener = navette::tcp::listen("127.0.0.1", argc > 1 ? std::atoi(argv[1]) : 9001);
    auto stream = listener ? listener->accept() : listener.error();
    for (; stream; stream = listener->accept()) {
        auto ws = navette::accept(*std::move(stream), {.origins = navette::origin_policy::any()});
        while (auto message = ws ? ws->read() : ws.error()) ws->send(*message);
    }
    std::cerr << stream.error().message() << '\n';
    return 1;
}
