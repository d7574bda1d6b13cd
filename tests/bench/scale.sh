#!/usr/bin/env bash
# The benchmark of scale runs from the command that the documentation names, and its page shows every server at every count.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/tests/support/results.sh"
cd "$root" || exit 2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

check "every server of the benchmark of scale echoes the right bytes and can be measured" \
    bench/run.sh scale --check --out "$scratch"
shows_all() {
    local server count
    for server in floor navette "navette, TLS" "navette, deflate"; do
        grep -qF ">$server<" "$scratch/scale-kilobyte.svg" || { echo "no curve of $server"; return 1; }
        for count in 1 10 100; do
            grep -qE "^\| $server +\| +$count \| +[0-9]" "$scratch/scale.md" || { echo "no row of $server, $count"; return 1; }
        done
    done
    [[ $(grep -cE '^\| (navette|floor) +\| +(1|10|100) \|' "$scratch/scale.md") == 18 ]] && grep -q '>floor<' "$scratch/scale-small.svg" &&
        grep -q '>floor<' "$scratch/scale-fan-out.svg"
}
check "its page shows each server at each count of connections" shows_all
refuses() {
    "$@" >"$scratch/said.txt" 2>&1
    [[ $? == 2 && $(wc -l <"$scratch/said.txt") == 1 ]]
}
check "an unknown option of the benchmark of scale is refused with one line" refuses bench/run.sh scale --fast
check "an option beside --quick is refused with one line" refuses bench/run.sh --quick --fast
finish
