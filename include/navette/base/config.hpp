// Compile-time configuration: how bodies that are not templates are compiled.
// With NAVETTE_SEPARATE_COMPILATION defined for every translation unit, one of them includes
// <navette/src.hpp> and holds those bodies; without it they are inline in each.
#pragma once

#if defined(NAVETTE_SEPARATE_COMPILATION)
#  define NAVETTE_INLINE
#else
#  define NAVETTE_INLINE inline
#endif
