// The header of the PROXY protocol, versions 1 and 2, by which a proxy says before anything else for whom it speaks. Reads
// addresses alone: what else version 2 tells is skipped, unchecked.
#pragma once

#include <navette/base/bytes.hpp>
#include <navette/handshake/forwarded.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace navette {

enum class proxy_protocol_status : std::uint8_t { need_more, complete, failed };

/// Reads one header, however it is split. 136 bytes; takes nothing behind it.
///
///     proxy_protocol_reader header;
///     if (header.receive(in) == proxy_protocol_status::complete) use(header.source());
class proxy_protocol_reader {
public:
    static constexpr std::size_t max_line = 107;     ///< of version 1, its end included
    static constexpr std::size_t max_size = 4'096;   ///< of version 2; a longer one fails

private:
    static constexpr std::size_t start_size = 16;    // of version 2, without what it announces
    static constexpr std::size_t most_read  = start_size + 36;

    // Invariant: held_[0, have_) are the header's first bytes, at most those that are read; skip_ more are only counted.
    std::array<std::byte, max_line> held_{};
    std::size_t                     have_ = 0;
    std::size_t                     skip_ = 0;
    proxied_address                 source_{};
    proxy_protocol_status           status_ = proxy_protocol_status::need_more;

public:
    /// Takes the header's bytes off the front of `in`. Fails at the first byte that cannot be of one.
    constexpr proxy_protocol_status receive(byte_span& in) noexcept {
        while (status_ == proxy_protocol_status::need_more && !in.empty()) {
            if (skip_ != 0) {
                const std::size_t n = lesser(skip_, in.size());
                in                  = in.subspan(n);
                if ((skip_ -= n) == 0) status_ = proxy_protocol_status::complete;
                continue;
            }
            held_[have_++] = in.front();
            in             = in.subspan(1);
            look();
        }
        return status_;
    }

    /// Precondition: complete. Whose connection the proxy passes on; of size 0: its own, or it does not say.
    constexpr const proxied_address& source() const noexcept { return source_; }

private:
    static constexpr std::array<unsigned char, 12> signature{0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                                             0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
    static constexpr std::string_view word = "PROXY ";

    constexpr unsigned at(std::size_t i) const noexcept { return static_cast<unsigned>(held_[i]); }
    constexpr void     fail() noexcept { status_ = proxy_protocol_status::failed; }

    constexpr void look() noexcept {
        const std::size_t last = have_ - 1;
        if (at(0) != signature[0]) {
            if (last < word.size() ? at(last) != static_cast<unsigned char>(word[last]) : false) return fail();
            if (last > 0 && at(last - 1) == '\r') return at(last) == '\n' ? read_line() : fail();
            if (have_ == max_line) fail();
            return;
        }
        if (last < signature.size() ? at(last) != signature[last] : false) return fail();
        if (have_ == start_size) {
            const std::size_t announced = at(14) << 8 | at(15);
            if (at(12) != 0x20 && at(12) != 0x21) return fail();   // version 2; LOCAL, PROXY
            if (announced > max_size - start_size) return fail();
            if (needed() > announced) return fail();
        }
        if (have_ >= start_size && have_ == start_size + needed()) read_addresses();
    }

    // Bytes of addresses that are read: those of the proxy's own connection mean nothing, nor do unix sockets'.
    constexpr std::size_t needed() const noexcept {
        if (at(12) != 0x21) return 0;
        return at(13) == 0x11 ? 12 : at(13) == 0x21 ? 36 : 0;
    }

    constexpr void read_addresses() noexcept {
        const std::size_t announced = at(14) << 8 | at(15);
        if (const std::size_t n = needed(); n != 0) {
            source_.ip.size = n == 12 ? 4 : 16;
            for (std::size_t i = 0; i < source_.ip.size; ++i) source_.ip.bytes[i] = held_[start_size + i];
            const std::size_t port = start_size + 2u * source_.ip.size;
            source_.port           = static_cast<std::uint16_t>(at(port) << 8 | at(port + 1));
        }
        skip_ = announced - needed();
        if (skip_ == 0) status_ = proxy_protocol_status::complete;
    }

    constexpr std::string_view text_at(std::size_t begin, std::size_t end, std::array<char, max_line>& copy) const noexcept {
        for (std::size_t i = begin; i < end; ++i) copy[i] = static_cast<char>(held_[i]);
        return {static_cast<const char*>(copy.data()) + begin, end - begin};
    }

    static constexpr std::string_view take_word(std::string_view& rest) noexcept {
        const std::size_t      space = rest.find(' ');
        const std::string_view taken = rest.substr(0, space);
        rest.remove_prefix(space == std::string_view::npos ? rest.size() : space + 1);
        return taken;
    }

    static constexpr int read_port(std::string_view text) noexcept {
        if (text.empty() || text.size() > 5 || (text.size() > 1 && text.front() == '0')) return -1;
        int n = 0;
        for (const char c : text) {
            if (c < '0' || c > '9') return -1;
            n = n * 10 + (c - '0');
        }
        return n > 65'535 ? -1 : n;
    }

    // "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443", or "PROXY UNKNOWN" and whatever.
    constexpr void read_line() noexcept {
        std::array<char, max_line> copy{};
        std::string_view           rest = text_at(word.size() < have_ - 2 ? word.size() : have_ - 2, have_ - 2, copy);
        const std::string_view     kind = take_word(rest);
        status_                         = proxy_protocol_status::complete;
        if (kind == "UNKNOWN") return;
        const bool ipv4 = kind == "TCP4";
        if (!ipv4 && kind != "TCP6") return fail();
        const auto       parse       = ipv4 ? parse_ipv4 : parse_ipv6;
        const ip_address source      = parse(take_word(rest));
        const ip_address destination = parse(take_word(rest));
        const int        port        = read_port(take_word(rest));
        const bool       is_last     = rest.find(' ') == std::string_view::npos;
        if (!source || !destination || port < 0 || !is_last || read_port(rest) < 0) return fail();
        source_ = {source, static_cast<std::uint16_t>(port)};
    }
};

} // namespace navette
