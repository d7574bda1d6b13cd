// Sec-WebSocket-Key and what a server makes of it, Sec-WebSocket-Accept (RFC 6455, 4.1, 4.2.2 and 11.3).
// They show that both ends speak WebSocket; neither is a secret.
#pragma once

#include <navette/codec/base64.hpp>
#include <navette/codec/sha1.hpp>

#include <array>
#include <string_view>

namespace navette {

namespace detail {

inline constexpr std::size_t key_size = base64_size(16);

// What is hashed, but for a key in front: the GUID, and padding to two blocks (RFC 3174, 4).
struct accept_message {
    std::array<std::byte, 128> blocks{};

    constexpr accept_message() noexcept {
        constexpr std::string_view guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
        std::size_t size = key_size;
        for (const char c : guid) blocks[size++] = static_cast<std::byte>(c);
        blocks[size] = std::byte{0x80};
        store_be64(blocks.data() + blocks.size() - 8, size * 8);
    }
};
inline constexpr accept_message message_without_key;

} // namespace detail

/// Whether `key` is the base64 form of 16 bytes: 24 characters, A, Q, g or w before the padding (erratum 3150).
constexpr bool is_valid_key(std::string_view key) noexcept {
    std::array<std::byte, 16> nonce{};
    return key.size() == detail::key_size && base64_decode(key, nonce) == nonce.size();
}

/// The Sec-WebSocket-Accept that answers `key`, which is taken as the text it is, not decoded (RFC 6455, 4.2.2). For what
/// has another size than a key, 24 characters, there is none: 28 NULs.
constexpr std::array<char, 28> accept_key(std::string_view key) noexcept {
    if (key.size() != detail::key_size) return {};
    detail::accept_message message = detail::message_without_key;
    for (std::size_t i = 0; i < detail::key_size; ++i) message.blocks[i] = static_cast<std::byte>(key[i]);
    std::array<char, 28> accept{};
    base64_encode(sha1::of_blocks(message.blocks.data(), 2), accept.data());
    return accept;
}

} // namespace navette
