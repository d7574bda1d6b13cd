"""The contract of wscat, option by option, against servers that are played by hand."""

import os
import socket
import struct
import time

from cases import Program, call, case, equal, holds, refused, run
from wire import BINARY, CLOSE, PING, PONG, TEXT, Server, close_payload, fields, upgrade

READS_NO_URL = "ws://127.0.0.1:9/"  # for options that are refused before anything is sent


def talk(script, *options, stdin="", url=None):
    """wscat against `script(peer)`: (status, standard output, standard error)."""
    server = Server(script)
    result = call("wscat", *options, url or server.url, stdin=stdin)
    server.join()
    return result


def clean_close(peer, code=1000):
    """Reads the client's Close, checks it and answers it."""
    opcode, payload = peer.frame()
    equal((opcode, payload[:2]), (CLOSE, close_payload(code)))
    peer.send(CLOSE, payload[:2])


def failed(result, *words):
    status, _, err = result
    equal(status, 1)
    holds(err.startswith("wscat: ") and err.endswith("\n") and err.count("\n") == 1, f"not one line: {err!r}")
    for word in words:
        holds(word in err, f"{word!r} is not in {err!r}")


@case("--help names every option and exits with 0")
def _():
    status, out, err = call("wscat", "--help")
    equal((status, err), (0, ""))
    for option in ("--subprotocol", "--header", "--origin", "--proxy", "--ca", "--cert", "--key", "--insecure",
                   "--basic", "--reconnect", "--no-deflate",
                   "--max-message", "--timeout", "-v", "--verbose"):
        holds(option in out, f"{option} is not in the help")


@case("each line is a text message, then it closes with 1000")
def _():
    def script(peer):
        upgrade(peer)
        for expected in ("one", "", "deux", "last, without an end"):
            equal(peer.frame(), (TEXT, expected.encode()))
        clean_close(peer)
    equal(talk(script, stdin="one\n\ndeux\nlast, without an end"), (0, "", ""))


@case("each text message is printed as a line, also after the end of the input")
def _():
    def script(peer):
        upgrade(peer)
        peer.send(TEXT, "before")
        opcode, payload = peer.frame()
        equal(opcode, CLOSE)
        peer.send(TEXT, "after")
        peer.send(TEXT, "Cou", fin=False)
        peer.send(0, "cou")
        peer.send(BINARY, b"\0\1")
        peer.send(CLOSE, payload)
    equal(talk(script), (0, "before\nafter\nCoucou\n", ""))


@case("nothing is sent before the opening handshake is done")
def _():
    def script(peer):
        head = peer.head()
        equal(head[0], "GET / HTTP/1.1")
        peer.socket.settimeout(0.3)
        try:
            holds(peer.seen == b"" and peer.socket.recv(1) == b"?", "sent before the handshake was done")
        except TimeoutError:
            pass
        peer.socket.settimeout(10)
        from wire import accept_value
        peer.socket.sendall(("HTTP/1.1 101 Web Socket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\n"
                             f"Sec-WebSocket-Accept: {accept_value(fields(head)['sec-websocket-key'])}\r\n\r\n").encode())
        equal(peer.frame(), (TEXT, b"early"))
        clean_close(peer)
    equal(talk(script, stdin="early\n"), (0, "", ""))


@case("both directions run at once")
def _():
    def script(peer):
        upgrade(peer)
        for number in range(3):
            peer.send(TEXT, f"ask {number}")
            equal(peer.frame(), (TEXT, f"answer {number}".encode()))
        clean_close(peer)
    server = Server(script)
    client = Program("wscat", server.url)
    for number in range(3):
        equal(client.line(), f"ask {number}")
        client.write(f"answer {number}\n")
    equal(client.end(), (0, "", ""))
    server.join()


@case("a peer that reads only once it has written does not stop it")
def _():
    line, lines = "x" * 1000, 4000

    def script(peer):
        upgrade(peer)
        for _ in range(lines):
            peer.send(TEXT, line)
        for _ in range(lines):
            equal(peer.frame(), (TEXT, line.encode()))
        clean_close(peer)
    status, out, err = talk(script, stdin=(line + "\n") * lines)
    equal((status, len(out), err), (0, lines * 1001, ""))


