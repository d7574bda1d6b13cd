#include <iostream>
#include <navette/server.hpp>

int main(int argc, char* argv[]) {
    navette::server server(argc > 1 ? argv[1] : "127.0.0.1:9001", {navette::origin_policy::any()});
    server.on_message = [](auto& ws, auto& message) { ws.send(message); };
    if (auto error = server.run()) return std::cerr << error.message() << '\n', 1;
}
