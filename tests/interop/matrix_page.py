"""docs/interop.md: what the interop matrix saw."""

import re

from peers import PEERS, ROLES, SCENARIOS


def page(seen, versions):
    return ""


def current_shape(path):
    return ""
