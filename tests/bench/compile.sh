#!/usr/bin/env bash
# The benchmark of compilers' time runs from the command that the documentation names.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/tests/support/results.sh"
cd "$root" || exit 2
rm -f build/bench/results/compile-time.svg
has_its_table() { bench/run.sh compile --check | grep -E '^\| navette/navette\.hpp +\| +[0-9.]+ \|'; }
check "the compile benchmark measures headers" has_its_table
drawn() { grep -q '>navette/navette.hpp<' build/bench/results/compile-time.svg; }
check "the compile benchmark draws its chart" drawn
check "an unknown option of the compile benchmark is refused with one line" \
    bash -c '[[ $(bench/run.sh compile --fast 2>&1 | wc -l) == 1 ]] && ! bench/run.sh compile --fast 2>/dev/null'
finish
