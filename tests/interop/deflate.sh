#!/usr/bin/env bash
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${NAVETTE_BUILD:-$here/../../build/release}
# Debian's package of gorilla/websocket is a source tree.
mkdir -p "$build/tests" && GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$build/go-cache CGO_ENABLED=0 \
    go build -o "$build/tests/gorilla_peer" "$here/peers/gorilla_peer.go" || exit 1
PYTHONPATH=$here/../support PYTHONDONTWRITEBYTECODE=1 exec "${PYTHON:-/usr/bin/python3}" "$here/deflate.py"
