// The test runner: Catch2's own, and a listener that appends one line for each case to the file that the
// environment variable NAVETTE_RESULTS names: `PASS name`, `FAIL name: why` or `SKIP name: why`.
// A case without an assertion fails, and so does a run that selects no case.
#define CATCH_CONFIG_RUNNER
#if defined(__GNUC__) && !defined(__clang__)
#  pragma GCC diagnostic ignored "-Wmaybe-uninitialized" // g++ 12 with sanitizers, inside <regex>
#  pragma GCC optimize("O0")                             // nothing here needs speed, and Catch2 is long to compile
#endif
#include "support/catch.hpp"

#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <string>

namespace {

#if __has_include(<catch2/catch_all.hpp>)
using listener_base = Catch::EventListenerBase;
constexpr auto nothing_selected = Catch::WarnAbout::UnmatchedTestSpec;
const Catch::TestCaseInfo& info(const Catch::TestCaseStats& stats) { return *stats.testInfo; }
#else
using listener_base = Catch::TestEventListenerBase;
constexpr auto nothing_selected = Catch::WarnAbout::NoTests;
const Catch::TestCaseInfo& info(const Catch::TestCaseStats& stats) { return stats.testInfo; }
#endif

std::string one_line(std::string text) {
    for (char& c : text)
        if (c == '\n' || c == '\r') c = ' ';
    return text;
}

std::string place(const Catch::SourceLineInfo& at) { return std::string(at.file) + ":" + std::to_string(at.line); }

class results_listener : public listener_base {
    std::ofstream results_;

public:
    using listener_base::listener_base;

    void testRunStarting(const Catch::TestRunInfo& run) override {
        listener_base::testRunStarting(run);
        if (const char* path = std::getenv("NAVETTE_RESULTS")) results_.open(path, std::ios::app);
    }

    void testCaseEnded(const Catch::TestCaseStats& stats) override {
        const auto& cases = stats.totals.testCases;
        const std::string name = one_line(info(stats).name);
        if (cases.failed > 0)
            results_ << "FAIL " << name << ": " << place(info(stats).lineInfo) << '\n';
#if __has_include(<catch2/catch_all.hpp>)
        else if (cases.skipped > 0)
            results_ << "SKIP " << name << ": " << place(info(stats).lineInfo) << '\n';
#endif
        else
            results_ << "PASS " << name << '\n';
        results_.flush();
        listener_base::testCaseEnded(stats);
    }
};

} // namespace

CATCH_REGISTER_LISTENER(results_listener)

// For the address sanitizer: memory that is not there is a null pointer, as it is without it.
extern "C" const char* __asan_default_options() {
    return "allocator_may_return_null=1:detect_stack_use_after_return=1";
}

// For the thread sanitizer: OpenSSL is not compiled with it, so that it sees what its threads share and not how they
// take turns. What navette does with it is watched as all else.
extern "C" const char* __tsan_default_suppressions() {
    return "called_from_lib:libcrypto.so\ncalled_from_lib:libssl.so\n";
}

int main(int argc, char* argv[]) {
    Catch::Session session;
    session.configData().warnings = static_cast<Catch::WarnAbout::What>(Catch::WarnAbout::NoAssertions | nothing_selected);
    if (const int wrong = session.applyCommandLine(argc, argv); wrong != 0) return wrong;
    return session.run();
}
