// load: a load generator for echo servers of WebSocket messages, or of raw bytes, on this machine. One thread, one epoll;
// messages are made once, and replies are walked, not parsed, behind the first of each connection, which is compared byte
// for byte. Status 1: the server failed, and one line says how; 2: a bad option.
#include "fan_out.hpp"
#include "idle.hpp"

#include <csignal>

namespace {

using namespace load;

double microseconds(std::uint64_t ns) { return static_cast<double>(ns) / 1e3; }

void print(const options& asked, const outcome& found) {
    const histogram& latency = found.latency;
    const double each = found.messages == 0 ? 0 : static_cast<double>(found.server_cpu) / static_cast<double>(found.messages);
    const double rate = static_cast<double>(found.messages) / found.seconds;
    const double busy = static_cast<double>(found.own_cpu) / 1e9 / found.seconds;
    const auto count  = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
    if (asked.json) {
        std::printf("{\"messages\": %llu, \"seconds\": %.6f, \"per_second\": %.3f, \"payload_bytes_per_second\": %.0f, "
                    "\"latency_us\": {\"count\": %llu, \"mean\": %.3f, \"p50\": %.3f, \"p99\": %.3f, \"p99.9\": %.3f, "
                    "\"max\": %.3f}, "
                    "\"unanswered\": %llu, \"server_cpu_ns\": %.1f, \"generator_busy\": %.3f}\n",
                    count(found.messages), found.seconds, rate, rate * static_cast<double>(asked.size),
                    count(latency.total()), latency.mean() / 1e3, microseconds(latency.at(0.5)), microseconds(latency.at(0.99)),
                    microseconds(latency.at(0.999)), microseconds(latency.max()), count(found.unanswered), each, busy);
        return;
    }
    std::printf("%llu messages in %.3f s: %.0f a second, %.1f MB/s of payload each way\n", count(found.messages),
                found.seconds, rate, rate * static_cast<double>(asked.size) / 1e6);
    std::printf("latency in us: p50 %.1f, p99 %.1f, p99.9 %.1f, longest %.1f\n", microseconds(latency.at(0.5)),
                microseconds(latency.at(0.99)), microseconds(latency.at(0.999)), microseconds(latency.max()));
    if (found.unanswered != 0) std::printf("%llu messages were never answered\n", count(found.unanswered));
    if (asked.pid != 0) std::printf("the server worked %.0f ns a message\n", each);
    std::printf("the generator was busy for %.0f %% of the time\n", busy * 100);
}

void print(const options& asked, const memory& found) {
    const auto each = [&](std::uint64_t bytes) {
        return (static_cast<double>(bytes) - static_cast<double>(found.before)) / static_cast<double>(asked.connections);
    };
    const auto count = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
    if (asked.json) {
        std::printf("{\"connections\": %zu, \"before\": %llu, \"open\": %llu, \"open_each\": %.1f", asked.connections,
                    count(found.before), count(found.open), each(found.open));
        if (asked.echo) std::printf(", \"echoed\": %llu, \"echoed_each\": %.1f", count(found.echoed), each(found.echoed));
        std::puts("}");
        return;
    }
    std::printf("%zu connections: %.1f bytes each\n", asked.connections, each(found.open));
    if (asked.echo) std::printf("after each echoed %zu bytes: %.1f bytes each\n", asked.size, each(found.echoed));
}

} // namespace

int main(int argc, char** argv) try {
    static options asked;
    parse(argc, argv, asked);
    std::signal(SIGPIPE, SIG_IGN); // OpenSSL writes without MSG_NOSIGNAL
    allow_connections(asked.connections + (asked.fan_out ? 1 : 0));
    if (asked.idle) {
        print(asked, idle_run(asked).run());
    } else if (asked.fan_out) {
        print(asked, fan_out_run(asked).run());
    } else {
        print(asked, echo_run(asked).run());
    }
    return 0;
} catch (const std::exception& e) {
    example::end_with(1, "load", e.what());
}
