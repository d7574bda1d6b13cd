// navette's end of the interop matrix: drives a peer that echoes and obeys (see peers/matrix/README.md), in either role, and
// counts the frames on the wire.
// usage: matrix_end [OPTION]... client SCENARIO URL | server
//   --engine-io  speaks what socket.io has between its messages and WebSocket
//   --ca FILE    of who issued the certificate of a wss URL's server
// server: prints `listening on PORT`; a client's scenario is the path of its request. One line of JSON for each scenario.
#include <navette/codec/digest.hpp>
#include <navette/deflate.hpp>
#include <navette/tcp.hpp>
#include <navette/tls.hpp>

#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

using namespace navette;

namespace {

// One direction of the wire: the HTTP head, and how many frames of each opcode.
class direction {
    std::vector<std::byte> header_{};
    std::uint64_t          payload_ = 0; // still to come of the current frame

public:
    std::string head{};
    unsigned    frames[16]{};
    unsigned    compressed = 0; // data frames with RSV1

    void feed(const_byte_span bytes) {
        for (std::size_t at = 0; at < bytes.size();) {
            if (!head.ends_with("\r\n\r\n")) {
                head += static_cast<char>(bytes[at++]);
            } else if (payload_ != 0) {
                const std::size_t n = std::min<std::uint64_t>(payload_, bytes.size() - at);
                payload_ -= n;
                at += n;
            } else {
                header_.push_back(bytes[at++]);
                const parsed_header parsed = parse_header(header_);
                if (parsed.size == 0) continue;
                frames[static_cast<unsigned>(parsed.header.op)]++;
                compressed += (parsed.header.rsv & rsv_bits::rsv1) == rsv_bits::rsv1;
                payload_ = parsed.header.payload_length;
                header_.clear();
            }
        }
    }

    std::string field(std::string_view name) const {
        const auto lower = [](std::string_view text) {
            std::string made(text);
            for (char& c : made)
                if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
            return made;
        };
        const std::size_t found = lower(head).find("\r\n" + lower(name) + ":");
        if (found == std::string::npos) return {};
        const std::size_t begin = head.find_first_not_of(' ', found + name.size() + 3);
        return head.substr(begin, head.find("\r\n", begin) - begin);
    }
};

struct wire {
    direction sent{}, received{};
};

// A stream that shows what passes to `seen`, which outlives it.
struct watched_stream {
    any_stream socket;
    wire*      seen;

