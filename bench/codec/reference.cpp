// What every variant must deliver, computed without any peer, byte by byte: a benchmark of code that does not do the
// work is worth nothing.
#include "corpus.hpp"
#include "peer.hpp"

#include <algorithm>
#include <cctype>
#include <stdexcept>

namespace bench {

void checked_sink::operator()(const void* data, std::size_t size) {
    const auto* bytes = static_cast<const unsigned char*>(data);
    for (std::size_t i = 0; i < size; ++i) mix(bytes[i]);
}

void checked_sink::response(const void* data, std::size_t size) {
    static constexpr std::string_view name = "\r\nsec-websocket-accept:";
    const std::string_view text(static_cast<const char*>(data), size);
    const auto at = std::search(
        text.begin(), text.end(), name.begin(), name.end(),
        [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; });
    if (at == text.end()) return;
    std::string_view value = text.substr(static_cast<std::size_t>(at - text.begin()) + name.size());
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    value = value.substr(0, value.find('\r'));
    (*this)(value.data(), value.size());
}

namespace {

void deliver_frames(checked_sink& sink, const wire& frames, std::size_t size) {
    for (std::size_t i = 0; i < frames.frames; ++i) {
        sink(frames.payloads.data() + i * size, size);
        sink.end_message();
    }
}

std::string masked_texts(script s, std::size_t size) {
    std::string all = texts_of(s, size);
    for (std::size_t i = 0; i < all.size(); ++i)
        all[i] = static_cast<char>(all[i] ^ text_key[i % size % 4]);
    return all;
}

} // namespace

std::uint64_t expected_sum(std::string_view group, std::size_t size) {
    checked_sink sink;
    const auto deliver         = [&](std::string_view bytes) { sink(bytes.data(), bytes.size()); };
    const auto deliver_verdict = [&] { deliver("\1"); };
    const script s             = group.ends_with("-mixed") ? script::mixed : script::ascii;

    if (group == "mask" || group == "mask-unaligned") {
        deliver(masked_texts(s, size));
    } else if (group == group_of("utf8", s)) {
        for (std::size_t i = 0; i < text_count(s, size); ++i) deliver_verdict();
    } else if (group == group_of("fused", s)) {
        const std::string all = masked_texts(s, size);
        for (std::size_t i = 0; i < text_count(s, size); ++i) {
            deliver(std::string_view(all).substr(i * size, size));
            deliver_verdict();
        }
    } else if (group == "handshake-client") {
        deliver_verdict();
    } else if (group == "receive-masked" || group == "receive-unmasked") {
        deliver_frames(sink, wire_of(size, masked::no), size);
    } else if (group == "receive-masked-text" || group == "receive-unmasked-text") {
        deliver_frames(sink, wire_of(size, masked::no, content::text), size);
    } else if (group == "echo") {
        deliver(wire_of(size, masked::no).bytes);
    } else if (group == "handshake-server") {
        deliver(chrome_answer_key);
    } else if (group == "prepared") {
        const std::string frame = std::string("\x81\x7e\x04\x00", 4) + prepared_text();
        for (std::size_t i = 0; i < connection_count; ++i) deliver(frame);
    } else {
        throw std::invalid_argument("nothing is known of the group " + std::string(group));
    }
    return sink.sum();
}

} // namespace bench
