// A server that owns its event loops: callbacks for requests, openings, messages and ends; topics; TLS by a
// transport_factory; graceful stop. epoll on Linux, poll elsewhere; one loop a thread. POSIX; no other library.
// What it costs and which thread may call what: docs/server.md.
#pragma once

#include <navette/protocol/prepared_message.hpp>
#include <navette/server_settings.hpp>
#include <navette/stream/connection.hpp>
#include <navette/tcp.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace navette {

class server;
class server_connection;

namespace detail {
class  server_core;
class  server_loop;
class  server_mailbox;
struct server_io;
struct server_extra;
struct server_pending;
struct address_count;

// A place in a timer_wheel.
struct timed {
    timed**       where  = nullptr;   // what points to this; null: it is in no wheel
    timed*        behind = nullptr;
    std::uint32_t due    = 0;         // milliseconds
};

// An object of the application's, which knows how to destroy itself.
struct held_object {
    const void* type;
    void (*destroy)(held_object*) noexcept;
};
template <class T>
inline constexpr char type_mark = 0;
// An aggregate in braces: clang 14 knows no other way.
template <class T, class... Args>
T made_of(Args&&... args) {
    if constexpr (std::is_constructible_v<T, Args...>) return T(std::forward<Args>(args)...);
    else return T{std::forward<Args>(args)...};
}
template <class T>
struct held_value : held_object {
    T value;

    template <class... Args>
    explicit held_value(Args&&... args)
        : held_object{&type_mark<T>, [](held_object* self) noexcept { delete static_cast<held_value*>(self); }},
          value(made_of<T>(std::forward<Args>(args)...)) {}
};
} // namespace detail

/// What has become of a message that was sent.
enum class send_status : std::uint8_t {
    sent,     ///< nothing waits before it: it leaves with what the loop writes next
    queued,   ///< it waits until the peer has read more: `on_drain` tells when
    full,     ///< it was not taken: too much waits, of this connection or of all (`errc::output_full`)
    refused,  ///< it was not taken: `error` says why
};

struct send_result {
    send_status status = send_status::sent;
    errc        error{};

    explicit operator bool() const noexcept { return error == errc{}; }
};

/// How a connection has ended.
struct server_close {
    close_code       code = close_code::abnormal_closure;   ///< the peer's; 1005: it gave none; or the one that was sent for `error`
    std::string_view reason{};                              ///< the peer's, in UTF-8; valid in the callback
    bool             clean = false;                         ///< both Closes were exchanged
    std::error_code  error{};                               ///< why it is not clean: navette's, the system's or the engine's
    const_byte_span  broken_by{};                           ///< the bytes that broke that rule, if any did; valid in the callback

    /// Why it is not clean, in a sentence: see `explanation` of stream/error.hpp. Empty if it is.
    std::string explanation() const { return error ? navette::explanation(error, broken_by) : std::string(); }
};

/// A connection as any thread may keep it, for as long as it likes. Copyable; two are equal if they mean the same one.
class connection_handle {
    std::shared_ptr<detail::server_mailbox> box_{};
    std::uint32_t slot_ = 0, generation_ = 0;

    friend class server_connection;
    friend class detail::server_loop;

public:
    connection_handle() noexcept = default;

    /// Has `work` done on the connection's own thread, in the order of the calls. It is dropped if the connection has
    /// ended by then. False: its loop has ended, or this is empty.
    bool post(std::function<void(server_connection&)> work) const;

    friend bool operator==(const connection_handle&, const connection_handle&) noexcept = default;
};

/// One connection. The callbacks get it, on the thread of its loop, and only there may it be used, until `on_close` has
/// returned: it is destroyed after that, and never while a callback runs. 288 bytes while it is idle.
class server_connection : detail::timed {
    enum class phase : std::uint8_t { opening, pending, answered, open, lingering, dead };

