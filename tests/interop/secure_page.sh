#!/usr/bin/env bash
# Needs npm's playwright-core where NODE_PATH says; tests/run.sh installs it.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
NODE_PATH=${NODE_PATH:-$here/../../build/node/node_modules} exec node "$here/secure_page.cjs"
