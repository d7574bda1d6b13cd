#!/usr/bin/env bash
# navette, wslay, Beast and websocketpp in one process, and wsproto beside it, get the same frames and upgrade requests,
# good and damaged; what differs must be known, and what is known must still differ. Installs nothing.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
source tests/support/results.sh

partners=(wslay Beast websocketpp wsproto)

usage() {
    cat <<TEXT
usage: tests/differential/run.sh [--long] [--inputs N] [--seed S] [--partner NAME] [--show INPUT] [--survey] [--write]
  --long        a million inputs for each partner in process, and a line for each in tests/differential/LOG.md
  --inputs N    so many for each partner in process; wsproto gets a twentieth of them
  --seed S      where the random numbers begin; 1 by default
  --partner N   that one alone: ${partners[*]}
  --show INPUT  no tests: what each makes of one input, as it stands in known.tsv and in a failure
  --survey      no tests: the shortest input for each kind of difference, known or not
  --write       no tests: write the table in docs/differential.md
TEXT
}

long=${NAVETTE_LONG:-} inputs='' seed=1 mode=test show='' only=''
while (($#)); do
    case $1 in
        --long) long=yes ;;
        --inputs | --seed | --partner | --show)
            if (($# < 2)); then
                echo "tests/differential/run.sh: $1 needs a value" >&2
                exit 2
            fi
            case $1 in
                --inputs) inputs=$2 ;;
                --seed) seed=$2 ;;
                --partner) only=$2 ;;
                --show) mode=show show=$2 ;;
            esac
            shift
            ;;
        --survey | --write) mode=${1#--} ;;
        --help)
            usage
            exit 0
            ;;
        *)
            echo "tests/differential/run.sh: unknown option $1" >&2
            exit 2
            ;;
    esac
    shift
done
if ! [[ ${inputs:-1} =~ ^[1-9][0-9]{0,9}$ && $seed =~ ^[0-9]{1,18}$ ]]; then
    echo "tests/differential/run.sh: --inputs and --seed take numbers" >&2
    exit 2
fi
if [[ -n $only && " ${partners[*]} " != *" $only "* ]]; then
    echo "tests/differential/run.sh: there is no partner $only; the partners are: ${partners[*]}" >&2
    exit 2
fi

build=$PWD/build/differential
driver=$build/differential known=tests/differential/known.tsv page=docs/differential.md
optimise=-Og seconds=120
if [[ -n $long ]]; then optimise=-O2 seconds=3600; fi
inputs=${inputs:-$([[ -n $long ]] && echo 1000000 || echo 8000)}
export NAVETTE_WSPROTO=$PWD/tests/differential/wsproto_peer.py
export PYTHON=${PYTHON:-/usr/bin/python3} # the one that sees Debian's packages
export PYTHONDONTWRITEBYTECODE=1

compile() {
    timeout 900 cmake -S tests/differential -B "$build" -G Ninja -DCMAKE_CXX_COMPILER="${CXX:-g++-12}" \
        -DDIFFERENTIAL_OPTIMISE="$optimise" -DNAVETTE_INCLUDE="$PWD/include" &&
        timeout 900 cmake --build "$build" --parallel "${NAVETTE_JOBS:-$(nproc)}"
}
run() { timeout "$seconds" "$driver" --known "$known" "$@"; }

# with_table FILE: the page with the table that the driver makes of known.tsv.
with_table() {
    local line inside=''
    while IFS= read -r line; do
        if [[ $line == '<!-- end of the table -->' ]]; then inside=''; fi
        if [[ -z $inside ]]; then printf '%s\n' "$line"; fi
        if [[ $line == '<!-- the table:'* ]]; then
            inside=yes
            run --table || return
        fi
    done <"$1"
}
is_current() {
    diff <(with_table "$page") "$page" && return
    echo "docs/differential.md is not what tests/differential/run.sh --write writes"
    return 1
}
rows_exist() { # each row is one of docs/conformance.md
    local row
    for row in $(awk -F '\t' '!/^#/ { print $2 }' "$known" | sort -u); do
        grep -q "^| $row |" docs/conformance.md && continue
        echo "there is no row $row in docs/conformance.md"
        return 1
    done
}

# agrees PARTNER INPUTS
agrees() {
    local options=(--partner "$1" --seed "$seed" --inputs "$2" --slow-inputs "$2") status
    if [[ -n $long ]]; then options+=(--log tests/differential/LOG.md --date "$(date -u +%F)"); fi
    run "${options[@]}" >"$build/$1.txt" 2>&1
    status=$?
    cat "$build/$1.txt"
    if ((status == 0)); then
        pass "differential: $1 and navette differ in what is known alone"
    else
        fail "differential: $1 and navette differ in what is known alone" "$(tail -n 1 "$build/$1.txt")"
    fi
}

if [[ $mode != test ]]; then
    compile >"$build.txt" 2>&1 || { cat "$build.txt"; exit 1; }
    case $mode in
        show) run --show "$show" ;;
        survey) run --survey --seed "$seed" --inputs "$inputs" --slow-inputs $((inputs / 20)) ;;
        write) with_table "$page" >"$page.new" && mv "$page.new" "$page" ;;
    esac
    exit
fi

mkdir -p "$build"
if ! compile >"$build.txt" 2>&1; then
    cat "$build.txt"
    fail "differential: it is built" "see above"
    finish
fi
echo "seed $seed; a difference is repeated with tests/differential/run.sh --show"
check "differential: each known difference is one still" run --check-known
check "differential: each known difference has its row" rows_exist
check "differential: docs/differential.md has them all" is_current
for partner in ${only:-"${partners[@]}"}; do
    if [[ $partner == wsproto ]]; then agrees wsproto $(((inputs + 19) / 20)); else agrees "$partner" "$inputs"; fi
done
finish
