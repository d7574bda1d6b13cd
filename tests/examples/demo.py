"""demo without a browser: its answers, its counters, its policy, and examples/demo.sh's options."""

import json
import os
import signal
import socket
import ssl
import subprocess
import urllib.error
import urllib.request

from cases import Program, case, equal, holds, refused, run
from certificate import FILES, SecureSocket, path, trusting
from wire import BINARY, CLOSE, TEXT, Peer, ask, close_payload, open_client, request, request_head

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def start(*options):
    server = Program("demo", "--port", "0", *options)
    line = server.line()
    holds(line.startswith("listening on http://127.0.0.1:") and line.endswith("/"), line)
    return server, int(line[:-1].rsplit(":", 1)[1])


def get(port, path, method="GET"):
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
    try:
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()


def counters(port):
    return json.loads(get(port, "/counters")[2])


@case("page, style and script are served with their types and a policy")
def _():
    _, port = start()
    for path, kind in (("/", "text/html"), ("/style.css", "text/css"), ("/demo.js", "text/javascript")):
        status, headers, body = get(port, path)
        equal(status, 200)
        holds(headers["Content-Type"].startswith(kind), f"{path} is {headers['Content-Type']}")
        holds("default-src 'none'" in headers["Content-Security-Policy"], "no policy")
        name = {"/": "demo.html"}.get(path, path[1:])
        with open(os.path.join(ROOT, "examples", "page", name), "rb") as file:
            equal(body, file.read())


@case("the page names no other host")
def _():
    for name in os.listdir(os.path.join(ROOT, "examples", "page")):
        with open(os.path.join(ROOT, "examples", "page", name), encoding="utf-8") as file:
            text = file.read().replace("http://www.w3.org/2000/svg", "")
        holds("http://" not in text and "https://" not in text and "//cdn" not in text, f"{name} names another host")


@case("HEAD has no body, POST is 405, what is not there is 404")
def _():
    _, port = start()
    status, headers, body = get(port, "/", "HEAD")
    equal((status, body), (200, b""))
    holds(int(headers["Content-Length"]) > 1000, "HEAD has no length")
    equal(get(port, "/", "POST")[0], 405)
    equal(get(port, "/nowhere")[0], 404)


@case("a client that has ended its side still gets its answer")
def _():
    _, port = start()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connected:
        connected.sendall(b"GET /demo.js HTTP/1.1\r\nHost: x\r\n\r\n")
        connected.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connected.recv(65536):
            answer += piece
    holds(answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"connect();\n"), f"{answer[:100]!r}")


@case("without a subprotocol it echoes, and counts messages and bytes by type")
def _():
    _, port = start()
    peer = open_client(port)
    for opcode, payload in ((TEXT, b"Coucou"), (TEXT, b""), (BINARY, b"\0" * 1000), (TEXT, b"?1"), (TEXT, b"!x")):
        peer.send(opcode, payload)
        equal(peer.frame(), (opcode, payload))
    found = counters(port)
    equal((found["text"], found["binary"], found["pings"]),
          ({"messages": 4, "bytes": 10}, {"messages": 1, "bytes": 1000}, {"messages": 0, "bytes": 0}))
    equal(found["connections"], {"now": 1, "ever": 1})


@case("with the page's subprotocol text and pings are told apart, and news comes")
def _():
    _, port = start()
    status, answered, peer = request(port, "Sec-WebSocket-Protocol: demo.navette", "User-Agent: X Firefox/1.0 \"<b>")
    equal((status, answered["sec-websocket-protocol"]), (101, "demo.navette"))
    opcode, payload = peer.frame()
    holds(opcode == TEXT and payload[:1] == b"!", "no news")
    news = json.loads(payload[1:])
    equal([v["id"] for v in news["visitors"]], [news["you"]])
    equal(news["visitors"][0]["client"], "Firefox")
    peer.send(TEXT, ">Coucou")
    equal(peer.frame(), (TEXT, b">Coucou"))
    peer.send(TEXT, "?1")
    equal(peer.frame(), (TEXT, b"?1"))
    equal(peer.frame()[1][:1], b"!")
    found = counters(port)
    equal((found["text"], found["pings"]["messages"]), ({"messages": 1, "bytes": 6}, 1))


@case("it agrees to compression, unless --no-deflate is given")
def _():
    offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
    for options, agreed in (((), "permessage-deflate"), (("--no-deflate",), None)):
        _, port = start(*options)
        status, answered, peer = request(port, offer)
        equal((status, answered.get("sec-websocket-extensions")), (101, agreed))
        peer.close()


@case("a page of another origin may not come in")
def _():
    _, port = start()
    equal(request(port, "Origin: http://evil.example")[0], 403)
    equal(request(port, f"Origin: http://127.0.0.1:{port}")[0], 101)


