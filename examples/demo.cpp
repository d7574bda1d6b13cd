// A web page and the WebSocket server it talks to, on one port: echoes what visitors send, tells each who else is there,
// and counts. A client without the page's subprotocol, such as wscat, is simply echoed.
#include "support/certificate_files.hpp"
#include "support/command_line.hpp"
#include "support/self_signed.hpp"
#include "support/serving.hpp"

#include <navette/deflate.hpp>

#include <page.hpp>

#include <algorithm>
#include <mutex>
#include <optional>
#include <vector>

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
    "  --threads N       loops, each with a thread of its own; 0: one for each processor (1)\n"
    "  --help\n";

constexpr std::string_view page_subprotocol = "demo.navette";
constexpr std::size_t most_named            = 24; // visitors that a page is told of one by one
constexpr std::size_t output_mark = 256 * 1024;   // bytes that wait above which a page gets no news

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
    struct visitor {
        connection_handle page{}; // of nobody, if it is no page
        bool is_page  = false;
        std::uint64_t id = 0;
        std::string_view client{};
        instant since{};
        std::uint64_t messages = 0;
    };

    // Behind the lock, what visitors are, too.
    const instant started_ = tcp::now();
    mutable std::mutex guard_{};
    std::uint64_t ever_ = 0;
    std::vector<visitor*> present_{};
    counter text_{}, binary_{}, pings_{};

public:
    explicit demo(server& on) {
        on.on_request = [this](server_request& request) { answer(request); };
        on.on_open    = [this](server_connection& ws) { enter(ws); };
        on.on_close   = [this](server_connection& ws, const server_close&) { leave(ws); };
        on.on_message = [this](server_connection& ws, const message& m) { hear(ws, m); };
    }

private:
    void enter(server_connection& ws) {
        const std::lock_guard held(guard_);
        visitor& one = *ws.object<visitor>();
        one.is_page  = ws.subprotocol() == page_subprotocol;
        one.page     = ws.handle();
        one.id       = ++ever_;
        one.since    = tcp::now();
        present_.push_back(&one);
        tell_everybody();
    }

    void leave(server_connection& ws) {
        const std::lock_guard held(guard_);
        std::erase(present_, ws.object<visitor>());
        tell_everybody();
    }

    void hear(server_connection& ws, const message& m) {
        ws.send(m);
        const std::lock_guard held(guard_);
        visitor& one      = *ws.object<visitor>();
        const auto begins = [&](std::string_view mark) {
            return one.is_page && m.type == opcode::text && m.text().starts_with(mark);
        };
        if (begins(pinged)) {
            pings_.count(m.data.size());
            ws.send(news_for(one));
            return;
        }
        (m.type == opcode::text ? text_ : binary_).count(m.data.size() - (begins(said) ? said.size() : 0));
        ++one.messages;
    }

    void answer(server_request& asked) {
        const request_view& request = asked.view();
        if (asked.is_upgrade()) {
            asked.emplace<visitor>().client = client_name(request);
            static_cast<void>(asked.accept());
        } else if (request.method != "GET" && request.method != "HEAD") {
            constexpr http_field allow[] = {{"Allow", "GET, HEAD"}};
            static_cast<void>(asked.respond(405, "405\n", allow));
        } else if (request.path == "/") {
            serve(asked, "text/html; charset=utf-8", page::demo_html);
        } else if (request.path == "/style.css") {
            serve(asked, "text/css; charset=utf-8", page::style_css);
        } else if (request.path == "/demo.js") {
            serve(asked, "text/javascript; charset=utf-8", page::demo_js);
        } else if (request.path == "/counters") {
            const std::lock_guard held(guard_);
            serve(asked, "application/json", joined({"{", counters(), "}\n"}));
        } else {
            static_cast<void>(asked.respond(404, "404\n"));
        }
    }

    // Isolated from other origins, a page may read its clock to 5 microseconds and not to 100 only.
    static void serve(server_request& asked, std::string_view type, std::string_view body) {
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
        static_cast<void>(asked.respond(200, body, fields));
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
        for (const visitor* one : std::span(present_).first(std::min(present_.size(), most_named)))
            list += joined({list.empty() ? "" : ",", R"({"id":)", std::to_string(one->id),
                            R"(,"name":")", names[one->id % std::size(names)], R"(","client":")",
                            one->client, R"(","seconds":)", seconds_since(one->since),
                            R"(,"messages":)", std::to_string(one->messages), "}"});
        return joined({R"("visitors":[)", list, "]"});
    }

    std::string news_for(const visitor& one) const {
        return joined({news, R"({"you":)", std::to_string(one.id), ",", counters(), ",", visitors(),
                       "}"});
    }

    // Each page on the thread that it belongs to.
    void tell_everybody() const {
        for (const visitor* one : present_)
            if (one->is_page)
                one->page.post([text = news_for(*one)](server_connection& ws) {
                    if (ws.buffered() <= output_mark) ws.send(text);
                });
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
    server_settings settings{.origins      = origin_policy::any(), // until the scheme is known
                             .subprotocols = {std::string(page_subprotocol)}};
    example::certificate_files certificate;
    example::command_line line(argc, argv, "demo", help,
                               {"port=", "no-deflate", "threads=", "tls", "cert=", "key="});
    while (line.next()) {
        if (line.is("port")) port = line.number<std::uint16_t>();
        if (line.is("no-deflate")) compresses = false;
        if (line.is("threads")) settings.threads = line.number<std::uint16_t>();
        if (line.is("tls")) makes_its_own = true;
        certificate.take(line);
    }
    certificate.check(line);
    if (makes_its_own && certificate) line.refuse("--tls makes a certificate, --cert brings one");
    for (const std::string_view operand : line.operands())
        line.refuse(example::joined({"unexpected argument ", operand}));

    // One thread: all connections inflate to one place.
    static std::byte window[64 * 1024];
    const permessage_deflate deflate(settings.threads == 1 ? deflate_options{.window = window}
                                                           : deflate_options{});
    if (compresses) settings.extensions = deflate.extensions();
    std::optional<tls::context> secure;
    if (certificate) secure = certificate.server("demo");
    if (makes_its_own) secure = for_localhost();
    if (secure) settings.tls = secure->factory();
    const std::string_view scheme = secure ? "https" : "http";
    settings.origins              = origin_policy::same_origin(scheme);

    server served(settings);
    const demo app(served);
    example::serve("demo", scheme, "127.0.0.1", port, served);
}
