// websocketpp's rows: its routines for masks and UTF-8, its HTTP parser, and the hybi13 processor that its connections
// drive, called as they call it, without locks and without a logger. C++17: 0.8.2 does not compile as C++20.
#define _WEBSOCKETPP_CPP11_STL_
#include "corpus.hpp"
#include "peer.hpp"

#include <websocketpp/concurrency/none.hpp>
#include <websocketpp/config/core.hpp>
#include <websocketpp/frame.hpp>
#include <websocketpp/processors/hybi13.hpp>
#include <websocketpp/random/random_device.hpp>
#include <websocketpp/utf8_validator.hpp>

#include <cstring>

namespace bench {

namespace {

struct config : websocketpp::config::core {
    using concurrency_type = websocketpp::concurrency::none;
    // as its client configurations have it
    using rng_type =
        websocketpp::random::random_device::int_generator<std::uint32_t, concurrency_type>;
};
using processor   = websocketpp::processor::hybi13<config>;
using manager     = config::con_msg_manager_type;
using message_ptr = processor::message_ptr;

std::size_t prepared() {
    websocketpp::frame::masking_key_type key;
    std::memcpy(key.c, text_key.data(), text_key.size());
    return websocketpp::frame::prepare_masking_key(key);
}

// What process_payload_bytes calls.
std::size_t unmask_by_bytes(unsigned char* at, std::size_t size) {
    return websocketpp::frame::byte_mask_circ(at, size, prepared());
}

// Its faster routine, which no other part of it calls.
std::size_t unmask_by_words(unsigned char* at, std::size_t size) {
    return websocketpp::frame::word_mask_circ(at, size, prepared());
}

bool validate(unsigned char* at, std::size_t size) {
    websocketpp::utf8_validator::validator validator;
    return validator.decode(at, at + size) && validator.complete();
}

bool unmask_and_validate(unsigned char* at, std::size_t size) {
    unmask_by_bytes(at, size);
    return validate(at, size);
}

// The processor unmasks in place: reading is the copy from the wire into a buffer, as for navette.
struct connection {
    const wire& from;
    std::string input = from.bytes;
    config::rng_type rng;
    std::shared_ptr<manager> messages = std::make_shared<manager>();
    processor ws;

    connection(const wire& w, masked incoming)
        : from(w), ws(false, incoming == masked::yes, messages, rng) {}

    template <class OnMessage>
    void read(OnMessage on_message) {
        std::memcpy(input.data(), from.bytes.data(), input.size());
        auto* const bytes = static_cast<std::uint8_t*>(static_cast<void*>(input.data()));
        websocketpp::lib::error_code ec;
        for (std::size_t done = 0; done < input.size();) {
            done += ws.consume(bytes + done, input.size() - done, ec);
            if (ec) return;
            if (ws.ready()) on_message(ws.get_message());
        }
    }
};

struct receive : connection {
    using connection::connection;

    template <class Sink>
    void operator()(Sink& sink) {
        read([&](const message_ptr& message) {
            sink(message->get_payload().data(), message->get_payload().size());
            sink.end_message();
        });
    }
};

struct echo : connection {
    explicit echo(const wire& w) : connection(w, masked::yes) {}

    template <class Sink>
    void operator()(Sink& sink) {
        read([&](const message_ptr& message) {
            const message_ptr reply = messages->get_message();
            if (ws.prepare_data_frame(message, reply)) return;
            sink(reply->get_header().data(), reply->get_header().size());
            sink(reply->get_payload().data(), reply->get_payload().size());
        });
    }
};

// The steps of connection<config>::handle_read_handshake to write_http_response.
struct server_opening {
    config::rng_type rng;

    template <class Sink>
    void operator()(Sink& sink) {
        namespace step = websocketpp::processor;
        config::request_type request;
        config::response_type response;
        request.consume(chrome_request.data(), chrome_request.size());
        if (!request.ready() || !step::is_websocket_handshake(request)) return;
        if (step::get_websocket_version(request) != 13) return;
        const auto ws = std::make_shared<processor>(false, true, std::make_shared<manager>(), rng);
        if (ws->validate_handshake(request) || ws->negotiate_extensions(request).first) return;
        if (!ws->get_uri(request)->get_valid()) return;
        std::vector<std::string> subprotocols;
        if (ws->extract_subprotocols(request, subprotocols)) return;
        response.set_status(websocketpp::http::status_code::switching_protocols);
        if (ws->process_handshake(request, std::string(), response)) return;
        response.set_version("HTTP/1.1");
        const std::string raw = ws->get_raw(response);
        sink.response(raw.data(), raw.size());
    }
};

// The steps of connection<config>::send_http_request and handle_read_http_response.
struct client_opening {
    config::rng_type rng;
    std::string answered;

    template <class Sink>
    void operator()(Sink& sink) {
        const auto target =
            std::make_shared<websocketpp::uri>(false, "www.example.com", "/chat?room=navette-001");
        const auto ws = std::make_shared<processor>(false, false, std::make_shared<manager>(), rng);
        config::request_type request;
        config::response_type response;
        bool open = false;
        if (!ws->client_handshake_request(request, target, {})) {
            answer(request.raw(), answered);
            response.consume(answered.data(), answered.size());
            open = response.headers_ready() &&
                   !ws->validate_server_handshake_response(request, response) &&
                   !ws->negotiate_extensions(response).first;
        }
        sink(&open, 1);
    }
};

} // namespace

void add_websocketpp(suite& all) {
    add_masks(all, "websocketpp",
              [](unsigned char* at, std::size_t size) { benchmark::DoNotOptimize(unmask_by_bytes(at, size)); });
    add_masks(all, "websocketpp-words",
              [](unsigned char* at, std::size_t size) { benchmark::DoNotOptimize(unmask_by_words(at, size)); });
    add_utf8(all, "websocketpp", [](unsigned char* at, std::size_t size) { return validate(at, size); });
    add_fused(all, "websocketpp",
              [](unsigned char* at, std::size_t size) { return unmask_and_validate(at, size); });
    add_receive(all, "websocketpp",
                [](const wire& w, std::size_t, masked incoming) { return receive(w, incoming); });
    add_echo(all, "websocketpp", [](const wire& w, std::size_t) { return echo(w); });
    add_server_handshake(all, "websocketpp", [] { return server_opening(); });
    add_client_handshake(all, "websocketpp", [] { return client_opening(); });
}

} // namespace bench
