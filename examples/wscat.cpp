// A WebSocket client for the terminal: lines of standard input leave as text messages, text messages that come are
// printed as lines. The core in one poll over standard input and the socket, so that neither waits for the other.
#include "support/command_line.hpp"
#include "support/sockets.hpp"

#include <navette/deflate.hpp>
#include <navette/navette.hpp>
#include <navette/tcp.hpp>

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
    "Sends each line of standard input as a text message to a ws:// URL, and prints each\n"
    "text message as a line; binary ones are not shown. Status 0: a clean close.\n"
    "  --subprotocol S      offers a subprotocol; may be repeated, the one preferred most first\n"
    "  --header 'K: V'      adds a field to the request; may be repeated\n"
    "  --origin O           claims an origin\n"
    "  --max-message BYTES  the longest message that is taken (16777216)\n"
    "  --timeout S          seconds to connect, for the opening and the closing handshake (10)\n"
    "  --no-deflate         does not offer compression\n"
    "  -v, --verbose        says on standard error which compression was agreed, and what it saved\n"
    "  --ca F, --insecure   TLS; this program is built without\n"
    "  --proxy URL          this program is built without\n"
    "  --help\n";

// Bytes of waiting output above which standard input is not read.
constexpr std::size_t output_mark = 256 * 1024;

[[noreturn]] void fail(std::string why) { example::end_with(1, "wscat", std::move(why)); }

class client {
    tcp::stream socket_;
    duration patience_;
    const limits& limits_;
    const permessage_deflate* told_of_; // null: nobody wants to be told
    client_handshake& handshake_;
    buffer out_;
    buffer_pool pool_{};
    std::optional<session<role::client>> session_{};
    std::string line_{};      // of standard input, so far
    std::string complaint_{}; // why the end will be a failure
    instant deadline_;
    int write_failure_ = 0;
    bool input_ended_  = false;
    bool shut_down_    = false;
    ::pollfd watched_[2]{};
    std::array<std::byte, 65536> input_;

public:
    /// `request` is the handshake's, and is sent first. What `told_of` does is told on standard error; null: it is not.
    client(tcp::stream socket, client_handshake& handshake, buffer request, duration patience,
           const limits& bounds, const permessage_deflate* told_of)
        : socket_(std::move(socket)),
          patience_(patience),
          limits_(bounds),
          told_of_(told_of),
          handshake_(handshake),
          out_(std::move(request)),
          deadline_(deadline(tcp::now(), patience)) {}

    void run() {
        while (!is_over()) {
            wait();
            if (watched_[0].revents != 0) read_socket();
            if (watched_[1].revents != 0) read_input();
            write();
        }
        if (told_of_ != nullptr) tell_savings();
        if (!complaint_.empty()) fail(complaint_);
    }

private:
    void tell_agreement() const {
        const deflate_agreement agreed = agreed_deflate(handshake_.agreed());
        if (!agreed) {
            std::fputs("wscat: no compression was agreed\n", stderr);
            return;
        }
        const auto direction = [](unsigned bits, bool alone) {
            return joined({std::to_string(bits), " window bits",
                           alone ? ", no context takeover" : ", context takeover"});
        };
        std::fprintf(stderr, "wscat: permessage-deflate was agreed: sends with %s; receives with %s\n",
                     direction(agreed.send_window_bits, agreed.send_no_context_takeover).c_str(),
                     direction(agreed.receive_window_bits, agreed.receive_no_context_takeover).c_str());
    }

    // A short message may have grown.
    void tell_savings() const {
        const deflate_counters c = told_of_->counters();
        const auto saved = [](std::size_t plain, std::size_t compressed) {
            return static_cast<long long>(plain) - static_cast<long long>(compressed);
        };
        std::fprintf(stderr,
                     "wscat: compression saved %lld of %zu bytes sent, %lld of %zu bytes received\n",
                     saved(c.sent, c.sent_compressed), c.sent,
                     saved(c.received, c.received_compressed), c.received);
    }

