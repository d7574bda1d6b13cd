"""The load generator counts what an honest server echoes, says clearly what a server did that is none, and charges a server
that pauses for every message that it made wait."""

import collections
import json
import os
import resource
import signal
import socket
import ssl
import struct
import threading
import time

from cases import PATIENCE, Program, case, equal, holds, run
import certificate
from wire import BINARY, CLOSE, PING, PONG, TEXT, Peer, close_payload, frame, upgrade

LOAD = "build/bench/server/load"


class Server:
    """Hands each connection to `script(peer, number)` in a thread of its own. What a script raises, `errors` keeps."""

    def __init__(self, script, tls=None):
        self.script, self.tls = script, tls
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        self.errors, self.peers = [], []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connected, _ = self.listener.accept()
            except OSError:  # closed
                return
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connected, len(self.peers)), daemon=True).start()
            self.peers.append(connected)

    def _serve(self, connected, number):
        try:
            with self.tls.wrap_socket(connected, server_side=True) if self.tls else connected as stream:
                self.script(Peer(stream, masks=False), number)
        except (EOFError, OSError):  # the generator has gone
            pass
        except Exception as error:
            self.errors.append(error)

    def url(self, scheme="ws"):
        return f"{scheme}://127.0.0.1:{self.port}/"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


def messages(peer):
    """(opcode, payload) of each message that comes, for ever."""
    while True:
        opcode, payload = peer.frame()
        if opcode in (TEXT, BINARY):
            yield opcode, payload


def honest(peer, _):
    upgrade(peer)
    for opcode, payload in messages(peer):
        peer.send(opcode, payload)


def load(url, *options):
    """What a run that must succeed has found."""
    status, out, err = Program(LOAD, "--url", url, "--json", "--seconds", "0.3", "--warmup", "0.05", *options).end()
    equal((status, err), (0, ""))
    return json.loads(out)


def fails(url, *options, words, status=1):
    """A run that must fail, with one line that has all words."""
    code, out, err = Program(LOAD, "--url", url, "--seconds", "0.3", "--warmup", "0.05", "--patience", "1",
                             *options).end()
    equal((code, out, err.count("\n")), (status, "", 1))
    for word in words:
        holds(word in err, f"{word!r} is not in {err!r}")


@case("an honest server's echoes are counted")
def _():
    with Server(honest) as server:
        for options in (("--connections", "5"), ("--in-flight", "16"), ("--size", "200", "--text"), ("--size", "70000"),
                        ("--text", "--characters", "mixed", "--size", "999", "--connections", "3")):
            found = load(server.url(), *options)
            holds(found["messages"] >= 5, f"{found['messages']} messages")
            equal(found["latency_us"]["count"], found["messages"])
            equal(found["unanswered"], 0)
        equal(server.errors, [])


@case("each message of the wire is one echo: what the server has sent is what is counted")
def _():
    sent = [0]

    def counting(peer, _):
        upgrade(peer)
        for opcode, payload in messages(peer):
            peer.send(opcode, payload)
            sent[0] += 1
    with Server(counting) as server:
        found = load(server.url(), "--warmup", "0", "--in-flight", "3")
        # At the end three are on their way, and the measured time ends with what one read had.
        holds(found["messages"] <= sent[0] <= found["messages"] + 3, f"{found['messages']} counted, {sent[0]} sent")


@case("an echo in fragments, with Pings between, is one echo, and the Pings are answered")
def _():
    pongs = []

    def fragmenting(peer, _):
        upgrade(peer)
        while True:
            opcode, payload = peer.frame()
            if opcode == PONG:
                pongs.append(payload)
            if opcode != BINARY:
                continue
            peer.send(opcode, payload[:5], fin=False)
            peer.send(PING, b"are you there")
            peer.send(0, b"", fin=False)
            peer.send(0, payload[5:])
    with Server(fragmenting) as server:
        found = load(server.url(), "--connections", "2")
        holds(found["messages"] >= 2, f"{found['messages']} messages")
        equal(set(pongs), {b"are you there"})
        equal(server.errors, [])


