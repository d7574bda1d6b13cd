"""The contract of echo_server, option by option."""

import os
import signal
import socket
import time
import zlib

from cases import Program, call, case, equal, holds, refused, run
from wire import BINARY, CLOSE, PING, PONG, TEXT, close_payload, frame, open_client, request


def start(*options):
    server = Program("echo_server", "--port", "0", *options)
    line = server.line()
    holds(line.startswith("listening on ws://") and line.endswith("/"), f"the first line is {line!r}")
    return server, int(line.rstrip("/").rsplit(":", 1)[1])


@case("--help names every option and exits with 0")
def _():
    status, out, err = call("echo_server", "--help")
    equal((status, err), (0, ""))
    for option in ("--host", "--port", "--max-message", "--subprotocols", "--origin", "--no-deflate", "--cert", "--key"):
        holds(option in out, f"{option} is not in the help")


@case("the first line says where it listens")
def _():
    server = Program("echo_server", "--port", "0")
    line = server.line()
    holds(line.startswith("listening on ws://127.0.0.1:") and line.endswith("/"), line)
    open_client(int(line[:-1].rsplit(":", 1)[1])).close()


@case("an IPv6 address stands in brackets")
def _():
    server = Program("echo_server", "--host", "::1", "--port", "0")
    line = server.line()
    holds(line.startswith("listening on ws://[::1]:"), line)
    open_client(int(line[:-1].rsplit(":", 1)[1]), host="::1").close()


@case("the port is 9001 if none is given")
def _():
    server = Program("echo_server")
    line = server.line()
    if line:
        equal(line, "listening on ws://127.0.0.1:9001/")
    else:  # taken by somebody else on this machine
        status, _, err = server.end()
        holds(status == 1 and "127.0.0.1:9001" in err, err)


@case("text and binary come back with their type")
def _():
    _, port = start()
    peer = open_client(port)
    for opcode in (TEXT, BINARY):
        for size in (0, 1, 125, 126, 65535, 65536, 300_000):
            payload = b"a" * size if opcode == TEXT else os.urandom(size)
            peer.send(opcode, payload)
            equal(peer.frame(), (opcode, payload))


@case("a fragmented message comes back whole, and a ping between is answered first")
def _():
    _, port = start()
    peer = open_client(port)
    peer.send(TEXT, "Cou", fin=False)
    peer.send(PING, "?")
    peer.send(0, "cou")
    equal(peer.frame(), (PONG, b"?"))
    equal(peer.frame(), (TEXT, b"Coucou"))


@case("the closing handshake is answered and the stream ended")
def _():
    _, port = start()
    peer = open_client(port)
    peer.send(CLOSE, close_payload(1000, "bye"))
    opcode, payload = peer.frame()
    equal((opcode, payload[:2]), (CLOSE, close_payload(1000)))
    holds(peer.at_end(), "the stream has not ended")


@case("what breaks the protocol is answered with 1002")
def _():
    _, port = start()
    peer = open_client(port)
    peer.socket.sendall(bytes.fromhex("810178"))
    equal(peer.frame(), (CLOSE, close_payload(1002)))
    holds(peer.at_end(), "the stream has not ended")


@case("--max-message is inclusive, and beyond it is 1009")
def _():
    _, port = start("--max-message", "10")
    peer = open_client(port)
    for size in (9, 10):
        peer.send(TEXT, "x" * size)
        equal(peer.frame(), (TEXT, b"x" * size))
    peer.send(TEXT, "x" * 11)
    opcode, payload = peer.frame()
    equal((opcode, payload[:2]), (CLOSE, close_payload(1009)))


@case("--subprotocols are chosen in the client's order")
def _():
    _, port = start("--subprotocols", "a,b")
    for offered, chosen in (("a", "a"), ("b, a", "b"), ("c, b", "b"), ("c", None), (None, None)):
        status, answered, peer = request(port, *([f"Sec-WebSocket-Protocol: {offered}"] if offered else []))
        equal((status, answered.get("sec-websocket-protocol")), (101, chosen))
        peer.close()


@case("any origin may come if none is named")
def _():
    _, port = start()
    equal(request(port, "Origin: http://elsewhere.example")[0], 101)


@case("only an --origin that was named may come, or none at all")
def _():
    _, port = start("--origin", "http://a.example", "--origin", "https://b.example:8443")
    for origin, status in (("http://a.example", 101), ("http://a.example:80", 101), ("https://b.example:8443", 101),
                           ("https://a.example", 403), ("http://a.example.evil.example", 403),
                           ("https://b.example", 403), ("null", 403)):
        equal((origin, request(port, f"Origin: {origin}")[0]), (origin, status))
    equal(request(port)[0], 101)


@case("a request that is no upgrade gets 426")
def _():
    _, port = start()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connected:
        connected.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        while piece := connected.recv(4096):
            answer += piece
    holds(answer.startswith(b"HTTP/1.1 426 ") and b"\r\nUpgrade: websocket\r\n" in answer, f"{answer!r}")


OFFER = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"


