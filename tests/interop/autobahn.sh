#!/usr/bin/env bash
# The Autobahn test suite against navette in both roles at once: examples/echo_server and autobahn_client.
#   tests/interop/autobahn.sh           the cases 1 to 10, and a few sizes of each kind of 12 and 13
#   tests/interop/autobahn.sh --full    all 517 in each role, and docs/autobahn.tsv is written
# The suite is a program in Python 2.7; it is installed into build/autobahn/suite, its reports are build/autobahn/servers
# and build/autobahn/clients.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.." || exit 2
if [[ -n ${NAVETTE_LONG:-} && $# -eq 0 ]]; then set -- --full; fi
source tests/support/results.sh

python2=
for candidate in "${PYTHON2:-}" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/2.7*/bin/python2.7 /usr/bin/python2.7 python2.7; do
    if [[ -n $candidate ]] && "$candidate" -m pip --version >/dev/null 2>&1; then
        python2=$candidate
        break
    fi
done
if [[ -z $python2 ]]; then
    fail "autobahn: the suite is installed" "it needs a Python 2.7 with pip; name one by PYTHON2"
    finish
fi

suite=$PWD/build/autobahn/suite version=25.10.1
if [[ ! -f $suite/autobahntestsuite-$version.installed ]]; then
    rm -rf "$suite"
    if ! PYTHONUSERBASE=$suite "$python2" -m pip install -q --user --ignore-installed --no-warn-script-location \
        --disable-pip-version-check 'wsaccel==0.6.2' 'ujson<3' "autobahntestsuite==$version"; then
        fail "autobahn: the suite is installed" "pip did not install it"
        finish
    fi
    touch "$suite/autobahntestsuite-$version.installed"
fi

PYTHON2=$python2 SUITE=$suite PYTHONPATH=$here/../support:$here/peers PYTHONDONTWRITEBYTECODE=1 \
    exec "${PYTHON:-/usr/bin/python3}" "$here/autobahn.py" "$@"
