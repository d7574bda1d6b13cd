// Two engines of TLS back to back, and the contexts and certificates that most tests of TLS begin with.
#pragma once

#include <navette/tls.hpp>

#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/engine_pair.hpp"

#include <string>

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

struct tls_pair : engine_pair {
    tls_pair(const navette::tls::context& c, const navette::tls::context& s, std::string_view host = "localhost") {
        auto made = c.make(host);
        if (made) client.engine = *std::move(made);
        else client.error = made.error();
        auto other = s.make();
        if (other) server.engine = *std::move(other);
        else server.error = other.error();
    }
};
