// wsproto in the differential tests: a Python program beside this one, asked line by line.
#include "hex.hpp"
#include "partner.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>
#include <stdexcept>

namespace differential {

namespace {

[[noreturn]] void give_up(const std::string& why) { throw std::runtime_error("wsproto: " + why); }

class program {
    pid_t pid_ = -1;
    int to_ = -1, from_ = -1;
    std::string read_;

public:
    program() {
        const char* const python = std::getenv("PYTHON");
        const char* const script = std::getenv("NAVETTE_WSPROTO");
        if (script == nullptr) give_up("NAVETTE_WSPROTO does not say where its program is");
        int in[2], out[2];
        if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) give_up("no pipe");
        signal(SIGPIPE, SIG_IGN);
        pid_ = fork();
        if (pid_ < 0) give_up("no process");
        if (pid_ == 0) {
            dup2(in[0], STDIN_FILENO);
            dup2(out[1], STDOUT_FILENO);
            const char* const name = python != nullptr ? python : "python3";
            execlp(name, name, "-u", script, static_cast<char*>(nullptr));
            _exit(127);
        }
        close(in[0]);
        close(out[1]);
        to_   = in[1];
        from_ = out[0];
        read_line(); // its version
    }
    program(const program&)            = delete;
    program& operator=(const program&) = delete;
    ~program() {
        close(to_); // it ends with its input
        close(from_);
        for (int tenths = 0; tenths < 50; ++tenths) {
            if (waitpid(pid_, nullptr, WNOHANG) != 0) return;
            usleep(100'000);
        }
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }

    std::string ask(const std::string& line) {
        for (std::size_t done = 0; done < line.size();) {
            const ssize_t n = write(to_, line.data() + done, line.size() - done);
            if (n <= 0) give_up("it takes no input");
            done += static_cast<std::size_t>(n);
        }
        return read_line();
    }

private:
    std::string read_line() {
        for (;;) {
            if (const std::size_t end = read_.find('\n'); end != std::string::npos) {
                std::string line = read_.substr(0, end);
                read_.erase(0, end + 1);
                return line;
            }
            pollfd ready{from_, POLLIN, 0};
            if (poll(&ready, 1, 20'000) != 1) give_up("no answer within 20 s");
            char some[65536];
            const ssize_t n = read(from_, some, sizeof some);
            if (n <= 0) give_up("its program ended");
            read_.append(some, static_cast<std::size_t>(n));
        }
    }
};

std::string text_of(const std::string& field) { return field == "-" ? std::string() : from_hex(field); }

std::vector<std::string> list_of(const std::string& field, std::size_t skipped) {
    std::vector<std::string> all;
    std::istringstream each(field == "-" ? std::string() : field);
    for (std::string one; std::getline(each, one, ',');) all.push_back(from_hex(one).substr(skipped));
    return all;
}

outcome receive(const input& from) {
    static program peer;
    std::string line(1, static_cast<char>(from.to));
    from.each_piece([&](std::string_view piece) { return line += ' ' + to_hex(piece), true; });
    std::istringstream answer(peer.ask(line + '\n'));
    std::string end, why, accept, messages, pongs;
    outcome result;
    if (!(answer >> end >> result.close >> why >> accept >> messages >> pongs))
        give_up("an answer is malformed: " + answer.str());
    result.end = end == "waits"    ? ending::waits
                 : end == "closed" ? ending::closed
                 : end == "failed" ? ending::failed
                                   : ending::refused;
    result.why      = text_of(why);
    result.accept   = text_of(accept);
    result.messages = list_of(messages, 0);
    result.pongs    = list_of(pongs, 1);
    return result;
}

} // namespace

const partner wsproto{"wsproto", "1.2.0", true, false, receive};

} // namespace differential
