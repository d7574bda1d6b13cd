#include <navette/server_settings.hpp>

#include "support/serving.hpp"

#include <map>
#include <set>

using namespace navette;

namespace {

// Reads the text format strictly: each family announced by HELP and TYPE, once, and each line a sample of the last family.
std::map<std::string, std::uint64_t> parse(const std::string& text) {
    std::map<std::string, std::uint64_t> samples;
    std::set<std::string>                families;
    std::string                          family, kind;
    std::size_t                          begin = 0;
    const auto refuse = [](const std::string& line) { throw std::runtime_error("not of the format: " + line); };
    while (begin < text.size()) {
        const std::size_t end = text.find('\n', begin);
        if (end == std::string::npos) refuse("no end of line");
        const std::string line = text.substr(begin, end - begin);
        begin                  = end + 1;
        if (line.starts_with("# HELP ")) {
            family = line.substr(7, line.find(' ', 7) - 7);
            if (!families.insert(family).second) refuse(line);
            kind.clear();
        } else if (line.starts_with("# TYPE ")) {
            kind = line.substr(8 + family.size());
            if (line.substr(7, family.size()) != family || (kind != "counter" && kind != "gauge")) refuse(line);
            if ((kind == "counter") != family.ends_with("_total")) refuse(line);
        } else {
            const std::size_t space = line.rfind(' ');
            const std::string name  = line.substr(0, space);
            const bool        fits  = name == family || (name.starts_with(family + "{") && name.ends_with("\"}"));
            if (kind.empty() || !fits || line.find_first_not_of("0123456789", space + 1) != std::string::npos) refuse(line);
            if (!samples.emplace(name, std::stoull(line.substr(space + 1))).second) refuse(line);
        }
    }
    return samples;
}

} // namespace

TEST_CASE("counters of nothing are zero, each family once, in the text format of Prometheus", "[server_settings]") {
    const auto samples = parse(to_prometheus({}));
    CHECK(samples.size() > 30);
    for (const auto& [name, n] : samples) {
        INFO(name);
        CHECK(n == 0);
    }
    CHECK(samples.contains("navette_refused_total{reason=\"application\"}"));
    CHECK(samples.contains("navette_messages_total{direction=\"in\"}"));
}

TEST_CASE("every number of the counters reaches the text, closes by code and errors by name", "[server_settings]") {
    server_counters counted;
    std::uint64_t   n = 0;
    server_counters::for_each(counted, counted, [&n](std::uint64_t& one, std::uint64_t&) { one = 1'000 + n++; });
    const auto              samples = parse(to_prometheus(counted));
    std::set<std::uint64_t> seen;
    for (const auto& [name, value] : samples) seen.insert(value);
    for (std::uint64_t i = 0; i < n; ++i) {
        INFO(i);
        CHECK(seen.contains(1'000 + i));
    }
    CHECK(samples.at("navette_closes_total{code=\"1006\"}") == counted.closes[6]);
    CHECK(samples.at("navette_errors_total{error=\"truncated\"}") == counted.errors[static_cast<std::size_t>(errc::truncated)]);
    CHECK(samples.at("navette_errors_total{error=\"system\"}") == counted.errors[0]);
}

TEST_CASE("a server counts what happens to it", "[server_settings][server]") {
    server s(anybody());
    s.on_message = [](server_connection& ws, const message& m) {
        ws.send(m);
        ws.ping();
    };
    const int port = started(s);
    {
        visitor v = visitor::opened(port);
        v.frames("81 05 68656c6c6f 89 01 3f 8a 00");
        CHECK(v.next() == "81 hello");
        v.frames("88 02 03e8");
        v.rest();
        visitor cut = visitor::opened(port);
        cut.stream().close();
        visitor own = visitor::opened(port);
        own.frames("88 02 0fa0");
        own.rest();
    }
    REQUIRE(soon([&] { return s.counters().transports == 0; }));
    const server_counters c = s.counters();
    const auto samples = parse(to_prometheus(c));
    CHECK(samples.at("navette_transports_accepted_total") == 3);
    CHECK(samples.at("navette_connections_opened_total") == 3);
    CHECK(samples.at("navette_connections") == 0);
    CHECK(samples.at("navette_messages_total{direction=\"in\"}") == 1);
    CHECK(samples.at("navette_messages_total{direction=\"out\"}") == 1);
    CHECK(samples.at("navette_payload_bytes_total{direction=\"in\"}") == 5);
    CHECK(samples.at("navette_pings_total{direction=\"in\"}") == 1);
    CHECK(samples.at("navette_pings_total{direction=\"out\"}") == 1);
    CHECK(samples.at("navette_pongs_total") == 1);
    CHECK(samples.at("navette_closes_total{code=\"1000\"}") == 1);
    CHECK(samples.at("navette_closes_total{code=\"1006\"}") == 1);
    CHECK(samples.at("navette_closes_total{code=\"4xxx\"}") == 1);
    CHECK(samples.at("navette_errors_total{error=\"truncated\"}") == 1);
    CHECK(samples.at("navette_wire_bytes_total{direction=\"in\"}") == c.bytes_in);
    CHECK(c.bytes_in == 3 * opening().size() + 6 + 5 + 6 + 1 + 6 + 6 + 2 + 6 + 2);
}
