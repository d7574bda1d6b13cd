// A WebSocket client for the terminal: lines of standard input leave as text messages, text messages that come are
// printed as lines. The core in one poll over standard input and the socket, so that neither waits for the other; TLS and
// proxies are engines on the socket.
#include "support/command_line.hpp"
#include "support/layered_socket.hpp"

#include <navette/deflate.hpp>
#include <navette/navette.hpp>
#include <navette/proxies.hpp>
#include <navette/tcp.hpp>
#include <navette/tls.hpp>

#include <poll.h>
#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

namespace {

using namespace navette;
using example::joined;

constexpr const char* help =
    "usage: wscat [OPTION]... URL\n"
    "Sends each line of standard input as a text message to a ws:// or wss:// URL, and prints\n"
    "each text message as a line; binary ones are not shown. Status 0: a clean close.\n"
    "  --subprotocol S      offers a subprotocol; may be repeated, the one preferred most first\n"
    "  --header 'K: V'      adds a field to the request; may be repeated\n"
    "  --basic USER:PASS    authenticates with a password\n"
    "  --origin O           claims an origin\n"
    "  --ca F               trusts the authorities in this PEM file, in place of the system's\n"
    "  --cert F, --key F    shows this certificate chain, and proves to have its key (PEM)\n"
    "  --insecure           takes any certificate from anybody\n"
    "  --proxy URL          goes through this proxy: http, https or socks5, with user:password@ if\n"
    "                       need be; a chain with commas; '' for none. By default what the\n"
    "                       environment says (https_proxy, http_proxy, all_proxy, ws_proxy,\n"
    "                       wss_proxy, no_proxy)\n"
    "  --reconnect          connects again when the connection fails or is lost, after growing pauses\n"
    "  --max-message BYTES  the longest message that is taken (16777216)\n"
    "  --timeout S          seconds for each step until the connection is open, and to close it (10)\n"
    "  --no-deflate         does not offer compression\n"
    "  -v, --verbose        says on standard error each step, what was agreed, and what compression saved\n"
    "  --help\n";

// Bytes of waiting output above which standard input is not read.
constexpr std::size_t output_mark = 256 * 1024;

bool is_verbose = false;

void tell(std::initializer_list<std::string_view> pieces) {
    if (is_verbose) std::fprintf(stderr, "wscat: %s\n", joined(pieces).c_str());
}

[[noreturn]] void fail(std::string why) { example::end_with(1, "wscat", std::move(why)); }

// Standard input, which outlives connections.
struct input_lines {
    std::string rest{};   // of what was read, behind the last whole line
    bool        ended = false;
};

// What became of a connection.
struct outcome {
    std::string complaint{};              // empty: it was closed cleanly
    bool        was_open     = false;
    bool        may_retry    = true;      // the cause may pass
    bool        wants_socket = false;     // a proxy wants another connection
};

// One connection, from its socket to its end.
class client {
    example::read_place place_;
    example::layered_socket socket_;
    const uri& target_;
    const limits& limits_;
    const permessage_deflate& deflate_;
    client_handshake& handshake_;
    input_lines& lines_;
    duration patience_;
    buffer out_{};
    buffer_pool pool_{};
    std::optional<session<role::client>> session_{};
    outcome outcome_{};
    instant deadline_;
    instant heard_{}; // bytes of the server came last
    std::error_code write_failure_{};
    bool asked_     = false; // the request is in out_
    bool over_      = false; // nothing can be done any more
    bool closing_   = false;
    bool shut_down_ = false;
    ::pollfd watched_[2]{};
    std::array<std::byte, 65536> input_;

public:
    client(tcp::stream socket, transport_engine engine, const uri& target, client_handshake& handshake, input_lines& lines,
           duration patience, const limits& bounds, const permessage_deflate& deflate)
        : socket_(std::move(socket), std::move(engine), place_),
          target_(target),
          limits_(bounds),
          deflate_(deflate),
          handshake_(handshake),
          lines_(lines),
          patience_(patience),
          deadline_(deadline(tcp::now(), patience)) {}

