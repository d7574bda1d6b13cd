// What the generator is asked for on the command line.
#pragma once

#include "support/command_line.hpp"

#include <navette/handshake/uri.hpp>

#include <cmath>
#include <cstdlib>
#include <string>

namespace load {

enum class scheme : std::uint8_t { tcp, ws, wss };
enum class script : std::uint8_t { ascii, mixed };

struct options {
    std::string url{};     ///< as it was given; for tcp too, with the scheme ws put in its place in `request_url`
    std::string request_url{};
    scheme transport = scheme::ws;
    navette::uri target{}; ///< views request_url
    std::string address{}; ///< IPv4, numeric

    std::size_t connections = 1;
    std::size_t size        = 16;
    std::size_t in_flight   = 1;
    bool text               = false;
    script characters       = script::ascii;
    bool deflate            = false;
    double seconds          = 1;
    double warmup           = 0.2;
    double rate             = 0; ///< messages a second over all connections; 0: closed loop
    double patience         = 10;
    bool idle               = false;
    bool echo               = false; ///< with idle: each echoes one message
    bool fan_out            = false;
    int pid                 = 0;
    bool json               = false;
};

inline constexpr const char* help =
    "usage: load --url URL [OPTION]...\n"
    "Sends messages to an echo server on this machine and counts what comes back.\n"
    "  --url URL            ws://, wss:// or, for an echo of raw bytes, tcp://; the host is 127.x.x.x or localhost\n"
    "  --connections N      how many (1); more than 5,000 come from several addresses\n"
    "  --size BYTES         of a message (16)\n"
    "  --in-flight K        messages of a connection that wait for their echo (1)\n"
    "  --text | --binary    the messages' kind (binary)\n"
    "  --characters ascii | mixed\n"
    "                       of texts; mixed: of two and three bytes (ascii)\n"
    "  --deflate            messages are compressed\n"
    "  --seconds S          how long is measured (1)\n"
    "  --warmup S           how long before that nothing is (0.2)\n"
    "  --rate R             messages a second in all, sent when their time has come, however late the echoes are;\n"
    "                       a latency then begins when the message should have been sent\n"
    "  --idle               opens the connections, and tells the memory of process --pid; with --echo after each has\n"
    "                       echoed one message, too\n"
    "  --fan-out            one connection sends, and all others get each message: the time until the last one has it\n"
    "  --patience S         how long nothing may come before that is a failure (10)\n"
    "  --pid P              the server, whose time on a processor is told\n"
    "  --json               prints one JSON object\n"
    "  --help\n";

inline double number_of(const example::command_line& line, double least, double most) {
    const std::string text(line.value());
    char* end         = nullptr;
    const double read = std::strtod(text.c_str(), &end);
    if (text.empty() || *end != '\0' || !std::isfinite(read) || read < least || read > most)
        line.refuse_value("is not a number that fits");
    return read;
}

inline std::size_t count_of(const example::command_line& line, std::size_t least, std::size_t most) {
    const auto read = line.number<std::size_t>();
    if (read < least || read > most) line.refuse_value("is not a number that fits");
    return read;
}

/// Takes the URL apart; the URI's views live as long as `into`, which must not move.
inline void set_target(options& into, const example::command_line& line) {
    if (into.url.empty()) line.refuse("--url is missing; --help lists the options");
    into.request_url = into.url;
    if (into.url.starts_with("tcp://")) {
        into.transport = scheme::tcp;
        into.request_url.replace(0, 3, "ws");
    }
    const auto parsed = navette::parse_uri(into.request_url);
    if (!parsed)
        line.refuse(example::joined({"--url '", into.url, "': ", navette::describe(parsed.error())}));
    into.target = *parsed;
    if (into.target.secure) into.transport = scheme::wss;
    into.address = into.target.host == "localhost" ? "127.0.0.1" : std::string(into.target.host);
    if (!into.address.starts_with("127."))
        line.refuse(example::joined({"--url '", into.url, "' is not on this machine: the host is 127.x.x.x or localhost"}));
}

inline void parse(int argc, char** argv, options& into) {
    example::command_line line(
        argc, argv, "load", help,
        {"url=", "connections=", "size=", "in-flight=", "text", "binary", "characters=", "deflate", "seconds=",
         "warmup=", "rate=", "patience=", "idle", "echo", "fan-out", "pid=", "json"});
    bool characters = false;
    while (line.next()) {
        if (line.is("url")) into.url = line.value();
        if (line.is("connections")) into.connections = count_of(line, 1, 1'000'000);
        if (line.is("size")) into.size = count_of(line, 1, std::size_t{1} << 30);
        if (line.is("in-flight")) into.in_flight = count_of(line, 1, 1'000'000);
        if (line.is("text")) into.text = true;
        if (line.is("binary")) into.text = false;
        if (line.is("characters")) {
            if (line.value() != "ascii" && line.value() != "mixed") line.refuse_value("is neither ascii nor mixed");
            into.characters = line.value() == "mixed" ? script::mixed : script::ascii;
            characters      = true;
        }
        if (line.is("deflate")) into.deflate = true;
        if (line.is("seconds")) into.seconds = number_of(line, 0.001, 1e6);
        if (line.is("warmup")) into.warmup = number_of(line, 0, 1e6);
        if (line.is("rate")) into.rate = number_of(line, 0.001, 1e9);
        if (line.is("patience")) into.patience = number_of(line, 0.001, 1e6);
        if (line.is("idle")) into.idle = true;
        if (line.is("echo")) into.echo = true;
        if (line.is("fan-out")) into.fan_out = true;
        if (line.is("pid")) into.pid = line.number<int>();
        if (line.is("json")) into.json = true;
    }
    if (!line.operands().empty()) line.refuse(example::joined({"unexpected argument ", line.operands()[0]}));
    set_target(into, line);
    if (characters && !into.text) line.refuse("--characters is for --text");
    if (into.idle && into.pid == 0) line.refuse("--idle needs --pid, whose memory is told");
    if (into.echo && !into.idle) line.refuse("--echo is for --idle");
    if (into.idle && into.fan_out) line.refuse("--idle and --fan-out are two runs");
    if (into.fan_out && into.rate > 0) line.refuse("--fan-out has no --rate");
    if (into.transport == scheme::tcp && (into.deflate || into.text))
        line.refuse("raw bytes are neither --text nor compressed (--deflate)");
}

} // namespace load
