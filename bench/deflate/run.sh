#!/usr/bin/env bash
# bench/run.sh deflate: what the library adds to zlib, what libdeflate saves, and what a connection costs in memory.
# Compiles two small programs, runs them and prints what they say. Status 1: a target is missed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source bench/install.sh

turns=200 missed=1
case ${1:-} in
    '') ;;
    --quick) turns=20 ;;
    --check) turns=1 missed=0 ;;
    --help)
        cat <<TEXT
usage: bench/run.sh deflate [--quick | --check]
  --quick  few turns
  --check  no judgement: whether every variant delivers the right bytes and can be timed
TEXT
        exit 0
        ;;
    *)
        echo "bench/run.sh deflate: unknown option $1" >&2
        exit 2
        ;;
esac

install_packages g++-12 zlib1g-dev libdeflate-dev catch2
mkdir -p build/bench
for program in memory speed; do
    g++-12 -std=c++20 -O3 -DNDEBUG -Iinclude -Itests "bench/deflate/$program.cpp" -o "build/bench/deflate_$program" -lz -ldeflate
done
build/bench/deflate_memory
echo
status=0
build/bench/deflate_speed "$turns" || status=$?
if ((status == 1)); then status=$missed; fi
exit $status
