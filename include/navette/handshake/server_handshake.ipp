// The bodies of server_handshake.hpp.
#pragma once

#include <navette/handshake/http_body.hpp>
#include <navette/handshake/http_request.hpp>
#include <navette/handshake/http_writer.hpp>
#include <navette/handshake/server_handshake.hpp>

#include <new>

namespace navette {

namespace detail {

// Fields that only the handshake and append_http1 may write.
inline bool is_servers_own(std::string_view name) noexcept {
    return iequals(name, "Connection") || iequals(name, "Content-Length") ||
           iequals(name, "Transfer-Encoding") || iequals(name, "Upgrade") ||
           iequals(name.substr(0, 14), "Sec-WebSocket-");
}

inline errc check_servers_fields(std::span<const http_field> fields) noexcept {
    for (const http_field& field : fields) {
        if (const errc e = check_field(field); e != errc{}) return e;
        if (is_servers_own(field.name)) return errc::reserved_field;
    }
    return {};
}

inline errc check_server_options(const server_options& options) noexcept {
    for (const std::string_view subprotocol : options.subprotocols)
        if (!is_token(subprotocol)) return errc::invalid_subprotocol;
    return check_servers_fields(options.fields);
}

// Whether an extension's answer is one element of that name.
inline bool is_answer(std::string_view text, std::string_view name) noexcept {
    extension_reader answers(text);
    extension_offer answer;
    return answers.next(answer) && answer.name() == name && !answers.next(answer) &&
           !answers.malformed();
}

} // namespace detail

NAVETTE_INLINE server_handshake::server_handshake(const server_options& options, buffer& head,
                                                  const limits& bounds) noexcept
    : options_(&options),
      limits_(&bounds),
      head_(http_message::request, head, bounds),
      options_error_(detail::check_server_options(options)) {}

NAVETTE_INLINE handshake_status server_handshake::receive(byte_span& in, buffer& out) noexcept {
    if (status_ == handshake_status::need_more) {
        switch (head_.receive(in)) {
        case http_head_status::need_more: return status_;
        case http_head_status::failed: refuse(head_.error()); break;
        case http_head_status::complete:
            if (const errc e = read_request(); e != errc{}) refuse(e);
            else judge();
            break;
        }
        if (status_ == handshake_status::upgrade &&
            known().contains_token(known_field::expect, "100-continue") &&
            !out.append(as_bytes("HTTP/1.1 100 Continue\r\n\r\n")))
            refuse(errc::out_of_memory);
        // An answer that finds no room is lost, and the transport ends all the same.
        if (status_ == handshake_status::refused) static_cast<void>(append_http1(response(), out));
    }
    if (status_ == handshake_status::refused) in = {};
    return status_;
}

NAVETTE_INLINE handshake_status server_handshake::receive_eof(buffer& out) noexcept {
    if (status_ != handshake_status::need_more) return status_;
    refuse(errc::head_truncated);
    if (head_.has_begun()) static_cast<void>(append_http1(response(), out));
    return status_;
}

NAVETTE_INLINE handshake_status server_handshake::adopt(const request_view& request) noexcept {
    if (status_ != handshake_status::need_more) return status_;
    request_ = request;
    head_.adopt(request_.fields);
    if (const errc e = interpret(request_, known()); e != errc{}) return refuse(e);
    return judge();
}

NAVETTE_INLINE bool server_handshake::keep_request() noexcept {
    return head_.status() == http_head_status::complete && head_.keep() && read_request() == errc{};
}

// What the head says; only HTTP/1 can have been written as text.
NAVETTE_INLINE errc server_handshake::read_request() noexcept {
    const request_line line = split_request_line(head_.start_line());   // http_head has judged it
    request_.method        = line.method;
    request_.target        = line.target;
    request_.version_major = line.version_major;
    request_.version_minor = line.version_minor;
    request_.fields        = head_.fields();
    return is_http1() ? interpret(request_, known()) : errc::http_version_not_supported;
}

NAVETTE_INLINE handshake_status server_handshake::judge() noexcept {
    if (options_error_ != errc{}) return refuse(options_error_);
    status_ = handshake_status::plain_request;
    if (!asks_for_upgrade()) return status_;
    if (const errc e = check_upgrade(); e != errc{}) return refuse(e);
    status_ = handshake_status::upgrade;
    return status_;
}

// In HTTP/1.0 Upgrade is ignored (RFC 9110, 7.8).
NAVETTE_INLINE bool server_handshake::asks_for_upgrade() const noexcept {
    if (!is_http1())
        return equals(request_.method, "CONNECT") && equals(request_.protocol, "websocket"); // RFC 8441, 5
    return request_.version_minor > 0 && known().contains_token(known_field::upgrade, "websocket");
}

// RFC 6455, 4.2.1; an extended CONNECT has neither method, Connection nor key to check (RFC 8441, 5).
NAVETTE_INLINE errc server_handshake::check_upgrade() const noexcept {
    if (is_http1()) {
        if (!equals(request_.method, "GET")) return errc::method_not_allowed;
        if (!known().contains_token(known_field::connection, "upgrade")) return errc::connection_lacks_upgrade;
    }
    if (known().count(known_field::version) != 1 || !equals(known().value(known_field::version), "13"))
        return errc::unsupported_version; // 4.4
    if (is_http1()) {
        if (!known().has(known_field::key)) return errc::missing_key;
        if (known().count(known_field::key) != 1 || !is_valid_key(known().value(known_field::key)))
            return errc::invalid_key;
        const auto length = read_body_length(known(), true);
        if (length->how == body_length::kind::chunked || length->bytes != 0)
            return errc::unexpected_body;
    }
    if (const errc e = check_subprotocols(); e != errc{}) return e;
    if (const errc e = check_extensions(); e != errc{}) return e;
    return options_->origins.admits(request_, known()) ? errc{} : errc::origin_refused; // 10.2
}

// Bounded, since each is compared with all before it.
NAVETTE_INLINE errc server_handshake::check_subprotocols() const noexcept {
    std::size_t count = 0;
    known().for_each_element(known_field::subprotocol, [&](std::string_view) { ++count; });
    if (count > limits_->max_handshake_fields) return errc::too_many_fields;
    return detail::wrong_subprotocols(known()).data() == nullptr ? errc{} : errc::bad_subprotocols;
}

NAVETTE_INLINE errc server_handshake::check_extensions() const noexcept {
    return detail::wrong_extensions(known()).data() == nullptr ? errc{} : errc::bad_extensions;
}

NAVETTE_INLINE result<agreement> server_handshake::accept(const accept_options& options) noexcept {
    if (status_ != handshake_status::upgrade || response_status_ != 0) return errc::misuse;
    if (const errc e = detail::check_servers_fields(options.fields); e != errc{}) return e;
    const auto subprotocol = choose_subprotocol(options.subprotocol);
    if (!subprotocol) return subprotocol.error();

    agreement agreed;
    agreed.subprotocol = *subprotocol;
    fields_            = options.fields;
    begin_response(is_http1() ? 101 : 200); // RFC 6455, 4.2.2; RFC 8441, 5
    if (is_http1()) {
        accept_key_ = accept_key(known().value(known_field::key));
        add("Upgrade", "websocket");
        add("Sec-WebSocket-Accept", {static_cast<const char*>(accept_key_.data()), accept_key_.size()});
    }
    if (!agreed.subprotocol.empty()) add("Sec-WebSocket-Protocol", agreed.subprotocol);
    if (const std::string_view answer = negotiate_extension(agreed); !answer.empty())
        add("Sec-WebSocket-Extensions", answer);
    return agreed;
}

// The client's order of preference, or what the application wants, which the client must have offered; compared with
// regard to case (RFC 6455, 4.2.2 and 11.3.4).
NAVETTE_INLINE result<std::string_view> server_handshake::choose_subprotocol(
    const std::optional<std::string_view>& wanted) const noexcept {
    if (wanted && wanted->empty()) return std::string_view{};
    if (!wanted && !known().has(known_field::subprotocol)) return std::string_view{};
    for (const std::string_view offered : request_.subprotocols()) {
        if (wanted && offered == *wanted) return *wanted;
        if (wanted) continue;
        for (const std::string_view spoken : options_->subprotocols)
            if (offered == spoken) return spoken;
    }
    if (wanted) return errc::invalid_subprotocol;
    return std::string_view{};
}

// The first of the client's offers that an extension of ours takes (RFC 6455, 9.1). Returns its answer, empty for none.
NAVETTE_INLINE std::string_view server_handshake::negotiate_extension(agreement& agreed) noexcept {
    std::string_view taken;
    if (options_->extensions.empty()) return taken;
    known().for_each(known_field::extensions, [&](std::string_view value) {
        extension_reader offers(value);
        for (extension_offer offer; taken.empty() && offers.next(offer);) {
            for (const extension_factory* extension : options_->extensions) {
                if (offer.name() != extension->name) continue;
                buffer answer{byte_span(extension_answer_)};
                extension_parameters parameters;
                if (extension->negotiate(extension->self, role::server, offer, parameters,
                                         answer) != errc{})
                    continue;
                const std::string_view text = as_text(answer.data());
                if (!detail::is_answer(text, extension->name)) continue;
                agreed.extension  = extension;
                agreed.parameters = parameters;
                taken             = text;
                break;
            }
        }
    });
    return taken;
}

NAVETTE_INLINE errc server_handshake::reject(unsigned status, std::span<const http_field> fields,
                                             std::string_view body) noexcept {
    if (status_ != handshake_status::upgrade && status_ != handshake_status::need_more)
        return errc::misuse;
    return status < 300 ? errc::invalid_status : answer(status, fields, body);
}

NAVETTE_INLINE errc server_handshake::respond(unsigned status, std::span<const http_field> fields,
                                              std::string_view body) noexcept {
    return status_ == handshake_status::plain_request ? answer(status, fields, body) : errc::misuse;
}

NAVETTE_INLINE errc server_handshake::answer(unsigned status, std::span<const http_field> fields,
                                             std::string_view body) noexcept {
    if (response_status_ != 0) return errc::misuse;
    if (status < 200 || status > 599) return errc::invalid_status;
    if ((status == 204 || status == 304) && !body.empty()) return errc::invalid_status;
    if (const errc e = detail::check_servers_fields(fields); e != errc{}) return e;
    begin_response(status);
    fields_ = fields;
    body_   = body;
    status_ = handshake_status::refused;
    error_  = errc::request_answered;
    return {};
}

NAVETTE_INLINE handshake_status server_handshake::refuse(errc why) noexcept {
    error_ = why;
    // HTTP/2 has no Upgrade, which 426 must carry.
    const unsigned status = to_http_status(why);
    begin_response(status == 426 && !is_http1() ? 400 : status);
    if (why == errc::method_not_allowed) add("Allow", "GET"); // RFC 9110, 15.5.6
    add("Content-Type", "text/plain");
    body_   = describe(why);
    status_ = handshake_status::refused;
    return status_;
}

NAVETTE_INLINE void server_handshake::begin_response(unsigned status) noexcept {
    response_status_ = status;
    own_count_       = 0;
    if (is_http1())
        add("Connection", status == 101 ? "Upgrade" : status == 426 ? "Upgrade, close" : "close");
    if (status == 426 && is_http1()) add("Upgrade", "websocket"); // RFC 9110, 15.5.22
    if (status == 426 || error_ == errc::unsupported_version)
        add("Sec-WebSocket-Version", "13"); // RFC 6455, 4.4
}

NAVETTE_INLINE void server_handshake::add(std::string_view name, std::string_view value) noexcept {
    new (own_ + own_count_++) http_field{name, value};
}

NAVETTE_INLINE response_view server_handshake::response() const noexcept {
    if (response_status_ == 0) return {};
    return {.status    = response_status_,
            .reason    = reason_phrase(response_status_),
            .fields    = http_fields::of_array(own_, own_count_,
                                               options_error_ == errc{} ? options_->fields : std::span<const http_field>{}, fields_),
            .body      = body_,
            .omit_body = equals(request_.method, "HEAD")};
}

} // namespace navette
