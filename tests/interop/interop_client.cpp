// A client over navette::connection that a peer's server drives: it echoes every message, and does what a text message
// that begins with `/` says: /fragments N (of the messages from now on), /ping TEXT, /close CODE REASON, /abort.
// usage: interop_client [SUBPROTOCOL]... URL. Prints `open SUBPROTOCOL`, then `closed CODE REASON` or `failed ERROR`.
#include <navette/tcp.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

using namespace navette;

namespace {

// The rest of `text` behind `command`, if it begins with that.
bool takes(std::string_view& text, std::string_view command) {
    if (!text.starts_with(command)) return false;
    text.remove_prefix(command.size());
    return true;
}

std::error_code echo(client_connection& ws, const message& got, std::size_t fragments) {
    if (fragments <= 1) return ws.send(got);
    const std::size_t size = got.data.size() / fragments;
    for (std::size_t i = 0; i < fragments; ++i) {
        const bool last = i + 1 == fragments;
        const const_byte_span piece =
            last ? got.data.subspan(i * size) : got.data.subspan(i * size, size);
        const auto error =
            ws.send(i == 0 ? got.type : opcode::continuation, piece, last ? fin::yes : fin::no);
        if (error) return error;
    }
    return {};
}

std::error_code answer(client_connection& ws, const message& got, std::size_t& fragments) {
    std::string_view text = got.type == opcode::text ? got.text() : "";
    if (takes(text, "/fragments ")) {
        fragments = static_cast<std::size_t>(std::atoi(std::string(text).c_str()));
        return {};
    }
    if (takes(text, "/ping ")) return ws.ping(as_bytes(text));
    if (takes(text, "/abort")) std::_Exit(0);
    if (takes(text, "/close ")) {
        const std::size_t space = std::min(text.find(' '), text.size());
        const int code          = std::atoi(std::string(text.substr(0, space)).c_str());
        return ws.start_close(static_cast<close_code>(code),
                              text.substr(std::min(space + 1, text.size())));
    }
    return echo(ws, got, fragments);
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 2) return 2;
    const std::vector<std::string_view> subprotocols(argv + 1, argv + argc - 1);

    auto ws = navette::connect(argv[argc - 1], {.handshake = {.subprotocols = subprotocols}});
    if (!ws) return std::printf("failed %s\n", ws.error().message().c_str()), 1;
    std::printf("open %s\n", std::string(ws->agreed().subprotocol).c_str());

    std::size_t fragments = 1;
    std::error_code error;
    while (!error) {
        const auto got = ws->read();
        error          = got ? answer(*ws, *got, fragments) : got.error();
    }
    const peer_close peer = ws->closed_by();
    if (error == errc::closed) {
        std::printf("closed %u %s\n", static_cast<unsigned>(peer.code),
                    std::string(peer.reason).c_str());
        return 0;
    }
    const bool ours = error.category() == navette::error_category();
    std::printf("failed %s\n",
                ours ? std::string(facts(static_cast<errc>(error.value())).name).c_str()
                     : error.message().c_str());
    return 1;
}