@case("an echo that comes byte by byte is counted")
def _():
    def dripping(peer, _):
        upgrade(peer)
        for opcode, payload in messages(peer):
            for byte in frame(opcode, payload):
                peer.socket.sendall(bytes([byte]))
    with Server(dripping) as server:
        holds(load(server.url(), "--size", "300")["messages"] >= 1, "no message")


@case("raw bytes, and TLS")
def _():
    def raw(peer, _):
        while True:
            piece = peer.socket.recv(65536)
            if not piece:
                return
            peer.socket.sendall(piece)
    with Server(raw) as server:
        holds(load(server.url("tcp"), "--connections", "3", "--in-flight", "4")["messages"] >= 3, "no message")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.CERT, certificate.KEY)
    with Server(honest, context) as server:
        holds(load(server.url("wss"), "--size", "20000")["messages"] >= 1, "no message over TLS")


@case("compressed messages, each for itself")
def _():
    seen = []

    def echoing_what_is_compressed(peer, _):
        lines = upgrade(peer, "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover")
        seen.extend(line for line in lines if "permessage-deflate" in line)
        while True:
            head = peer.take(2)
            equal(head[0], 0xC1)  # FIN, RSV1, text
            size = head[1] & 0x7F
            if size == 126:
                size, = struct.unpack(">H", peer.take(2))
            key, masked = peer.take(4), peer.take(size)
            payload = bytes(byte ^ key[i % 4] for i, byte in enumerate(masked))
            whole = frame(TEXT, payload)
            peer.socket.sendall(bytes([0xC1]) + whole[1:])
    with Server(echoing_what_is_compressed) as server:
        holds(load(server.url(), "--deflate", "--text", "--size", "2000")["messages"] >= 1, "no message")
        equal((len(seen), server.errors), (1, []))


@case("wrong bytes in the first reply of a connection")
def _():
    def lying(peer, number):
        upgrade(peer)
        for opcode, payload in messages(peer):
            peer.send(opcode, payload[:-1] + bytes([payload[-1] ^ 1]) if number == 2 else payload)
    with Server(lying) as server:
        fails(server.url(), "--connections", "4", words=["connection 2", "first reply is not what was sent"])

    def lying_raw(peer, _):
        piece = peer.socket.recv(65536)
        peer.socket.sendall(piece[:7] + b"?" + piece[8:])
        peer.socket.recv(1)
    with Server(lying_raw) as server:
        fails(server.url("tcp"), words=["connection 0", "first reply is not what was sent"])


def after(count, deed):
    """Honest for so many messages, then that, once."""
    def script(peer, _):
        upgrade(peer)
        for number, (opcode, payload) in enumerate(messages(peer)):
            if number == count:
                deed(peer, opcode, payload)
            else:
                peer.send(opcode, payload)
    return script


@case("a later reply that is shorter, of the other kind, masked, or no frame")
def _():
    for deed, words in (
            (lambda peer, opcode, payload: peer.send(opcode, payload[1:]), ["15 bytes, not 16"]),
            (lambda peer, opcode, payload: peer.send(TEXT, payload), ["other kind"]),
            (lambda peer, opcode, payload: peer.socket.sendall(frame(opcode, payload, masked=True)), ["masked"]),
            (lambda peer, opcode, payload: peer.socket.sendall(b"\x83\x00"), ["no frame", "reserved"]),
            (lambda peer, opcode, payload: peer.send(0, payload), ["not in sequence"])):
        with Server(after(3, deed)) as server:
            fails(server.url(), words=["connection 0", *words])


@case("a reply that never comes, while others do")
def _():
    with Server(after(3, lambda *_: None)) as server:
        fails(server.url(), "--in-flight", "4", words=["connection 0", "lost 1 of the messages"])


