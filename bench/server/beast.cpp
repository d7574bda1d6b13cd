// Boost.Beast as an echo server, set up as its documentation says for speed: one thread and one io_context that knows it,
// no permessage-deflate compiled in, executors without type erasure, messages in a flat buffer that is used again and not
// fragmented, callbacks bound without allocation in the loop. One read and one write at a time: Beast allows no more.
#define BOOST_ASIO_DISABLE_THREADS // the locks that one thread does not need
#define BOOST_ASIO_NO_DEPRECATED
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>

#include "descriptors.hpp"

#include <cstdio>
#include <cstdlib>
#include <memory>

namespace {

namespace asio      = boost::asio;
namespace beast     = boost::beast;
namespace websocket = beast::websocket;
using executor      = asio::io_context::executor_type;
using tcp_socket    = asio::basic_stream_socket<asio::ip::tcp, executor>;
using tcp_acceptor  = asio::basic_socket_acceptor<asio::ip::tcp, executor>;

class session : public std::enable_shared_from_this<session> {
    websocket::stream<tcp_socket, false> ws_;
    beast::flat_buffer message_;

public:
    explicit session(tcp_socket socket) : ws_(std::move(socket)) {
        ws_.auto_fragment(false);
        ws_.read_message_max(std::size_t{64} << 20);
    }

    void start() {
        ws_.next_layer().set_option(asio::ip::tcp::no_delay(true));
        ws_.async_accept([self = shared_from_this()](beast::error_code error) {
            if (!error) self->read();
        });
    }

private:
    void read() {
        ws_.async_read(message_, [self = shared_from_this()](beast::error_code error, std::size_t) {
            if (!error) self->write();
        });
    }

    void write() {
        ws_.text(ws_.got_text());
        ws_.async_write(message_.data(), [self = shared_from_this()](beast::error_code error, std::size_t) {
            self->message_.consume(self->message_.size());
            if (!error) self->read();
        });
    }
};

void accept(tcp_acceptor& listener) {
    listener.async_accept([&listener](beast::error_code error, tcp_socket socket) {
        if (!error) std::make_shared<session>(std::move(socket))->start();
        accept(listener);
    });
}

} // namespace

int main(int, char** argv) {
    bench::allow_descriptors();
    asio::io_context loop{1};
    tcp_acceptor listener(loop, {asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(std::atoi(argv[1]))});
    listener.listen(4096);
    accept(listener);
    std::printf("listening on ws://127.0.0.1:%u/\n", static_cast<unsigned>(listener.local_endpoint().port()));
    std::fflush(stdout);
    loop.run();
}