    void wait() {
        const bool reads_input   = is_open() && !input_ended_ && out_.size() <= output_mark;
        const int socket_events  = POLLIN | (out_.empty() ? 0 : POLLOUT);
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
            complain(
                std::string(describe(session_ ? errc::close_timeout : errc::handshake_timeout)));
            fail(complaint_);
        }
        if (late) return true;
        if (!session_) return false;
        const transport_action action = session_->protocol().transport(out_);
        if (action == transport_action::shutdown_write && !std::exchange(shut_down_, true))
            static_cast<void>(socket_.shutdown_write());
        if (is_answered()) wait_at_most(patience_);
        return action == transport_action::close;
    }

    void wait_at_most(duration within) {
        if (deadline_ == instant::never()) deadline_ = deadline(tcp::now(), within);
    }

    void read_socket() {
        const example::transfer done = example::read_now(socket_.native_handle(), input_);
        if (done.failure != 0 && !is_answered())
            fail(complaint_.empty() ? std::strerror(done.failure) : complaint_);
        const bool ended = done.ended || done.failure != 0;
        byte_span in     = byte_span(input_).first(done.size);
        if (!session_ && (ended || !in.empty())) shake_hands(in, ended);
        if (!session_) return;
        while (event e = session_->receive(in, out_)) take(e);
        if (ended)
            if (event e = session_->receive_eof(out_)) take(e);
        std::fflush(stdout);
    }

    void shake_hands(byte_span& in, bool ended) {
        switch (ended ? handshake_.receive_eof() : handshake_.receive(in)) {
        case client_handshake_status::need_more: return;
        case client_handshake_status::failed:
            if (handshake_.error() == errc::unexpected_status) {
                const response_view said = handshake_.response();
                fail(joined({"the server answered with HTTP status ", std::to_string(said.status),
                             " ", said.reason}));
            }
            fail(std::string(describe(handshake_.error())));
        case client_handshake_status::upgrade:
            session_.emplace(client_protocol(handshake_.agreed(), limits_), pool_);
            if (told_of_ != nullptr) tell_agreement();
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
            complain(e.error == errc::truncated && write_failure_ != 0
                         ? std::strerror(write_failure_)
                         : std::string(describe(e.error)));
            break;
        default: break;
        }
    }

    void read_input() {
        const ssize_t size = ::read(STDIN_FILENO, input_.data(), input_.size());
        if (size < 0 && (errno == EINTR || errno == EAGAIN)) return;
        if (size <= 0) {
            input_ended_ = true;
            if (!line_.empty()) send_line();
            return close();
        }
        std::string_view text = as_text(byte_span(input_).first(static_cast<std::size_t>(size)));
        for (std::size_t end; !input_ended_ && (end = text.find('\n')) != std::string_view::npos;
             text.remove_prefix(end + 1)) {
            line_ += text.substr(0, end);
            send_line();
        }
        line_ += text;
    }

    void send_line() {
        if (const errc error = session_->protocol().send(opcode::text, line_, fin::yes, out_);
            error != errc{}) {
            complain(joined({"a line of the input was not sent: ", describe(error)}));
            input_ended_ = true;
            close();
        }
        line_.clear();
    }

    void close() {
        static_cast<void>(session_->protocol().close(close_code::normal, {}, out_));
        wait_at_most(patience_);
    }

    void write() {
        if (out_.empty()) return;
        const example::transfer done = example::write_now(socket_.native_handle(), out_.data());
        out_.consume(done.size);
        if (done.failure == 0) return;
        // What the server said before it went, a Close maybe, is still to be read.
        out_.clear();
        wait_at_most(patience_);
        write_failure_ = done.failure;
    }

    // The first cause is the one that is told.
    void complain(std::string why) {
        if (complaint_.empty()) complaint_ = std::move(why);
    }
};

} // namespace

int main(int argc, char** argv) {
    std::vector<std::string_view> subprotocols;
    std::vector<http_field> fields;
    std::string_view origin;
    limits bounds;
    duration patience = seconds(10);
    bool compresses = true, verbose = false;

    example::command_line line(argc, argv, "wscat", help,
                               {"subprotocol=", "header=", "origin=", "proxy=", "ca=", "insecure",
                                "no-deflate", "max-message=", "timeout=", "v|verbose"});
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
        if (line.is("origin")) {
            origin = line.value();
            if (origin.empty() || !is_field_value(origin)) line.refuse_value("is not an origin");
        }
        if (line.is("max-message")) bounds.max_message_size = line.number<std::uint64_t>();
        if (line.is("timeout")) {
            const double given = line.number<double>();
            if (!(given >= 0 && given < 1e6)) line.refuse_value("is not a number of seconds");
            patience = duration(static_cast<std::int64_t>(given * 1e9));
        }
        if (line.is("no-deflate")) compresses = false;
        if (line.is("verbose")) verbose = true;
        if (line.is("proxy")) line.refuse_option("built without proxy support");
        if (line.is("ca") || line.is("insecure")) line.refuse_option("built without TLS");
    }
    const auto operands = line.operands();
    if (operands.size() != 1)
        line.refuse(operands.empty() ? "a URL is needed; --help tells more"
                                     : joined({"unexpected argument ", operands[1]}));

    const result<uri> target = parse_uri(operands[0]);
    if (!target) line.refuse(joined({operands[0], ": ", describe(target.error())}));
    if (target->secure) line.refuse(joined({operands[0], ": built without TLS"}));

    const permessage_deflate deflate;
    client_options options{.subprotocols = subprotocols, .fields = fields, .origin = origin};
    if (compresses) options.extensions = deflate.extensions();
    buffer head, request;
    client_handshake handshake(*target, options, head, {}, bounds);
    if (const errc error = handshake.request(request); error != errc{})
        line.refuse(std::string(describe(error)));

    auto socket = tcp::connect(target->host, target->port, patience);
    if (!socket)
        fail(joined({"cannot connect to ", target->host, ":", std::to_string(target->port), ": ",
                     socket.error().message()}));
    client(std::move(*socket), handshake, std::move(request), patience, bounds,
           verbose ? &deflate : nullptr)
        .run();
}
