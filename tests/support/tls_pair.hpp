// Two engines of TLS back to back, without streams or threads: what one appends is given to the other, so many bytes at a
// time, each in memory of its own that is overwritten after the call.
#pragma once

#include <navette/tls.hpp>

#include "support/catch.hpp"
#include "support/certificates.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace certificates {

/// Who is trusted unless a test says otherwise.
inline issuer& root() {
    static issuer made;
    return made;
}

inline const issued& localhost() {
    static const issued made = root().issue({.names = "DNS:localhost,IP:127.0.0.1,IP:::1"});
    return made;
}

inline navette::tls::context client_of(const issuer& trusted = root()) {
    auto made = navette::tls::context::client(navette::tls::pem::text(trusted.text()));
    REQUIRE(made);
    return *std::move(made);
}

inline navette::tls::context server_with(const issued& shown = localhost()) {
    auto made = navette::tls::context::server();
    REQUIRE(made);
    REQUIRE_FALSE(made->show(navette::tls::pem::text(shown.chain), navette::tls::pem::text(shown.key_text)));
    return *std::move(made);
}

inline std::string text_of(std::size_t size) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) text += static_cast<char>('a' + i * i % 26);
    return text;
}

} // namespace certificates

struct tls_side {
    navette::transport_engine engine{};
    navette::buffer           out{};       // owed to the other
    std::string               plain{};     // received
    std::error_code           error{};
    bool                      ended = false, open = false;

    // Gives `cipher` to the engine, and takes what it makes of it.
    void receive(navette::const_byte_span cipher, std::size_t room = 100) {
        std::vector<std::byte> copy(cipher.begin(), cipher.end()), place(room);
        navette::byte_span     in(copy);
        while (!error && !ended) {
            const auto step = engine.receive(in, place, out);
            plain += navette::as_text(navette::const_byte_span(place).first(step.produced));
            error = step.error;
            ended = step.ended;
            if (step.produced == 0 && in.empty()) break;
        }
        std::fill(copy.begin(), copy.end(), std::byte{0xdd});
    }
    // Sends as much of `text` as it can now; how much that was.
    std::size_t send(std::string_view text) {
        std::size_t sent = 0;
        while (!error) {
            navette::const_byte_span rest = navette::as_bytes(text.substr(sent));
            const auto               step = engine.send(rest, out);
            const std::size_t        took = text.size() - sent - rest.size();
            error = step.error;
            open  = step.open;
            sent += took;
            if (took == 0 || sent == text.size()) break;
        }
        return sent;
    }
    std::error_code shut_down() { return engine.shutdown(out).error; }
};

struct tls_pair {
    tls_side client{}, server{};

    tls_pair(const navette::tls::context& c, const navette::tls::context& s, std::string_view host = "localhost") {
        auto made = c.make(host);
        if (made) client.engine = *std::move(made);
        else client.error = made.error();
        auto other = s.make();
        if (other) server.engine = *std::move(other);
        else server.error = other.error();
    }

    // Carries what is owed, both ways, until nothing is, `piece` bytes at a time.
    void carry(std::size_t piece = static_cast<std::size_t>(-1)) {
        while (!client.out.empty() || !server.out.empty()) {
            carry(client, server, piece);
            carry(server, client, piece);
        }
    }
    // Shakes hands; true if both sides are open then.
    bool shake_hands(std::size_t piece = static_cast<std::size_t>(-1)) {
        client.send({});
        carry(piece);
        client.send({});
        server.send({});
        carry(piece);
        return client.open && server.open && !client.error && !server.error;
    }

private:
    static void carry(tls_side& from, tls_side& to, std::size_t piece) {
        while (!from.out.empty()) {
            const auto next = from.out.data().first(std::min(piece, from.out.size()));
            if (to.engine) to.receive(next);
            from.out.consume(next.size());
        }
    }
};