@case("pings are answered while it waits")
def _():
    def script(peer):
        upgrade(peer)
        peer.send(PING, "there?")
        equal(peer.frame(), (PONG, b"there?"))
        peer.send(CLOSE, close_payload(1000))
        equal(peer.frame(), (CLOSE, close_payload(1000)))
    server = Server(script)
    client = Program("wscat", server.url)
    server.join()
    equal(client.end(), (0, "", ""))


for code in (1000, 1001, None):
    @case(f"the server closes with {code or 'no code'}: exit 0, though the input goes on")
    def _(code=code):
        def script(peer):
            upgrade(peer)
            peer.send(TEXT, "bye")
            peer.send(CLOSE, close_payload(code) if code else b"")
            equal(peer.frame(), (CLOSE, close_payload(code) if code else b""))
        server = Server(script)
        client = Program("wscat", server.url)
        equal(client.line(), "bye")
        server.join()
        time.sleep(0.05)
        equal(client.process.wait(10), 0)
        equal(client.end(), (0, "", ""))

for code, reason in ((1002, ""), (1011, "the disk is full"), (4000, "café")):
    @case(f"the server closes with {code} {reason!r}: exit 1, and both are named")
    def _(code=code, reason=reason):
        def script(peer):
            upgrade(peer)
            peer.send(CLOSE, close_payload(code, reason))
            equal(peer.frame()[0], CLOSE)
        failed(talk(script), str(code), reason)


@case("a reason with control characters stays one line")
def _():
    def script(peer):
        upgrade(peer)
        peer.send(CLOSE, close_payload(4001, "a\nb\x1b[31m"))
        equal(peer.frame()[0], CLOSE)
    result = talk(script)
    failed(result, "4001")
    holds("\x1b" not in result[2], "an escape sequence reached the terminal")


@case("the end of the stream without a Close is a failure")
def _():
    failed(talk(lambda peer: upgrade(peer)), "before the closing handshake")


@case("a reset connection is a failure that names the system's error")
def _():
    def script(peer):
        upgrade(peer)
        equal(peer.frame(), (TEXT, b"x"))
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
    server = Server(script)
    client = Program("wscat", server.url)
    client.write("x\n")
    server.join()
    client.process.wait(10)
    failed(client.end(), "reset")


@case("what breaks the protocol is named, and answered with 1002")
def _():
    def script(peer):
        upgrade(peer)
        peer.socket.sendall(bytes.fromhex("c10178"))
        equal(peer.frame()[0:1] and True, True)
    failed(talk(script, stdin=""), "reserved bit")


for status, reason in ((401, "Unauthorized"), (403, "Forbidden"), (404, "Not Found"), (302, "Found"), (503, "")):
    @case(f"an answer of {status} is named")
    def _(status=status, reason=reason):
        def script(peer):
            peer.head()
            peer.socket.sendall(f"HTTP/1.1 {status} {reason}\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno\n".encode())
        failed(talk(script), str(status), reason)


@case("a wrong Sec-WebSocket-Accept is named")
def _():
    def script(peer):
        peer.head()
        peer.socket.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            b"Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n")
    failed(talk(script), "Sec-WebSocket-Accept")


@case("the end of the stream in the opening handshake is a failure")
def _():
    failed(talk(lambda peer: peer.head()))


@case("nobody listens: the system's error is named with the address")
def _():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    failed(call("wscat", f"ws://127.0.0.1:{port}/"), f"127.0.0.1:{port}", "refused")


@case("a host that does not exist is named")
def _():
    failed(call("wscat", "ws://nowhere.invalid/"), "nowhere.invalid")


@case("--subprotocol is offered in order and the answer accepted")
def _():
    def script(peer):
        lines = upgrade(peer, "Sec-WebSocket-Protocol: b")
        equal(fields(lines)["sec-websocket-protocol"].replace(" ", ""), "a,b")
        clean_close(peer)
    equal(talk(script, "--subprotocol", "a", "--subprotocol", "b"), (0, "", ""))


@case("a subprotocol that was not offered is refused")
def _():
    failed(talk(lambda peer: upgrade(peer, "Sec-WebSocket-Protocol: c"), "--subprotocol", "a"), "subprotocol")


