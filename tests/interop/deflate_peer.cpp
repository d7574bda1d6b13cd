// Either end of a compressed connection, for a peer of another make.
// usage: deflate_peer [OPTION]... server | client URL
//   --send-bits N, --receive-bits N, --send-alone, --receive-alone, --level N, --eager, --libdeflate
// server: prints `listening on PORT`, echoes, one client at a time; a text `/prepared N` is answered by N rounds of a
// message of the connection's own and a prepared one, whose texts share most. client: sends messages of every kind and
// size and expects each back; prints `agreed`, the windows and what was saved, then `closed`.
#include <navette/libdeflate.hpp>
#include <navette/navette.hpp>
#include <navette/tcp.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

using namespace navette;

namespace {

// JSON of exactly `size` bytes, with characters of every length, as the peers' scripts make it.
std::string text_of(std::size_t size) {
    std::string text;
    for (unsigned n = 0; text.size() + 64 < size; ++n)
        text += "{\"n\":" + std::to_string(n * 7919u % 10'007u) + ",\"t\":\"é中🧵 la trame\"},";
    text.resize(size, 'x');
    return text;
}

std::string prepared_text() { return "the news of today: " + text_of(2'000); }
std::string own_text(unsigned round) { return "the news of today, for you: " + std::to_string(round) + text_of(2'000); }

bool write_all(tcp::stream& stream, const_byte_span bytes) {
    while (!bytes.empty()) {
        const auto written = stream.write_some(bytes);
        if (!written) return false;
        bytes = bytes.subspan(*written);
    }
    return true;
}

void answer(server_protocol& ws, const event& e, prepared_message& news, buffer& out) {
    const auto op = e.type == event_type::text ? opcode::text : opcode::binary;
    if (op == opcode::binary || !e.text().starts_with("/prepared ")) {
        static_cast<void>(ws.send(op, e.payload, fin::yes, out));
        return;
    }
    const unsigned rounds = static_cast<unsigned>(std::atoi(std::string(e.text().substr(10)).c_str()));
    for (unsigned round = 0; round < rounds; ++round) {
        static_cast<void>(ws.send(opcode::text, own_text(round), fin::yes, out));
        if (const auto wire = news.wire(ws)) static_cast<void>(out.append(*wire));
    }
}

void serve(tcp::stream stream, const server_options& options, prepared_message& news) {
    std::vector<std::byte> memory(65'536);
    buffer                 head, out;
    buffer_pool            pool;
    server_handshake       handshake(options, head);
    byte_span              in;
    const auto             read = [&] {
        const auto got = stream.read_some(memory);
        in             = byte_span(memory).first(got ? *got : 0);
        return !in.empty();
    };
    while (read() && handshake.receive(in, out) == handshake_status::need_more) {}
    const auto agreed = handshake.accept();
    if (!agreed || append_http1(handshake.response(), out) != errc{}) return;
    session<role::server> ws(server_protocol(*agreed), pool);
    do {
        while (const event e = ws.receive(in, out))
            if (e.is_message()) answer(ws.protocol(), e, news, out);
        if (!write_all(stream, out.data())) return;
        out.clear();
        if (ws.protocol().transport(out) == transport_action::shutdown_write) {
            static_cast<void>(stream.shutdown_write());
            while (read()) {}
            return;
        }
    } while (read());
}

template <class Deflate>
int run_server(const Deflate& deflate) {
    auto listener = tcp::listen("127.0.0.1", 0);
    if (!listener) return 1;
    std::printf("listening on %u\n", static_cast<unsigned>(listener->port()));
    std::fflush(stdout);
    const server_options options{.origins = origin_policy::any(), .extensions = deflate.extensions()};
    prepared_message     news(opcode::text, as_bytes(prepared_text()));
    while (auto stream = listener->accept()) serve(std::move(*stream), options, news);
    return 0;
}

std::error_code expect_back(client_connection& ws, opcode op, const_byte_span sent) {
    const auto back = ws.read();
    if (!back) return back.error();
    const bool same = back->type == op && back->data.size() == sent.size() &&
                      (sent.empty() || std::memcmp(back->data.data(), sent.data(), sent.size()) == 0);
    return same ? std::error_code{} : make_error_code(errc::invalid_compressed_data);
}

template <class Deflate>
std::error_code talk(client_connection& ws, const Deflate&) {
    for (int round = 0; round < 2; ++round) {
        for (const std::size_t size : {0u, 1u, 125u, 1'000u, 1'000u, 5'000u, 70'000u, 1'000'000u}) {
            const std::string text = text_of(size);
            if (const auto e = ws.send(opcode::text, as_bytes(text), fin::yes, navette::compress::always)) return e;
            if (const auto e = expect_back(ws, opcode::text, as_bytes(text))) return e;
        }
        const std::vector<std::byte> zeros(300'000);
        if (const auto e = ws.send(zeros)) return e;
        if (const auto e = expect_back(ws, opcode::binary, zeros)) return e;

        const std::string text  = text_of(3'000);
        const auto        bytes = as_bytes(text);
        if (const auto e = ws.send(opcode::text, bytes.first(1'000), fin::no)) return e;
        if (const auto e = ws.send(opcode::continuation, {}, fin::no)) return e;
        if (const auto e = ws.send(opcode::continuation, bytes.subspan(1'000, 1'999), fin::no)) return e;
        if (const auto e = ws.send(opcode::continuation, bytes.subspan(2'999), fin::yes)) return e;
        if (const auto e = expect_back(ws, opcode::text, bytes)) return e;
        if (const auto e = ws.send(opcode::text, bytes, fin::yes, navette::compress::never)) return e;
        if (const auto e = expect_back(ws, opcode::text, bytes)) return e;
    }
    return ws.close();
}

template <class Deflate>
int run_client(const Deflate& deflate, const char* url) {
    auto ws = connect(url, {.handshake = {.extensions = deflate.extensions()}});
    if (!ws) return std::printf("failed %s\n", ws.error().message().c_str()), 1;
    const deflate_agreement agreed = agreed_deflate(ws->agreed());
    std::printf("agreed %u%s %u%s\n", agreed.send_window_bits, agreed.send_no_context_takeover ? " alone" : "",
                agreed.receive_window_bits, agreed.receive_no_context_takeover ? " alone" : "");
    const std::error_code error = talk(*ws, deflate);
    if (error) return std::printf("failed %s\n", error.message().c_str()), 1;
    std::puts("closed");
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    deflate_options wishes;
    bool            whole = false;
    int             at    = 1;
    for (; at < argc && argv[at][0] == '-'; ++at) {
        const std::string_view option = argv[at];
        const auto             number = [&] { return static_cast<std::uint8_t>(++at < argc ? std::atoi(argv[at]) : 0); };
        if (option == "--send-bits") wishes.send_window_bits = number();
        else if (option == "--receive-bits") wishes.receive_window_bits = number();
        else if (option == "--level") wishes.level = number();
        else if (option == "--send-alone") wishes.send_no_context_takeover = true;
        else if (option == "--receive-alone") wishes.receive_no_context_takeover = true;
        else if (option == "--eager") wishes.allocation = allocate::eagerly;
        else if (option == "--libdeflate") whole = true;
        else return 2;
    }
    const permessage_deflate    deflate(wishes);
    const permessage_libdeflate libdeflate(wishes);
    const std::string_view      mode = at < argc ? argv[at] : "";
    if (mode == "server") return whole ? run_server(libdeflate) : run_server(deflate);
    if (mode != "client" || at + 1 >= argc) return 2;
    return whole ? run_client(libdeflate, argv[at + 1]) : run_client(deflate, argv[at + 1]);
}
