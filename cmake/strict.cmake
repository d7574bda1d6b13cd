# How the programs of this repository are compiled; it touches nobody else's.
add_library(navette_strict INTERFACE)
target_link_libraries(navette_strict INTERFACE navette::navette)
target_compile_options(navette_strict INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion)
