#include <navette/base/errc.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <vector>

using namespace navette;

namespace {

// The names of the errors that `holds` is true of.
template <class Predicate>
std::set<std::string_view> names_of(Predicate holds) {
    std::set<std::string_view> names;
    for (const error_facts& row : error_table)
        if (holds(row)) names.insert(row.name);
    return names;
}

using names = std::set<std::string_view>;

// "RFC 6455, 5.2", "RFC 9110, 15.6.6" or "RFC 9112, 3 and 4".
bool is_clause(std::string_view clause) {
    if (clause.substr(0, 4) != "RFC ") return false;
    clause.remove_prefix(4);
    const std::size_t comma = clause.find(", ");
    const auto        is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (comma != 4 || !std::all_of(clause.begin(), clause.begin() + 4, is_digit)) return false;
    clause.remove_prefix(6);
    while (true) {
        const std::size_t size = std::min(clause.find(" and "), clause.size());
        const auto        section = clause.substr(0, size);
        if (section.empty() || !is_digit(section.front()) || !is_digit(section.back())) return false;
        if (section.find_first_not_of("0123456789.") != section.npos) return false;
        if (section.find("..") != section.npos) return false;
        if (size == clause.size()) return true;
        clause.remove_prefix(size + 5);
    }
}

} // namespace

TEST_CASE("every error has a row of its own, and only errc{} has none", "[errc]") {
    CHECK(std::size(error_table) == static_cast<std::size_t>(errc::too_many_redirects));
    for (std::size_t i = 1; i <= std::size(error_table); ++i) {
        const auto e = static_cast<errc>(i);
        CHECK(facts(e).code == e);
        CHECK(describe(e) == std::string_view(facts(e).sentence));
    }
    STATIC_REQUIRE(describe(errc{}) == "success");
}

TEST_CASE("no two errors have the same name or the same sentence", "[errc]") {
    std::set<std::string_view> all_names, sentences;
    for (const error_facts& row : error_table) {
        INFO(row.name);
        CHECK(all_names.insert(row.name).second);
        CHECK(sentences.insert(row.sentence).second);
    }
}

TEST_CASE("every error has a name in snake case, a sentence without a stop, and a clause or none", "[errc]") {
    for (const error_facts& row : error_table) {
        INFO(row.name);
        const std::string_view name(row.name), sentence(row.sentence), clause(row.clause);
        CHECK_FALSE(name.empty());
        CHECK(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == name.npos);
        CHECK(sentence.size() >= 12);
        CHECK(sentence.find(' ') != sentence.npos);
        CHECK(std::isalnum(static_cast<unsigned char>(sentence.back())));
        CHECK_FALSE(std::isspace(static_cast<unsigned char>(sentence.front())));
        CHECK(sentence.find_first_of("\r\n\t\"") == sentence.npos);
        if (!clause.empty()) CHECK(is_clause(clause));
    }
}

TEST_CASE("whoever breaks a rule of the open connection is told which", "[errc][6455:7.4.1]") {
    for (const error_facts& row : error_table) {
        if (row.whose != blame::protocol_violation && row.whose != blame::limit_exceeded) continue;
        INFO(row.name);
        CHECK_FALSE(std::string_view(row.clause).empty());
        CHECK(row.close_code != 1006);
        CHECK(row.http_status == 0);
    }
}

TEST_CASE("each kind of failure has its close code", "[errc][6455:7.4.1][C123]") {
    const auto sending = [](unsigned code) {
        return names_of([code](const error_facts& row) { return row.close_code == code; });
    };
    CHECK(sending(1001) == names{"idle_timeout"});
    CHECK(sending(1002) ==
          names{"reserved_bits", "reserved_opcode", "fragmented_control", "control_too_long", "non_minimal_length",
                "length_overflow", "unmasked_client_frame", "masked_server_frame", "unexpected_continuation",
                "expected_continuation", "invalid_close_payload", "invalid_close_code"});
    CHECK(sending(1007) == names{"invalid_utf8", "invalid_compressed_data"});
    CHECK(sending(1008) == names{"too_many_fragments"});
    CHECK(sending(1009) == names{"message_too_big"});
    CHECK(sending(1011) == names{"out_of_memory", "no_entropy", "output_full", "pong_timeout", "misuse", "not_open",
                                 "frame_open", "message_in_progress", "unsendable_text", "unsendable_close_code",
                                 "reason_too_long", "payload_too_long"});
    for (const error_facts& row : error_table) {
        INFO(row.name);
        CHECK((row.close_code == 1006 || (row.close_code >= 1001 && row.close_code <= 1011)));
    }
}

TEST_CASE("what ends the opening handshake or the transport sends no Close", "[errc][6455:7.1.5]") {
    for (const error_facts& row : error_table) {
        if (row.whose != blame::handshake_failed && row.whose != blame::ended) continue;
        INFO(row.name);
        CHECK(row.close_code == 1006);
    }
}

TEST_CASE("a server answers a failed handshake with a status that fits", "[errc][9110:15][server]") {
    const auto answering = [](unsigned status) {
        return names_of([status](const error_facts& row) { return row.http_status == status; });
    };
    CHECK(answering(400) ==
          names{"bad_start_line", "bad_line_end", "bad_field_name", "bad_field_value", "folded_line", "head_truncated",
                "bad_host", "bad_target", "connection_lacks_upgrade", "missing_key", "invalid_key", "bad_subprotocols",
                "bad_extensions", "unexpected_body"});
    CHECK(answering(403) == names{"origin_refused"});
    CHECK(answering(405) == names{"method_not_allowed"});
    CHECK(answering(408) == names{"handshake_timeout"});
    CHECK(answering(414) == names{"target_too_long"});
    CHECK(answering(426) == names{"unsupported_version"});
    CHECK(answering(431) == names{"line_too_long", "head_too_big", "too_many_fields"});
    CHECK(answering(503) == names{"output_full"});
    CHECK(answering(505) == names{"http_version_not_supported"});

    const std::set<unsigned> allowed{0, 400, 403, 405, 408, 414, 426, 431, 500, 503, 505};
    for (const error_facts& row : error_table) {
        INFO(row.name);
        CHECK(allowed.count(row.http_status) == 1);
    }
}

TEST_CASE("an error without a status of its own is answered with 500", "[errc][server]") {
    for (const error_facts& row : error_table) {
        INFO(row.name);
        CHECK(to_http_status(row.code) == (row.http_status == 0 ? 500u : row.http_status));
    }
    STATIC_REQUIRE(to_http_status(errc{}) == 500);
    STATIC_REQUIRE(to_http_status(errc::accept_mismatch) == 500);
    STATIC_REQUIRE(to_http_status(errc::origin_refused) == 403);
}

TEST_CASE("time that ran out is blamed on time, and nothing else is", "[errc]") {
    CHECK(names_of([](const error_facts& row) { return row.whose == blame::timed_out; }) ==
          names_of([](const error_facts& row) { return std::string_view(row.name).ends_with("_timeout"); }));
}
