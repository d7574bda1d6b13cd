#!/usr/bin/env bash
# The tables of docs/permessage-deflate.md are what the program that measures them prints.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/tests/support/results.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$root" || exit 2

tables() { grep '^|' "$1"; }
agree() {
    g++-12 -std=c++20 -O1 -Iinclude -Itests bench/deflate/memory.cpp -o "$scratch/memory" -lz || return 1
    "$scratch/memory" >"$scratch/said" || return 1
    (($(tables "$scratch/said" | wc -l) == 20)) || { cat "$scratch/said"; return 1; }
    diff <(tables docs/permessage-deflate.md) <(tables "$scratch/said")
}
check "the memory of a connection is what the documentation says" agree
finish
