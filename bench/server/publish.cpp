// Publishing by navette: what one connection sends goes to all that are open, framed once. For the benchmark.
#include <navette/server.hpp>

#include "descriptors.hpp"

#include <cstdio>
#include <string>

int main(int, char** argv) {
    using namespace navette;
    bench::allow_descriptors();
    server all("127.0.0.1:" + std::string(argv[1]), {.origins = origin_policy::any()});
    all.on_open    = [](server_connection& from) { from.subscribe("all"); };
    all.on_message = [&all](server_connection&, const message& m) {
        if (all.publish("all", m.type, m.data) != errc{}) std::fputs("publish: a message was not published\n", stderr);
    };
    std::printf("listening on ws://127.0.0.1:%u/\n", static_cast<unsigned>(all.port()));
    std::fflush(stdout);
    if (const std::error_code error = all.run()) return std::fprintf(stderr, "publish: %s\n", error.message().c_str()), 1;
}
