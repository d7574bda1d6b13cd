#!/usr/bin/env bash
# What a server must bear: thousands at once, those that vanish, those that hold on, no descriptors, a signal. A short form
# by default; with NAVETTE_LONG=yes the full one, and once more with the server that is built with sanitizers.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/tests/support/results.sh"
cd "$root" || exit 2
export NAVETTE_BUILD=${NAVETTE_BUILD:-$root/build/release}
export NAVETTE_CROWD=$root/build/reliability/crowd
export PYTHONPATH=$root/tests/support:$root/tests/examples PYTHONDONTWRITEBYTECODE=1
ulimit -n "$(ulimit -Hn)"

build_crowd() {
    local source=tests/reliability
    mkdir -p "$(dirname "$NAVETTE_CROWD")"
    if [[ -x $NAVETTE_CROWD ]] &&
        [[ -z $(find $source bench/load include -type f -newer "$NAVETTE_CROWD" -print -quit) ]]; then
        return
    fi
    g++-12 -std=c++20 -O2 -Wall -Wextra -Iinclude -Ibench $source/crowd.cpp -o "$NAVETTE_CROWD"
}
build_server() { # PRESET
    if [[ -x build/$1/examples/echo_server ]]; then return; fi
    cmake --preset "$1" -DCMAKE_CXX_COMPILER=g++-12 && cmake --build --preset "$1" --target echo_server
}
try() { "${PYTHON:-/usr/bin/python3}" tests/reliability/reliability.py || failures=$((failures + 1)); }

check "reliability: the crowd is built" build_crowd
try
if [[ ${NAVETTE_LONG:-} == yes ]]; then
    check "reliability (sanitizers): the server is built" build_server dev
    NAVETTE_BUILD=$root/build/dev NAVETTE_SANITIZED=yes ASAN_OPTIONS=quarantine_size_mb=16 try
fi
finish