@case("--header and --origin are sent")
def _():
    def script(peer):
        sent = fields(upgrade(peer))
        equal((sent.get("authorization"), sent.get("x-empty"), sent.get("origin")), ("Bearer x:y", "", "http://a.example"))
        clean_close(peer)
    equal(talk(script, "--header", "Authorization: Bearer x:y", "--header", "X-Empty:", "--origin", "http://a.example"),
          (0, "", ""))


@case("the path and the query of the URL are sent, and its port stands in Host")
def _():
    def script(peer):
        lines = upgrade(peer)
        equal(lines[0], "GET /a%20b?c=d HTTP/1.1")
        holds(fields(lines)["host"].startswith("127.0.0.1:"), "no port in Host")
        clean_close(peer)
    server = Server(script)
    equal(call("wscat", server.url + "a%20b?c=d"), (0, "", ""))
    server.join()


@case("a name is resolved, and all its addresses are tried")
def _():
    def script(peer):
        upgrade(peer)
        clean_close(peer)
    server = Server(script)
    equal(call("wscat", f"ws://localhost:{server.port}/"), (0, "", ""))
    server.join()


@case("--max-message is inclusive, and beyond it the connection fails")
def _():
    def script(peer):
        upgrade(peer)
        peer.send(TEXT, "x" * 10)
        peer.send(TEXT, "y" * 11)
        codes = []
        try:
            while True:
                opcode, payload = peer.frame()
                codes.append(payload[:2])
        except (EOFError, ConnectionError):
            pass
        holds(close_payload(1009) in codes, f"no 1009 in {codes}")
    server = Server(script)
    client = Program("wscat", "--max-message", "10", server.url)
    equal(client.line(), "x" * 10)
    server.join()
    failed(client.end(), "limit")


EXTENSION = "sec-websocket-extensions"


@case("compression is offered by default, and nothing is said of it")
def _():
    def script(peer):
        equal(fields(upgrade(peer)).get(EXTENSION), "permessage-deflate; client_max_window_bits")
        clean_close(peer)
    equal(talk(script), (0, "", ""))


@case("-v and --verbose say what was agreed and what was saved")
def _():
    def script(peer):
        upgrade(peer, "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=9; server_no_context_takeover")
        equal(peer.frame()[0], TEXT)
        peer.socket.sendall(bytes.fromhex("c107f248cdc9c90700"))
        clean_close(peer)
    for option in ("-v", "--verbose"):
        status, out, err = talk(script, option, stdin="x" * 200 + "\n")
        equal((status, out), (0, "Hello\n"))
        said = err.split("\n")
        equal(said[1], "wscat: the connection is open, without a subprotocol")
        equal(said[2], "wscat: permessage-deflate was agreed: sends with 9 window bits, context takeover; "
                       "receives with 15 window bits, no context takeover")
        words = said[3].split()
        equal(words[:3] + words[4:7] + words[7:9], ["wscat:", "compression", "saved", "of", "200", "bytes", "sent,", "-2"])
        holds(150 < int(words[3]) < 200, said[3])
        equal(said[4:], [""])


@case("-v says that no compression was agreed")
def _():
    def script(peer):
        upgrade(peer)
        clean_close(peer)
    status, out, err = talk(script, "-v")
    equal((status, out, err.split("\n")[2]), (0, "", "wscat: no compression was agreed"))


@case("an answer that agrees to what was not offered is refused [C129]")
def _():
    def script(peer):
        upgrade(peer, "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=16")
        peer.socket.recv(1)
    failed(talk(script), "extension")


@case("--no-deflate offers no extension")
def _():
    def script(peer):
        holds("sec-websocket-extensions" not in fields(upgrade(peer)), "an extension was offered")
        clean_close(peer)
    equal(talk(script, "--no-deflate"), (0, "", ""))


@case("--timeout bounds the opening handshake")
def _():
    began = time.monotonic()
    failed(talk(lambda peer: (peer.head(), peer.socket.recv(1)), "--timeout", "1"), "opening handshake")
    holds(0.9 < time.monotonic() - began < 4, f"it took {time.monotonic() - began:.1f} s")


