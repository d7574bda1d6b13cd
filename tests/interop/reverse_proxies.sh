#!/usr/bin/env bash
# nginx, HAProxy, Apache and Caddy in front of navette, and navette in front of them; tests/run.sh installs them.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PYTHONPATH=$here/../support:$here/peers:$here/peers/matrix:$here PYTHONDONTWRITEBYTECODE=1 \
    exec "${PYTHON:-/usr/bin/python3}" "$here/reverse_proxies.py"
