#!/usr/bin/env bash
# Fuzzes for a while, measures, and writes one line a target to fuzz/LOG.md. Installs nothing.
# Fails if a target finds something, or if its inputs reach less than 90 % of the lines of the headers that it names.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
source fuzz/common.sh

usage() {
    cat <<TEXT
usage: fuzz/run.sh [--minutes N | --executions N] [--seed] [--keep] [TARGET]...
  --minutes N     fuzz each target for N minutes, which may be a fraction; 1 by default
  --executions N  fuzz each target for N executions instead
  --seed          begin with what the tests exchange, too (fuzz/seeds.cpp, which needs Catch2)
  --keep          add new inputs that reach something new to fuzz/corpus, minimised
targets: ${all_targets[*]}
TEXT
}

minutes=1 executions='' seed='' keep='' targets=()
while (($#)); do
    case $1 in
        --minutes | --executions)
            if ! [[ ${2-} =~ ^[0-9]*\.?[0-9]+$ ]]; then
                echo "fuzz/run.sh: $1 needs a number" >&2
                exit 2
            fi
            if [[ $1 == --minutes ]]; then minutes=$2; else executions=$2; fi
            shift
            ;;
        --seed) seed=yes ;;
        --keep) keep=yes ;;
        --help)
            usage
            exit 0
            ;;
        *)
            if ! is_target "$1"; then
                usage >&2
                exit 2
            fi
            targets+=("$1")
            ;;
    esac
    shift
done
((${#targets[@]})) || targets=("${all_targets[@]}")
need "clang++-$clang" "llvm-profdata-$clang" "llvm-cov-$clang" "${CXX:-g++-12}" || exit 2

seconds=$(awk -v n="$minutes" 'BEGIN { printf "%d", n * 60 < 1 ? 1 : n * 60 }')
if [[ -n $executions ]]; then how_long=("-runs=$executions"); else how_long=("-max_total_time=$seconds"); fi

if [[ -n $seed ]]; then
    rm -rf "$made/seeds"
    mkdir -p "$made/seeds"
    "${CXX:-g++-12}" "${common_flags[@]}" -Iinclude -Itests fuzz/seeds.cpp -lz -o "$made/make_seeds" &&
        "$made/make_seeds" "$made/seeds" || exit 1
fi

# coverage TARGET DIR: of the lines of the headers that the target names, the share that the inputs in DIR reach.
coverage() {
    local target=$1 inputs=$2 profile=$made/coverage/$1 headers=() header
    compile_coverage "$target" || return
    for header in $(of "$target" covers); do headers+=("$source_tree/include/navette/$header"); done
    "$made/replay/$target" --pack "$inputs" "$profile.hex"
    LLVM_PROFILE_FILE=$profile.raw "$made/coverage/$target" "$profile.hex" >/dev/null
    "llvm-profdata-$clang" merge -o "$profile.data" "$profile.raw" &&
        "llvm-cov-$clang" report "$made/coverage/$target" "-instr-profile=$profile.data" "${headers[@]}" >"$profile.txt"
    awk '/^TOTAL/ { printf "%.1f", 100 * ($8 - $9) / $8 }' "$profile.txt"
}

# minimise TARGET DIR: to fuzz/corpus/TARGET.hex, the smallest inputs that reach as much as all.
minimise() {
    local target=$1 inputs=$2 least=$made/least/$1
    rm -rf "$least"
    mkdir -p "$least"
    "$made/fuzzers/$target" -merge=1 -set_cover_merge=1 "-max_len=$(longest "$target")" -detect_leaks=0 \
        "$least" "$inputs" >/dev/null 2>&1 &&
        "$made/replay/$target" --pack "$least" "fuzz/corpus/$target.hex"
}

log() { # TARGET EXECUTIONS RATE ACCEPTED COVERAGE FOUND
    local file=fuzz/LOG.md
    if [[ ! -f $file ]]; then
        echo "# What fuzzing has done" >"$file"
        cat >>"$file" <<'TEXT'

Written by fuzz/run.sh, a line a target a run. *accepted*: the share of the executions that reached an accepted state;
*lines*: the share of the lines of the headers that the target names which its inputs reach.

TEXT
        printf '| %s ' date target compiler executions 'a second' accepted lines found >>"$file"
        printf '|\n| --- | --- | --- | ---: | ---: | ---: | ---: | --- |\n' >>"$file"
    fi
    printf '| %s ' "$(date -u +%F)" "$1" "clang $("clang++-$clang" -dumpversion)" "$2" "$3" "$4 %" "$5 %" "$6" >>"$file"
    printf '|\n' >>"$file"
    printf '%-24s %10s executions, %7s a second, %5s %% accepted, %5s %% of the lines, found: %s\n' "$@"
}

fuzz_target() {
    local target=$1 inputs report=$made/reports/$1.txt status executed=0 accepted=0 rate lines found=nothing
    mkdir -p "$made/reports"
    compile_replay "$target" && compile_fuzzer "$target" && inputs=$(unpacked "$target") || return
    if [[ -n $seed && -d $made/seeds/$target ]]; then cp "$made/seeds/$target"/* "$inputs"; fi
    NAVETTE_FUZZ_COUNTS=$made/reports/$target.counts fuzz "$target" "$inputs" "${how_long[@]}" >"$report" 2>&1
    status=$?
    if ((status == 0)); then
        read -r executed accepted <"$made/reports/$target.counts"
    else
        executed=$(grep -aoE '^#[0-9]+' "$report" | tail -n 1 | tr -d '#')
        found=$(grep -aoE -m 1 'BROKEN: .*|SUMMARY: .*' "$report")
        grep -aE 'BROKEN|SUMMARY|Test unit written|^Base64' "$report"
    fi
    rate=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$report")
    lines=$(coverage "$target" "$inputs")
    log "$target" "${executed:-0}" "${rate:-0}" \
        "$(awk -v a="$accepted" -v e="${executed:-0}" 'BEGIN { printf "%.1f", e ? 100 * a / e : 0 }')" "${lines:-0}" "$found"
    if [[ -n $keep ]] && ((status == 0)); then minimise "$target" "$inputs"; fi
    if ((status != 0)); then return 1; fi
    if awk -v l="${lines:-0}" 'BEGIN { exit l >= 90 }'; then
        echo "$target: reaches less than 90 % of the lines of $(of "$target" covers)"
        return 1
    fi
}

failed=0
for target in "${targets[@]}"; do
    fuzz_target "$target" || failed=$((failed + 1))
done
if ((failed)); then echo "$failed of ${#targets[@]} targets failed"; fi
exit $((failed > 0))