@case("a server that stands still")
def _():
    def silent(peer, _):
        upgrade(peer)
        peer.socket.recv(1 << 20)
        time.sleep(PATIENCE)
    with Server(silent) as server:
        fails(server.url(), "--connections", "3", "--seconds", "5", words=["nothing came for 1", "3 messages wait"])


@case("more replies than messages")
def _():
    def twice(peer, opcode, payload):
        peer.send(opcode, payload)
        peer.send(opcode, payload)
    with Server(after(3, twice)) as server:
        fails(server.url(), words=["more replies than it got messages"])


@case("a server that closes, resets or ends the connection")
def _():
    def reset(peer, *_):
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.socket.close()
    for deed, words in ((lambda peer, *_: peer.send(CLOSE, close_payload(1011, "enough")), ["closed it with 1011 (enough)"]),
                        (lambda peer, *_: peer.socket.shutdown(socket.SHUT_RDWR), ["ended it"]),
                        (reset, ["reset it"])):
        for count in (0, 5):
            with Server(after(count, deed)) as server:
                fails(server.url(), words=["connection 0", *words])


@case("nobody listens, and an opening handshake that is refused or never answered")
def _():
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    fails(f"ws://127.0.0.1:{port}/", words=["connection 0", "refused"])

    def refusing(peer, _):
        peer.head()
        peer.socket.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        peer.socket.recv(1)
    with Server(refusing) as server:
        fails(server.url(), words=["opening handshake failed", "403"])

    def mute(peer, _):
        peer.head()
        time.sleep(PATIENCE)
    with Server(mute) as server:
        fails(server.url(), "--connections", "2", words=["no connection was opened for 1", "0 of 2"])
    with Server(honest) as server:
        fails(server.url(), "--deflate", words=["did not agree to compression"])


@case("an open loop sends at its rate")
def _():
    with Server(honest) as server:
        found = load(server.url(), "--rate", "400", "--connections", "4", "--seconds", "1")
        holds(395 <= found["latency_us"]["count"] <= 405, f"{found['latency_us']['count']} messages in 1 s, not 400")


@case("a pause of the server is charged to all messages that it made wait, which a closed loop does not see")
def _():
    def pausing(peer, _):
        upgrade(peer)
        began, paused = time.monotonic(), False
        for opcode, payload in messages(peer):
            if not paused and time.monotonic() - began > 0.5:
                time.sleep(0.4)
                paused = True
            peer.send(opcode, payload)
    timing = ("--seconds", "1.2", "--warmup", "0")
    with Server(pausing) as server:
        closed = load(server.url(), *timing)["latency_us"]
        holds(closed["max"] >= 400_000, f"the pause is not seen at all: {closed}")
        holds(closed["p99"] < 200_000, f"a third of the time, and p99 is {closed['p99']} us in a closed loop")
    with Server(pausing) as server:
        opened = load(server.url(), "--rate", "500", *timing)["latency_us"]
        holds(opened["p99"] > 300_000, f"the pause is forgiven: {opened}")
        holds(opened["max"] >= 400_000, f"the pause is shortened: {opened}")
        holds(590 <= opened["count"] <= 610, f"{opened['count']} messages in 1.2 s, not 600")


@case("a pause of the generator itself is charged, too: a latency begins when the message should have been sent")
def _():
    with Server(honest) as server:
        paused = Program(LOAD, "--url", server.url(), "--json", "--rate", "500", "--seconds", "1.2", "--warmup", "0")
        deadline = time.monotonic() + PATIENCE
        while not server.peers and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.3)  # the pause is in the middle of the run
        paused.signal(signal.SIGSTOP)
        time.sleep(0.4)
        paused.signal(signal.SIGCONT)
        status, out, err = paused.end()
        equal((status, err), (0, ""))
        found = json.loads(out)["latency_us"]
        holds(found["max"] >= 380_000 and found["p99"] > 300_000, f"the pause is forgiven: {found}")
        holds(590 <= found["count"] <= 610, f"{found['count']} messages in 1.2 s, not 600")


