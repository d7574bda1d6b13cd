#!/usr/bin/env bash
# What the continuous integration does of fuzz/: the targets are short, the corpus is small, every target replays its
# corpus, compiled by any compiler ($CXX), and fuzzes for a few seconds with clang and the sanitizers; none of it leaks.
# Installs nothing.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
source fuzz/common.sh
source tests/support/results.sh
# To optimise takes longer than what is run here.
made=$made/check fuzz_level=-O0 replay_level=-O0

short_targets() { # each has at most 20 lines, says what it covers and how long its inputs are, and has a corpus and a bug
    local target
    for target in "${all_targets[@]}"; do
        (($(wc -l <"fuzz/targets/$target.cpp") <= 20)) && [[ -n $(of "$target" covers) && -n $(kind "$target") && -n $(longest "$target") ]] &&
            [[ -s fuzz/corpus/$target.hex ]] && grep -qP "^$target\t" fuzz/bugs.tsv && continue
        echo "fuzz/targets/$target.cpp"
        return 1
    done
}
planted_bugs() { # each line of fuzz/bugs.tsv changes the header that it names
    local target file expression
    while IFS=$'\t' read -r target file expression _; do
        sed -E "$expression" "include/navette/$file" | diff -q - "include/navette/$file" >/dev/null || continue
        echo "fuzz/bugs.tsv: $target: changes nothing"
        return 1
    done <fuzz/bugs.tsv
}
small_corpus() { (($(cat fuzz/corpus/*.hex | wc -c) < 2 * 1024 * 1024)); }

replay() { compile_replay "$1" && "$made/replay/$1" "fuzz/corpus/$1.hex"; }
smoke() {
    local inputs
    compile_fuzzer "$1" && inputs=$(unpacked "$1") && fuzz "$1" "$inputs" -max_total_time=1 -detect_leaks=1
}

check "fuzz: there are at least ten targets" test "${#all_targets[@]}" -ge 10
check "fuzz: each target is short, and has a corpus and a bug to find" short_targets
check "fuzz: each bug is one" planted_bugs
check "fuzz: the corpus is smaller than 2 MiB" small_corpus
need "clang++-$clang" "${CXX:-g++-12}" || fail "fuzz: the compilers are there" "one is missing"
for target in "${all_targets[@]}"; do
    while (($(jobs -rp | wc -l) >= ${NAVETTE_JOBS:-$(nproc)})); do wait -n; done
    {
        check "fuzz: $target replays its corpus" replay "$target"
        check "fuzz: $target finds nothing in a second" smoke "$target"
        exit "$((failures > 0))"
    } &
    running+=($!)
done
for job in "${running[@]}"; do wait "$job" || failures=$((failures + 1)); done
finish