@case("SIGTERM: Close 1001 to everybody, then exit 0")
def _():
    server, port = start()
    peer = open_client(port)
    server.signal(signal.SIGTERM)
    equal(peer.frame(), (CLOSE, close_payload(1001)))
    peer.send(CLOSE, close_payload(1001))
    peer.close()
    equal(server.end(), (0, "", ""))


@case("bad options and a port in use are refused")
def _():
    refused("demo", "--nonsense", status=2, words=["--nonsense"])
    refused("demo", "--port", "65536", status=2, words=["--port"])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused("demo", "--port", str(port), status=1, words=[f"127.0.0.1:{port}", "in use"])


def start_secure(*options):
    """A demo over TLS: its port, and the file that holds what it shows."""
    server = Program("demo", "--port", "0", *options)
    line = server.line()
    holds(line.startswith("listening on https://127.0.0.1:") and line.endswith("/"), line)
    port = int(line[:-1].rsplit(":", 1)[1])
    file = path(f"{port}.pem")
    with open(file, "w", encoding="ascii") as shown:
        shown.write(ssl.get_server_certificate(("127.0.0.1", port), timeout=10))
    return port, file


@case("--tls shows a certificate for localhost and its addresses, another one each time")
def _():
    shown = set()
    for _ in range(2):
        port, file = start_secure("--tls")
        with open(file, encoding="ascii") as text:
            shown.add(text.read())
        for host in ("localhost", "127.0.0.1", "::1"):
            SecureSocket(socket.create_connection(("127.0.0.1", port), timeout=10), trusting(file), host).shake_hands()
        try:
            SecureSocket(socket.create_connection(("127.0.0.1", port), timeout=10), trusting(file), "example.com").shake_hands()
        except ssl.SSLCertVerificationError:
            continue
        raise AssertionError("it is one for every name")
    equal(len(shown), 2)


for options in (("--tls",), FILES):
    @case(f"{options[0]}: the page by https, the connection by wss, from the page's origin alone")
    def _(options=options):
        port, file = start_secure(*options)
        with urllib.request.urlopen(f"https://127.0.0.1:{port}/", timeout=10, context=trusting(file)) as answer:
            holds(b"<title>" in answer.read(), "that is not the page")
        for origin, expected in (("https", 101), ("http", 403)):
            secure = SecureSocket(socket.create_connection(("127.0.0.1", port), timeout=10), trusting(file), "127.0.0.1")
            secure.shake_hands()
            peer = Peer(secure, masks=True)
            equal((origin, ask(peer, request_head(port, f"Origin: {origin}://127.0.0.1:{port}"))[0]), (origin, expected))
        peer.close()


@case("--tls and --cert are not given together")
def _():
    refused("demo", "--tls", *FILES, status=2, words=["--tls", "--cert"])


@case("demo.sh refuses what it does not know, or cannot do, in one line")
def _():
    for options in (("--nonsense",), ("--cert",), ("--check", "--tls")):
        ended = subprocess.run([os.path.join(ROOT, "examples", "demo.sh"), *options], capture_output=True, timeout=10)
        equal((ended.returncode, ended.stdout, ended.stderr.count(b"\n")), (2, b"", 1))


def demo_script(scheme, *options, **how):
    """examples/demo.sh, and the address that it says."""
    script = Program(os.path.join(ROOT, "examples", "demo.sh"), *options, **how)
    said = [""]
    while f"{scheme}://127.0.0.1:" not in said[-1]:
        said.append(script.line())
        if not said[-1]:
            _, out, err = script.end()
            raise AssertionError("it ended: " + "\n".join(said) + out[-2000:] + err)
    return script, said[-1].split()[-1]


@case("demo.sh hands --tls on, and files that are named from where it was started")
def _():
    script, address = demo_script("https", "--tls")
    with urllib.request.urlopen(address + "counters", timeout=10, context=ssl._create_unverified_context()) as answer:
        equal(answer.status, 200)
    script.signal(signal.SIGTERM)
    equal(script.end()[0], 0)
    relative = [os.path.relpath(name, os.path.dirname(FILES[1])) if "/" in name else name for name in FILES]
    script, address = demo_script("https", *relative, cwd=os.path.dirname(FILES[1]))
    with urllib.request.urlopen(address + "counters", timeout=10, context=trusting()) as answer:
        equal(answer.status, 200)
    script.signal(signal.SIGTERM)
    equal(script.end()[0], 0)


@case("demo.sh takes the next port if 9001 is taken, and ends its server with itself")
def _():
    taken = None
    try:
        taken = socket.create_server(("127.0.0.1", 9001))
    except OSError:
        pass  # somebody else has it: as well
    script, address = demo_script("http")
    port = int(address.rstrip("/").rsplit(":", 1)[1])
    holds(9001 < port < 9100, address)
    equal(get(port, "/")[0], 200)
    script.signal(signal.SIGTERM)
    equal(script.end()[0], 0)
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        if taken:
            taken.close()
        return
    raise AssertionError("its server still runs")


run("demo:")
