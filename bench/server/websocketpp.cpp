// websocketpp 0.8.2 as an echo server over Asio: one thread, no log, no locks, no TLS, the message that came is the one
// that is sent. C++17, since it does not compile as C++20.
#include <websocketpp/concurrency/none.hpp>
#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/logger/stub.hpp>
#include <websocketpp/server.hpp>

#include "descriptors.hpp"

#include <cstdio>
#include <cstdlib>

namespace {

struct config : websocketpp::config::asio {
    using type             = config;
    using concurrency_type = websocketpp::concurrency::none;
    using alog_type        = websocketpp::log::stub;
    using elog_type        = websocketpp::log::stub;

    struct transport_config : websocketpp::config::asio::transport_config {
        using concurrency_type            = config::concurrency_type;
        using alog_type                   = config::alog_type;
        using elog_type                   = config::elog_type;
        static const bool enable_multithreading = false;
    };
    using transport_type = websocketpp::transport::asio::endpoint<transport_config>;

    static const std::size_t max_message_size = std::size_t{64} << 20;
};
using server = websocketpp::server<config>;

} // namespace

int main(int, char** argv) {
    bench::allow_descriptors();
    server ws;
    ws.init_asio();
    ws.set_reuse_addr(true);
    ws.set_listen_backlog(4096);
    ws.set_tcp_post_init_handler([&ws](websocketpp::connection_hdl at) {
        websocketpp::lib::error_code ignored;
        const auto connection = ws.get_con_from_hdl(at, ignored);
        connection->get_raw_socket().set_option(websocketpp::lib::asio::ip::tcp::no_delay(true));
    });
    ws.set_message_handler([&ws](websocketpp::connection_hdl from, server::message_ptr message) {
        websocketpp::lib::error_code ignored;
        ws.send(from, message->get_payload(), message->get_opcode(), ignored);
    });
    ws.listen(websocketpp::lib::asio::ip::tcp::endpoint(websocketpp::lib::asio::ip::address_v4::loopback(),
                                                         static_cast<std::uint16_t>(std::atoi(argv[1]))));
    ws.start_accept();
    websocketpp::lib::asio::error_code error;
    std::printf("listening on ws://127.0.0.1:%u/\n", static_cast<unsigned>(ws.get_local_endpoint(error).port()));
    std::fflush(stdout);
    ws.run();
}
