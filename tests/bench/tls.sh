#!/usr/bin/env bash
# The TLS benchmark runs from the command that the documentation names, and both servers deliver what they must.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/tests/support/results.sh"
cd "$root" || exit 2
check "both servers of the TLS benchmark send back the right bytes and can be timed" bench/run.sh tls --check
finish
