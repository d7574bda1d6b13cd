// The engine of tls.hpp: one SSL object over a BIO of our own, which reads and writes the caller's memory; its errors; and
// the sessions that clients take up again.
#pragma once

#include <navette/tls.hpp>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstring>
#include <mutex>
#include <new>
#include <string>

namespace navette::tls {
namespace detail {

class openssl_errors final : public std::error_category {
public:
    const char* name() const noexcept override { return "openssl"; }
    std::string message(int value) const override {
        const auto  code   = static_cast<unsigned long>(static_cast<unsigned>(value));
        const char* reason = ERR_reason_error_string(code);
        std::string text("TLS: ");
        if (reason == nullptr) return text + "OpenSSL error " + std::to_string(code);
        text += reason;
        const int number = ERR_GET_REASON(code);
        if (ERR_GET_LIB(code) == ERR_LIB_SSL && (number == SSL_R_WRONG_VERSION_NUMBER || number == SSL_R_HTTP_REQUEST))
            text += " (the peer does not speak TLS on this port, or not a version that is accepted)";
        if (number == ERR_R_UNSUPPORTED) text += " (there is no key or certificate in it, or one of an unknown kind)";
        return text;
    }
    std::error_condition default_error_condition(int) const noexcept override {
        return make_error_condition(blame::handshake_failed);
    }
};

class certificate_errors final : public std::error_category {
public:
    const char* name() const noexcept override { return "certificate"; }
    std::string message(int value) const override {
        return std::string("the peer's certificate is not accepted: ") + X509_verify_cert_error_string(value);
    }
    std::error_condition default_error_condition(int) const noexcept override {
        return make_error_condition(blame::handshake_failed);
    }
};

// The first error that OpenSSL has queued, which is the cause; forgets the rest.
inline std::error_code take_error() noexcept {
    const unsigned long code = ERR_get_error();
    ERR_clear_error();
    if (code == 0) return errc::out_of_memory;
    if (ERR_SYSTEM_ERROR(code)) return {ERR_GET_REASON(code), std::system_category()};
    if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE) return errc::out_of_memory;
    return {static_cast<int>(static_cast<unsigned>(code)), openssl_category()};
}

template <auto Free>
struct freed_by {
    template <class T>
    void operator()(T* object) const noexcept { Free(object); }
};
inline void free_chain(STACK_OF(X509)* chain) noexcept { sk_X509_pop_free(chain, X509_free); }

using owned_bio         = std::unique_ptr<BIO, freed_by<BIO_free_all>>;
using owned_certificate = std::unique_ptr<X509, freed_by<X509_free>>;
using owned_chain       = std::unique_ptr<STACK_OF(X509), freed_by<free_chain>>;
using owned_key         = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using owned_list        = std::unique_ptr<X509_CRL, freed_by<X509_CRL_free>>;
using owned_context     = std::unique_ptr<SSL_CTX, freed_by<SSL_CTX_free>>;
using owned_session     = std::unique_ptr<SSL_SESSION, freed_by<SSL_SESSION_free>>;
using owned_ssl         = std::unique_ptr<SSL, freed_by<SSL_free>>;

// A name that ends in NUL, as OpenSSL wants it. False: too long, or a NUL inside.
using host_name = std::array<char, 256>;
inline bool copy_name(std::string_view text, host_name& to) noexcept {
    if (text.size() >= to.size() || text.find('\0') != std::string_view::npos) return false;
    std::memcpy(to.data(), text.data(), text.size());
    to[text.size()] = '\0';
    return true;
}

// Sessions that clients may resume, one a host, the oldest forgotten.
class session_store {
    struct entry {
        host_name     host{};
        owned_session session{};
    };
    std::mutex            lock_{};
    std::array<entry, 64> entries_{};
    std::size_t           oldest_ = 0;

public:
    void put(const host_name& host, owned_session session) noexcept {
        const std::lock_guard held(lock_);
        for (entry& each : entries_)
            if (each.session != nullptr && std::strcmp(each.host.data(), host.data()) == 0) return each.session.swap(session);
        entries_[oldest_].host    = host;
        entries_[oldest_].session = std::move(session);
        oldest_                   = (oldest_ + 1) % entries_.size();
    }
    // One of TLS 1.3 is taken up once (RFC 8446, C.4).
    owned_session take(const host_name& host) noexcept {
        const std::lock_guard held(lock_);
        for (entry& each : entries_) {
            SSL_SESSION* const session = each.session.get();
            if (session == nullptr || std::strcmp(each.host.data(), host.data()) != 0) continue;
            if (SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION) return std::move(each.session);
            return owned_session(SSL_SESSION_up_ref(session) == 1 ? session : nullptr);
        }
        return {};
    }
};

// A BIO whose input is what the caller gives, and whose output is appended to the caller's buffer.
struct memory {
    byte_span* in   = nullptr;
    buffer*    out  = nullptr;
    bool       full = false;   // there was no memory for the output
};

inline int read_memory(BIO* bio, char* to, std::size_t size, std::size_t* done) noexcept {
    BIO_clear_retry_flags(bio);
    const auto& from = *static_cast<memory*>(BIO_get_data(bio));
    if (from.in == nullptr || from.in->empty()) {
        BIO_set_retry_read(bio);
        return 0;
    }
    *done = lesser(size, from.in->size());
    std::memcpy(to, from.in->data(), *done);
    *from.in = from.in->subspan(*done);
    return 1;
}

inline int write_memory(BIO* bio, const char* from, std::size_t size, std::size_t* done) noexcept {
    BIO_clear_retry_flags(bio);
    auto& to = *static_cast<memory*>(BIO_get_data(bio));
    to.full  = to.full || to.out == nullptr || !to.out->append(as_bytes(std::string_view(from, size)));
    *done    = to.full ? 0 : size;
    return to.full ? 0 : 1;
}

inline long control_memory(BIO*, int command, long, void*) noexcept { return command == BIO_CTRL_FLUSH ? 1 : 0; }

inline const BIO_METHOD* memory_method() noexcept {
    static BIO_METHOD* const method = [] {
        BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "navette");
        if (made == nullptr) return made;
        BIO_meth_set_read_ex(made, read_memory);
        BIO_meth_set_write_ex(made, write_memory);
        BIO_meth_set_ctrl(made, control_memory);
        BIO_meth_set_create(made, [](BIO* bio) {
            BIO_set_init(bio, 1);
            return 1;
        });
        return made;
    }();
    return method;
}