@case("--timeout bounds the wait for the peer's Close")
def _():
    def script(peer):
        upgrade(peer)
        equal(peer.frame()[0], CLOSE)
        peer.socket.recv(1)
    began = time.monotonic()
    failed(talk(script, "--timeout", "1"), "closing handshake")
    holds(0.9 < time.monotonic() - began < 4, f"it took {time.monotonic() - began:.1f} s")


@case("a server that never ends the stream after both Closes does not hold it up")
def _():
    def script(peer):
        upgrade(peer)
        clean_close(peer)
        equal(peer.socket.recv(1), b"")
    began = time.monotonic()
    equal(talk(script, "--timeout", "1"), (0, "", ""))
    holds(time.monotonic() - began < 4, f"it took {time.monotonic() - began:.1f} s")


@case("a line that is not UTF-8 is a failure, and is not sent")
def _():
    def script(peer):
        upgrade(peer)
        equal(peer.frame(), (TEXT, b"good"))
        opcode, _ = peer.frame()
        equal(opcode, CLOSE)
        peer.send(CLOSE, close_payload(1000))
    failed(talk(script, stdin=b"good\n\xff\xfe\n"), "UTF-8")


@case("it answers echo_server's text to the byte, 3 MiB of lines")
def _():
    server = Program("echo_server", "--port", "0")
    url = server.line().removeprefix("listening on ")
    text = "".join(f"{number} {os.urandom(500).hex()} Coucou\n" for number in range(3000))
    status, out, err = call("wscat", url, stdin=text)
    equal((status, err, out == text), (0, "", True))


@case("echo_server's 403 is named")
def _():
    server = Program("echo_server", "--port", "0", "--origin", "http://a.example")
    url = server.line().removeprefix("listening on ")
    failed(call("wscat", "--origin", "http://b.example", url), "403")


@case("a server that is stopped with SIGTERM ends it cleanly")
def _():
    server = Program("echo_server", "--port", "0")
    client = Program("wscat", server.line().removeprefix("listening on "))
    client.write("there\n")
    equal(client.line(), "there")
    server.process.terminate()
    equal(client.process.wait(10), 0)
    equal(client.end(), (0, "", ""))
    equal(server.end(), (0, "", ""))


for url in ("", "nonsense", "http://127.0.0.1/", "ws:///x", "ws://127.0.0.1:0/", "ws://127.0.0.1:65536/",
            "ws://127.0.0.1:x/", "ws://user@127.0.0.1/", "ws://127.0.0.1/a#b", "ws://127.0.0.1/a b",
            "ws://127.0.0.1/\r\nX: y", "ws://127.0.0.1/%zz", "ws://[::1/", "ws://exa mple/", "ws://127.0.0.1/é"):
    @case(f"the URL {url!r} is refused")
    def _(url=url):
        refused("wscat", url, status=2, words=["wscat: "])


@case("a bad URL is refused before anything is sent")
def _():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.3)
        refused("wscat", f"ws://127.0.0.1:{listener.getsockname()[1]}/#fragment", status=2, words=["fragment"])
        try:
            listener.accept()
        except TimeoutError:
            return
    raise AssertionError("it connected")


@case("no URL, and two, are refused")
def _():
    refused("wscat", status=2, words=["URL"])
    refused("wscat", READS_NO_URL, READS_NO_URL, status=2, words=[READS_NO_URL])


@case("an unknown option is refused")
def _():
    refused("wscat", "--nonsense", READS_NO_URL, status=2, words=["--nonsense"])


for option, value in (("--header", "no colon"), ("--header", "Bad Name: x"), ("--header", "X: a\r\nY: b"), ("--header", ": x"),
                      ("--header", "Sec-WebSocket-Key: x"), ("--header", "Host: x"), ("--origin", "a\nb"),
                      ("--subprotocol", ""), ("--subprotocol", "a b"), ("--subprotocol", "a,b"),
                      ("--max-message", "x"), ("--max-message", "-1"), ("--timeout", "x"), ("--timeout", "-1"),
                      ("--timeout", "")):
    @case(f"{option} {value!r} is refused")
    def _(option=option, value=value):
        refused("wscat", option, value, READS_NO_URL, status=2, words=[option])


@case("the same --subprotocol twice is refused")
def _():
    refused("wscat", "--subprotocol", "a", "--subprotocol", "a", READS_NO_URL, status=2, words=["--subprotocol"])


run("wscat:")
