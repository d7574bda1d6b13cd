// Whether this is `tests/run.sh --long`: then places of a large input that are sampled otherwise are all tried.
#pragma once

#include <cstdlib>

inline bool is_long_run() {
    const char* const asked = std::getenv("NAVETTE_LONG");
    return asked != nullptr && *asked != '\0';
}

// Of values that are tried one by one, with sanitizers every fifth is.
#if defined(__has_feature)
#  if __has_feature(address_sanitizer)
#    define NAVETTE_TEST_IS_SLOW
#  endif
#endif
inline unsigned sampling_step() {
#if defined(__SANITIZE_ADDRESS__) || defined(NAVETTE_TEST_IS_SLOW)
    return is_long_run() ? 1 : 5;
#else
    return 1;
#endif
}
