// HTTP authentication (RFC 9110, 11), for proxies and servers alike: challenges read, credentials written, with Basic
// (RFC 7617), Digest (RFC 7616) and Bearer (RFC 6750). Remembers nothing from one request to the next, and asks nobody.
#pragma once

#include <navette/base/buffer.hpp>
#include <navette/base/config.hpp>
#include <navette/base/result.hpp>
#include <navette/codec/http_grammar.hpp>
#include <navette/handshake/http_writer.hpp>

#include <cstdint>
#include <string_view>

namespace navette {

/// A user name and a password, in UTF-8, without control characters. Views.
struct credentials {
    std::string_view user{}, password{};

    /// Neither was given.
    constexpr bool empty() const noexcept { return user.empty() && password.empty(); }
};

/// A challenge of WWW-Authenticate or Proxy-Authenticate (RFC 9110, 11.3); credentials have the same form. Views into
/// the field's value.
struct http_challenge {
    std::string_view scheme{};       ///< a token without case
    std::string_view token{};        ///< what stands behind it, if that is one token68
    std::string_view parameters{};   ///< if it is a list of parameters
};

/// The challenges in a field's value, of which there may be several, separated by the same commas as their parameters.
/// What is malformed ends the list, and the challenge that it stands in is left out.
///
///     challenge_reader reader(value);
///     for (http_challenge challenge; reader.next(challenge);) ...
class challenge_reader {
    // Invariant: ahead_ is the element that the next challenge begins with, if it was seen.
    list_reader      list_;
    std::string_view ahead_{};
    bool             malformed_ = false;

public:
    explicit challenge_reader(std::string_view value) noexcept : list_(value) {}

    /// False at the end of the list, and once it is malformed.
    bool next(http_challenge& challenge) noexcept;

    bool malformed() const noexcept { return malformed_; }
};

/// Reads one parameter of a challenge, `name=token` or `name="quoted"` (RFC 9110, 11.2). False if it is none.
bool read_auth_parameter(std::string_view element, parameter& p) noexcept;

/// The hash of a Digest challenge, the weakest first. In -sess, the client's nonce is mixed into the password's hash.
enum class digest_algorithm : std::uint8_t { md5, md5_sess, sha256, sha256_sess };

/// A Digest challenge (RFC 7616, 3.3), or that of its ancestor, which has no qop (RFC 2069). Views into the field.
struct digest_challenge {
    parameter        realm{}, nonce{}, opaque{};
    digest_algorithm algorithm       = digest_algorithm::md5;
    bool             names_algorithm = false;
    bool             has_qop         = false;   ///< "auth" is allowed
    bool             stale           = false;   ///< only the nonce of the last request was wrong
    bool             userhash        = false;   ///< the user's name is to be hashed
    bool             utf8            = false;   ///< names in UTF-8 are understood as such
};

/// Reads the parameters of a Digest challenge; those that it does not know do not count. `errc::bad_authentication`: it
/// lacks realm or nonce, has one twice, or is malformed. `errc::unsupported_authentication`: another algorithm (such as
/// SHA-512-256), no protection but auth-int, or -sess without qop, which alone brings the client's nonce.
result<digest_challenge> read_digest_challenge(const http_challenge& challenge) noexcept;

/// The challenge that is answered.
struct chosen_challenge {
    bool             is_digest = false;   ///< otherwise Basic
    digest_challenge digest{};
};

/// The strongest challenge in all fields named `name`: Digest before Basic, SHA-256 before MD5, the first of equals.
/// Views into the fields. `errc::bad_authentication`: there is none that is well-formed;
/// `errc::unsupported_authentication`: those that are do not help.
result<chosen_challenge> choose_challenge(const http_fields& fields, std::string_view name) noexcept;

/// What a Digest proof covers of a request, and what makes it fresh.
struct digest_request {
    std::string_view method{};      ///< such as CONNECT
    std::string_view target{};      ///< as in the request's first line
    std::string_view cnonce{};      ///< unpredictable: 16 random bytes in hexadecimal will do
    std::uint32_t    count = 1;     ///< of the requests with the challenge's nonce, this one included
};

/// Writes the value of an Authorization or Proxy-Authorization field. What cannot be sent fails the writer with
/// `errc::invalid_credentials`: control characters, text that is not UTF-8, for Basic a colon in the user's name
/// (RFC 7617, 2), for Bearer what is no token68 (RFC 6750, 2.1).
void write_basic(const credentials& login, http_writer& to) noexcept;
void write_bearer(std::string_view token, http_writer& to) noexcept;
void write_digest(const digest_challenge& challenge, const credentials& login, const digest_request& request,
                  http_writer& to) noexcept;

/// The same, appended to a buffer, for a field of the user's own; on an error nothing. `errc::invalid_credentials`,
/// `errc::out_of_memory`.
///
///     buffer value;
///     if (errc e = append_basic({"Aladdin", "open sesame"}, value); e != errc{}) return e;
///     const http_field fields[] = {{"Authorization", as_text(value.data())}};
[[nodiscard]] errc append_basic(const credentials& login, buffer& out) noexcept;
[[nodiscard]] errc append_bearer(std::string_view token, buffer& out) noexcept;

/// For servers: the user and the password of an Authorization field of Basic, decoded into `storage`, which is emptied
/// and which they live in. `errc::bad_authentication`, `errc::out_of_memory`.
result<credentials> read_basic(std::string_view value, buffer& storage) noexcept;

/// For servers: the token of an Authorization field of Bearer; a view into it. `errc::bad_authentication`.
result<std::string_view> read_bearer(std::string_view value) noexcept;

/// Whether what somebody sent is the secret. Takes a time that depends on the sizes alone, not on where they differ.
[[nodiscard]] bool is_same_secret(std::string_view sent, std::string_view secret) noexcept;

} // namespace navette

#if !defined(NAVETTE_SEPARATE_COMPILATION)
#  include <navette/handshake/http_authentication.ipp>
#endif
