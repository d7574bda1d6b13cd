// A client's way to a URI, from one server to the next as they redirect it: what is sent to each, and what becomes of a
// refusal (RFC 6455, 4.1; RFC 9110, 15.4). No I/O: `connect(uri)` of tcp.hpp and of async_connect.hpp go it.
#pragma once

#include <navette/base/config.hpp>
#include <navette/base/timeouts.hpp>
#include <navette/handshake/http_authentication.hpp>
#include <navette/handshake/transparent_proxy.hpp>
#include <navette/stream/request_decision.hpp>

#include <vector>

namespace navette {

/// Why `connect(uri)` has failed, beyond its error.
struct connect_report {
    handshake_report server{};       ///< what the server answered: status, fields, part of the body
    buffer           uri_text{};     ///< storage of `uri`
    std::string_view uri{};          ///< where the last redirection led; empty: none was followed
    response_view    proxy{};        ///< what the HTTP proxy answered that opened no tunnel; views into `proxy_head`
    buffer           proxy_head{};
    interference     seen{};         ///< what a proxy that nobody configured seems to have done: describe() says what helps
};

/// What to send to whom. Borrows all that it is given; throws std::bad_alloc.
///
///     client_journey journey(to, asked, login, bearer, 5, report);
///     for (;;) {
///         if (errc error = journey.begin(); error != errc{}) return error;
///         ... connect to journey.target(), and shake hands with journey.asked() and report.server ...
///         if (auto error = journey.failed(why)) return error;     // else there is another target
///     }
class client_journey {
    uri                     from_, target_;
    client_options          asked_;
    credentials             login_;
    std::string_view        bearer_;
    unsigned                redirects_, followed_ = 0;
    connect_report*         report_;
    bool                    is_same_origin_ = true;   // until now
    std::vector<http_field> fields_{}, sent_{};
    buffer                  value_{};                 // of the field of authentication

public:
    client_journey(const uri& to, const client_options& asked, const credentials& login, std::string_view bearer,
                   unsigned redirects, connect_report& report);
    client_journey(const client_journey&)            = delete;
    client_journey& operator=(const client_journey&) = delete;

    /// Before each target: what is to be sent to it. Errors: those of check_uri and of credentials; `errc::misuse`: a login and
    /// a bearer token.
    [[nodiscard]] errc begin();

    const uri&            target() const noexcept { return target_; }
    const client_options& asked() const noexcept { return asked_; }

    /// The opening handshake has failed; the report has the answer. Success: target() is another one now. Else `why`, or an
    /// error of read_redirect, or `errc::too_many_redirects`.
    std::error_code failed(std::error_code why);

    /// When the proxies and TLS must be through with it: the sum of their times, or never, if one is off.
    static instant laying_ends(instant now, std::size_t proxies, bool is_secure, const timeouts& times) noexcept {
        for (; proxies != 0; --proxies) now = now == instant::never() ? now : deadline(now, times.proxy);
        if (is_secure && now != instant::never()) now = deadline(now, times.tls);
        return now;
    }
};

} // namespace navette

#if !defined(NAVETTE_SEPARATE_COMPILATION)
#  include <navette/stream/client_journey.ipp>
#endif
