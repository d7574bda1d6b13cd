"""The peers of the interop matrix: what each is, where it comes from, and what it cannot do."""

import os
from dataclasses import dataclass, field

SOURCE = os.path.dirname(os.path.abspath(__file__))

SCENARIOS = {
    "plain": "text and binary messages of 0 to 65,536 bytes, without compression",
    "compressed": "the same with permessage-deflate, both ways, from 1 byte on",
    "compressed-empty": "messages without payload behind one with, compressed",
    "fragmented": "our messages come in 7 frames",
    "empty-frames": "our messages begin and end with an empty frame",
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
    command in the peer's folder; `source`: the file of a program in Rust. `{source}` and `{installed}` in a command are this
    folder and the peer's. `cannot`: by scenario, or by role and scenario, why there is no such case. `silent`: what its
    interface does not tell, and so is not compared. `quirks`: by role and scenario, what differs from what is expected, and
    that in words. `ours`: options for our end; `path`: of its server's URL."""
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


def python(program, *options):
    return ("/usr/bin/python3", *options, f"{SOURCE}/{program}")


def python_alone(program):
    """With what was installed for it, and nothing of Debian's."""
    return python(program, "-S")


def cxx(program, libraries=""):
    return f"g++ -std=c++17 -O1 -w -o peer {{source}}/{program}.cpp -lcrypto -lpthread {libraries}"


def always(scenario, facts, words):
    """A quirk in both roles."""
    return {f"{role} {scenario}": (facts, words) for role in ROLES}


NO_DEFLATE = dict.fromkeys(("compressed", "compressed-empty"), "it does not know permessage-deflate")
WHOLE = {"refragmented": "its interface sends whole messages"}
NO_CUT = {"was-cut": "its interface cannot drop a connection"}
ALWAYS_A_CODE = {"closed-bare": "its close() always sends a code"}
ANSWERS_1000 = always("close-bare", {"end": "closed 1000"}, "answers a Close without a code with 1000")
TAKES_BARE_FOR_1000 = always("close-bare", {"end": "closed 1000", "its end": "1000"}, "takes a Close without a code for one with 1000")
BAD_CODE = "failed: a Close frame has a code that may not be sent (RFC 6455, 7.4)"
WEBSOCKETS = {
    "cannot": ALWAYS_A_CODE,
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
PEERS = (
    Peer("websockets", ("deb:python3-websockets",), python("websockets_peer.py"), every_run=True, **WEBSOCKETS),
    Peer("ws", ("npm:ws@8.23.0",), node("ws.cjs"), every_run=True),
    Peer("gorilla", ("deb:golang-github-gorilla-websocket-dev",), ("{installed}/peer",), every_run=True,
         build="GO111MODULE=off GOPATH=/usr/share/gocode CGO_ENABLED=0 GOCACHE={build}/go-cache "
               "go build -o peer {source}/gorilla.go {source}/echo.go",
         quirks={"server refragmented": ({"continuations received": 10},
                                         "ends a frame when its buffer of 4,096 bytes is full, not when told"),
                 "client refragmented": ({"continuations received": 48}, "does so too, and cuts large pieces as well")}),
    Peer("Jetty 9", ("deb:libjetty9-java", "deb:libjetty9-extra-java"), java("Jetty9"), every_run=True,
         build="mkdir -p lib; ln -sf /usr/share/java/jetty9-*.jar /usr/share/java/servlet-api.jar lib; " + javac("Jetty9")),
    Peer("tungstenite", ("cargo:tungstenite@0.30.0", "cargo:sha2@0.11.1"), ("{installed}/target/debug/peer",), every_run=True,
         build="cargo build -q", source="tungstenite.rs", cannot=NO_DEFLATE),
    Peer("Chromium", ("deb:chromium", "npm:playwright-core@1.57.0"), node("chromium.cjs"), ("client",), every_run=True, cannot=W3C),
    Peer("WebSocket-Node", ("npm:websocket@1.0.35",), node("websocket-node.cjs"), cannot=NO_DEFLATE | ALWAYS_A_CODE,
         quirks=always("refragmented", {"continuations received": 12}, "cuts messages at 16 KiB, and only there")
         | always("close-bare", {"end": "closed 1000", "its end": "1006"},
                  "answers a Close without a code with 1000, and tells the application of 1006")),
    Peer("faye-websocket", ("npm:faye-websocket@0.11.4", "npm:permessage-deflate@0.1.7"), node("faye-websocket.cjs"),
         cannot=WHOLE | ALWAYS_A_CODE | {"client was-cut": "a client has no way to drop a connection"},
         quirks=TAKES_BARE_FOR_1000),
    Peer("undici", ("npm:undici@7.30.2",), node("runtime.cjs"), ("client",), cannot=W3C,
         quirks=dict.fromkeys(("client compressed", "client compressed-empty"),
                              ({"compressed": "agreed, ours marked"}, "agrees to compression, and compresses nothing"))),
    Peer("Bun", ("npm:bun@1.4.5",), ("{installed}/node_modules/.bin/bun", f"{SOURCE}/runtime.cjs"),
         cannot={f"client {scenario}": why for scenario, why in W3C.items()} | WHOLE
         | {"server closed-bare": "a server's close() always sends a code"},
         quirks={"client compressed-empty": ({"compressed": "agreed, ours marked"}, "sends messages as small uncompressed")}),
    Peer("Deno", ("npm:deno@2.9.6",),
         ("{installed}/node_modules/.bin/deno", "run", "--quiet", "--no-lock", "--allow-all", f"{SOURCE}/runtime.cjs"),
         cannot=NO_DEFLATE | W3C, quirks=always("cut", {"its end": "0"}, "says 0 for a connection that was cut, where the W3C says 1006")),
    Peer("socket.io", ("npm:engine.io@6.6.11", "npm:engine.io-client@6.6.8"), node("engine.io.cjs"), ours=("--engine-io",),
         path="/?EIO=4&transport=websocket", silent={"its end": "its interface does not tell codes"},
         cannot=WHOLE | {"pinged": "its pings are messages", "closed": "its close() has no code",
                         "was-cut": "its interface cannot drop a connection"}),
    Peer("websockets newest", ("pip:websockets@17.4",), python_alone("websockets_peer.py"), **WEBSOCKETS),
    Peer("aiohttp", ("pip:aiohttp@3.14.5",), python_alone("aiohttp_peer.py"), cannot=WHOLE | ALWAYS_A_CODE,
         silent={"pongs it saw": "its interface keeps pongs to itself"},
         quirks={"server close-bare": ({"end": "closed 1000", "its end": "0"},
                                       "answers a Close without a code with 1000, and tells the application of 0"),
                 "client close-bare": ({"end": "closed 1000", "its end": "1006"},
                                       "answers a Close without a code with 1000, and tells the application of 1006")}),
    Peer("autobahn", ("pip:autobahn@26.10.2",), python_alone("autobahn_peer.py"),
         quirks=WEBSOCKETS["quirks"] | ANSWERS_1000),
    Peer("websocket-client", ("pip:websocket-client@1.9.2",), python_alone("websocket_client_peer.py"), ("client",), cannot=NO_DEFLATE,
         quirks=ANSWERS_1000),
    Peer("picows", ("pip:picows@2.3.1",), python_alone("picows_peer.py"), cannot=NO_DEFLATE,
         quirks=always("close-bare", {"end": BAD_CODE}, "told to answer as it was told, it sends 1005, which must not be sent (7.4.1)")
         | always("closed-bare", {"end": BAD_CODE, "its end": "1002"}, "its send_close() without a code sends 1005")),
    Peer("coder", ("go:github.com/coder/websocket@v1.8.15",), ("{installed}/peer",),
         build="cp {source}/coder.go {source}/echo.go .; CGO_ENABLED=0 GOCACHE={build}/go-cache go build -mod=mod -o peer .",
         quirks=WEBSOCKETS["quirks"]),
    Peer("Jetty 12", ("maven:org.eclipse.jetty.websocket:jetty-websocket-jetty-server@12.1.14",
                      "maven:org.eclipse.jetty.websocket:jetty-websocket-jetty-client@12.1.14"), java("Jetty12"), build=javac("Jetty12")),
    Peer("Vert.x 5", ("maven:io.vertx:vertx-core@5.0.7",), java("Vertx5"), build=javac("Vertx5"),
         cannot=NO_CUT | ALWAYS_A_CODE,
         quirks=TAKES_BARE_FOR_1000 | always("empty-frames", {
             "end": "failed: nothing was received for too long", "what came back": "something else", "what it took": "something else",
             "its end": "1001", "continuations sent": 2}, "does not hand over a message whose first frame is empty")),
    Peer("Netty", ("maven:io.netty:netty-codec-http@4.2.20.Final",), java("Netty"), build=javac("Netty")),
    Peer("Tyrus", ("maven:org.glassfish.tyrus:tyrus-container-grizzly-server@2.2.0", "maven:org.glassfish.tyrus:tyrus-server@2.2.0",
                   "maven:org.glassfish.tyrus.ext:tyrus-extension-deflate@2.2.0"), java("Tyrus"), build=javac("Tyrus"),
         path="/matrix/echo", cannot=NO_CUT | ALWAYS_A_CODE, quirks=TAKES_BARE_FOR_1000),
    Peer("java.net.http", ("program:java -version",), java("JavaHttp"), ("client",), build=javac("JavaHttp"),
         cannot=NO_DEFLATE | ALWAYS_A_CODE
         | {"cut": "it does not always notice: the end of a stream that comes right behind a message of its own is lost at times"},
         quirks=ANSWERS_1000 | always("refragmented", {"continuations received": 29}, "cuts text at 16 KiB as well")),
    Peer("fastwebsockets", ("cargo:fastwebsockets@0.10.0[upgrade]", "cargo:hyper@1.12.0[server,client,http1]",
                            "cargo:hyper-util@0.1.21[tokio]", "cargo:http-body-util@0.1.5", "cargo:tokio@1.54.1[full]",
                            "cargo:sha2@0.11.1"), ("{installed}/target/debug/peer",), build="cargo build -q", source="fastwebsockets.rs",
         cannot=NO_DEFLATE),
    Peer("libsoup", ("deb:libsoup-3.0-0", "deb:gir1.2-soup-3.0", "deb:python3-gi"), python("soup_peer.py"),
         cannot=WHOLE | {"pinged": "its interface has pings by a timer alone"}, quirks=ANSWERS_1000),
    Peer("libwebsockets", ("deb:libwebsockets-dev", "deb:libssl-dev"), ("{installed}/peer",), build=cxx("libwebsockets", "-lwebsockets"),
         cannot={"closed-bare": "without a code it closes without a Close",
                 "compressed-empty": "an assertion of its own ends it when it compresses an empty message that is not the first"},
         quirks=always("closed", {"its end": "None"}, "keeps the answer to its own Close from the application")),
    Peer("Boost.Beast", ("deb:libboost-dev", "deb:libboost-system-dev", "deb:libssl-dev"), ("{installed}/peer",), build=cxx("beast"),
         quirks=ANSWERS_1000),
    Peer("websocketpp", ("deb:libwebsocketpp-dev", "deb:libboost-dev", "deb:libboost-system-dev", "deb:libssl-dev"), ("{installed}/peer",),
         build=cxx("websocketpp", "-lz"), cannot=WHOLE, quirks=ANSWERS_1000),
    Peer("Ruby websocket-driver", ("deb:ruby-websocket-driver", "deb:ruby"), ("ruby", f"{SOURCE}/ruby_driver.rb"),
         cannot=NO_DEFLATE | WHOLE | ALWAYS_A_CODE, quirks=TAKES_BARE_FOR_1000),
    Peer("PHP", ("deb:php-cli",), ("php", f"{SOURCE}/php_stream.php"), ("client",), cannot=NO_DEFLATE),
    Peer("Firefox", ("deb:firefox-esr", "npm:ws@8.23.0"), node("firefox.cjs"), ("client",), cannot=W3C),
    Peer("Kaazing Gateway", ("recorded:opening handshake", "pip:websockets@17.4"), python_alone("kaazing.py"), ("server",),
         **WEBSOCKETS | {"cannot": WEBSOCKETS["cannot"] | NO_DEFLATE}),
)
