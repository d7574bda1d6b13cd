// What every program that takes the library has to manage here: the opening handshake in both roles, an echo and the
// closing handshake, in one thread over memory. The client is a blocking connection over a stream of its own; what it
// writes goes to a server without I/O, whose answers it reads.
#pragma once

#include <navette/navette.hpp>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>

using extensions = std::span<const navette::extension_factory* const>;

class echo_server {
    navette::server_options                                options_;
    navette::buffer                                        head_, in_, out_;
    navette::buffer_pool                                   pool_;
    navette::server_handshake                              handshake_{options_, head_};
    std::optional<navette::session<navette::role::server>> ws_;

    void open(navette::byte_span& in) {
        if (handshake_.receive(in, out_) != navette::handshake_status::upgrade) return;
        const auto agreed = handshake_.accept();
        if (navette::append_http1(handshake_.response(), out_) == navette::errc{})
            ws_.emplace(navette::server_protocol(*agreed), pool_);
    }

public:
    explicit echo_server(extensions known) : options_{.origins = navette::origin_policy::any(), .extensions = known} {}

    void take(navette::const_byte_span bytes) {
        if (!in_.append(bytes)) return;
        navette::byte_span in = in_.data();
        if (!ws_) open(in);
        while (const navette::event e = ws_ ? ws_->receive(in, out_) : navette::event{})
            if (e.is_message())
                static_cast<void>(ws_->protocol().send(navette::opcode::text, e.text(), navette::fin::yes, out_));
        in_.consume(in_.size() - in.size());
    }

    std::size_t give(navette::byte_span place) {
        const std::size_t n = std::min(place.size(), out_.size());
        std::copy_n(out_.data().begin(), n, place.begin());
        out_.consume(n);
        return n;
    }
};

template <class Server>
struct memory_stream {
    Server*      server;
    std::size_t* written;

    navette::io_result<std::size_t> read_some(navette::byte_span in) { return server->give(in); }
    navette::io_result<std::size_t> write_some(navette::const_byte_span out) {
        server->take(out);
        *written += out.size();
        return out.size();
    }
    void shutdown_write() {}
    void close() {}
};

/// The client's side of it, over a stream that leads to the server and counts in `written`. 0, or 1 and a line that says
/// what went wrong.
template <class Stream>
int converse(Stream stream, std::string_view uri, std::size_t& written, std::string_view said, extensions offered = {}) {
    auto ws = navette::connect(std::move(stream), *navette::parse_uri(uri), {.extensions = offered});
    if (!ws) return std::puts(ws.error().message().c_str()), 1;

    written              = 0;
    std::error_code lost = ws->send(said);
    const auto      back = ws->read();
    const auto      sent = written;
    if (lost || !back || back->text() != said) return std::puts("it did not come back"), 1;
    if ((lost = ws->close())) return std::puts(lost.message().c_str()), 1;
    if (ws->closed_by().code != navette::close_code::normal) return std::puts("no closing handshake"), 1;
    written = sent;
    return 0;
}

/// All of it, without TLS. Prints what came of it; returns the status of the program.
inline int converse(extensions offered = {}) {
    const std::string said(1000, 'n');
    std::size_t       written = 0;
    echo_server       server(offered);
    if (converse(memory_stream<echo_server>{&server, &written}, "ws://consumer.test/chat", written, said, offered) != 0)
        return 1;
    return std::printf("navette %s: %s\n", NAVETTE_VERSION, written < said.size() ? "compressed" : "plain"), 0;
}
