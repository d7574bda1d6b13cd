// The opening handshake in tests: requests and answers as text, one call that plays a server or a client on them, and
// an extension that exists only here.
#pragma once

#include "support/bytes.hpp"

#include <navette/handshake/client_handshake.hpp>
#include <navette/handshake/server_handshake.hpp>

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

inline std::string to_string(navette::const_byte_span view) {
    return std::string(navette::as_text(view));
}

/// Memory that reads as the text it was made of and may be written, as input must.
class input {
    std::vector<std::byte> memory_;

public:
    navette::byte_span left;
    explicit input(std::string_view text) : memory_(text_bytes(text)), left(memory_) {}
    input(const input&)            = delete;
    input& operator=(const input&) = delete;
    std::string rest() const { return to_string(left); }
};

/// `text` with each `from` replaced by `to`. Throws if there is none, so that no variation is lost.
inline std::string with(std::string text, std::string_view from, std::string_view to) {
    std::size_t at = text.find(from);
    if (at == std::string::npos)
        throw std::invalid_argument("nothing to replace: " + std::string(from));
    for (; at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
    return text;
}

/// A request that every server accepts, RFC 6455's own (1.2), without subprotocols.
inline const std::string good_request =
    "GET /chat HTTP/1.1\r\n"
    "Host: server.example.com\r\n"
    "Upgrade: websocket\r\n"
    "Connection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Origin: http://example.com\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "\r\n";

/// The answer to a client whose nonce is RFC 6455's ("the sample nonce", 1.3).
inline const std::string good_answer =
    "HTTP/1.1 101 Switching Protocols\r\n"
    "Upgrade: websocket\r\n"
    "Connection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
    "\r\n";

/// `head` with `lines` added in front of its empty line.
inline std::string adding(std::string head, std::string_view lines) {
    head.insert(head.size() - 2, lines);
    return head;
}

/// The nonce of RFC 6455's sample.
inline bool sample_nonce(void*, navette::byte_span out) noexcept {
    constexpr std::string_view nonce = "the sample nonce";
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = static_cast<std::byte>(nonce[i % nonce.size()]);
    return true;
}
inline constexpr navette::entropy sample_entropy{&sample_nonce, nullptr};

inline const navette::server_options any_origin{.origins = navette::origin_policy::any()};

/// A server that was given `request` at once.
struct played_server {
    input in;
    navette::buffer head, out;
    navette::server_handshake handshake;
    navette::handshake_status status;

    explicit played_server(std::string_view request,
                           const navette::server_options& options = any_origin,
                           const navette::limits& bounds          = navette::default_limits)
        : in(request), handshake(options, head, bounds), status(handshake.receive(in.left, out)) {}

    std::string sent() const { return to_string(out.data()); }
    navette::errc error() const { return handshake.error(); }
};

/// A client that has sent its request to ws://server.example.com/chat and was given `answer` at once.
struct played_client {
    input in;
    navette::buffer head, out;
    navette::client_handshake handshake;
    navette::client_handshake_status status{};

    explicit played_client(std::string_view answer,
                           const navette::client_options& options = no_options(),
                           const navette::limits& bounds          = navette::default_limits)
        : in(answer),
          handshake(*navette::parse_uri("ws://server.example.com/chat"), options, head,
                    sample_entropy, bounds) {
        REQUIRE(handshake.request(out) == navette::errc{});
        status = handshake.receive(in.left);
    }

    navette::errc error() const { return handshake.error(); }
    static const navette::client_options& no_options() {
        static const navette::client_options options;
        return options;
    }
};

/// An extension of tests: it agrees on a level from 0 to 9, its one parameter.
struct level_extension {
    std::string offers;
    navette::extension_factory factory;

    explicit level_extension(std::string_view name    = "x-level",
                             std::string_view offered = "x-level; level=7")
        : offers(offered),
          factory{.name         = name,
                  .self         = this,
                  .offer        = &offer,
                  .negotiate    = &negotiate,
                  .make         = &make,
                  .variant      = &variant,
                  .deflate_once = &deflate_once} {}
    level_extension(const level_extension&)            = delete;
    level_extension& operator=(const level_extension&) = delete;

private:
    using errc = navette::errc;

    static errc offer(const void* self, navette::buffer& out) noexcept {
        return out.append(static_cast<const level_extension*>(self)->offers) ? errc{}
                                                                             : errc::out_of_memory;
    }
    static errc negotiate(const void*, navette::role role, const navette::extension_offer& offered,
                          navette::extension_parameters& agreed, navette::buffer& answer) noexcept {
        bool has_level                       = false;
        navette::parameter_reader parameters = offered.parameters();
        for (navette::parameter p; parameters.next(p);) {
            if (p.name != "level" || has_level) return errc::extension_refused;
            for (char digit = '0'; digit <= '9'; ++digit) {
                if (!p.value_is({&digit, 1})) continue;
                has_level        = true;
                agreed.values[0] = static_cast<std::uint8_t>(digit - '0');
            }
            if (!has_level) return errc::extension_refused;
        }
        if (role == navette::role::client) return {};
        const char level[] = {static_cast<char>('0' + agreed.values[0])};
        const bool fits =
            answer.append(offered.name()) && answer.append("; level=") && answer.append({level, 1});
        return fits ? errc{} : errc::out_of_memory;
    }
    static errc make(const void*, const navette::extension_parameters&, navette::role,
                     navette::message_codec&) noexcept {
        return errc::out_of_memory;
    }
    static std::uint8_t variant(const navette::extension_parameters&, navette::role) noexcept {
        return 0;
    }
    static errc deflate_once(const void*, std::uint8_t, navette::const_byte_span,
                             navette::buffer&) noexcept {
        return errc::out_of_memory;
    }
};

namespace Catch {

template <>
struct StringMaker<navette::handshake_status> {
    static std::string convert(navette::handshake_status status) {
        constexpr const char* names[] = {"need_more", "upgrade", "plain_request", "refused"};
        return names[static_cast<std::size_t>(status)];
    }
};

template <>
struct StringMaker<navette::client_handshake_status> {
    static std::string convert(navette::client_handshake_status status) {
        constexpr const char* names[] = {"need_more", "upgrade", "failed"};
        return names[static_cast<std::size_t>(status)];
    }
};

} // namespace Catch
