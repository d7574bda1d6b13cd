// A client with the W3C's WebSocket interface (WHATWG WebSockets Standard, 3): onopen, onmessage, onerror, onclose,
// send, close; and reconnecting, which the standard does not have. One thread for each object, which does all that
// waits. No exceptions, no event loop but a thread's or the caller's poll; TLS is brought by a transport_factory.
#pragma once

#include <navette/protocol/reconnect_delay.hpp>
#include <navette/stream/connection.hpp>
#include <navette/tcp.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace navette {

/// The standard's values of readyState.
enum class ready_state : std::uint8_t {
    connecting = 0,  ///< not open yet, or not open again
    open       = 1,
    closing    = 2,  ///< close() was called, or the server has begun to close
    closed     = 3,  ///< for good
};

/// What onerror gets.
struct error_event {
    std::error_code  error{};   ///< navette's, the operating system's, or the TLS engine's
    std::string_view text{};    ///< the same as a sentence, with what else is known: a status, who seems to be in the way
    unsigned         status = 0;   ///< the HTTP status by which the server, or a proxy, refused; 0: none did
};

/// What onclose gets.
struct close_event {
    close_code       code = close_code::abnormal_closure;   ///< the server's; 1005: it gave none; 1006: it sent no Close
    std::string_view reason{};                              ///< the server's, in UTF-8
    bool             wasClean = false;                      ///< the closing handshake was complete
    std::optional<duration> reconnects_in{};                ///< after this pause; nothing: this was the last event
};

/// What a websocket may be given beside the URL. Text is copied. The other pointers, `tls` and `extensions`, are
/// borrowed as long as the object lives.
struct websocket_options {
    std::vector<std::string> subprotocols{};   ///< distinct tokens, the one preferred most first
    std::vector<std::pair<std::string, std::string>> fields{};   ///< names and values added to the request
    std::string origin{};                      ///< the Origin; empty: none
    std::span<const extension_factory* const> extensions{};      ///< those that are offered
    transport_factory tls{};                   ///< makes the TLS engine of wss, and of https proxies: `context.factory()`

    std::optional<std::string> proxy{};        ///< as `connect_options::proxy`; nothing: what the environment says
    std::string user{}, password{}, bearer{};  ///< as `connect_options::login` and `bearer`
    unsigned redirects = 0;                    ///< how many are followed; credentials do not go to another origin

    navette::limits limits{};                  ///< `max_output` bounds what send has queued, and what waits for poll()
    navette::timeouts timeouts{};              ///< `close_within` cannot be turned off: zero stands for its default
    tcp::resolver resolver{};

    std::optional<reconnect_policy> reconnect{};   ///< nothing: when it is over, it is over

    /// Callbacks are made by poll() and wait() alone, in their caller's thread.
    bool polled = false;
};

/// A client's connection.
///
///     navette::websocket ws("ws://127.0.0.1:9001/", {.subprotocols = {"chat"}});
///     ws.onopen    = [&] { ws.send("hello"); };
///     ws.onmessage = [&](const message& m) { if (m.text() == "bye") ws.close(); };
///     if (std::error_code error = ws.wait()) ...
///
/// The callbacks are set first, then connect() takes them over and begins: in a browser nothing can happen between the
/// two, among threads it could. They come one after the other and in order: onopen, any number of onmessage, onerror
/// unless the connection closes cleanly, and onclose exactly once. With `reconnect` that is repeated for each attempt;
/// in all onclose but the last, `reconnects_in` is set. After the last nothing comes. They come on the object's own
/// thread, and what they throw ends the program; or, with `polled`, out of poll() and wait(), and what they throw, too.
///
/// Every function may be called from any thread, and in callbacks but for wait() and poll(). Where the standard throws,
/// they return an error by name and change nothing.
///
/// Destruction from another thread waits for a callback that is under way, then spends at most a tenth of a second on
/// what was sent and a Close with 1001. The object may be destroyed in its own callbacks: these run to their end, but
/// what they were given is gone. In either case no callback begins after that, and nothing that was borrowed is
/// touched.
class websocket {
    class core;

    // Invariant: never null, and shared with the thread that thread_ is.
    std::shared_ptr<core> core_;
    std::thread           thread_{};

public:
    std::function<void()>                   onopen{};
    std::function<void(const message&)>     onmessage{};   ///< the message lives until the callback returns
    std::function<void(const error_event&)> onerror{};
    std::function<void(const close_event&)> onclose{};

    /// `url`: ws or wss; http and https are taken for these. Nothing happens before connect(), and nothing is thrown
    /// for what is wrong with the arguments: the object is then closed, and connect() says why.
    explicit websocket(std::string_view url, websocket_options options = {});
    websocket(const websocket&)            = delete;
    websocket& operator=(const websocket&) = delete;
    ~websocket();

    /// Begins to connect, and returns. Errors, after which the object is closed and no callback ever comes: those of
    /// `parse_uri`, of `client_handshake::request` (a subprotocol that is no token or is repeated, a reserved field,
    /// ...) and of `client_route::make` (`errc::no_tls`, ...); `errc::misuse` the second time, which changes nothing;
    /// the operating system's, for want of a thread or a descriptor.
    std::error_code connect();

    /// Queues a message, and returns. Errors: `errc::not_open` (the standard throws while connecting, and later drops
    /// the message); `errc::unsendable_text`, if it is not UTF-8; `errc::output_full`, beyond `limits::max_output`, to
    /// which each message counts 14 bytes more than it has, unless nothing is queued; `errc::out_of_memory`. With
    /// `reconnect_policy::keep_unsent` messages are taken while connecting, too.
    std::error_code send(std::string_view text);
    std::error_code send(const_byte_span binary);

    /// Sends what is queued, and then a Close; or gives up connecting, which ends with 1006 and
    /// `std::errc::operation_canceled`. Messages that come after this are dropped. Nothing happens if it was closed
    /// before. Errors: `errc::unsendable_close_code` (neither 1000 nor from 3000 to 4999, or a reason without a code),
    /// `errc::reason_too_long` (more than 123 bytes), `errc::unsendable_text`.
    std::error_code close(close_code code = close_code::none, std::string_view reason = {});

    /// Where it stands, as the callbacks tell it: it changes right before they come.
    ready_state readyState() const noexcept;

    /// Bytes of messages that were sent and that the network has not taken yet. After the end it keeps its value.
    std::uint64_t bufferedAmount() const noexcept;

    std::string protocol() const;     ///< the subprotocol that the server chose; empty: none, or not open yet
    std::string extensions() const;   ///< those that it accepted, as it wrote them
    std::string url() const;          ///< with the host in lower case, without the scheme's own port; empty: it was bad

    /// Connects, unless that was done, and waits until all is over; with `polled` it calls back meanwhile. Success: the
    /// last connection was closed cleanly. Errors: those of connect(); what onerror was told last;
    /// `std::errc::timed_out` after `within` (zero: for ever); `errc::misuse` in a callback.
    std::error_code wait(duration within = {});

    /// Calls back for what has come, one thread at a time, and returns how many times; never waits. 0 without `polled`,
    /// and in a callback. As long as events of `limits::max_output` bytes wait for this, no more is read from the
    /// network.
    std::size_t poll();

    /// With `polled`, from connect() on: a descriptor for an event loop, readable while poll() has something to do.
    /// Nothing is to be read from it. Else -1.
    int native_handle() const noexcept;
};

} // namespace navette

#if !defined(NAVETTE_SEPARATE_COMPILATION)
#  include <navette/websocket.ipp>
#endif
