// Rooms to talk in: ws://host/room?nick=ada joins one, a text message is said to all in it, and a web page for it is
// served on the same port. Whoever reads too slowly misses lines, and is told how many.
#include "support/command_line.hpp"
#include "support/serving.hpp"

#include <page.hpp>

#include <algorithm>
#include <mutex>
#include <vector>

namespace {

using namespace navette;
using example::joined;

constexpr const char* help =
    "usage: chat [--host H] [--port P] [--threads N]\n"
    "Rooms to talk in, at http://H:P/room in a browser or ws://H:P/room?nick=NAME. Ctrl-C ends "
    "it.\n"
    "  --host H   the address to listen on (127.0.0.1)\n"
    "  --port P   the port; 0 takes a free one (9001)\n"
    "  --threads N  loops, each with a thread of its own; 0: one for each processor (1)\n"
    "  --help\n";

constexpr std::size_t longest_line = 4096, longest_nick = 24, longest_room = 256;

int hex_digit(char c) {
    const char lower = to_lower(c);
    if (c >= '0' && c <= '9') return c - '0';
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// The first value of `name` in a query, decoded; an escape that is none stays as it is.
std::string query_value(std::string_view query, std::string_view name) {
    std::string value;
    while (!query.empty()) {
        const std::size_t end       = std::min(query.find('&'), query.size());
        const std::string_view pair = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        if (!pair.starts_with(name) || pair.substr(name.size(), 1) != "=") continue;
        for (std::size_t i = name.size() + 1; i < pair.size(); ++i) {
            if (pair[i] == '%' && i + 2 < pair.size() && hex_digit(pair[i + 1]) >= 0 &&
                hex_digit(pair[i + 2]) >= 0) {
                value += static_cast<char>(hex_digit(pair[i + 1]) * 16 + hex_digit(pair[i + 2]));
                i += 2;
            } else {
                value += pair[i];
            }
        }
        break;
    }
    return value;
}

bool is_nick(std::string_view text) {
    if (text.empty() || text.size() > longest_nick || !is_valid_utf8(text)) return false;
    return std::ranges::none_of(text, [](char c) {
        return static_cast<unsigned char>(c) <= ' ' || c == 0x7f || c == ':' || c == '*' ||
               c == '/' || c == ',';
    });
}

class chat {
    struct guest {
        std::string room, nick;
    };

    // Behind the lock, the names of all guests too.
    server& server_;
    std::mutex guard_{};
    std::vector<guest*> present_{};
    std::size_t guests_ = 0;

public:
    explicit chat(server& on) : server_(on) {
        on.on_request = [this](server_request& request) { answer(request); };
        on.on_open    = [this](server_connection& ws) { enter(ws); };
        on.on_close   = [this](server_connection& ws, const server_close&) { leave(ws); };
        on.on_message = [this](server_connection& ws, const message& m) { hear(ws, m); };
        on.on_drain   = [](server_connection& ws) {
            if (const auto missed = ws.take_missed(); missed != 0)
                ws.send(joined({"* ", std::to_string(missed),
                                " lines were left out: you read too slowly"}));
        };
    }

private:
    static void answer(server_request& asked) {
        const request_view& request = asked.view();
        if (!asked.is_upgrade()) return respond(asked);
        if (request.path.size() > longest_room) {
            static_cast<void>(asked.reject(414, "The room's name is too long.\n"));
            return;
        }
        asked.emplace<guest>(guest{std::string(request.path), query_value(request.query, "nick")});
        static_cast<void>(asked.accept());
    }

    static void respond(server_request& asked) {
        const std::string_view path = asked.view().path;
        const bool is_style = path == "/style.css", is_script = path == "/chat.js";
        const http_field fields[] = {
            {"Content-Type", is_style    ? "text/css; charset=utf-8"
                             : is_script ? "text/javascript; charset=utf-8"
                                         : "text/html; charset=utf-8"},
            {"Content-Security-Policy",
             "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
             "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
        };
        constexpr http_field allow[] = {{"Allow", "GET, HEAD"}};
        const bool is_read = asked.view().method == "GET" || asked.view().method == "HEAD";
        static_cast<void>(is_read ? asked.respond(200,
                                                  is_style    ? page::style_css
                                                  : is_script ? page::chat_js
                                                              : page::chat_html,
                                                  fields)
                                  : asked.respond(405, "405\n", allow));
    }

    void enter(server_connection& ws) {
        const std::lock_guard held(guard_);
        guest& one = *ws.object<guest>();
        const std::string wanted =
            is_nick(one.nick) ? one.nick : joined({"guest", std::to_string(++guests_)});
        one.nick = wanted;
        for (int number = 2; is_taken(one.room, one.nick); ++number)
            one.nick = joined({wanted, "-", std::to_string(number)});
        present_.push_back(&one);
        ws.subscribe(one.room);
        say(one.room, joined({"* ", one.nick, " is here; in ", who(one.room)}));
    }

    void leave(server_connection& ws) {
        const std::lock_guard held(guard_);
        const guest& one = *ws.object<guest>();
        std::erase(present_, &one);
        say(one.room, joined({"* ", one.nick, " has left"}));
    }

    void hear(server_connection& ws, const message& m) {
        const std::lock_guard held(guard_);
        guest& one = *ws.object<guest>();
        if (m.type == opcode::binary)
            static_cast<void>(ws.close(close_code::unsupported_data, "this is for text"));
        else if (m.text().starts_with("/")) command(ws, one, m.text());
        else say(one.room, joined({one.nick, ": ", m.text()}));
    }

    bool is_taken(std::string_view room, std::string_view nick) const {
        return std::ranges::any_of(
            present_, [&](const guest* one) { return one->room == room && one->nick == nick; });
    }

    std::string who(std::string_view room) const {
        std::string list;
        for (const guest* one : present_)
            if (one->room == room) list += joined({list.empty() ? "" : ", ", one->nick});
        return joined({room, ": ", list});
    }

    // The lock is held, so that all hear the lines in the same order.
    void say(std::string_view room, std::string_view line) {
        static_cast<void>(server_.publish(room, line));
    }

    void command(server_connection& ws, guest& one, std::string_view text) {
        if (text == "/who") return tell(ws, joined({"* in ", who(one.room)}));
        if (!text.starts_with("/nick ")) return tell(ws, "* commands: /nick NAME, /who");
        const std::string_view wanted = trim_ows(text.substr(6));
        if (!is_nick(wanted))
            return tell(ws, "* that is no name: at most 24 bytes, no spaces, none of : * / ,");
        if (is_taken(one.room, wanted)) return tell(ws, "* that name is taken");
        const std::string before = std::exchange(one.nick, std::string(wanted));
        say(one.room, joined({"* ", before, " is now ", one.nick}));
    }

    static void tell(server_connection& ws, std::string_view line) { ws.send(line); }
};

} // namespace

int main(int argc, char** argv) {
    std::string_view host = "127.0.0.1";
    std::uint16_t port    = 9001;
    server_settings settings{.origins = origin_policy::same_origin()};
    settings.limits.max_message_size = longest_line;
    example::command_line line(argc, argv, "chat", help, {"host=", "port=", "threads="});
    while (line.next()) {
        if (line.is("host")) host = line.value();
        if (line.is("port")) port = line.number<std::uint16_t>();
        if (line.is("threads")) settings.threads = line.number<std::uint16_t>();
    }
    for (const std::string_view operand : line.operands())
        line.refuse(example::joined({"unexpected argument ", operand}));

    server rooms(settings);
    const chat app(rooms);
    example::serve("chat", "http", host, port, rooms);
}
