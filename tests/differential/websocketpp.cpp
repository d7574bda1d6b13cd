// websocketpp in the differential tests: whole connections of its endpoints over its own transport in memory. C++17: 0.8.2
// does not compile as C++20.
#define _WEBSOCKETPP_CPP11_STL_
#include "partner.hpp"

#include <websocketpp/client.hpp>
#include <websocketpp/concurrency/none.hpp>
#include <websocketpp/config/core.hpp>
#include <websocketpp/logger/stub.hpp>
#include <websocketpp/server.hpp>
#include <websocketpp/version.hpp>

#include <set>
#include <sstream>
#include <stdexcept>

namespace differential {

namespace {

struct config : websocketpp::config::core {
    using type             = config;
    using concurrency_type = websocketpp::concurrency::none;
    using alog_type        = websocketpp::log::stub;
    using elog_type        = websocketpp::log::stub;
    struct transport_config : websocketpp::config::core::transport_config {
        using concurrency_type = websocketpp::concurrency::none;
        using alog_type        = websocketpp::log::stub;
        using elog_type        = websocketpp::log::stub;
    };
    using transport_type = websocketpp::transport::iostream::endpoint<transport_config>;

    static const size_t max_message_size = longest_message;
};
using server = websocketpp::server<config>;
using client = websocketpp::client<config>;

template <class Endpoint>
void listen(const typename Endpoint::connection_ptr& connection, outcome& result, bool& opened, bool& refused) {
    using message_ptr = typename Endpoint::message_ptr;
    connection->set_open_handler([&](websocketpp::connection_hdl) { opened = true; });
    connection->set_fail_handler([&](websocketpp::connection_hdl) { refused = true; });
    connection->set_message_handler([&](websocketpp::connection_hdl, const message_ptr& message) {
        const bool text = message->get_opcode() == websocketpp::frame::opcode::text;
        result.messages.push_back((text ? "t" : "b") + message->get_payload());
    });
}

// Whether a Close with this reason is a complaint: each has the words of an error, and what answers a Close has the peer's.
bool is_complaint(const std::string& reason) {
    namespace error = websocketpp::processor::error;
    static const auto all = [] {
        std::set<std::string> words{"Invalid close code", "Invalid close reason"};
        for (int e = error::general; e <= error::invalid_close_code; ++e)
            words.insert(error::make_error_code(static_cast<error::processor_errors>(e)).message());
        return words;
    }();
    return all.count(reason) != 0;
}

// Call it once the output was read: a second Close overwrites what the connection itself can say.
template <class Connection>
void judge(const Connection& connection, bool opened, bool refused, outcome& result) {
    if (refused) {
        result.end = ending::refused;
        result.why = connection->get_ec().message();
    } else if (opened && result.close != 0) {
        const bool failed = is_complaint(result.reason);
        result.end = failed ? ending::failed : ending::closed;
        if (failed) result.why = result.reason;
    } else if (opened && connection->get_state() == websocketpp::session::state::closed) {
        result.end = ending::failed;
        result.why = connection->get_ec().message();
    }
}

template <class Connection>
void feed(const Connection& connection, const input& from) {
    from.each_piece([&](std::string_view piece) {
        return connection->read_all(piece.data(), piece.size()) == piece.size();
    });
}

outcome serve(const input& from) {
    static server endpoint;
    outcome result;
    std::ostringstream out;
    bool opened = false, refused = false;
    const auto connection = endpoint.get_connection();
    connection->register_ostream(&out);
    listen<server>(connection, result, opened, refused);
    connection->start();
    if (from.to == receiver::server) connection->read_all(plain_request.data(), plain_request.size());
    if (from.to == receiver::server && !opened)
        throw std::runtime_error("websocketpp opens no connection");
    feed(connection, from);
    read_output(out.str(), true, false, result);
    judge(connection, opened, refused, result);
    if (from.to == receiver::server) result.accept.clear();
    connection->eof(); // or the connection would hold itself
    return result;
}

outcome ask(const input& from) {
    static client endpoint;
    outcome result;
    std::ostringstream out;
    bool opened = false, refused = false;
    websocketpp::lib::error_code ec;
    const auto connection = endpoint.get_connection("ws://h/", ec);
    if (ec) throw std::runtime_error(ec.message());
    connection->register_ostream(&out);
    listen<client>(connection, result, opened, refused);
    endpoint.connect(connection);
    const std::string answer = answer_to(out.str());
    connection->read_all(answer.data(), answer.size());
    if (!opened) throw std::runtime_error("websocketpp opens no connection");
    out.str({});
    feed(connection, from);
    read_output(out.str(), false, true, result);
    judge(connection, opened, refused, result);
    connection->eof();
    return result;
}

outcome receive(const input& from) { return from.to == receiver::client ? ask(from) : serve(from); }

} // namespace

const partner websocketpp_{"websocketpp", "0.8.2", true, true, receive};

} // namespace differential
