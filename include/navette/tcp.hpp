// Sockets of the operating system: connect by name (RFC 8305), listen, and a blocking stream with deadlines over TCP or a
// unix socket, all of which another thread can interrupt; and navette::connect, which makes the transport for a URI.
// POSIX; the sockets are non-blocking inside, and poll waits. No TLS (a transport_factory brings it), no event loop.
#pragma once

#if defined(_WIN32)
#  error "navette/tcp.hpp speaks POSIX sockets. On Windows give connect and accept a stream of your own (examples/own_stream.cpp)."
#endif

#include <navette/base/buffer.hpp>
#include <navette/base/timeouts.hpp>
#include <navette/codec/ip_address.hpp>
#include <navette/stream/client_journey.hpp>
#include <navette/stream/opening_handshake.hpp>
#include <navette/stream/proxies_from_environment.hpp>
#include <navette/stream/stream.hpp>
#include <navette/stream/transport_engine.hpp>

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace navette::tcp {

/// The steady clock that the streams' deadlines are on.
instant now() noexcept;

/// The category of what getaddrinfo reports, named "resolver".
const std::error_category& resolver_category() noexcept;

/// One end of a socket, as text.
struct endpoint {
    std::array<char, 128> name{};   ///< the address in numbers, without brackets; of a unix socket the path, or nothing
    std::uint16_t         port = 0; ///< 0 for a unix socket

    std::string_view host() const noexcept { return std::string_view(name.data()); }
};

/// Ends all waiting from another thread, and for good: once it is raised, what was given it fails with
/// `std::errc::operation_canceled`, whether it waits or is called later. It outlives what it was given to. If there was no
/// descriptor left to make it of, that fails with `std::errc::too_many_files_open`.
class stop_signal {
    // Invariant: reader_ becomes readable when raised_ has become true, and stays so; it is -1 if there is none.
    int               reader_ = -1;
    int               writer_ = -1;   // not always another one
    std::atomic<bool> raised_{false};

public:
    stop_signal() noexcept;
    stop_signal(const stop_signal&)            = delete;
    stop_signal& operator=(const stop_signal&) = delete;
    ~stop_signal();

    /// May be called from any thread, from a signal handler, and more than once.
    void raise() noexcept;
    bool is_raised() const noexcept { return raised_.load(std::memory_order_acquire); }

    /// Readable once it is raised, for an event loop to wait for; nothing is to be read from it.
    int native_handle() const noexcept { return reader_; }
};

/// A connected socket: a blocking stream with gather writes and deadlines. Owns the descriptor. Interrupted calls are
/// repeated, no write raises SIGPIPE, TCP_NODELAY is set. One thread may read while another writes.
class stream {
    // Invariant: fd_ is a non-blocking socket, or -1: closed. unread_ goes before what the socket has.
    int     fd_ = -1;
    buffer  unread_{};
    instant read_deadline_  = instant::never();
    instant write_deadline_ = instant::never();

    const stop_signal* stop_ = nullptr;

public:
    stream() noexcept = default;

    /// Takes over a connected socket that was inherited or accepted elsewhere, and makes it non-blocking. `already_read`
    /// is copied: read_some yields it first. If there is no memory for it the stream is closed.
    explicit stream(int fd, const_byte_span already_read = {}) noexcept;

    stream(stream&& other) noexcept;
    stream& operator=(stream&& other) noexcept;
    ~stream() { close(); }

    /// See `sync_stream`, `gather_stream` and `deadline_stream`. Errors are the operating system's;
    /// `std::errc::bad_file_descriptor` after close.
    io_result<std::size_t> read_some(byte_span in) noexcept;
    io_result<std::size_t> write_some(const_byte_span out) noexcept;
    io_result<std::size_t> write_some(std::span<const const_byte_span> pieces) noexcept;
    std::error_code        shutdown_write() noexcept;
    void                   close() noexcept;

    instant now() const noexcept { return tcp::now(); }
    void    read_expires_at(instant when) noexcept { read_deadline_ = when; }
    void    write_expires_at(instant when) noexcept { write_deadline_ = when; }

    /// Lets `signal` end every read and write from now on; null: nothing does. Not to be called during one. Borrowed.
    void stop_on(const stop_signal* signal) noexcept { stop_ = signal; }

    bool is_open() const noexcept { return fd_ >= 0; }

    /// The descriptor, still owned; -1 when closed.
    int native_handle() const noexcept { return fd_; }

    /// Gives the descriptor away, non-blocking. Precondition: what was already read has been read from here.
    int release() noexcept { return std::exchange(fd_, -1); }

    io_result<endpoint> local() const noexcept;
    io_result<endpoint> remote() const noexcept;
};

static_assert(gather_stream<stream> && deadline_stream<stream>);

/// One address of a host, without a port.
struct address {
    ip_address    ip{};
    std::uint32_t scope = 0;   ///< of a link-local IPv6 address: the number of its interface (RFC 4007, 6)

    friend bool operator==(const address&, const address&) noexcept = default;
};

/// The addresses of a host, in the order in which they are tried: IPv6 and IPv4 take turns, beginning with the kind that
/// was added first, and within each kind the order is that of adding (RFC 8305, 4). Allocates nothing.
class address_list {
public:
    static constexpr std::size_t max_of_a_kind = 32;
    static constexpr std::size_t max_size      = 2 * max_of_a_kind;

    /// Adds an address behind those of its kind, the best first. It is passed over if it is there already, is none, or is
    /// the 33rd of its kind.
    void add(const address& one) noexcept;

    std::size_t size() const noexcept { return kinds_[0].size + kinds_[1].size; }

    /// The address that is tried at turn `i`, which is less than `size()`.
    const address& operator[](std::size_t i) const noexcept;

private:
    struct kind {
        std::array<address, max_of_a_kind> addresses{};
        std::size_t                        size = 0;
    };
    std::array<kind, 2> kinds_{};   // the first is that of the first address
};

/// What turns a name into addresses: by default the system's getaddrinfo, which orders them by RFC 6724.
///
/// `resolve` adds to `found` what `host` stands for, or returns why it cannot; behind the last byte of `host` is a NUL.
/// It is called on a thread of its own, on which all signals are blocked, and never for an address in numbers. A
/// `connect` that is stopped or whose time is up does not wait for it: it may return late, to nobody. So `self` is shared
/// with that thread, and calls may be under way side by side.
struct resolver {
    std::error_code (*resolve)(void* self, std::string_view host, address_list& found) noexcept = nullptr;
    std::shared_ptr<void> self{};
};

/// How many resolvers that do not return may have been left alone. Then a name is not resolved:
/// `std::errc::resource_unavailable_try_again`.
inline constexpr int max_abandoned_resolvers = 64;

/// How to connect.
struct connect_options {
    duration within = timeouts{}.connect;   ///< for all of it, the resolver included; zero: as long as it takes

    /// How long an attempt has to itself before the next address is tried beside it: from 100 ms to 2 s (RFC 8305, 5 and
    /// 8), and less than was asked for if `within` is too short to give all addresses their turn.
    duration attempt_delay = milliseconds(250);

    tcp::resolver resolver{};

    /// If not null, ends the waiting; the stream that is made keeps it (`stream::stop_on`).
    const stop_signal* stop = nullptr;
};

/// Resolves `host`, a name or an address without brackets, and connects to the first of its addresses that answers:
/// "happy eyeballs" (RFC 8305). The addresses are tried in the order of `address_list`, the next one once `attempt_delay`
/// has passed or an attempt has failed; the others are closed when one succeeds. Since a resolver gives both kinds of
/// addresses at once, there is no resolution delay (section 3).
///
/// Errors: `errc::connect_timeout`; `errc::invalid_host` (empty, longer than 255 bytes, or with a NUL);
/// `errc::invalid_port`; the resolver's; if no thread can be had for it, `std::errc::resource_unavailable_try_again`;
/// `std::errc::operation_canceled`; or what the system said of the first address that this machine has a route to.
io_result<stream> connect(std::string_view host, int port, const connect_options& options = {}) noexcept;
io_result<stream> connect(std::string_view host, int port, duration within) noexcept;

/// Connects to the unix socket at `path`. Errors: as above; `std::errc::filename_too_long`.
io_result<stream> unix_connect(std::string_view path, duration within = timeouts{}.connect) noexcept;

/// A listening socket. Owns the descriptor, and of a unix socket the file, which close removes.
class listener {
    // Invariant: fd_ is a non-blocking listening socket, or -1: closed. path_ is empty, or ends in NUL.
    int                   fd_ = -1;
    std::array<char, 108> path_{};

    listener(int fd, const std::array<char, 108>& path) noexcept : fd_(fd), path_(path) {}
    friend io_result<listener> unix_listen(std::string_view path, int backlog) noexcept;

public:
    listener() noexcept = default;

    /// Takes over a socket that listens already, an inherited one for instance.
    explicit listener(int fd) noexcept;

    listener(listener&& other) noexcept;
    listener& operator=(listener&& other) noexcept;
    ~listener() { close(); }

    /// Waits for a connection, at most `within` (zero: for ever), then `std::errc::timed_out`, or until `stop` is raised;
    /// the stream that is made keeps it. Connections that were gone before they were accepted are passed over. Any number
    /// of threads may accept from one listener.
    io_result<stream> accept(duration within = {}, const stop_signal* stop = nullptr) noexcept;

    void close() noexcept;
    bool is_open() const noexcept { return fd_ >= 0; }
    int  native_handle() const noexcept { return fd_; }

    io_result<endpoint> local() const noexcept;

    /// The port that is listened on, also when 0 was asked for; 0 if closed or a unix socket.
    std::uint16_t port() const noexcept;
};

/// As many waiting connections as the system allows.
inline constexpr int max_backlog = 4096;

/// Listens on an address or a name of this machine; empty: on all interfaces, IPv6 and IPv4. Port 0 takes a free one.
/// The address may be reused at once after a listener before has gone. With `shares_port` other sockets of the same user
/// may listen there as well, if they say so too, and the system spreads the connections over them (SO_REUSEPORT).
/// `errc::invalid_port`: not from 0 to 65535; else as connect.
io_result<listener> listen(std::string_view host, int port, int backlog = max_backlog, bool shares_port = false) noexcept;

/// Listens on a unix socket at `path`. A socket file on which nobody listens any more is removed first; if somebody
/// does, or the file is no socket, `std::errc::address_in_use`. Two processes that start at the same time are the
/// caller's to keep apart, as are the permissions of the directory.
io_result<listener> unix_listen(std::string_view path, int backlog = max_backlog) noexcept;

} // namespace navette::tcp

