#!/usr/bin/env bash
# squid, tinyproxy, dante and stunnel; tests/run.sh installs them.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PYTHONPATH=$here/../support:$here/peers PYTHONDONTWRITEBYTECODE=1 exec "${PYTHON:-/usr/bin/python3}" "$here/proxies.py"
