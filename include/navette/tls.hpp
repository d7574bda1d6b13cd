// TLS 1.2 and 1.3 with OpenSSL 3, as a transport_engine that does no I/O: it reads and writes the caller's buffers, never a
// descriptor (RFC 8446; RFC 6455, 4.1 and 10.6). The peer is verified unless a call with a name that says so turns that off.
// The only header that includes OpenSSL's; link ssl and crypto. With NAVETTE_SEPARATE_COMPILATION the file that includes
// src.hpp includes tls.ipp, too. No ALPN protocol but http/1.1, no early data, no sockets.
#pragma once

#include <navette/base/timeouts.hpp>
#include <navette/stream/async_engine_stream.hpp>
#include <navette/stream/transfer.hpp>
#include <navette/stream/transport_engine.hpp>

#include <openssl/opensslv.h>
#if OPENSSL_VERSION_NUMBER < 0x30000000L
#  error "navette/tls.hpp needs OpenSSL 3.0 or newer"
#endif
#include <openssl/ssl.h>

#include <memory>
#include <string_view>

namespace navette::tls {

/// The category of OpenSSL's own errors, named "openssl"; what a file could not be read for is of the system's category.
const std::error_category& openssl_category() noexcept;

/// The category of the results of verifying a peer's certificate, named "certificate": X509_V_ERR_CERT_HAS_EXPIRED and its
/// like, so `error == std::error_code(X509_V_ERR_HOSTNAME_MISMATCH, tls::certificate_category())` can be asked. Their
/// condition is blame::handshake_failed.
const std::error_category& certificate_category() noexcept;

/// Certificates, keys or revocation lists in PEM: a text, or the name of a file that holds it. Borrowed for a call.
class pem {
    std::string_view what_;
    bool             is_file_;

    constexpr pem(std::string_view what, bool is_file) noexcept : what_(what), is_file_(is_file) {}

public:
    static constexpr pem text(std::string_view text) noexcept { return {text, false}; }
    static constexpr pem file(std::string_view name) noexcept { return {name, true}; }

    constexpr std::string_view what() const noexcept { return what_; }
    constexpr bool             is_file() const noexcept { return is_file_; }
};

enum class version { tls1_2, tls1_3 };

/// What one side of TLS trusts and shows, for any number of connections. Movable; set up by one thread, before the first
/// engine is made, and then used by any. Outlives its engines.
///
///     auto tls = tls::context::client();                              // the system's trust store
///     if (!tls) return tls.error();
///     if (auto error = tls->trust(tls::pem::file("our-ca.pem"))) return error;
///     const transport_factory factory = tls->factory();
///     auto ws = connect("wss://localhost:9001/", {.tls = &factory});
///
/// Errors of what follows: OpenSSL's, the system's if a file cannot be opened, `errc::out_of_memory`.
class context {
    struct state;
    std::unique_ptr<state> state_;

    explicit context(std::unique_ptr<state> made) noexcept;

public:
    /// A client: verifies chain and host name, against the certificates that the system trusts.
    static io_result<context> client();
    /// A client that trusts what these certificates have issued and nobody else.
    static io_result<context> client(pem authorities);
    /// A server, which needs at least one certificate.
    static io_result<context> server();

    context(context&&) noexcept;
    context& operator=(context&&) noexcept;
    ~context();

    /// Trusts what these certificates have issued, too.
    std::error_code trust(pem authorities);

    /// Refuses certificates on these lists. From the first call on each certificate of a chain must have an issuer whose
    /// list was given: one without is refused.
    std::error_code revoke(pem lists);

    /// Shows this chain, the own certificate first, and proves to have its key, which `password` decrypts. On a server it
    /// may be repeated: those that are for the name that the client asks for (SNI) are shown, else the first. A client
    /// shows it if it is asked to. `errc::misuse`: the key is not the certificate's.
    std::error_code show(pem chain, pem key, std::string_view password = {});

