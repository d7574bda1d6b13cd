// Compile-time configuration: how bodies that are not templates are compiled, and what is always or never inlined.
// With NAVETTE_SEPARATE_COMPILATION defined for every translation unit, one of them includes
// <navette/src.hpp> and holds those bodies; without it they are inline in each.
#pragma once

#if defined(NAVETTE_SEPARATE_COMPILATION)
#  define NAVETTE_INLINE
#else
#  define NAVETTE_INLINE inline
#endif

// For what is as short as a call of it, and for what would make the short way beside it long.
#if defined(__GNUC__)
#  define NAVETTE_ALWAYS_INLINE __attribute__((always_inline)) inline
#  define NAVETTE_NEVER_INLINE __attribute__((noinline)) inline
#else
#  define NAVETTE_ALWAYS_INLINE inline
#  define NAVETTE_NEVER_INLINE inline
#endif
