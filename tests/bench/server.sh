#!/usr/bin/env bash
# The server benchmark runs from the command that the documentation names, every server echoes the bytes that it must, one
# that does not is named, and the page says of each target what the samples say.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/tests/support/results.sh"
cd "$root" || exit 2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

check "every server of the benchmark echoes the right bytes and can be measured" \
    bench/run.sh server --check --out "$scratch"

# Each server that was measured has its bar in each chart that the page shows (memory, in short, is navette's alone), and in
# the first the figure of its table.
charts_are_drawn() {
    local chart servers server share
    [[ $(sed -nE 's/^!\[.*\]\((.*)\)$/\1/p' "$scratch/server.md" | xargs) == \
        "server-rate.svg server-latency.svg server-memory.svg" ]] || return
    for chart in rate latency memory; do
        servers=(navette Boost.Beast websocketpp libwebsockets)
        if [[ $chart == memory ]]; then servers=(navette); fi
        for server in "${servers[@]}"; do
            grep -qF ">$server<" "$scratch/server-$chart.svg" || { echo "server-$chart.svg has no $server"; return 1; }
        done
    done
    share=$(sed -nE 's/^\| 16 B, 100 connections, 64 in flight on each +\| floor +\|[^|]*\| +([0-9.]+) .*/\1/p' \
        "$scratch/server.md")
    [[ -n $share ]] && grep -q ">$share · " "$scratch/server-rate.svg"
}
check "the page shows its charts, with every server and its figure" charts_are_drawn

# A server that leaves before it listens.
names_the_server_that_fails() {
    bench/server/measure.py build/bench/server_check/load "$scratch/none.json" --rounds 1 --memory-rounds 1 --seconds 0.05 \
        --packages g++-12 --program "liar=/bin/echo hello" >"$scratch/said.txt" 2>&1 && return 1
    grep -q 'liar does not say where it listens' "$scratch/said.txt"
}
check "a server that does not start fails the benchmark by its name" names_the_server_that_fails
names_the_server_that_is_none() {
    bench/server/measure.py build/bench/server_check/load "$scratch/none.json" --rounds 1 --memory-rounds 1 --seconds 0.05 \
        --packages g++-12 --server "ghost=ws://127.0.0.1:1/" >"$scratch/said.txt" 2>&1 && return 1
    grep -q 'ghost at ws://127.0.0.1:1/: load: connection .*refused' "$scratch/said.txt"
}
check "a server that is not there fails the benchmark by its name" names_the_server_that_is_none

# made CHANGE: the page of the samples after CHANGE, which is Python that changes `rows`.
made() {
    python3 - "$scratch/server.json" "$scratch/made.json" "$1" <<'PYTHON' || return 1
import json, sys
results = json.load(open(sys.argv[1]))
rows = results["rows"]
exec(sys.argv[3])
json.dump(results, open(sys.argv[2], "w"))
PYTHON
    bench/server/report.py "$scratch/made.json" "$scratch/made.md"
}
# verdict CHANGE LINE: what that page says of the target whose line matches.
verdict() { made "$1" | grep -E "$2" | grep -oE 'reached|MISSED|not measured'; }
speed() { # TIMES
    verdict "rows['huge/navette']['per_second'] = [$1 * one for one in rows['huge/beast']['per_second']]" \
        '^\| 1 MiB, 16 connections +\| Boost.Beast'
}
memory() { # BYTES
    verdict "rows['idle/navette']['bytes'] = [$1 + one for one in rows['idle/floor']['bytes']]" '^\| [0-9,]+ idle connections'
}
publishing() { # TIMES
    verdict "rows['fan-out/floor'] = {'last_us': [100], 'cpu_ns': [5], 'busy': [1]}
rows['fan-out/navette'] = {'last_us': [100 * $1], 'cpu_ns': [5], 'busy': [1]}" '^\| one message of'
}
speeds_are_judged() { [[ $(speed 1.21) == reached && $(speed 1.19) == MISSED ]]; }
memory_is_judged() { [[ $(memory 384) == reached && $(memory 385) == MISSED ]]; }
publishing_is_judged() { [[ $(publishing 1.09) == reached && $(publishing 1.11) == MISSED ]]; }
check "the page calls a speed reached or missed as the samples are" speeds_are_judged
check "the page calls idle memory reached or missed as the samples are" memory_is_judged
check "the page calls publishing reached or missed as the samples are" publishing_is_judged
says_what_was_not_measured() {
    [[ $(verdict "rows.pop('huge/beast')" '^\| 1 MiB, 16 connections +\| Boost.Beast') == "not measured" ]]
}
check "a target whose row is missing is not reached" says_what_was_not_measured

# Rounds stand for themselves: the median of the ratios, not the ratio of the medians.
forms_ratios_of_one_round() {
    made "rows['huge/navette']['per_second'] = [10, 200, 3]
rows['huge/beast']['per_second'] = [5, 100, 2]" | grep -E '^\| 1 MiB, 16 connections +\| Boost.Beast' | grep -q ' 2.00 | '
}
check "a ratio is formed of two samples of one round" forms_ratios_of_one_round

refuses() {
    "$@" >"$scratch/said.txt" 2>&1
    [[ $? == 2 && $(wc -l <"$scratch/said.txt") == 1 ]]
}
check "an unknown option of the server benchmark is refused with one line" refuses bench/run.sh server --fast
check "a server without a URL is refused with one line" refuses bench/run.sh server --server mine
finish
