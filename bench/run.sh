#!/usr/bin/env bash
# The benchmarks: bench/run.sh NAME [OPTION...] runs bench/NAME/run.sh, which installs what it needs, builds, measures
# and reports, from a fresh clone on a bare Debian 12. Without a name all that a page is made of run, one after the other,
# and draw the charts that README.md shows; --quick: fewer and shorter samples of those that can be had within two minutes.
set -euo pipefail
bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
names=$(cd "$bench" && for script in */run.sh; do printf ' %s' "${script%/run.sh}"; done)

which_one() {
    echo "bench/run.sh: which benchmark? There are:$names" >&2
    exit 2
}

case ${1:-} in
    --help)
        echo "usage: bench/run.sh NAME [OPTION...] | bench/run.sh [--quick]"
        echo "The benchmarks are:$names; bench/run.sh NAME --help tells the options of one."
        echo "Without a name: server, scale, compile, codec; quick: the first three, within two minutes."
        exit 0
        ;;
    '') for name in server scale compile codec; do "$bench/$name/run.sh"; done ;;
    --quick)
        (($# == 1)) || which_one
        for name in server scale compile; do "$bench/$name/run.sh" --quick; done
        ;;
    *)
        [[ $1 =~ ^[a-z_]+$ && -x $bench/$1/run.sh ]] || which_one
        exec "$bench/$1/run.sh" "${@:2}"
        ;;
esac
