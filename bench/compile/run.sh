#!/usr/bin/env bash
# bench/run.sh compile: what the headers and an echo server cost the compiler, beside Boost.Beast and websocketpp. Writes the
# samples to bench/results/compile.json, the tables to docs/benchmarks/compile.md with charts beside it, and prints the tables.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source bench/install.sh
export PYTHONDONTWRITEBYTECODE=1

how=(--rounds 7) results=bench/results docs=docs/benchmarks
case ${1:-} in
    '') ;;
    --quick)
        how=(--rounds 1 --only navette/navette.hpp navette/server.hpp boost/beast/websocket.hpp) results=build/bench/results
        docs=build/bench/results
        ;;
    --check)
        how=(--rounds 1 --only navette/navette.hpp boost/beast/websocket.hpp) results=build/bench/results docs=build/bench/results
        ;;
    --help)
        cat <<TEXT
usage: bench/run.sh compile [--quick | --check]
  --quick  three headers, once, written to build/bench/results
  --check  two headers, once, written to build/bench/results: whether it can be measured
TEXT
        exit 0
        ;;
    *)
        echo "bench/run.sh compile: unknown option $1" >&2
        exit 2
        ;;
esac

packages=(libboost-dev libasio-dev libwebsocketpp-dev)
install_packages g++-12 python3 python3-pip "${packages[@]}"
install_charts
mkdir -p "$results" "$docs"
bench/compile/measure.py "$results/compile.json" "${how[@]}" --packages "${packages[*]}"
bench/compile/report.py "$results/compile.json" "$docs/compile.md" --charts