    outcome run() {
        write();
        while (!over_ && !is_over()) {
            wait();
            if (watched_[0].revents != 0) read_socket();
            if (watched_[1].revents != 0 && !over_) read_input();
            if (!over_) write();
        }
        if (outcome_.was_open) tell_savings();
        return outcome_;
    }

private:
    void tell_layers() const {
        if (!is_verbose || !target_.secure) return;
        const tls::facts facts = tls::facts_of(socket_.engine());
        if (*facts.version == 0) return tell({"TLS is established, within that of a proxy"});
        tell({"TLS is established: ", facts.version, ", ", facts.suite, facts.resumed ? ", a session was resumed" : "",
              facts.peer_certified ? "" : "; who the server is was not verified"});
    }

    void tell_agreement() const {
        const std::string_view subprotocol = handshake_.agreed().subprotocol;
        tell({"the connection is open, ", subprotocol.empty() ? "without a subprotocol" : "with the subprotocol ", subprotocol});
        const deflate_agreement agreed = agreed_deflate(handshake_.agreed());
        if (!agreed) return tell({"no compression was agreed"});
        const auto direction = [](unsigned bits, bool alone) {
            return joined({std::to_string(bits), " window bits",
                           alone ? ", no context takeover" : ", context takeover"});
        };
        tell({"permessage-deflate was agreed: sends with ",
              direction(agreed.send_window_bits, agreed.send_no_context_takeover), "; receives with ",
              direction(agreed.receive_window_bits, agreed.receive_no_context_takeover)});
    }

    // A short message may have grown.
    void tell_savings() const {
        const deflate_counters c = deflate_.counters();
        const auto saved = [](std::size_t plain, std::size_t compressed) {
            return std::to_string(static_cast<long long>(plain) - static_cast<long long>(compressed));
        };
        tell({"compression saved ", saved(c.sent, c.sent_compressed), " of ", std::to_string(c.sent), " bytes sent, ",
              saved(c.received, c.received_compressed), " of ", std::to_string(c.received), " bytes received"});
    }

    void wait() {
        const bool reads_input   = is_open() && !lines_.ended && !closing_ && out_.size() <= output_mark;
        const int socket_events  = POLLIN | (socket_.owes(out_) ? POLLOUT : 0);
        watched_[0]              = {socket_.native_handle(), static_cast<short>(socket_events), 0};
        watched_[1]              = {reads_input ? STDIN_FILENO : -1, POLLIN, 0};
        const std::int64_t left  = to_milliseconds(deadline_ - tcp::now());
        const std::int64_t bound = std::clamp<std::int64_t>(left, 0, 1 << 30);
        const int wait           = deadline_ == instant::never() ? -1 : static_cast<int>(bound);
        if (::poll(watched_, 2, wait) < 0 && errno != EINTR)
            fail(joined({"poll: ", std::strerror(errno)}));
    }

    bool is_open() const {
        return session_ && session_->protocol().state() == connection_state::open;
    }
    // The closing handshake is complete, or the connection has failed: nothing more is parsed.
    bool is_answered() const { return session_ && !receives(session_->protocol().state()); }

    // Ends the transport when its time has come (RFC 6455, 7.1.1): the server goes first, but is not waited for long.
    bool is_over() {
        const bool late = deadline_ <= tcp::now();
        if (late && !is_answered()) {
            const errc step = session_ ? errc::close_timeout : asked_ ? errc::handshake_timeout
                              : target_.secure ? errc::tls_timeout : errc::proxy_timeout;
            complain(std::string(describe(step)));
        }
        if (late) return true;
        if (!session_) return false;
        const transport_action action =
            socket_.owes(out_) ? transport_action::keep : session_->protocol().transport(out_);
        if (action == transport_action::shutdown_write && !std::exchange(shut_down_, true)) socket_.shut_down();
        if (is_answered()) wait_at_most(patience_);
        return action == transport_action::close;
    }