namespace navette {

/// A client's connection over whatever transport its URI asked for.
using client_connection = connection<role::client, any_stream>;

/// What `connect(uri)` may be given beside the URI. All is borrowed for the call; see `connect(S, ...)` for what longer.
struct connect_options {
    client_options handshake{};
    navette::limits limits{};
    navette::timeouts timeouts{};

    /// Makes the TLS engine of a wss URI, and of an https proxy; null: such are `errc::no_tls`, before a byte is sent.
    const transport_factory* tls = nullptr;

    /// The proxies on the way, a chain as proxy_chain has it: "http://user:secret@proxy.example:3128"; "": none. By default
    /// what proxies_from_environment says. ws goes through a tunnel as wss does (RFC 6455, 4.1).
    std::optional<std::string_view> proxy{};

    /// Sent with the request as Basic authentication (RFC 7617), or as a bearer token (RFC 6750). One of them at most.
    credentials      login{};
    std::string_view bearer{};

    /// How many redirections are followed; then `errc::too_many_redirects`. At 0 a redirection is `errc::unexpected_status`.
    /// Another origin gets neither `login` nor `bearer` nor fields that are credentials (see is_credential).
    unsigned redirects = 0;

    /// Turns the host's name into addresses, see `tcp::resolver`.
    tcp::resolver resolver{};

