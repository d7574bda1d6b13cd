// The one translation unit with the library's bodies, where they are compiled once.
#define NAVETTE_SEPARATE_COMPILATION
#include <navette/src.hpp>
#include <navette/tls.ipp>
