#!/usr/bin/env bash
# The codec benchmark runs from the command that the documentation names, every row delivers the bytes that it must, one
# that does not is named, and the page says of each target what the samples say.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/tests/support/results.sh"
cd "$root" || exit 2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
binary=build/bench/bench/codec_bench

check "every row of the codec benchmark delivers the right bytes and can be timed" \
    bench/run.sh codec --check --out "$scratch"

# A wslay that takes each message and sends none.
names_the_row_that_lies() {
    echo 'extern "C" int wslay_event_queue_msg(void*, const void*) { return 0; }' |
        g++-12 -shared -fPIC -o "$scratch/lie.so" -x c++ - || return 1
    LD_PRELOAD=$scratch/lie.so "$binary" --check >"$scratch/lie.txt" && return 1
    diff - <(grep 'does not deliver' "$scratch/lie.txt" | sed 's/:.*//') <<TEXT
echo/wslay-event/16
echo/wslay-event/1024
echo/wslay-event/65536
TEXT
}
check "a row that delivers other bytes fails the benchmark by its name" names_the_row_that_lies

# verdict TIMES: what the page says of the handshake if Beast takes TIMES as long as navette.
verdict() {
    python3 - "$scratch/codec.json" "$scratch/made.json" "$1" <<'PYTHON' || return 1
import json, sys
results = json.load(open(sys.argv[1]))
rows = results["rows"]
own = rows["handshake-server/navette/511"]["samples"]
rows["handshake-server/beast/511"]["samples"] = [sample * float(sys.argv[3]) for sample in own]
json.dump(results, open(sys.argv[2], "w"))
PYTHON
    bench/codec/report.py "$scratch/made.json" "$scratch/made.md" |
        grep -E '^\| server handshake, Beast ' | grep -oE 'reached|MISSED'
}
says_what_the_samples_say() { [[ $(verdict 6.01) == reached && $(verdict 5.99) == MISSED ]]; }
check "the page calls a target reached or missed as the samples are" says_what_the_samples_say

refuses() {
    "$@" >"$scratch/said.txt" 2>&1
    [[ $? == 2 && $(wc -l <"$scratch/said.txt") == 1 ]]
}
check "an unknown benchmark is refused with one line" refuses bench/run.sh nothing
check "an unknown option of a benchmark is refused with one line" refuses bench/run.sh codec --fast
finish