@case("messages of an open loop that are never answered count with the time that they have waited")
def _():
    with Server(after(10, lambda peer, *_: time.sleep(PATIENCE))) as server:
        found = load(server.url(), "--rate", "100", "--seconds", "0.5", "--warmup", "0", "--patience", "1")
        holds(found["unanswered"] >= 35, f"{found['unanswered']} unanswered")
        holds(found["latency_us"]["p99"] >= 1_000_000, f"{found['latency_us']}")
        equal(found["latency_us"]["count"], 50)


@case("the memory of idle connections, and after each has echoed")
def _():
    echo = Program("/usr/bin/python3", "-c", HOARDER)
    url, pid = echo.line(), str(echo.pid)
    found = load(url, "--idle", "--echo", "--connections", "20", "--size", "1000", "--pid", pid)
    holds(1_000_000 <= found["open_each"] < 1_400_000, f"{found['open_each']} bytes each, of a hoarder of 1,000,000")
    holds(3_000_000 <= found["echoed_each"] < 3_600_000, f"{found['echoed_each']} bytes each, of 3,000,000")
    fails(url, "--idle", "--pid", "4194304", words=["cannot read the resident memory of process 4194304"])


HOARDER = """
import sys
sys.path[:0] = ["tests/support", "tests/examples"]
import mmap, socket, threading
from wire import Peer, upgrade
def hoard(size):
    place = mmap.mmap(-1, size)
    for page in range(0, size, mmap.PAGESIZE):
        place[page] = 1
    return place
def serve(connected):
    peer = Peer(connected, masks=False)
    upgrade(peer)
    held = [hoard(1_000_000)]
    try:
        opcode, payload = peer.frame()
        held.append(hoard(2_000_000))
        peer.send(opcode, payload)
        peer.take(1)
    except (EOFError, OSError):
        pass
listener = socket.create_server(("127.0.0.1", 0))
print(f"ws://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""


@case("a message to all others is timed until the last one has it, and one that lacks it is told")
def _():
    members, lock = [], threading.Lock()

    def to_all_but(nobody_after):
        published = [0]

        def script(peer, number):
            upgrade(peer)
            with lock:
                members.append(peer)
            for opcode, payload in messages(peer):
                published[0] += 1
                time.sleep(0.02)
                for other in members:
                    if other is not peer and not (published[0] > nobody_after and other is members[0]):
                        other.send(opcode, payload)
        return script
    with Server(to_all_but(10**9)) as server:
        found = load(server.url(), "--fan-out", "--connections", "5")
        holds(found["messages"] >= 2 and found["latency_us"]["p50"] >= 20_000, f"{found}")
    members.clear()
    with Server(to_all_but(2)) as server:
        fails(server.url(), "--fan-out", "--connections", "5", words=["1 of 5 subscribers lack message 3"])


@case("connections beyond 5,000 come from further addresses of this machine")
def _():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    held = []
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as listener:
        def accept():
            for _ in range(5_100):
                held.append(listener.accept())
        threading.Thread(target=accept, daemon=True).start()
        load(f"tcp://127.0.0.1:{listener.getsockname()[1]}/", "--idle", "--connections", "5100", "--pid", str(os.getpid()))
    equal(collections.Counter(address for _, (address, _) in held), {"127.0.0.2": 5000, "127.0.0.3": 100})
    for connected, _ in held:
        connected.close()


@case("a bad option is refused with one line")
def _():
    url = "ws://127.0.0.1:1/"
    for options in (("--size", "0"), ("--connections", "none"), ("--rate", "-1"), ("--characters", "latin"), ("--idle",),
                    ("--characters", "mixed"), ("--echo",), ("--fan-out", "--rate", "5"), ("--nonsense",), ("extra",)):
        fails(url, *options, words=["load: "], status=2)
    fails("ws://example.com/", words=["not on this machine"], status=2)
    fails("http://127.0.0.1/", words=["neither ws nor wss"], status=2)
    fails("tcp://127.0.0.1:1", "--deflate", words=["raw bytes"], status=2)


run("load:")
