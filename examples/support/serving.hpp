// What the servers here have in common: they say where they listen, as the first line of standard output, and end
// gracefully by Ctrl-C and SIGTERM.
#pragma once

#include "support/command_line.hpp"
#include "support/sockets.hpp"

#include <navette/server.hpp>

#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>

namespace example {

namespace detail {
inline navette::server* stopped_by_signals = nullptr;
}

/// Listens, says so, and serves until the program is told to stop. Ends it with status 1 if it cannot.
inline void serve(std::string_view program, std::string_view scheme, std::string_view host,
                  std::uint16_t port, navette::server& server) {
    const auto url = [&](std::uint16_t at) {
        const bool ipv6 = host.find(':') != std::string_view::npos;
        return joined({ipv6 ? "[" : "", host, ipv6 ? "]:" : ":", std::to_string(at)});
    };
    if (const auto error = server.listen(host, port))
        end_with(1, program, joined({"cannot listen on ", url(port), ": ", error.message()}));
    std::printf("listening on %.*s://%s/\n", static_cast<int>(scheme.size()), scheme.data(),
                url(server.port()).c_str());
    std::fflush(stdout);

    raise_descriptor_limit();
    detail::stopped_by_signals = &server;
    struct sigaction action {};
    action.sa_handler = [](int) { detail::stopped_by_signals->stop(); };
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
    server.on_error = [program](std::error_code error, std::string_view what) {
        std::fprintf(stderr, "%.*s: %.*s: %s\n", static_cast<int>(program.size()), program.data(),
                     static_cast<int>(what.size()), what.data(), error.message().c_str());
    };
    if (const auto error = server.run()) end_with(1, program, error.message());
}

} // namespace example
