"""The way of wscat to its server: TLS, proxies, credentials, and connecting again. The servers and proxies are played by
hand; the certificates are made by the program openssl."""

import base64
import os
import re
import socket
import ssl
import subprocess
import tempfile
import threading

from cases import PATIENCE, call, case, equal, holds, run
from wire import CLOSE, TEXT, Peer, Server, close_payload, fields, upgrade

FOLDER = tempfile.TemporaryDirectory()
READS_NO_URL = "ws://127.0.0.1:9/"  # for options that are refused before anything is sent


def path(name):
    return os.path.join(FOLDER.name, name)


def make_certificates():
    """ca.pem; host.pem for localhost, issued by it; client.pem, too."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=PATIENCE)
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    openssl("req", "-x509", *curve, "-keyout", path("ca.key"), "-out", path("ca.pem"), "-subj", "/CN=test root")
    for name, extension in (("host", "subjectAltName=DNS:localhost"), ("client", "extendedKeyUsage=clientAuth")):
        openssl("req", "-x509", *curve, "-keyout", path(name + ".key"), "-out", path(name + ".pem"), "-subj", f"/CN={name}",
                "-CA", path("ca.pem"), "-CAkey", path("ca.key"), "-addext", extension, "-addext", "basicConstraints=CA:FALSE")


make_certificates()


def tls_server(script, asks_for_client=False):
    """A Server whose script talks over TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path("host.pem"), path("host.key"))
    if asks_for_client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(path("ca.pem"))

    def wrapped(peer):
        with context.wrap_socket(peer.socket, server_side=True) as over_tls:
            script(Peer(over_tls, masks=False))
    return Server(wrapped)


def echo_once(peer, *extra):
    """One echo and a clean end; returns the request's lines."""
    lines = upgrade(peer, *extra)
    opcode, payload = peer.frame()
    equal(opcode, TEXT)
    peer.send(TEXT, payload)
    opcode, payload = peer.frame()
    equal((opcode, payload[:2]), (CLOSE, close_payload(1000)))
    peer.send(CLOSE, payload[:2])
    return lines


def failed(result, *words):
    status, _, err = result
    equal(status, 1)
    holds(err.startswith("wscat: ") and err.endswith("\n") and err.count("\n") == 1, f"not one line: {err!r}")
    for word in words:
        holds(word in err, f"{word!r} is not in {err!r}")


class Proxy:
    """Answers the heads of connections with `answers`, one for each; after a 200 it carries bytes to where CONNECT led, but
    on this machine whatever the name."""

    def __init__(self, *answers):
        self.answers = answers
        self.heads = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(PATIENCE)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        answers = list(self.answers)
        while answers:
            connected, _ = self.listener.accept()
            peer = Peer(connected, masks=False)
            while answers:
                self.heads.append(peer.head())
                answer = answers.pop(0)
                connected.sendall(answer)
                if b" 200 " in answer:
                    port = int(re.match(r"CONNECT \S+:(\d+) ", self.heads[-1][0]).group(1))
                    carry(connected, socket.create_connection(("127.0.0.1", port), timeout=PATIENCE))
                    break
                if b"close" in answer:
                    connected.close()
                    break

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"


def carry(a, b):
    def one_way(source, target):
        try:
            while piece := source.recv(65536):
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass
    threading.Thread(target=one_way, args=(a, b), daemon=True).start()
    threading.Thread(target=one_way, args=(b, a), daemon=True).start()


ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


def secure(server):
    return f"wss://localhost:{server.port}/"


@case("wss: who the own authority vouches for is talked to")
def _():
    server = tls_server(echo_once)
    equal(call("wscat", "--ca", path("ca.pem"), secure(server), stdin="hello\n"), (0, "hello\n", ""))
    server.join()


@case("wss: a server whom the system's authorities do not know is refused, and told apart")
def _():
    for options, url, words in (((), "wss://localhost:{}/", "certificate is not accepted"),
                                (("--ca", path("ca.pem")), "wss://127.0.0.1:{}/", "IP address mismatch")):
        server = tls_server(lambda peer: None)
        failed(call("wscat", *options, url.format(server.port)), words)


