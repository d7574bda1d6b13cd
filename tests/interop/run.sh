#!/usr/bin/env bash
# The interop matrix: real peers in both roles, in every scenario. tests/interop/run.sh --help
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PYTHONPATH=$here/../support:$here/peers/matrix:$here PYTHONDONTWRITEBYTECODE=1 \
    exec "${PYTHON:-/usr/bin/python3}" "$here/matrix.py" "$@"
