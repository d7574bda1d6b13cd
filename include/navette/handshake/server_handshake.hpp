// A server's side of the opening handshake (RFC 6455, 4.2): reads a request, judges it, and makes the answer that the
// application decides on. Answers plain HTTP requests on the same port too. Does no I/O and keeps no time.
#pragma once

#include <navette/base/result.hpp>
#include <navette/extension/agreement.hpp>
#include <navette/handshake/accept_key.hpp>
#include <navette/handshake/http_head.hpp>
#include <navette/handshake/http_response.hpp>
#include <navette/handshake/known_fields.hpp>
#include <navette/handshake/origin.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace navette {

/// What a server accepts. Outlives its handshakes and, since agreements view the subprotocols, its connections.
struct server_options {
    origin_policy origins;                                  ///< who may come; there is no default
    std::span<const std::string_view> subprotocols{};       ///< those that the server speaks
    std::span<const extension_factory* const> extensions{}; ///< those that it accepts
    std::span<const http_field> fields{};                   ///< added to every answer, such as Server
};

/// How one request is accepted.
struct accept_options {
    /// One of those that the client offers; "" for none. By default the first of the client's order of preference that
    /// is in `server_options::subprotocols`. The agreement borrows it.
    std::optional<std::string_view> subprotocol{};
    /// Added to the answer; borrowed until it has been written.
    std::span<const http_field> fields{};
};

enum class handshake_status : std::uint8_t {
    need_more,       ///< the request's head is not complete
    upgrade,         ///< a valid request to open a connection: accept or reject it
    plain_request,   ///< a valid request of another kind: respond to it
    refused,         ///< it was not valid, or was rejected or responded to: end the transport once that is written
};

/// One request and its answer.
///
///     server_handshake handshake(options, head);
///     switch (handshake.receive(in, out)) {
///     case handshake_status::upgrade:
///         if (auto agreed = handshake.accept(); agreed && append_http1(handshake.response(), out) == errc{}) ...
///
/// A request is an upgrade request if it is of HTTP/1.1 and its Upgrade has the token websocket; an HTTP/1.0 request
/// never is. What it views lies in the input or in `head`. Borrows options, head and limits; stays where it was made.
class server_handshake {
    // Invariant: response_status_ is 0 until there is an answer; then own_[0, own_count_) are its fields, in front of
    // those of the options and of fields_.
    const server_options* options_;
    const limits*         limits_;
    http_head             head_;
    request_view          request_{};
    handshake_status      status_ = handshake_status::need_more;
    errc                  error_{};
    errc                  options_error_;

    unsigned                    response_status_ = 0;
    union {
        http_field own_[5];   // made one by one: clearing them all would take longer than reading two fields
    };
    std::size_t                 own_count_ = 0;
    std::span<const http_field> fields_{};
    std::string_view            body_{};
    std::array<char, 28>        accept_key_{};
    std::byte                   extension_answer_[256];

public:
    /// `head` is emptied; it collects a request head that comes in pieces.
    server_handshake(const server_options& options, buffer& head,
                     const limits& bounds = default_limits) noexcept;
    server_handshake(const server_options&&, buffer&, const limits& = default_limits) = delete;
    server_handshake(const server_options&, buffer&, const limits&&) = delete;
    server_handshake(const server_handshake&) = delete;
    server_handshake& operator=(const server_handshake&) = delete;

    /// Takes the request's head off the front of `in`; what stands behind it stays there: of an upgrade the first
    /// frames, of a plain request its body. If the request is refused, the complete answer is appended to `out` (400,
    /// 403, 405, 414, 426, 431, 500 or 505; a full `out` goes without) and all of `in` is dropped, now and later. If
    /// the client expects it, `100 Continue` is appended before an upgrade (RFC 9110, 7.8).
    handshake_status receive(byte_span& in, buffer& out) noexcept;

    /// The transport ended: an incomplete request is refused with `errc::head_truncated`, and answered if it had begun.
    handshake_status receive_eof(buffer& out) noexcept;

    /// In place of receive, judges a request that somebody else read: one of HTTP/1.1, or an extended CONNECT of HTTP/2
    /// or 3 (RFC 8441). Writes nothing: if it is refused, the answer is response(). Borrows what the request views.
    handshake_status adopt(const request_view& request) noexcept;

    /// The request, once it is complete; views into the input or `head`, or what adopt was given.
    const request_view& request() const noexcept { return request_; }

    /// Copies a request that receive has read in the input to `head`, for an answer that is decided on later than the
    /// input can stay as it is; request() then views that copy. False: no room, or there is no such request.
    [[nodiscard]] bool keep_request() noexcept;

    /// Accepts an upgrade: response() is then the answer, to be written before the first frame. Reads request(), which
    /// must still be there; the agreement and the response no longer need it. An error changes nothing:
    /// `errc::misuse` (no upgrade, or answered already), `errc::invalid_subprotocol`, `errc::invalid_field`,
    /// `errc::reserved_field`.
    result<agreement> accept(const accept_options& options = {}) noexcept;

    /// Rejects an upgrade, or a request that is not complete yet (408, 503), with a status from 300 to 599. 426 gets
    /// the fields that it must have. Borrows fields and body until the response has been written. An error changes
    /// nothing: `errc::misuse`, `errc::invalid_status`, `errc::invalid_field`, `errc::reserved_field`.
    [[nodiscard]] errc reject(unsigned status, std::span<const http_field> fields = {},
                              std::string_view body = {}) noexcept;

    /// Answers a plain request with a status from 200 to 599; else as reject.
    [[nodiscard]] errc respond(unsigned status, std::span<const http_field> fields = {},
                               std::string_view body = {}) noexcept;

    /// The answer, of whatever kind, as data; status 0 before there is one. Valid as long as this object is.
    response_view response() const noexcept;

    /// Which check refused the request; `errc::request_answered` after reject and respond.
    errc error() const noexcept { return error_; }

    /// What of the request broke that rule: a line, or a field's value; empty: none did, or what is missing. Lives as
    /// request() does.
    std::string_view broken_by() const noexcept { return head_.broken_by(error_); }

private:
    errc read_request() noexcept;
    handshake_status judge() noexcept;
    bool asks_for_upgrade() const noexcept;
    errc check_upgrade() const noexcept;
    errc check_subprotocols() const noexcept;
    errc check_extensions() const noexcept;
    handshake_status refuse(errc why) noexcept;
    errc answer(unsigned status, std::span<const http_field> fields,
                std::string_view body) noexcept;
    void begin_response(unsigned status) noexcept;
    void add(std::string_view name, std::string_view value) noexcept;
    result<std::string_view> choose_subprotocol(
        const std::optional<std::string_view>& wanted) const noexcept;
    std::string_view negotiate_extension(agreement& agreed) noexcept;
    const known_fields& known() const noexcept { return head_.known(); }
    bool is_http1() const noexcept { return request_.version_major == 1; }
};

} // namespace navette

#if !defined(NAVETTE_SEPARATE_COMPILATION)
#  include <navette/handshake/server_handshake.ipp>
#endif
