// URIs (RFC 3986, 3; RFC 6455, 3): what is accepted can be put together again, is made of allowed characters alone, and
// becomes a request that our own server reads as it was meant.
#pragma once

#include "bodies/fuzz.hpp"

#include <navette/handshake/client_handshake.hpp>
#include <navette/handshake/server_handshake.hpp>
#include <navette/handshake/uri.hpp>

namespace fuzz {

// A text that is put together.
class pasted {
    char        place_[max_input + 64];
    std::size_t size_ = 0;

public:
    void add(std::string_view text) {
        if (text.empty()) return;
        std::memcpy(place_ + size_, text.data(), text.size());
        size_ += text.size();
    }
    void add_number(unsigned n) {
        if (n > 9) add_number(n / 10);
        place_[size_++] = static_cast<char>('0' + n % 10);
    }
    void             clear() { size_ = 0; }
    std::string_view text() const { return {place_, size_}; }
};
inline pasted pasted_uri;

inline void check_parts(std::string_view text, const uri_parts& parts) {
    pasted_uri.clear();
    pasted_uri.add(parts.scheme);
    pasted_uri.add(":");
    if (parts.has_authority) pasted_uri.add("//"), pasted_uri.add(parts.authority);
    pasted_uri.add(parts.path);
    if (parts.has_query) pasted_uri.add("?"), pasted_uri.add(parts.query);
    if (parts.has_fragment) pasted_uri.add("#"), pasted_uri.add(parts.fragment);
    must(pasted_uri.text() == text, "the parts of a URI are all of it (RFC 3986, 5.3)");
}

inline bool is_uri_char(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && std::strchr("-._~:/?@!$&'()*+,;=%", c) != nullptr);
}

inline void check_accepted(const uri& target) {
    for (const std::string_view part : {target.path, target.query})
        for (const char c : part) must(is_uri_char(c), "a path has the characters of RFC 3986, 3.3 alone");
    must(!target.host.empty() && target.port != 0 && target.path.starts_with('/'),
         "nothing that a request needs is missing");
    must(check_uri(target) == errc{}, "what is parsed is checked");

    pasted_uri.clear();
    pasted_uri.add(target.secure ? "wss://" : "ws://");
    pasted_uri.add(target.ipv6 ? "[" : "");
    pasted_uri.add(target.host);
    pasted_uri.add(target.ipv6 ? "]:" : ":");
    pasted_uri.add_number(target.port);
    pasted_uri.add(target.path);
    if (!target.query.empty()) pasted_uri.add("?"), pasted_uri.add(target.query);
    const auto again = parse_uri(pasted_uri.text());
    must(bool(again) && again->secure == target.secure && again->host == target.host && again->ipv6 == target.ipv6 &&
             again->port == target.port && again->path == target.path && again->query == target.query,
         "a URI that is put together again means the same");
}

inline const place<2 * max_input> uri_place[2];

// A client's request to it, read by a server.
inline void check_request(const uri& target) {
    static const client_options wishes;
    static const server_options rules{.origins = origin_policy::any()};
    limits bounds;
    bounds.max_handshake_line = bounds.max_handshake_size = max_input + 1024;
    counted_keys keys;
    buffer       storage{byte_span(uri_place[0])}, out{byte_span(uri_place[1])};
    client_handshake client(target, wishes, storage, keys.source(), bounds);
    must(client.request(out) == errc{}, "what is parsed can be asked for");
    server_handshake server(rules, storage, bounds);
    byte_span        in = out.data();
    must(server.receive(in, out) == handshake_status::upgrade && in.empty(),
         "what a client asks for, a server understands");
    must(server.request().path == target.path && server.request().query == target.query, "the path arrives");
    const auto host = parse_authority(server.request().host);
    must(bool(host) && host->host == target.host && host->ipv6 == target.ipv6, "the host arrives");
    must(host->port_or(target.secure ? 443 : 80) == target.port, "the port arrives");
}

inline bool uri_text(input in) {
    const std::string_view text  = as_text(in_place(in.rest()));
    const auto             parts = split_uri(text);
    const auto             found = parse_uri(text);
    if (parts) check_parts(text, *parts);
    if (const auto whom = parse_authority(text)) must(!whom->host.empty(), "an authority has a host");
    must(bool(parts) || !found, "what cannot be taken apart is no URI");
    must(!text.empty() == is_same_origin(text, text), "an origin is the same as itself");
    if (!found) return false;
    check_accepted(*found);
    check_request(*found);
    must(default_port(parts->scheme) == (found->secure ? 443 : 80), "a scheme has its port");
    return true;
}

} // namespace fuzz
