// What the library adds to zlib, and what libdeflate saves: a server that echoes 1 KiB of JSON without context takeover,
// against the same calls of zlib alone. All variants take turns on the same messages; what counts is the median of the
// ratios within a turn. usage: speed [TURNS]; prints what was found, then one line a target. Status 1: a target is missed;
// 2: an echo is wrong.
#include <navette/libdeflate.hpp>
#include <navette/navette.hpp>

#include "support/deflate_pair.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

using namespace navette;

namespace {

constexpr std::size_t messages_of_a_turn = 500, message_size = 1'024;

std::vector<std::string> texts() {
    std::vector<std::string> made;
    for (unsigned seed = 1; seed <= messages_of_a_turn; ++seed) made.push_back(json(message_size, seed));
    return made;
}

// What clients send: masked frames, one a message, compressed from an empty window.
std::vector<byte_vector> frames(const std::vector<std::string>& all) {
    const permessage_deflate deflate;
    client_protocol          client(agreement_on(deflate.factory(), without_takeover));
    std::vector<byte_vector> made;
    for (const std::string& text : all) {
        buffer out;
        if (client.send(opcode::text, text, fin::yes, out) != errc{}) std::abort();
        made.push_back(bytes(const_byte_span(out.data())));
    }
    return made;
}

// A server's turn; returns the bytes that it sent.
template <class Deflate>
std::size_t echo(const Deflate& deflate, const std::vector<byte_vector>& received, std::vector<byte_vector>& scratch) {
    server_protocol server(agreement_on(deflate.factory(), without_takeover));
    buffer          out;
    std::size_t     sent = 0;
    for (std::size_t i = 0; i < received.size(); ++i) {
        std::copy(received[i].begin(), received[i].end(), scratch[i].begin());
        byte_span   in{scratch[i]};
        const event e = server.receive(in, out);
        if (!e.last || server.send(opcode::text, e.payload, fin::yes, out) != errc{}) std::abort();
        sent += out.size();
        out.clear();
    }
    return sent;
}

// The same calls of zlib, on the payloads as they are without masks and with their trailers.
struct bare_zlib {
    ::z_stream               deflater{}, inflater{};
    std::vector<byte_vector> payloads;

    explicit bare_zlib(const std::vector<byte_vector>& received) {
        deflateInit2(&deflater, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
        inflateInit2(&inflater, -15);
        for (const wire_frame& f : [&] {
                 byte_vector all;
                 for (const byte_vector& one : received) all.insert(all.end(), one.begin(), one.end());
                 return frames_of(all);
             }())
            payloads.push_back(concat(f.payload, bytes("00 00 ff ff")));
    }
    ~bare_zlib() {
        ::deflateEnd(&deflater);
        ::inflateEnd(&inflater);
    }

    std::size_t echo() {
        static std::byte plain[4'096], packed[4'096];
        std::size_t      sent = 0;
        for (const byte_vector& payload : payloads) {
            using navette::detail::zlib_bytes;
            inflater.next_in   = zlib_bytes(payload.data());
            inflater.avail_in  = static_cast<::uInt>(payload.size());
            inflater.next_out  = zlib_bytes(plain);
            inflater.avail_out = sizeof plain;
            ::inflate(&inflater, Z_SYNC_FLUSH);
            deflater.next_in   = zlib_bytes(plain);
            deflater.avail_in  = static_cast<::uInt>(sizeof plain - inflater.avail_out);
            deflater.next_out  = zlib_bytes(packed);
            deflater.avail_out = sizeof packed;
            ::deflate(&deflater, Z_SYNC_FLUSH);
            sent += sizeof packed - deflater.avail_out;
            ::inflateReset(&inflater);
            ::deflateReset(&deflater);
        }
        return sent;
    }
};

// Whether a server's echo, inflated again, is what was sent to it.
template <class Deflate>
bool delivers(const Deflate& deflate, byte_vector received, const std::string& text) {
    const permessage_deflate plain;
    server_protocol          server(agreement_on(deflate.factory(), without_takeover));
    client_protocol          client(agreement_on(plain.factory(), without_takeover));
    buffer                   out, none;
    byte_span                in{received};
    if (server.send(opcode::text, server.receive(in, out).payload, fin::yes, out) != errc{}) return false;
    in            = out.data();
    const event e = client.receive(in, none);
    return e.last && e.text() == text;
}

template <class Function>
double microseconds(Function function) {
    const auto began = std::chrono::steady_clock::now();
    function();
    return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - began).count() /
           messages_of_a_turn;
}

double median(std::vector<double> all) {
    std::sort(all.begin(), all.end());
    return all[all.size() / 2];
}

bool judge(const char* what, double found, double bound, bool at_most) {
    const bool good = at_most ? found <= bound : found >= bound;
    std::printf("%s  %s: %.3f, at %s %.2f\n", good ? "met   " : "MISSED", what, found, at_most ? "most" : "least", bound);
    return good;
}

} // namespace

int main(int argc, char** argv) {
    const int                   turns    = argc > 1 ? std::atoi(argv[1]) : 60;
    const auto                  sent     = texts();
    const auto                  received = frames(sent);
    auto                        scratch  = received;
    bare_zlib                   bare(received);
    const permessage_deflate    zlib;
    const permessage_libdeflate libdeflate;
    for (std::size_t i = 0; i < received.size(); ++i)
        if (!delivers(zlib, received[i], sent[i]) || !delivers(libdeflate, received[i], sent[i]))
            return std::puts("an echo is not what was sent"), 2;
    std::vector<double>         alone, ours, whole, added, gained;
    std::size_t                 zlib_bytes = 0, libdeflate_bytes = 0;
    for (int turn = -1; turn < turns; ++turn) {
        const double a = microseconds([&] { bare.echo(); });
        const double b = microseconds([&] { zlib_bytes = echo(zlib, received, scratch); });
        const double c = microseconds([&] { libdeflate_bytes = echo(libdeflate, received, scratch); });
        if (turn < 0) continue;   // the first warms up
        alone.push_back(a);
        ours.push_back(b);
        whole.push_back(c);
        added.push_back(b / a);
        gained.push_back(b / c);
    }
    const auto size = [](std::size_t bytes) { return static_cast<double>(bytes) / messages_of_a_turn; };
    std::printf("an echo of %zu bytes, microseconds: zlib alone %.2f, navette over zlib %.2f, over libdeflate %.2f\n",
                message_size, median(alone), median(ours), median(whole));
    std::printf("bytes of a frame: over zlib %.1f, over libdeflate %.1f\n", size(zlib_bytes), size(libdeflate_bytes));
    const bool good[] = {judge("navette over zlib alone, time", median(added), 1.10, true),
                         judge("libdeflate over zlib, messages", median(gained), 1.20, false),
                         judge("libdeflate over zlib, bytes", size(libdeflate_bytes) / size(zlib_bytes), 1.00, true)};
    return good[0] && good[1] && good[2] ? 0 : 1;
}
