// navette's rows: the public API, as a program would call it.
#include "corpus.hpp"
#include "peer.hpp"

#include <navette/handshake/client_handshake.hpp>
#include <navette/handshake/server_handshake.hpp>
#include <navette/protocol/prepared_message.hpp>

#include <cstring>
#include <vector>

namespace bench {

namespace {

using namespace navette;

byte_span text_of(unsigned char* at, std::size_t size) { return std::as_writable_bytes(std::span(at, size)); }

constexpr masking_key key = {std::byte{text_key[0]}, std::byte{text_key[1]}, std::byte{text_key[2]},
                             std::byte{text_key[3]}};

void unmask(unsigned char* at, std::size_t size) { apply_mask(text_of(at, size), key); }

bool validate(unsigned char* at, std::size_t size) { return is_valid_utf8(const_byte_span(text_of(at, size))); }

bool fused(unsigned char* at, std::size_t size) {
    utf8_validator validator;
    return unmask_and_feed(text_of(at, size), key, 0, validator) == size && validator.complete();
}

bool two_passes(unsigned char* at, std::size_t size) {
    unmask(at, size);
    return validate(at, size);
}

// Reading is the copy from the wire into the one buffer that is read into.
struct read_buffer {
    const wire& from;
    std::vector<std::byte> bytes{from.bytes.size()};

    byte_span read() {
        std::memcpy(bytes.data(), from.bytes.data(), bytes.size());
        return bytes;
    }
};

struct receive {
    read_buffer input;
    server_protocol server;
    client_protocol client;
    masked incoming;
    buffer out;

    receive(const wire& w, masked m) : input{w}, incoming(m) {}

    template <class Sink>
    void operator()(Sink& sink) {
        if (incoming == masked::yes) all_from(server, sink);
        else all_from(client, sink);
    }

    template <class Protocol, class Sink>
    void all_from(Protocol& ws, Sink& sink) {
        byte_span in = input.read();
        while (const event e = ws.receive(in, out)) {
            sink(e.payload.data(), e.payload.size());
            if (e.last) sink.end_message();
        }
    }
};

struct echo {
    read_buffer input;
    server_protocol ws;
    buffer out;

    explicit echo(const wire& w) : input{w} {}

    template <class Sink>
    void operator()(Sink& sink) {
        byte_span in = input.read();
        while (const event e = ws.receive(in, out))
            if (ws.send(opcode::binary, e.payload, fin::yes, out) != errc{}) break;
        sink(out.data().data(), out.size());
        out.clear();
    }
};

// A gather write of header and payload, which is not copied: what connection does with large messages.
struct gather_echo {
    read_buffer input;
    server_protocol ws;
    buffer out;

    explicit gather_echo(const wire& w) : input{w} {}

    template <class Sink>
    void operator()(Sink& sink) {
        byte_span in = input.read();
        while (const event e = ws.receive(in, out)) {
            const auto mark = ws.begin_frame(opcode::binary, e.payload.size(), fin::yes, out);
            if (!mark) break;
            sink(out.data().data(), mark->before);
            sink(e.payload.data(), e.payload.size());
            out.consume(mark->before);
            ws.end_frame();
        }
    }
};

struct server_opening {
    server_options options{.origins = origin_policy::any()};
    std::vector<std::byte> input{chrome_request.size()};
    buffer head, out;

    template <class Sink>
    void operator()(Sink& sink) {
        std::memcpy(input.data(), chrome_request.data(), chrome_request.size());
        byte_span in = input;
        server_handshake handshake(options, head);
        if (handshake.receive(in, out) == handshake_status::upgrade)
            if (const auto agreed = handshake.accept();
                agreed && append_http1(handshake.response(), out) == errc{}) {
                const server_protocol ws(*agreed);
                benchmark::DoNotOptimize(ws);
                sink.response(out.data().data(), out.size());
            }
        out.clear();
    }
};

struct client_opening {
    client_options options;
    uri target = *parse_uri("ws://www.example.com/chat?room=navette-001");
    buffer head, out;
    std::string response;

    template <class Sink>
    void operator()(Sink& sink) {
        client_handshake handshake(target, options, head);
        bool open = false;
        if (handshake.request(out) == errc{}) {
            answer(as_text(out.data()), response);
            byte_span in = std::as_writable_bytes(std::span(response));
            open         = handshake.receive(in) == client_handshake_status::upgrade;
            const client_protocol ws(handshake.agreed());
            benchmark::DoNotOptimize(ws);
        }
        sink(&open, 1);
        out.clear();
    }
};

enum class way { viewed, copied, sent };

// One message to a thousand connections, each with an output of its own.
template <way How>
struct broadcast {
    std::string content  = prepared_text();
    const_byte_span text = as_bytes(content);
    std::vector<server_protocol> connections{connection_count};
    std::vector<buffer> outputs{connection_count};

    template <class Sink>
    void operator()(Sink& sink) {
        if constexpr (How == way::sent) {
            for (std::size_t i = 0; i < connection_count; ++i) {
                if (connections[i].send(opcode::text, text, fin::yes, outputs[i]) != errc{}) return;
                sink(outputs[i].data().data(), outputs[i].size());
                outputs[i].clear();
            }
        } else {
            prepared_message message(opcode::text, text);
            for (std::size_t i = 0; i < connection_count; ++i) {
                const auto bytes = message.wire(connections[i]);
                if (!bytes) return;
                if constexpr (How == way::copied) {
                    if (!outputs[i].append(*bytes)) return;
                    sink(outputs[i].data().data(), outputs[i].size());
                    outputs[i].clear();
                } else {
                    sink(bytes->data(), bytes->size());
                }
            }
        }
    }
};

} // namespace

void add_navette(suite& all) {
    add_masks(all, "navette", [](unsigned char* at, std::size_t size) { return unmask(at, size); });
    add_utf8(all, "navette", [](unsigned char* at, std::size_t size) { return validate(at, size); });
    add_fused(all, "navette", [](unsigned char* at, std::size_t size) { return fused(at, size); });
    add_fused(all, "navette-two-passes",
              [](unsigned char* at, std::size_t size) { return two_passes(at, size); });
    add_receive(all, "navette",
                [](const wire& w, std::size_t, masked incoming) { return receive(w, incoming); });
    add_echo(all, "navette", [](const wire& w, std::size_t) { return echo(w); });
    add_echo(all, "navette-gather", [](const wire& w, std::size_t) { return gather_echo(w); });
    add_server_handshake(all, "navette", [] { return server_opening(); });
    add_client_handshake(all, "navette", [] { return client_opening(); });
    const cost each{connection_count, connection_count * prepared_size};
    add(all, "prepared", "navette", prepared_size, each, [] { return broadcast<way::viewed>(); });
    add(all, "prepared", "navette-copied", prepared_size, each,
        [] { return broadcast<way::copied>(); });
    add(all, "prepared", "navette-send", prepared_size, each,
        [] { return broadcast<way::sent>(); });
}

} // namespace bench
