# The library's bodies, compiled once for those programs of this repository that link this.
find_package(OpenSSL 3.0 REQUIRED)
add_library(navette_bodies OBJECT cmake/bodies.cpp)
target_link_libraries(navette_bodies PRIVATE navette_strict PUBLIC OpenSSL::SSL OpenSSL::Crypto)
target_compile_definitions(navette_bodies INTERFACE NAVETTE_SEPARATE_COMPILATION)
# With sanitizers it takes longer to optimise them than the tests then gain.
target_compile_options(navette_bodies PRIVATE "$<$<CONFIG:Debug>:-O0>")
set_target_properties(navette_bodies PROPERTIES CXX_EXTENSIONS OFF)
