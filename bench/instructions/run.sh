#!/usr/bin/env bash
# bench/run.sh instructions: counts instructions, which do not depend on what else the machine does. Compares with
# bench/instructions/counts.tsv. Status 1: something costs more than it may.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source bench/install.sh
export PYTHONDONTWRITEBYTECODE=1

write=()
case ${1:-} in
    '') ;;
    --write) write=(--write) ;;
    --help)
        cat <<TEXT
usage: bench/run.sh instructions [--write]
  --write  keeps what is counted now: for a change whose cost is meant, with the reason in its commit
TEXT
        exit 0
        ;;
    *)
        echo "bench/run.sh instructions: unknown option $1" >&2
        exit 2
        ;;
esac

install_packages g++-12 valgrind zlib1g-dev python3
mkdir -p build/instructions
g++-12 -std=c++20 -O3 -DNDEBUG -Iinclude bench/instructions/workloads.cpp bench/codec/corpus.cpp -lz -o build/instructions/workloads
bench/instructions/guard.py "${write[@]}" build/instructions/workloads "g++ $(g++-12 -dumpfullversion)"
