// Fixed workloads, whose instructions callgrind counts: what is common, and what an attacker would send. Each is run once
// unobserved, so that nothing is counted that happens only the first time, and then once between two dumps; outside of
// callgrind they only run.
//   workloads avx2 | portable
#include "../codec/corpus.hpp"

#include <navette/deflate.hpp>
#include <navette/extension/extension_offer.hpp>
#include <navette/handshake/client_handshake.hpp>
#include <navette/handshake/server_handshake.hpp>
#include <navette/protocol/prepared_message.hpp>
#include <navette/protocol/session.hpp>

#include <valgrind/callgrind.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

using namespace navette;

namespace {

constexpr masking_key key = {std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};

std::string running;

void demand(bool held, const char* what) {
    if (held) return;
    std::fprintf(stderr, "workloads: %s: %s\n", running.c_str(), what);
    std::exit(1);
}

template <class Work>
void count(const std::string& name, Work work) {
    running = name;
    work();
    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_ZERO_STATS;
    work();
    CALLGRIND_DUMP_STATS_AT(name.c_str());
    CALLGRIND_STOP_INSTRUMENTATION;
}

// Something that grows with n: at n bytes and at sixteen times as many.
template <class Make>
void count_growth(const std::string& name, std::size_t n, Make make) {
    for (const std::size_t size : {n, 16 * n}) count("hostile: " + name + ": " + std::to_string(size), make(size));
}

byte_span bytes_of(std::string& text) { return std::as_writable_bytes(std::span(text)); }

// A wire that is read into one buffer over and over.
struct read_buffer {
    const std::string& from;
    std::string        bytes{from};

