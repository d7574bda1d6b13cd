#include <navette/tls.hpp>

#include "support/catch.hpp"
#include "support/tls_pair.hpp"

#include <array>
#include <cstdio>
#include <fstream>
#include <unistd.h>

using namespace navette;
using namespace certificates;

namespace {

std::error_code refused_for(int verify_result) { return {verify_result, tls::certificate_category()}; }

// The error with which a client meets a server that shows this, and, in `heard`, what the server hears of it.
std::error_code met(const issued& shown, std::string_view host = "localhost", std::string* heard = nullptr) {
    const tls::context client = client_of(), server = server_with(shown);
    tls_pair           pair(client, server, host);
    CHECK_FALSE(pair.shake_hands());
    if (heard != nullptr) *heard = pair.server.error.message();
    return pair.client.error;
}

} // namespace

TEST_CASE("a certificate for another name is refused, and the server is told why it is left", "[tls][C5][S61][client]") {
    std::string heard;
    const auto  error = met(localhost(), "example.com", &heard);
    CHECK(error == refused_for(X509_V_ERR_HOSTNAME_MISMATCH));
    CHECK(error == blame::handshake_failed);
    CHECK(error.message() == "the peer's certificate is not accepted: hostname mismatch");
    CHECK(heard.find("alert") != std::string::npos);
}

TEST_CASE("a certificate for another address is refused", "[tls][S61][client]") {
    CHECK(met(localhost(), "127.0.0.2") == refused_for(X509_V_ERR_IP_ADDRESS_MISMATCH));
    CHECK(met(localhost(), "::2") == refused_for(X509_V_ERR_IP_ADDRESS_MISMATCH));
    CHECK(met(root().issue({.names = "DNS:127.0.0.1"}), "127.0.0.1") == refused_for(X509_V_ERR_IP_ADDRESS_MISMATCH));
}

TEST_CASE("an address that the certificate has is accepted", "[tls][C6][S61][client]") {
    const tls::context client = client_of(), server = server_with(localhost());
    for (const char* host : {"127.0.0.1", "::1"}) {
        tls_pair pair(client, server, host);
        CHECK(pair.shake_hands());
        CHECK(tls::facts_of(pair.server.engine).server_name.empty());   // RFC 6066, 3: an address is no name
    }
}

TEST_CASE("a name with a dot at its end is the same name", "[tls][client]") {
    const tls::context client = client_of(), server = server_with(localhost());
    tls_pair           pair(client, server, "localhost.");
    REQUIRE(pair.shake_hands());
    CHECK(tls::facts_of(pair.server.engine).server_name == "localhost");
}

TEST_CASE("a wildcard is for one label, and only a whole one", "[tls][S61][client]") {
    const tls::context client = client_of();
    const auto         meets  = [&](const char* names, std::string_view host) {
        const tls::context server = server_with(root().issue({.names = names}));
        tls_pair           pair(client, server, host);
        return pair.shake_hands();
    };
    CHECK(meets("DNS:*.example.com", "a.example.com"));
    CHECK_FALSE(meets("DNS:*.example.com", "a.b.example.com"));
    CHECK_FALSE(meets("DNS:*.example.com", "example.com"));
    CHECK_FALSE(meets("DNS:a*.example.com", "ab.example.com"));
}

TEST_CASE("a certificate that has expired, or is not valid yet, is refused", "[tls][S61][client]") {
    CHECK(met(root().issue({.from = -200, .until = -100})) == refused_for(X509_V_ERR_CERT_HAS_EXPIRED));
    CHECK(met(root().issue({.from = 1'000, .until = 2'000})) == refused_for(X509_V_ERR_CERT_NOT_YET_VALID));
}

TEST_CASE("a certificate that nobody trusted has issued is refused", "[tls][S61][client]") {
    issuer other("another root");
    CHECK(met(other.issue()) == refused_for(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY));
    CHECK(met(issuer::self_signed()) == refused_for(X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT));
}

