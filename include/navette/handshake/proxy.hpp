// What a client says to a proxy before its own protocol begins: HTTP CONNECT (RFC 9110, 9.3.6) and SOCKS5 (RFC 1928,
// RFC 1929), as state machines over buffers. They do no I/O, keep no time and resolve no names; which proxy is meant
// says proxy_choice.hpp.
#pragma once

#include <navette/codec/entropy.hpp>
#include <navette/handshake/http_authentication.hpp>
#include <navette/handshake/http_body.hpp>
#include <navette/handshake/http_head.hpp>
#include <navette/handshake/uri.hpp>

#include <array>
#include <cstdint>
#include <span>

namespace navette {

enum class proxy_status : std::uint8_t {
    need_more,                    ///< send what is in `out`, if anything is, and go on reading
    tunnel,                       ///< what is written from now on reaches the target: TLS, or the opening handshake
    authenticate_here,            ///< need_more, and what is in `out` is the request again, with credentials
    reconnect_and_authenticate,   ///< end this transport, connect to the proxy again, and call request() again
    refused,                      ///< there is no tunnel: error() says why
};

/// Where a tunnel leads: the host and port of a URI, or of the next proxy of a chain. Borrows the URI's text.
constexpr authority tunnel_target(const uri& target) noexcept { return {target.host, target.ipv6, target.port}; }

struct http_connect_options {
    credentials login{};                      ///< sent when the proxy demands it, not before; empty: none
    bool        allow_basic = true;           ///< false: a password never leaves in the clear, only as a Digest proof
    std::span<const http_field> fields{};     ///< added to the request, such as User-Agent
};

/// A tunnel through an HTTP proxy. One answer to a challenge, and one more if only its nonce was stale: wrong
/// credentials are not tried again.
///
///     http_connect proxy(tunnel_target(target), options, head);
///     errc e = proxy.request(out);
///     ... write out, read in ...
///     switch (proxy.receive(in, out)) { case proxy_status::tunnel: ... }
///
/// Borrows the target's text, options, head and limits. Of the limits, those of a handshake's head, interim responses
/// and the error body apply, to each answer.
class http_connect {
    // Invariant: has_challenge_ while the head in *storage_ holds the challenge that the next request answers.
    // body_begin_ is where in *storage_ the body of the answer begins, or npos; refusal_ is what its end means, or
    // empty: a challenge.
    enum class phase : std::uint8_t { request, head, body, trailers, over };
    enum class answered : std::uint8_t { never, once, stale };

    static constexpr std::size_t npos = static_cast<std::size_t>(-1);

    authority                   target_;
    const http_connect_options* options_;
    buffer*                     storage_;
    const limits*               limits_;
    entropy                     entropy_;
    http_head                   head_;
    body_reader                 body_{};
    std::size_t                 body_begin_    = npos;
    std::size_t                 trailers_      = 0;   // bytes of them
    std::size_t                 line_          = 0;   // bytes of the one that comes, without its LF
    unsigned                    interim_       = 0;
    errc                        refusal_{};
    errc                        error_{};
    proxy_status                status_        = proxy_status::need_more;
    phase                       phase_         = phase::request;
    answered                    answered_      = answered::never;
    bool                        has_challenge_ = false;
    bool                        has_answer_    = false;
    bool                        is_chunked_    = false;
    bool                        is_kept_       = false;   // the connection had an answer before
    bool                        was_lost_      = false;   // such a connection was found ended
    bool                        carriage_return_ = false;

public:
    /// `head` is emptied; it collects the proxy's answer, and the body of a refusal. `target` needs a port.
    http_connect(const authority& target, const http_connect_options& options, buffer& head, entropy source = {},
                 const limits& bounds = default_limits) noexcept;
    http_connect(const authority&, const http_connect_options&&, buffer&, entropy = {},
                 const limits& = default_limits) = delete;
    http_connect(const authority&, const http_connect_options&, buffer&, entropy, const limits&&) = delete;

    /// Appends the request, all or nothing: at first, and again after reconnect_and_authenticate. Errors:
    /// `errc::invalid_host` and `errc::invalid_port` of the target, `errc::invalid_field`, `errc::reserved_field`,
    /// `errc::invalid_credentials`, `errc::no_entropy`, `errc::out_of_memory`, `errc::misuse` (out of turn).
    [[nodiscard]] errc request(buffer& out) noexcept;

