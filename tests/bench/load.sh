#!/usr/bin/env bash
# The load generator of the server benchmark: its histogram, and what it says of servers that lie, drop, close or pause.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/tests/support/results.sh"
cd "$root" || exit 2
source bench/program.sh

histogram_is_right() {
    mkdir -p build/bench &&
        g++-12 -std=c++20 -O1 -Wall -Wextra -Ibench tests/bench/histogram.cpp -o build/bench/histogram_test &&
        build/bench/histogram_test
}
check "load: the histogram is at most a sixty-fourth above a sorted list" histogram_is_right
check "load: the generator is built" build_generator
export PYTHONPATH=$root/tests/support:$root/tests/examples PYTHONDONTWRITEBYTECODE=1
"${PYTHON:-/usr/bin/python3}" tests/bench/load.py || failures=$((failures + 1))
finish
