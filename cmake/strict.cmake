# How the programs of this repository are compiled; it touches nobody else's.
add_library(navette_strict INTERFACE)
target_link_libraries(navette_strict INTERFACE navette::navette)
target_compile_options(navette_strict INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion)
# g++ 12 sees overlaps and overflows in std::string's operator+ that are not there (GCC bugs 105329 and 105651).
target_compile_options(navette_strict INTERFACE
    "$<$<CXX_COMPILER_ID:GNU>:-Wno-restrict;-Wno-stringop-overflow;-Wno-array-bounds>")
# And when it inlines the one of operator new and operator delete of a coroutine and not the other.
target_compile_options(navette_strict INTERFACE "$<$<CXX_COMPILER_ID:GNU>:-Wno-mismatched-new-delete>")