@case("it agrees to compression, and the echo is compressed as it came [C140]")
def _():
    _, port = start()
    status, answered, peer = request(port, OFFER)
    equal((status, answered.get("sec-websocket-extensions")), (101, "permessage-deflate"))
    text = b"la trame et la chaine " * 20
    deflater, inflater = zlib.compressobj(wbits=-15), zlib.decompressobj(wbits=-15)
    for _ in range(3):
        packed = (deflater.compress(text) + deflater.flush(zlib.Z_SYNC_FLUSH))[:-4]
        peer.socket.sendall(bytes([0xC1]) + frame(TEXT, packed, masked=True)[1:])
        first, = peer.take(1)
        peer.seen = b"\x81" + peer.seen
        back = peer.frame()[1]
        equal(first, 0xC1)
        holds(len(back) < len(text) // 5, f"{len(text)} bytes came back as {len(back)}")
        equal(inflater.decompress(back + b"\0\0\xff\xff"), text)
    peer.send(TEXT, "short")
    equal(peer.frame(), (TEXT, b"short"))


@case("compressed messages count inflated: beyond --max-message is 1009 [S19]")
def _():
    _, port = start("--max-message", "1000")
    _, _, peer = request(port, OFFER)
    deflater = zlib.compressobj(wbits=-15)
    packed = (deflater.compress(b"x" * 1001) + deflater.flush(zlib.Z_SYNC_FLUSH))[:-4]
    peer.socket.sendall(bytes([0xC1]) + frame(TEXT, packed, masked=True)[1:])
    equal(peer.frame(), (CLOSE, close_payload(1009)))


@case("--no-deflate declines compression, and a compressed message is then 1002 [S46]")
def _():
    _, port = start("--no-deflate")
    status, answered, peer = request(port, OFFER)
    equal((status, answered.get("sec-websocket-extensions")), (101, None))
    peer.socket.sendall(bytes([0xC1]) + frame(TEXT, b"\0", masked=True)[1:])
    equal(peer.frame(), (CLOSE, close_payload(1002)))


@case("an unknown option is refused")
def _():
    refused("echo_server", "--nonsense", status=2, words=["echo_server: ", "--nonsense"])


@case("an operand is refused")
def _():
    refused("echo_server", "9001", status=2, words=["9001"])


@case("an option without its value is refused")
def _():
    refused("echo_server", "--port", status=2, words=["--port"])


for bad in ("", "-1", "65536", "99999999999999999999", "80x", "x", " 80"):
    @case(f"--port {bad!r} is refused")
    def _(bad=bad):
        refused("echo_server", "--port", bad, status=2, words=["--port"])

for bad in ("", "-1", "1k", "99999999999999999999"):
    @case(f"--max-message {bad!r} is refused")
    def _(bad=bad):
        refused("echo_server", "--max-message", bad, status=2, words=["--max-message"])

for bad in ("", "a,,b", "a b", "a,a", "a;b"):
    @case(f"--subprotocols {bad!r} is refused")
    def _(bad=bad):
        refused("echo_server", "--subprotocols", bad, status=2, words=["--subprotocols"])

for bad in ("", "example.com", "http://", "http://a.example/path", "http://a b"):
    @case(f"--origin {bad!r} is refused")
    def _(bad=bad):
        refused("echo_server", "--origin", bad, status=2, words=["--origin"])


@case("a port in use is named with its cause")
def _():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused("echo_server", "--port", str(port), status=1, words=[f"127.0.0.1:{port}", "in use"])


@case("an address that is not this machine's is named with its cause")
def _():
    refused("echo_server", "--host", "192.0.2.1", "--port", "0", status=1, words=["192.0.2.1"])


@case("a host that does not exist is named with its cause")
def _():
    refused("echo_server", "--host", "nowhere.invalid", "--port", "0", status=1, words=["nowhere.invalid"])


for name, number in (("SIGTERM", signal.SIGTERM), ("SIGINT", signal.SIGINT)):
    @case(f"{name}: Close 1001 to everybody, then exit 0")
    def _(number=number):
        server, port = start()
        peers = [open_client(port) for _ in range(3)]
        server.signal(number)
        for peer in peers:
            opcode, payload = peer.frame()
            equal((opcode, payload[:2]), (CLOSE, close_payload(1001)))
            peer.send(CLOSE, payload[:2])
            holds(peer.at_end(), "the stream has not ended")
            peer.close()
        equal(server.end(patience=3), (0, "", ""))


@case("a peer that ignores Close 1001, and one that never spoke, do not hold up the end")
def _():
    server, port = start()
    deaf, mute = open_client(port), socket.create_connection(("127.0.0.1", port))
    began = time.monotonic()
    server.signal(signal.SIGTERM)
    equal(deaf.frame()[0], CLOSE)
    equal(server.end(patience=10), (0, "", ""))
    holds(time.monotonic() - began < 7, "it took longer than the closing handshake may")
    mute.close()


@case("its port can be taken again at once")
def _():
    server, port = start()
    peer = open_client(port)
    server.signal(signal.SIGTERM)
    peer.frame()
    peer.send(CLOSE, close_payload(1001))
    peer.close()
    equal(server.end()[0], 0)
    again = Program("echo_server", "--port", str(port))
    equal(again.line(), f"listening on ws://127.0.0.1:{port}/")


run("echo_server:")
