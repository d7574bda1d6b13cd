#include <navette/handshake/http_authentication.hpp>

#include "support/bytes.hpp"

#include <array>
#include <ctime>
#include <string>
#include <vector>

using namespace navette;

namespace {

std::string text_of(const buffer& out) { return std::string(as_text(out.data())); }

// Each challenge as "scheme|token|parameters"; a malformed list ends in "malformed".
std::vector<std::string> challenges(std::string_view value) {
    std::vector<std::string> all;
    challenge_reader reader(value);
    for (http_challenge c; reader.next(c);)
        all.push_back(std::string(c.scheme) + "|" + std::string(c.token) + "|" + std::string(c.parameters));
    if (reader.malformed()) all.push_back("malformed");
    return all;
}

using texts = std::vector<std::string>;

digest_challenge digest_of(std::string_view value) {
    challenge_reader reader(value);
    http_challenge challenge;
    REQUIRE(reader.next(challenge));
    const auto digest = read_digest_challenge(challenge);
    REQUIRE(digest);
    return *digest;
}

errc refusal(std::string_view value) {
    challenge_reader reader(value);
    http_challenge challenge;
    REQUIRE(reader.next(challenge));
    return read_digest_challenge(challenge).error();
}

struct written {
    errc error;
    std::string value;
};

template <class Write>
written write(Write write_value) {
    buffer out;
    REQUIRE(out.append("before"));
    http_writer head(out);
    write_value(head);
    const errc e      = head.finish();
    std::string value = text_of(out).substr(6);
    CHECK(value.empty() == (e != errc{}));
    if (e == errc{}) value.resize(value.size() - 2);
    return {e, value};
}

std::string digest_answer(std::string_view challenge, const credentials& login, const digest_request& request) {
    const digest_challenge digest = digest_of(challenge);
    const written w               = write([&](http_writer& to) { write_digest(digest, login, request, to); });
    CHECK(w.error == errc{});
    return w.value;
}

// The value of a parameter of what was written, with its quotes; "none".
std::string part(const std::string& value, const std::string& name) {
    const std::size_t at = value.find(" " + name + "=");
    if (at == std::string::npos) return "none";
    const std::size_t begin = at + name.size() + 2;
    return value.substr(begin, value.find(',', begin) - begin);
}

// RFC 7616, 3.9.1.
const std::string example_parameters =
    "realm=\"http-auth@example.org\", qop=\"auth, auth-int\", "
    "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";
const std::string example = "Digest algorithm=MD5, " + example_parameters;
const digest_request example_request{
    .method = "GET", .target = "/dir/index.html", .cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"};
constexpr credentials mufasa{"Mufasa", "Circle of Life"};

// The nonce of RFC 2617, 3.5 and RFC 2069, 2.4.
const std::string older = "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"";

} // namespace

TEST_CASE("challenges are told from each other and from their parameters", "[http_authentication][9110:11.6.1]") {
    CHECK(challenges("Basic") == texts{"Basic||"});
    CHECK(challenges("Basic realm=\"simple\"") == texts{"Basic||realm=\"simple\""});
    CHECK(challenges("Basic realm=\"simple\", Newauth realm=\"apps\", type=1, title=\"Login to \\\"apps\\\"\"") ==
          texts{"Basic||realm=\"simple\"", "Newauth||realm=\"apps\", type=1, title=\"Login to \\\"apps\\\"\""});
    CHECK(challenges("Negotiate, NTLM TlRMTVNTUAAC==, Digest a = b ,c=\"d, e\"") ==
          texts{"Negotiate||", "NTLM|TlRMTVNTUAAC==|", "Digest||a = b ,c=\"d, e\""});
    CHECK(challenges(" , ,Basic , a=b,, c=d,Bearer ,") == texts{"Basic||a=b,, c=d", "Bearer||"});
    CHECK(challenges("Bearer  a.b-c_d~e+f/g=") == texts{"Bearer|a.b-c_d~e+f/g=|"});
    CHECK(challenges("").empty());
    CHECK(challenges(" , ").empty());
}

TEST_CASE("what is malformed ends the challenges, and takes the one with it that it stands in",
          "[http_authentication][9110:11.6.1][S28]") {
    const auto is_parameter = [](std::string_view text) {
        parameter p;
        return read_auth_parameter(text, p);
    };
    for (const char* bad : {"realm=x", "\"x\"", "=", "Basic\trealm=x", "Basic=", "Basic realm=x y", "Basic realm=\"x",
                            "Basic realm=\"x\"y", "Basic a=b, \"c\"", "Basic a b", "Basic =a", "Bearer abc=, a=b",
                            "Basic a=b, c d e", "Basic \"a\"", "(Basic)", "Basic a=b, =c", "Basic realm=\"\x01\""}) {
        CAPTURE(bad);
        const texts all = challenges(bad);
        REQUIRE_FALSE(all.empty());
        CHECK(all.back() == "malformed");
        CHECK(challenges("Good, " + std::string(bad)).back() ==
              (is_parameter(bad) ? "Good||" + std::string(bad) : "malformed"));
    }
    CHECK(challenges("Good a=b, Basic \"c\"") == texts{"Good||a=b", "malformed"});
    CHECK(challenges("Good a=b, Basic c=\"d") == texts{"malformed"}); // nobody knows where the quote would end
    CHECK(challenges("Basic a=b, c=") == texts{"malformed"});
}

TEST_CASE("every truncation of a challenge is read to its end and never beyond", "[http_authentication][S30]") {
    const std::string whole = example + ", Basic realm=\"a \\\" b\", Bearer abc==";
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        const std::string cut(whole, 0, size);
        challenge_reader reader(cut);
        std::size_t count = 0;
        for (http_challenge c; reader.next(c); ++count) {
            CHECK_FALSE(c.scheme.empty());
            static_cast<void>(read_digest_challenge(c));
        }
        CHECK(count <= 3);
    }
    CHECK(challenges(whole).size() == 3);
}

