// Echoes text and binary messages: one thread, and the core of the library in a poll loop (support/poll_server.hpp).
#include "support/certificate_files.hpp"
#include "support/command_line.hpp"
#include "support/poll_server.hpp"

#include <navette/deflate.hpp>

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
    "  --cert F --key F     TLS, with the chain and the key in these files (PEM)\n"
    "  --help\n";

struct echo {
    struct state {};
    using peer = example::peer<state>;

    result<agreement> on_upgrade(server_handshake& handshake, peer&) { return handshake.accept(); }
    void on_plain_request(server_handshake& handshake, buffer& out) {
        example::respond(handshake, out, 426, {}, "This is a WebSocket server.\n");
    }
    void on_open(peer&) {}
    void on_message(peer& from, opcode type, const_byte_span message) {
        static_cast<void>(from.send(type, message));
    }
    void on_close(peer&) {}
};

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
    limits bounds;
    std::vector<std::string_view> subprotocols, origins;
    bool compresses = true;
    example::certificate_files certificate;

    example::command_line line(argc, argv, "echo_server", help,
                               {"host=", "port=", "max-message=", "subprotocols=", "origin=",
                                "no-deflate", "cert=", "key="});
    while (line.next()) {
        if (line.is("host")) host = line.value();
        if (line.is("port")) port = line.number<std::uint16_t>();
        if (line.is("max-message")) bounds.max_message_size = line.number<std::uint64_t>();
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
        certificate.take(line);
    }
    certificate.check(line);
    for (const std::string_view operand : line.operands())
        line.refuse(example::joined({"unexpected argument ", operand}));

    // One thread deals with each message before it reads the next: all connections inflate to one place.
    static std::byte window[64 * 1024];
    const permessage_deflate deflate({.window = window});
    server_options options{
        .origins      = origins.empty() ? origin_policy::any() : origin_policy::list(origins),
        .subprotocols = subprotocols};
    if (compresses) options.extensions = deflate.extensions();
    echo app;
    std::optional<tls::context> secure;
    if (certificate) secure = certificate.server("echo_server");
    example::serve("echo_server", secure ? "wss" : "ws", host, port, app, options, bounds,
                   secure ? secure->factory() : transport_factory{});
}
