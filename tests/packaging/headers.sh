#!/usr/bin/env bash
# Every public header compiles alone, with all warnings: with g++ each for itself, with clang, which reads the same standard
# library, all of them one after the other. Floors 0 to 5 need neither exceptions nor run-time type information. The bodies
# compile without a warning when optimised.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/tests/support/results.sh"
cd "$root" || exit 2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
flags=(-std=c++20 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Werror -Iinclude)

without=(-fno-exceptions -fno-rtti)

# An Asio this old does not look for clang's coroutines.
coroutines=(-D{,BOOST_}ASIO_HAS_CO_AWAIT -D{,BOOST_}ASIO_HAS_STD_COROUTINE)

# alone HEADER: prints what the compilers say. Included twice, since #pragma once is silent where it is missing.
alone() {
    local text="#include <navette/$1>" more=()
    if [[ $1 == src.hpp ]]; then more=(-DNAVETTE_SEPARATE_COMPILATION); fi
    printf '%s\n%s\n' "$text" "$text" | g++-12 "${flags[@]}" "${more[@]}" -fsyntax-only -x c++ -
}

mapfile -t headers < <(cd include/navette && find . -name '*.hpp' | sed 's|^\./||' | sort)
running=0
for header in "${headers[@]}"; do
    { alone "$header" && touch "$scratch/${header//\//_}.passed"; } >"$scratch/${header//\//_}.log" 2>&1 &
    if ((++running >= ${NAVETTE_JOBS:-$(nproc)})); then wait -n; fi
done
wait
for header in "${headers[@]}"; do
    if [[ -f $scratch/${header//\//_}.passed ]]; then
        pass "$header compiles alone"
    else
        cat "$scratch/${header//\//_}.log"
        fail "$header compiles alone" "$(grep -m 1 -E 'error' "$scratch/${header//\//_}.log")"
    fi
done

# An Asio as old as here does not go together with the other. What stands before an Asio is what its traits find.
together() { # COMPILER ORDER
    local asio
    for asio in asio boost_asio; do
        printf '#include <navette/%s>\n' "${headers[@]}" | grep -vE "src\.hpp|/$asio\.hpp" | "$2" |
            "$1" "${flags[@]}" "${coroutines[@]}" -fsyntax-only -x c++ - || return
    done
}
check "all headers compile with clang" together clang++-14 cat
check "all headers compile with g++, the last one first" together g++-12 tac

printf '#include <navette/%s>\n' src.hpp tls.ipp >"$scratch/src.cpp"

printf '%s\n' "${headers[@]}" | grep -E '^(base|codec|frame|extension|handshake|protocol)/' |
    sed 's|.*|#include <navette/&>|' >"$scratch/core.cpp"
core() { "$1" "${flags[@]}" "${without[@]}" -O2 -c "$scratch/core.cpp" -o "$scratch/core.o"; }

# What the compilers notice only when they optimise.
optimised() { "$1" "${flags[@]}" -O2 -DNAVETTE_SEPARATE_COMPILATION -c "$scratch/src.cpp" -o "$scratch/src.o"; }

check "floors 0 to 5 need neither exceptions nor run-time type information with g++" core g++-12
check "floors 0 to 5 need neither exceptions nor run-time type information with clang" core clang++-14
check "the bodies compile without a warning at -O2 with g++" optimised g++-12
check "the bodies compile without a warning at -O2 with clang" optimised clang++-14
finish