    byte_span read() {
        std::memcpy(bytes.data(), from.data(), from.size());
        return bytes_of(bytes);
    }
};

template <class Protocol, class Take>
void receive_all(Protocol& ws, byte_span in, buffer& out, Take take) {
    while (const event e = ws.receive(in, out)) take(e);
    demand(in.empty() && ws.state() == connection_state::open, "a message was refused");
}

bool fixed_key(void*, byte_span out) noexcept {
    std::memset(out.data(), 0x5a, out.size());
    return true;
}

// --- what is common

void count_codec() {
    for (const std::size_t size : {64u, 65'536u}) {
        std::string text(size, 'x');
        count("mask: " + std::to_string(size) + " bytes", [&] {
            for (int i = 0; i < 100; ++i) apply_mask(bytes_of(text), key);
        });
    }
    for (const auto script : bench::scripts) {
        const std::string text = bench::texts_of(script, 1024).substr(0, 1024);
        const char* const what = script == bench::script::ascii ? "ASCII" : "two and three bytes";
        count(std::string("validate: 1024 bytes, ") + what, [&] {
            for (int i = 0; i < 100; ++i) demand(is_valid_utf8(as_bytes(text)), "a text is not valid");
        });
    }
    count("accept key", [] {
        for (int i = 0; i < 100; ++i) demand(accept_key("dGhlIHNhbXBsZSBub25jZQ==")[0] == 's', "another key");
    });
}

void count_receiving() {
    const auto receive = [](const char* name, auto ws, const std::string& wire) {
        read_buffer input{wire};
        buffer      out;
        std::size_t size = 0;
        count(name, [&] { receive_all(ws, input.read(), out, [&](const event& e) { size += e.payload.size(); }); });
    };
    using enum bench::masked;
    receive("receive: 16 bytes, by the server", server_protocol{}, bench::wire_of(16, yes).bytes);
    receive("receive: 16 bytes, by the client", client_protocol{}, bench::wire_of(16, no).bytes);
    receive("receive: 1024 bytes of text, by the server", server_protocol{},
            bench::wire_of(1024, yes, bench::content::text).bytes);

    for (const std::size_t size : {16u, 1024u}) {
        read_buffer     input{bench::wire_of(size, yes).bytes};
        server_protocol ws;
        buffer          out;
        count("echo: " + std::to_string(size) + " bytes", [&] {
            receive_all(ws, input.read(), out, [&](const event& e) {
                demand(ws.send(opcode::binary, e.payload, fin::yes, out) == errc{}, "not sent");
            });
            out.clear();
        });
    }
}

void count_sending() {
    client_protocol ws({}, default_limits, entropy{&fixed_key});
    buffer          out;
    std::string     text(1024, 'x');
    count("send: 1024 bytes of text, by the client", [&] {
        for (int i = 0; i < 100; ++i) demand(ws.send(opcode::text, text, fin::yes, out) == errc{}, "not sent");
        out.clear();
    });
    prepared_message             news(opcode::text, as_bytes(text));
    std::vector<server_protocol> subscribers(100);
    count("prepared message to 100 connections", [&] {
        for (server_protocol& each : subscribers) demand(news.wire(each).has_value(), "not sent");
    });
}

void count_assembly() {
    // A message in eight fragments of 64 bytes, a ping between them.
    std::string wire;
    for (int i = 0; i < 8; ++i) {
        wire += i == 0 ? '\x02' : i == 7 ? '\x80' : '\0';
        wire += '\x40' + std::string(64, 'x');
        if (i == 3) wire += std::string("\x89\x01p", 3);
    }
    read_buffer           input{wire};
    buffer_pool           pool;
    session<role::client> ws(client_protocol{}, pool);
    buffer                out;
    count("message in eight fragments around a ping", [&] {
        for (int i = 0; i < 100; ++i) {
            byte_span in   = input.read();
            bool      came = false;
            while (const event e = ws.receive(in, out)) came = came || (e.is_message() && e.payload.size() == 512);
            demand(came, "no message");
            out.clear();
        }
    });
}

void count_handshakes() {
    const std::string    request(bench::chrome_request);
    const server_options options{.origins = origin_policy::any()};
    read_buffer          input{request};
    buffer               head, out;
    count("opening handshake, the server", [&] {
        for (int i = 0; i < 20; ++i) {
            byte_span        in = input.read();
            server_handshake handshake(options, head);
            demand(handshake.receive(in, out) == handshake_status::upgrade && handshake.accept() &&
                       append_http1(handshake.response(), out) == errc{},
                   "a request is refused");
            out.clear();
        }
    });
    const client_options asking;
    const uri            target = *parse_uri("ws://www.example.com/chat?room=navette-001");
    count("opening handshake, the client", [&] {
        std::string answer;
        for (int i = 0; i < 20; ++i) {
            client_handshake handshake(target, asking, head, entropy{&fixed_key}, default_limits);
            demand(handshake.request(out) == errc{}, "no request");
            bench::answer(as_text(out.data()), answer);
            byte_span in = bytes_of(answer);
            demand(handshake.receive(in) == client_handshake_status::upgrade, "an answer is refused");
            out.clear();
        }
    });
}

// --- what an attacker would send: as many instructions for each byte, however many there are

// Feeds `wire` to a protocol, `step` bytes at a time.
template <class Protocol>
auto fed(std::string wire, std::size_t step, const agreement& agreed = {}) {
    return [wire = std::move(wire), step, agreed] {
        static constexpr limits wide{.max_message_size = 1u << 30, .max_fragments = 1u << 30, .max_pongs = 1024};
        std::string             bytes = wire;
        Protocol                ws(agreed, wide);
        buffer                  out;
        for (std::size_t at = 0; at < bytes.size(); at += step)
            receive_all(ws, bytes_of(bytes).subspan(at, lesser(step, bytes.size() - at)), out, [](const event&) {});
    };
}

std::string times(std::string_view text, std::size_t size) {
    std::string all;
    while (all.size() < size) all += text;
    return all;
}

// A whole message in one frame of more than 125 bytes, as a server sends it.
std::string long_frame(char first, const std::string& payload) {
    std::byte header[frame_header::max_size];
    const std::size_t size = write_header({.payload_length = payload.size()}, header);
    header[0]              = static_cast<std::byte>(first);
    return std::string(as_text(const_byte_span(header, size))) + payload;
}

void count_hostile_frames() {
    using namespace std::string_literals;
    count_growth("fragments of no byte", 4'096,
                 [](std::size_t n) { return fed<client_protocol>("\x02\x00"s + times("\x00\x00"s, n), n + 2); });
    count_growth("fragments of one byte", 4'096,
                 [](std::size_t n) { return fed<client_protocol>("\x01\x00"s + times("\x00\x01x"s, n), n + 8); });
    count_growth("pings that are not read from", 16'384,
                 [](std::size_t n) { return fed<client_protocol>(times("\x89\x7d"s + std::string(125, 'p'), n), 2 * n); });
    count_growth("masked messages, a byte at a time", 4'096,
                 [](std::size_t n) { return fed<server_protocol>(times("\x82\x81\x01\x02\x03\x04x"s, n), 1); });
    count_growth("text of four-byte characters, a byte at a time", 4'096, [](std::size_t n) {
        return fed<client_protocol>(long_frame('\x81', times("\xf0\x9f\x98\x80"s, n)), 1);
    });
    count_growth("empty blocks of a compressed message", 4'096, [](std::size_t n) {
        static const permessage_deflate deflate;
        static const agreement          agreed{
                     .extension  = &deflate.factory(),
                     .parameters = to_parameters({.send_window_bits = 15, .receive_window_bits = 15})};
        return fed<client_protocol>(long_frame('\xc2', times("\x00\x00\x00\xff\xff"s, n)), 2 * n + 64, agreed);
    });
}

