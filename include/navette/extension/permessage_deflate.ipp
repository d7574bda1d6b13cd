// The bodies of permessage_deflate.hpp.
#pragma once

#include <navette/extension/permessage_deflate.hpp>

namespace navette {

namespace detail {

// The parameters of one element; 0 window bits: the parameter is absent (RFC 7692, 7.1).
struct deflate_parameters {
    bool         server_no_context_takeover = false;
    bool         client_no_context_takeover = false;
    bool         has_client_max_window_bits = false;  // maybe without a value, in an offer
    std::uint8_t server_max_window_bits     = 0;
    std::uint8_t client_max_window_bits     = 0;
};

inline constexpr std::uint8_t most_window_bits = 15;
inline constexpr std::string_view window_bits_text[] = {"8", "9", "10", "11", "12", "13", "14", "15"};

// 8 to 15, in decimal digits without a leading zero (7.1.2.1); 0: anything else.
constexpr std::uint8_t read_window_bits(const parameter& p) noexcept {
    for (std::uint8_t bits = 8; bits <= most_window_bits; ++bits)
        if (p.value_is(window_bits_text[bits - 8])) return bits;
    return 0;
}

constexpr std::uint8_t narrower(std::uint8_t a, std::uint8_t b) noexcept { return b != 0 && b < a ? b : a; }

// Each parameter at most once, none that is unknown, no value where none belongs (7.1). Only a client's offer may name
// client_max_window_bits without a value (7.1.2.2).
inline bool read_deflate_parameters(const extension_offer& element, role writer, deflate_parameters& read) noexcept {
    parameter_reader parameters = element.parameters();
    for (parameter p; parameters.next(p);) {
        if (p.name == "server_no_context_takeover") {
            if (p.has_value || read.server_no_context_takeover) return false;
            read.server_no_context_takeover = true;
        } else if (p.name == "client_no_context_takeover") {
            if (p.has_value || read.client_no_context_takeover) return false;
            read.client_no_context_takeover = true;
        } else if (p.name == "server_max_window_bits") {
            if (read.server_max_window_bits != 0) return false;
            read.server_max_window_bits = read_window_bits(p);
            if (read.server_max_window_bits == 0) return false;
        } else if (p.name == "client_max_window_bits") {
            if (read.has_client_max_window_bits) return false;
            read.has_client_max_window_bits = true;
            read.client_max_window_bits     = read_window_bits(p);
            if (read.client_max_window_bits == 0 && (p.has_value || writer == role::server)) return false;
        } else {
            return false;
        }
    }
    return true;
}

// Writes one element; a flag is written if it is set, a number if it is not 0.
class deflate_element_writer {
    buffer& out_;
    bool    fits_;

public:
    explicit deflate_element_writer(buffer& out) noexcept
        : out_(out), fits_(out.append(as_bytes(permessage_deflate_name))) {}

