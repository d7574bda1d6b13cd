#!/usr/bin/env bash
# As a subproject navette adds one target and nothing else: no tests, no examples, no flags, no language standard.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/tests/support/results.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cat >"$scratch/CMakeLists.txt" <<CMAKE
cmake_minimum_required(VERSION 3.22)
project(user LANGUAGES CXX)
add_subdirectory("$root" navette)
foreach(variable CMAKE_CXX_STANDARD CMAKE_CXX_FLAGS CMAKE_CXX_EXTENSIONS CMAKE_COMPILE_WARNING_AS_ERROR)
    if(\${variable})
        message(FATAL_ERROR "navette sets \${variable} to \${\${variable}}")
    endif()
endforeach()
add_executable(user main.cpp)
target_link_libraries(user PRIVATE navette::navette)
get_directory_property(navette_VERSION DIRECTORY "$root" DEFINITION navette_VERSION)
file(WRITE "\${CMAKE_BINARY_DIR}/version.txt" "\${navette_VERSION}")
CMAKE
cat >"$scratch/main.cpp" <<'CPP'
#include <navette/navette.hpp>
#include <cstdio>
int main() { std::puts(NAVETTE_VERSION); }
CPP

build=$scratch/build
builds() {
    cmake -G Ninja -S "$scratch" -B "$build" -DCMAKE_CXX_COMPILER=g++-12 -DCMAKE_EXPORT_COMPILE_COMMANDS=ON &&
        cmake --build "$build" && "$build/user"
}
only_the_user() {
    local commands=$build/compile_commands.json
    [[ $(grep -c '"file"' "$commands") == 1 ]] || { echo "more than one file is compiled"; return 1; }
    if grep '"command"' "$commands" | grep -E -- ' -(W|O|f)'; then echo "flags come with the target"; return 1; fi
}
version_agrees() { [[ $("$build/user") == "$(cat "$build/version.txt")" ]] || { echo "versions differ"; return 1; }; }

check "a project that adds navette as a subdirectory builds and runs" builds
check "navette adds no program and no flag to it" only_the_user
check "CMake and the preprocessor see the same version" version_agrees
finish