TEST_CASE("a Digest challenge is read", "[http_authentication][7616:3.3]") {
    const digest_challenge all = digest_of(
        "digest REALM=\"r\",nonce=n, opaque=\"\", Algorithm=\"sha-256-SESS\", qop=auth, "
        "stale=TRUE, userhash=true, charset=UTF-8, domain=\"/\", unknown=1, unknown=2");
    CHECK(all.realm.value_is("r"));
    CHECK(all.nonce.value_is("n"));
    CHECK(all.opaque.has_value);
    CHECK(all.opaque.value.empty());
    CHECK(all.algorithm == digest_algorithm::sha256_sess);
    CHECK(all.names_algorithm);
    CHECK(all.has_qop);
    CHECK(all.stale);
    CHECK(all.userhash);
    CHECK(all.utf8);

    const digest_challenge least = digest_of("Digest nonce=\"\", realm=\"\"");
    CHECK(least.algorithm == digest_algorithm::md5);
    CHECK_FALSE(least.names_algorithm);
    CHECK_FALSE(least.has_qop);
    CHECK_FALSE(least.stale);
    CHECK_FALSE(least.userhash);
    CHECK_FALSE(least.utf8);
    CHECK_FALSE(least.opaque.has_value);
    CHECK_FALSE(digest_of(older + ", stale=false, userhash=false").stale);

    CHECK(digest_of(older + ", algorithm=md5").algorithm == digest_algorithm::md5);
    CHECK(digest_of(older + ", algorithm=MD5-sess, qop=auth").algorithm == digest_algorithm::md5_sess);
    CHECK(digest_of(older + ", algorithm=SHA-256").algorithm == digest_algorithm::sha256);
}

TEST_CASE("a Digest challenge that lacks, repeats or breaks a parameter is malformed",
          "[http_authentication][7616:3.3]") {
    for (const char* bad :
         {"Digest", "Digest realm=\"r\"", "Digest nonce=\"n\"", "Digest abc=", "Digest realm=r, realm=r, nonce=n",
          "Digest realm=r, nonce=n, Nonce=n", "Digest realm=r, nonce=n, qop=auth, qop=auth"}) {
        CAPTURE(bad);
        CHECK(refusal(bad) == errc::bad_authentication);
    }
}

TEST_CASE("a Digest challenge that we cannot answer says so", "[http_authentication][7616:3.3]") {
    for (const char* more : {", algorithm=SHA-512-256", ", algorithm=SHA-512-256-sess, qop=auth", ", algorithm=MD",
                             ", algorithm=\"\"", ", qop=auth-int", ", qop=\"auth-int, other\"", ", qop=\"\"",
                             ", algorithm=MD5-sess", ", algorithm=SHA-256-sess", ", qop=\"xauth\""}) {
        CAPTURE(more);
        CHECK(refusal(older + more) == errc::unsupported_authentication);
    }
}

