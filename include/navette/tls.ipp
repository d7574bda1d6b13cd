// The bodies of tls.hpp over OpenSSL 3: what certificates, keys and lists are read into, and the context around one SSL_CTX.
// The engine is in tls_engine.ipp.
#pragma once

#include <navette/tls.hpp>
#include <navette/tls_engine.ipp>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstring>
#include <limits>
#include <new>
#include <string>

namespace navette::tls {
namespace detail {

inline owned_bio open(const pem& source) {
    if (source.is_file()) return owned_bio(BIO_new_file(std::string(source.what()).c_str(), "rb"));
    const std::size_t size = source.what().size();
    if (size > static_cast<std::size_t>(std::numeric_limits<int>::max())) return {};
    return owned_bio(BIO_new_mem_buf(source.what().data(), static_cast<int>(size)));
}

// Calls `use(object)` for each object that `read` finds, at least one.
template <class Owned, class Read, class Use>
std::error_code read_each(const pem& source, Read read, Use use) {
    ERR_clear_error();
    const owned_bio from = open(source);
    if (from == nullptr) return take_error();
    for (bool found = false;; found = true) {
        Owned object(read(from.get()));
        if (object == nullptr) {
            const unsigned long last = ERR_peek_last_error();
            if (found && ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE) break;
            return take_error();
        }
        if (!use(std::move(object))) return take_error();
    }
    ERR_clear_error();
    return {};
}

inline int give_password(char* place, int size, int, void* from) noexcept {
    const auto& password = *static_cast<const std::string_view*>(from);
    if (password.size() > static_cast<std::size_t>(size)) return -1;
    if (!password.empty()) std::memcpy(place, password.data(), password.size());
    return static_cast<int>(password.size());
}

// A chain and its key. The first is shown to who asks for no name that any is for.
struct identity {
    owned_certificate         own{};
    owned_chain               others{};
    owned_key                 key{};
    std::unique_ptr<identity> next{};
};

} // namespace detail

NAVETTE_INLINE const std::error_category& openssl_category() noexcept {
    static const detail::openssl_errors category;
    return category;
}

NAVETTE_INLINE const std::error_category& certificate_category() noexcept {
    static const detail::certificate_errors category;
    return category;
}

// ---- context

struct context::state {
    role                              is;
    detail::owned_context             native;
    bool                              verifies = true;
    std::unique_ptr<detail::identity> identities{};
    mutable detail::session_store     sessions{};

