// What stands opposite a server: a visitor over a plain socket, who says and expects bytes; and the settings of tests.
// Every read is bounded: what does not come is missing.
#pragma once

#include <navette/server.hpp>

#include "support/endpoint.hpp"
#include "support/event_log.hpp"

#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <vector>

/// A request to open a connection, with `fields` added, each with its CR LF.
inline std::string opening(std::string_view fields = {}, std::string_view target = "/") {
    return "GET " + std::string(target) + " HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" + std::string(fields) + "\r\n";
}

class visitor {
    navette::tcp::stream stream_;
    std::string          seen_{};   // read and not taken

    bool fill() {
        std::byte  place[16'384];
        const auto got = stream_.read_some(place);
        if (!got || *got == 0) return false;
        seen_ += navette::as_text(navette::const_byte_span(place).first(*got));
        return true;
    }

public:
    explicit visitor(navette::tcp::stream stream) : stream_(std::move(stream)) {
        stream_.read_expires_at(navette::tcp::now() + patience);
        stream_.write_expires_at(navette::tcp::now() + patience);
    }
    explicit visitor(int port) : visitor(*navette::tcp::connect("127.0.0.1", port)) {}

    /// With the opening handshake done.
    static visitor opened(int port, std::string_view fields = {}, std::string_view target = "/") {
        visitor made(port);
        made.say(opening(fields, target));
        if (!made.head().starts_with("HTTP/1.1 101 ")) throw std::runtime_error("not upgraded");
        return made;
    }

    navette::tcp::stream& stream() { return stream_; }

    /// False: the socket does not take it.
    bool say(navette::const_byte_span raw) {
        while (!raw.empty()) {
            const auto sent = stream_.write_some(raw);
            if (!sent) return false;
            raw = raw.subspan(*sent);
        }
        return true;
    }
    bool say(std::string_view raw) { return say(navette::as_bytes(raw)); }

    /// Unmasked frames as hex, which go masked.
    bool frames(std::string_view hex) { return say(masked(bytes(hex))); }
    bool text(std::string_view payload) { return say(masked(frame(0x81, payload))); }
    bool binary(navette::const_byte_span payload) { return say(masked(frame(0x82, payload))); }

    /// What comes up to and with `end`; all that came if it does not.
    std::string until(std::string_view end) {
        std::size_t at = 0;
        while ((at = seen_.find(end)) == std::string::npos)
            if (!fill()) return std::exchange(seen_, {});
        std::string taken = seen_.substr(0, at + end.size());
        seen_.erase(0, taken.size());
        return taken;
    }
    std::string head() { return until("\r\n\r\n"); }

    /// The rest, until the end of the stream.
    std::string rest() {
        while (fill()) {}
        return std::exchange(seen_, {});
    }
    bool at_end() { return rest().empty(); }

    std::string take(std::size_t size) {
        while (seen_.size() < size)
            if (!fill()) return {};
        std::string taken = seen_.substr(0, size);
        seen_.erase(0, size);
        return taken;
    }

    /// The next frame: `81 Hello`, its first byte in hex and the payload as it is; "" if none comes.
    std::string next() {
        const std::string start = take(2);
        if (start.empty()) return {};
        std::size_t length = static_cast<unsigned char>(start[1]);
        if (length >= 126) {
            const std::string more = take(length == 126 ? 2 : 8);
            length = 0;
            for (const char c : more) length = length * 256 + static_cast<unsigned char>(c);
        }
        constexpr char digits[] = "0123456789abcdef";
        const auto     first    = static_cast<unsigned char>(start[0]);
        return std::string{digits[first >> 4], digits[first & 15]} + (length == 0 ? "" : " ") + take(length);
    }

    /// The next frame's close code, if it is a Close.
    int closed() {
        const std::string got = next();
        if (!got.starts_with("88 ") || got.size() < 5) return -1;
        return static_cast<unsigned char>(got[3]) * 256 + static_cast<unsigned char>(got[4]);
    }

    /// The peer's kernel answers with a reset instead of an end.
    void reset() {
        const ::linger now{1, 0};
        ::setsockopt(stream_.native_handle(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
        stream_.close();
    }
};

/// On epoll where there is one, or on poll.
inline navette::server_settings anybody(bool by_poll = false) {
    navette::server_settings made{.origins = navette::origin_policy::any()};
    made.waits_by_poll       = by_poll;
    made.timeouts.ping_every = {};   // nobody expects a ping, however long a busy machine takes
    return made;
}

/// Notes what a server calls back, as text.
inline void note_all(navette::server& s, event_log& log) {
    s.on_open    = [&log](navette::server_connection&) { log.add("open"); };
    s.on_message = [&log](navette::server_connection&, const navette::message& m) {
        log.add((m.type == navette::opcode::text ? "text " : "binary ") +
                (m.data.size() < 100 ? std::string(m.text()) : std::to_string(m.data.size())));
    };
    s.on_close = [&log](navette::server_connection&, const navette::server_close& how) {
        log.add("close " + std::to_string(static_cast<unsigned>(how.code)) +
                (how.reason.empty() ? "" : " " + std::string(how.reason)) + (how.clean ? " clean" : " unclean"));
    };
}

/// Starts it on a free port of loopback; returns the port. Throws if it cannot.
inline int started(navette::server& s) {
    if (const auto error = s.listen("127.0.0.1", 0)) throw std::runtime_error(error.message());
    if (const auto error = s.start()) throw std::runtime_error(error.message());
    return s.port();
}

/// Asks until it is so; false: it does not become so.
template <class Ask>
bool soon(Ask ask) {
    const navette::instant until = navette::tcp::now() + patience;
    while (!ask()) {
        if (navette::tcp::now() >= until) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
}
