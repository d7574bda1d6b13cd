#include <iostream>
#include <navette/websocket.hpp>

int main(int argc, char* argv[]) {
    navette::websocket ws(argc > 1 ? argv[1] : "ws://127.0.0.1:9001/");
    ws.onmessage = [](auto& message) { std::cout << message.text() << std::endl; };
    if (auto error = ws.wait()) return std::cerr << error.message() << '\n', 1;
}