    // Invariant: io_ is null unless something waits, is incomplete, or an engine stands between; current output of the
    // connection that the loop deals with lies in the loop. flags_ are of server_flag.
    std::uint32_t          published_ = 0;       // the turn of the loop in which it was last sent something published
    detail::server_loop*   loop_;
    detail::server_io*     io_      = nullptr;
    detail::server_extra*  extra_   = nullptr;
    detail::held_object*   datum_   = nullptr;
    detail::address_count* address_ = nullptr;   // what counts its address, if there is a limit
    int           fd_;
    std::uint32_t slot_, generation_;
    std::uint32_t last_read_, since_;            // milliseconds; since_: of the phase, or of an unanswered ping
    std::uint16_t flags_       = 0;
    phase         phase_       = phase::opening;
    std::uint8_t  subprotocol_ = 0;              // 0: none; 255: in extra_; else counted from 1 in the settings
    server_protocol protocol_;

    friend class detail::server_loop;
    friend class server_request;

    server_connection(detail::server_loop& loop, int fd, std::uint32_t slot, std::uint32_t generation, std::uint32_t now) noexcept
        : loop_(&loop), fd_(fd), slot_(slot), generation_(generation), last_read_(now), since_(now) {}
    ~server_connection();

public:
    server_connection(const server_connection&)            = delete;
    server_connection& operator=(const server_connection&) = delete;

    /// Sends a message. All that is sent while one read is dealt with leaves in one write. Errors: `errc::not_open`,
    /// `unsendable_text`, `output_full` (more than `limits::max_output` would wait, unless nothing waits; or more than
    /// `server_settings::max_buffered`), `out_of_memory`, `misuse` (neither text nor binary).
    send_result send(std::string_view text) { return send(opcode::text, as_bytes(text)); }
    send_result send(const_byte_span binary) { return send(opcode::binary, binary); }
    send_result send(const message& m) { return send(m.type, m.data); }
    send_result send(opcode type, const_byte_span payload, compress how = compress::automatic);

    /// Sends a Ping, at most 125 bytes; `on_pong` gets the answer. Errors as `send`'s, `payload_too_long`.
    send_result ping(const_byte_span payload = {});

    /// Begins the closing handshake (RFC 6455, 7.1.2); messages come until the peer's Close, at most
    /// `timeouts::close_within`. Errors: `not_open`, `unsendable_close_code`, `reason_too_long`, `unsendable_text`.
    errc close(close_code code = close_code::normal, std::string_view reason = {});

    /// Ends the transport at once, without a Close. `on_close` comes with 1006 and `std::errc::operation_canceled`, after
    /// the callback that this was called in.
    void terminate();

    /// No messages come, and nothing is read, until `resume`. A peer's end is then noticed late.
    void pause();
    void resume();

    /// Gets what is published of `topic` from now on. Nothing happens if it does already.
    void subscribe(std::string_view topic);
    void unsubscribe(std::string_view topic);

    /// How many messages of its topics it has missed since this was last asked, because more than `pause_mark` bytes
    /// waited for it. Whenever it has missed one, `on_drain` comes once less than `drain_mark` waits.
    std::uint64_t take_missed() noexcept;

    bool          is_open() const noexcept { return phase_ == phase::open && protocol_.state() == connection_state::open; }
    std::uint64_t buffered() const noexcept;      ///< bytes that wait for the peer to read

    std::string_view  subprotocol() const noexcept;   ///< the agreed one; valid as long as the connection
    tcp::endpoint     remote() const noexcept;        ///< the client: as a trusted proxy says, or the socket's other end
    connection_handle handle() const;

    /// Its loop's number, from 0 to `server_settings::threads` - 1.
    unsigned loop() const noexcept;

    /// Makes the application's own object of this connection, in place of the last one. Destroyed after `on_close`.
    template <class T, class... Args>
    T& emplace(Args&&... args) {
        auto* const made = new detail::held_value<T>(std::forward<Args>(args)...);
        drop_object();
        datum_ = made;
        return made->value;
    }
    /// That object; null if there is none, or it is of another type.
    template <class T>
    T* object() noexcept {
        if (datum_ == nullptr || datum_->type != &detail::type_mark<T>) return nullptr;
        return &static_cast<detail::held_value<T>*>(datum_)->value;
    }

private:
    void drop_object() noexcept {
        if (datum_ != nullptr) datum_->destroy(datum_);
        datum_ = nullptr;
    }
};

