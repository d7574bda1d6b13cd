#!/usr/bin/env bash
here=$(dirname "${BASH_SOURCE[0]}")
PYTHONPATH=$here/../support PYTHONDONTWRITEBYTECODE=1 exec "${PYTHON:-/usr/bin/python3}" "$here/tls.py"
