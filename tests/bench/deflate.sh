#!/usr/bin/env bash
# The compression benchmark runs from the command that the documentation names, and every variant delivers what it must.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/tests/support/results.sh"
cd "$root" || exit 2
check "every variant of the compression benchmark delivers the right bytes and can be timed" bench/run.sh deflate --check
finish