    io_result<std::size_t> read_some(byte_span in) {
        const auto n = socket.read_some(in);
        if (n) seen->received.feed(in.first(*n));
        return n;
    }
    io_result<std::size_t> write_some(const_byte_span out) {
        const auto n = socket.write_some(out);
        if (n) seen->sent.feed(out.first(*n));
        return n;
    }
    void    shutdown_write() { socket.shutdown_write(); }
    void    close() { socket.close(); }
    instant now() { return socket.now(); }
    void    read_expires_at(instant when) { socket.read_expires_at(when); }
    void    write_expires_at(instant when) { socket.write_expires_at(when); }
};

// Without a heartbeat, but for the scenario that is about it.
constexpr timeouts patience(std::string_view scenario) {
    return {.handshake = seconds(20), .idle = seconds(20), .ping_every = scenario == "idle" ? milliseconds(300) : duration{}};
}

constexpr std::string_view subprotocols[] = {"echo", "other"};
constexpr std::string_view greeting = R"(0{"sid":"matrix","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":33554432})";

bool        engine_io = false;
const char* ca        = nullptr;

// Text of exactly `size` bytes, of characters of every length.
std::string text_of(std::size_t size) {
    std::string text;
    for (unsigned n = 0; text.size() + 64 < size; ++n)
        text += "{\"n\":" + std::to_string(n * 7'919u % 10'007u) + ",\"t\":\"é中🧵\"},";
    text.resize(size, 'x');
    return text;
}

std::vector<std::byte> bytes_of(std::size_t size) {
    std::vector<std::byte> bytes(size);
    std::uint32_t          state = 1;
    for (std::byte& b : bytes) b = static_cast<std::byte>((state = state * 1'664'525u + 1'013'904'223u) >> 24);
    return bytes;
}

std::string hex(sha256_hash& hash) {
    std::string text;
    char        digits[3];
    for (const std::byte b : hash.finish()) {
        std::snprintf(digits, sizeof digits, "%02x", std::to_integer<unsigned>(b));
        text += digits;
    }
    return text;
}

template <role R>
class conversation {
    connection<R, watched_stream>& ws_;
    sha256_hash                    sent_{}, received_{}; // of the messages that are echoed
    navette::compress              how_ = navette::compress::automatic;

    void fail(std::error_code error) {
        if (ended.empty()) ended = "failed: " + error.message();
    }

    bool go_on(std::error_code error) {
        if (error) fail(error);
        return ended.empty();
    }

    // 0 fragments: three frames, of which the first and the last are empty.
    bool send_in(opcode op, const_byte_span payload, std::size_t fragments) {
        std::string marked; // engine.io's own mark of a message that is text
        if (engine_io && op == opcode::text) {
            marked = "4" + std::string(as_text(payload));
            payload = as_bytes(marked);
        }
        if (fragments == 0)
            return go_on(ws_.send(op, {}, fin::no)) && go_on(ws_.send(opcode::continuation, payload, fin::no)) &&
                   go_on(ws_.send(opcode::continuation, {}, fin::yes));
        for (std::size_t i = 0; i < fragments; ++i) {
            const std::size_t begin = payload.size() * i / fragments, end = payload.size() * (i + 1) / fragments;
            const fin         last = i + 1 == fragments ? fin::yes : fin::no;
            if (!go_on(ws_.send(i == 0 ? op : opcode::continuation, payload.subspan(begin, end - begin), last, how_))) return false;
        }
        return true;
    }

    bool order(std::string_view command) { return send_in(opcode::text, as_bytes(command), 1); }

    bool echoed(opcode op, const_byte_span payload, std::size_t fragments = 1) {
        sent_.update(payload);
        if (!send_in(op, payload, fragments)) return false;
        const auto back = ws_.read();
        if (!back) return go_on(back.error());
        const_byte_span data = back->data;
        if (engine_io && back->type == opcode::text && !data.empty()) data = data.subspan(1);
        received_.update(data);
        const bool same = back->type == op && data.size() == payload.size() &&
                          (data.empty() || std::memcmp(data.data(), payload.data(), data.size()) == 0);
        if (!same)
            ended = "failed: " + std::to_string(payload.size()) + " bytes came back as " + std::to_string(data.size()) +
                    ", or different";
        return same;
    }
    bool echoed(std::string_view text, std::size_t fragments = 1) { return echoed(opcode::text, as_bytes(text), fragments); }

    bool sizes(std::size_t fragments, std::initializer_list<std::size_t> all) {
        for (const std::size_t size : all)
            if (!echoed(text_of(size), fragments) || !echoed(opcode::binary, bytes_of(size), fragments)) return false;
        return true;
    }

    bool pings() {
        for (int i = 0; i < 100; ++i) {
            const std::string number = std::to_string(i);
            if (!go_on(ws_.ping(as_bytes(number))) || !echoed(number)) return false;
        }
        return true;
    }

    // The peer's last words: `closed CODE REASON`, of which the reason counts if the peer began, or how it failed.
    void expect_end(std::error_code why, bool peer_began) {
        const peer_close peer = ws_.closed_by();
        if (why != errc::closed) return fail(why);
        ended = "closed " + std::to_string(static_cast<unsigned>(peer.code));
        if (peer_began && !peer.reason.empty()) ended += " " + std::string(peer.reason);
    }

    void wait_for_end() {
        auto message = ws_.read();
        while (message) message = ws_.read(); // engine.io says that it will close
        expect_end(message.error(), true);
    }

    void close(close_code code = close_code::normal, std::string_view reason = {}) {
        const std::error_code error = ws_.close(code, reason);
        expect_end(error ? error : make_error_code(errc::closed), false);
    }

public:
    std::string ended{};

    explicit conversation(connection<R, watched_stream>& ws) : ws_(ws) {}

    void run(std::string_view scenario) {
        if (engine_io) {
            if (R == role::server && !go_on(ws_.send(greeting))) return;
            if (R == role::client && !go_on(ws_.read().error())) return;
        }
        if (scenario == "plain") {
            if (sizes(1, {0, 1, 125, 126, 65'535, 65'536})) close();
        } else if (scenario == "compressed") {
            how_ = navette::compress::always;
            if (sizes(1, {1, 125, 126, 65'535, 65'536})) close();
        } else if (scenario == "compressed-empty") {
            how_ = navette::compress::always;
            if (sizes(1, {1, 0})) close();
        } else if (scenario == "fragmented") {
            if (sizes(7, {7, 1'000, 100'000})) close();
        } else if (scenario == "empty-frames") {
            if (sizes(0, {1, 1'000})) close();
        } else if (scenario == "refragmented") {
            if (order("/fragments 5") && sizes(1, {5, 1'000, 100'000})) close();
        } else if (scenario == "16MiB") {
            if (echoed(opcode::binary, bytes_of(16u << 20))) close();
        } else if (scenario == "pings") {
            if (pings()) close();
        } else if (scenario == "pinged") {
            if (order("/pings 100") && echoed("all of them") && echoed("answered")) close();
        } else if (scenario == "idle" || scenario == "silent") {
            if (echoed("there?") && order("/wait 3") && echoed("still there?")) close();
        } else if (scenario == "close") {
            if (echoed("there?")) close(close_code::normal, "enough");
        } else if (scenario == "close-bare") {
            if (echoed("there?")) close(close_code::none);
        } else if (scenario == "closed") {
            if (echoed("there?") && order("/close 1000 enough")) wait_for_end();
        } else if (scenario == "closed-bare") {
            if (echoed("there?") && order("/close")) wait_for_end();
        } else if (scenario == "cut") {
            if (echoed("there?")) ended = "cut";
        } else if (scenario == "was-cut") {
            if (echoed("there?") && order("/cut")) wait_for_end();
        } else {
            ended = "failed: there is no such scenario";
        }
    }

    std::string sent_digest() { return hex(sent_); }
    std::string received_digest() { return hex(received_); }
};

std::string quoted(std::string_view text) {
    std::string made = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') made += '\\';
        if (static_cast<unsigned char>(c) >= ' ') made += c;
    }
    return made + '"';
}

std::string counts(const direction& way) {
    std::string made = "{";
    for (const opcode op : {opcode::text, opcode::binary, opcode::continuation, opcode::ping, opcode::pong, opcode::close}) {
        const unsigned n = way.frames[static_cast<unsigned>(op)];
        if (n != 0) made += (made.size() > 1 ? ", " : "") + quoted(to_string(op)) + ": " + std::to_string(n);
    }
    if (way.compressed != 0) made += ", \"compressed\": " + std::to_string(way.compressed);
    return made + "}";
}

void print(std::string_view scenario, const wire& seen, const direction& answer, std::string_view ended,
           std::string_view sent = {}, std::string_view received = {}) {
    std::printf(R"({"scenario": %s, "status": %s, "server": %s, "subprotocol": %s, "extensions": %s, "sent": %s, "received": %s, )"
                R"("sent_sha256": %s, "received_sha256": %s, "end": %s})" "\n",
                quoted(scenario).c_str(), quoted(answer.head.substr(0, answer.head.find("\r\n"))).c_str(),
                quoted(answer.field("Server")).c_str(), quoted(answer.field("Sec-WebSocket-Protocol")).c_str(),
                quoted(answer.field("Sec-WebSocket-Extensions")).c_str(), counts(seen.sent).c_str(),
                counts(seen.received).c_str(), quoted(sent).c_str(), quoted(received).c_str(), quoted(ended).c_str());
    std::fflush(stdout);
}

template <role R>
void talk(io_result<connection<R, watched_stream>> ws, std::string_view scenario, const wire& seen) {
    const direction& answer = R == role::client ? seen.received : seen.sent;
    if (!ws) return print(scenario, seen, answer, "failed: " + ws.error().message());
    conversation<R> said(*ws);
    said.run(scenario);
    print(scenario, seen, answer, said.ended, said.sent_digest(), said.received_digest());
}

// The scenarios in which we offer, or accept, compression.
const permessage_deflate deflate;

std::span<const extension_factory* const> extensions(std::string_view scenario) {
    return scenario.starts_with("compressed") ? deflate.extensions() : std::span<const extension_factory* const>{};
}

io_result<any_stream> reach(const uri& target) {
    auto socket = tcp::connect(target.host, target.port);
    if (!socket) return socket.error();
    if (!target.secure) return any_stream(std::move(*socket));
    if (ca == nullptr) return errc::no_tls;
    static const auto context = tls::context::client(tls::pem::file(ca));
    if (!context) return context.error();
    auto laid = tls::connect(std::move(*socket), *context, target.host);
    return laid ? io_result<any_stream>(any_stream(std::move(*laid))) : laid.error();
}

int call(std::string_view scenario, const char* url) {
    const auto target = parse_uri(url);
    if (!target) return 2;
    wire       seen;
    auto       stream = reach(*target);
    if (!stream) return print(scenario, seen, seen.received, "failed: " + stream.error().message()), 1;
    talk(connect(watched_stream{std::move(*stream), &seen}, *target,
                 {.subprotocols = subprotocols, .extensions = extensions(scenario)}, default_limits, patience(scenario)),
         scenario, seen);
    return 0;
}

// The scenario is known only by the request, and the options before it: so the handshake is done here.
void serve(tcp::stream socket) {
    wire           seen;
    watched_stream stream{std::move(socket), &seen};
    stream.read_expires_at(tcp::now() + patience({}).handshake);
    std::vector<std::byte> memory(65'536);
    std::size_t            have = 0;
    while (!seen.received.head.ends_with("\r\n\r\n") && have < memory.size()) {
        const auto got = stream.read_some(byte_span(memory).subspan(have));
        if (!got || *got == 0) return;
        have += *got;
    }
    const std::string&     head     = seen.received.head;
    const std::size_t      begin    = head.find('/') + 1;
    const std::string      scenario = head.substr(begin, head.find_first_of(" ?/", begin) - begin);
    buffer                 parts, out;
    const server_options   options{.origins = origin_policy::any(), .subprotocols = subprotocols, .extensions = extensions(scenario)};
    server_handshake       handshake(options, parts);
    byte_span              in = byte_span(memory).first(have);
    const handshake_status status = handshake.receive(in, out);
    if (status != handshake_status::upgrade) return print(scenario, seen, seen.sent, "failed: it is no upgrade");
    const auto agreed = handshake.accept();
    if (!agreed || append_http1(handshake.response(), out) != errc{}) return print(scenario, seen, seen.sent, "failed: no answer");
    const_byte_span answer = out.data();
    while (!answer.empty()) {
        const auto written = stream.write_some(answer);
        if (!written) return print(scenario, seen, seen.sent, "failed: " + written.error().message());
        answer = answer.subspan(*written);
    }
    using opened = connection<role::server, watched_stream>;
    talk(opened::open(std::move(stream), *agreed, default_limits, patience(scenario), in), scenario, seen);
}

int run_server() {
    auto listener = tcp::listen("127.0.0.1", 0);
    if (!listener) return 1;
    std::printf("listening on %u\n", static_cast<unsigned>(listener->port()));
    std::fflush(stdout);
    while (auto socket = listener->accept(seconds(120))) serve(std::move(*socket));
    return 1;
}

} // namespace

int main(int argc, char** argv) {
    int at = 1;
    for (; at < argc && argv[at][0] == '-'; ++at) {
        const std::string_view option = argv[at];
        if (option == "--engine-io") engine_io = true;
        else if (option == "--ca" && at + 1 < argc) ca = argv[++at];
        else return 2;
    }
    const std::string_view mode = at < argc ? argv[at] : "";
    if (mode == "server" && at + 1 == argc) return run_server();
    if (mode == "client" && at + 3 == argc) return call(argv[at + 1], argv[at + 2]);
    std::fputs("usage: matrix_end [--engine-io] [--ca FILE] client SCENARIO URL | server\n", stderr);
    return 2;
}
