// The opening handshake over an asynchronous stream, both roles (RFC 6455, 4): what turns a stream into an async_connection,
// within one total deadline. The rules are handshake/'s, the decisions request_decision.hpp's.
#pragma once

#include <navette/stream/async_connection.hpp>
#include <navette/stream/async_transfer.hpp>
#include <navette/stream/request_decision.hpp>

#include <type_traits>

namespace navette {

// g++ 12 destroys twice what a braced argument within a co_await has to destroy.
static_assert(std::is_trivially_destructible_v<client_options> && std::is_trivially_destructible_v<server_options>);

namespace detail {

// The answer is the last word: without the wait for the peer's end it might not arrive.
template <async_stream S>
typename S::template task<std::error_code> answer(share<async_transfer<S>> s, timeouts times, instant until) {
    using transfer = async_transfer<S>;
    const std::error_code lost = co_await transfer::write(s, times.write_stall, until, transfer::then::shut_down);
    if (lost) co_return lost;
    co_await transfer::discard(s, deadline(s->stream.now(), times.close_within));
    co_return std::error_code{};
}

} // namespace detail

/// Opens a connection as the client over `stream`, which leads to the server of `to`: TLS, if it is a wss URI, is the
/// stream's affair. Sends the request and nothing more until the answer is known to be an upgrade. On any error, or when the
/// task is cancelled or destroyed, the stream is closed; the causes are those of `connect` of opening_handshake.hpp.
///
/// What `to` and `options` view, and `report`, are borrowed until the task has ended, an extension's factory as long as the
/// connection lives.
template <async_stream S>
typename S::template task<io_result<async_connection<role::client, S>>>
async_connect(S stream, uri to, client_options options = {}, limits bounds = default_limits,
              timeouts times = {}, handshake_report* report = nullptr, entropy source = {}) {
    using transfer = async_transfer<S>;
    share<transfer> s(new (std::nothrow) transfer(std::move(stream)));
    if (!s) co_return errc::out_of_memory;
    const typename transfer::closer closes(s);
    handshake_report                unreported;
    handshake_report&               kept  = report != nullptr ? *report : unreported;
    const instant                   until = deadline(s->stream.now(), times.handshake);

    kept.clear();
    client_handshake handshake(to, options, kept.head, source, bounds);
    if (const errc error = handshake.request(s->output); error != errc{}) co_return error;
    if (s->input.grow(detail::handshake_read_size).empty()) co_return errc::out_of_memory;
    const std::error_code lost = co_await transfer::write(s, times.write_stall, until);
    if (lost) co_return detail::in_handshake(lost);

    byte_span in{};
    auto      status = client_handshake_status::need_more;
    while (status == client_handshake_status::need_more) {
        const auto got = co_await transfer::read(s, until);
        if (!got) {
            kept.response = handshake.response();
            co_return detail::in_handshake(got.error());
        }
        in     = s->input.data().first(*got);
        status = in.empty() ? handshake.receive_eof() : handshake.receive(in);
    }
    kept.response  = handshake.response();
    kept.broken_by = handshake.broken_by();
    kept.input     = std::move(s->input);   // the answer may be viewed there
    if (status == client_handshake_status::failed) co_return handshake.error();
    co_return async_connection<role::client, S>::open(s->release(), handshake.agreed(), bounds, times, in, source);
}

/// Opens a connection as the server over `stream`, on which the client speaks first, as `accept` of opening_handshake.hpp
/// does: `on_request` is called with each valid request and returns a `decision`, at once. On any error, or when the task is
/// cancelled or destroyed, the stream is closed.
///
/// What `options` view, and `report`, are borrowed until the task has ended, an extension's factory as long as the connection
/// lives.
template <async_stream S, class OnRequest = accept_upgrades>
typename S::template task<io_result<async_connection<role::server, S>>>
async_accept(S stream, server_options options, limits bounds = default_limits, timeouts times = {},
             OnRequest on_request = {}, handshake_report* report = nullptr) {
    using transfer = async_transfer<S>;
    share<transfer> s(new (std::nothrow) transfer(std::move(stream)));
    if (!s) co_return errc::out_of_memory;
    const typename transfer::closer closes(s);
    handshake_report                unreported;
    handshake_report&               kept = report != nullptr ? *report : unreported;
    kept.clear();
    server_handshake                handshake(options, kept.head, bounds);
    const instant                   until = deadline(s->stream.now(), times.handshake);

    if (s->input.grow(detail::handshake_read_size).empty()) co_return errc::out_of_memory;
    byte_span in{};
    auto      status = handshake_status::need_more;
    bool      begun  = false;
    while (status == handshake_status::need_more) {
        const auto got = co_await transfer::read(s, until);
        if (!got) {
            const bool late = got.error() == std::errc::timed_out;
            if (!late || !begun || handshake.reject(408) != errc{}) co_return detail::in_handshake(got.error());
            if (append_http1(handshake.response(), s->output) != errc{}) co_return errc::out_of_memory;
            const std::error_code lost = co_await detail::answer(s, times, deadline(s->stream.now(), times.close_within));
            co_return lost == std::errc::operation_canceled ? lost : errc::handshake_timeout;
        }
        begun  = begun || *got != 0;
        in     = s->input.data().first(*got);
        status = in.empty() ? handshake.receive_eof(s->output) : handshake.receive(in, s->output);
    }

    agreement agreed;
    errc      decided = handshake.error();   // why it was refused
    kept.note_broken_by(handshake.broken_by());
    if (status != handshake_status::refused) {
        decided = detail::decide(handshake, status, on_request, s->output, agreed);
        if (s->output.empty()) co_return decided;
    }
    if (decided != errc{}) {
        const std::error_code lost = co_await detail::answer(s, times, until);
        if (lost) co_return detail::in_handshake(lost);
        co_return decided;
    }
    const std::error_code lost = co_await transfer::write(s, times.write_stall, until);
    if (lost) co_return detail::in_handshake(lost);
    co_return async_connection<role::server, S>::open(s->release(), agreed, bounds, times, in);
}

} // namespace navette
