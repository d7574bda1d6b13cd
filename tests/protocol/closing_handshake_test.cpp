#include <navette/protocol/closing_handshake.hpp>

#include "support/catch.hpp"

#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

using namespace navette;

namespace {

using enum connection_state;
constexpr std::array states{open, close_sent, close_done, failed, closed};
static_assert(states.size() == connection_state_count);

struct row {
    connection_state from;
    closing_input    input;
    connection_state next;
    bool             send_close, truncated, allowed;
};

// RFC 6455, 1.4, 5.5.1, 7.1.5 and 7.1.7, written out a second time.
constexpr row rows[] = {
    {open, closing_input::close_sent, close_sent, true, false, true},
    {open, closing_input::close_received, close_done, true, false, true},
    {open, closing_input::failure, failed, true, false, true},
    {open, closing_input::end_of_transport, closed, false, true, true},
    {close_sent, closing_input::close_sent, close_sent, false, false, false},
    {close_sent, closing_input::close_received, close_done, false, false, true},
    {close_sent, closing_input::failure, failed, false, false, true},
    {close_sent, closing_input::end_of_transport, closed, false, true, true},
    {close_done, closing_input::close_sent, close_done, false, false, false},
    {close_done, closing_input::close_received, close_done, false, false, false},
    {close_done, closing_input::failure, close_done, false, false, false},
    {close_done, closing_input::end_of_transport, closed, false, false, true},
    {failed, closing_input::close_sent, failed, false, false, false},
    {failed, closing_input::close_received, failed, false, false, false},
    {failed, closing_input::failure, failed, false, false, false},
    {failed, closing_input::end_of_transport, closed, false, false, true},
    {closed, closing_input::close_sent, closed, false, false, false},
    {closed, closing_input::close_received, closed, false, false, false},
    {closed, closing_input::failure, closed, false, false, false},
    {closed, closing_input::end_of_transport, closed, false, false, true},
};
static_assert(std::size(rows) == connection_state_count * closing_input_count);

// ---- docs/closing-handshake.md

constexpr std::array<std::string_view, connection_state_count> state_names{"open", "close_sent", "close_done", "failed", "closed"};
constexpr std::array<std::string_view, closing_input_count> input_names{"our Close", "the peer's Close", "a failure", "the transport's end"};

std::string_view name(connection_state state) { return state_names[static_cast<std::size_t>(state)]; }

std::string told(const closing_step& step) {
    std::string text(step.allowed ? name(step.next) : "-");
    if (step.send_close) text += ", a Close is sent";
    if (step.truncated) text += ", 1006";
    return text;
}
std::string_view told(transport_action action) {
    switch (action) {
    case transport_action::keep:           return "keep";
    case transport_action::shutdown_write: return "end the writing side, discard what comes";
    case transport_action::close:          break;
    }
    return "close";
}

std::string page() {
    std::string text =
        "# The closing handshake\n\n"
        "Drawn from `navette/protocol/closing_handshake.hpp` by its test, which fails once this page says anything else\n"
        "(`NAVETTE_WRITE_DOCS=yes` has it written). RFC 6455, 1.4, 5.5.1 and 7.1.\n\n"
        "```mermaid\nstateDiagram-v2\n    [*] --> open\n";
    for (const connection_state from : states)
        for (std::size_t i = 0; i < closing_input_count; ++i) {
            const closing_step& step = closing_step_for(from, static_cast<closing_input>(i));
            if (!step.allowed || step.next == from) continue;
            text += "    " + std::string(name(from)) + " --> " + std::string(name(step.next)) + " : " + std::string(input_names[i]);
            if (step.send_close && input_names[i] != "our Close") text += " (ours is sent)";
            if (step.truncated) text += " (1006)";
            text += "\n";
        }
    text += "    closed --> [*]\n```\n\n"
            "What follows in a state from what happens; `-` cannot happen, or is refused.\n\n| State |";
    for (const std::string_view input : input_names) text += " " + std::string(input) + " |";
    text += "\n| --- | --- | --- | --- | --- |\n";
    for (const connection_state from : states) {
        text += "| " + std::string(name(from)) + " |";
        for (std::size_t i = 0; i < closing_input_count; ++i)
            text += " " + told(closing_step_for(from, static_cast<closing_input>(i))) + " |";
        text += "\n";
    }
    text += "\nWhether frames are read, and what the driver does with the transport once its output is written.\n\n"
            "| State | Frames are read | A server's transport | A client's transport |\n| --- | --- | --- | --- |\n";
    for (const connection_state state : states)
        text += "| " + std::string(name(state)) + " | " + (receives(state) ? "yes" : "no") + " | " +
                std::string(told(transport_action_for(state, role::server))) + " | " +
                std::string(told(transport_action_for(state, role::client))) + " |\n";
    return text;
}

} // namespace

TEST_CASE("docs/closing-handshake.md says what the table does", "[closing_handshake][6455:7.1]") {
    const std::string here = __FILE__;
    const std::string path = here.substr(0, here.size() - std::string_view("tests/protocol/closing_handshake_test.cpp").size()) +
                             "docs/closing-handshake.md";
    if (std::getenv("NAVETTE_WRITE_DOCS") != nullptr) std::ofstream(path) << page();
    std::ifstream     file(path);
    const std::string found{std::istreambuf_iterator<char>(file), {}};
    CHECK(found == page());
}

TEST_CASE("the closing handshake's table is the RFC's",
          "[closing_handshake][6455:7.1][C114][C115][C122]") {
    for (const row& r : rows) {
        CAPTURE(static_cast<int>(r.from), static_cast<int>(r.input));
        const closing_step& step = closing_step_for(r.from, r.input);
        CHECK(step.next == r.next);
        CHECK(step.send_close == r.send_close);
        CHECK(step.truncated == r.truncated);
        CHECK(step.allowed == r.allowed);
    }
}

TEST_CASE("frames are parsed until the peer's Close or a failure, and not behind",
          "[closing_handshake][6455:1.4][C116]") {
    for (const connection_state state : states)
        CHECK(receives(state) == (state == open || state == close_sent));
}

TEST_CASE("a server ends the transport once both Closes were exchanged",
          "[closing_handshake][6455:7.1.1][C117][server]") {
    CHECK(transport_action_for(close_done, role::server) == transport_action::shutdown_write);
    CHECK(transport_action_for(close_sent, role::server) == transport_action::keep);
}

TEST_CASE("a client waits for the server to end the transport",
          "[closing_handshake][6455:7.1.1][C118][client]") {
    CHECK(transport_action_for(close_done, role::client) == transport_action::keep);
    CHECK(transport_action_for(closed, role::client) == transport_action::close);
}

TEST_CASE("who failed the connection ends the transport, whatever its role",
          "[closing_handshake][6455:7.1.7][C119]") {
    for (const role r : {role::client, role::server}) {
        CHECK(transport_action_for(open, r) == transport_action::keep);
        CHECK(transport_action_for(close_sent, r) == transport_action::keep);
        CHECK(transport_action_for(failed, r) == transport_action::shutdown_write);
        CHECK(transport_action_for(closed, r) == transport_action::close);
    }
}
