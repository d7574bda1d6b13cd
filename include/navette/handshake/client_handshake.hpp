// A client's side of the opening handshake (RFC 6455, 4.1): writes the request and judges the answer. Does no I/O,
// resolves no names, follows no redirects and keeps no time.
#pragma once

#include <navette/codec/entropy.hpp>
#include <navette/extension/agreement.hpp>
#include <navette/handshake/accept_key.hpp>
#include <navette/handshake/http_body.hpp>
#include <navette/handshake/http_head.hpp>
#include <navette/handshake/http_writer.hpp>
#include <navette/handshake/uri.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace navette {

/// What a client asks for. Outlives its handshakes and, since agreements view the subprotocols, its connections.
struct client_options {
    std::span<const std::string_view> subprotocols{};       ///< distinct tokens, the one preferred most first
    std::span<const http_field> fields{};                   ///< added to the request, such as Authorization or Cookie
    std::string_view origin{};                              ///< the Origin; empty: none, as of all but browsers
    std::span<const extension_factory* const> extensions{}; ///< those that are offered
};

enum class client_handshake_status : std::uint8_t {
    need_more,   ///< the answer, or the body of a refusal, is not complete
    upgrade,     ///< the connection is open
    failed,      ///< it is not: error() says why, response() what the server said
};

/// One request and its answer.
///
///     client_handshake handshake(target, options, head);
///     if (errc e = handshake.request(out); e != errc{}) return e;
///     switch (handshake.receive(in)) { case client_handshake_status::upgrade: ... handshake.agreed() ... }
///
/// Borrows the URI's text, options, head and limits.
class client_handshake {
    // Invariant: answered_ once the head of the final answer is complete; body_begin_ is then where in *storage_ its
    // body begins, or npos if it has none.
    static constexpr std::size_t npos = static_cast<std::size_t>(-1);

    uri                     target_;
    const client_options*   options_;
    buffer*                 storage_;
    const limits*           limits_;
    entropy                 entropy_;
    http_head               head_;
    agreement               agreed_{};
    body_reader             body_{};
    std::size_t             body_begin_ = npos;
    unsigned                interim_    = 0;
    std::array<char, 24>    key_{};
    client_handshake_status status_ = client_handshake_status::need_more;
    errc                    error_{};
    bool                    requested_ = false;
    bool                    answered_  = false;

public:
    /// `head` is emptied; it collects an answer that comes in pieces, and the body of a refusal.
    client_handshake(const uri& target, const client_options& options, buffer& head,
                     entropy source = {}, const limits& bounds = default_limits) noexcept;
    client_handshake(const uri&, const client_options&&, buffer&, entropy = {},
                     const limits& = default_limits) = delete;
    client_handshake(const uri&, const client_options&, buffer&, entropy, const limits&&) = delete;

    /// Appends the request, all or nothing; once. Nothing else may be sent before the answer is known to be an upgrade.
    /// Errors: `errc::invalid_field`, `errc::reserved_field`, `errc::invalid_subprotocol`, `errc::no_entropy`,
    /// `errc::out_of_memory`, `errc::misuse` (the second request), those of check_uri, `errc::bad_extensions` (an
    /// extension's offer is malformed).
    [[nodiscard]] errc request(buffer& out) noexcept;

    /// Takes the answer off the front of `in`; frames behind it stay there. Interim responses are skipped. Of an answer
    /// other than 101 the body is read too, at most `limits::max_error_body`; after failed, `in` is dropped.
    client_handshake_status receive(byte_span& in) noexcept;

    /// The transport ended: `errc::head_truncated`, unless it ended the body of a refusal.
    client_handshake_status receive_eof() noexcept;

    /// Whether the request was made and its answer is not known: the connection is CONNECTING. A client must not have
    /// two such connections to one address (RFC 6455, 4.1); who opens several waits while this holds.
    bool is_connecting() const noexcept {
        return requested_ && status_ == client_handshake_status::need_more;
    }

    /// What was agreed. Precondition: upgrade.
    const agreement& agreed() const noexcept { return agreed_; }

    /// Which check failed. `errc::unexpected_status`: see response().
    errc error() const noexcept { return error_; }

    /// What of the answer broke that rule: a line, or a field's value; empty: none did, or what is missing. Lives as
    /// response() does.
    std::string_view broken_by() const noexcept { return head_.broken_by(error_); }

    /// The server's answer, once its head is complete; status 0 before. Views into `head`; after an upgrade, or if `head`
    /// is fixed and too small, maybe into the input. `body` is decoded from chunks and may be cut off.
    response_view response() const noexcept;

private:
    client_handshake_status fail(errc why) noexcept;
    errc check_request() const noexcept;
    errc draw_key() noexcept;
    void write_host(http_writer& head) const noexcept;
    void write_subprotocols(http_writer& head) const noexcept;
    void write_extensions(http_writer& head) noexcept;
    void judge() noexcept;
    void begin_body(unsigned status) noexcept;
    errc check_upgrade() noexcept;
    errc accept_extensions(const known_fields&) noexcept;
    errc accept_extension(const extension_offer& answer) noexcept;
    errc accept_subprotocol(const known_fields&) noexcept;
};

} // namespace navette

#if !defined(NAVETTE_SEPARATE_COMPILATION)
#  include <navette/handshake/client_handshake.ipp>
#endif