/// An answer that is given later, from any thread; copyable, and all copies are one. If the last one goes without an
/// answer, the client gets 500. Errors of the three: `errc::not_open` (the client has gone, or its time was up),
/// `errc::misuse` (answered already), `invalid_status`, `invalid_field`, `reserved_field`.
class late_answer {
    std::shared_ptr<detail::server_pending> shared_{};

    friend class server_request;

public:
    /// As server_request's. A subprotocol that was not offered is answered with 500. `prepare` is called on the
    /// connection's thread right before `on_open`. All is copied.
    errc accept(std::optional<std::string_view> subprotocol = {}, std::span<const http_field> fields = {},
                std::function<void(server_connection&)> prepare = {}) const;
    errc reject(unsigned status, std::string_view body = {}, std::span<const http_field> fields = {}) const;
    errc respond(unsigned status, std::string_view body = {}, std::span<const http_field> fields = {}) const;

    /// `gone` is called once if the client goes, or its time is up, before an answer is given: on the thread of the
    /// loop, or here, if that has happened already.
    void on_gone(std::function<void()> gone) const;
    bool is_gone() const;
};

/// A valid request, to be answered in `on_request` or later: by accept or reject if it is an upgrade, by respond if not.
/// A callback that does neither gives the client 500.
class server_request {
    detail::server_loop&           loop_;
    server_connection&             connection_;
    std::shared_ptr<detail::server_pending> later_{};
    bool is_upgrade_;
    bool is_answered_ = false;

    friend class detail::server_loop;

    server_request(detail::server_loop& loop, server_connection& c, bool is_upgrade) noexcept
        : loop_(loop), connection_(c), is_upgrade_(is_upgrade) {}

public:
    server_request(const server_request&)            = delete;
    server_request& operator=(const server_request&) = delete;

    /// Its method, path, fields and so on; views, valid in the callback.
    const request_view& view() const noexcept;

    /// Whether it asks for a WebSocket connection; if not, it is any other HTTP request.
    bool is_upgrade() const noexcept { return is_upgrade_; }

    /// The client, as server_connection::remote.
    tcp::endpoint remote() const noexcept { return connection_.remote(); }

    /// Opens the connection, by default with the first subprotocol of the client's order that the settings have; "" is
    /// none. Errors, which change nothing: `errc::misuse`, `invalid_subprotocol`, `invalid_field`, `reserved_field`.
    errc accept(std::optional<std::string_view> subprotocol = {}, std::span<const http_field> fields = {});

    /// Answers an upgrade with a status from 300 to 599, or another request with one from 200 to 599; an upgrade is
    /// rejected by either name. The body is copied. Errors: `errc::misuse`, `invalid_status`, `invalid_field`, `reserved_field`.
    errc reject(unsigned status, std::string_view body = {}, std::span<const http_field> fields = {});
    errc respond(unsigned status, std::string_view body = {}, std::span<const http_field> fields = {});

    /// Promises an answer, at the latest when `timeouts::handshake` has passed once more: the client then gets 503.
    late_answer later();

    /// The application's own object of the connection that this may become.
    template <class T, class... Args>
    T& emplace(Args&&... args) { return connection_.emplace<T>(std::forward<Args>(args)...); }
    template <class T>
    T* object() noexcept { return connection_.object<T>(); }
};

/// Which way bytes went that `on_wire` is shown.
enum class wire_direction : std::uint8_t { in, out };