    void flag(std::string_view name, bool set) noexcept {
        if (set) fits_ = fits_ && out_.append(as_bytes("; ")) && out_.append(as_bytes(name));
    }
    void number(std::string_view name, std::uint8_t bits) noexcept {
        flag(name, bits != 0);
        if (bits != 0) fits_ = fits_ && out_.append(as_bytes("=")) && out_.append(as_bytes(window_bits_text[bits - 8]));
    }
    errc finish() const noexcept { return fits_ ? errc{} : errc::out_of_memory; }
};

// What is not the default is worth a parameter.
constexpr std::uint8_t unless_widest(std::uint8_t bits) noexcept { return bits == most_window_bits ? 0 : bits; }

inline errc accept_deflate_offer(const deflate_options& options, const extension_offer& offer,
                                 deflate_agreement& agreed, buffer& answer) noexcept {
    deflate_parameters offered;
    if (!read_deflate_parameters(offer, role::client, offered)) return errc::extension_refused;
    // Without its leave a client's window cannot be limited (7.1.2.2).
    const bool may_limit = offered.has_client_max_window_bits;
    if (!may_limit && options.receive_window_bits != most_window_bits && !options.fall_back)
        return errc::extension_refused;

    agreed.send_window_bits    = narrower(options.send_window_bits, offered.server_max_window_bits);
    agreed.receive_window_bits = may_limit ? narrower(options.receive_window_bits, offered.client_max_window_bits)
                                           : most_window_bits;
    agreed.send_no_context_takeover    = options.send_no_context_takeover || offered.server_no_context_takeover;
    agreed.receive_no_context_takeover = options.receive_no_context_takeover || offered.client_no_context_takeover;

    deflate_element_writer element(answer);
    element.flag("server_no_context_takeover", agreed.send_no_context_takeover);
    element.flag("client_no_context_takeover", agreed.receive_no_context_takeover);
    element.number("server_max_window_bits",
                   offered.server_max_window_bits != 0 ? agreed.send_window_bits
                                                       : unless_widest(agreed.send_window_bits));
    element.number("client_max_window_bits", unless_widest(agreed.receive_window_bits));
    return element.finish();
}

inline errc accept_deflate_answer(const deflate_options& options, const extension_offer& answer,
                                  deflate_agreement& agreed) noexcept {
    deflate_parameters answered;
    if (!read_deflate_parameters(answer, role::server, answered)) return errc::extension_refused;
    if (!options.fall_back) {
        if (options.receive_no_context_takeover && !answered.server_no_context_takeover)
            return errc::extension_refused;                                          // 7.1.1.1
        if (options.receive_window_bits != most_window_bits &&
            (answered.server_max_window_bits == 0 || answered.server_max_window_bits > options.receive_window_bits))
            return errc::extension_refused;                                          // 7.1.2.1
    }
    agreed.send_window_bits            = narrower(options.send_window_bits, answered.client_max_window_bits);
    agreed.receive_window_bits         = narrower(most_window_bits, answered.server_max_window_bits);
    agreed.send_no_context_takeover    = options.send_no_context_takeover || answered.client_no_context_takeover;
    agreed.receive_no_context_takeover = answered.server_no_context_takeover;
    return {};
}

// `demanding`: with what the server must grant.
inline errc append_deflate_offer(const deflate_options& options, bool demanding, buffer& out) noexcept {
    deflate_element_writer element(out);
    element.flag("server_no_context_takeover", demanding && options.receive_no_context_takeover);
    element.flag("client_no_context_takeover", options.send_no_context_takeover);
    element.number("server_max_window_bits", demanding ? unless_widest(options.receive_window_bits) : std::uint8_t{0});
    element.flag("client_max_window_bits", options.send_window_bits == most_window_bits);
    element.number("client_max_window_bits", unless_widest(options.send_window_bits));
    return element.finish();
}

constexpr bool is_window_bits(std::uint8_t bits) noexcept { return bits >= 8 && bits <= most_window_bits; }

} // namespace detail

NAVETTE_INLINE errc check_deflate_options(const deflate_options& o) noexcept {
    const bool bits   = detail::is_window_bits(o.send_window_bits) && detail::is_window_bits(o.receive_window_bits);
    const bool levels = o.level <= 9 && o.memory_level >= 1 && o.memory_level <= 9;
    const bool memory = (o.allocator.take == nullptr) == (o.allocator.give == nullptr) &&
                        (!o.window.empty() || o.window_size != 0);
    return bits && levels && memory ? errc{} : errc::misuse;
}

NAVETTE_INLINE errc append_deflate_offers(const deflate_options& options, buffer& out) noexcept {
    if (const errc e = check_deflate_options(options); e != errc{}) return e;
    if (const errc e = detail::append_deflate_offer(options, true, out); e != errc{}) return e;
    const bool demands =
        options.receive_no_context_takeover || options.receive_window_bits != detail::most_window_bits;
    if (!demands || !options.fall_back) return {};
    return out.append(as_bytes(", ")) ? detail::append_deflate_offer(options, false, out) : errc::out_of_memory;
}

NAVETTE_INLINE errc negotiate_deflate(const deflate_options& options, role r, const extension_offer& element,
                                      deflate_agreement& agreed, buffer& answer) noexcept {
    if (const errc e = check_deflate_options(options); e != errc{}) return e;
    return r == role::server ? detail::accept_deflate_offer(options, element, agreed, answer)
                             : detail::accept_deflate_answer(options, element, agreed);
}

} // namespace navette
