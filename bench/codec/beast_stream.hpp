// A stream of Boost.Beast's kind that lies in memory: reads copy from a text that was set, writes go to a checksum or
// nowhere. The least that websocket::stream asks of the layer below it.
#pragma once

#include "corpus.hpp"
#include "peer.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>

#include <algorithm>
#include <cstring>
#include <string>

namespace bench {

namespace beast     = boost::beast;
namespace websocket = beast::websocket;
namespace net       = boost::asio;

inline net::io_context& context() {
    static net::io_context only{1};
    return only;
}

class memory_stream {
    std::string_view input_;
    checked_sink* output_ = nullptr;
    std::string* record_  = nullptr;
    std::string response_;

public:
    using executor_type = net::io_context::executor_type;

    executor_type get_executor() { return context().get_executor(); }

    void set_input(std::string_view bytes) { input_ = bytes; }

    // Where what is written goes, beside nowhere.
    void set_output(timed_sink&) { output_ = nullptr; }
    void set_output(checked_sink& sink) { output_ = &sink; }

    // A record of what is written: a client's request, that the next read answers.
    void set_record(std::string* record) { record_ = record; }

    template <class Buffers>
    std::size_t read_some(const Buffers& buffers, beast::error_code& ec) {
        if (record_ != nullptr && input_.empty() && !record_->empty()) {
            answer(*record_, response_);
            input_ = response_;
            record_->clear();
        }
        if (input_.empty()) {
            ec = net::error::eof;
            return 0;
        }
        ec = {};
        const std::size_t n =
            net::buffer_copy(buffers, net::const_buffer(input_.data(), input_.size()));
        input_.remove_prefix(n);
        return n;
    }

    template <class Buffers>
    std::size_t read_some(const Buffers& buffers) {
        beast::error_code ec;
        const std::size_t n = read_some(buffers, ec);
        if (ec) throw beast::system_error(ec);
        return n;
    }

    template <class Buffers>
    std::size_t write_some(const Buffers& buffers, beast::error_code& ec) {
        ec                = {};
        std::size_t total = 0;
        for (const net::const_buffer piece : beast::buffers_range_ref(buffers)) {
            benchmark::DoNotOptimize(piece.data());
            if (output_ != nullptr) (*output_)(piece.data(), piece.size());
            if (record_ != nullptr)
                record_->append(static_cast<const char*>(piece.data()), piece.size());
            total += piece.size();
        }
        return total;
    }

    template <class Buffers>
    std::size_t write_some(const Buffers& buffers) {
        beast::error_code ec;
        return write_some(buffers, ec);
    }
};

inline void teardown(beast::role_type, memory_stream&, beast::error_code& ec) { ec = {}; }

template <class Handler>
void async_teardown(beast::role_type, memory_stream&, Handler&& handler) {
    net::post(context(), beast::bind_handler(std::forward<Handler>(handler), beast::error_code{}));
}

/// No permessage-deflate: what the documentation says that those take who do not want to pay for it.
using plain_stream = websocket::stream<memory_stream, false>;

/// A stream whose opening handshake is done.
inline void open(plain_stream& ws, masked incoming) {
    beast::error_code ec;
    if (incoming == masked::yes) {
        ws.next_layer().set_input(chrome_request);
        ws.accept(ec);
    } else {
        std::string request;
        ws.next_layer().set_record(&request);
        ws.handshake("www.example.com", "/chat?room=navette-001", ec);
        ws.next_layer().set_record(nullptr);
    }
    if (ec) throw beast::system_error(ec);
    ws.auto_fragment(false);
    ws.binary(true);
}

} // namespace bench
