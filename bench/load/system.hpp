// What the generator asks of the system: the time, what a process holds and has worked, descriptors; and how it fails.
#pragma once

#include <sys/resource.h>
#include <ctime>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>

namespace load {

/// What went wrong, as a sentence for the user; ends the run.
struct failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Nanoseconds on the steady clock.
inline std::uint64_t now() {
    ::timespec t{};
    ::clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(t.tv_nsec);
}

inline constexpr std::uint64_t second = 1'000'000'000;

/// Bytes of memory that a process has resident, its shared pages included.
inline std::uint64_t resident_bytes(int process) {
    const std::string path = "/proc/" + std::to_string(process) + "/smaps_rollup";
    std::ifstream file(path);
    for (std::string word; file >> word;)
        if (std::uint64_t kib = 0; word == "Rss:" && file >> kib) return kib * 1024;
    throw failure("cannot read the resident memory of process " + std::to_string(process) + " from " + path);
}

/// Nanoseconds that a process of one thread has run on a processor, in the kernel or not; 0: this kernel does not count.
inline std::uint64_t cpu_time(int process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/schedstat");
    std::uint64_t ns = 0;
    file >> ns;
    return ns;
}

/// This process's own.
inline std::uint64_t own_cpu_time() {
    ::timespec t{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(t.tv_nsec);
}

/// Sees to it that this process may open `wanted` connections.
inline void allow_connections(std::size_t wanted) {
    const ::rlim_t needed = wanted + 32;
    ::rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= needed) return;
    const ::rlim_t had = limit.rlim_cur;
    limit.rlim_cur     = limit.rlim_max;
    if (limit.rlim_max < needed || ::setrlimit(RLIMIT_NOFILE, &limit) != 0)
        throw failure(std::to_string(wanted) + " connections need " + std::to_string(needed) +
                      " descriptors; the soft limit is " + std::to_string(had) + ", the hard one " +
                      std::to_string(limit.rlim_max));
}

} // namespace load