TEST_CASE("a certificate for another use is refused", "[tls][S61][client]") {
    CHECK(met(root().issue({.usage = "clientAuth"})) == refused_for(X509_V_ERR_INVALID_PURPOSE));
}

TEST_CASE("a client trusts the system's authorities if it is not told otherwise, and they do not vouch for the test's", "[tls][S61][client]") {
    auto client = tls::context::client();
    REQUIRE(client);
    const tls::context server = server_with(localhost());
    tls_pair           pair(*client, server);
    CHECK_FALSE(pair.shake_hands());
    CHECK(pair.client.error == refused_for(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY));
    REQUIRE_FALSE(client->trust(tls::pem::text(root().text())));
    tls_pair again(*client, server);
    CHECK(again.shake_hands());
}

TEST_CASE("who has turned verification off accepts anybody", "[tls][S61][client]") {
    tls::context client = client_of();
    client.disable_verification_of_the_server();
    const tls::context server = server_with(issuer::self_signed({.names = "DNS:elsewhere", .from = -200, .until = -100}));
    tls_pair           pair(client, server);
    REQUIRE(pair.shake_hands());
    CHECK_FALSE(tls::facts_of(pair.client.engine).peer_certified);
}

TEST_CASE("a chain is shown whole, and an issuer below the root may be trusted alone", "[tls][client]") {
    issuer          below(root(), "an issuer");
    const issued       shown  = below.issue();
    const tls::context server = server_with(shown);
    for (const issuer* trusted : {&root(), &below}) {
        const tls::context client = client_of(*trusted);
        tls_pair           pair(client, server);
        CHECK(pair.shake_hands());
    }
}

TEST_CASE("a certificate on a revocation list is refused, and one whose issuer has no list", "[tls][client]") {
    const issued revoked = root().issue(), good = root().issue();
    tls::context client  = client_of();
    REQUIRE_FALSE(client.revoke(tls::pem::text(root().revoke({&revoked}))));
    const tls::context bad_server = server_with(revoked), good_server = server_with(good);
    tls_pair           bad(client, bad_server), fine(client, good_server);
    CHECK_FALSE(bad.shake_hands());
    CHECK(bad.client.error == refused_for(X509_V_ERR_CERT_REVOKED));
    CHECK(fine.shake_hands());

    issuer    other("another root");
    REQUIRE_FALSE(client.trust(tls::pem::text(other.text())));
    const tls::context unlisted = server_with(other.issue());
    tls_pair           without(client, unlisted);
    CHECK_FALSE(without.shake_hands());
    CHECK(without.client.error == refused_for(X509_V_ERR_UNABLE_TO_GET_CRL));
}

TEST_CASE("a client needs a host, unless it verifies nobody", "[tls][client]") {
    tls::context client = client_of();
    CHECK(client.make("").error() == errc::invalid_host);
    CHECK(client.make(std::string(256, 'a')).error() == errc::invalid_host);
    CHECK(client.make(std::string_view("a\0b", 3)).error() == errc::invalid_host);
    client.disable_verification_of_the_server();
    CHECK(client.make(""));
}

TEST_CASE("a server shows the certificate for the name that is asked for, else the first", "[tls][server]") {
    tls::context server = server_with(root().issue({.names = "DNS:one.example", .subject = "one"}));
    const issued two    = root().issue({.names = "DNS:two.example,DNS:*.two.example", .subject = "two"});
    REQUIRE_FALSE(server.show(tls::pem::text(two.chain), tls::pem::text(two.key_text)));
    tls::context client = client_of();
    const auto   shown  = [&](std::string_view host) {
        tls_pair pair(client, server, host);
        REQUIRE(pair.shake_hands());
        std::array<char, 64> name{};
        X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(tls::native_handle(pair.client.engine))),
                                  NID_commonName, name.data(), static_cast<int>(name.size()));
        return std::string(name.data());
    };
    CHECK(shown("one.example") == "one");
    CHECK(shown("two.example") == "two");
    CHECK(shown("x.two.example") == "two");
    client.disable_verification_of_the_server();
    CHECK(shown("three.example") == "one");
    CHECK(shown("127.0.0.1") == "one");
}