class engine {
    // Invariant: the BIO of ssl_ works on memory_, whose pointers are null outside of a call.
    owned_ssl       ssl_{};
    memory          memory_{};
    session_store*  sessions_ = nullptr;   // null on a server
    host_name       host_{};
    std::error_code lost_{};               // met behind bytes that were produced; told by the next call

    static constexpr std::size_t record_size = 16 * 1024;

    // Lets OpenSSL work on these, for one call.
    class lent {
        memory& to_;

    public:
        lent(memory& to, byte_span* in, buffer& out) noexcept : to_(to) {
            to_.in  = in;
            to_.out = &out;
            ERR_clear_error();
        }
        lent(const lent&) = delete;
        lent& operator=(const lent&) = delete;
        ~lent() { to_.in = nullptr, to_.out = nullptr; }
    };

    // What a call that did not succeed says: success, if it needs more input.
    std::error_code why(int result) noexcept {
        switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_ZERO_RETURN: return {};
        case SSL_ERROR_SSL: {
            const long verified = SSL_get_verify_result(ssl_.get());
            if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_CERTIFICATE_VERIFY_FAILED && verified != X509_V_OK) {
                ERR_clear_error();
                return {static_cast<int>(verified), certificate_category()};
            }
            return memory_.full ? make_error_code(errc::out_of_memory) : take_error();
        }
        default: return memory_.full ? make_error_code(errc::out_of_memory) : take_error();
        }
    }

    // True once it is complete.
    bool shake_hands(engine_step& step) noexcept {
        if (SSL_is_init_finished(ssl_.get()) != 0) return true;
        const int done = SSL_do_handshake(ssl_.get());
        if (done == 1) return true;
        step.error = lost_ = why(done);
        return false;
    }

