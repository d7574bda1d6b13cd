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

TEST_CASE("an explanation is the rule, its clause and the bytes that broke it", "[error]") {
    const auto hex = [](errc why, std::string_view wire) { return explanation(why, bytes(wire)); };
    CHECK(hex(errc::reserved_opcode, "83 05") == "a frame has an opcode that is reserved (RFC 6455, 5.2): 83 05");
    CHECK(hex(errc::invalid_utf8, "C3 28") == "a text is not valid UTF-8 (RFC 6455, 8.1): c3 28");
    CHECK(hex(errc::message_too_big, "82 7F 0000000010000000") ==
          "a message is longer than the limit (RFC 6455, 10.4): 82 7f 00 00 00 00 10 00 00 00");
    CHECK(explanation(errc::upgrade_mismatch, "h2c") ==
          "the server's Upgrade field is not websocket (RFC 6455, 4.1): \"h2c\"");
    CHECK(explanation(errc::bad_field_value, "X: \"a\\b\x01\xff") ==
          "the value of an HTTP field has a forbidden character (RFC 9110, 5.5): \"X: \\\"a\\\\b\\x01\\xff\"");
    CHECK(explanation(errc::truncated) == make_error_code(errc::truncated).message());
}

TEST_CASE("a server that answers twice is told of as such", "[error]") {
    CHECK(explanation(errc::fragmented_control, "HTTP/1.1 400 B") ==
          "the peer sent HTTP after 101 (RFC 6455, 5): \"HTTP/1.1 400 B\"");
    CHECK(explanation(errc::invalid_close_code, "HTTP/") ==
          make_error_code(errc::invalid_close_code).message() + ": 48 54 54 50 2f");
    CHECK(explanation(errc::bad_start_line, "HTTP/3.0 200") ==
          "the first line is not an HTTP/1.1 request or status line (RFC 9112, 3 and 4): \"HTTP/3.0 200\"");
}

TEST_CASE("an explanation does not grow with what a peer sent", "[error]") {
    const std::string text = explanation(errc::line_too_long, std::string(100'000, 'a'));
    CHECK(text.size() < 300);
    CHECK(text.ends_with("aaa\"..."));
    CHECK(explanation(errc::line_too_long, std::string(120, 'a')).ends_with("aaa\""));
}

TEST_CASE("an error that is not navette's explains itself", "[error]") {
    const std::error_code reset(ECONNRESET, std::system_category());
    CHECK(explanation(reset) == reset.message());
}
