// The bodies of http_authentication.hpp. No secret gets into an error.
#pragma once

#include <navette/codec/base64.hpp>
#include <navette/codec/digest.hpp>
#include <navette/codec/utf8.hpp>
#include <navette/handshake/http_authentication.hpp>

#include <array>
#include <cstddef>

namespace navette {

namespace detail {

// RFC 9110, 11.2; what a bearer's token is made of, too (RFC 6750, 2.1).
constexpr bool is_token68(std::string_view text) noexcept {
    while (text.size() > 1 && text.ends_with('=')) text.remove_suffix(1);
    for (const char c : text)
        if (c == '=' || base64_sextets[static_cast<unsigned char>(c)] == no_sextet)
            if (c != '-' && c != '.' && c != '_' && c != '~') return false;
    return !text.empty();
}

// The size of the scheme that an element begins with; 0 if it begins no challenge.
constexpr std::size_t scheme_size(std::string_view element) noexcept {
    const std::size_t size = skip_token_chars(element);
    return size == element.size() || element[size] == ' ' ? size : 0;
}

// In UTF-8 and without control characters (RFC 7617, 2).
inline bool is_sendable(std::string_view text) noexcept {
    for (const char c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
    return is_valid_utf8(text);
}

inline bool is_ascii(std::string_view text) noexcept {
    for (const char c : text)
        if (static_cast<unsigned char>(c) >= 0x80) return false;
    return true;
}

inline constexpr std::string_view hex_digits = "0123456789abcdef";

struct hex_digest {
    std::array<char, 64> chars{};
    std::size_t          size = 0;
    constexpr std::string_view text() const noexcept { return {chars.data(), size}; }
};

// The hash of pieces with colons between them, in hexadecimal (RFC 7616, 3.4).
template <class Hash>
class joined_hash {
    Hash hash_;
    bool is_first_ = true;

public:
    joined_hash& add(std::string_view piece) noexcept {
        if (!is_first_) hash_.update(std::string_view(":"));
        is_first_ = false;
        hash_.update(piece);
        return *this;
    }

    // A quoted piece counts for what it stands for.
    joined_hash& add(const parameter& p) noexcept {
        add(std::string_view{});
        for (std::size_t i = 0; i < p.value.size(); ++i) {
            if (p.quoted && p.value[i] == '\\') ++i;
            hash_.update(p.value.substr(i, 1));
        }
        return *this;
    }

    hex_digest finish() noexcept {
        hex_digest hex;
        for (const std::byte b : hash_.finish()) {
            hex.chars[hex.size++] = hex_digits[static_cast<unsigned>(b) >> 4];
            hex.chars[hex.size++] = hex_digits[static_cast<unsigned>(b) & 15];
        }
        return hex;
    }
};

inline bool is_session(digest_algorithm algorithm) noexcept {
    return algorithm == digest_algorithm::md5_sess || algorithm == digest_algorithm::sha256_sess;
}
inline bool is_sha256(digest_algorithm algorithm) noexcept { return algorithm >= digest_algorithm::sha256; }

// RFC 7616, 3.4.1 to 3.4.3; without qop RFC 2069, 2.1.2.
template <class Hash>
hex_digest digest_response(const digest_challenge& challenge, const credentials& login, const digest_request& request,
                           std::string_view count) noexcept {
    hex_digest secret = joined_hash<Hash>().add(login.user).add(challenge.realm).add(login.password).finish();
    if (is_session(challenge.algorithm))
        secret = joined_hash<Hash>().add(secret.text()).add(challenge.nonce).add(request.cnonce).finish();
    const hex_digest what = joined_hash<Hash>().add(request.method).add(request.target).finish();

    joined_hash<Hash> all;
    all.add(secret.text()).add(challenge.nonce);
    if (challenge.has_qop) all.add(count).add(request.cnonce).add(std::string_view("auth"));
    return all.add(what.text()).finish();
}

// A quoted-string that stands for `text`.
inline void write_quoted(std::string_view before, std::string_view text, http_writer& to) noexcept {
    to.text(before);
    to.text("\"");
    while (!text.empty()) {
        const std::size_t end = lesser(text.find_first_of("\"\\"), text.size());
        to.text(text.substr(0, end));
        text.remove_prefix(end);
        if (text.empty()) break;
        to.text("\\");
        to.text(text.substr(0, 1));
        text.remove_prefix(1);
    }
    to.text("\"");
}

// The same value that a challenge had.
inline void write_again(std::string_view before, const parameter& p, http_writer& to) noexcept {
    to.text(before);
    to.text("\"");
    to.text(p.value);
    to.text("\"");
}

// Who asks: in the clear, hashed (RFC 7616, 3.4.4), or, if quoting does not carry it, as RFC 8187 has it.
inline void write_user(const digest_challenge& challenge, std::string_view user, http_writer& to) noexcept {
    if (challenge.userhash) {
        const hex_digest hashed = is_sha256(challenge.algorithm)
                                      ? joined_hash<sha256_hash>().add(user).add(challenge.realm).finish()
                                      : joined_hash<md5_hash>().add(user).add(challenge.realm).finish();
        write_quoted("Digest username=", hashed.text(), to);
    } else if (challenge.utf8 && !is_ascii(user)) {
        to.text("Digest username*=UTF-8''");
        for (std::size_t i = 0; i < user.size(); ++i) {
            const auto byte = static_cast<unsigned char>(user[i]);
            const char encoded[] = {'%', hex_digits[byte >> 4], hex_digits[byte & 15]};
            const bool is_plain  = is_token_char(user[i]) && user[i] != '*' && user[i] != '\'' && user[i] != '%';
            to.text(is_plain ? user.substr(i, 1) : std::string_view(encoded, sizeof encoded));
        }
    } else {
        write_quoted("Digest username=", user, to);
    }
}

// Ends a value that a writer has begun.
inline errc finish_value(http_writer& value, buffer& out) noexcept {
    const errc e = value.finish();
    if (e == errc{}) out.shrink(2);   // the end of the head that it is not
    return e;
}

} // namespace detail

NAVETTE_INLINE bool read_auth_parameter(std::string_view element, parameter& p) noexcept {
    p                      = {};
    p.name                 = element.substr(0, detail::skip_token_chars(element));
    std::string_view value = trim_ows(element.substr(p.name.size()));
    if (p.name.empty() || !value.starts_with('=')) return false;
    value       = trim_ows(value.substr(1));
    p.has_value = true;
    p.quoted    = value.starts_with('"');
    p.value     = value;
    if (!p.quoted) return is_token(value);
    if (detail::quoted_string_size(value) != value.size()) return false;
    p.value = value.substr(1, value.size() - 2);
    return true;
}

NAVETTE_INLINE bool challenge_reader::next(http_challenge& challenge) noexcept {
    challenge = {};
    if (malformed_ || (ahead_.empty() && !list_.next(ahead_))) {
        malformed_ = malformed_ || list_.malformed();
        return false;
    }
    challenge.scheme            = ahead_.substr(0, detail::scheme_size(ahead_));
    const std::string_view rest = trim_ows(ahead_.substr(challenge.scheme.size()));
    parameter p;
    if (challenge.scheme.empty()) return !(malformed_ = true);
    if (detail::is_token68(rest)) challenge.token = rest;
    else if (rest.empty() || read_auth_parameter(rest, p)) challenge.parameters = rest;
    else return !(malformed_ = true);

    for (ahead_ = {}; list_.next(ahead_) && read_auth_parameter(ahead_, p); ahead_ = {}) {
        if (!challenge.token.empty()) return !(malformed_ = true);
        // All that stands between the first parameter and this one.
        const char* const begin = challenge.parameters.empty() ? ahead_.data() : challenge.parameters.data();
        challenge.parameters    = {begin, static_cast<std::size_t>(ahead_.data() + ahead_.size() - begin)};
    }
    malformed_ = list_.malformed() || (!ahead_.empty() && detail::scheme_size(ahead_) == 0);
    return !malformed_;
}

NAVETTE_INLINE result<digest_challenge> read_digest_challenge(const http_challenge& challenge) noexcept {
    enum : std::size_t { realm, nonce, opaque, algorithm, qop, stale, userhash, charset, all };
    constexpr std::string_view names[all] = {"realm", "nonce", "opaque",   "algorithm",
                                             "qop",   "stale", "userhash", "charset"};

    parameter   found[all];
    list_reader list(challenge.parameters);
    for (std::string_view element; list.next(element);) {
        parameter p;
        if (!read_auth_parameter(element, p)) return errc::bad_authentication;
        for (std::size_t i = 0; i < all; ++i) {
            if (!iequals(p.name, names[i])) continue;
            if (found[i].has_value) return errc::bad_authentication;   // RFC 9110, 11.2
            found[i] = p;
        }
    }
    if (list.malformed() || !found[realm].has_value || !found[nonce].has_value) return errc::bad_authentication;

    digest_challenge digest;
    digest.realm    = found[realm];
    digest.nonce    = found[nonce];
    digest.opaque   = found[opaque];
    digest.stale    = iequals(found[stale].value, "true");
    digest.userhash = iequals(found[userhash].value, "true");
    digest.utf8     = iequals(found[charset].value, "utf-8");

    constexpr std::string_view algorithms[] = {"MD5", "MD5-sess", "SHA-256", "SHA-256-sess"};
    digest.names_algorithm = found[algorithm].has_value;
    bool is_known          = !digest.names_algorithm;
    for (std::uint8_t i = 0; i < 4; ++i) {
        if (!iequals(found[algorithm].value, algorithms[i])) continue;
        digest.algorithm = static_cast<digest_algorithm>(i);
        is_known         = true;
    }
    digest.has_qop = found[qop].has_value && list_contains_token(found[qop].value, "auth");
    if (!is_known || (found[qop].has_value && !digest.has_qop)) return errc::unsupported_authentication;
    if (detail::is_session(digest.algorithm) && !digest.has_qop) return errc::unsupported_authentication;
    return digest;
}

NAVETTE_INLINE result<chosen_challenge> choose_challenge(const http_fields& fields, std::string_view name) noexcept {
    chosen_challenge best;
    int  strength = 0;   // 1: Basic, 2: Digest with MD5, 3: with SHA-256
    errc error    = errc::bad_authentication;
    fields.for_each(name, [&](std::string_view value) {
        challenge_reader reader(value);
        for (http_challenge challenge; reader.next(challenge);) {
            if (!iequals(challenge.scheme, "Digest")) {
                const bool is_basic = iequals(challenge.scheme, "Basic");
                if (!is_basic) error = errc::unsupported_authentication;
                if (is_basic && strength == 0) strength = 1;
                continue;
            }
            const auto digest = read_digest_challenge(challenge);
            if (!digest) {
                if (digest.error() == errc::unsupported_authentication) error = digest.error();
                continue;
            }
            const int offered = detail::is_sha256(digest->algorithm) ? 3 : 2;
            if (offered <= strength) continue;
            strength = offered;
            best     = {true, *digest};
        }
    });
    if (strength == 0) return error;
    return best;
}

NAVETTE_INLINE void write_basic(const credentials& login, http_writer& to) noexcept {
    if (!detail::is_sendable(login.user) || !detail::is_sendable(login.password) ||
        login.user.find(':') != std::string_view::npos)
        return to.fail(errc::invalid_credentials);
    to.text("Basic ");
    const std::string_view pieces[] = {login.user, ":", login.password};
    std::byte   group[3]{};
    char        encoded[4];
    std::size_t held = 0;
    for (const std::string_view piece : pieces)
        for (const char c : piece) {
            group[held++] = static_cast<std::byte>(c);
            if (held < 3) continue;
            to.text({encoded, base64_encode(group, encoded)});
            held = 0;
        }
    to.text({encoded, base64_encode(const_byte_span(group).first(held), encoded)});
}

NAVETTE_INLINE void write_bearer(std::string_view token, http_writer& to) noexcept {
    if (!detail::is_token68(token)) return to.fail(errc::invalid_credentials);
    to.text("Bearer ");
    to.text(token);
}

NAVETTE_INLINE void write_digest(const digest_challenge& challenge, const credentials& login,
                                 const digest_request& request, http_writer& to) noexcept {
    if (!detail::is_sendable(login.user) || !detail::is_sendable(login.password))
        return to.fail(errc::invalid_credentials);
    char count[8];
    for (unsigned i = 0; i < 8; ++i) count[i] = detail::hex_digits[request.count >> (28 - 4 * i) & 15];
    const std::string_view   nc(count, sizeof count);
    const detail::hex_digest response = detail::is_sha256(challenge.algorithm)
                                            ? detail::digest_response<sha256_hash>(challenge, login, request, nc)
                                            : detail::digest_response<md5_hash>(challenge, login, request, nc);
    constexpr std::string_view algorithms[] = {"MD5", "MD5-sess", "SHA-256", "SHA-256-sess"};

    detail::write_user(challenge, login.user, to);
    detail::write_again(", realm=", challenge.realm, to);
    detail::write_quoted(", uri=", request.target, to);
    if (challenge.names_algorithm) {
        to.text(", algorithm=");
        to.text(algorithms[static_cast<std::size_t>(challenge.algorithm)]);
    }
    detail::write_again(", nonce=", challenge.nonce, to);
    if (challenge.has_qop) {
        to.text(", nc=");
        to.text(nc);
        detail::write_quoted(", cnonce=", request.cnonce, to);
        to.text(", qop=auth");
    }
    detail::write_quoted(", response=", response.text(), to);
    if (challenge.opaque.has_value) detail::write_again(", opaque=", challenge.opaque, to);
    if (challenge.userhash) to.text(", userhash=true");
}

NAVETTE_INLINE errc append_basic(const credentials& login, buffer& out) noexcept {
    http_writer value(out);
    write_basic(login, value);
    return detail::finish_value(value, out);
}

NAVETTE_INLINE errc append_bearer(std::string_view token, buffer& out) noexcept {
    http_writer value(out);
    write_bearer(token, value);
    return detail::finish_value(value, out);
}

NAVETTE_INLINE result<credentials> read_basic(std::string_view value, buffer& storage) noexcept {
    storage.clear();
    challenge_reader reader(value);
    http_challenge   basic;
    if (!reader.next(basic) || !iequals(basic.scheme, "Basic")) return errc::bad_authentication;
    const std::size_t most  = basic.token.size() / 4 * 3;
    const byte_span   place = storage.grow(most);
    if (place.size() != most) return errc::out_of_memory;
    const std::size_t size = base64_decode(basic.token, place);
    http_challenge another;
    if (size == base64_invalid || reader.next(another) || reader.malformed()) return errc::bad_authentication;

    const std::string_view pair  = as_text(place.first(size));
    const std::size_t      colon = pair.find(':');
    if (colon == std::string_view::npos || !detail::is_sendable(pair)) return errc::bad_authentication;
    return credentials{pair.substr(0, colon), pair.substr(colon + 1)};
}

NAVETTE_INLINE result<std::string_view> read_bearer(std::string_view value) noexcept {
    challenge_reader reader(value);
    http_challenge   bearer, another;
    if (!reader.next(bearer) || !iequals(bearer.scheme, "Bearer") || bearer.token.empty())
        return errc::bad_authentication;
    if (reader.next(another) || reader.malformed()) return errc::bad_authentication;
    return bearer.token;
}

NAVETTE_INLINE bool is_same_secret(std::string_view sent, std::string_view secret) noexcept {
    unsigned difference = sent.size() != secret.size();
    for (std::size_t i = 0; i < sent.size(); ++i) {
        const char expected = i < secret.size() ? secret[i] : '\0';
        difference |= static_cast<unsigned char>(sent[i] ^ expected);
    }
    return difference == 0;
}

} // namespace navette
