#!/usr/bin/env bash
# Shows that each row of rows.tsv is tested: breaks its rule in a copy of the headers, and its test has to fail.
#   tests/rows.sh             15 rows, drawn from the commit
#   tests/rows.sh --long      all of them
#   tests/rows.sh ROW...      these, such as C110 or S27
#   tests/rows.sh --write     writes docs/conformance.md
#   tests/rows.sh --check     only that rows.tsv is right and docs/conformance.md current
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [[ -n ${NAVETTE_LONG:-} && $# -eq 0 ]]; then set -- --long; fi
PYTHONPATH=$here/support PYTHONDONTWRITEBYTECODE=1 exec "${PYTHON:-/usr/bin/python3}" "$here/rows.py" "$@"
