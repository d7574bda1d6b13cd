#!/usr/bin/env bash
# navette.hpp costs the compiler at most a quarter of the user CPU that Boost.Beast's WebSocket header costs it: the
# least of seven each, taken in turn, since what else the machine does only ever adds.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/tests/support/results.sh"

seconds() { # HEADER
    local TIMEFORMAT=%U
    { time echo "#include <$1>" | g++-12 -std=c++20 -O0 -fsyntax-only -I"$root/include" -x c++ - >&2; } 2>&1 | tail -n 1
}
least() { printf '%s\n' "$@" | sort -n | head -n 1; }

ours=() theirs=()
for _ in {1..7}; do
    ours+=("$(seconds navette/navette.hpp)")
    theirs+=("$(seconds boost/beast/websocket.hpp)")
done
ours=$(least "${ours[@]}") theirs=$(least "${theirs[@]}")

name="navette.hpp costs at most a quarter of Boost.Beast's header"
measured="$ours s against $theirs s"
echo "$measured"
if awk -v ours="$ours" -v theirs="$theirs" 'BEGIN { exit !(theirs > 0.5 && ours > 0 && ours * 4 <= theirs) }'; then
    pass "$name"
else
    fail "$name" "$measured"
fi
finish
