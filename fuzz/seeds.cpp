// Seeds for the corpora, made from what the tests exchange: `seeds DIR` writes each to a file in DIR/<target>/.
// fuzz/run.sh --seed adds them to a corpus; minimising keeps those that reach something of their own.
#include "support/deflate_pair.hpp"
#include "support/endpoint.hpp"
#include "support/exchanges.hpp"
#include "support/handshake.hpp"

#include <navette/deflate.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

namespace {

using namespace navette;

class seed_writer {
    std::filesystem::path      directory_;
    std::map<std::string, int> written_;

public:
    explicit seed_writer(const char* directory) : directory_(directory) {}
    void add(const std::string& target, const byte_vector& head, const_byte_span rest) {
        const auto place = directory_ / target;
        std::filesystem::create_directories(place);
        std::ofstream file(place / ("seed" + std::to_string(written_[target]++)));
        file << as_text(head) << as_text(rest);
    }
    void add(const std::string& target, const byte_vector& head, std::string_view rest) {
        add(target, head, as_bytes(rest));
    }
};

byte_vector bytes_of(std::initializer_list<unsigned> values) {
    byte_vector made;
    for (const unsigned value : values) made.push_back(static_cast<std::byte>(value));
    return made;
}

// The options of an input, and the sizes of its pieces.
byte_vector options(unsigned bits) { return bytes_of({bits, 5, 1, 40}); }

// A conversation of every kind of message, compressed, unmasked.
template <class P>
byte_vector compressed() {
    const permessage_deflate deflate;
    endpoint<peer_of<P>>     them(agreement_on(deflate.factory(), widest));
    using navette::compress;
    for (const char* text : {"Hello", "fbefore and behind", "acompressed", "c\x03\xe8why", ""})
        static_cast<void>(them.ws.send(opcode::text, text, fin::yes, them.out, compress::always));
    static_cast<void>(them.ws.send(opcode::binary, json(40), fin::no, them.out, compress::always));
    static_cast<void>(them.ws.ping({}, them.out));
    static_cast<void>(them.ws.send(opcode::continuation, json(40), fin::yes, them.out));
    return them.says();
}

template <class P>
void frames(seed_writer& seeds, const std::string& role, const std::string& decoder_role) {
    for (unsigned bits : {0u, 1u, 2u, 4u, 8u, 12u})
        for (const exchange& x : stored_exchanges(nullptr)) {
            if (x.unmasked.size() > 400) continue;
            seeds.add("protocol_" + role, options(bits), from_peer<P>(x.unmasked));
            seeds.add("protocol_" + role + "_deflate", concat(options(bits), bytes_of({bits * 21})),
                      from_peer<P>(x.unmasked));
            seeds.add("frame_decoder", options(decoder_role == "client" ? bits | 1 : bits & 0xfe),
                      from_peer<P>(x.unmasked));
        }
    for (const char what : {'p', 'o', 'c', 'f', 'i', 'b', 's', 't', 'r', 'n', 'a', 'x'}) {
        const std::string text = what + std::string("\x03\xe8 a message that says what to do");
        seeds.add("protocol_" + role, options(0),
                  from_peer<P>(concat(frame(0x81, text), frame(0x82, text), bytes("88 00"))));
    }
    for (unsigned agreed = 0; agreed < 256; agreed += 17)
        seeds.add("protocol_" + role + "_deflate", concat(options(agreed & 3), bytes_of({agreed})),
                  from_peer<P>(compressed<P>()));
}

void handshakes(seed_writer& seeds) {
    const std::string offers =
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-other; a=\"b\"\r\n";
    for (unsigned bits = 0; bits < 256; bits += 3)
        for (const auto& lines : {std::string(), std::string("Sec-WebSocket-Protocol: superchat, chat\r\n"), offers,
                                  std::string("Content-Length: 3\r\nCookie: a=1; id=7\r\nExpect: 100-continue\r\n")})
            seeds.add("request", options(bits), adding(good_request, lines) + "\x81\x80");
    for (const char* request :
         {"GET http://h/ HTTP/1.0\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
          "CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n",
          "CONNECT / HTTP/2.0\r\nHost: h\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n",
          "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"})
        seeds.add("request", options(0), request);
    const std::string refusals[] = {
        "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nHello",
        "HTTP/1.1 401 No\r\n\r\nuntil the end",
        "HTTP/1.1 500 x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5;a=b\r\nHello\r\n0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n" + good_answer,
        "HTTP/1.0 101 x\r\n\r\n",
        "HTTP/1.1 304 x\r\nContent-Length: 9\r\n\r\n"};
    for (unsigned bits = 0; bits < 64; ++bits) {
        for (const auto& answer : refusals) seeds.add("answer", options(bits), answer);
        seeds.add("answer", options(bits), adding(good_answer, "Sec-WebSocket-Protocol: chat\r\n"));
        seeds.add(
            "answer", options(bits),
            adding(good_answer, "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=9\r\n"));
        seeds.add("http_head", options(bits % 8), bits % 2 == 0 ? good_request : good_answer);
        seeds.add("http_head", options(bits % 8),
                  bits % 2 == 0 ? adding(good_request, offers) : refusals[bits / 2 % 6]);
    }
}

void texts(seed_writer& seeds) {
    for (const char* uri : {"ws://example.com/chat", "wss://[2001:db8::1]:8443/a/b?c=d", "ws://192.0.2.1:80",
                            "wss://a.b-c~d_e/%20?%41/?", "ws://h?q", "ws://[::ffff:192.0.2.1]/", "ws://u@h/",
                            "ws://h/#f", "http://h/", "ws://h:0/", "ws://[::1", "ws:/h"})
        seeds.add("uri", options(0), uri);
    for (unsigned wish = 0; wish < 1024; wish += 37)
        for (const char* offer :
             {"permessage-deflate", "permessage-deflate; client_max_window_bits; server_max_window_bits=10",
              "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
              "client_max_window_bits=\"9\", permessage-deflate",
              "a; b=\"c\\d\", e; f"})
            seeds.add("extension_offer",
                      concat(options(0), bytes_of({wish >> 8, wish & 255, wish >> 4 & 3, wish * 7 & 255})), offer);
    for (const char* list :
         {"keep-alive, , Upgrade", "a;b=\"c,d\\\"e\";f=g , h", "\"open", "a; b = c", "a;;b", "gzip, chunked"})
        seeds.add("http_grammar", options(0), list);
    for (const char* text : {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                             "\xc0\x80", "\xe0\x80\x80", "\xf0\x8f\xbf\xbf"})
        for (const std::size_t before : {0u, 61u, 64u, 127u})
            seeds.add("utf8", options(0x37), std::string(before, 'a') + text);
    for (const std::size_t size : {0u, 1u, 7u, 8u, 63u, 64u, 65u, 128u, 250u})
        seeds.add("mask", concat(options(3), bytes("01 80 ff 37 03 05")), std::string(size, 'm'));
    for (unsigned code : {0u, 999u, 1000u, 1004u, 1005u, 1010u, 1014u, 1015u, 2999u, 3000u, 4999u, 5000u})
        for (const char* reason : {"", "bye", "caf\xc3\xa9", "\xc3"})
            seeds.add("close_payload", options(code & 1), close_payload(code, reason));
}

void conversations(seed_writer& seeds) {
    for (unsigned bits = 0; bits < 16; ++bits) {
        byte_vector lines;
        for (unsigned what : {0x08u, 0x80u, 0x09u, 0x04u, 0x81u, 0x02u, 0x82u, 0x60u, 0x83u, 0x05u})
            lines = concat(lines, bytes_of({what ^ (bits & 8), 12}), as_bytes("what is said"));
        const auto wrong = (bits & 4) != 0 ? bytes_of({bits * 2, 0, 200}) : byte_vector{};
        seeds.add("conversation", options(bits), concat(wrong, lines));
        for (unsigned n = 0; n < 4; ++n)
            seeds.add("conversation_deflate", concat(options(bits), bytes_of({n})), concat(wrong, lines));
        const auto agreed = (bits & 4) != 0 ? bytes_of({bits * 16 + bits}) : byte_vector{};
        for (unsigned how = 0; how < 8; ++how) {
            const auto all =
                concat(bytes_of({how | 8, 12}), as_bytes("what is said"), bytes_of({how | 0x70, 140, 'x'}));
            seeds.add("round_trip", concat(options(bits & 7), agreed), all);
        }
    }
}

void compressed_messages(seed_writer& seeds) {
    for (unsigned agreed = 0; agreed < 256; agreed += 5) {
        byte_vector all;
        for (const wire_frame& f : frames_of(compressed<client_protocol>()))
            if (f.opcode() < 8 && f.payload.size() < 255)
                all = concat(all, bytes_of({unsigned(f.payload.size())}), f.payload);
        seeds.add("inflate", concat(options(agreed % 16), bytes_of({agreed})), all);
    }
}

} // namespace

int main(int argc, char* argv[]) {
    if (argc != 2) return 2;
    seed_writer seeds(argv[1]);
    frames<server_protocol>(seeds, "server", "server");
    frames<client_protocol>(seeds, "client", "client");
    handshakes(seeds);
    texts(seeds);
    conversations(seeds);
    compressed_messages(seeds);
}
