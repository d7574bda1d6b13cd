#!/usr/bin/env bash
# Counted instructions stay what they are (bench/instructions), and the guard can fail.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$root/tests/support/results.sh"
cd "$root" || exit 2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

guard() { bench/instructions/guard.py --again "$@" build/instructions/workloads "g++ $(g++-12 -dumpfullversion)"; }

bench/run.sh instructions || failures=$((failures + 1))
NAVETTE_RESULTS='' guard --write --kept "$scratch/counted.tsv" >/dev/null

# says WORKLOAD TEXT EXPRESSION: with what was counted changed so by awk, that workload fails with TEXT, once for each set of
# instructions, and no other does.
says() {
    local said
    awk -F '\t' -v OFS='\t' "$3" "$scratch/counted.tsv" >"$scratch/kept.tsv"
    if said=$(NAVETTE_RESULTS='' guard --kept "$scratch/kept.tsv"); then return 1; fi
    echo "$said"
    [[ $(grep -c "^FAIL instructions (.*): $1: $2" <<<"$said") == 2 && $(grep -c '^FAIL' <<<"$said") == 2 ]]
}
check "instructions: what costs 3 % more is named" \
    says "echo: 16 bytes" 'it takes .*, 3\.1% more than' '$3 == "echo: 16 bytes" { $4 = int($4 / 1.031) } 1'
check "instructions: what costs less than 3 % more passes, and what is not kept is named" \
    says "echo: 16 bytes" 'it takes .*, and nothing is kept of it' '$3 == "echo: 16 bytes" { next } NR > 1 { $4 = int($4 / 1.029) } 1'
check "instructions: what is gone is named" \
    says "an old one" 'it is kept, and not there' '{ print } $3 == "accept key" { $3 = "an old one"; print }'
finish
