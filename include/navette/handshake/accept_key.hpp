// Sec-WebSocket-Key and what a server makes of it, Sec-WebSocket-Accept (RFC 6455, 4.1, 4.2.2 and 11.3).
// They show that both ends speak WebSocket; neither is a secret.
#pragma once

#include <navette/codec/base64.hpp>
#include <navette/codec/sha1.hpp>

#include <array>
#include <string_view>

namespace navette {

/// Whether `key` is the base64 form of 16 bytes: 24 characters, A, Q, g or w before the padding (erratum 3150).
constexpr bool is_valid_key(std::string_view key) noexcept {
    std::array<std::byte, 16> nonce{};
    return key.size() == base64_size(16) && base64_decode(key, nonce) == nonce.size();
}

/// The Sec-WebSocket-Accept that answers `key`; the key is taken as the text it is, not decoded (RFC 6455, 4.2.2).
constexpr std::array<char, 28> accept_key(std::string_view key) noexcept {
    sha1 hash;
    constexpr std::string_view guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    hash.update(key.data(), key.size());
    hash.update(guid.data(), guid.size());
    const sha1_digest digest = hash.finish();
    std::array<char, 28> accept{};
    base64_encode(digest, accept.data());
    return accept;
}

} // namespace navette