    void wait_at_most(duration within) {
        if (deadline_ == instant::never()) deadline_ = deadline(tcp::now(), within);
    }

    void read_socket() {
        const std::error_code error = socket_.read([this](byte_span in) { take_bytes(in); });
        std::fflush(stdout);
        if (!error) return;
        if (error == errc::proxy_wants_reconnection) outcome_.wants_socket = true;
        if (!is_answered()) complain(error == errc::tls_truncated && session_ ? std::string(describe(errc::truncated)) : error.message());
        if (error == blame::handshake_failed) outcome_.may_retry = false;
        over_ = true;
    }

    // Bytes of the server; none: it has ended its direction.
    void take_bytes(byte_span in) {
        const bool ended = in.empty();
        if (over_) return;
        if (!ended) heard_ = tcp::now();
        if (!session_) shake_hands(in, ended);
        if (!session_) return;
        while (event e = session_->receive(in, out_)) take(e);
        if (ended)
            if (event e = session_->receive_eof(out_)) take(e);
        if (ended && !is_answered()) over_ = true;
    }

    void shake_hands(byte_span& in, bool ended) {
        switch (ended ? handshake_.receive_eof() : handshake_.receive(in)) {
        case client_handshake_status::need_more: return;
        case client_handshake_status::failed: {
            const response_view said     = handshake_.response();
            const std::string what =
                handshake_.error() == errc::unexpected_status
                    ? joined({"the server answered with HTTP status ", std::to_string(said.status), " ", said.reason})
                    : explanation(handshake_.error(), handshake_.broken_by());
            complain(with_advice(what, find_interference(target_, handshake_)));
            outcome_.may_retry = said.status == 0 || said.status >= 500 || said.status == 408 || said.status == 429;
            over_              = true;
            return;
        }
        case client_handshake_status::upgrade:
            session_.emplace(client_protocol(handshake_.agreed(), limits_), pool_);
            outcome_.was_open = true;
            tell_agreement();
            deadline_ = instant::never();
        }
    }

    void take(const event& e) {
        switch (e.type) {
        case event_type::text:
            std::fwrite(e.payload.data(), 1, e.payload.size(), stdout);
            std::fputc('\n', stdout);
            break;
        case event_type::close:
            if (e.code != close_code::normal && e.code != close_code::going_away &&
                e.code != close_code::no_status_received)
                complain(joined({"the server closed the connection with code ",
                                 std::to_string(static_cast<unsigned>(e.code)),
                                 e.payload.empty() ? "" : ": ", e.text()}));
            break;
        case event_type::failed:
            complain(with_advice(e.error == errc::truncated && write_failure_ ? write_failure_.message() : explanation(e.error, e.payload),
                                 find_interference(target_, e.error, tcp::now() - heard_)));
            break;
        default: break;
        }
    }

    void read_input() {
        const ssize_t size = ::read(STDIN_FILENO, input_.data(), input_.size());
        if (size < 0 && (errno == EINTR || errno == EAGAIN)) return;
        if (size <= 0) {
            lines_.ended = true;
            if (!lines_.rest.empty()) send_line();
            return close();
        }
        std::string_view text = as_text(byte_span(input_).first(static_cast<std::size_t>(size)));
        for (std::size_t end; !closing_ && (end = text.find('\n')) != std::string_view::npos;
             text.remove_prefix(end + 1)) {
            lines_.rest += text.substr(0, end);
            send_line();
        }
        lines_.rest += text;
    }

    void send_line() {
        if (const errc error = session_->protocol().send(opcode::text, lines_.rest, fin::yes, out_);
            error != errc{}) {
            complain(joined({"a line of the input was not sent: ", describe(error)}));
            outcome_.may_retry = false;
            close();
        }
        lines_.rest.clear();
    }

    void close() {
        closing_ = true;
        static_cast<void>(session_->protocol().close(close_code::normal, {}, out_));
        wait_at_most(patience_);
    }

