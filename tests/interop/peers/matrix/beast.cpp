// Boost.Beast, blocking, as a peer.
#include "echo.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using stream = websocket::stream<tcp::socket>;

namespace {

constexpr const char* subprotocol = "Sec-WebSocket-Protocol";

void prepare(stream& ws) {
    websocket::permessage_deflate deflate;
    deflate.client_enable = deflate.server_enable = true;
    ws.set_option(deflate);
    ws.set_option(websocket::stream_base::decorator([](auto& head) { head.set(subprotocol, "echo"); }));
    ws.read_message_max(1 << 26);
    ws.auto_fragment(false);
    ws.next_layer().set_option(tcp::no_delay(true));
}

void obey(stream& ws, const echo::order& order, beast::error_code& error) {
    if (order.what == "/pings") {
        for (unsigned i = 0; i < order.number && !error; ++i) ws.ping(websocket::ping_data(std::to_string(i)), error);
    } else if (order.what == "/close") {
        websocket::close_reason reason;
        if (order.number != 0) reason = {static_cast<websocket::close_code>(order.number), order.rest};
        ws.close(reason, error);
        if (!error) error = websocket::error::closed;
    } else if (order.what == "/cut") {
        ws.next_layer().close(error);
    }
}

void converse(stream& ws) {
    echo said;
    ws.control_callback([&](auto kind, auto) { said.pongs += kind == websocket::frame_type::pong; });
    beast::error_code error;
    while (!error) {
        beast::flat_buffer in;
        ws.read(in, error);
        if (error) break;
        const std::string message = beast::buffers_to_string(in.data());
        const echo::order order = said.take(message, ws.got_text());
        if (!order.what.empty()) {
            obey(ws, order, error);
            continue;
        }
        ws.text(ws.got_text());
        const auto pieces = said.pieces(message);
        for (std::size_t i = 0; i < pieces.size() && !error; ++i)
            ws.write_some(i + 1 == pieces.size(), asio::buffer(pieces[i]), error);
    }
    const auto reason = ws.reason();
    const unsigned code = reason.code == websocket::close_code::none ? 1005 : reason.code;
    if (error != websocket::error::closed) said.report(1006, "");
    else said.report(code, std::string(reason.reason.data(), reason.reason.size()));
}

void serve() {
    asio::io_context io;
    tcp::acceptor acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    listening(acceptor.local_endpoint().port());
    for (;;) {
        stream ws(acceptor.accept());
        prepare(ws);
        beast::error_code error;
        ws.accept(error);
        if (!error) converse(ws);
    }
}

void call(const std::string& url) {
    const address to(url);
    asio::io_context io;
    stream ws(io);
    ws.next_layer().connect(tcp::endpoint(asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(to.port)));
    prepare(ws);
    beast::error_code error;
    ws.handshake("127.0.0.1:" + std::to_string(to.port), to.path, error);
    if (error) not_opened(error.message());
    else converse(ws);
}

} // namespace

int main(int argc, char** argv) {
    if (std::string(argv[1]) == "server") serve();
    for (int i = 2; i < argc; ++i) call(argv[i]);
}
