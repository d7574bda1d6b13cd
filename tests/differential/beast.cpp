// Boost.Beast in the differential tests: websocket::stream over a stream in memory that hands out one piece a read.
#include "partner.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/version.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <algorithm>
#include <stdexcept>

namespace differential {

namespace {

namespace net       = boost::asio;
namespace beast_ns  = boost::beast;
namespace websocket = boost::beast::websocket;
using beast_ns::error_code;

net::io_context& context() {
    static net::io_context only{1};
    return only;
}

class memory_stream {
    std::vector<std::string_view> pieces_; // the next one is the last
    std::string answer_;

public:
    std::string written;
    bool answers = false; ///< the first read answers what was written, in place of a server

    using executor_type = net::io_context::executor_type;
    executor_type get_executor() { return context().get_executor(); }

    void set_input(const input& from) {
        pieces_.clear();
        from.each_piece([&](std::string_view piece) { return pieces_.push_back(piece), true; });
        std::reverse(pieces_.begin(), pieces_.end());
    }
    void set_input(std::string_view all) { pieces_.assign(1, all); }

    template <class Buffers>
    std::size_t read_some(const Buffers& buffers, error_code& ec) {
        if (answers) {
            answers = false;
            answer_ = answer_to(written);
            set_input(answer_);
        }
        if (pieces_.empty()) {
            ec = net::error::eof;
            return 0;
        }
        ec                  = {};
        const std::size_t n = net::buffer_copy(buffers, net::buffer(pieces_.back()));
        pieces_.back().remove_prefix(n);
        if (pieces_.back().empty()) pieces_.pop_back();
        return n;
    }
    template <class Buffers>
    std::size_t read_some(const Buffers& buffers) {
        error_code ec;
        const std::size_t n = read_some(buffers, ec);
        if (ec) throw beast_ns::system_error(ec);
        return n;
    }
    template <class Buffers>
    std::size_t write_some(const Buffers& buffers, error_code& ec) {
        ec                       = {};
        const std::size_t before = written.size();
        for (const net::const_buffer piece : beast_ns::buffers_range_ref(buffers))
            written.append(static_cast<const char*>(piece.data()), piece.size());
        return written.size() - before;
    }
    template <class Buffers>
    std::size_t write_some(const Buffers& buffers) {
        error_code ec;
        return write_some(buffers, ec);
    }
};

void teardown(beast_ns::role_type, memory_stream&, error_code& ec) { ec = {}; }

// The stream names it in asynchronous code, none of which is called.
template <class Handler>
void async_teardown(beast_ns::role_type, memory_stream&, Handler&&) {}

bool is_end(error_code ec) {
    return ec == net::error::eof || ec == beast_ns::http::error::end_of_stream ||
           ec == beast_ns::http::error::partial_message;
}

outcome receive(const input& from) {
    websocket::stream<memory_stream, false> ws;
    memory_stream& wire = ws.next_layer();
    outcome result;
    error_code ec;
    ws.read_message_max(longest_message);
    switch (from.to) {
    case receiver::server:
        wire.set_input(plain_request);
        ws.accept(ec);
        break;
    case receiver::client:
        wire.answers = true;
        ws.handshake("h", "/", ec);
        break;
    case receiver::handshake:
        wire.set_input(from);
        ws.accept(ec);
        break;
    }
    if (from.to != receiver::handshake) {
        if (ec) throw std::runtime_error("Beast opens no connection: " + ec.message());
        wire.written.clear();
        wire.set_input(from);
    }
    beast_ns::flat_buffer message;
    while (!ec) {
        ws.read(message, ec);
        if (ec) break;
        std::string whole(1, ws.got_text() ? 't' : 'b');
        whole.append(static_cast<const char*>(message.data().data()), message.size());
        result.messages.push_back(std::move(whole));
        message.clear();
    }
    const bool opened = from.to != receiver::handshake || wire.written.compare(0, 12, "HTTP/1.1 101") == 0;
    if (ec == websocket::error::closed) {
        if (opened) result.end = ending::closed; // before that it is the end of the input
    } else if (!is_end(ec)) {
        result.end        = opened ? ending::failed : ending::refused;
        result.why        = ec.message();
    }
    read_output(wire.written, from.to == receiver::handshake, from.to == receiver::client, result);
    return result;
}

} // namespace

const partner beast{"Beast", BOOST_LIB_VERSION, true, true, receive};

} // namespace differential
