// The bodies of http_request.hpp.
#pragma once

#include <navette/handshake/http_body.hpp>
#include <navette/handshake/http_request.hpp>
#include <navette/handshake/uri.hpp>

namespace navette {

namespace detail {

// VCHAR without what browsers always encode. RFC 3986 allows less, but browsers send `|`, `^`, `{` as they are.
struct target_text {
    static constexpr bool has(char c) noexcept {
        return c > ' ' && c < '\x7f' && c != '"' && c != '<' && c != '>' && c != '#';
    }
#if defined(NAVETTE_TEXT_VECTORS)
    static auto most(text_vector v) noexcept {
        return (v > ' ') & (v < 0x7f) & (v != '"') & (v != '<') & (v != '>') & (v != '#');
    }
#endif
};

inline void split_target(std::string_view path_and_query, request_view& request) noexcept {
    const std::size_t mark = path_and_query.find('?');

    request.path  = path_and_query.substr(0, mark);
    request.query = {};
    if (mark != std::string_view::npos) request.query = path_and_query.substr(mark + 1);
}

// The four forms of a request target (RFC 9112, 3.2). Sets the host if the target names one.
inline errc interpret_target(request_view& request) noexcept {
    const std::string_view target = request.target;
    request.path = request.query = {};
    if (target.empty()) return errc::bad_target;
    if (skip<target_text>(target) != target.size()) return errc::bad_target;

    if (equals(request.method, "CONNECT") && request.protocol.empty()) {
        request.host = target;
        return parse_authority(target) ? errc{} : errc::bad_target;
    }
    if (equals(target, "*")) {
        request.path = target;
        return equals(request.method, "OPTIONS") ? errc{} : errc::bad_target;
    }
    if (target.front() == '/') {
        split_target(target, request);
        return {};
    }
    const auto parts = split_uri(target);
    if (!parts || default_port(parts->scheme) == 0 || !parts->has_authority ||
        !parse_authority(parts->authority))
        return errc::bad_target;
    request.host  = parts->authority;
    request.path  = parts->path.empty() ? "/" : parts->path;
    request.query = parts->query;
    return {};
}

} // namespace detail

NAVETTE_INLINE errc interpret(request_view& request, const known_fields& fields) noexcept {
    const bool http1 = request.version_major == 1;
    if (!http1 && request.version_major != 2 && request.version_major != 3)
        return errc::http_version_not_supported;
    if (http1) request.host = request.protocol = {};
    if (const errc e = detail::interpret_target(request); e != errc{}) return e;

    const std::size_t hosts = fields.count(known_field::host); // RFC 9112, 3.2
    if (hosts > 1 || (hosts == 0 && http1 && request.version_minor > 0)) return errc::bad_host;
    if (hosts == 1) {
        const std::string_view host = fields.value(known_field::host);
        if (!parse_authority(host)) return errc::bad_host;
        if (request.host.empty()) request.host = host;
    }
    if (!http1 && !parse_authority(request.host)) return errc::bad_host;

    request.origin = fields.value(known_field::origin);
    if (!http1) return {};
    const bool is_chunkless = request.version_minor == 0; // RFC 9112, 6.1
    if (is_chunkless && fields.has(known_field::transfer_encoding)) return errc::unexpected_body;
    return read_body_length(fields, true).error();
}

} // namespace navette
