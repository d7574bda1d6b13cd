#include <navette/stream/client_journey.hpp>

#include "support/bytes.hpp"

using namespace navette;

namespace {

constexpr std::string_view start = "ws://example.com/a";

// An answer of the server, as a report holds it.
void answers(connect_report& report, unsigned status, std::string_view location, buffer& head) {
    head.clear();
    REQUIRE(head.append("HTTP/1.1 302 Found\r\nLocation: "));
    REQUIRE(head.append(location));
    REQUIRE(head.append("\r\n\r\n"));
    head_reader reader;
    static_cast<void>(reader);
    report.server.response        = {};
    report.server.response.status = status;
}

} // namespace
