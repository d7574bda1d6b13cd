// What stands opposite a websocket: a server on loopback, each connection served by what the test says; and a log of
// the events, which other threads wait for. Every wait is bounded: a test that would hang fails.
#pragma once

#include <navette/tcp.hpp>
#include <navette/websocket.hpp>

#include "support/bytes.hpp"
#include "support/event_log.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

using server_connection = navette::connection<navette::role::server, navette::tcp::stream>;

/// Serves one connection after the other, in the order of `scripts`, each on a thread of its own.
class websocket_server {
public:
    using script = std::function<void(server_connection&)>;
    using raw    = std::function<void(navette::tcp::stream)>;

private:
    navette::tcp::stop_signal stop_{};   // ends the wait for connections that do not come
    navette::tcp::listener    listener_;
    std::vector<std::thread>  threads_{};
    std::thread               accepting_{};

public:
    std::atomic<int> accepted{0};

    explicit websocket_server(std::vector<raw> scripts) : listener_(*navette::tcp::listen("127.0.0.1", 0)) {
        accepting_ = std::thread([this, scripts = std::move(scripts)] {
            for (const raw& each : scripts) {
                auto stream = listener_.accept(patience, &stop_);
                if (!stream) return;
                stream->stop_on(nullptr);
                ++accepted;
                stream->read_expires_at(navette::tcp::now() + patience);
                threads_.emplace_back([each, s = std::move(*stream)]() mutable { each(std::move(s)); });
            }
        });
    }
    ~websocket_server() {
        stop_.raise();
        finish();
    }

    void finish() {
        if (accepting_.joinable()) accepting_.join();
        for (std::thread& each : threads_)
            if (each.joinable()) each.join();
    }

    /// A script behind the opening handshake.
    static raw upgraded(script talk, navette::server_options options = {.origins = navette::origin_policy::any()},
                        navette::timeouts times = {}) {
        return [=](navette::tcp::stream s) {
            auto ws = navette::accept(std::move(s), options, navette::default_limits, times);
            if (ws) talk(*ws);
        };
    }

    std::string url(std::string_view path = "/", std::string_view scheme = "ws") const {
        return std::string(scheme) + "://127.0.0.1:" + std::to_string(listener_.port()) + std::string(path);
    }
};

/// Sends back what comes, until the end.
inline void echo(server_connection& ws) {
    while (auto message = ws.read())
        if (ws.send(*message)) return;
}

inline websocket_server::raw echoing() { return websocket_server::upgraded(echo); }

/// Reads a request's head from a stream.
inline std::string head_of(navette::tcp::stream& from) {
    std::string text;
    std::byte   one;
    while (!text.ends_with("\r\n\r\n")) {
        const auto got = from.read_some(navette::byte_span(&one, 1));
        if (!got || *got == 0) break;
        text += static_cast<char>(one);
    }
    return text;
}

/// Answers a request with this head, and ends.
inline websocket_server::raw answering(std::string head) {
    return [=](navette::tcp::stream s) {
        head_of(s);
        static_cast<void>(navette::write_all(s, navette::as_bytes(head), {}, navette::seconds(5)));
        static_cast<void>(s.shutdown_write());
        std::byte rest[100];
        while (const auto got = s.read_some(rest))
            if (*got == 0) break;
    };
}

/// Says nothing, and reads until the peer goes.
inline void be_silent(navette::tcp::stream s) {
    std::byte rest[1'000];
    while (const auto got = s.read_some(rest))
        if (*got == 0) break;
}

inline std::string name_of(navette::ready_state state) {
    constexpr const char* names[] = {"connecting", "open", "closing", "closed"};
    return names[static_cast<std::size_t>(state)];
}

inline std::string to_text(const navette::close_event& e) {
    return "close " + std::to_string(static_cast<unsigned>(e.code)) + (e.reason.empty() ? "" : " " + std::string(e.reason)) +
           (e.wasClean ? " clean" : " unclean");
}

/// Notes all events of `ws`; what `also` does in addition stands in the other members.
struct recorded {
    event_log                                       log{};
    std::function<void()>                           opened{};
    std::function<void(const navette::message&)>    came{};
    std::function<void(const navette::error_event&)> failed{};
    std::function<void(const navette::close_event&)> closed{};
    navette::websocket                              ws;

    explicit recorded(std::string_view url, navette::websocket_options options = {}) : ws(url, std::move(options)) {
        ws.onopen = [this] {
            log.add("open " + name_of(ws.readyState()));
            if (opened) opened();
        };
        ws.onmessage = [this](const navette::message& m) {
            log.add((m.type == navette::opcode::text ? "text " : "binary ") +
                    (m.data.size() < 100 ? std::string(m.text()) : std::to_string(m.data.size())));
            if (came) came(m);
        };
        ws.onerror = [this](const navette::error_event& e) {
            log.add("error");
            if (failed) failed(e);
        };
        ws.onclose = [this](const navette::close_event& e) {
            log.add(to_text(e) + " " + name_of(ws.readyState()));
            if (closed) closed(e);
        };
    }
};
