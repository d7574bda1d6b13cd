#!/usr/bin/env bash
# The benchmarks: bench/run.sh NAME [OPTION...] runs bench/NAME/run.sh, which installs what it needs, builds, measures
# and reports, from a fresh clone on a bare Debian 12.
bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
names=$(cd "$bench" && for script in */run.sh; do printf ' %s' "${script%/run.sh}"; done)

if [[ ${1:-} == --help ]]; then
    echo "usage: bench/run.sh NAME [OPTION...]"
    echo "The benchmarks are:$names; bench/run.sh NAME --help tells the options of one."
    exit 0
fi
if [[ ! ${1:-} =~ ^[a-z_]+$ || ! -x $bench/$1/run.sh ]]; then
    echo "bench/run.sh: which benchmark? There are:$names" >&2
    exit 2
fi
exec "$bench/$1/run.sh" "${@:2}"