TEST_CASE("the Digest answers of RFC 7616 come out", "[http_authentication][7616:3.9.1]") {
    CHECK(digest_answer(example, mufasa, example_request) ==
          "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", algorithm=MD5, "
          "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, "
          "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, "
          "response=\"8ca523f5e9506fed4657c9700eebdbec\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"");
    CHECK(part(digest_answer("Digest algorithm=SHA-256, " + example_parameters, mufasa, example_request), "response") ==
          "\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\"");
}

TEST_CASE("with -sess the client's nonce is mixed into the secret", "[http_authentication][7616:3.4.2]") {
    const std::string md5 = digest_answer("Digest algorithm=MD5-sess, " + example_parameters, mufasa, example_request);
    CHECK(part(md5, "response") == "\"e783283f46242139c486a698fec7211d\""); // from Python's hashlib
    CHECK(part(md5, "algorithm") == "MD5-sess");
    const std::string sha =
        digest_answer("Digest algorithm=SHA-256-sess, " + example_parameters, mufasa, example_request);
    CHECK(part(sha, "response") == "\"2fd51b3a77ad75bad6afad6003e818d767133c46d9e2749e7f5232ae1ea3efd7\"");
    CHECK(part(sha, "algorithm") == "SHA-256-sess");
}

TEST_CASE("the answers of the older Digest come out, with qop and without",
          "[http_authentication][2617:3.5][2069:2.4]") {
    const digest_request request{.method = "GET", .target = "/dir/index.html", .cnonce = "0a4f113b"};
    const std::string with = digest_answer(older + ", qop=\"auth,auth-int\"", {"Mufasa", "Circle Of Life"}, request);
    CHECK(part(with, "response") == "\"6629fae49393a05397450978507c4ef1\"");
    CHECK(part(with, "algorithm") == "none");
    CHECK(part(with, "opaque") == "none");

    CHECK(digest_answer(older, {"Mufasa", "CircleOfLife"}, request) ==
          "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", uri=\"/dir/index.html\", "
          "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", response=\"1949323746fe6a43ef61f9606e7febea\"");
}

TEST_CASE("a user's name goes in the clear, hashed, or encoded, as the challenge has it",
          "[http_authentication][7616:3.9.2][7616:3.4.4][8187:3.2]") {
    // RFC 7616's example, with the algorithms that we have; its own, SHA-512-256, is refused.
    const std::string parameters =
        "realm=\"api@example.org\", qop=\"auth\", nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", "
        "opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\"";
    const credentials login{"J\xc3\xa4s\xc3\xb8n Doe", "Secret, or not?"};
    const digest_request request{.method = "GET", .target = "/doe.json", .cnonce = "NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm"};
    CHECK(refusal("Digest algorithm=SHA-512-256, charset=UTF-8, userhash=true, " + parameters) ==
          errc::unsupported_authentication);

    const std::string sha =
        digest_answer("Digest algorithm=SHA-256, charset=UTF-8, userhash=true, " + parameters, login, request);
    CHECK(part(sha, "username") == "\"5a1a8a47df5c298551b9b42ba9b05835174a5bd7d511ff7fe9191d8e946fc4e7\"");
    CHECK(part(sha, "response") == "\"06d0c14162099f487a92ebceaf71097534ee5f90d858386449c337ab69f7f6b8\"");
    CHECK(part(sha, "userhash") == "true");
    const std::string md5 = digest_answer("Digest charset=UTF-8, userhash=true, " + parameters, login, request);
    CHECK(part(md5, "username") == "\"2e063fa2c54dea1c36808b7a6e3b14c9\"");
    CHECK(part(md5, "response") == "\"f33f35281ddf05582b8faae5b8014ef5\"");

    const std::string encoded = digest_answer("Digest charset=UTF-8, " + parameters, login, request);
    CHECK(part(encoded, "username*") == "UTF-8''J%c3%a4s%c3%b8n%20Doe");
    CHECK(part(encoded, "username") == "none");
    CHECK(part(encoded, "userhash") == "none");
    CHECK(part(encoded, "response") == "\"f33f35281ddf05582b8faae5b8014ef5\"");

    CHECK(part(digest_answer("Digest " + parameters, login, request), "username") == "\"J\xc3\xa4s\xc3\xb8n Doe\"");
    CHECK(part(digest_answer("Digest charset=UTF-8, " + parameters, mufasa, request), "username") == "\"Mufasa\"");
}

TEST_CASE("quotes and backslashes count for what they stand for, and are written quoted",
          "[http_authentication][9110:5.6.4]") {
    const std::string answer =
        digest_answer(R"(Digest realm="the \"realm\" \\", nonce="n\"1", qop=auth)", {R"(a"b\c)", "p"},
                      {.method = "CONNECT", .target = "h:443", .cnonce = "cc", .count = 42});
    CHECK(part(answer, "username") == R"("a\"b\\c")");
    CHECK(part(answer, "realm") == R"("the \"realm\" \\")");
    CHECK(part(answer, "nonce") == R"("n\"1")");
    CHECK(part(answer, "nc") == "0000002a");
    CHECK(part(answer, "response") == "\"8ecc4c6fda9ca251d353f5fd9bc7cc5e\""); // from Python's hashlib
}

