// A client's side of the opening handshake (RFC 6455, 4.1): any answer, judged alike however it is cut; bodies of
// refusals within their limit; what is accepted has all that RFC 6455 demands. And the requests that are made.
#pragma once

#include "bodies/deflate.hpp"
#include "bodies/http_head.hpp"

#include <navette/handshake/client_handshake.hpp>

namespace fuzz {

// RFC 6455's own example (1.3): its answer is s3pPLMBiTxaQ9kYGzzhZRbK+xOo=.
inline bool sample_nonce(void*, byte_span out) noexcept {
    constexpr std::string_view nonce = "the sample nonce";
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::byte>(nonce[i % nonce.size()]);
    return true;
}
inline constexpr std::string_view sample_accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

inline constexpr std::string_view answer_subprotocols[] = {"chat", "superchat"};
inline constexpr http_field       answer_fields[]       = {{"Authorization", "Basic x"}};
inline const place<max_input>     answer_place[2];

inline client_options answer_wishes(const input& in) {
    client_options wishes{.fields = answer_fields};
    if (in.option(0)) wishes.subprotocols = answer_subprotocols;
    if (in.option(1)) wishes.extensions = deflate_number(0).extensions();
    if (in.option(2)) wishes.origin = "http://example.com";
    return wishes;
}

inline limits answer_limits(const input& in) {
    limits bounds                = head_limits(in.options(3, 2));
    bounds.max_error_body        = in.option(5) ? 3 : 64;
    bounds.max_interim_responses = 2;
    return bounds;
}

inline void check_upgrade(const http_fields& fields, const agreement& agreed, const client_options& wishes) {
    must(fields.count("Sec-WebSocket-Accept") == 1 && fields.find("Sec-WebSocket-Accept") == sample_accept,
         "the key was answered");
    must(fields.contains_token("Upgrade", "websocket") && fields.contains_token("Connection", "upgrade"),
         "the server has switched");
    bool wished = agreed.subprotocol.empty() && fields.count("Sec-WebSocket-Protocol") == 0;
    for (const std::string_view each : wishes.subprotocols) wished = wished || each == agreed.subprotocol;
    must(wished, "a subprotocol was asked for");
    must(agreed.extension == nullptr || !wishes.extensions.empty(), "an extension was asked for");
}

inline bool read_answer(const input& in, const client_options& wishes, const cuts& cut, transcript& log) {
    static const auto target = *parse_uri("ws://example.com:8080/chat?a=b");
    const limits      bounds = answer_limits(in);
    buffer            storage{byte_span(answer_place[0])}, out{byte_span(answer_place[1])};
    client_handshake  hs(target, wishes, storage, {&sample_nonce, nullptr}, bounds);
    must(hs.request(out) == errc{} && hs.is_connecting(), "a request is made");
    must(hs.request(out) == errc::misuse, "a request is made once");
    const auto  text   = in.rest();
    auto        status = client_handshake_status::need_more;
    std::size_t at     = 0;
    log.clear();
    const byte_span copy = head_input.last(text.size());
    std::memcpy(copy.data(), text.data(), text.size());
    for (std::size_t i = 0; at < text.size() && status == client_handshake_status::need_more; ++i) {
        const std::size_t n     = lesser(cut.sizes[i % 3], text.size() - at);
        byte_span         piece = copy.subspan(at, n);
        status                  = hs.receive(piece);
        must(piece.empty() || status == client_handshake_status::upgrade,
             "what is left is what stands behind an upgrade");
        if (status != client_handshake_status::upgrade) std::memset(&copy[at], 0xdd, n);
        at += n - piece.size();
    }
    if (status == client_handshake_status::failed) at = text.size();
    log.add(static_cast<unsigned>(status));
    log.add(static_cast<unsigned>(hs.error()));
    log.add(at);
    const auto ended = hs.receive_eof();
    must(ended != client_handshake_status::need_more && !hs.is_connecting(), "the end is the end");
    must((ended == client_handshake_status::failed) == (hs.error() != errc{}), "a failure has an error");
    log.add(static_cast<unsigned>(hs.error()));
    const response_view answer = hs.response();
    log.add(answer.status);
    log.add(answer.reason);
    if (answer.status != 0 && status == ended)
        for (const http_field& field : answer.fields) log.add(field.name), log.add(field.value);
    log.add(answer.body);
    must(answer.body.size() <= bounds.max_error_body, "no more is kept of a body than the limit");
    must(storage.size() <= bounds.max_handshake_size + bounds.max_error_body, "no more is kept than the limits");
    byte_span more = head_input.first(1);
    must(hs.receive(more) == ended, "the outcome stays");
    if (ended != client_handshake_status::upgrade) {
        must(more.empty() && hs.error() != errc{}, "after a failure nothing is left");
        return false;
    }
    must(answer.status == 101, "only 101 is an upgrade");
    check_upgrade(answer.fields, hs.agreed(), wishes);
    log.add(hs.agreed().subprotocol);
    for (const std::uint8_t value : hs.agreed().parameters.values) log.add(value);
    return true;
}

inline bool answers(input in) {
    if (in.empty()) return false;
    const client_options wishes   = answer_wishes(in);
    const bool           accepted = read_answer(in, wishes, uncut, head_whole);
    must(read_answer(in, wishes, in.as_cut(), head_cut) == accepted, "an answer is accepted however it is cut");
    must(head_cut == head_whole, "an answer is the same however it is cut");
    return accepted;
}

} // namespace fuzz