    /// If not null, ends whatever waits, from another thread: `std::errc::operation_canceled`. The connection keeps it.
    const tcp::stop_signal* stop = nullptr;

    /// If not null, is filled in.
    connect_report* report = nullptr;
};

/// Connects to a ws or wss URI: TCP to its host or the first proxy, tunnels, TLS if secure, then the opening handshake, each
/// within its deadline. The URI is checked before anything is sent. Errors: those of `parse_uri`, `client_route`,
/// `tcp::connect`, the engines and `connect(S, ...)`; `errc::proxy_timeout`, `errc::tls_timeout`; `errc::bad_redirect`,
/// `errc::insecure_redirect`, `errc::too_many_redirects`; `errc::misuse`: `login` and `bearer`.
///
///     auto ws = navette::connect("ws://127.0.0.1:9001/chat", {.handshake = {.subprotocols = wanted}});
io_result<client_connection> connect(std::string_view uri, const connect_options& options = {});
io_result<client_connection> connect(const uri& to, const connect_options& options = {});

} // namespace navette

#if !defined(NAVETTE_SEPARATE_COMPILATION)
#  include <navette/tcp_wait.ipp>
#  include <navette/tcp_resolve.ipp>
#  include <navette/tcp_connect.ipp>
#  include <navette/tcp.ipp>
#  include <navette/tcp_client.ipp>
#endif
