#!/usr/bin/env bash
# bench/run.sh tls: what the library adds to OpenSSL, as the speed of an echo over loopback sockets.
# Compiles a small program, runs it and prints what it says. Status 1: a target is missed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source bench/install.sh

turns=200 missed=1
case ${1:-} in
    '') ;;
    --quick) turns=20 ;;
    --check) turns=1 missed=0 ;;
    --help)
        cat <<TEXT
usage: bench/run.sh tls [--quick | --check]
  --quick  few turns
  --check  no judgement: whether both servers send back the right bytes and can be timed
TEXT
        exit 0
        ;;
    *)
        echo "bench/run.sh tls: unknown option $1" >&2
        exit 2
        ;;
esac

install_packages g++-12 libssl-dev
mkdir -p build/bench
g++-12 -std=c++20 -O3 -DNDEBUG -Iinclude -Itests bench/tls/echo.cpp -o build/bench/tls_echo -lssl -lcrypto -pthread
status=0
build/bench/tls_echo "$turns" || status=$?
if ((status == 1)); then status=$missed; fi
exit $status
