#!/usr/bin/env bash
# bench/run.sh server: an echo server of navette beside a floor of raw bytes, Boost.Beast, websocketpp and libwebsockets,
# over loopback sockets, in one run. Writes the samples to bench/results/server.json, the tables to
# docs/benchmarks/server.md with charts beside it, and prints the tables.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source bench/install.sh
source bench/program.sh
export PYTHONDONTWRITEBYTECODE=1

usage() {
    cat <<TEXT
usage: bench/run.sh server [--quick | --check] [--server NAME=URL]... [--out DIR]
  --quick            few and short samples, in about a minute and a half, written to build/bench/results
  --check            no figures, and nothing optimised: whether every server echoes the right bytes and can be measured
  --server NAME=URL  another echo server, ws:// or wss://, that runs on this machine already
  --out DIR          where server.json, server.md and its charts go
TEXT
}
refuse() {
    echo "bench/run.sh server: $1" >&2
    exit 2
}

packages=(libboost-dev libwebsocketpp-dev libwebsockets-dev libssl-dev zlib1g-dev g++-12 python3)
samples=(--rounds 9 --memory-rounds 1 --seconds 1.5)
mode=full results='' docs='' others=()
while (($#)); do
    case $1 in
        --quick) mode=quick samples=(--quick --rounds 2 --memory-rounds 1 --seconds 0.2) ;;
        --check)
            mode=check built=build/bench/server_check optimised=-O0
            samples=(--quick --rounds 1 --memory-rounds 1 --seconds 0.05 --connections 100 --subscribers 50)
            ;;
        --server)
            [[ ${2:-} =~ ^[a-z_]+=wss?:// ]] || refuse "--server needs NAME=URL, a name of small letters and a ws or wss URL"
            others+=(--server "$2")
            shift
            ;;
        --out)
            (($# >= 2)) || refuse "--out needs a directory"
            results=$2 docs=$2
            shift
            ;;
        --help)
            usage
            exit 0
            ;;
        *) refuse "unknown option $1" ;;
    esac
    shift
done
if [[ -z $results ]]; then
    case $mode in
        full) results=bench/results docs=docs/benchmarks ;;
        *) results=build/bench/results docs=build/bench/results ;;
    esac
fi

install_packages "${packages[@]}" python3-pip
install_charts
mkdir -p "$results" "$docs"

# Two at a time; each by its id, so that a failure is seen.
build() {
    local -a waiting=()
    { program beast bench/server/beast.cpp -std=c++20 &&
        program navette examples/echo_server.cpp -std=c++20 -lssl -lcrypto -lz; } & waiting+=($!)
    { build_generator && program websocketpp bench/server/websocketpp.cpp -std=c++17 &&
        program publish bench/server/publish.cpp -std=c++20 -lz && program floor bench/server/floor.cpp -std=c++20 &&
        program libwebsockets bench/server/libwebsockets.cpp -std=c++20 -lwebsockets; } & waiting+=($!)
    wait "${waiting[0]}" && wait "${waiting[1]}"
}
build

programs=(--program "floor=$built/floor" --program "navette=$built/navette --port 0 --no-deflate"
    --program "beast=$built/beast 0" --program "websocketpp=$built/websocketpp 0"
    --program "libwebsockets=$built/libwebsockets 0" --publisher "$built/publish 0")
for bun in "$(command -v bun || true)" build/node/node_modules/.bin/bun; do
    if [[ -n $bun && -x $bun ]]; then
        programs+=(--program "bun=$bun bench/server/bun.js 0")
        break
    fi
done

bench/server/measure.py "$built/load" "$results/server.json" "${samples[@]}" "${programs[@]}" "${others[@]}" \
    --packages "${packages[*]}"
if [[ $mode == check ]]; then
    bench/server/report.py "$results/server.json" "$docs/server.md" --charts >/dev/null
    echo "every server can be measured"
else
    bench/server/report.py "$results/server.json" "$docs/server.md" --charts
fi