    /// Takes the proxy's answer off the front of `in`. After tunnel `in` is empty, after refused it is dropped.
    proxy_status receive(byte_span& in, buffer& out) noexcept;

    /// The transport ended. `errc::proxy_truncated`, unless that was the end of a body, or of a connection that the
    /// proxy said it would keep.
    proxy_status receive_eof() noexcept;

    proxy_status status() const noexcept { return status_; }

    /// Why there is no tunnel. Errors of the head, as http_head has them; `errc::proxy_refused`: see response().
    /// - `errc::credentials_missing`, `errc::credentials_refused`
    /// - `errc::bad_authentication`, `errc::unsupported_authentication`: the challenge
    /// - `errc::early_tunnel_data`: bytes behind the proxy's 2xx, before anything was sent through the tunnel
    /// - `errc::too_many_interim_responses`, `errc::proxy_truncated`, and those of request()
    errc error() const noexcept { return error_; }

    /// The proxy's answer, once its head is complete; status 0 before. Views into `head`. `body` is decoded from chunks
    /// and may be cut off.
    response_view response() const noexcept;

private:
    proxy_status fail(errc why) noexcept;
    proxy_status reconnect() noexcept;
    errc write_request(buffer& out) noexcept;
    void write_credentials(std::string_view target, http_writer& head) const noexcept;
    void judge(byte_span in) noexcept;
    errc judge_challenge() const noexcept;
    bool keeps_connection(unsigned version_minor) const noexcept;
    void begin_body(const status_line& answer, const result<body_length>& length) noexcept;
    void end_body(byte_span in, buffer& out) noexcept;
    bool skip_trailers(byte_span& in) noexcept;
};

/// A tunnel through a SOCKS5 proxy. Names go to the proxy as they are and are resolved there; addresses go as
/// addresses. It has no need of a buffer of its own.
///
/// Borrows the target's and the credentials' text.
class socks5_connect {
    // Invariant: held_ bytes of the reply that phase_ waits for have come; reply_ holds the first of them.
    enum class phase : std::uint8_t { request, method, login, reply, over };

    authority                target_;
    credentials              login_;
    errc                     error_{};
    proxy_status             status_ = proxy_status::need_more;
    phase                    phase_  = phase::request;
    std::uint16_t            held_   = 0;
    std::array<std::byte, 5> reply_{};   // all of it that is looked at

public:
    /// Without credentials the proxy must let anybody in. `target` needs a port.
    explicit socks5_connect(const authority& target, const credentials& login = {}) noexcept
        : target_(target), login_(login) {}

    /// Appends the greeting, all or nothing; once. `errc::invalid_host` (a name of more than 255 bytes too),
    /// `errc::invalid_port`, `errc::invalid_credentials` (each from 1 to 255 bytes: RFC 1929, 2),
    /// `errc::out_of_memory`, `errc::misuse`.
    [[nodiscard]] errc request(buffer& out) noexcept;

    /// Takes the proxy's replies off the front of `in` and appends what they ask for to `out`. After tunnel `in` is
    /// empty, after refused it is dropped. Never authenticate_here nor reconnect_and_authenticate.
    proxy_status receive(byte_span& in, buffer& out) noexcept;

    /// The transport ended. `errc::proxy_truncated`, unless the tunnel was open.
    proxy_status receive_eof() noexcept;

    proxy_status status() const noexcept { return status_; }

    /// Why there is no tunnel. `errc::bad_socks_reply`, `socks_method_refused`, `credentials_refused`, `socks_failure`,
    /// `socks_not_allowed`, `socks_network_unreachable`, `socks_host_unreachable`, `socks_connection_refused`,
    /// `socks_ttl_expired`, `socks_command_not_supported`, `socks_address_type_not_supported`, `early_tunnel_data`,
    /// `proxy_truncated`, `out_of_memory`, and those of request().
    errc error() const noexcept { return error_; }

private:
    proxy_status fail(errc why) noexcept;
    errc check() const noexcept;
    errc judge(buffer& out) noexcept;
    errc judge_reply() noexcept;
    errc append_login(buffer& out) noexcept;
    errc append_connect(buffer& out) noexcept;
};

} // namespace navette

#if !defined(NAVETTE_SEPARATE_COMPILATION)
#  include <navette/handshake/proxy_http.ipp>
#  include <navette/handshake/proxy_socks.ipp>
#endif
