// What each server of the benchmark needs before it listens: as many descriptors as the system allows.
#pragma once

#include <sys/resource.h>

namespace bench {

inline void allow_descriptors() {
    ::rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

} // namespace bench
