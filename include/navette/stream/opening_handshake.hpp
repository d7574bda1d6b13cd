// The opening handshake over a blocking stream, both roles (RFC 6455, 4): what turns a stream into a connection, within
// one total deadline. The rules are handshake/'s; here they meet the stream.
#pragma once

#include <navette/stream/connection.hpp>
#include <navette/stream/request_decision.hpp>

namespace navette {

namespace detail {

// Ends a transport on which the last word is said: without the wait for the peer's end it might not arrive.
template <sync_stream S>
void end_after_answer(S& stream, byte_span scratch, const timeouts& times) {
    static_cast<void>(stream.shutdown_write());
    discard_until_end(stream, scratch, deadline(now_of(stream), times.close_within));
    stream.close();
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

    kept.clear();
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
    kept.response  = handshake.response();
    kept.broken_by = handshake.broken_by();
    if (status == client_handshake_status::failed) return fail(handshake.error());
    return connection<role::client, S, Lock>::open(std::move(stream), handshake.agreed(), bounds, times, in, source);
}

/// Opens a connection as the server over `stream`, on which the client speaks first. `on_request` is called with each
/// valid request, of whatever kind, and returns a `decision`. An invalid request is answered by itself, and so is one
/// that is not complete within `times.handshake` (408). After an answer that is no upgrade the transport is ended:
/// `errc::request_answered`, or the error by which the request was refused. A request's body is not read. A decision
/// that cannot be carried out is answered with 500, and is the error returned. `report` is told what of a request that was
/// refused broke the rule.
///
/// Copies `bounds`, `times` and the subprotocol; an extension's factory is borrowed as long as the connection lives, `report`
/// until it returns.
template <class Lock = no_lock, sync_stream S, class OnRequest = accept_upgrades>
io_result<connection<role::server, S, Lock>> accept(S stream, const server_options& options,
                                                    const limits& bounds = default_limits, const timeouts& times = {},
                                                    OnRequest on_request = {}, handshake_report* report = nullptr) {
    handshake_report  unreported;
    handshake_report& kept  = report != nullptr ? *report : unreported;
    kept.clear();
    buffer            output, input;
    server_handshake  handshake(options, kept.head, bounds);
    const instant     until = deadline(now_of(stream), times.handshake);
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
    kept.note_broken_by(handshake.broken_by());
    if (status == handshake_status::refused) return answer(handshake.error());

    agreement agreed;
    const errc decided = detail::decide(handshake, status, on_request, output, agreed);
    if (output.empty()) return fail(decided);
    if (decided != errc{}) return answer(decided);
    if (const auto error = write_all(stream, output.data(), {}, times.write_stall, until)) return fail(error);
    return connection<role::server, S, Lock>::open(std::move(stream), agreed, bounds, times, in);
}

} // namespace navette
