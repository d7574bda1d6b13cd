// The making of what the benchmark feeds to everybody. The generator is SplitMix64 with fixed seeds, so that every run
// measures the same bytes, on every machine.
#include "corpus.hpp"

#include <navette/handshake/accept_key.hpp>

#include <cstring>
#include <map>
#include <new>
#include <tuple>

namespace bench {

namespace {

class generator {
    std::uint64_t state_;

public:
    explicit generator(std::uint64_t seed) : state_(seed) {}

    std::uint64_t operator()() {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
        z               = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
        z               = (z ^ z >> 27) * 0x94d049bb133111eb;
        return z ^ z >> 31;
    }
    unsigned below(unsigned bound) { return static_cast<unsigned>((*this)() % bound); }
};

std::string make_ascii(std::size_t size, generator& random) {
    static constexpr std::string_view letters =
        R"( abcdefghijklmnopqrstuvwxyzABCDEFGH0123456789{}[]",:.)";
    std::string text(size, ' ');
    for (char& c : text) c = letters[random.below(letters.size())];
    return text;
}

void append_character(std::string& text, std::uint32_t code, std::size_t length) {
    if (length == 2) {
        text += static_cast<char>(0xc0 | code >> 6);
    } else {
        text += static_cast<char>(0xe0 | code >> 12);
        text += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    }
    text += static_cast<char>(0x80 | (code & 0x3f));
}

// U+0400 to U+04FF begin with D0 to D3, U+4E00 to U+7FFF with E4 to E7: the lowest two bits of such a byte may be
// changed at will, and so may those of every continuation.
std::string make_mixed(std::size_t size, generator& random) {
    std::string text;
    while (text.size() < size) {
        const std::size_t left = size - text.size();
        // nothing but 2 and 3 can be made of characters; 1 must never be left
        const bool two = left == 2 || left == 4 || (left != 3 && random.below(2) == 0);
        if (two) append_character(text, 0x0400 + random.below(0x100), 2);
        else append_character(text, 0x4e00 + random.below(0x8000 - 0x4e00), 3);
    }
    return text;
}

void append_header(std::string& bytes, unsigned opcode, std::size_t size, masked is_masked) {
    const unsigned mask_bit = is_masked == masked::yes ? 0x80 : 0;
    bytes += static_cast<char>(0x80 | opcode);
    int length_bytes = 0;
    if (size <= 125) {
        bytes += static_cast<char>(mask_bit | size);
    } else if (size <= 0xffff) {
        bytes += static_cast<char>(mask_bit | 126);
        length_bytes = 2;
    } else {
        bytes += static_cast<char>(mask_bit | 127);
        length_bytes = 8;
    }
    for (int i = length_bytes; i-- > 0;) bytes += static_cast<char>(size >> 8 * i & 0xff);
}

// Masked or not, a wire of one size has the same payloads.
wire make_wire(std::size_t size, masked is_masked, content kind) {
    const std::size_t total = size <= 1024 ? 64 * 1024 : 256 * 1024;
    generator random(size), random_key(~size);
    wire made;
    std::string payload(size, '\0');
    made.frames = total / (masked_header_size(size) + size);
    for (std::size_t frame = 0; frame < made.frames; ++frame) {
        for (char& c : payload)
            c = static_cast<char>(kind == content::text ? 0x20 + random.below(0x5f)
                                                        : random.below(256));
        made.payloads += payload;
        append_header(made.bytes, kind == content::text ? 1 : 2, size, is_masked);
        if (is_masked == masked::yes) {
            std::array<char, 4> key;
            for (char& c : key) c = static_cast<char>(random_key.below(256));
            made.bytes.append(key.data(), key.size());
            for (std::size_t i = 0; i < size; ++i)
                payload[i] = static_cast<char>(payload[i] ^ key[i % 4]);
        }
        made.bytes += payload;
    }
    return made;
}

} // namespace

std::string group_of(std::string_view base, script s) {
    return std::string(base) + (s == script::ascii ? "-ascii" : "-mixed");
}

const std::string& texts_of(script s, std::size_t size) {
    static std::map<std::pair<script, std::size_t>, std::string> made;
    std::string& all = made[{s, size}];
    if (all.empty()) {
        generator random(size);
        for (std::size_t i = 0; i < text_count(s, size); ++i)
            all += s == script::ascii ? make_ascii(size, random) : make_mixed(size, random);
    }
    return all;
}

const wire& wire_of(std::size_t size, masked is_masked, content kind) {
    static std::map<std::tuple<std::size_t, masked, content>, wire> made;
    wire& w = made[{size, is_masked, kind}];
    if (w.frames == 0) w = make_wire(size, is_masked, kind);
    return w;
}

texts::texts(script s, std::size_t size, std::size_t gap)
    : memory_(nullptr, std::free), size_(size), gap_(gap), count_(text_count(s, size)) {
    const std::size_t needed = count_ * (size + gap);
    memory_.reset(static_cast<unsigned char*>(std::aligned_alloc(64, (needed + 63) / 64 * 64)));
    if (memory_ == nullptr) throw std::bad_alloc();
    const std::string& source = texts_of(s, size);
    for (std::size_t i = 0; i < count_; ++i)
        std::memcpy((*this)[i], source.data() + i * size, size);
}

namespace {

constexpr std::string_view request_text =
    "GET /chat?room=navette-001 HTTP/1.1\r\n"
    "Host: www.example.com\r\n"
    "Connection: Upgrade\r\n"
    "Pragma: no-cache\r\n"
    "Cache-Control: no-cache\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 "
    "Safari/537.36\r\n"
    "Upgrade: websocket\r\n"
    "Origin: https://www.example.com\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: en-US,en;q=0.9\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
    "\r\n";
static_assert(request_text.size() == 511);

} // namespace

constinit const std::string_view chrome_request = request_text;

void answer(std::string_view request, std::string& response) {
    static constexpr std::string_view name = "Sec-WebSocket-Key: ";
    const std::size_t at                   = request.find(name);
    const std::string_view key =
        at == std::string_view::npos ? std::string_view{} : request.substr(at + name.size(), 24);
    const auto accept = navette::accept_key(key);
    response.assign(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: ");
    response.append(accept.data(), accept.size()).append("\r\n\r\n");
}

} // namespace bench