@case("wss: --insecure takes anybody, and -v says so")
def _():
    server = tls_server(echo_once)
    status, out, err = call("wscat", "--insecure", "-v", secure(server), stdin="x\n")
    equal((status, out), (0, "x\n"))
    holds("not verified" in err, err)


@case("wss: -v tells each step, the version of TLS and its suite, and what was agreed")
def _():
    server = tls_server(lambda peer: echo_once(peer, "Sec-WebSocket-Protocol: b"))
    status, _, err = call("wscat", "-v", "--ca", path("ca.pem"), "--subprotocol", "a", "--subprotocol", "b", secure(server), stdin="x\n")
    equal(status, 0)
    for words in (f"connected to localhost:{server.port}", "TLSv1.3", "TLS_", "subprotocol b", "no compression"):
        holds(words in err, f"{words!r} is not in {err!r}")


@case("wss: --cert and --key are shown to a server that asks")
def _():
    shown = ("--cert", path("client.pem"), "--key", path("client.key"))
    server = tls_server(echo_once, asks_for_client=True)
    equal(call("wscat", "--ca", path("ca.pem"), *shown, secure(server), stdin="x\n"), (0, "x\n", ""))
    server.join()
    refuses = tls_server(echo_once, asks_for_client=True)
    failed(call("wscat", "--ca", path("ca.pem"), secure(refuses), stdin="x\n"), "TLS: ")


@case("wss: an end of the transport without close_notify after the Close is a clean close")
def _():
    def script(peer):
        echo_once(peer)
        peer.socket.shutdown(socket.SHUT_WR)  # of the socket beneath: no close_notify
    server = tls_server(script)
    equal(call("wscat", "--ca", path("ca.pem"), secure(server), stdin="x\n")[:2], (0, "x\n"))


@case("wss: an end of the transport without a Close is a failure")
def _():
    def script(peer):
        upgrade(peer)
        peer.frame()
        peer.frame()
        peer.socket.shutdown(socket.SHUT_WR)
    failed(call("wscat", "--ca", path("ca.pem"), secure(tls_server(script)), stdin="x\n"), "closing handshake")


@case("wss to a server that speaks no TLS says that")
def _():
    def script(peer):
        peer.socket.recv(1000)
        peer.socket.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    failed(call("wscat", secure(Server(script))), "does not speak TLS")


@case("wss: a server that never shakes hands is left after the timeout")
def _():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"wss://localhost:{silent.getsockname()[1]}/"
        failed(call("wscat", "--timeout", "0.3", url), "TLS was not established in time")


@case("files that are missing or hold something else are named")
def _():
    failed(call("wscat", "--ca", "/nowhere/ca.pem", "wss://localhost:9/"), "/nowhere/ca.pem", "No such file")
    failed(call("wscat", "--ca", path("ca.key"), "wss://localhost:9/"), path("ca.key"))
    failed(call("wscat", "--cert", path("host.pem"), "--key", path("ca.key"), "wss://localhost:9/"), "key values mismatch")
    failed(call("wscat", "--cert", path("host.pem"), "--key", path("host.pem"), "wss://localhost:9/"), "no key")


@case("--cert without --key, and the reverse, are refused")
def _():
    for option in ("--cert", "--key"):
        status, _, err = call("wscat", option, path("host.pem"), READS_NO_URL)
        equal(status, 2)
        holds("--cert and --key" in err, err)


