// The bodies of transparent_proxy.hpp.
#pragma once

#include <navette/handshake/transparent_proxy.hpp>

namespace navette {

namespace detail {

// Fields that proxies and caches add to answers (RFC 9110, 7.6.3; RFC 9111, 5.1; RFC 9209; and custom).
inline bool is_proxy_mark(std::string_view name) noexcept {
    for (const std::string_view mark : {"Via", "Age", "X-Cache", "X-Cache-Lookup", "X-Squid-Error"})
        if (iequals(name, mark)) return true;
    return iequals(name.substr(0, 6), "Proxy-");
}

inline bool has_proxy_mark(const http_fields& fields) noexcept {
    for (const http_field& field : fields)
        if (is_proxy_mark(field.name)) return true;
    return false;
}

} // namespace detail

NAVETTE_INLINE interference find_interference(const uri& target, errc error, const response_view& answer) noexcept {
    if (target.secure || error == errc{}) return interference::none;
    if (error == errc::head_truncated) return interference::cut;

    const http_fields& fields  = answer.fields;
    const bool         is_mark = detail::has_proxy_mark(fields);
    if (error == errc::upgrade_mismatch && fields.count("Upgrade") == 0) return interference::upgrade_stripped;
    if (error == errc::connection_mismatch) return interference::upgrade_stripped;
    if (error == errc::accept_mismatch && is_mark) return interference::answered_by_proxy;   // another client's
    if (error != errc::unexpected_status) return interference::none;

    // 407 comes from a proxy alone, 511 from a network that wants its user to log in (RFC 6585, 6).
    if (is_mark || answer.status == 407 || answer.status == 511) return interference::answered_by_proxy;
    // A server that saw the request's version and names others understood it (RFC 6455, 4.4).
    const bool is_version = fields.count("Sec-WebSocket-Version") != 0 &&
                            !fields.contains_token("Sec-WebSocket-Version", "13");
    if (is_version) return interference::none;
    if (answer.status == 426) return interference::upgrade_stripped;
    return answer.status == 200 || answer.status == 400 ? interference::plain_answer : interference::none;
}

NAVETTE_INLINE interference find_interference(const uri& target, errc ended_by, duration silence) noexcept {
    const bool is_cut = !target.secure && ended_by == errc::truncated && silence >= seconds(20);
    return is_cut ? interference::cut_when_idle : interference::none;
}

NAVETTE_INLINE std::string_view describe(interference seen) noexcept {
    switch (seen) {
    case interference::none: break;
    case interference::upgrade_stripped:
        return "a proxy on the way took the request to upgrade out of the handshake: use wss on port 443, which it "
               "cannot read";
    case interference::answered_by_proxy:
        return "a proxy or a cache on the way had a part in the answer: use wss on port 443, which it cannot read";
    case interference::plain_answer:
        return "the answer is one to a plain request: either there is no WebSocket server, or a proxy on the way took "
               "the request to upgrade out; then wss on port 443 helps, which it cannot read";
    case interference::cut:
        return "the connection was cut before an answer came, as some proxies on the way do: try wss on port 443";
    case interference::cut_when_idle:
        return "the connection was cut in a silence, as proxies on the way do: use wss on port 443, or ping more often";
    }
    return {};
}

} // namespace navette
