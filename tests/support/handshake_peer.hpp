// The other side of an opening handshake for scripted streams: requests and answers that are right, to be sent whole.
#pragma once

#include "support/scripted_stream.hpp"

#include <navette/handshake/accept_key.hpp>

#include <string>
#include <string_view>

// A client's request, with `fields` added, each with its CR LF.
inline std::string upgrade_request(std::string_view fields = {}, std::string_view path = "/chat") {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" + std::string(fields) + "\r\n";
}

// What a server answers to `request`, with `fields` added.
inline std::string upgrade_answer(std::string_view request, std::string_view fields = {}) {
    constexpr std::string_view name = "Sec-WebSocket-Key: ";
    const auto key    = request.substr(request.find(name) + name.size(), 24);
    const auto accept = navette::accept_key(key);
    return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
           std::string(accept.data(), accept.size()) + "\r\n" + std::string(fields) + "\r\n";
}

// Answers the request in the script once it is whole, then sends `behind`, in the same segment.
inline void answer_upgrade(script& s, std::string fields = {}, std::vector<std::byte> behind = {}) {
    s.on_write = [fields = std::move(fields), behind = std::move(behind)](script& peer) {
        if (peer.text().find("\r\n\r\n") == std::string::npos) return;
        peer.on_write = nullptr;
        peer.say(concat(text_bytes(upgrade_answer(peer.text(), fields)), behind));
    };
}
