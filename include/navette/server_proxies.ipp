// For whom the proxies in front of a server speak: PROXY headers and forwarding fields, of peers that were named alone.
#pragma once

#include <navette/handshake/forwarded.hpp>
#include <navette/handshake/proxy_protocol.hpp>
#include <navette/server_topics.ipp>

#include <arpa/inet.h>

namespace navette::detail {

inline bool server_core::trusts(const ip_address& from, bool is_unix) const noexcept {
    if (is_unix) return trusts_unix;
    for (const ip_network& each : proxies)
        if (each.contains(from)) return true;
    return false;
}

// What the header says counts; then the bytes behind it. False: it is not complete, or the connection is at its end.
inline bool server_loop::take_proxy_header(server_connection& c, byte_span& in) {
    server_io& io = io_of(c);
    if (!io.proxy) io.proxy = std::make_unique<proxy_protocol_reader>();
    switch (io.proxy->receive(in)) {
    case proxy_protocol_status::need_more: return false;
    case proxy_protocol_status::failed:
        refused(refusal::proxy_header);
        doom(c, errc::bad_proxy_header);
        return false;
    case proxy_protocol_status::complete: break;
    }
    const proxied_address source = std::exchange(io.proxy, nullptr)->source();
    clear(c, begins);
    if (source.ip && !admit_client(c, unmapped(source.ip), source.port)) {
        doom(c, {});
        return false;
    }
    begin_opening(c);
    return !has(c, doomed);
}

// False: its address has too many connections, and it was told so.
inline bool server_loop::note_client(server_connection& c) {
    if (!has(c, trusted) || core_.settings.forwarded == forwarded_by::nothing) return true;
    const http_fields     fields = c.io_->opening->handshake.request().fields;
    const proxied_address client =
        find_client(fields, core_.settings.forwarded, [this](const ip_address& ip) { return core_.trusts(ip, false); });
    if (!client.ip || admit_client(c, unmapped(client.ip), client.port)) return true;
    static_cast<void>(answer(c, 429, {}, {}));
    return false;
}

inline bool server_loop::admit_client(server_connection& c, const ip_address& ip, std::uint16_t port) {
    if (c.address_ != nullptr) core_.forget_address(*std::exchange(c.address_, nullptr));
    if (!core_.trusts(ip, false) && !core_.count_address(ip, c.address_)) {
        refused(refusal::address);
        return false;
    }
    server_extra& extra = extra_of(c);
    extra.client        = {};
    extra.client.port   = port;
    extra.has_client    = true;
    ::inet_ntop(ip.size == 4 ? AF_INET : AF_INET6, ip.bytes.data(), extra.client.name.data(),
                static_cast<::socklen_t>(extra.client.name.size()));
    return true;
}

} // namespace navette::detail
