// The component tls: OpenSSL. The same conversation behind TLS, with a certificate that is made here.
#include "echo.hpp"

#include <navette/tls.hpp>

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

using namespace navette;

template <class Write>
std::string in_pem(Write write) {
    BIO* const to   = BIO_new(BIO_s_mem());
    char*      text = nullptr;
    write(to);
    const auto        size = static_cast<std::size_t>(BIO_get_mem_data(to, &text));
    const std::string copy(text, size);
    BIO_free(to);
    return copy;
}

struct certificate {
    EVP_PKEY* const key = EVP_EC_gen("P-256");
    X509* const     own = X509_new();

    certificate() {
        X509_set_version(own, X509_VERSION_3);
        ASN1_INTEGER_set(X509_get_serialNumber(own), 1);
        X509_gmtime_adj(X509_getm_notBefore(own), -3600);
        X509_gmtime_adj(X509_getm_notAfter(own), 3600);
        X509_set_pubkey(own, key);
        X509_EXTENSION* const names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:consumer.test");
        X509_add_ext(own, names, -1);
        X509_EXTENSION_free(names);
        X509_sign(own, key, EVP_sha256());
    }
    certificate(const certificate&)            = delete;
    certificate& operator=(const certificate&) = delete;
    ~certificate() {
        X509_free(own);
        EVP_PKEY_free(key);
    }

    std::string text() const { return in_pem([&](BIO* to) { PEM_write_bio_X509(to, own); }); }
    std::string key_text() const {
        return in_pem([&](BIO* to) { PEM_write_bio_PrivateKey(to, key, nullptr, nullptr, 0, nullptr, nullptr); });
    }
};

// The echo server behind an engine, which does no I/O either.
class secure_server {
    echo_server      behind_{{}};
    transport_engine engine_;
    buffer           in_, out_;

public:
    explicit secure_server(transport_engine engine) : engine_(std::move(engine)) {}

    void take(const_byte_span bytes) {
        if (!in_.append(bytes)) return;
        byte_span   in = in_.data();
        std::byte   plain[1000];
        engine_step step;
        do {
            step = engine_.receive(in, plain, out_);
            behind_.take(std::span(plain).first(step.produced));
        } while (step.produced != 0);
        in_.consume(in_.size() - in.size());
    }

    std::size_t give(byte_span place) {
        std::byte plain[1000];
        for (std::size_t n; (n = behind_.give(plain)) != 0;)
            for (const_byte_span rest = std::span(plain).first(n); !rest.empty();)
                if (engine_.send(rest, out_).error) return 0;
        const std::size_t n = std::min(place.size(), out_.size());
        std::copy_n(out_.data().begin(), n, place.begin());
        out_.consume(n);
        return n;
    }
};

int main() {
    const certificate shown;
    auto              theirs = tls::context::server();
    const auto        ours   = tls::context::client(tls::pem::text(shown.text()));
    if (!theirs || !ours || theirs->show(tls::pem::text(shown.text()), tls::pem::text(shown.key_text())))
        return std::puts("no context"), 1;

    std::size_t   written = 0;
    secure_server server(*theirs->make());
    auto stream = tls::connect(memory_stream<secure_server>{&server, &written}, *ours, "consumer.test");
    if (!stream) return std::puts(stream.error().message().c_str()), 1;
    const std::string version = tls::facts_of(stream->engine()).version, said(1000, 'n');
    if (converse(*std::move(stream), "wss://consumer.test/chat", written, said) != 0) return 1;
    return std::printf("navette %s: %s\n", NAVETTE_VERSION, version.c_str()), 0;
}
