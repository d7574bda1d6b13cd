// The bodies of socks5_connect, in proxy.hpp.
#pragma once

#include <navette/codec/ip_address.hpp>
#include <navette/handshake/proxy.hpp>
#include <navette/handshake/proxy_http.ipp>

namespace navette {

namespace detail {

namespace socks {
inline constexpr std::byte version{5}, login_version{1}, connect{1}, reserved{0};
inline constexpr std::byte no_login{0}, with_login{2}, none_acceptable{0xff};   // methods (RFC 1928, 3)
inline constexpr std::byte ipv4{1}, name{3}, ipv6{4};                           // kinds of address (5)
} // namespace socks

// A message in the making; its parts are checked for their sizes before.
class socks_message {
    std::array<std::byte, 3 + 2 * 255> bytes_{};
    std::size_t                        size_ = 0;

public:
    void add(std::byte b) noexcept { bytes_[size_++] = b; }
    void add(const_byte_span piece) noexcept {
        for (const std::byte b : piece) add(b);
    }
    // With its size in front.
    void add_sized(std::string_view piece) noexcept {
        add(static_cast<std::byte>(piece.size()));
        add(as_bytes(piece));
    }
    errc append_to(buffer& out) const noexcept {
        return out.append(const_byte_span(bytes_).first(size_)) ? errc{} : errc::out_of_memory;
    }
};

// What a reply says (RFC 1928, 6).
constexpr errc socks_error(std::byte reply) noexcept {
    switch (static_cast<unsigned>(reply)) {
    case 0: return {};
    case 1: return errc::socks_failure;
    case 2: return errc::socks_not_allowed;
    case 3: return errc::socks_network_unreachable;
    case 4: return errc::socks_host_unreachable;
    case 5: return errc::socks_connection_refused;
    case 6: return errc::socks_ttl_expired;
    case 7: return errc::socks_command_not_supported;
    case 8: return errc::socks_address_type_not_supported;
    default: return errc::bad_socks_reply;
    }
}

} // namespace detail

NAVETTE_INLINE errc socks5_connect::check() const noexcept {
    const auto fits = [](std::string_view text) { return !text.empty() && text.size() <= 255; };   // RFC 1929, 2
    if (!login_.empty() && !(fits(login_.user) && fits(login_.password))) return errc::invalid_credentials;
    return detail::check_tunnel_target(target_);
}

NAVETTE_INLINE errc socks5_connect::request(buffer& out) noexcept {
    if (phase_ != phase::request) return errc::misuse;
    if (const errc e = check(); e != errc{}) return e;
    detail::socks_message greeting;
    greeting.add(detail::socks::version);
    greeting.add(login_.empty() ? std::byte{1} : std::byte{2});
    greeting.add(detail::socks::no_login);
    if (!login_.empty()) greeting.add(detail::socks::with_login);
    const errc e = greeting.append_to(out);
    if (e == errc{}) phase_ = phase::method;
    return e;
}

NAVETTE_INLINE proxy_status socks5_connect::receive(byte_span& in, buffer& out) noexcept {
    if (phase_ == phase::request) fail(errc::misuse);
    while (status_ == proxy_status::need_more && !in.empty()) {
        if (held_ < reply_.size()) reply_[held_] = in.front();
        ++held_;
        in = in.subspan(1);
        if (const errc e = judge(out); e != errc{}) fail(e);
        else if (phase_ == phase::over && !in.empty()) fail(errc::early_tunnel_data);
    }
    if (status_ != proxy_status::need_more) in = {};
    return status_;
}

NAVETTE_INLINE proxy_status socks5_connect::receive_eof() noexcept {
    return status_ == proxy_status::need_more ? fail(errc::proxy_truncated) : status_;
}

NAVETTE_INLINE proxy_status socks5_connect::fail(errc why) noexcept {
    error_ = why;
    phase_ = phase::over;
    return status_ = proxy_status::refused;
}

// Looks at a reply whenever one more byte of it has come, so that an error is known at once.
NAVETTE_INLINE errc socks5_connect::judge(buffer& out) noexcept {
    namespace socks        = detail::socks;
    const std::byte latest = reply_[lesser<std::size_t>(held_, reply_.size()) - 1];
    if (held_ == 1) {
        const std::byte version = phase_ == phase::login ? socks::login_version : socks::version;
        return latest == version ? errc{} : errc::bad_socks_reply;
    }
    switch (phase_) {
    case phase::method:
        held_ = 0;
        if (latest == socks::no_login) return append_connect(out);
        if (latest == socks::none_acceptable) return errc::socks_method_refused;
        return latest == socks::with_login && !login_.empty() ? append_login(out) : errc::bad_socks_reply;
    case phase::login:
        held_ = 0;
        return latest == std::byte{0} ? append_connect(out) : errc::credentials_refused;
    case phase::reply: return judge_reply();
    default: return errc::misuse;
    }
}

// RFC 1928, 6: version, reply, reserved, kind of address, address, port. What the proxy's own address is nobody asks.
NAVETTE_INLINE errc socks5_connect::judge_reply() noexcept {
    if (held_ == 2) return detail::socks_error(reply_[1]);
    if (held_ == 3) return reply_[2] == detail::socks::reserved ? errc{} : errc::bad_socks_reply;
    std::size_t address = 0;
    if (reply_[3] == detail::socks::ipv4) address = 4;
    else if (reply_[3] == detail::socks::ipv6) address = 16;
    else if (reply_[3] != detail::socks::name) return errc::bad_socks_reply;
    else if (held_ == 4) return {};
    else address = 1 + static_cast<std::size_t>(reply_[4]);
    if (held_ == 4 + address + 2) {
        phase_  = phase::over;
        status_ = proxy_status::tunnel;
    }
    return {};
}

NAVETTE_INLINE errc socks5_connect::append_login(buffer& out) noexcept {
    detail::socks_message message;
    message.add(detail::socks::login_version);
    message.add_sized(login_.user);
    message.add_sized(login_.password);
    phase_ = phase::login;
    return message.append_to(out);
}

NAVETTE_INLINE errc socks5_connect::append_connect(buffer& out) noexcept {
    namespace socks = detail::socks;
    detail::socks_message message;
    for (const std::byte b : {socks::version, socks::connect, socks::reserved}) message.add(b);
    const ip_address address = target_.ipv6 ? parse_ipv6(target_.host) : parse_ipv4(target_.host);
    if (address) {
        message.add(target_.ipv6 ? socks::ipv6 : socks::ipv4);
        message.add(const_byte_span(address.bytes).first(address.size));
    } else {
        message.add(socks::name);
        message.add_sized(target_.host);
    }
    std::byte port[2];
    store_be16(port, target_.port);
    message.add(port);
    phase_ = phase::reply;
    return message.append_to(out);
}

} // namespace navette
