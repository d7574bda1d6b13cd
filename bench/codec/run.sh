#!/usr/bin/env bash
# bench/run.sh codec: navette's codec beside memcpy, Boost.Beast, websocketpp and wslay, in memory, in one run. Writes
# the samples to bench/results/codec.json and the tables to docs/benchmarks/codec.md, and prints the tables.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source bench/install.sh

usage() {
    cat <<TEXT
usage: bench/run.sh codec [--quick | --check] [--out DIR]
  --quick    few and short samples, in less than a minute, written to build/bench/results
  --check    no figures: whether every row delivers the right bytes and can be timed
  --out DIR  where codec.json and codec.md go
TEXT
}

packages=(libbenchmark-dev libboost-dev libwebsocketpp-dev libwslay-dev libsimdjson-dev g++-12 cmake
    ninja-build python3)
samples=(--rounds 6 --repetitions 3 --min-time 0.02)
mode=full results='' docs=''
while (($#)); do
    case $1 in
        --quick) mode=quick samples=(--rounds 1 --repetitions 3 --min-time 0.005) ;;
        --check) mode=check samples=(--rounds 1 --repetitions 2 --min-time 0.0001) ;;
        --out)
            if (($# < 2)); then
                echo "bench/run.sh codec: --out needs a directory" >&2
                exit 2
            fi
            results=$2 docs=$2
            shift
            ;;
        --help)
            usage
            exit 0
            ;;
        *)
            echo "bench/run.sh codec: unknown option $1" >&2
            exit 2
            ;;
    esac
    shift
done
if [[ -z $results ]]; then
    case $mode in
        full) results=bench/results docs=docs/benchmarks ;;
        *) results=build/bench/results docs=build/bench/results ;;
    esac
fi

install_packages "${packages[@]}"
mkdir -p build
cmake --preset bench >build/bench-configure.txt 2>&1 || { cat build/bench-configure.txt; exit 1; }
cmake --build --preset bench --parallel "$(nproc)"
mkdir -p "$results" "$docs"
binary=build/bench/bench/codec_bench
"$binary" --check
bench/codec/measure.py "$binary" "${samples[@]}" --packages "${packages[*]}" "$results/codec.json"
if [[ $mode == check ]]; then
    bench/codec/report.py "$results/codec.json" "$docs/codec.md" >/dev/null
    echo "every row can be timed"
else
    bench/codec/report.py "$results/codec.json" "$docs/codec.md"
fi
