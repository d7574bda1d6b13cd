// The codec benchmark: all rows of all peers, for Google Benchmark to time. With --check instead, each row's work is
// done once, and what it delivers is compared with what it must deliver.
#include "peer.hpp"

#include <cstdio>
#include <cstring>
#include <exception>

namespace {

int check(const bench::suite& all) {
    int compared = 0, wrong = 0;
    for (const bench::variant& v : all) {
        if (!v.sum) continue;
        ++compared;
        if (v.sum() == bench::expected_sum(v.group, v.size)) continue;
        ++wrong;
        std::printf("%s/%s/%zu: does not deliver the bytes it must\n", v.group.c_str(),
                    v.peer.c_str(), v.size);
    }
    std::printf("%d of %d rows deliver the same bytes\n", compared - wrong, compared);
    return wrong == 0 && compared > 0 ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) try {
    bench::suite all;
    bench::add_floor(all);
    bench::add_navette(all);
    bench::add_beast(all);
    bench::add_websocketpp(all);
    bench::add_wslay(all);
    bench::add_simdjson(all);

    if (argc == 2 && std::strcmp(argv[1], "--check") == 0) return check(all);

    for (const bench::variant& v : all) {
        const std::string name = v.group + '/' + v.peer + '/' + std::to_string(v.size);
        benchmark::RegisterBenchmark(name.c_str(), v.time);
    }
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
} catch (const std::exception& e) {
    std::fprintf(stderr, "codec_bench: %s\n", e.what());
    return 1;
}