TEST_CASE("the strongest challenge is answered, the first of equals", "[http_authentication][9110:11.4]") {
    const auto choose = [](std::vector<http_field> fields) {
        const auto chosen = choose_challenge(fields, "Proxy-Authenticate");
        if (!chosen) return std::string(facts(chosen.error()).name);
        if (!chosen->is_digest) return std::string("Basic");
        return std::string(chosen->digest.nonce.value);
    };
    const char* const name  = "Proxy-Authenticate";
    const char* const basic = "Basic realm=\"x\"";
    const char* const md5   = "Digest realm=\"x\", nonce=\"m\"";
    const char* const sha   = "Digest realm=\"x\", nonce=\"s\", algorithm=SHA-256";
    const std::string all   = std::string(basic) + ", " + md5 + ", " + sha;
    CHECK(choose({{name, basic}}) == "Basic");
    CHECK(choose({{name, basic}, {"x", sha}, {"proxy-authenticate", md5}}) == "m");
    CHECK(choose({{name, sha}, {name, md5}, {name, basic}}) == "s");
    CHECK(choose({{name, all}}) == "s");
    CHECK(choose({{name, "Digest realm=\"x\", nonce=\"1\", Digest realm=\"x\", nonce=\"2\""}}) == "1");
    CHECK(choose({{name, "Negotiate"}, {name, "Digest realm=x, nonce=y, algorithm=SHA-512-256"}, {name, basic}}) ==
          "Basic");
    CHECK(choose({{name, "Digest realm=x"}, {name, "BASIC"}}) == "Basic");

    CHECK(choose({}) == "bad_authentication");
    CHECK(choose({{"WWW-Authenticate", basic}}) == "bad_authentication");
    CHECK(choose({{name, ""}}) == "bad_authentication");
    CHECK(choose({{name, "Digest realm=x"}}) == "bad_authentication");
    CHECK(choose({{name, "Basic realm=\"x"}}) == "bad_authentication");
    CHECK(choose({{name, "Negotiate"}, {name, "NTLM"}}) == "unsupported_authentication");
    CHECK(choose({{name, "Digest realm=x, nonce=y, qop=auth-int"}}) == "unsupported_authentication");
}

