// What the benchmark feeds to everybody: texts, wires full of frames, a browser's request, the server of a client's
// handshake. All of it from fixed seeds, made at first use and kept.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

namespace bench {

inline constexpr std::size_t payload_sizes[]  = {64, 1024, 64 * 1024, 1024 * 1024};
inline constexpr std::size_t frame_sizes[]    = {16, 64, 256, 1024, 16 * 1024, 64 * 1024};
inline constexpr std::size_t text_frame_size  = 16;
inline constexpr std::size_t echo_sizes[]     = {16, 1024, 64 * 1024};
inline constexpr std::size_t prepared_size    = 1024;
inline constexpr std::size_t connection_count = 1000;

/// ASCII: what JSON looks like. Mixed: letters of two bytes and ideographs of three in random order, nothing else.
enum class script { ascii, mixed };
inline constexpr script scripts[] = {script::ascii, script::mixed};

/// `base-ascii` or `base-mixed`: the name of a group.
std::string group_of(std::string_view base, script);

/// So many texts of `size` bytes are taken in turn: of ASCII 16 KiB in all, which stay in the first-level cache; of
/// mixed text 1 MiB, because today's branch predictors learn a 64 KiB text by heart, and no server sees a text twice.
constexpr std::size_t text_count(script s, std::size_t size) {
    const std::size_t total = s == script::ascii ? 16 * 1024 : 1024 * 1024;
    return size < total ? total / size : 1;
}

/// The texts one behind the other, each of exactly `size` bytes of valid UTF-8.
const std::string& texts_of(script, std::size_t size);

/// A key under which each text stays valid UTF-8, with each character as long as before, however often it is applied:
/// so unmasking in place can be timed again and again, with no copy between that would have to be timed too. Nothing
/// that is measured depends on a key's value.
inline constexpr std::array<unsigned char, 4> text_key = {1, 2, 3, 2};

/// A copy of texts_of in memory of its own. The texts lie densely from a 64-byte boundary on, or each behind `gap`
/// bytes: where a frame's header puts it.
class texts {
    std::unique_ptr<unsigned char, void (*)(void*)> memory_;
    std::size_t size_, gap_, count_;

public:
    texts(script, std::size_t size, std::size_t gap = 0);

    std::size_t size() const { return size_; }
    std::size_t count() const { return count_; }
    unsigned char* operator[](std::size_t i) const {
        return memory_.get() + gap_ + i * (size_ + gap_);
    }
};

/// The text that is sent to all connections: prepared_size bytes of ASCII.
inline std::string prepared_text() {
    return texts_of(script::ascii, prepared_size).substr(0, prepared_size);
}

/// How many bytes of header stand before a masked payload of `size` bytes.
constexpr std::size_t masked_header_size(std::size_t size) {
    return size <= 125 ? 6 : size <= 0xffff ? 8 : 14;
}

enum class masked : bool { no, yes };
enum class content : bool { binary, text };

/// Frames of one size, each a whole message, as they stand one behind the other in a connection's read buffer.
struct wire {
    std::string bytes;    ///< what comes in
    std::string payloads; ///< what must be delivered
    std::size_t frames = 0;
};

/// 64 KiB of frames up to 1 KiB, 256 KiB of larger ones: what fits into the second-level cache. Random payloads and a
/// random key for each frame.
const wire& wire_of(std::size_t payload_size, masked, content = content::binary);

/// The 511 bytes with which Chrome opens a WebSocket; its key is the one of RFC 6455, 1.3.
extern const std::string_view chrome_request;
inline constexpr std::string_view chrome_answer_key = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Bytes of what answer makes.
inline constexpr std::size_t answer_size = 129;

/// What a server answers to a client's request, with the Sec-WebSocket-Accept that its key asks for.
void answer(std::string_view request, std::string& response);

} // namespace bench
