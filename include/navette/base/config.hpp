// Compile-time configuration: how bodies that are not templates are compiled, and what is always inlined.
// With NAVETTE_SEPARATE_COMPILATION defined for every translation unit, one of them includes
// <navette/src.hpp> and holds those bodies; without it they are inline in each.
#pragma once

#if defined(NAVETTE_SEPARATE_COMPILATION)
#  define NAVETTE_INLINE
#else
#  define NAVETTE_INLINE inline
#endif

// For what is as short as a call of it.
#if defined(__GNUC__)
#  define NAVETTE_ALWAYS_INLINE __attribute__((always_inline)) inline
#else
#  define NAVETTE_ALWAYS_INLINE inline
#endif
