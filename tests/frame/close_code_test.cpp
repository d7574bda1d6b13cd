#include <navette/frame/close_code.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"

#include <cstdint>
#include <set>
#include <string_view>

using namespace navette;

namespace {

// Codes below 3000 that may stand in a Close frame (RFC 6455, 7.4.1, and the IANA registry that 11.7 set up).
const std::set<unsigned> assigned{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014};

bool may_stand_on_the_wire(unsigned code) {
    if (code < 3000) return assigned.count(code) == 1;
    return code < 5000;   // 7.4.2: 3000-3999 for libraries, 4000-4999 for private use
}

// The codes of all 65,536 for which `asked` and `expected` differ.
template <class Asked, class Expected>
std::set<unsigned> wrong_codes(Asked asked, Expected expected) {
    std::set<unsigned> wrong;
    for (unsigned code = 0; code < 65'536; ++code)
        if (asked(static_cast<close_code>(code)) != expected(code)) wrong.insert(code);
    return wrong;
}

} // namespace

TEST_CASE("of the 65,536 close codes those that the RFC and the registry allow are received",
          "[close_code][6455:7.4.1][6455:7.4.2][C111][S52]") {
    CHECK(wrong_codes([](close_code code) { return is_receivable(code); }, may_stand_on_the_wire).empty());
}

TEST_CASE("a client may send every code that may be received", "[close_code][6455:7.4.1][C112][S52][client]") {
    CHECK(wrong_codes([](close_code code) { return is_sendable(code, role::client); }, may_stand_on_the_wire).empty());
}

TEST_CASE("a server may send every code that may be received but 1010",
          "[close_code][6455:7.4.1][C112][C113][S52][server]") {
    CHECK(wrong_codes([](close_code code) { return is_sendable(code, role::server); },
                      [](unsigned code) { return code != 1010 && may_stand_on_the_wire(code); })
              .empty());
}

TEST_CASE("no role may send 1004, 1005, 1006 or 1015", "[close_code][6455:7.4.1][C112][S52]") {
    for (const unsigned code : {1004u, 1005u, 1006u, 1015u}) {
        CHECK_FALSE(is_receivable(static_cast<close_code>(code)));
        CHECK_FALSE(is_sendable(static_cast<close_code>(code), role::client));
        CHECK_FALSE(is_sendable(static_cast<close_code>(code), role::server));
    }
}

TEST_CASE("the codes have the RFC's numbers", "[close_code][6455:7.4.1][6455:11.7]") {
    const struct {
        close_code       code;
        unsigned         number;
        std::string_view name;
    } rows[] = {
        {close_code::none, 0, "none"},
        {close_code::normal, 1000, "normal closure"},
        {close_code::going_away, 1001, "going away"},
        {close_code::protocol_error, 1002, "protocol error"},
        {close_code::unsupported_data, 1003, "unsupported data"},
        {close_code::no_status_received, 1005, "no status received"},
        {close_code::abnormal_closure, 1006, "abnormal closure"},
        {close_code::invalid_payload, 1007, "invalid payload data"},
        {close_code::policy_violation, 1008, "policy violation"},
        {close_code::message_too_big, 1009, "message too big"},
        {close_code::mandatory_extension, 1010, "mandatory extension"},
        {close_code::internal_error, 1011, "internal error"},
        {close_code::service_restart, 1012, "service restart"},
        {close_code::try_again_later, 1013, "try again later"},
        {close_code::bad_gateway, 1014, "bad gateway"},
        {close_code::tls_handshake, 1015, "TLS handshake failed"},
    };
    std::set<unsigned> named;
    for (const auto& row : rows) {
        CHECK(static_cast<unsigned>(row.code) == row.number);
        CHECK(to_string(row.code) == row.name);
        named.insert(row.number);
    }
    CHECK(wrong_codes([](close_code code) { return to_string(code) == "application code"; },
                      [](unsigned code) { return code >= 3000 && code < 5000; })
              .empty());
    CHECK(wrong_codes([](close_code code) { return to_string(code) == "reserved"; },
                      [&](unsigned code) { return named.count(code) == 0 && (code < 3000 || code >= 5000); })
              .empty());
}

TEST_CASE("an error is told to the peer by its code in the table", "[close_code][6455:7.1.7][C123]") {
    for (const error_facts& row : error_table) {
        INFO(row.name);
        CHECK(static_cast<unsigned>(to_close_code(row.code)) == row.close_code);
    }
    STATIC_REQUIRE(to_close_code(errc::reserved_bits) == close_code::protocol_error);
    STATIC_REQUIRE(to_close_code(errc::invalid_utf8) == close_code::invalid_payload);
    STATIC_REQUIRE(to_close_code(errc::message_too_big) == close_code::message_too_big);
    STATIC_REQUIRE(to_close_code(errc::too_many_fragments) == close_code::policy_violation);
    STATIC_REQUIRE(to_close_code(errc::out_of_memory) == close_code::internal_error);
    STATIC_REQUIRE(to_close_code(errc::truncated) == close_code::abnormal_closure);
}

TEST_CASE("a connection that ends without an error ends normally", "[close_code][6455:7.4.1]") {
    STATIC_REQUIRE(to_close_code(errc{}) == close_code::normal);
}

TEST_CASE("whatever an error sends, both roles may send it, or nothing is sent",
          "[close_code][6455:7.4.1][C112][C113]") {
    for (const error_facts& row : error_table) {
        INFO(row.name);
        const close_code code = to_close_code(row.code);
        CHECK((code == close_code::abnormal_closure ||
               (is_sendable(code, role::client) && is_sendable(code, role::server))));
    }
}