    /// A server asks clients for a certificate, which must come from who is trusted; none at all is allowed or not.
    enum class client_certificate : bool { optional, required };
    void ask_for(client_certificate how) noexcept;

    /// The lowest version that is spoken; 1.2 by default.
    std::error_code at_least(version lowest) noexcept;

    /// A client takes any certificate from anybody: who stands between the two can read and change everything. For tests.
    void disable_verification_of_the_server() noexcept;

    /// Makes engines of this context; views it. `make` checks `host`: `errc::invalid_host` if a client has none.
    transport_factory factory() const noexcept;
    io_result<transport_engine> make(std::string_view host = {}) const noexcept { return factory().make(state_.get(), is(), host); }

    role is() const noexcept;

    /// OpenSSL's object, to set what is not offered here: suites, groups, a key log.
    SSL_CTX* native_handle() const noexcept;
};

/// What an engine has agreed with its peer.
struct facts {
    const char*      version = "";         ///< "TLSv1.3"; in static storage, as is the suite
    const char*      suite   = "";         ///< "TLS_AES_256_GCM_SHA384"
    bool             resumed = false;      ///< an earlier session was taken up
    std::string_view server_name{};        ///< what the client asked for (SNI); lives as long as the engine
    bool             peer_certified = false;  ///< the peer has shown a certificate, and it was accepted
};

/// Empty until the engine's handshake is complete, and for an engine of another kind.
facts facts_of(const transport_engine& engine) noexcept;

/// OpenSSL's object behind an engine, to ask for what `facts` does not have; null if the engine is of another kind.
SSL* native_handle(const transport_engine& engine) noexcept;

/// TLS over the stream S; itself a stream, over which TLS may be laid again.
template <sync_stream S, class Lock = no_lock>
using stream = engine_stream<S, Lock>;

/// The same over the asynchronous stream S, and itself one. TLS is laid with an engine of a context; without one it passes
/// bytes through:
///
///     auto engine = context.make("example.com");
///     if (!engine) co_return engine.error();
///     tls::async_stream<socket> laid(std::move(connected), *std::move(engine));
///     if (auto error = co_await laid.handshake()) co_return error;
template <navette::async_stream S>
using async_stream = async_engine_stream<S>;

namespace detail {

template <class Lock, sync_stream S>
io_result<stream<S, Lock>> shake_hands(S next, const context& with, std::string_view host, duration within) {
    auto engine = with.make(host);
    if (!engine) {
        next.close();
        return engine.error();
    }
    stream<S, Lock> made(std::move(next), *std::move(engine));
    if constexpr (deadline_stream<S>) made.write_expires_at(deadline(made.now(), within));
    if (const auto error = made.handshake()) {
        made.close();
        return error == std::errc::timed_out ? make_error_code(errc::tls_timeout) : error;
    }
    if constexpr (deadline_stream<S>) made.write_expires_at(instant::never());
    return made;
}

} // namespace detail

/// Lays TLS over a stream that leads to the server `host`: a name, or an address without brackets. Shakes hands, within
/// `within` if S keeps deadlines: `errc::tls_timeout`. On any error the stream is closed. A server that refuses the client's
/// certificate says so only after this, to the first read (RFC 8446, 4.4.2.4).
template <class Lock = no_lock, sync_stream S>
io_result<stream<S, Lock>> connect(S next, const context& with, std::string_view host, duration within = timeouts{}.tls) {
    return detail::shake_hands<Lock>(std::move(next), with, host, within);
}

/// The same as the server.
template <class Lock = no_lock, sync_stream S>
io_result<stream<S, Lock>> accept(S next, const context& with, duration within = timeouts{}.tls) {
    return detail::shake_hands<Lock>(std::move(next), with, {}, within);
}

} // namespace navette::tls

#if !defined(NAVETTE_SEPARATE_COMPILATION)
#  include <navette/tls.ipp>
#endif
