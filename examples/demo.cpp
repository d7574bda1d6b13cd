// A web page and the WebSocket server it talks to, on one port: echoes what visitors send, tells each who else is there,
// and counts. A client without the page's subprotocol, such as wscat, is simply echoed.
#include "support/certificate_files.hpp"
#include "support/command_line.hpp"
#include "support/poll_server.hpp"
#include "support/self_signed.hpp"

#include <navette/deflate.hpp>

#include <page.hpp>

namespace {

using namespace navette;
using example::joined;

constexpr const char* help =
    "usage: demo [OPTION]...\n"
    "Serves a page at http://127.0.0.1:P/ that talks to this server. Ctrl-C ends it.\n"
    "  --port P          the port; 0 takes a free one (9001)\n"
    "  --tls             https and wss, with a certificate for localhost that it makes itself\n"
    "  --cert F --key F  the same, with the chain and the key in these files (PEM)\n"
    "  --no-deflate      does not agree to compression\n"
    "  --help\n";

constexpr std::string_view page_subprotocol = "demo.navette";
constexpr std::size_t most_named            = 24; // visitors that a page is told of one by one

constexpr std::string_view names[] = {
    "Heddle",  "Selvage",  "Bobbin", "Twill",    "Damask",  "Treadle", "Warp",  "Weft",
    "Indigo",  "Madder",   "Weld",   "Linen",    "Satin",   "Sateen",  "Voile", "Tulle",
    "Batiste", "Chambray", "Denim",  "Jacquard", "Taffeta", "Muslin",  "Ikat",  "Tweed"};

// What a page sends begins with what it is; see page/demo.js.
constexpr std::string_view said = ">", pinged = "?", news = "!";

std::string_view client_name(const request_view& request) {
    constexpr std::string_view known[][2] = {
        {"Firefox/", "Firefox"}, {"Edg/", "Edge"},  {"OPR/", "Opera"},    {"Chrom", "Chromium"},
        {"Safari/", "Safari"},   {"curl/", "curl"}, {"Python/", "Python"}};
    const std::string_view agent = request.fields.find("User-Agent").value_or("");
    for (const auto& [mark, name] : known)
        if (agent.find(mark) != std::string_view::npos) return name;
    return agent.empty() ? "a terminal" : "a client";
}

struct counter {
    std::uint64_t messages = 0, bytes = 0;

    void count(std::size_t size) {
        ++messages;
        bytes += size;
    }
    std::string json() const {
        return joined({R"({"messages":)", std::to_string(messages), R"(,"bytes":)",
                       std::to_string(bytes), "}"});
    }
};

class demo {
public:
    struct state {
        std::uint64_t id = 0;
        bool is_page     = false;
        std::string_view client{};
        instant since{};
        std::uint64_t messages = 0;
    };
    using peer = example::peer<state>;

private:
    const instant started_ = tcp::now();
    std::uint64_t ever_    = 0;
    std::vector<peer*> present_{};
    counter text_{}, binary_{}, pings_{};

public:
    result<agreement> on_upgrade(server_handshake& handshake, peer& visitor) {
        result<agreement> agreed = handshake.accept();
        if (agreed) visitor.state.is_page = agreed->subprotocol == page_subprotocol;
        visitor.state.client = client_name(handshake.request());
        return agreed;
    }

    void on_open(peer& visitor) {
        visitor.state.id    = ++ever_;
        visitor.state.since = tcp::now();
        present_.push_back(&visitor);
        tell_everybody();
    }

    void on_close(peer& visitor) {
        std::erase(present_, &visitor);
        tell_everybody();
    }

    void on_message(peer& from, opcode type, const_byte_span message) {
        static_cast<void>(from.send(type, message));
        const bool is_ping =
            from.state.is_page && type == opcode::text && as_text(message).starts_with(pinged);
        if (is_ping) {
            pings_.count(message.size());
            tell(from);
            return;
        }
        const bool marked =
            from.state.is_page && type == opcode::text && as_text(message).starts_with(said);
        (type == opcode::text ? text_ : binary_).count(message.size() - (marked ? said.size() : 0));
        ++from.state.messages;
    }

