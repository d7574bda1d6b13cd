// libFuzzer's entry: plays its inputs, and counts those that reached an accepted state. At the end the two numbers,
// executions and accepted, go to the file that NAVETTE_FUZZ_COUNTS names.
#include "bodies/fuzz.hpp"

namespace {

struct counts {
    unsigned long long executions = 0, accepted = 0;

    ~counts() {
        const char* const path = std::getenv("NAVETTE_FUZZ_COUNTS");
        std::FILE* const  file = path == nullptr ? nullptr : std::fopen(path, "w");
        if (file == nullptr) return;
        std::fprintf(file, "%llu %llu\n", executions, accepted);
        std::fclose(file);
    }
};
counts all;

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ++all.executions;
    all.accepted += fuzz_one(fuzz::input(std::as_bytes(std::span(data, size))));
    return 0;
}
