#!/usr/bin/env bash
# The demo: installs what is missing, builds it, starts it and prints its address. Ctrl-C ends it.
# With --check it does without a person what a visitor would do, and fails unless all of it happened.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2

first_port=9001
last_port=9099
playwright=1.57.0

usage() {
    cat <<TEXT
usage: examples/demo.sh [--tls | --cert F --key F] [--no-deflate]
       examples/demo.sh --check
  Serves a page at http://127.0.0.1:$first_port/, or at the next free port, that talks to the server that sent it.
  --tls             https and wss, with a certificate for localhost of its own, which a browser asks about
  --cert F --key F  the same, with the chain and the key in these files (PEM)
  --no-deflate      does not agree to compression
  --check           no person needed: a browser without a window uses the page on a free port; screenshot in build/demo.png
TEXT
}

die() {
    printf 'demo.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

check=''
passed_on=() # to the program
while (($#)); do
    case $1 in
        --check) check=yes ;;
        --tls | --no-deflate) passed_on+=("$1") ;;
        --cert | --key)
            (($# > 1)) || die "$1 needs a file" 2
            if [[ $2 == /* ]]; then passed_on+=("$1" "$2"); else passed_on+=("$1" "$OLDPWD/$2"); fi
            shift
            ;;
        --help)
            usage
            exit 0
            ;;
        *) die "unknown option $1; --help lists them" 2 ;;
    esac
    shift
done
if [[ -n $check ]] && ((${#passed_on[@]})); then die "--check takes no other option" 2; fi

# --- what is needed: a command, and the package that brings it

have() { command -v "$1" >/dev/null; }
browser() {
    local name
    for name in chromium chromium-browser google-chrome; do command -v "$name" && return; done
    return 1
}

missing=()
have c++ || have g++ || missing+=(g++)
have cmake || missing+=(cmake)
have ninja || missing+=(ninja-build)
has_header() { printf '#include <%s>\n' "$1" | "$(command -v c++ || command -v g++)" -fsyntax-only -x c++ - 2>/dev/null; }
has_header zlib.h || missing+=(zlib1g-dev)
has_header openssl/ssl.h || missing+=(libssl-dev)
if [[ -n $check ]]; then
    have node || missing+=(nodejs)
    have npm || missing+=(npm)
    browser >/dev/null || missing+=(chromium)
fi

install_missing() {
    ((${#missing[@]})) || return 0
    have apt-get || die "please install ${missing[*]} (the names are Debian's), then start this again"
    local root=()
    if ((EUID != 0)); then
        have sudo || die "please install ${missing[*]} as root, then start this again"
        root=(sudo)
    fi
    echo "installing ${missing[*]}"
    "${root[@]}" apt-get update -q &&
        "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" ||
        die "could not install ${missing[*]}"
}

install_playwright() {
    grep -qs "\"version\": \"$playwright\"" build/node/node_modules/playwright-core/package.json && return
    mkdir -p build/node
    npm install --prefix build/node --no-save --no-package-lock --no-audit --no-fund --loglevel=error \
        "playwright-core@$playwright" || die "could not install playwright-core $playwright"
}

build() { # TARGET...
    local options=() log
    # The demo needs no test framework; a tree that has the tests keeps them.
    grep -qs '^NAVETTE_BUILD_TESTS:BOOL=ON' build/release/CMakeCache.txt || options=(-DNAVETTE_BUILD_TESTS=OFF)
    echo "building $*"
    if ! log=$({ cmake --preset release "${options[@]}" && cmake --build --preset release --target "$@"; } 2>&1); then
        printf '%s\n' "$log"
        die "the build failed"
    fi
}

# --- serving

server=''
end_server() {
    if [[ -n $server ]]; then
        kill "$server" 2>/dev/null
        wait "$server"
    fi
}

serve() {
    local port line pipe complaint status
    scratch=$(mktemp -d) && mkfifo "$scratch/pipe" || die "could not make a pipe"
    trap 'rm -rf "$scratch"' EXIT
    pipe=$scratch/pipe complaint=$scratch/complaint
    trap 'end_server; exit 0' INT TERM
    for ((port = first_port; port <= last_port; ++port)); do
        build/release/examples/demo --port "$port" "${passed_on[@]}" >"$pipe" 2>"$complaint" &
        server=$!
        if read -r -t 10 line <"$pipe" && [[ $line == 'listening on '* ]]; then
            echo "The demo is at ${line#listening on }"
            echo "Ctrl-C ends it."
            wait "$server"
            status=$?
            server=''
            cat "$complaint" >&2
            return "$status"
        fi
        kill "$server" 2>/dev/null
        wait "$server"
        server=''
        grep -q 'in use' "$complaint" || die "$(cat "$complaint")"
    done
    die "no port from $first_port to $last_port is free"
}

install_missing
if [[ -z $check ]]; then
    build demo
    serve
else
    install_playwright
    build demo wscat
    NODE_PATH=build/node/node_modules CHROMIUM=$(browser) \
        timeout --kill-after=10 180 node tests/examples/demo_check.cjs build/release/examples build/demo.png
fi
