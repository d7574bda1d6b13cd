// What compression costs a connection in memory, counted by an allocator: the tables of docs/permessage-deflate.md, which
// tests/packaging/deflate_memory.sh compares with what this prints.
#include <navette/deflate.hpp>
#include <navette/navette.hpp>

#include "support/counted_allocator.hpp"

#include <cstdio>
#include <string>
#include <vector>

using namespace navette;

namespace {

agreement agreed_on(const permessage_deflate& deflate, const deflate_agreement& agreed) {
    return {.extension = &deflate.factory(), .parameters = to_parameters(agreed)};
}

void say(server_protocol& ws) {
    buffer            out;
    const std::string text(40'000, 'x');
    static_cast<void>(ws.send(opcode::text, text, fin::yes, out, navette::compress::always));
}

// A client's frame with 40,000 bytes of text, which every window can read.
std::vector<std::byte> frame() {
    const permessage_deflate deflate;
    client_protocol          client(agreed_on(deflate, {.send_window_bits = 8, .receive_window_bits = 15}));
    buffer                   wire;
    const std::string        text(40'000, 'x');
    static_cast<void>(client.send(opcode::text, text, fin::yes, wire, navette::compress::always));
    return {wire.data().begin(), wire.data().end()};
}

void hear(server_protocol& ws) {
    static const std::vector<std::byte> wire = frame();
    std::vector<std::byte>              copy = wire;
    buffer                              out;
    byte_span                           in{copy};
    while (ws.receive(in, out)) {}
}

template <class Use>
std::size_t bytes_after(const deflate_options& options, const deflate_agreement& agreed, Use use) {
    counted_allocator counted;
    deflate_options   with = options;
    with.allocator         = counted.hook();
    const permessage_deflate deflate(with);
    server_protocol          ws(agreed_on(deflate, agreed));
    use(ws);
    return counted.live;
}

constexpr deflate_agreement windows(std::uint8_t bits, bool alone = false) {
    return {.send_window_bits            = bits,
            .receive_window_bits         = bits,
            .send_no_context_takeover    = alone,
            .receive_no_context_takeover = alone};
}

void by_window() {
    constexpr std::uint8_t levels[] = {9, 8, 5, 1};
    std::puts("| window bits | compressor, memory level 9 | 8 (default) | 5 | 1 | decompressor |");
    std::puts("|---|---|---|---|---|---|");
    for (std::uint8_t bits = 15; bits >= 8; --bits) {
        std::printf("| %u |", unsigned{bits});
        for (const std::uint8_t level : levels)
            std::printf(" %zu |", bytes_after({.memory_level = level}, windows(bits), [](server_protocol& ws) { say(ws); }));
        std::byte window[64];
        std::printf(" %zu |\n", bytes_after({.window = window}, windows(bits), [](server_protocol& ws) { hear(ws); }));
    }
}

// Of a thousand quiet connections that have each said and heard something, the share of one.
std::size_t share_of_one(const deflate_options& options, const deflate_agreement& agreed, bool released) {
    constexpr std::size_t count = 1'000;
    counted_allocator     counted;
    deflate_options       with = options;
    with.allocator             = counted.hook();
    const permessage_deflate     deflate(with);
    std::vector<server_protocol> all;
    for (std::size_t i = 0; i < count; ++i) {
        server_protocol& ws = all.emplace_back(agreed_on(deflate, agreed));
        say(ws);
        hear(ws);
        if (released) ws.release_when_idle();
    }
    return counted.live / count;
}

void by_choice() {
    static std::byte window[64 * 1024];
    const auto       line = [](const char* what, std::size_t bytes) { std::printf("| %s | %zu |\n", what, bytes); };
    std::puts("| a quiet connection of a thousand, after a long message each way | bytes |");
    std::puts("|---|---|");
    line("by default", share_of_one({}, windows(15), false));
    line("by default, `release_when_idle()` called", share_of_one({}, windows(15), true));
    line("12 bits, memory level 5", share_of_one({.memory_level = 5}, windows(12), false));
    line("12 bits, memory level 5, one `window` for all", share_of_one({.memory_level = 5, .window = window}, windows(12), false));
    line("`release_when_idle = true`, one `window` for all",
         share_of_one({.release_when_idle = true, .window = window}, windows(15), false));
    line("no context takeover", share_of_one({}, windows(15, true), false));
    line("no context takeover, one `window` for all", share_of_one({.window = window}, windows(15, true), false));
    line("eager", share_of_one({.allocation = allocate::eagerly}, windows(15), false));
}

} // namespace

int main() {
    by_window();
    std::puts("");
    by_choice();
}
