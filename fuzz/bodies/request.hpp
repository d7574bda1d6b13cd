// A server's side of the opening handshake (RFC 6455, 4.2): any request, judged alike however it is cut and whoever
// read it; every answer is one that our own reader of responses takes, complete, with the status that the error has; what
// is accepted has all that RFC 6455 demands.
#pragma once

#include "bodies/deflate.hpp"
#include "bodies/http_head.hpp"

#include <navette/handshake/http_response.hpp>
#include <navette/handshake/server_handshake.hpp>

namespace fuzz {

inline constexpr std::string_view request_subprotocols[] = {"chat", "superchat"};
inline constexpr std::string_view request_origins[]      = {"http://example.com", "null"};
inline constexpr http_field       request_fields[]       = {{"Server", "navette"}};

inline server_options request_rules(const input& in) {
    const origin_policy policies[] = {origin_policy::any(), origin_policy::list(request_origins),
                                      origin_policy::same_origin(), origin_policy::same_origin("http").required()};
    server_options rules{.origins = policies[in.options(0, 2)]};
    if (in.option(2)) rules.subprotocols = request_subprotocols;
    if (in.option(3)) rules.extensions = deflate_number(0).extensions();
    rules.fields = request_fields;
    return rules;
}

inline limits request_limits(const input& in) { return head_limits(in.option(4) ? in.options(0, 2) : 0); }

/// The head and body of the only response in `text`; checks that nothing is missing or left over. Returns its status.
inline unsigned check_response(const_byte_span text, bool body_may_be_left_out) {
    buffer    storage{byte_span(head_place[1])};
    http_head head(http_message::response, storage);
    byte_span in = in_place(text);
    must(head.receive(in) == http_head_status::complete, "an answer is complete");
    status_line line;
    must(parse_status_line(head.start_line(), line) == errc{} && line.version_minor == 1,
         "an answer has a status line");
    const auto length = read_body_length(head.known(), false);
    if (line.status == 100 || line.status == 101 || line.status == 204 || line.status == 304) {
        must(length->how == body_length::kind::none_given, "such an answer has no body");
    } else {
        must(bool(length) && length->how == body_length::kind::known, "an answer tells the length of its body");
        must(length->bytes == in.size() || (body_may_be_left_out && in.empty()),
             "the body is as long as it is told");
        must(head.known().contains_token(known_field::connection, "close"), "the connection ends behind it");
        in = {};
    }
    if (line.status == 101) {
        must(head.known().contains_token(known_field::connection, "upgrade") &&
                 head.known().contains_token(known_field::upgrade, "websocket") &&
                 head.known().count(known_field::accept) == 1,
             "an accepted request gets what RFC 6455, 4.2.2 demands");
    }
    must(in.empty() || line.status == 100, "nothing stands behind an answer");
    return line.status;
}

inline void check_accepted(const server_handshake& hs, const agreement& agreed, const server_options& rules) {
    const http_fields& fields = hs.request().fields;
    must(hs.request().method == "GET" && fields.count("Sec-WebSocket-Key") == 1 && fields.count("Host") == 1,
         "what is accepted is a request for it");
    must(is_valid_key(*fields.find("Sec-WebSocket-Key")), "the key is of 16 bytes");
    must(fields.contains_token("Upgrade", "websocket") && fields.contains_token("Connection", "upgrade"),
         "an upgrade was asked for");
    must(fields.find("Sec-WebSocket-Version") == "13" && rules.origins.admits(hs.request()),
         "version and origin are right");
    const auto expected = accept_key(*fields.find("Sec-WebSocket-Key"));
    must(hs.response().fields.find("Sec-WebSocket-Accept") == std::string_view(expected.data(), expected.size()),
         "the key is answered");
    bool offered = agreed.subprotocol.empty();
    for (const std::string_view each : hs.request().subprotocols()) offered = offered || each == agreed.subprotocol;
    must(offered, "a subprotocol was offered");
    must(agreed.extension == nullptr || (!rules.extensions.empty() && fields.count("Sec-WebSocket-Extensions") != 0),
         "an extension was offered");
}

// What the application answers, as bits 5 and 6 say; and what comes of that.
inline errc answer_request(server_handshake& hs, handshake_status status, const input& in,
                           const server_options& rules, transcript& log) {
    static constexpr http_field more[] = {{"X-Reason", "because"}}, wrong[] = {{"Connection", "keep-alive"}};
    if (status == handshake_status::plain_request) {
        must(hs.respond(200, wrong) == errc::reserved_field && hs.respond(199) == errc::invalid_status,
             "an error changes nothing");
        must(!hs.accept() && hs.reject(404) == errc::misuse, "a plain request is responded to");
        return hs.respond(in.option(5) ? 204 : 200, more, in.option(5) ? "" : "Hello");
    }
    if (in.options(5, 2) == 3) return hs.reject(in.option(0) ? 426 : 401, more, "no");
    must(hs.respond(200) == errc::misuse, "an upgrade is accepted or rejected");
    const auto agreed = in.options(5, 2) == 1 ? hs.accept({.subprotocol = "", .fields = more})
                      : in.options(5, 2) == 2 ? hs.accept({.subprotocol = "superchat"})
                                              : hs.accept();
    if (!agreed) return agreed.error();
    check_accepted(hs, *agreed, rules);
    log.add(agreed->subprotocol);
    for (const std::uint8_t value : agreed->parameters.values) log.add(value);
    must(!hs.accept() && hs.reject(400) == errc::misuse, "a request is answered once");
    return {};
}

inline const place<max_input> request_place[2];

inline bool read_request(const input& in, const server_options& rules, const cuts& cut, transcript& log) {
    const limits     bounds = request_limits(in);
    buffer           storage{byte_span(request_place[0])}, out{byte_span(request_place[1])};
    server_handshake hs(rules, storage, bounds);
    handshake_status status = handshake_status::need_more;
    const auto       text   = in.rest();
    std::size_t      at     = 0;
    log.clear();
    const byte_span copy = head_input.last(text.size());
    std::memcpy(copy.data(), text.data(), text.size());
    for (std::size_t i = 0; at < text.size() && status == handshake_status::need_more; ++i) {
        const std::size_t n     = lesser(cut.sizes[i % 3], text.size() - at);
        byte_span         piece = copy.subspan(at, n);
        status                  = hs.receive(piece, out);
        must(piece.empty() || (status != handshake_status::need_more && status != handshake_status::refused),
             "what is left is what stands behind the head");
        if (status == handshake_status::need_more) std::memset(&copy[at], 0xdd, n);
        at += n - piece.size();
    }
    if (status == handshake_status::refused) at = text.size();   // all of it is dropped
    if (status == handshake_status::need_more) {
        must(hs.error() == errc{} && out.empty(), "who waits says nothing");
        must(hs.receive_eof(out) == handshake_status::refused && hs.error() == errc::head_truncated,
             "an early end is an error");
    }
    log.add(static_cast<unsigned>(status));
    log.add(static_cast<unsigned>(hs.error()));
    log.add(at);
    bool accepted = false;
    if (status == handshake_status::upgrade || status == handshake_status::plain_request) {
        for (const std::string_view part :
             {hs.request().method, hs.request().path, hs.request().query, hs.request().host, hs.request().origin})
            log.add(part);
        if (const auto cookie = hs.request().cookie("id")) log.add(*cookie);
        if (in.option(7)) must(hs.keep_request(), "a request can be kept");
        if (!out.empty()) must(check_response(out.data(), false) == 100, "who expects it is told to go on");
        out.clear();
        const errc e = answer_request(hs, status, in, rules, log);
        log.add(static_cast<unsigned>(e));
        accepted = e == errc{};
        must(accepted || e == errc::invalid_subprotocol, "what the application wants can be done");
        if (accepted) must(append_http1(hs.response(), out) == errc{}, "an answer can be written");
    }
    log.add(out.data());
    if (!out.empty()) {
        const bool     head_only = hs.request().method == "HEAD";
        const unsigned written   = check_response(out.data(), head_only);
        must(written == hs.response().status, "the status is the response's");
        if (!accepted) must(written == to_http_status(hs.error()), "an error has its status");
    }
    if (status == handshake_status::refused) {
        const std::size_t said = out.size();
        byte_span         more = head_input.first(1);
        must(hs.receive(more, out) == handshake_status::refused && more.empty() && out.size() == said,
             "a refused request stays refused");
    }
    return accepted && status == handshake_status::upgrade;
}

// The same request, read by somebody else.
inline void adopt_request(const input& in, const server_options& rules, handshake_status wanted) {
    buffer    storage{byte_span(head_place[0])}, more{byte_span(head_place[1])};
    http_head head(http_message::request, storage);
    byte_span text = in_place(in.rest());
    request_line line;
    if (head.receive(text) != http_head_status::complete) return;
    must(parse_request_line(head.start_line(), line) == errc{}, "a head begins with a request line");
    request_view     request{.method = line.method, .target = line.target, .version_major = line.version_major,
                             .version_minor = line.version_minor, .fields = head.fields()};
    const bool       http2 = line.version_major == 2 || line.version_major == 3;
    if (http2)
        request.host     = head.known().value(known_field::host),
        request.protocol = head.known().value(known_field::upgrade);
    server_handshake hs(rules, more);
    const handshake_status found = hs.adopt(request);
    if (!http2) must(found == wanted, "a request is judged alike whoever read it");
    if (found == handshake_status::refused) must(hs.response().status >= 400, "a refusal has an answer");
    if (http2 && found == handshake_status::upgrade)
        must(bool(hs.accept()) && hs.response().status == 200, "an extended CONNECT is answered by 200");
}

inline bool requests(input in) {
    if (in.empty()) return false;
    const server_options rules    = request_rules(in);
    const bool           accepted = read_request(in, rules, uncut, head_whole);
    const auto           status   = static_cast<handshake_status>(load_be64(head_whole.bytes().data()));
    must(read_request(in, rules, in.as_cut(), head_cut) == accepted, "a request is accepted however it is cut");
    must(head_cut == head_whole, "a request is the same however it is cut");
    if (!in.option(4)) adopt_request(in, rules, status);
    return accepted;
}

} // namespace fuzz
