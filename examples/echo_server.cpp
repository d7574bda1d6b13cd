// Echoes text and binary messages.
#include "support/certificate_files.hpp"
#include "support/command_line.hpp"
#include "support/serving.hpp"

#include <navette/deflate.hpp>

#include <algorithm>
#include <vector>

namespace {

using namespace navette;

constexpr const char* help =
    "usage: echo_server [OPTION]...\n"
    "Echoes the messages of WebSocket clients. Ctrl-C ends it.\n"
    "  --host H             the address to listen on (127.0.0.1)\n"
    "  --port P             the port; 0 takes a free one (9001)\n"
    "  --max-message BYTES  the longest message that is taken (16777216)\n"
    "  --subprotocols A,B   those that it speaks (none)\n"
    "  --origin O           lets pages of this origin in, and no other; may be repeated (any)\n"
    "  --no-deflate         does not agree to compression\n"
    "  --threads N          loops, each with a thread of its own; 0: one for each processor (1)\n"
    "  --cert F --key F     TLS, with the chain and the key in these files (PEM)\n"
    "  --help\n";

// The elements of `list`; empty if one is no token or stands there twice.
std::vector<std::string_view> split_tokens(std::string_view list) {
    std::vector<std::string_view> tokens;
    for (std::size_t begin = 0; begin <= list.size();) {
        const std::size_t end        = std::min(list.find(',', begin), list.size());
        const std::string_view token = list.substr(begin, end - begin);
        if (!is_token(token) || std::ranges::find(tokens, token) != tokens.end()) return {};
        tokens.push_back(token);
        begin = end + 1;
    }
    return tokens;
}

// `null`, or a scheme, a host and perhaps a port, and nothing else (RFC 6454, 6.2).
bool is_origin(std::string_view text) {
    const result<uri_parts> parts = split_uri(text);
    return text == "null" ||
           (parts && parts->has_authority && parts->path.empty() && !parts->has_query &&
            !parts->has_fragment && parse_authority(parts->authority));
}

} // namespace

int main(int argc, char** argv) {
    std::string_view host = "127.0.0.1";
    std::uint16_t port    = 9001;
    std::vector<std::string_view> subprotocols, origins;
    server_settings settings{.origins = origin_policy::any()};
    bool compresses = true;
    example::certificate_files certificate;

    example::command_line line(argc, argv, "echo_server", help,
                               {"host=", "port=", "max-message=", "subprotocols=", "origin=",
                                "no-deflate", "threads=", "cert=", "key="});
    while (line.next()) {
        if (line.is("host")) host = line.value();
        if (line.is("port")) port = line.number<std::uint16_t>();
        if (line.is("max-message")) settings.limits.max_message_size =
                line.number<std::uint64_t>();
        if (line.is("subprotocols")) {
            subprotocols = split_tokens(line.value());
            if (subprotocols.empty()) line.refuse_value("is not a list of distinct tokens");
        }
        if (line.is("origin")) {
            if (!is_origin(line.value()))
                line.refuse_value("is not an origin: scheme://host or scheme://host:port");
            origins.push_back(line.value());
        }
        if (line.is("no-deflate")) compresses = false;
        if (line.is("threads")) settings.threads = line.number<std::uint16_t>();
        certificate.take(line);
    }
    certificate.check(line);
    for (const std::string_view operand : line.operands())
        line.refuse(example::joined({"unexpected argument ", operand}));

    // A thread deals with each message before it reads the next: its connections inflate to one place. Several threads
    // have no such place in common.
    static std::byte window[64 * 1024];
    const permessage_deflate deflate(settings.threads == 1 ? deflate_options{.window = window}
                                                           : deflate_options{});
    if (compresses) settings.extensions = deflate.extensions();
    if (!origins.empty()) settings.origins = origin_policy::list(origins);
    settings.subprotocols.assign(subprotocols.begin(), subprotocols.end());
    std::optional<tls::context> secure;
    if (certificate) secure = certificate.server("echo_server");
    if (secure) settings.tls = secure->factory();

    server echo(settings);
    echo.on_message = [](server_connection& from, const message& m) { from.send(m); };
    example::serve("echo_server", secure ? "wss" : "ws", host, port, echo);
}
