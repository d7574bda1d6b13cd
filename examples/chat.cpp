// Rooms to talk in: ws://host/room?nick=ada joins one, a text message is said to all in it, and a web page for it is
// served on the same port. Whoever reads too slowly misses lines, and is told how many.
#include "support/command_line.hpp"
#include "support/poll_server.hpp"

#include <page.hpp>

namespace {

using namespace navette;
using example::joined;

constexpr const char* help =
    "usage: chat [--host H] [--port P]\n"
    "Rooms to talk in, at http://H:P/room in a browser or ws://H:P/room?nick=NAME. Ctrl-C ends "
    "it.\n"
    "  --host H   the address to listen on (127.0.0.1)\n"
    "  --port P   the port; 0 takes a free one (9001)\n"
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
public:
    struct state {
        std::string room{}, nick{};
        std::size_t missed = 0; // lines that were left out because it reads too slowly
    };
    using peer = example::peer<state>;

private:
    std::vector<peer*> present_{};
    std::size_t guests_ = 0;

public:
    result<agreement> on_upgrade(server_handshake& handshake, peer& guest) {
        const request_view& request = handshake.request();
        if (request.path.size() > longest_room) {
            static_cast<void>(handshake.reject(414, {}, "The room's name is too long.\n"));
            return errc::request_answered;
        }
        guest.state.room = request.path;
        guest.state.nick = query_value(request.query, "nick");
        return handshake.accept();
    }

    void on_open(peer& guest) {
        const std::string wanted = is_nick(guest.state.nick)
                                       ? guest.state.nick
                                       : joined({"guest", std::to_string(++guests_)});
        guest.state.nick         = wanted;
        for (int number = 2; is_taken(guest.state.room, guest.state.nick); ++number)
            guest.state.nick = joined({wanted, "-", std::to_string(number)});
        present_.push_back(&guest);
        say(guest.state.room,
            joined({"* ", guest.state.nick, " is here; in ", who(guest.state.room)}));
    }

    void on_close(peer& guest) {
        if (std::erase(present_, &guest) != 0)
            say(guest.state.room, joined({"* ", guest.state.nick, " has left"}));
    }

    void on_message(peer& guest, opcode type, const_byte_span message) {
        const std::string_view text = as_text(message);
        if (type == opcode::binary)
            static_cast<void>(guest.close(close_code::unsupported_data, "this is for text"));
        else if (text.starts_with("/")) command(guest, text);
        else say(guest.state.room, joined({guest.state.nick, ": ", text}));
    }

    void on_plain_request(server_handshake& handshake, buffer& out) {
        const std::string_view path = handshake.request().path;
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
        if (handshake.request().method != "GET" && handshake.request().method != "HEAD")
            return example::respond(handshake, out, 405, allow, "405\n");
        example::respond(handshake, out, 200, fields,
                         is_style    ? page::style_css
                         : is_script ? page::chat_js
                                     : page::chat_html);
    }

private:
    bool is_taken(std::string_view room, std::string_view nick) const {
        return std::ranges::any_of(present_, [&](const peer* p) {
            return p->state.room == room && p->state.nick == nick;
        });
    }

    std::string who(std::string_view room) const {
        std::string list;
        for (const peer* p : present_)
            if (p->state.room == room) list += joined({list.empty() ? "" : ", ", p->state.nick});
        return joined({room, ": ", list});
    }

    static void tell(peer& guest, std::string_view line) {
        if (!guest.is_open()) return;
        if (guest.queued() > example::output_mark) {
            ++guest.state.missed;
            return;
        }
        if (const std::size_t missed = std::exchange(guest.state.missed, 0); missed != 0)
            static_cast<void>(guest.send(joined(
                {"* ", std::to_string(missed), " lines were left out: you read too slowly"})));
        static_cast<void>(guest.send(line));
    }

    void say(std::string_view room, std::string_view line) {
        for (peer* p : present_)
            if (p->state.room == room) tell(*p, line);
    }

    void command(peer& guest, std::string_view text) {
        if (text == "/who") return tell(guest, joined({"* in ", who(guest.state.room)}));
        if (!text.starts_with("/nick ")) return tell(guest, "* commands: /nick NAME, /who");
        const std::string_view wanted = trim_ows(text.substr(6));
        if (!is_nick(wanted))
            return tell(guest, "* that is no name: at most 24 bytes, no spaces, none of : * / ,");
        if (is_taken(guest.state.room, wanted)) return tell(guest, "* that name is taken");
        const std::string before = std::exchange(guest.state.nick, std::string(wanted));
        say(guest.state.room, joined({"* ", before, " is now ", guest.state.nick}));
    }
};

} // namespace

int main(int argc, char** argv) {
    std::string_view host = "127.0.0.1";
    std::uint16_t port    = 9001;
    example::command_line line(argc, argv, "chat", help, {"host=", "port="});
    while (line.next()) {
        if (line.is("host")) host = line.value();
        if (line.is("port")) port = line.number<std::uint16_t>();
    }
    for (const std::string_view operand : line.operands())
        line.refuse(example::joined({"unexpected argument ", operand}));

    chat app;
    example::serve("chat", "http", host, port, app, {.origins = origin_policy::same_origin()},
                   {.max_message_size = longest_line});
}
