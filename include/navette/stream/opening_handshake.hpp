// The opening handshake over a blocking stream, both roles (RFC 6455, 4): what turns a stream into a connection, within
// one total deadline. The rules are handshake/'s; here they meet the stream.
#pragma once

#include <navette/handshake/client_handshake.hpp>
#include <navette/handshake/server_handshake.hpp>
#include <navette/stream/connection.hpp>

#include <optional>

namespace navette {

/// What the server answered to a client, kept for its caller (RFC 6455, 4.4): of a refusal the status, the fields and as
/// much of the body as `limits::max_error_body` allows; of an upgrade the fields.
///
///     handshake_report report;
///     auto ws = connect(std::move(stream), target, options, {}, {}, &report);
///     if (ws.error() == errc::unexpected_status) log(report.response.status, report.response.body);
struct handshake_report {
    response_view response{};   ///< views into the buffers below, also after a move; status 0: there was no answer
    buffer        head{}, input{};
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

// Ends a transport on which the last word is said: without the wait for the peer's end it might not arrive.
template <sync_stream S>
void end_after_answer(S& stream, byte_span scratch, const timeouts& times) {
    static_cast<void>(stream.shutdown_write());
    discard_until_end(stream, scratch, deadline(now_of(stream), times.close_within));
    stream.close();
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

} // namespace detail

/// Opens a connection as the client over `stream`, which leads to the server of `to`: TLS, if it is a wss URI, is the
/// stream's affair. Sends the request and nothing more until the answer is known to be an upgrade. On any error the
/// stream is closed; the causes are errors by name, such as `errc::unexpected_status` for an answer other than 101,
/// `errc::handshake_timeout` after `times.handshake` in all, `errc::head_truncated`, or the stream's own.
///
/// Copies `bounds`, `times` and the subprotocol; an extension's factory is borrowed as long as the connection lives.
template <class Lock = no_lock, sync_stream S>
io_result<connection<role::client, S, Lock>> connect(S stream, const uri& to, const client_options& options = {},
                                                     const limits& bounds = default_limits, const timeouts& times = {},
                                                     handshake_report* report = nullptr, entropy source = {}) {
    handshake_report  unreported;
    handshake_report& kept  = report != nullptr ? *report : unreported;
    const instant     until = deadline(now_of(stream), times.handshake);
    const auto fail = [&](std::error_code error) {
        stream.close();
        return detail::in_handshake(error);
    };

    kept.response = {};
    kept.input.clear();
    client_handshake handshake(to, options, kept.head, source, bounds);
    buffer           request;
    if (const errc error = handshake.request(request); error != errc{}) return fail(error);
    if (kept.input.grow(detail::handshake_read_size).empty()) return fail(errc::out_of_memory);
    if (const auto error = write_all(stream, request.data(), {}, times.write_stall, until)) return fail(error);

    byte_span in{};
    auto      status = client_handshake_status::need_more;
    while (status == client_handshake_status::need_more) {
        const auto got = read_until(stream, kept.input.data(), until);
        if (!got) {
            kept.response = handshake.response();
            return fail(got.error());
        }
        in     = kept.input.data().first(*got);
        status = in.empty() ? handshake.receive_eof() : handshake.receive(in);
    }
    kept.response = handshake.response();
    if (status == client_handshake_status::failed) return fail(handshake.error());
    return connection<role::client, S, Lock>::open(std::move(stream), handshake.agreed(), bounds, times, in, source);
}

/// Opens a connection as the server over `stream`, on which the client speaks first. `on_request` is called with each
/// valid request, of whatever kind, and returns a `decision`. An invalid request is answered by itself, and so is one
/// that is not complete within `times.handshake` (408). After an answer that is no upgrade the transport is ended:
/// `errc::request_answered`, or the error by which the request was refused. A request's body is not read. A decision
/// that cannot be carried out is answered with 500, and is the error returned.
///
/// Copies `bounds`, `times` and the subprotocol; an extension's factory is borrowed as long as the connection lives.
template <class Lock = no_lock, sync_stream S, class OnRequest = accept_upgrades>
io_result<connection<role::server, S, Lock>> accept(S stream, const server_options& options,
                                                    const limits& bounds = default_limits, const timeouts& times = {},
                                                    OnRequest on_request = {}) {
    buffer           head, output, input;
    server_handshake handshake(options, head, bounds);
    const instant    until = deadline(now_of(stream), times.handshake);
    const auto fail = [&](std::error_code error) {
        stream.close();
        return detail::in_handshake(error);
    };
    const auto answer = [&](errc error) {
        if (const auto lost = write_all(stream, output.data(), {}, times.write_stall, until)) return fail(lost);
        detail::end_after_answer(stream, input.data(), times);
        return make_error_code(error);
    };

    if (input.grow(detail::handshake_read_size).empty()) return fail(errc::out_of_memory);
    byte_span in{};
    auto      status = handshake_status::need_more;
    bool      begun  = false;
    while (status == handshake_status::need_more) {
        const auto got = read_until(stream, input.data(), until);
        if (!got) {
            const bool late = got.error() == std::errc::timed_out;
            if (!late || !begun || handshake.reject(408) != errc{}) return fail(got.error());
            if (append_http1(handshake.response(), output) != errc{}) return fail(errc::out_of_memory);
            static_cast<void>(write_all(stream, output.data(), {}, times.write_stall,
                                        deadline(now_of(stream), times.close_within)));
            detail::end_after_answer(stream, input.data(), times);
            return make_error_code(errc::handshake_timeout);
        }
        begun  = begun || *got != 0;
        in     = input.data().first(*got);
        status = in.empty() ? handshake.receive_eof(output) : handshake.receive(in, output);
    }
    if (status == handshake_status::refused) return answer(handshake.error());

    agreement agreed;
    const errc impossible = detail::apply(on_request(handshake.request()), status, handshake, agreed);
    if (impossible != errc{}) {
        static_cast<void>(status == handshake_status::upgrade ? handshake.reject(500) : handshake.respond(500));
    }
    if (const errc error = append_http1(handshake.response(), output); error != errc{}) return fail(error);
    if (impossible != errc{}) return answer(impossible);
    if (handshake.response().status != 101) return answer(errc::request_answered);
    if (const auto error = write_all(stream, output.data(), {}, times.write_stall, until)) return fail(error);
    return connection<role::server, S, Lock>::open(std::move(stream), agreed, bounds, times, in);
}

} // namespace navette
