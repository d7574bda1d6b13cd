// Boost.Beast's rows: its routines for masks and UTF-8, and websocket::stream over a stream in memory. read_some into a
// buffer of the payload's size copies once less than read into a dynamic buffer.
#include "beast_stream.hpp"

#include <boost/beast/websocket/detail/mask.hpp>
#include <boost/beast/websocket/detail/utf8_checker.hpp>

#include <vector>

namespace bench {

namespace {

websocket::detail::prepared_key prepared() {
    websocket::detail::prepared_key key;
    websocket::detail::prepare_key(key, text_key[0] | static_cast<std::uint32_t>(text_key[1]) << 8 |
                                            static_cast<std::uint32_t>(text_key[2]) << 16 |
                                            static_cast<std::uint32_t>(text_key[3]) << 24);
    return key;
}

void unmask(unsigned char* at, std::size_t size) {
    auto key = prepared();
    websocket::detail::mask_inplace(net::mutable_buffer(at, size), key);
}

bool validate(unsigned char* at, std::size_t size) {
    const void* const text = at;
    return websocket::detail::check_utf8(static_cast<const char*>(text), size);
}

bool unmask_and_validate(unsigned char* at, std::size_t size) {
    unmask(at, size);
    websocket::detail::utf8_checker checker;
    return checker.write(at, size) && checker.finish();
}

struct receive {
    const wire& from;
    std::vector<char> payload;
    plain_stream ws;

    receive(const wire& w, std::size_t size, masked incoming) : from(w), payload(size) {
        open(ws, incoming);
    }

    template <class Sink>
    void operator()(Sink& sink) {
        ws.next_layer().set_input(from.bytes);
        beast::error_code ec;
        for (std::size_t i = 0; i < from.frames; ++i) {
            do {
                const std::size_t n = ws.read_some(net::buffer(payload), ec);
                if (ec) return;
                sink(payload.data(), n);
            } while (!ws.is_message_done());
            sink.end_message();
        }
    }
};

struct echo {
    const wire& from;
    std::vector<char> payload;
    plain_stream ws;

    echo(const wire& w, std::size_t size) : from(w), payload(size) { open(ws, masked::yes); }

    template <class Sink>
    void operator()(Sink& sink) {
        ws.next_layer().set_input(from.bytes);
        ws.next_layer().set_output(sink);
        beast::error_code ec;
        for (std::size_t i = 0; i < from.frames; ++i) {
            std::size_t size = 0;
            do {
                size += ws.read_some(net::buffer(payload) + size, ec);
                if (ec) return;
            } while (!ws.is_message_done());
            ws.write(net::buffer(payload, size), ec);
            if (ec) return;
        }
    }
};

// A stream's life begins here, as it does in a server: it is made for each connection.
struct server_opening {
    template <class Sink>
    void operator()(Sink& sink) {
        plain_stream ws;
        deliver(ws, sink);
    }

    void deliver(plain_stream& ws, timed_sink&) {
        beast::error_code ec;
        ws.next_layer().set_input(chrome_request);
        ws.accept(ec);
        benchmark::DoNotOptimize(ws.is_open());
    }

    void deliver(plain_stream& ws, checked_sink& sink) {
        std::string response;
        beast::error_code ec;
        ws.next_layer().set_input(chrome_request);
        ws.next_layer().set_record(&response);
        ws.accept(ec);
        sink.response(response.data(), response.size());
    }
};

struct client_opening {
    std::string request;

    template <class Sink>
    void operator()(Sink& sink) {
        plain_stream ws;
        beast::error_code ec;
        ws.next_layer().set_record(&request);
        ws.handshake("www.example.com", "/chat?room=navette-001", ec);
        const bool open = ws.is_open();
        sink(&open, 1);
    }
};

} // namespace

void add_beast(suite& all) {
    add_masks(all, "beast", [](unsigned char* at, std::size_t size) { return unmask(at, size); });
    add_utf8(all, "beast", [](unsigned char* at, std::size_t size) { return validate(at, size); });
    add_fused(all, "beast",
              [](unsigned char* at, std::size_t size) { return unmask_and_validate(at, size); });
    add_receive(all, "beast", [](const wire& w, std::size_t size, masked incoming) {
        return receive(w, size, incoming);
    });
    add_echo(all, "beast", [](const wire& w, std::size_t size) { return echo(w, size); });
    add_server_handshake(all, "beast", [] { return server_opening(); });
    add_client_handshake(all, "beast", [] { return client_opening(); });
}

} // namespace bench
