// A certificate for this machine's own visitors, made in memory: for localhost and its addresses, P-256, its own issuer.
// Browsers warn of it, since nobody vouches for it. Over OpenSSL.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

namespace example {

/// A certificate and its key, in PEM.
struct self_signed {
    std::string cert, key;
};

namespace detail {

template <auto Free>
struct freed_by {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};
template <class T, auto Free>
using owned = std::unique_ptr<T, freed_by<Free>>;

inline bool extend(X509* certificate, int kind, const char* value) {
    X509V3_CTX context; // its issuer is itself
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    X509V3_set_ctx_nodb(&context);
    const owned<X509_EXTENSION, X509_EXTENSION_free> made(
        X509V3_EXT_conf_nid(nullptr, &context, kind, value));
    return made != nullptr && X509_add_ext(certificate, made.get(), -1) == 1;
}

// A browser takes no second certificate of the same issuer with the same number.
inline bool number_at_random(X509* certificate) {
    unsigned char random[sizeof(std::uint64_t)];
    std::uint64_t number = 0;
    if (RAND_bytes(random, sizeof random) != 1) return false;
    std::memcpy(&number, random, sizeof number);
    return ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), number) == 1;
}

template <class Write>
std::string in_pem(Write write) {
    const owned<BIO, BIO_free_all> to(BIO_new(BIO_s_mem()));
    char* text = nullptr;
    if (to == nullptr || write(to.get()) != 1) return {};
    const long size = BIO_get_mem_data(to.get(), &text);
    return std::string(text, static_cast<std::size_t>(size));
}

} // namespace detail

/// Another one each time, from an hour ago until in 30 days. Empty if OpenSSL could not make it.
inline self_signed make_self_signed() {
    using namespace detail;
    const owned<EVP_PKEY, EVP_PKEY_free> key(EVP_EC_gen("P-256"));
    const owned<X509, X509_free> made(X509_new());
    if (key == nullptr || made == nullptr) return {};
    X509* const certificate = made.get();
    X509_NAME* const name   = X509_get_subject_name(certificate);
    const auto* common_name = reinterpret_cast<const unsigned char*>("localhost");
    const bool done =
        X509_set_version(certificate, X509_VERSION_3) == 1 && number_at_random(certificate) &&
        X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) != nullptr &&
        X509_gmtime_adj(X509_getm_notAfter(certificate), 30 * 86'400) != nullptr &&
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common_name, -1, -1, 0) == 1 &&
        X509_set_issuer_name(certificate, name) == 1 &&
        X509_set_pubkey(certificate, key.get()) == 1 &&
        extend(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
        extend(certificate, NID_key_usage, "critical,digitalSignature") &&
        extend(certificate, NID_ext_key_usage, "serverAuth") &&
        extend(certificate, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1") &&
        X509_sign(certificate, key.get(), EVP_sha256()) != 0;
    if (!done) return {};
    return {in_pem([&](BIO* to) { return PEM_write_bio_X509(to, certificate); }),
            in_pem([&](BIO* to) {
                return PEM_write_bio_PKCS8PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr,
                                                     nullptr);
            })};
}

} // namespace example
