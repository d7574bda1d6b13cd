// Whether this is `tests/run.sh --long`: then places of a large input that are sampled otherwise are all tried.
#pragma once

#include <cstdlib>

inline bool is_long_run() {
    const char* const asked = std::getenv("NAVETTE_LONG");
    return asked != nullptr && *asked != '\0';
}