    static io_result<std::unique_ptr<state>> make(role r) {
        ERR_clear_error();
        detail::owned_context native(SSL_CTX_new(r == role::client ? TLS_client_method() : TLS_server_method()));
        if (native == nullptr || SSL_CTX_set_min_proto_version(native.get(), TLS1_2_VERSION) != 1) return detail::take_error();
        SSL_CTX_set_options(native.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
        SSL_CTX_set_mode(native.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
        std::unique_ptr<state> made(new (std::nothrow) state{.is = r, .native = std::move(native)});
        if (made == nullptr) return errc::out_of_memory;
        SSL_CTX* const context = made->native.get();
        SSL_CTX_set_cert_cb(context, choose_identity, made.get());
        if (r == role::client) {
            SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
            SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
            SSL_CTX_sess_set_new_cb(context, detail::engine::keep_session);
            if (SSL_CTX_set_alpn_protos(context, http1, sizeof http1) != 0) return detail::take_error();
        } else {
            // Sessions of one context are not taken up in another (SSL_CTX_set_session_id_context(3)).
            static constexpr unsigned char name[] = "navette";
            if (SSL_CTX_set_session_id_context(context, name, sizeof name - 1) != 1) return detail::take_error();
            SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
        }
        return made;
    }

    // What WebSocket's opening handshake is written in (RFC 7301; RFC 6455, 4.1).
    static constexpr unsigned char http1[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

    static int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                               unsigned offered_size, void*) noexcept {
        unsigned char* found = nullptr;
        if (SSL_select_next_proto(&found, size, http1, sizeof http1, offered, offered_size) != OPENSSL_NPN_NEGOTIATED)
            return SSL_TLSEXT_ERR_ALERT_FATAL;   // RFC 7301, 3.2
        *chosen = found;
        return SSL_TLSEXT_ERR_OK;
    }

    // Of one name there may be several, with keys of different kinds.
    static int choose_identity(SSL* ssl, void* from) noexcept {
        const auto* const first = static_cast<state*>(from)->identities.get();
        const char* const name  = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
        const auto use = [ssl](const detail::identity& one) {
            return SSL_use_cert_and_key(ssl, one.own.get(), one.key.get(), one.others.get(), 1) == 1;
        };
        bool found = false;
        for (const auto* each = first; each != nullptr && name != nullptr; each = each->next.get()) {
            if (X509_check_host(each->own.get(), name, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, nullptr) != 1) continue;
            if (!use(*each)) return 0;
            found = true;
        }
        return found || first == nullptr || use(*first) ? 1 : 0;
    }
};

NAVETTE_INLINE context::context(std::unique_ptr<state> made) noexcept : state_(std::move(made)) {}
NAVETTE_INLINE context::context(context&&) noexcept            = default;
NAVETTE_INLINE context& context::operator=(context&&) noexcept = default;
NAVETTE_INLINE context::~context()                             = default;

NAVETTE_INLINE io_result<context> context::client() {
    auto made = state::make(role::client);
    if (!made) return made.error();
    if (SSL_CTX_set_default_verify_paths((*made)->native.get()) != 1) return detail::take_error();
    return context(*std::move(made));
}

NAVETTE_INLINE io_result<context> context::client(pem authorities) {
    auto made = state::make(role::client);
    if (!made) return made.error();
    context with(*std::move(made));
    if (const auto error = with.trust(authorities)) return error;
    return with;
}

NAVETTE_INLINE io_result<context> context::server() {
    auto made = state::make(role::server);
    if (!made) return made.error();
    return context(*std::move(made));
}

// One that is trusted need not be the root of its chain: X509_V_FLAG_PARTIAL_CHAIN.
NAVETTE_INLINE std::error_code context::trust(pem authorities) {
    SSL_CTX* const native = native_handle();
    X509_STORE_set_flags(SSL_CTX_get_cert_store(native), X509_V_FLAG_PARTIAL_CHAIN);
    return detail::read_each<detail::owned_certificate>(
        authorities, [](BIO* from) { return PEM_read_bio_X509_AUX(from, nullptr, nullptr, nullptr); },
        [&](detail::owned_certificate one) {
            if (is() == role::server && SSL_CTX_add_client_CA(native, one.get()) != 1) return false;
            return X509_STORE_add_cert(SSL_CTX_get_cert_store(native), one.get()) == 1;
        });
}

NAVETTE_INLINE std::error_code context::revoke(pem lists) {
    X509_STORE* const store = SSL_CTX_get_cert_store(native_handle());
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    return detail::read_each<detail::owned_list>(
        lists, [](BIO* from) { return PEM_read_bio_X509_CRL(from, nullptr, nullptr, nullptr); },
        [&](detail::owned_list one) { return X509_STORE_add_crl(store, one.get()) == 1; });
}

NAVETTE_INLINE std::error_code context::show(pem chain, pem key, std::string_view password) {
    std::unique_ptr<detail::identity> made(new (std::nothrow) detail::identity);
    if (made == nullptr) return errc::out_of_memory;
    made->others.reset(sk_X509_new_null());
    if (made->others == nullptr) return errc::out_of_memory;
    const auto error = detail::read_each<detail::owned_certificate>(
        chain, [](BIO* from) { return PEM_read_bio_X509_AUX(from, nullptr, nullptr, nullptr); },
        [&](detail::owned_certificate one) {
            if (made->own == nullptr) {
                made->own = std::move(one);
                return true;
            }
            return sk_X509_push(made->others.get(), one.get()) != 0 && one.release() != nullptr;
        });
    if (error) return error;

    const detail::owned_bio from = detail::open(key);
    if (from == nullptr) return detail::take_error();
    made->key.reset(PEM_read_bio_PrivateKey(from.get(), nullptr, detail::give_password, &password));
    if (made->key == nullptr) return detail::take_error();
    if (X509_check_private_key(made->own.get(), made->key.get()) != 1) return detail::take_error();

    auto* last = &state_->identities;
    while (*last != nullptr) last = &(*last)->next;
    *last = std::move(made);
    return {};
}

NAVETTE_INLINE void context::ask_for(client_certificate how) noexcept {
    const int must = how == client_certificate::required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
    SSL_CTX_set_verify(native_handle(), SSL_VERIFY_PEER | must, nullptr);
}

NAVETTE_INLINE std::error_code context::at_least(version lowest) noexcept {
    ERR_clear_error();
    const int number = lowest == version::tls1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
    return SSL_CTX_set_min_proto_version(native_handle(), number) == 1 ? std::error_code{} : detail::take_error();
}

NAVETTE_INLINE void context::disable_verification_of_the_server() noexcept {
    if (is() == role::server) return;
    SSL_CTX_set_verify(native_handle(), SSL_VERIFY_NONE, nullptr);
    state_->verifies = false;
}

NAVETTE_INLINE transport_factory context::factory() const noexcept {
    return {state_.get(), [](const void* self, role r, std::string_view host) noexcept -> io_result<transport_engine> {
                const auto& with = *static_cast<const state*>(self);
                if (r != with.is) return errc::misuse;
                return detail::engine::make(with.native.get(), r, host, with.verifies, with.sessions);
            }};
}

NAVETTE_INLINE role     context::is() const noexcept { return state_->is; }
NAVETTE_INLINE SSL_CTX* context::native_handle() const noexcept { return state_->native.get(); }

// ---- what was agreed

NAVETTE_INLINE SSL* native_handle(const transport_engine& engine) noexcept {
    void* const self = engine.state_of(detail::engine_table);
    return self == nullptr ? nullptr : detail::engine_at(self).native_handle();
}

NAVETTE_INLINE facts facts_of(const transport_engine& engine) noexcept {
    SSL* const ssl = native_handle(engine);
    if (ssl == nullptr || SSL_is_init_finished(ssl) == 0) return {};
    facts all;
    all.version = SSL_get_version(ssl);
    all.suite   = SSL_get_cipher_name(ssl);
    all.resumed = SSL_session_reused(ssl) != 0;
    if (const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)) all.server_name = name;
    all.peer_certified = SSL_get0_peer_certificate(ssl) != nullptr && SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE;
    return all;
}

} // namespace navette::tls