/// A server.
///
///     navette::server server("127.0.0.1:9001", {.origins = origin_policy::any()});
///     server.on_message = [](auto& ws, auto& message) { ws.send(message); };
///     if (std::error_code error = server.run()) ...
///
/// The callbacks are set first; `run` and `start` take them over. They are called by the threads of the loops, each
/// connection's always by the same one: with several loops a callback is called by several threads at once. What they
/// throw ends the program. A connection may be closed or terminated in any of them.
class server {
    std::shared_ptr<detail::server_core> core_;

public:
    /// By default upgrades are accepted and all else gets 426.
    std::function<void(server_request&)>                         on_request{};
    std::function<void(server_connection&)>                      on_open{};
    std::function<void(server_connection&, const message&)>      on_message{};   ///< the message lives until it returns
    std::function<void(server_connection&, const_byte_span)>     on_pong{};
    std::function<void(server_connection&)>                      on_drain{};     ///< what waits has fallen below `drain_mark`
    std::function<void(server_connection&, const server_close&)> on_close{};     ///< once for each that was opened
    /// A request that broke a rule of HTTP or of the opening handshake: the error by which server_handshake refused it, and the
    /// line or the value that did, valid in the callback, for `explanation`. The answer is on its way; the connection, which
    /// is never opened, can be asked who it is.
    std::function<void(const server_connection&, errc, std::string_view)> on_refused{};
    /// What went wrong outside of any connection, descriptors that ran out for one, and what was done about it.
    std::function<void(std::error_code, std::string_view)>       on_error{};
    /// Every byte of every connection as it goes over the wire, encrypted if it is; for logs.
    std::function<void(const server_connection&, wire_direction, const_byte_span)> on_wire{};

    explicit server(server_settings settings);

    /// Listens at `where` as well, see `listen`; what is wrong with that, `run` and `start` say.
    server(std::string_view where, server_settings settings);
    server(const server&)            = delete;
    server& operator=(const server&) = delete;

    /// Ends as `stop` does, but waits no longer than a tenth of a second. Not in a callback.
    ~server();

    /// Listens at "HOST:PORT", "[IPV6]:PORT", ":PORT" (all interfaces), "unix:PATH" or "fd:NUMBER" (a listening socket
    /// that was inherited). Any number of times, before it is started. Errors: those of `tcp::listen` and
    /// `tcp::unix_listen`; `errc::invalid_host`, `errc::invalid_port`; `errc::misuse` (it was started).
    std::error_code listen(std::string_view where);
    std::error_code listen(std::string_view host, int port);
    std::error_code listen_unix(std::string_view path);
    std::error_code listen_on(int listening_socket);

    /// The port of the first TCP socket that it listens on, 0: there is none.
    std::uint16_t port() const noexcept;

    /// Serves until it is stopped and everybody has gone; the first loop runs on this thread. Errors: of `listen`, if it
    /// went wrong in the constructor; `errc::misuse`: it was started before; the system's.
    std::error_code run();

    /// The same on threads of its own: returns once they run.
    std::error_code start();

    /// Stops accepting, says Close 1001 to everybody, and ends when all have answered, or `timeouts::close_within` is
    /// over. From any thread, and from a signal handler.
    void stop() noexcept;

    /// Waits until it has ended, after start().
    void wait();

    /// Takes over a connected socket, on which nothing but `already_read`, which is copied, has been read. From any
    /// thread. Errors: `errc::not_open`: it does not run, and the socket is the caller's still; `errc::out_of_memory`.
    std::error_code adopt(int socket, const_byte_span already_read = {});

    /// Sends a message to all subscribers of `topic`, those of all loops: framed once, compressed once for each window.
    /// From any thread. A subscriber that reads too slowly misses it (`server_counters::missed`). Errors:
    /// `errc::unsendable_text`, `errc::out_of_memory`, `errc::not_open` (it does not run).
    errc publish(std::string_view topic, std::string_view text) { return publish(topic, opcode::text, as_bytes(text)); }
    errc publish(std::string_view topic, const_byte_span binary) { return publish(topic, opcode::binary, binary); }
    errc publish(std::string_view topic, opcode type, const_byte_span payload, compress how = compress::automatic);

    /// Has `work` done once by each loop. From any thread. False: it does not run.
    bool post(std::function<void(unsigned loop)> work);

    /// What has happened so far, in all loops. From any thread.
    server_counters counters() const;
};

} // namespace navette

#if !defined(NAVETTE_SEPARATE_COMPILATION)
#  include <navette/server.ipp>
#endif
