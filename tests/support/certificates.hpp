// A certificate authority that makes what the tests of TLS need: good certificates, and bad ones of every kind. Keys are
// P-256. Over OpenSSL; a call that fails there ends the test.
#pragma once

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace certificates {

template <class T, auto Free>
struct freed {
    void operator()(T* object) const { Free(object); }
};
using x509 = std::unique_ptr<X509, freed<X509, X509_free>>;
using pkey = std::unique_ptr<EVP_PKEY, freed<EVP_PKEY, EVP_PKEY_free>>;
using bio  = std::unique_ptr<BIO, freed<BIO, BIO_free_all>>;

inline void must(bool done) {
    if (done) return;
    ERR_print_errors_fp(stderr);
    std::abort();
}

template <class Write>
std::string written(Write write) {
    const bio to(BIO_new(BIO_s_mem()));
    must(write(to.get()) == 1);
    char*      text = nullptr;
    const long size = BIO_get_mem_data(to.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

/// What a certificate says. Times are seconds from now.
struct wish {
    std::string names = "DNS:localhost";   // as OpenSSL writes subjectAltName; empty: none
    std::string usage = "serverAuth";      // extended key usage
    long        from = -86'400, until = 86'400;
    std::string subject = "navette test";
};

/// A certificate and its key, in PEM. `chain` has what leads up to the root, without it.
struct issued {
    x509        certificate;
    pkey        key;
    std::string chain, key_text;
};

class issuer {
    pkey                       key_;
    x509                       certificate_;
    std::string                above_;      // the chain from here up, without the root
    static inline long         serial_ = 1;

    static void extend(X509* to, X509* from, int kind, const std::string& value) {
        if (value.empty()) return;
        X509V3_CTX context;
        X509V3_set_ctx_nodb(&context);
        X509V3_set_ctx(&context, from, to, nullptr, nullptr, 0);
        X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
        must(made != nullptr && X509_add_ext(to, made, -1) == 1);
        X509_EXTENSION_free(made);
    }

    static x509 make(const wish& says, EVP_PKEY* own, X509* from_whom, EVP_PKEY* signer, bool is_authority) {
        x509 made(X509_new());
        must(made != nullptr);
        X509_set_version(made.get(), 2);
        ASN1_INTEGER_set(X509_get_serialNumber(made.get()), serial_++);
        X509_gmtime_adj(X509_getm_notBefore(made.get()), says.from);
        X509_gmtime_adj(X509_getm_notAfter(made.get()), says.until);
        X509_set_pubkey(made.get(), own);
        X509_NAME* name = X509_get_subject_name(made.get());
        must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(says.subject.c_str()),
                                        -1, -1, 0) == 1);
        X509* const from = from_whom == nullptr ? made.get() : from_whom;
        X509_set_issuer_name(made.get(), X509_get_subject_name(from));
        extend(made.get(), from, NID_basic_constraints, is_authority ? "critical,CA:TRUE" : "CA:FALSE");
        if (is_authority) extend(made.get(), from, NID_key_usage, "critical,keyCertSign,cRLSign");
        else extend(made.get(), from, NID_ext_key_usage, says.usage);
        extend(made.get(), from, NID_subject_key_identifier, "hash");
        if (!is_authority) extend(made.get(), from, NID_subject_alt_name, says.names);
        must(X509_sign(made.get(), signer, EVP_sha256()) != 0);
        return made;
    }

    static std::string text_of(X509* certificate) {
        return written([&](BIO* to) { return PEM_write_bio_X509(to, certificate); });
    }

public:
    explicit issuer(const std::string& name = "navette test root")
        : key_(EVP_EC_gen("P-256")), certificate_(make({.subject = name}, key_.get(), nullptr, key_.get(), true)) {}

    /// One below another.
    issuer(issuer& above, const std::string& name)
        : key_(EVP_EC_gen("P-256")),
          certificate_(make({.subject = name}, key_.get(), above.certificate_.get(), above.key_.get(), true)),
          above_(text_of(certificate_.get()) + above.above_) {}

    std::string text() const { return text_of(certificate_.get()); }

    issued issue(const wish& says = {}, const std::string& password = {}) {
        issued made;
        made.key.reset(EVP_EC_gen("P-256"));
        made.certificate = make(says, made.key.get(), certificate_.get(), key_.get(), false);
        made.chain       = text_of(made.certificate.get()) + above_;
        made.key_text    = written([&](BIO* to) {
            return PEM_write_bio_PKCS8PrivateKey(to, made.key.get(), password.empty() ? nullptr : EVP_aes_128_cbc(), password.data(),
                                                 static_cast<int>(password.size()), nullptr, nullptr);
        });
        return made;
    }

    /// Signed by itself.
    static issued self_signed(const wish& says = {}) {
        issued made;
        made.key.reset(EVP_EC_gen("P-256"));
        made.certificate = make(says, made.key.get(), nullptr, made.key.get(), false);
        made.chain       = text_of(made.certificate.get());
        made.key_text    = written([&](BIO* to) {
            return PEM_write_bio_PKCS8PrivateKey(to, made.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
        });
        return made;
    }

    /// A revocation list of this issuer's.
    std::string revoke(const std::vector<const issued*>& revoked) {
        std::unique_ptr<X509_CRL, freed<X509_CRL, X509_CRL_free>> list(X509_CRL_new());
        X509_CRL_set_version(list.get(), 1);
        X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(certificate_.get()));
        ASN1_TIME* const at = ASN1_TIME_new();
        X509_gmtime_adj(at, -60);
        X509_CRL_set1_lastUpdate(list.get(), at);
        for (const issued* one : revoked) {
            X509_REVOKED* const entry = X509_REVOKED_new();
            X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(one->certificate.get()));
            X509_REVOKED_set_revocationDate(entry, at);
            X509_CRL_add0_revoked(list.get(), entry);
        }
        X509_gmtime_adj(at, 86'400);
        X509_CRL_set1_nextUpdate(list.get(), at);
        ASN1_TIME_free(at);
        must(X509_CRL_sign(list.get(), key_.get(), EVP_sha256()) != 0);
        return written([&](BIO* to) { return PEM_write_bio_X509_CRL(to, list.get()); });
    }
};

} // namespace certificates
