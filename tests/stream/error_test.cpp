#include <navette/stream/error.hpp>

#include "support/bytes.hpp"

#include <cerrno>
#include <iterator>
#include <set>
#include <string>

using namespace navette;

TEST_CASE("every errc is an error code of the category navette that says its sentence and clause", "[error]") {
    std::set<std::string> messages;
    for (const error_facts& known : error_table) {
        const std::error_code code = known.code;
        CAPTURE(known.name);
        CHECK(code);
        CHECK(code == known.code);
        CHECK(std::string(code.category().name()) == "navette");
        CHECK(code.message().find(known.sentence) == 0);
        CHECK(code.message().find(known.clause) != std::string::npos);
        messages.insert(code.message());
    }
    CHECK(messages.size() == std::size(error_table));
}

TEST_CASE("every error answers to the condition of whom is to blame, and to no other", "[error]") {
    constexpr blame all[] = {blame::ended,     blame::protocol_violation, blame::limit_exceeded, blame::handshake_failed,
                             blame::timed_out, blame::environment,        blame::misuse};
    for (const error_facts& known : error_table)
        for (const blame b : all) {
            CAPTURE(known.name, static_cast<int>(b));
            CHECK((make_error_code(known.code) == b) == (known.whose == b));
        }
}

TEST_CASE("success is no error and no condition", "[error]") {
    const std::error_code none;
    CHECK(none != blame::ended);
    CHECK(make_error_code(errc{}) != blame::ended);
    CHECK_FALSE(make_error_code(errc{}));
    CHECK(make_error_code(errc{}).message() == "success");
}

TEST_CASE("a value that is no errc has a message and no blame", "[error]") {
    const std::error_code stray(250, error_category());
    CHECK(stray.message() == "unknown error");
    CHECK(stray != blame::misuse);
    const std::error_code negative(-1, error_category());
    CHECK(negative.message() == "unknown error");
}

TEST_CASE("an error of the operating system passes through a result untouched", "[error]") {
    const std::error_code reset(ECONNRESET, std::system_category());
    const io_result<int>  failed = reset;
    CHECK_FALSE(failed);
    CHECK(failed.error() == reset);
    CHECK(failed.error() == std::errc::connection_reset);
    CHECK(failed.error() != blame::ended);
}

TEST_CASE("a failure without an error cannot be made", "[error]") {
    const io_result<int> failed = std::error_code{};
    CHECK(failed.error() == errc::misuse);
}
