// The bodies of http_connect, in proxy.hpp.
#pragma once

#include <navette/handshake/proxy.hpp>
#include <navette/handshake/uri.ipp>

namespace navette {

namespace detail {

// No name that can be resolved is longer (RFC 1035, 2.3.4), and SOCKS carries none (RFC 1928, 5).
inline constexpr std::size_t max_host = 255;

inline errc check_tunnel_target(const authority& target) noexcept {
    if (target.host.size() > max_host || !is_host(target.host, target.ipv6)) return errc::invalid_host;
    return target.port == 0 ? errc::invalid_port : errc{};
}

// A target in authority-form (RFC 9112, 3.2.3), with its port always.
class authority_form {
    std::array<char, max_host + 8> chars_{};
    std::size_t                    size_ = 0;

    void add(std::string_view piece) noexcept {
        for (const char c : piece) chars_[size_++] = c;
    }

public:
    explicit authority_form(const authority& target) noexcept {
        if (target.ipv6) add("[");
        add(target.host);
        add(target.ipv6 ? "]:" : ":");
        unsigned place = 10'000;
        while (place > target.port) place /= 10;
        for (; place != 0; place /= 10) chars_[size_++] = static_cast<char>('0' + target.port / place % 10);
    }
    std::string_view text() const noexcept { return {chars_.data(), size_}; }
};

// Fields that only the request itself may have, or that would give it a body.
inline bool is_connects_own(std::string_view name) noexcept {
    for (const std::string_view own : {"Connection", "Content-Length", "Expect", "Host", "Proxy-Authorization",
                                       "Proxy-Connection", "Transfer-Encoding", "Upgrade"})
        if (iequals(name, own)) return true;
    return false;
}

inline constexpr std::string_view proxy_authenticate = "Proxy-Authenticate";

} // namespace detail

NAVETTE_INLINE http_connect::http_connect(const authority& target, const http_connect_options& options, buffer& head,
                                          entropy source, const limits& bounds) noexcept
    : target_(target),
      options_(&options),
      storage_(&head),
      limits_(&bounds),
      entropy_(source),
      head_(http_message::response, head, bounds) {}

NAVETTE_INLINE errc http_connect::request(buffer& out) noexcept {
    if (phase_ != phase::request) return errc::misuse;
    return write_request(out);
}

NAVETTE_INLINE errc http_connect::write_request(buffer& out) noexcept {
    if (const errc e = detail::check_tunnel_target(target_); e != errc{}) return e;
    for (const http_field& field : options_->fields)
        if (detail::is_connects_own(field.name)) return errc::reserved_field;
    const detail::authority_form target(target_);

    http_writer head(out);
    head.text("CONNECT ");
    head.text(target.text());
    head.text(" HTTP/1.1");
    head.end_line();
    head.field({"Host", target.text()});
    head.fields(options_->fields);
    if (has_challenge_) write_credentials(target.text(), head);
    if (const errc e = head.finish(); e != errc{}) return e;

    if (has_challenge_) answered_ = answered_ == answered::never ? answered::once : answered::stale;
    has_challenge_ = has_answer_ = false;
    head_          = http_head(http_message::response, *storage_, *limits_);
    body_begin_    = npos;
    interim_       = 0;
    phase_         = phase::head;
    status_        = proxy_status::need_more;
    return {};
}

NAVETTE_INLINE void http_connect::write_credentials(std::string_view target, http_writer& head) const noexcept {
    const auto challenge = choose_challenge(head_.fields(), detail::proxy_authenticate);
    if (!challenge) return head.fail(challenge.error());
    head.text("Proxy-Authorization: ");
    if (challenge->is_digest) {
        std::array<std::byte, 16> random{};
        if (!entropy_(random)) return head.fail(errc::no_entropy);
        std::array<char, 32> cnonce{};
        for (std::size_t i = 0; i < cnonce.size(); ++i)
            cnonce[i] = detail::hex_digits[static_cast<unsigned>(random[i / 2]) >> 4 * (i % 2) & 15];
        write_digest(challenge->digest, options_->login, {"CONNECT", target, {cnonce.data(), cnonce.size()}}, head);
    } else {
        write_basic(options_->login, head);
    }
    head.end_line();
}

NAVETTE_INLINE proxy_status http_connect::fail(errc why) noexcept {
    error_ = why;
    phase_ = phase::over;
    return status_ = proxy_status::refused;
}

NAVETTE_INLINE proxy_status http_connect::reconnect() noexcept {
    is_kept_ = false;
    phase_   = phase::request;
    return status_ = proxy_status::reconnect_and_authenticate;
}

NAVETTE_INLINE proxy_status http_connect::receive(byte_span& in, buffer& out) noexcept {
    if (status_ == proxy_status::authenticate_here) status_ = proxy_status::need_more;
    while (status_ == proxy_status::need_more) {
        if (phase_ == phase::request) {
            fail(errc::misuse);
        } else if (phase_ == phase::head) {
            const http_head_status head = head_.receive(in);
            if (head == http_head_status::need_more) return status_;
            if (head == http_head_status::failed) fail(head_.error());
            else judge(in);
        } else {
            if (phase_ == phase::body ? !body_.receive(in, *storage_) : !skip_trailers(in)) return status_;
            end_body(in, out);
        }
    }
    in = {};
    return status_;
}

NAVETTE_INLINE proxy_status http_connect::receive_eof() noexcept {
    if (status_ == proxy_status::authenticate_here) status_ = proxy_status::need_more;
    if (status_ != proxy_status::need_more) return status_;
    if (phase_ == phase::body || phase_ == phase::trailers)
        return refusal_ == errc{} ? reconnect() : fail(refusal_);
    // A connection may end between two requests, whatever was said (RFC 9112, 9.3.1): begin again, once.
    if (is_kept_ && !was_lost_ && interim_ == 0 && !head_.has_begun()) {
        was_lost_ = true;
        answered_ = answered::never;
        return reconnect();
    }
    return fail(errc::proxy_truncated);
}

NAVETTE_INLINE void http_connect::judge(byte_span in) noexcept {
    status_line answer;
    if (const errc e = parse_status_line(head_.start_line(), answer); e != errc{}) {
        fail(e);
        return;
    }
    if (answer.status < 200 && answer.status != 101) {
        if (++interim_ > limits_->max_interim_responses) fail(errc::too_many_interim_responses);
        else head_.restart();
        return;
    }
    // What is shown of an answer, and a challenge until its body has ended, must not depend on the input.
    const auto length = read_body_length(head_.known(), false);
    if (!head_.keep()) {
        fail(errc::out_of_memory);
        return;
    }
    has_answer_ = true;
    if (answer.status < 200 || answer.status > 299) return begin_body(answer, length);
    // Content-Length and Transfer-Encoding mean nothing here (RFC 9110, 9.3.6).
    if (!in.empty()) {
        fail(errc::early_tunnel_data);
        return;
    }
    phase_  = phase::over;
    status_ = proxy_status::tunnel;
}

// Empty: the challenge is to be answered.
NAVETTE_INLINE errc http_connect::judge_challenge() const noexcept {
    if (options_->login.empty()) return errc::credentials_missing;
    const auto challenge = choose_challenge(head_.fields(), detail::proxy_authenticate);
    const bool is_stale  = challenge && challenge->is_digest && challenge->digest.stale;
    if (answered_ == answered::stale || (answered_ == answered::once && !is_stale)) return errc::credentials_refused;
    if (!challenge) return challenge.error();
    return challenge->is_digest || options_->allow_basic ? errc{} : errc::unsupported_authentication;
}

// RFC 9112, 9.3; Proxy-Connection is what older proxies say.
NAVETTE_INLINE bool http_connect::keeps_connection(unsigned version_minor) const noexcept {
    const http_fields fields = head_.fields();
    const auto says = [&fields](std::string_view token) {
        return fields.contains_token("Connection", token) || fields.contains_token("Proxy-Connection", token);
    };
    return !says("close") && (version_minor != 0 || says("keep-alive"));
}

NAVETTE_INLINE void http_connect::begin_body(const status_line& answer, const result<body_length>& length) noexcept {
    const unsigned status = answer.status;
    if (status == 407) refusal_ = judge_challenge();
    else refusal_ = status == 401 && answered_ != answered::never ? errc::credentials_refused : errc::proxy_refused;
    has_challenge_ = refusal_ == errc{};

    using kind = body_length::kind;
    const bool has_end = length && (length->how == kind::known || length->how == kind::chunked);
    if (has_challenge_ && !(has_end && keeps_connection(answer.version_minor))) {
        reconnect();
        return;
    }
    body_begin_      = storage_->size();
    is_chunked_      = length && length->how == kind::chunked;
    trailers_        = 0;
    line_            = 0;
    carriage_return_ = false;
    phase_           = phase::body;
    if (!length || status == 101 || status == 304) body_ = body_reader();
    else body_ = body_reader(*length, limits_->max_error_body);
}

NAVETTE_INLINE void http_connect::end_body(byte_span in, buffer& out) noexcept {
    if (!has_challenge_) {
        fail(refusal_);
        return;
    }
    if (phase_ == phase::body && is_chunked_ && body_.is_whole()) {
        phase_ = phase::trailers;
        return;
    }
    const bool has_ended = body_.is_whole() && line_ == 0 && in.empty();
    if (!has_ended) {
        reconnect();   // nobody knows where the next answer would begin
    } else if (const errc e = write_request(out); e != errc{}) {
        fail(e);
    } else {
        is_kept_ = true;
        status_  = proxy_status::authenticate_here;
    }
}

// True: the empty line has come, or what is none (then line_ is not 0).
NAVETTE_INLINE bool http_connect::skip_trailers(byte_span& in) noexcept {
    while (!in.empty()) {
        const char c = static_cast<char>(in.front());
        in           = in.subspan(1);
        ++line_;
        if (++trailers_ > limits_->max_handshake_size) return true;
        const bool is_line_end = c == '\n' && carriage_return_;
        if (c == '\n' && !carriage_return_) return true;
        carriage_return_ = c == '\r';
        if (!is_line_end) continue;
        const bool is_empty = line_ == 2;
        line_               = 0;
        if (is_empty) return true;
    }
    return false;
}

NAVETTE_INLINE response_view http_connect::response() const noexcept {
    response_view answer;
    if (!has_answer_) return answer;
    status_line line;
    static_cast<void>(parse_status_line(head_.start_line(), line));
    answer.status = line.status;
    answer.reason = line.reason;
    answer.fields = head_.fields();
    if (body_begin_ != npos) answer.body = as_text(storage_->data()).substr(body_begin_);
    return answer;
}

} // namespace navette
