#!/usr/bin/env bash
# nginx, HAProxy, stunnel and npm's ws; tests/run.sh installs them.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export NODE_PATH=${NODE_PATH:-$here/../../build/node/node_modules}
PYTHONPATH=$here/../support:$here/peers PYTHONDONTWRITEBYTECODE=1 exec "${PYTHON:-/usr/bin/python3}" "$here/wss.py"
