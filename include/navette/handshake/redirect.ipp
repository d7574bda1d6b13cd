// The bodies of redirect.hpp.
#pragma once

#include <navette/handshake/http_writer.hpp>
#include <navette/handshake/redirect.hpp>

namespace navette {

namespace detail {

// Appends `path` without its `.` and `..` segments (RFC 3986, 5.2.4). It begins with a slash.
inline bool append_without_dots(std::string_view path, buffer& to) noexcept {
    const std::size_t begin = to.size();
    while (!path.empty()) {
        const std::size_t      end     = lesser(path.find('/', 1), path.size());
        const std::string_view segment = path.substr(0, end);
        path.remove_prefix(end);
        if (segment == "/." || segment == "/..") {
            const std::string_view made = as_text(to.data()).substr(begin);
            if (segment.size() == 3 && !made.empty()) to.shrink(made.size() - made.rfind('/'));
            if (path.empty() && !to.append(as_bytes("/"))) return false;
        } else if (!to.append(as_bytes(segment))) {
            return false;
        }
    }
    return true;
}

// The scheme of ours that stands for one of HTTP's; empty for any other.
inline std::string_view websocket_scheme(std::string_view scheme) noexcept {
    if (iequals(scheme, "wss") || iequals(scheme, "https")) return "wss";
    if (iequals(scheme, "ws") || iequals(scheme, "http")) return "ws";
    return {};
}

} // namespace detail

NAVETTE_INLINE bool is_same_origin(const uri& a, const uri& b) noexcept {
    return a.secure == b.secure && a.port == b.port && a.ipv6 == b.ipv6 && iequals(a.host, b.host);
}

NAVETTE_INLINE result<uri> read_redirect(const uri& from, const response_view& answer, buffer& storage) noexcept {
    storage.clear();
    if (!is_redirect(answer.status) || answer.fields.count("Location") != 1) return errc::bad_redirect;
    const std::string_view location = *answer.fields.find("Location");
    const std::string_view own      = from.secure ? "wss" : "ws";

    // One without a scheme is taken apart as if it had ours (RFC 3986, 4.2).
    buffer text;
    const std::size_t colon = location.find(':');
    const bool is_relative  = colon == std::string_view::npos || location.find_first_of("/?#") < colon;
    if (is_relative && !(text.append(as_bytes(own)) && text.append(as_bytes(":")))) return errc::out_of_memory;
    if (!text.append(as_bytes(location))) return errc::out_of_memory;
    const auto parts = split_uri(as_text(text.data()));
    if (!parts) return errc::bad_redirect;
    const std::string_view scheme = detail::websocket_scheme(parts->scheme);
    if (scheme.empty() || (!is_relative && !parts->has_authority)) return errc::bad_redirect;
    if (from.secure && scheme == "ws") return errc::insecure_redirect;

    // RFC 3986, 5.2.2
    http_writer to(storage);
    to.text(scheme);
    to.text("://");
    if (parts->has_authority) {
        to.text(parts->authority);
    } else {
        to.text(from.ipv6 ? "[" : "");
        to.text(from.host);
        to.text(from.ipv6 ? "]:" : ":");
        to.number(from.port);
    }
    if (to.failed()) return errc::bad_redirect;
    bool is_done = true;
    if (parts->has_authority || parts->path.starts_with('/')) {
        is_done = detail::append_without_dots(parts->path, storage);
    } else if (parts->path.empty()) {
        is_done = storage.append(as_bytes(from.path));
    } else {
        buffer beside;
        is_done = beside.append(as_bytes(from.path.substr(0, from.path.rfind('/') + 1))) &&
                  beside.append(as_bytes(parts->path)) && detail::append_without_dots(as_text(beside.data()), storage);
    }
    const bool keeps_query       = !parts->has_authority && parts->path.empty() && !parts->has_query;
    const std::string_view query = keeps_query ? from.query : parts->query;
    if (parts->has_query || !query.empty())
        is_done = is_done && storage.append(as_bytes("?")) && storage.append(as_bytes(query));
    if (!is_done) return errc::out_of_memory;

    const auto made = parse_uri(as_text(storage.data()));
    if (!made) return errc::bad_redirect;
    return made;
}

} // namespace navette
