// websocketpp over Boost.Asio as a peer.
#include "echo.hpp"

#include <websocketpp/client.hpp>
#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/config/asio_no_tls_client.hpp>
#include <websocketpp/extensions/permessage_deflate/enabled.hpp>
#include <websocketpp/server.hpp>

#include <memory>

namespace {

struct deflate_config {};

template <class Base>
struct with_deflate : Base {
    using type = with_deflate;
    using concurrency_type = typename Base::concurrency_type;
    using request_type = typename Base::request_type;
    using response_type = typename Base::response_type;
    using message_type = typename Base::message_type;
    using con_msg_manager_type = typename Base::con_msg_manager_type;
    using endpoint_msg_manager_type = typename Base::endpoint_msg_manager_type;
    using alog_type = typename Base::alog_type;
    using elog_type = typename Base::elog_type;
    using rng_type = typename Base::rng_type;
    using transport_type = typename Base::transport_type;
    using permessage_deflate_type = websocketpp::extensions::permessage_deflate::enabled<deflate_config>;
    static const std::size_t max_message_size = 1 << 26;
};

using server = websocketpp::server<with_deflate<websocketpp::config::asio>>;
using client = websocketpp::client<with_deflate<websocketpp::config::asio_client>>;

template <class Connection>
void obey(Connection& ws, const echo::order& order) {
    if (order.what == "/pings") {
        for (unsigned i = 0; i < order.number; ++i) ws.ping(std::to_string(i));
    } else if (order.what == "/close") {
        const auto code = static_cast<websocketpp::close::status::value>(order.number);
        ws.close(code == 0 ? websocketpp::close::status::blank : code, order.rest);
    } else if (order.what == "/cut") {
        ws.get_raw_socket().close();
    }
}

// Sets what is called for this connection.
template <class Pointer>
void converse(Pointer ws) {
    auto said = std::make_shared<echo>();
    ws->set_message_handler([said, ws = ws.get()](auto, auto message) {
        const bool text = message->get_opcode() == websocketpp::frame::opcode::text;
        const echo::order order = said->take(message->get_payload(), text);
        if (order.what.empty()) ws->send(message->get_payload(), message->get_opcode());
        else obey(*ws, order);
    });
    ws->set_pong_handler([said](auto, auto) { ++said->pongs; });
    ws->set_close_handler([said, ws = ws.get()](auto) { said->report(ws->get_remote_close_code(), ws->get_remote_close_reason()); });
}

template <class Endpoint>
void prepare(Endpoint& endpoint) {
    endpoint.clear_access_channels(websocketpp::log::alevel::all);
    endpoint.clear_error_channels(websocketpp::log::elevel::all);
    endpoint.init_asio();
    endpoint.set_max_message_size(1 << 26);
}

void serve() {
    server endpoint;
    prepare(endpoint);
    endpoint.set_validate_handler([&](auto handle) {
        auto ws = endpoint.get_con_from_hdl(handle);
        if (!ws->get_requested_subprotocols().empty()) ws->select_subprotocol("echo");
        converse(ws);
        return true;
    });
    endpoint.listen(boost::asio::ip::tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
    endpoint.start_accept();
    boost::system::error_code error;
    listening(endpoint.get_local_endpoint(error).port());
    endpoint.run();
}

void call(const std::string& url) {
    client endpoint;
    prepare(endpoint);
    websocketpp::lib::error_code error;
    auto ws = endpoint.get_connection(url, error);
    ws->add_subprotocol("echo");
    ws->set_fail_handler([ws = ws.get()](auto) { not_opened(ws->get_ec().message()); });
    converse(ws);
    endpoint.connect(ws);
    ws.reset();
    endpoint.run();
}

} // namespace

int main(int argc, char** argv) {
    if (std::string(argv[1]) == "server") serve();
    for (int i = 2; i < argc; ++i) call(argv[i]);
}
