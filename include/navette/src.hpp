// Every body that is not a template, for programs that compile them once: NAVETTE_SEPARATE_COMPILATION is defined for all
// translation units, and exactly one of them includes this file.
#pragma once

#if !defined(NAVETTE_SEPARATE_COMPILATION)
#  error "define NAVETTE_SEPARATE_COMPILATION for every translation unit"
#endif

#include <navette/codec/entropy.ipp>
#include <navette/stream/error.ipp>
