#include <iostream>
#include <navette/server.hpp>
constexpr std::string_view ours[] = {"https://example.com"};

int main(int argc, char* argv[]) {
    navette::server s(argc > 1 ? argv[1] : ":9001", {navette::origin_policy::list(ours), {"echo"}});
    s.on_message = [](auto& ws, auto& message) {
        message.type == navette::opcode::text ? ws.send(message.text()) : ws.send(message.data);
    };
    if (auto error = s.run()) return std::cerr << error.message() << '\n', 1;
}