TEST_CASE("Basic credentials are RFC 7617's", "[http_authentication][7617:2][7617:2.1]") {
    const auto basic = [](const credentials& login) {
        return write([&](http_writer& to) { write_basic(login, to); }).value;
    };
    CHECK(basic({"Aladdin", "open sesame"}) == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    CHECK(basic({"test", "123\xc2\xa3"}) == "Basic dGVzdDoxMjPCow==");
    CHECK(basic({"", ""}) == "Basic Og==");
    CHECK(basic({"a", "b"}) == "Basic YTpi");
    CHECK(basic({"", "a:b"}) == "Basic OmE6Yg==");

    buffer value;
    REQUIRE(value.append("x "));
    CHECK(append_basic({"Aladdin", "open sesame"}, value) == errc{});
    CHECK(text_of(value) == "x Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

TEST_CASE("credentials that cannot be sent are refused, and leave nothing behind",
          "[http_authentication][7617:2][C20][S57]") {
    const digest_challenge digest = digest_of(older);
    for (unsigned c = 0; c < 256; ++c)
        for (const char* around : {"?", "?b", "a?b"}) {
            std::string text     = around;
            text[text.find('?')] = static_cast<char>(c);
            const bool is_bad    = c < 0x20 || c >= 0x7f; // alone a byte above is no UTF-8
            CAPTURE(c);
            const auto try_both = [](const credentials& login, const digest_challenge& challenge) {
                return std::array{write([&](http_writer& to) { write_basic(login, to); }).error,
                                  write([&](http_writer& to) { write_digest(challenge, login, {}, to); }).error};
            };
            const errc expected = is_bad ? errc::invalid_credentials : errc{};
            CHECK(try_both({"u", text}, digest) == std::array{expected, expected});
            CHECK(try_both({text, "p"}, digest) ==
                  std::array{is_bad || c == ':' ? errc::invalid_credentials : errc{}, expected});
        }
    buffer value;
    CHECK(append_basic({"a:b", "c"}, value) == errc::invalid_credentials);
    CHECK(value.empty());
}

TEST_CASE("a bearer's token is a token68", "[http_authentication][6750:2.1]") {
    buffer value;
    CHECK(append_bearer("mF_9.B5f-4.1JqM", value) == errc{});
    CHECK(text_of(value) == "Bearer mF_9.B5f-4.1JqM");
    for (const char* bad : {"", "=", "a b", "a=b", "a\r\nb", "\"a\"", "\xc3\xa4", "a,b"}) {
        buffer none;
        CHECK(append_bearer(bad, none) == errc::invalid_credentials);
        CHECK(none.empty());
    }
}

TEST_CASE("what finds no room leaves nothing behind", "[http_authentication]") {
    for (std::size_t room = 0; room <= 14; ++room) {
        std::array<std::byte, 16> storage;
        buffer out(byte_span(storage).first(room));
        CHECK(append_basic({"a", "bcd"}, out) ==
              (room < 14 + 2 ? errc::out_of_memory : errc{})); // "Basic YTpiY2Q=" and a line's end
        CHECK(out.empty());
    }
}

TEST_CASE("a server reads Basic credentials, the first colon being the end of the name",
          "[http_authentication][7617:2][server]") {
    buffer storage;
    const auto read = [&](std::string_view value) {
        const auto login = read_basic(value, storage);
        return login ? std::string(login->user) + "|" + std::string(login->password)
                     : std::string(facts(login.error()).name);
    };
    CHECK(read("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==") == "Aladdin|open sesame");
    CHECK(read("basic dGVzdDoxMjPCow==") == "test|123\xc2\xa3");
    CHECK(read("BASIC  Og==") == "|");
    CHECK(read("Basic YTpiOmM=") == "a|b:c");
    for (const char* bad : {"", "Basic", "Basic ", "Basic YQ==", "Basic YTpi, Basic YTpi", "Basic YTpi=", "Basic YTp",
                            "Basic Y Tpi", "Bearer YTpi", "Digest YTpi", "Basic YTpi, a=b", "Basic YTr/", "Basic YToK",
                            "Basic a=b", "Basic \"YTpi\"", "Basic YTpi,\"", "YTpi"}) {
        CAPTURE(bad);
        CHECK(read(bad) == "bad_authentication");
    }
    std::array<std::byte, 4> few;
    buffer fixed{byte_span(few)};
    CHECK(read_basic("Basic YTpiOmM=", fixed).error() == errc::out_of_memory);
}

TEST_CASE("a server reads a bearer's token", "[http_authentication][6750:2.1][server]") {
    const auto token = read_bearer("bearer mF_9.B5f-4.1JqM");
    REQUIRE(token);
    CHECK(*token == "mF_9.B5f-4.1JqM");
    for (const char* bad :
         {"", "Bearer", "Bearer a b", "Bearer a=b", "Basic abc", "Bearer abc, Bearer abc", "Bearer abc, \""})
        CHECK(read_bearer(bad).error() == errc::bad_authentication);
}

TEST_CASE("only the secret is the same secret", "[http_authentication][S63][server]") {
    CHECK(is_same_secret("", ""));
    CHECK(is_same_secret("open sesame", "open sesame"));
    const std::string secret = "open\0 sesame";
    for (std::size_t i = 0; i < secret.size(); ++i)
        for (unsigned bit = 0; bit < 8; ++bit) {
            std::string other = secret;
            other[i]          = static_cast<char>(static_cast<unsigned char>(other[i]) ^ 1u << bit);
            CHECK_FALSE(is_same_secret(other, secret));
        }
    for (std::size_t size = 0; size < secret.size(); ++size) {
        CHECK_FALSE(is_same_secret(secret.substr(0, size), secret));
        CHECK_FALSE(is_same_secret(secret, secret.substr(0, size)));
    }
    CHECK_FALSE(is_same_secret(std::string(1, '\0'), ""));
    CHECK_FALSE(is_same_secret("", std::string(1, '\0')));
}

TEST_CASE("a secret is compared to its end, wherever it differs", "[http_authentication][S63][server]") {
    const std::string secret(1 << 20, 's');
    std::string first = secret, last = secret;
    first.front() = last.back() = 'x';
    const auto least            = [&](const std::string& sent) {
        std::clock_t best = 0;
        for (int i = 0; i < 7; ++i) {
            const std::clock_t begin = std::clock();
            for (int j = 0; j < 4; ++j) CHECK_FALSE(is_same_secret(sent, secret));
            const std::clock_t took = std::clock() - begin;
            if (i == 0 || took < best) best = took;
        }
        return best;
    };
    const std::clock_t early = least(first), late = least(last);
    CAPTURE(early, late);
    CHECK(early * 4 > late); // an early end would take a millionth of it
}
