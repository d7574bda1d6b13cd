"""The peers of the interop matrix: what each is, where it comes from, and what it cannot do."""

import os
from dataclasses import dataclass, field

SOURCE = os.path.dirname(os.path.abspath(__file__))

SCENARIOS = {
    "plain": "text and binary messages of 0 to 65,536 bytes, without compression",
    "compressed": "the same with permessage-deflate, both ways",
    "fragmented": "our messages come in 7 frames",
    "refragmented": "the peer's messages come in 5 frames",
    "16MiB": "one binary message of 16 MiB, there and back",
    "pings": "100 pings of ours, each between two messages",
    "pinged": "100 pings of the peer's",
    "close": "we close with 1000 and a reason",
    "close-bare": "we close without a code",
    "closed": "the peer closes with 1000 and a reason",
    "closed-bare": "the peer closes without a code",
    "cut": "we drop the connection without a Close",
    "was-cut": "the peer drops it",
}
ROLES = {"server": "it serves, we call", "client": "it calls, we serve"}


@dataclass(frozen=True)
class Peer:
    """`packages`: KIND:NAME[@VERSION], installed by name, of which the first is the peer itself. `source`: the program's
    file here; `{source}` and `{installed}` in a command are the folders of both. `cannot`: by scenario, or by role and
    scenario, why there is no such case. `silent`: what its interface does not tell, and so is not compared. `quirks`: by
    role and scenario, what differs from what is expected, and that in words. `ours`: options for our end."""
    name: str
    packages: tuple
    command: tuple
    roles: tuple = ("server", "client")
    build: str = ""
    every_run: bool = False
    cannot: dict = field(default_factory=dict)
    silent: dict = field(default_factory=dict)
    quirks: dict = field(default_factory=dict)
    ours: tuple = ()
    path: str = "/"

    def reason(self, role, scenario):
        """Why there is no case of that, or None."""
        return self.cannot.get(f"{role} {scenario}", self.cannot.get(scenario))

    def cases(self):
        return [(role, scenario) for role in self.roles for scenario in SCENARIOS if self.reason(role, scenario) is None]


def node(program):
    return ("node", f"{SOURCE}/{program}")


def python(program):
    return ("/usr/bin/python3", f"{SOURCE}/{program}")


def always(scenario, facts, words):
    """A quirk in both roles."""
    return {f"{role} {scenario}": (facts, words) for role in ROLES}


WEBSOCKETS = {
    "cannot": {"closed-bare": "its close() always sends a code"},
    "quirks": always("refragmented", {"continuations received": 30}, "ends a fragmented message by one more frame, which is empty"),
}

PEERS = (
    Peer("websockets", ("deb:python3-websockets",), python("websockets_peer.py"), every_run=True, **WEBSOCKETS),
    Peer("ws", ("npm:ws@8.23.0",), node("ws.cjs"), every_run=True),
)
