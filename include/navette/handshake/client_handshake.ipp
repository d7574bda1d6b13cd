// The bodies of client_handshake.hpp.
#pragma once

#include <navette/handshake/client_handshake.hpp>


namespace navette {

namespace detail {

// Fields that only the handshake may write: its own, and those that give the request a body or a second meaning.
inline bool is_clients_own(std::string_view name) noexcept {
    for (const std::string_view own : {"Connection", "Content-Length", "Expect", "Host", "Origin",
                                       "Transfer-Encoding", "Upgrade"})
        if (iequals(name, own)) return true;
    return iequals(name.substr(0, 14), "Sec-WebSocket-");
}

// An offer is one element or several of the extension's own name.
inline bool is_offer(std::string_view text, std::string_view name) noexcept {
    extension_reader offers(text);
    std::size_t count = 0;
    for (extension_offer offer; offers.next(offer); ++count)
        if (offer.name() != name) return false;
    return count != 0 && !offers.malformed();
}

} // namespace detail

NAVETTE_INLINE client_handshake::client_handshake(const uri& target, const client_options& options,
                                                  buffer& head, entropy source,
                                                  const limits& bounds) noexcept
    : target_(target),
      options_(&options),
      storage_(&head),
      limits_(&bounds),
      entropy_(source),
      head_(http_message::response, head, bounds) {}

NAVETTE_INLINE errc client_handshake::request(buffer& out) noexcept {
    if (requested_ || status_ != client_handshake_status::need_more) return errc::misuse;
    if (const errc e = check_request(); e != errc{}) return e;
    if (const errc e = draw_key(); e != errc{}) return e;

    http_writer head(out);
    head.text("GET ");
    head.text(target_.path);
    if (!target_.query.empty()) {
        head.text("?");
        head.text(target_.query);
    }
    head.text(" HTTP/1.1");
    head.end_line();
    head.text("Host: ");
    write_host(head);
    head.end_line();
    head.field({"Upgrade", "websocket"});
    head.field({"Connection", "Upgrade"});
    head.field({"Sec-WebSocket-Key", {static_cast<const char*>(key_.data()), key_.size()}});
    head.field({"Sec-WebSocket-Version", "13"});
    if (!options_->origin.empty()) head.field({"Origin", options_->origin});
    write_subprotocols(head);
    write_extensions(head);
    head.fields(options_->fields);
    const errc e = head.finish();

    requested_ = e == errc{};
    return e;
}

NAVETTE_INLINE errc client_handshake::check_request() const noexcept {
    if (const errc e = check_uri(target_); e != errc{}) return e;
    const auto& subprotocols = options_->subprotocols;
    for (std::size_t i = 0; i < subprotocols.size(); ++i) {
        if (!is_token(subprotocols[i])) return errc::invalid_subprotocol;
        for (std::size_t j = 0; j < i; ++j)
            if (subprotocols[i] == subprotocols[j]) return errc::invalid_subprotocol;
    }
    for (const http_field& field : options_->fields) {
        if (const errc e = check_field(field); e != errc{}) return e;
        if (detail::is_clients_own(field.name)) return errc::reserved_field;
    }
    return {};
}

NAVETTE_INLINE errc client_handshake::draw_key() noexcept {
    std::byte nonce[16]{};
    if (!entropy_(nonce)) return errc::no_entropy;
    base64_encode(nonce, key_.data());
    return {};
}

NAVETTE_INLINE void client_handshake::write_host(http_writer& head) const noexcept {
    if (target_.ipv6) head.text("[");
    head.text(target_.host);
    if (target_.ipv6) head.text("]");
    if (target_.has_default_port()) return;
    head.text(":");
    head.number(target_.port);
}

NAVETTE_INLINE void client_handshake::write_subprotocols(http_writer& head) const noexcept {
    std::string_view before = "Sec-WebSocket-Protocol: ";
    for (const std::string_view subprotocol : options_->subprotocols) {
        head.text(detail::take(before, ", "));
        head.text(subprotocol);
    }
    if (!options_->subprotocols.empty()) head.end_line();
}

// Each extension writes its offers into the storage, which is free until the answer comes.
NAVETTE_INLINE void client_handshake::write_extensions(http_writer& head) noexcept {
    std::string_view before = "Sec-WebSocket-Extensions: ";
    for (const extension_factory* extension : options_->extensions) {
        storage_->clear();
        if (const errc e = extension->offer(extension->self, *storage_); e != errc{}) head.fail(e);
        const std::string_view offers = as_text(storage_->data());
        if (!detail::is_offer(offers, extension->name)) head.fail(errc::bad_extensions);
        head.text(detail::take(before, ", "));
        head.text(offers);
    }
    storage_->clear();
    if (!options_->extensions.empty()) head.end_line();
}

NAVETTE_INLINE client_handshake_status client_handshake::receive(byte_span& in) noexcept {
    if (status_ == client_handshake_status::need_more && !requested_) fail(errc::misuse);
    while (status_ == client_handshake_status::need_more) {
        if (answered_) {
            if (!body_.receive(in, *storage_)) return status_;
            fail(errc::unexpected_status);
            break;
        }
        const http_head_status head = head_.receive(in);
        if (head == http_head_status::need_more) return status_;
        if (head == http_head_status::failed) fail(head_.error());
        else judge();
    }
    if (status_ == client_handshake_status::failed) in = {};
    return status_;
}

NAVETTE_INLINE client_handshake_status client_handshake::receive_eof() noexcept {
    if (status_ != client_handshake_status::need_more) return status_;
    return fail(answered_ ? errc::unexpected_status : errc::head_truncated);
}

NAVETTE_INLINE client_handshake_status client_handshake::fail(errc why) noexcept {
    error_  = why;
    status_ = client_handshake_status::failed;
    return status_;
}

NAVETTE_INLINE void client_handshake::judge() noexcept {
    status_line answer;
    if (const errc e = parse_status_line(head_.start_line(), answer); e != errc{}) {
        fail(e);
        return;
    }
    if (answer.status == 101) {
        answered_ = true;
        // There is no 101 in HTTP/1.0 (RFC 9110, 15.2).
        if (const errc e = answer.version_minor == 0 ? errc::bad_start_line : check_upgrade();
            e != errc{}) {
            static_cast<void>(head_.keep()); // the input may be gone when it is reported
            fail(e);
        } else {
            status_ = client_handshake_status::upgrade;
        }
        return;
    }
    if (answer.status < 200) {
        if (++interim_ > limits_->max_interim_responses) fail(errc::too_many_interim_responses);
        else head_.restart();
        return;
    }
    begin_body(answer.status);
}

// An answer other than 101 is final; its body is kept for whoever reports it. The head goes into the storage, since the
// input may be gone when the body is complete.
NAVETTE_INLINE void client_handshake::begin_body(unsigned status) noexcept {
    answered_ = true;

    const auto length = read_body_length(head_.known(), false);
    if (!head_.keep() || !length) {
        fail(errc::unexpected_status);
        return;
    }
    body_begin_ = storage_->size();
    if (status != 204 && status != 304)
        body_ = body_reader(*length, limits_->max_error_body); // RFC 9112, 6.3
}

// RFC 6455, 4.1, "the client MUST validate the server's response". A 101 has no body, whatever its fields say of one
// (RFC 9112, 6.3).
NAVETTE_INLINE errc client_handshake::check_upgrade() noexcept {
    const known_fields& fields = head_.known();
    bool upgrades = false, upgrades_otherwise = false;
    fields.for_each_element(known_field::upgrade, [&](std::string_view to) {
        upgrades           = true;
        upgrades_otherwise = upgrades_otherwise || !iequals(to, "websocket");
    });
    if (!upgrades || upgrades_otherwise) return errc::upgrade_mismatch;
    if (!fields.contains_token(known_field::connection, "upgrade")) return errc::connection_mismatch;

    const auto expected = accept_key({static_cast<const char*>(key_.data()), key_.size()});
    if (fields.count(known_field::accept) != 1) return errc::accept_mismatch;
    if (fields.value(known_field::accept) != std::string_view(expected.data(), expected.size()))
        return errc::accept_mismatch;

    if (const errc e = accept_extensions(fields); e != errc{}) return e;
    return accept_subprotocol(fields);
}

NAVETTE_INLINE errc client_handshake::accept_extensions(const known_fields& fields) noexcept {
    errc error{};
    fields.for_each(known_field::extensions, [&](std::string_view value) {
        extension_reader answers(value);
        for (extension_offer answer; error == errc{} && answers.next(answer);)
            error = accept_extension(answer);
        if (error == errc{} && answers.malformed()) error = errc::bad_extensions;
    });
    return error;
}

NAVETTE_INLINE errc client_handshake::accept_extension(const extension_offer& answer) noexcept {
    for (const extension_factory* extension : options_->extensions) {
        if (extension->name != answer.name()) continue;
        if (agreed_.extension == extension) return errc::unoffered_extension;
        if (agreed_.extension != nullptr) return errc::extension_refused; // an agreement holds one
        buffer nothing{byte_span{}};
        agreed_.extension = extension;
        return extension->negotiate(extension->self, role::client, answer, agreed_.parameters,
                                    nothing);
    }
    return errc::unoffered_extension;
}

NAVETTE_INLINE errc client_handshake::accept_subprotocol(const known_fields& fields) noexcept {
    if (!fields.has(known_field::subprotocol)) return {};
    if (fields.count(known_field::subprotocol) != 1) return errc::unoffered_subprotocol; // 11.3.4
    for (const std::string_view offered : options_->subprotocols) {
        if (offered != fields.value(known_field::subprotocol)) continue;
        agreed_.subprotocol = offered;
        return {};
    }
    return errc::unoffered_subprotocol;
}

NAVETTE_INLINE response_view client_handshake::response() const noexcept {
    response_view answer;
    if (!answered_) return answer;
    status_line line;
    static_cast<void>(parse_status_line(head_.start_line(), line));
    answer.status = line.status;
    answer.reason = line.reason;
    answer.fields = head_.fields();
    if (body_begin_ != npos) answer.body = as_text(storage_->data()).substr(body_begin_);
    return answer;
}

} // namespace navette