@case("--basic is sent as a password, and without a colon is refused")
def _():
    seen = []
    server = Server(lambda peer: seen.append(fields(echo_once(peer))))
    equal(call("wscat", "--basic", "Aladdin:open sesame", server.url, stdin="x\n")[0], 0)
    server.join()
    equal(seen[0]["authorization"], "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
    status, _, err = call("wscat", "--basic", "Aladdin", READS_NO_URL)
    equal(status, 2)
    holds("--basic" in err and "Aladdin" not in err, err)


@case("--proxy: ws and wss go through a tunnel")
def _():
    for make, scheme in ((Server, "ws"), (tls_server, "wss")):
        server, proxy = make(echo_once), Proxy(ESTABLISHED)
        url = f"{scheme}://localhost:{server.port}/"
        equal(call("wscat", "--ca", path("ca.pem"), "--proxy", proxy.url, url, stdin="x\n"), (0, "x\n", ""))
        equal(proxy.heads[0][0], f"CONNECT localhost:{server.port} HTTP/1.1")


@case("--proxy: credentials are given when they are asked for, on a new connection if need be")
def _():
    for extra in (b"Content-Length: 0\r\n", b"Connection: close\r\n"):
        demand = b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=\"x\"\r\n" + extra + b"\r\n"
        server, proxy = Server(echo_once), Proxy(demand, ESTABLISHED)
        with_password = proxy.url.replace("//", "//user:secret@")
        equal(call("wscat", "--proxy", with_password, server.url, stdin="x\n"), (0, "x\n", ""))
        equal(fields(proxy.heads[1])["proxy-authorization"], "Basic " + base64.b64encode(b"user:secret").decode())


@case("--proxy: a proxy that refuses is told from a server that does")
def _():
    proxy = Proxy(b"HTTP/1.1 403 Not through me\r\nConnection: close\r\n\r\n")
    failed(call("wscat", "--proxy", proxy.url, "ws://server.invalid/"), "the proxy answered", "403 Not through me")
    proxy = Proxy(b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=\"x\"\r\nConnection: close\r\n\r\n")
    failed(call("wscat", "--proxy", proxy.url, "ws://server.invalid/"), "407")


@case("--proxy: one that nobody can use is refused, without its password in the message")
def _():
    for url in ("socks4://user:secret@127.0.0.1", "http://user:secret@", "http://user:secret@127.0.0.1/path", "gopher://x"):
        status, _, err = call("wscat", "--proxy", url, READS_NO_URL)
        equal(status, 2)
        holds("--proxy" in err and "secret" not in err and err.count("\n") == 1, err)


@case("the environment names the proxy, but not for this machine, and --proxy '' goes without")
def _():
    proxy = Proxy(b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n")
    os.environ["ws_proxy"] = proxy.url
    try:
        failed(call("wscat", "ws://server.invalid/"), "the proxy answered")
        failed(call("wscat", "--proxy", "", "ws://server.invalid/"), "cannot connect to server.invalid")
        server = Server(echo_once)
        equal(call("wscat", server.url, stdin="x\n"), (0, "x\n", ""))
    finally:
        del os.environ["ws_proxy"]


@case("what a proxy that nobody configured has done is said, with what helps")
def _():
    def script(peer):
        peer.head()
        peer.socket.sendall(b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n")
    failed(call("wscat", Server(script).url), "426", "wss on port 443")


@case("--reconnect: a lost connection is made again, and a line that comes then leaves on it")
def _():
    is_back, heard = threading.Event(), []
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(PATIENCE)

    def serve():
        first, _ = listener.accept()
        upgrade(Peer(first, masks=False))
        first.close()  # without a Close
        second, _ = listener.accept()
        peer = Peer(second, masks=False)
        upgrade(peer)
        is_back.set()
        heard.append(peer.frame()[1])
        peer.send(CLOSE, close_payload(1000))
        peer.frame()
        second.close()
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    reading, writing = os.pipe()

    def feed():
        is_back.wait(PATIENCE)
        os.write(writing, b"after\n")
    threading.Thread(target=feed, daemon=True).start()
    program = subprocess.run([os.path.join(os.environ.get("NAVETTE_BUILD", "build/release"), "examples", "wscat"), "--reconnect",
                              f"ws://127.0.0.1:{listener.getsockname()[1]}/"], stdin=reading, capture_output=True, timeout=PATIENCE)
    thread.join(PATIENCE)
    os.close(writing)
    os.close(reading)
    equal((program.returncode, heard), (0, [b"after"]))
    holds(b"before the closing handshake" in program.stderr, program.stderr.decode())


@case("--reconnect: what will not pass is not tried again")
def _():
    def script(peer):
        peer.head()
        peer.socket.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    reading, writing = os.pipe()
    try:
        result = subprocess.run([os.path.join(os.environ.get("NAVETTE_BUILD", "build/release"), "examples", "wscat"), "--reconnect",
                                 Server(script).url], stdin=reading, capture_output=True, timeout=PATIENCE)
        equal(result.returncode, 1)
        holds(b"404" in result.stderr, result.stderr.decode())
    finally:
        os.close(reading)
        os.close(writing)


run("wscat:")
