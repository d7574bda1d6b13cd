// Runs every case that an Autobahn fuzzing server has: echoes what comes, until the server has had enough.
// usage: autobahn_client URL, without a path. Prints the number of cases, then each case that could not be opened.
#include <navette/deflate.hpp>
#include <navette/tcp.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>

using namespace navette;

namespace {

int refused(const std::string& target, std::error_code why) {
    std::fprintf(stderr, "autobahn_client: %s: %s\n", target.c_str(), why.message().c_str());
    return 1;
}

int run(const std::string& server) {
    auto counting = connect(server + "/getCaseCount");
    if (!counting) return refused(server, counting.error());
    const auto said = counting->read();
    if (!said) return refused(server, said.error());
    const int count = std::atoi(std::string(said->text()).c_str());
    std::printf("%d cases\n", count);

    const permessage_deflate deflate;
    int                      status = 0;
    for (int i = 1; i <= count; ++i) {
        const std::string target = server + "/runCase?case=" + std::to_string(i) + "&agent=navette";
        auto              ws     = connect(target, {.handshake = {.extensions = deflate.extensions()}});
        if (!ws) {
            status = refused(target, ws.error());
            continue;
        }
        for (auto message = ws->read(); message; message = ws->read())
            if (ws->send(*message)) break;
    }
    auto reporting = connect(server + "/updateReports?agent=navette");
    if (!reporting) return refused(server, reporting.error());
    while (reporting->read()) {}
    return status;
}

} // namespace

int main(int argc, char** argv) {
    if (argc == 2) return run(argv[1]);
    std::fputs("usage: autobahn_client URL\n", stderr);
    return 2;
}