    void write() {
        if (socket_.is_open() && !asked_ && !over_) {
            tell_layers();
            asked_    = true;
            deadline_ = deadline(tcp::now(), patience_);
            if (const errc error = handshake_.request(out_); error != errc{}) fail(std::string(describe(error)));
        }
        const std::error_code error = socket_.write(out_);
        if (!error) return;
        // What the server said before it went, a Close maybe, is still to be read.
        out_.clear();
        wait_at_most(patience_);
        write_failure_ = error;
    }

    static std::string with_advice(const std::string& what, interference seen) {
        return seen == interference::none ? what : joined({what, " (", describe(seen), ")"});
    }

    // The first cause is the one that is told.
    void complain(std::string why) {
        if (outcome_.complaint.empty()) outcome_.complaint = std::move(why);
    }
};

// What the command line asks for.
struct wishes {
    uri target{};
    std::optional<std::string_view> proxy{};
    const transport_factory* tls = nullptr;
    client_options handshake{};
    limits bounds{};
    duration patience = seconds(10);
};

// Connects, talks until the end, and says how it ended.
outcome talk(const wishes& all, const permessage_deflate& deflate, input_lines& lines) {
    const std::string_view proxies = all.proxy ? *all.proxy : proxies_from_environment(all.target);
    auto route = client_route::make(all.target, proxies, all.tls, {}, all.bounds);
    if (!route) return {.complaint = joined({"cannot go through ", proxies, ": ", route.error().message()}), .may_retry = false};
    for (;;) {
        const authority first = route->first();
        const std::string at  = joined({first.host, ":", std::to_string(first.port)});
        auto socket = tcp::connect(first.host, first.port, all.patience);
        if (!socket) return {.complaint = joined({"cannot connect to ", at, ": ", socket.error().message()})};
        if (const auto remote = socket->remote())
            tell({"connected to ", at, ", which is ", remote->host(), route->proxies() != 0 ? ", a proxy" : ""});
        auto engine = route->engine();
        if (!engine) return {.complaint = engine.error().message(), .may_retry = false};
        buffer head;
        client_handshake handshake(all.target, all.handshake, head, {}, all.bounds);
        outcome result = client(*std::move(socket), *std::move(engine), all.target, handshake, lines, all.patience, all.bounds, deflate).run();
        if (result.wants_socket) {
            tell({"the proxy takes the password on a new connection"});
            continue;
        }
        if (const response_view refused = route->refusal(); refused.status != 0)
            result.complaint = joined({"the proxy answered with HTTP status ", std::to_string(refused.status), " ", refused.reason});
        return result;
    }
}

// A pause that grows with each failure, so that a server that comes back is not overrun (RFC 6455, 7.2.3).
void pause_before(unsigned attempt) {
    std::byte random{};
    static_cast<void>(entropy{}(byte_span(&random, 1)));
    const int milliseconds = std::min(30'000, 500 << std::min(attempt, 6u));
    const int pause        = milliseconds / 2 + milliseconds * static_cast<int>(random) / 512;
    tell({"connects again in ", std::to_string(pause), " ms"});
    ::poll(nullptr, 0, pause);
}

} // namespace

int main(int argc, char** argv) {
    wishes all;
    std::vector<std::string_view> subprotocols;
    std::vector<http_field> fields;
    std::string_view ca, chain, key;
    buffer basic;
    bool compresses = true, is_insecure = false, reconnects = false;

    example::command_line line(argc, argv, "wscat", help,
                               {"subprotocol=", "header=", "basic=", "origin=", "proxy=", "ca=", "cert=", "key=", "insecure",
                                "reconnect", "no-deflate", "max-message=", "timeout=", "v|verbose"});
    while (line.next()) {
        if (line.is("subprotocol")) {
            if (!is_token(line.value()) ||
                std::ranges::find(subprotocols, line.value()) != subprotocols.end())
                line.refuse_value("is not a token, or is offered already");
            subprotocols.push_back(line.value());
        }
        if (line.is("header")) {
            const std::size_t colon = line.value().find(':');
            if (colon == std::string_view::npos) line.refuse_value("has no colon");
            fields.push_back(
                {line.value().substr(0, colon), trim_ows(line.value().substr(colon + 1))});
            buffer scratch, head;
            client_options alone{.fields = std::span(fields).last(1)};
            if (const errc error = client_handshake(uri{.host = "x"}, alone, head).request(scratch);
                error != errc{})
                line.refuse_value(joined({"cannot be sent: ", describe(error)}));
        }
        if (line.is("basic")) {
            const std::size_t colon = line.value().find(':');
            if (colon == std::string_view::npos) line.refuse("--basic needs USER:PASSWORD");
            basic.clear();
            if (const errc error = append_basic({line.value().substr(0, colon), line.value().substr(colon + 1)}, basic);
                error != errc{})
                line.refuse(joined({"--basic: ", describe(error)}));
        }
        if (line.is("origin")) {
            all.handshake.origin = line.value();
            if (line.value().empty() || !is_field_value(line.value())) line.refuse_value("is not an origin");
        }
        if (line.is("max-message")) all.bounds.max_message_size = line.number<std::uint64_t>();
        if (line.is("timeout")) {
            const double given = line.number<double>();
            if (!(given >= 0 && given < 1e6)) line.refuse_value("is not a number of seconds");
            all.patience = duration(static_cast<std::int64_t>(given * 1e9));
        }
        if (line.is("proxy")) {
            all.proxy = line.value();
            proxy_chain chosen(line.value());
            for (proxy_uri each; chosen.next(each);) continue;
            if (chosen.error() != errc{}) line.refuse(joined({"--proxy: ", describe(chosen.error())})); // it may have a password
        }
        if (line.is("no-deflate")) compresses = false;
        if (line.is("insecure")) is_insecure = true;
        if (line.is("reconnect")) reconnects = true;
        if (line.is("verbose")) is_verbose = true;
        if (line.is("ca")) ca = line.value();
        if (line.is("cert")) chain = line.value();
        if (line.is("key")) key = line.value();
    }
    const auto operands = line.operands();
    if (operands.size() != 1)
        line.refuse(operands.empty() ? "a URL is needed; --help tells more"
                                     : joined({"unexpected argument ", operands[1]}));
    if (chain.empty() != key.empty()) line.refuse("--cert and --key belong together");
    if (!basic.empty()) fields.push_back({"Authorization", as_text(basic.data())});

    const result<uri> target = parse_uri(operands[0]);
    if (!target) line.refuse(joined({operands[0], ": ", describe(target.error())}));
    all.target = *target;

    auto context = ca.empty() ? tls::context::client() : tls::context::client(tls::pem::file(ca));
    if (!context) fail(joined({ca.empty() ? "the system's authorities" : ca, ": ", context.error().message()}));
    if (!chain.empty())
        if (const auto error = context->show(tls::pem::file(chain), tls::pem::file(key)))
            fail(joined({"--cert ", chain, ", --key ", key, ": ", error.message()}));
    if (is_insecure) context->disable_verification_of_the_server();
    const transport_factory factory = context->factory();
    all.tls                         = &factory;

    const permessage_deflate deflate;
    all.handshake.subprotocols = subprotocols;
    all.handshake.fields       = fields;
    if (compresses) all.handshake.extensions = deflate.extensions();
    buffer scratch, head;
    if (const errc error = client_handshake(all.target, all.handshake, head).request(scratch); error != errc{})
        line.refuse(std::string(describe(error)));

    input_lines lines;
    for (unsigned attempt = 0;; ++attempt) {
        const outcome result = talk(all, deflate, lines);
        if (result.complaint.empty()) return 0;
        if (!reconnects || !result.may_retry || lines.ended) fail(result.complaint);
        if (result.was_open) attempt = 0;
        std::fprintf(stderr, "wscat: %s\n", result.complaint.c_str());
        pause_before(attempt);
    }
}
