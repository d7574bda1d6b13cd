// The counters of a server as Prometheus reads them: the text format, version 0.0.4.
#pragma once

#include <navette/frame/close_code.hpp>
#include <navette/server_settings.hpp>

#include <string_view>

namespace navette {

NAVETTE_INLINE std::string to_prometheus(const server_counters& counted) {
    std::string text;
    const auto  family = [&](std::string_view name, std::string_view kind, std::string_view help) {
        text.append("# HELP navette_").append(name).append(" ").append(help);
        text.append("\n# TYPE navette_").append(name).append(" ").append(kind).append("\n");
    };
    const auto sample = [&](std::string_view name, std::string_view label, std::string_view value, std::uint64_t n) {
        text.append("navette_").append(name);
        if (!label.empty()) text.append("{").append(label).append("=\"").append(value).append("\"}");
        text.append(" ").append(std::to_string(n)).append("\n");
    };
    const auto counter = [&](std::string_view name, std::string_view help, std::uint64_t n) {
        family(name, "counter", help);
        sample(name, {}, {}, n);
    };
    const auto gauge = [&](std::string_view name, std::string_view help, std::uint64_t n) {
        family(name, "gauge", help);
        sample(name, {}, {}, n);
    };
    const auto both_ways = [&](std::string_view name, std::string_view help, std::uint64_t in, std::uint64_t out) {
        family(name, "counter", help);
        sample(name, "direction", "in", in);
        sample(name, "direction", "out", out);
    };

    counter("transports_accepted_total", "Connections of the transport that were accepted.", counted.accepted);
    counter("accept_failures_total", "Times that no connection could be accepted.", counted.accept_failures);
    gauge("transports", "Connections of the transport.", counted.transports);
    gauge("connections", "Open WebSocket connections.", counted.open);
    counter("connections_opened_total", "WebSocket connections that were opened.", counted.opened);
    counter("requests_total", "Valid requests.", counted.requests);
    constexpr std::string_view reasons[refusal_count] = {"connections", "address",     "proxy_header", "tls", "handshake",
                                                         "timeout",     "application", "stopping"};
    family("refused_total", "counter", "Connections and requests that were refused.");
    for (std::size_t i = 0; i < refusal_count; ++i) sample("refused_total", "reason", reasons[i], counted.refused[i]);
    both_ways("messages_total", "Messages.", counted.messages_in, counted.messages_out);
    both_ways("payload_bytes_total", "Bytes of messages, without those that were published.", counted.payload_in, counted.payload_out);
    both_ways("wire_bytes_total", "Bytes of the transport.", counted.bytes_in, counted.bytes_out);
    both_ways("pings_total", "Pings.", counted.pings_in, counted.pings_out);
    counter("pongs_total", "Pongs that came.", counted.pongs_in);
    counter("published_total", "Published messages that subscribers were sent.", counted.published);
    counter("missed_total", "Published messages that subscribers missed, since too much waited for them.", counted.missed);
    gauge("subscriptions", "Subscriptions.", counted.subscriptions);
    counter("queued_total", "Times that output had to wait for a peer.", counted.queued);
    counter("full_total", "Messages that were not taken, since too much waited.", counted.full);
    gauge("buffered_bytes", "Bytes that wait for peers.", counted.buffered);

    family("closes_total", "counter", "Ended WebSocket connections, by close code.");
    for (std::size_t i = 0; i < counted.closes.size(); ++i)
        if (counted.closes[i] != 0) sample("closes_total", "code", std::to_string(1000 + i), counted.closes[i]);
    sample("closes_total", "code", "3xxx", counted.closes_registered);
    sample("closes_total", "code", "4xxx", counted.closes_private);
    family("errors_total", "counter", "Errors that ended connections, by name.");
    sample("errors_total", "error", "system", counted.errors[0]);
    for (std::size_t i = 1; i < counted.errors.size(); ++i)
        if (counted.errors[i] != 0) sample("errors_total", "error", error_table[i - 1].name, counted.errors[i]);
    return text;
}

} // namespace navette
