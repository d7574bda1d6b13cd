#!/usr/bin/env bash
# Shows that each target finds bugs: plants one of fuzz/bugs.tsv in a copy of the headers and demands that the target
# stumbles within two minutes, beginning with the committed corpus. Installs nothing.
#   fuzz/prove.sh [TARGET]...
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
source fuzz/common.sh
source tests/support/results.sh
need "clang++-$clang" "${CXX:-g++-12}" || exit 2

targets=("$@")
((${#targets[@]})) || targets=("${all_targets[@]}")
base=$made

# plant TARGET: a copy of the headers with the bug; what the bug is goes to `bug`.
plant() {
    local target=$1 file expression
    IFS=$'\t' read -r _ file expression bug < <(grep -P "^$target\t" fuzz/bugs.tsv) || return
    rm -rf "$base/bugs/$target"
    mkdir -p "$base/bugs/$target"
    cp -r include "$base/bugs/$target/"
    sed -E -i "$expression" "$base/bugs/$target/include/navette/$file"
    ! diff -q "include/navette/$file" "$base/bugs/$target/include/navette/$file" >/dev/null
}

prove() {
    local target=$1 bug='' report=$base/bugs/$1.txt found started=$SECONDS
    if ! plant "$target"; then
        fail "fuzz/prove.sh $target" "fuzz/bugs.tsv plants nothing"
        return
    fi
    source_tree=$PWD made=$base
    compile_replay "$target" || { fail "fuzz/prove.sh $target" "was not built"; return; }
    local inputs
    inputs=$(unpacked "$target")
    made=$base/bugs/$target source_tree=$base/bugs/$target
    if ! compile_fuzzer "$target"; then
        fail "fuzz/prove.sh $target" "was not built with the bug"
        return
    fi
    started=$SECONDS
    fuzz "$target" "$inputs" -max_total_time=120 >"$report" 2>&1
    local status=$?
    found=$(grep -aoE -m 1 'BROKEN: .*|ERROR: AddressSanitizer: [a-z-]*|runtime error: .*|Assertion .* failed' "$report")
    if ((status != 0)) && [[ -n $found ]]; then
        pass "fuzz/prove.sh $target finds that $bug"
        echo "     after $((SECONDS - started)) s: $found"
    else
        fail "fuzz/prove.sh $target" "does not find that $bug"
    fi
}

for target in "${targets[@]}"; do
    if ! is_target "$target"; then
        echo "usage: fuzz/prove.sh [TARGET]...; targets: ${all_targets[*]}" >&2
        exit 2
    fi
    prove "$target"
done
finish
