#!/usr/bin/env bash
# bench/run.sh scale: what a message costs navette's echo server, plain, over TLS and compressed, from 1 to 10,000
# connections, and what publishing costs from 1 to 10,000 subscribers, beside a floor of raw bytes. Writes the samples to
# bench/results/scale.json, the tables to docs/benchmarks/scale.md with charts beside it, and prints the tables.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source bench/install.sh
source bench/program.sh
export PYTHONDONTWRITEBYTECODE=1

usage() {
    cat <<TEXT
usage: bench/run.sh scale [--quick | --check] [--out DIR]
  --quick    few and short samples, in half a minute, written to build/bench/results
  --check    no figures, and nothing optimised: whether all of it can be measured
  --out DIR  where scale.json, scale.md and its charts go
TEXT
}
refuse() {
    echo "bench/run.sh scale: $1" >&2
    exit 2
}

packages=(libssl-dev zlib1g-dev g++-12 python3)
samples=(--rounds 5 --seconds 1.5 --most 10000) results=bench/results docs=docs/benchmarks
quick() { results=build/bench/results docs=build/bench/results; }
while (($#)); do
    case $1 in
        --quick) quick; samples=(--rounds 1 --seconds 0.2 --most 1000) ;;
        --check) quick; samples=(--rounds 1 --seconds 0.05 --most 100) built=build/bench/server_check optimised=-O0 ;;
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

install_packages "${packages[@]}" openssl python3-pip
install_charts
mkdir -p "$results" "$docs"

build() {
    local -a waiting=()
    program navette examples/echo_server.cpp -std=c++20 -lssl -lcrypto -lz & waiting+=($!)
    { build_generator && program floor bench/server/floor.cpp -std=c++20; } & waiting+=($!)
    wait "${waiting[0]}" && wait "${waiting[1]}" || return
    program publish bench/server/publish.cpp -std=c++20 -lz
}
build

# The generator asks nobody whether it is right.
certificate=$built/certificate.pem key=$built/key.pem
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
    -keyout "$key" -out "$certificate" 2>/dev/null

bench/scale/measure.py "$built/load" "$results/scale.json" "${samples[@]}" --floor "$built/floor" \
    --navette "$built/navette" --publisher "$built/publish 0" --certificate "--cert $certificate --key $key" \
    --packages "${packages[*]}"
bench/scale/report.py "$results/scale.json" "$docs/scale.md" --charts
