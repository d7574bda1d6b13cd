// The one translation unit with the library's bodies, when they are compiled separately.
#define NAVETTE_SEPARATE_COMPILATION
#include <navette/src.hpp>
#if defined(WITH_TLS)
#  include <navette/tls.ipp>
#endif
