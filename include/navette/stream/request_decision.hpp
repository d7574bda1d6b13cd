// What a server does with a request, and what a client is told of an answer, whatever the transport (RFC 6455, 4). No I/O:
// opening_handshake.hpp and async_opening_handshake.hpp have it.
#pragma once

#include <navette/handshake/client_handshake.hpp>
#include <navette/handshake/server_handshake.hpp>
#include <navette/stream/error.hpp>

#include <optional>

namespace navette {

/// What the peer said in the opening handshake, kept for its caller (RFC 6455, 4.4): for a client the server's answer, of a
/// refusal the status, the fields and as much of the body as `limits::max_error_body` allows, of an upgrade the fields;
/// for both what of it broke a rule.
///
///     handshake_report report;
///     auto ws = connect(std::move(stream), target, options, {}, {}, &report);
///     if (ws.error() == errc::unexpected_status) log(report.response.status, report.response.body);
///     else if (!ws) log(explanation(ws.error(), report.broken_by));
struct handshake_report {
    response_view    response{};    ///< a client's; status 0: there was no answer
    std::string_view broken_by{};   ///< the line or the field's value that broke the rule which the error names, if one did
    buffer           head{}, input{};   ///< what these view, also after a move

    /// Forgets what it was told; the buffers keep their memory.
    void clear() noexcept {
        response  = {};
        broken_by = {};
        head.clear();
        input.clear();
    }
    /// Copies what of a request broke a rule, since its input is read into again. Without memory for it nothing is told.
    void note_broken_by(std::string_view text) noexcept {
        if (input.append(as_bytes(text))) broken_by = as_text(input.data());
    }
};

/// What a server does with a request. What it views is borrowed until `accept` has returned.
struct decision {
    enum class verdict : std::uint8_t { accept, reject, respond };

    verdict action = verdict::accept;

    /// reject, respond: the status, as server_handshake has it.
    unsigned status = 0;
    /// accept: one that the client offers, or "" for none; by default the client's first that the options have.
    std::optional<std::string_view> subprotocol{};
    std::span<const http_field>     fields{};
    std::string_view                body{};

    static constexpr decision reject(unsigned status, std::string_view body = {},
                                     std::span<const http_field> fields = {}) noexcept {
        return {.action = verdict::reject, .status = status, .fields = fields, .body = body};
    }
    static constexpr decision respond(unsigned status, std::string_view body = {},
                                      std::span<const http_field> fields = {}) noexcept {
        return {.action = verdict::respond, .status = status, .fields = fields, .body = body};
    }
};

/// The default: valid upgrades are accepted, and plain requests are told to upgrade (426).
struct accept_upgrades {
    constexpr decision operator()(const request_view&) const noexcept { return {}; }
};

namespace detail {

inline constexpr std::size_t handshake_read_size = 4 * 1024;

inline std::error_code in_handshake(std::error_code error) noexcept {
    const bool late = error == std::errc::timed_out || error == errc::write_timeout;
    return late ? make_error_code(errc::handshake_timeout) : error;
}

// Turns what the application decided into an answer of the handshake; the error is the application's.
inline errc apply(const decision& made, handshake_status status, server_handshake& handshake, agreement& agreed) {
    if (status == handshake_status::plain_request) {
        return made.action == decision::verdict::accept ? handshake.respond(426)
                                                        : handshake.respond(made.status, made.fields, made.body);
    }
    if (made.action != decision::verdict::accept) return handshake.reject(made.status, made.fields, made.body);
    const auto accepted = handshake.accept({.subprotocol = made.subprotocol, .fields = made.fields});
    if (!accepted) return accepted.error();
    agreed = *accepted;
    return {};
}

// Lets the application decide and appends the answer to `output`, which stays empty only for want of memory. Success: it is
// an upgrade, and what was agreed. Else why the transport is to be ended behind the answer.
template <class OnRequest>
errc decide(server_handshake& handshake, handshake_status status, OnRequest& on_request, buffer& output, agreement& agreed) {
    const errc impossible = apply(on_request(handshake.request()), status, handshake, agreed);
    if (impossible != errc{}) {
        static_cast<void>(status == handshake_status::upgrade ? handshake.reject(500) : handshake.respond(500));
    }
    if (const errc error = append_http1(handshake.response(), output); error != errc{}) {
        output.clear();
        return error;
    }
    if (impossible != errc{}) return impossible;
    return handshake.response().status == 101 ? errc{} : errc::request_answered;
}

} // namespace detail

} // namespace navette