    void on_plain_request(server_handshake& handshake, buffer& out) {
        const request_view& request = handshake.request();
        if (request.method != "GET" && request.method != "HEAD") {
            constexpr http_field allow[] = {{"Allow", "GET, HEAD"}};
            example::respond(handshake, out, 405, allow, "405\n");
        } else if (request.path == "/") {
            serve(handshake, out, "text/html; charset=utf-8", page::demo_html);
        } else if (request.path == "/style.css") {
            serve(handshake, out, "text/css; charset=utf-8", page::style_css);
        } else if (request.path == "/demo.js") {
            serve(handshake, out, "text/javascript; charset=utf-8", page::demo_js);
        } else if (request.path == "/counters") {
            serve(handshake, out, "application/json", joined({"{", counters(), "}\n"}));
        } else {
            example::respond(handshake, out, 404, {}, "404\n");
        }
    }

private:
    // Isolated from other origins, a page may read its clock to 5 microseconds and not to 100 only.
    static void serve(server_handshake& handshake, buffer& out, std::string_view type,
                      std::string_view body) {
        const http_field fields[] = {
            {"Content-Type", type},
            {"Content-Security-Policy",
             "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
             "img-src data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
            {"Cross-Origin-Opener-Policy", "same-origin"},
            {"Cross-Origin-Embedder-Policy", "require-corp"},
            {"X-Content-Type-Options", "nosniff"},
            {"Cache-Control", "no-store"},
        };
        example::respond(handshake, out, 200, fields, body);
    }

    static std::string seconds_since(instant then) {
        return std::to_string((tcp::now() - then).nanoseconds / 1'000'000'000);
    }

    std::string counters() const {
        return joined({R"("seconds":)", seconds_since(started_), R"(,"connections":{"now":)",
                       std::to_string(present_.size()), R"(,"ever":)", std::to_string(ever_),
                       R"(},"text":)", text_.json(), R"(,"binary":)", binary_.json(),
                       R"(,"pings":)", pings_.json()});
    }

    // Nothing in it comes from a visitor but numbers, so nothing needs escaping.
    std::string visitors() const {
        std::string list;
        for (const peer* visitor :
             std::span(present_).first(std::min(present_.size(), most_named))) {
            const state& v = visitor->state;
            list += joined({list.empty() ? "" : ",", R"({"id":)", std::to_string(v.id),
                            R"(,"name":")", names[v.id % std::size(names)], R"(","client":")",
                            v.client, R"(","seconds":)", seconds_since(v.since), R"(,"messages":)",
                            std::to_string(v.messages), "}"});
        }
        return joined({R"("visitors":[)", list, "]"});
    }

    void tell(peer& visitor) {
        if (!visitor.is_open() || visitor.queued() > example::output_mark) return;
        static_cast<void>(visitor.send(joined({news, R"({"you":)", std::to_string(visitor.state.id),
                                               ",", counters(), ",", visitors(), "}"})));
    }

    void tell_everybody() {
        for (peer* visitor : present_)
            if (visitor->state.is_page) tell(*visitor);
    }
};

tls::context for_localhost() {
    const example::self_signed shown = example::make_self_signed();
    auto made        = tls::context::server();
    const auto error = made ? made->show(tls::pem::text(shown.cert), tls::pem::text(shown.key))
                            : made.error();
    if (error) example::end_with(1, "demo", joined({"cannot make a certificate: ", error.message()}));
    return *std::move(made);
}

} // namespace

int main(int argc, char** argv) {
    std::uint16_t port = 9001;
    bool compresses    = true;
    bool makes_its_own = false;
    example::certificate_files certificate;
    example::command_line line(argc, argv, "demo", help,
                               {"port=", "no-deflate", "tls", "cert=", "key="});
    while (line.next()) {
        if (line.is("port")) port = line.number<std::uint16_t>();
        if (line.is("no-deflate")) compresses = false;
        if (line.is("tls")) makes_its_own = true;
        certificate.take(line);
    }
    certificate.check(line);
    if (makes_its_own && certificate) line.refuse("--tls makes a certificate, --cert brings one");
    for (const std::string_view operand : line.operands())
        line.refuse(example::joined({"unexpected argument ", operand}));

    constexpr std::string_view subprotocols[] = {page_subprotocol};
    static std::byte window[64 * 1024]; // one thread: all connections inflate to one place
    const permessage_deflate deflate({.window = window});
    std::optional<tls::context> secure;
    if (certificate) secure = certificate.server("demo");
    if (makes_its_own) secure = for_localhost();
    const std::string_view scheme = secure ? "https" : "http";
    server_options options{.origins      = origin_policy::same_origin(scheme),
                           .subprotocols = subprotocols};
    if (compresses) options.extensions = deflate.extensions();
    demo app;
    example::serve("demo", scheme, "127.0.0.1", port, app, options, default_limits,
                   secure ? secure->factory() : transport_factory{});
}