void count_hostile_heads() {
    using namespace std::string_literals;
    static constexpr limits wide{
        .max_handshake_line = 1u << 24, .max_handshake_fields = 1u << 24, .max_handshake_size = 1u << 26};
    const auto head = [](std::string text, std::size_t step) {
        return [text = std::move(text), step] {
            std::string bytes = text;
            buffer      storage;
            http_head   read(http_message::request, storage, wide);
            for (std::size_t at = 0; at < bytes.size(); at += step) {
                byte_span in = bytes_of(bytes).subspan(at, lesser(step, bytes.size() - at));
                demand(read.receive(in) != http_head_status::failed, "a head is refused");
            }
            demand(read.status() == http_head_status::complete, "a head is not complete");
        };
    };
    const std::string line = "GET / HTTP/1.1\r\n";
    count_growth("a head of many fields", 4'096,
                 [&](std::size_t n) { return head(line + times("a:b\r\n", n) + "\r\n", 2 * n + 64); });
    count_growth("a long field, a byte at a time", 4'096,
                 [&](std::size_t n) { return head(line + "a: " + std::string(n, 'x') + "\r\n\r\n", 1); });
    count_growth("short fields, a byte at a time", 4'096,
                 [&](std::size_t n) { return head(line + times("a:b\r\n", n) + "\r\n", 1); });
    count_growth("a list of commas", 4'096, [](std::size_t n) {
        return [list = std::string(n, ',')] { demand(!list_contains_token(list, "upgrade"), "a token in commas"); };
    });
    count_growth("an extension of many parameters", 4'096, [](std::size_t n) {
        return [text = "x" + times(";b=\"1\"", n)] {
            extension_reader reader(text);
            std::size_t      found = 0;
            for (extension_offer offer; reader.next(offer);) {
                parameter_reader parameters = offer.parameters();
                for (parameter p; parameters.next(p);) ++found;
            }
            demand(found != 0 && !reader.malformed(), "an extension is refused");
        };
    });
}

} // namespace

int main(int argc, char** argv) {
    const std::string_view asked = argc == 2 ? argv[1] : "";
    if (asked != "avx2" && asked != "portable") {
        std::fprintf(stderr, "usage: workloads avx2 | portable\n");
        return 2;
    }
    demand(use_instruction_set(asked == "avx2" ? instruction_set::avx2 : instruction_set::portable),
           "this machine does not have AVX2");
    count_codec();
    count_receiving();
    count_sending();
    count_assembly();
    count_handshakes();
    count_hostile_frames();
    count_hostile_heads();
}