TEST_CASE("a server that requires a client certificate takes a good one and refuses none", "[tls][server]") {
    tls::context server = server_with(localhost());
    REQUIRE_FALSE(server.trust(tls::pem::text(root().text())));
    server.ask_for(tls::context::client_certificate::required);
    const tls::context without = client_of();
    tls_pair           refused(without, server);
    refused.shake_hands();
    CHECK(refused.server.error.message() == "TLS: peer did not return a certificate");
    CHECK(refused.client.error.message() == "TLS: tlsv13 alert certificate required");

    tls::context with = client_of();
    const issued own  = root().issue({.names = "", .usage = "clientAuth"});
    REQUIRE_FALSE(with.show(tls::pem::text(own.chain), tls::pem::text(own.key_text)));
    tls_pair taken(with, server);
    REQUIRE(taken.shake_hands());
    CHECK(tls::facts_of(taken.server.engine).peer_certified);

    tls::context wrong = client_of();
    const issued alien = issuer("another root").issue({.usage = "clientAuth"});
    REQUIRE_FALSE(wrong.show(tls::pem::text(alien.chain), tls::pem::text(alien.key_text)));
    tls_pair unknown(wrong, server);
    unknown.shake_hands();
    CHECK(unknown.server.error == refused_for(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY));
}

TEST_CASE("a server for which a client certificate is optional takes who has none, and refuses a bad one", "[tls][server]") {
    tls::context server = server_with(localhost());
    REQUIRE_FALSE(server.trust(tls::pem::text(root().text())));
    server.ask_for(tls::context::client_certificate::optional);
    const tls::context without = client_of();
    tls_pair           taken(without, server);
    CHECK(taken.shake_hands());
    CHECK_FALSE(tls::facts_of(taken.server.engine).peer_certified);

    tls::context wrong = client_of();
    const issued alien = issuer("another root").issue({.usage = "clientAuth"});
    REQUIRE_FALSE(wrong.show(tls::pem::text(alien.chain), tls::pem::text(alien.key_text)));
    tls_pair refused(wrong, server);
    refused.shake_hands();
    CHECK(refused.server.error == refused_for(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY));
}

TEST_CASE("certificates and keys are read from files and from text, and what is wrong with them is said", "[tls]") {
    const issued shown  = root().issue({}, "opensesame");
    tls::context server = *tls::context::server();
    const auto show = [&](std::string_view chain, std::string_view key, std::string_view password) {
        return server.show(tls::pem::text(chain), tls::pem::text(key), password);
    };
    CHECK_FALSE(show(shown.chain, shown.key_text, "opensesame"));
    CHECK(show(shown.chain, shown.key_text, "closed").category() == tls::openssl_category());
    CHECK(show(shown.chain, shown.key_text, {}).category() == tls::openssl_category());
    CHECK(show(shown.chain, localhost().key_text, "").message() == "TLS: key values mismatch");
    CHECK(show("", localhost().key_text, "").message() == "TLS: no start line");
    CHECK(show(shown.chain, "nothing", "").category() == tls::openssl_category());
    CHECK(show(shown.chain + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", shown.key_text, "opensesame"));
    CHECK(server.trust(tls::pem::file("/nowhere/ca.pem")) == std::errc::no_such_file_or_directory);
    CHECK(server.revoke(tls::pem::text(root().text())).category() == tls::openssl_category());
    CHECK(tls::context::client(tls::pem::text("not PEM")).error().category() == tls::openssl_category());

    const std::string name = "/tmp/navette_tls_test." + std::to_string(::getpid());
    {
        std::ofstream(name + ".chain") << shown.chain;
        std::ofstream(name + ".key") << shown.key_text;
    }
    CHECK_FALSE(server.show(tls::pem::file(name + ".chain"), tls::pem::file(name + ".key"), "opensesame"));
    std::remove((name + ".chain").c_str());
    std::remove((name + ".key").c_str());
}