public:
    engine() = default;
    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;
    // OpenSSL gives up the session of a connection that is freed without a close_notify, which a lost transport has not.
    ~engine() {
        if (ssl_ != nullptr && !lost_) SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN);
    }

    static io_result<transport_engine> make(SSL_CTX* context, role r, std::string_view host, bool verifies,
                                            session_store& sessions) noexcept;

    engine_step receive(byte_span& in, byte_span plain, buffer& out) noexcept {
        engine_step step;
        if (lost_) return {.error = lost_};
        const lent call(memory_, &in, out);
        if (!shake_hands(step)) return step;
        int result = 1;
        if (plain.empty()) {
            // Lets it take records that are not data.
            char        none;
            std::size_t seen = 0;
            result           = SSL_peek_ex(ssl_.get(), &none, sizeof none, &seen);
        }
        while (result == 1 && step.produced < plain.size()) {
            const byte_span rest = plain.subspan(step.produced);
            std::size_t     size = 0;
            result               = SSL_read_ex(ssl_.get(), rest.data(), rest.size(), &size);
            step.produced += size;
        }
        if (result == 1) return step;
        if ((SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0 && SSL_get_error(ssl_.get(), result) == SSL_ERROR_ZERO_RETURN) {
            step.ended = step.produced == 0;
            return step;
        }
        lost_ = why(result);
        if (step.produced == 0) step.error = lost_;
        return step;
    }

    // Without the peer's close_notify somebody else may have cut the stream (RFC 8446, 6.1).
    engine_step receive_eof() noexcept {
        if (lost_) return {.error = lost_};
        if ((SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0) return {.ended = true};
        lost_ = errc::tls_truncated;
        return {.error = lost_};
    }

    engine_step send(const_byte_span& plain, buffer& out) noexcept {
        engine_step step;
        if (lost_) return {.error = lost_};
        const lent call(memory_, nullptr, out);
        step.open = shake_hands(step);
        if (!step.open || plain.empty()) return step;
        std::size_t size   = 0;
        const int   result = SSL_write_ex(ssl_.get(), plain.data(), lesser(plain.size(), record_size), &size);
        plain              = plain.subspan(size);
        if (result != 1) step.error = lost_ = why(result);
        return step;
    }

    // Before the handshake is complete there is nothing to end.
    engine_step shutdown(buffer& out) noexcept {
        if (lost_) return {.error = lost_};
        if (SSL_is_init_finished(ssl_.get()) == 0) return {};
        const lent call(memory_, nullptr, out);
        const int  result = SSL_shutdown(ssl_.get());
        return {.error = result < 0 ? why(result) : std::error_code{}};
    }

    SSL* native_handle() const noexcept { return ssl_.get(); }

    // OpenSSL has a session that may be resumed. Returns 1 if it was taken over.
    static int keep_session(SSL* ssl, SSL_SESSION* session) noexcept {
        const auto* self = static_cast<engine*>(SSL_get_app_data(ssl));
        if (self == nullptr || self->sessions_ == nullptr || SSL_SESSION_is_resumable(session) == 0) return 0;
        self->sessions_->put(self->host_, owned_session(session));
        return 1;
    }
};

inline engine& engine_at(void* self) noexcept { return *static_cast<engine*>(self); }

inline constexpr transport_engine_table engine_table{
    [](void* self, byte_span& in, byte_span plain, buffer& out) noexcept { return engine_at(self).receive(in, plain, out); },
    [](void* self) noexcept { return engine_at(self).receive_eof(); },
    [](void* self, const_byte_span& plain, buffer& out) noexcept { return engine_at(self).send(plain, out); },
    [](void* self, buffer& out) noexcept { return engine_at(self).shutdown(out); },
    [](void* self) noexcept { delete &engine_at(self); },
};

inline io_result<transport_engine> engine::make(SSL_CTX* context, role r, std::string_view host, bool verifies,
                                                session_store& sessions) noexcept {
    ERR_clear_error();
    if (host.ends_with('.')) host.remove_suffix(1);   // of a fully qualified name; certificates and SNI have none
    std::unique_ptr<engine> made(new (std::nothrow) engine);
    if (made == nullptr) return errc::out_of_memory;
    made->ssl_.reset(SSL_new(context));
    BIO* const bio = memory_method() == nullptr ? nullptr : BIO_new(memory_method());
    if (made->ssl_ == nullptr || bio == nullptr) {
        BIO_free(bio);
        return errc::out_of_memory;
    }
    SSL* const ssl = made->ssl_.get();
    BIO_set_data(bio, &made->memory_);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_app_data(ssl, made.get());
    if (r == role::server) {
        SSL_set_accept_state(ssl);
        return transport_engine(engine_table, made.release());
    }
    SSL_set_connect_state(ssl);
    if (!copy_name(host, made->host_) || (host.empty() && verifies)) return errc::invalid_host;
    X509_VERIFY_PARAM* const checks = SSL_get0_param(ssl);
    // An address is no name: neither in a certificate (RFC 6125, 1.7.2) nor in SNI (RFC 6066, 3).
    if (X509_VERIFY_PARAM_set1_ip_asc(checks, made->host_.data()) != 1 && !host.empty()) {
        ERR_clear_error();
        X509_VERIFY_PARAM_set_hostflags(checks, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        if (SSL_set1_host(ssl, made->host_.data()) != 1 || SSL_set_tlsext_host_name(ssl, made->host_.data()) != 1)
            return take_error();
    }
    made->sessions_ = &sessions;
    if (const owned_session earlier = sessions.take(made->host_)) SSL_set_session(ssl, earlier.get());
    return transport_engine(engine_table, made.release());
}

} // namespace detail
} // namespace navette::tls
