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
    """`packages`: KIND:NAME[@VERSION], installed by name, of which the first is the peer itself. `build`: a shell's
    command in the peer's folder; `source`: of a Rust program. `{source}` and `{installed}` in a command are the folders of both. `cannot`: by scenario, or by role and
    scenario, why there is no such case. `silent`: what its interface does not tell, and so is not compared. `quirks`: by
    role and scenario, what differs from what is expected, and that in words. `ours`: options for our end."""
    name: str
    packages: tuple
    command: tuple
    roles: tuple = ("server", "client")
    build: str = ""
    source: str = ""
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

def java(main):
    return ("java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", "{installed}/classes:{installed}/lib/*", main)


def javac(main):
    return f"mkdir -p classes lib; javac -nowarn -d classes -cp 'lib/*' {{source}}/Echo.java {{source}}/{main}.java"


W3C = {
    "refragmented": "the W3C interface sends whole messages",
    "pinged": "the W3C interface has no pings",
    "was-cut": "the W3C interface cannot drop a connection",
}
GO = "GOFLAGS=-mod=mod CGO_ENABLED=0 GOCACHE={build}/go-cache"

PEERS = (
    Peer("websockets", ("deb:python3-websockets",), python("websockets_peer.py"), every_run=True, **WEBSOCKETS),
    Peer("ws", ("npm:ws@8.23.0",), node("ws.cjs"), every_run=True),
    Peer("gorilla", ("deb:golang-github-gorilla-websocket-dev",), ("{installed}/peer",), every_run=True,
         build="GO111MODULE=off GOPATH=/usr/share/gocode CGO_ENABLED=0 GOCACHE={build}/go-cache "
               "go build -o peer {source}/gorilla.go {source}/echo.go",
         quirks={"server refragmented": ({"continuations received": 10}, "begins a frame when its buffer of 4096 bytes is full, not when told"),
                 "client refragmented": ({"continuations received": 48}, "the same, and cuts large pieces as well")}),
    Peer("Jetty 9", ("deb:libjetty9-java", "deb:libjetty9-extra-java"), java("Jetty9"), every_run=True,
         build="mkdir -p lib; ln -sf /usr/share/java/jetty9-*.jar /usr/share/java/servlet-api.jar lib; " + javac("Jetty9")),
    Peer("tungstenite", ("cargo:tungstenite@0.30.0", "cargo:sha2@0.11.1"), ("{installed}/target/debug/peer",), every_run=True,
         build="cargo build -q", source="tungstenite.rs", cannot={"compressed": "it does not know permessage-deflate"}),
    Peer("Chromium", ("deb:chromium", "npm:playwright-core@1.57.0"), node("chromium.cjs"), ("client",), every_run=True, cannot=W3C),
)
