"""echo_server over TLS: the same contract, and nobody who stops half-way in TLS holds it up."""

import concurrent.futures
import os
import signal
import socket
import ssl
import threading
import time
import warnings

from cases import Program, case, equal, holds, refused, run
from certificate import CERT, FILES, KEY, SecureSocket, openssl, path, trusting
from wire import BINARY, CLOSE, TEXT, Peer, close_payload, frame, opened, request_head


def start(*options):
    server = Program("echo_server", "--port", "0", *FILES, *options)
    line = server.line()
    holds(line.startswith("listening on wss://127.0.0.1:") and line.endswith("/"), f"the first line is {line!r}")
    return server, int(line[:-1].rsplit(":", 1)[1])


def connect(port, context=None, **how):
    """A peer after the handshake of TLS, before the one of WebSocket."""
    secure = SecureSocket(socket.create_connection(("127.0.0.1", port), timeout=10), context or trusting(), **how)
    secure.shake_hands()
    return Peer(secure, masks=True)


def open_client(port, **how):
    return opened(connect(port, **how), request_head(port))


def status(server, field):
    with open(f"/proc/{server.pid}/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(field + ":"))


def answers_within(port, seconds, times=20):
    began = time.monotonic()
    peer = open_client(port)
    for number in range(times):
        peer.send(TEXT, f"message {number}")
        equal(peer.frame(), (TEXT, f"message {number}".encode()))
    peer.close()
    took = time.monotonic() - began
    holds(took < seconds, f"{times} messages took {took:.2f} s")


def only(version):
    context = trusting()
    context.minimum_version = context.maximum_version = version
    return context


def never_finish(_, port):
    peers = [SecureSocket(socket.create_connection(("127.0.0.1", port), timeout=20), trusting()) for _ in range(50)]
    hellos = []
    for peer in peers:
        try:
            peer.tls.do_handshake()
        except ssl.SSLWantReadError:
            hellos.append(peer.outgoing.read())
    slow, half, answered = (range(first, 50, 4) for first in (1, 2, 3))  # and the others are mute
    for some, size in ((slow, 7), (half, 100), (answered, None)):
        for i in some:
            peers[i].raw.sendall(hellos[i][:size])
    answers_within(port, 2)
    began = time.monotonic()
    for late in (0, 5):  # a byte now and then buys no time
        time.sleep(late)
        for i in (*slow, *half):
            peers[i].raw.sendall(hellos[i][200 + late:201 + late])
    for i, peer in enumerate(peers):
        while piece := peer.raw.recv(65536):
            holds(i in answered or piece[:1] == b"\x15", f"{piece[:20]!r}")
        peer.close()
    holds(time.monotonic() - began < 13, f"they were ended after {time.monotonic() - began:.1f} s")
    answers_within(port, 2)


# It takes ten seconds, and goes on beside the other cases.
WAITED_FOR = start()
Program.running.remove(WAITED_FOR[0])
WAITING = concurrent.futures.ThreadPoolExecutor().submit(never_finish, *WAITED_FOR)


for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
    @case(f"text and binary of every size come back, {version.name}")
    def _(version=version):
        _, port = start()
        peer = open_client(port, context=only(version))
        for opcode in (TEXT, BINARY):
            for size in (0, 1, 125, 126, 16_384, 65535, 65536, 3_000_000):
                payload = b"a" * size if opcode == TEXT else os.urandom(size)
                writer = threading.Thread(target=peer.send, args=(opcode, payload))
                writer.start()
                writer.join()
                equal(peer.frame(), (opcode, payload))


@case("TLS 1.1 is refused")
def _():
    _, port = start()
    with warnings.catch_warnings(action="ignore"):
        context = only(ssl.TLSVersion.TLSv1_1)
    context.set_ciphers("ALL:@SECLEVEL=0")
    try:
        connect(port, context=context)
    except ssl.SSLError as error:
        holds("PROTOCOL_VERSION" in str(error).upper(), str(error))
        return
    raise AssertionError("it is taken")


@case("it is the certificate of --cert, and http/1.1 is agreed on")
def _():
    _, port = start()
    context = trusting()
    context.set_alpn_protocols(["h2", "http/1.1"])
    peer = connect(port, context=context)
    with open(CERT, encoding="ascii") as file:
        equal(ssl.DER_cert_to_PEM_cert(peer.socket.tls.getpeercert(True)), file.read())
    equal(peer.socket.tls.selected_alpn_protocol(), "http/1.1")


@case("one byte at a time")
def _():
    _, port = start()
    peer = open_client(port, piece=1)
    peer.send(TEXT, "Coucou" * 100)
    equal(peer.frame(), (TEXT, b"Coucou" * 100))


@case("the end of TLS's handshake, the request, messages, a Close and close_notify in one write")
def _():
    _, port = start()
    secure = SecureSocket(socket.create_connection(("127.0.0.1", port), timeout=10), only(ssl.TLSVersion.TLSv1_3))
    flush, secure._flush = secure._flush, lambda: None
    try:
        secure.tls.do_handshake()
    except ssl.SSLWantReadError:
        flush()
    while True:
        secure.incoming.write(secure.raw.recv(65536))
        try:
            secure.tls.do_handshake()
            break
        except ssl.SSLWantReadError:
            pass
    secure.sendall(request_head(port) + frame(TEXT, b"Coucou", masked=True) + frame(CLOSE, close_payload(1000), masked=True))
    secure.end()
    flush()
    peer = Peer(secure, masks=True)
    holds(peer.head()[0].startswith("HTTP/1.1 101 "), "not upgraded")
    equal(peer.frame(), (TEXT, b"Coucou"))
    equal(peer.frame(), (CLOSE, close_payload(1000)))
    holds(peer.at_end(), "the stream has not ended")


@case("the server ends with close_notify: after a Close, a refused frame, and an HTTP answer")
def _():
    _, port = start()
    peer = open_client(port)
    peer.send(CLOSE, close_payload(1000))
    equal(peer.frame(), (CLOSE, close_payload(1000)))
    holds(peer.at_end(), "the stream has not ended")

    peer = open_client(port)
    peer.socket.sendall(bytes.fromhex("810178"))
    equal(peer.frame(), (CLOSE, close_payload(1002)))
    holds(peer.at_end(), "the stream has not ended")

    peer = connect(port)
    peer.socket.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    lines = peer.head()
    holds(lines[0].startswith("HTTP/1.1 426 "), lines[0])
    peer.take(int(dict(line.split(": ") for line in lines[1:])["Content-Length"]))
    holds(peer.at_end(), "the stream has not ended")


@case("a peer that ends its side with close_notify gets what it is owed")
def _():
    _, port = start()
    peer = open_client(port)
    messages = [os.urandom(30_000) for _ in range(300)]

    # OpenSSL's object is for one thread: the other one only carries what it has made.
    secure = peer.socket
    secure.hold = True
    secure.sendall(b"".join(frame(BINARY, message, masked=True) for message in messages))
    secure.end()
    writer = threading.Thread(target=secure.raw.sendall, args=(secure.outgoing.read(),))
    writer.start()
    time.sleep(0.3)  # until nobody takes more: the end then comes while much is owed
    for message in messages:
        equal(peer.frame(), (BINARY, message))
    holds(peer.at_end(), "the stream has not ended")
    writer.join()


@case("a stream that is cut without close_notify is let go, and the server goes on")
def _():
    server, port = start()
    files = lambda: len(os.listdir(f"/proc/{server.pid}/fd"))
    answers_within(port, 2)
    time.sleep(0.3)
    before = files()
    for cut in range(0, 100):
        peer = open_client(port) if cut % 2 else connect(port)
        peer.socket.hold = True
        peer.send(TEXT, "x" * 1000)
        peer.socket.raw.sendall(peer.socket.outgoing.read()[:cut * 10])
        peer.socket.raw.shutdown(socket.SHUT_WR)
        try:
            while peer.socket.recv(65536):
                pass
            raise AssertionError("the server says close_notify to a peer that was cut off")
        except (EOFError, ConnectionResetError):
            peer.close()
    for _ in range(100):
        if files() == before:
            break
        time.sleep(0.05)
    equal(files(), before)
    answers_within(port, 2)


@case("what is not TLS is ended, with an alert if it can be, and the server goes on")
def _():
    _, port = start()
    for sent in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", os.urandom(300), b"\x16\x03\x01\x00\x05hello", b"\x16\x03\x01\xff\xff" + b"x" * 65535):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as raw:
            raw.sendall(sent)
            try:
                answer = raw.recv(65536)
                holds(answer[:1] in (b"", b"\x15"), f"{sent[:20]!r} is answered with {answer[:20]!r}")
                while raw.recv(65536):
                    pass
            except ConnectionResetError:
                pass
    answers_within(port, 2)


@case("a peer that never reads is not read from, costs bounded memory, and holds up nobody")
def _():
    server, port = start()
    peer = open_client(port)
    peer.socket.raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.socket.raw.setblocking(False)
    message = frame(BINARY, os.urandom(1 << 20), masked=True)
    sent, rest, idle_since = 0, b"", time.monotonic()
    while sent < 200 << 20 and time.monotonic() - idle_since < 1.5:
        if not rest:
            peer.socket.tls.write(message)
            rest = peer.socket.outgoing.read()
        try:
            done = peer.socket.raw.send(rest)
            sent, rest, idle_since = sent + done, rest[done:], time.monotonic()
        except BlockingIOError:
            time.sleep(0.01)
    holds(sent < 100 << 20, f"the server took {sent >> 20} MiB and nobody read")
    holds(status(server, "VmHWM") < 64 * 1024, f"{status(server, 'VmHWM')} KiB of memory")
    answers_within(port, 2)
    peer.close()
    answers_within(port, 2)


@case("idle connections keep no buffers: 300 that have echoed 200,000 bytes each")
def _():
    server, port = start("--no-deflate")
    answers_within(port, 2)
    before = status(server, "VmRSS")
    peers = [open_client(port) for _ in range(300)]
    payload = os.urandom(200_000)
    for peer in peers:
        peer.send(BINARY, payload)
        equal(peer.frame(), (BINARY, payload))
    each = (status(server, "VmRSS") - before) / len(peers)
    equal(status(server, "Threads"), 1)
    holds(each < 40, f"{each:.0f} KiB a connection")
    print(f"     {each:.1f} KiB a connection")
    for peer in peers:
        peer.close()


for name, number in (("SIGTERM", signal.SIGTERM), ("SIGINT", signal.SIGINT)):
    @case(f"{name}: Close 1001 and close_notify to everybody, then exit 0")
    def _(number=number):
        server, port = start()
        peers, mute = [open_client(port) for _ in range(3)], socket.create_connection(("127.0.0.1", port))
        server.signal(number)
        for peer in peers:
            opcode, payload = peer.frame()
            equal((opcode, payload[:2]), (CLOSE, close_payload(1001)))
            peer.send(CLOSE, payload[:2])
            holds(peer.at_end(), "the stream has not ended")
            peer.close()
        equal(server.end(patience=3), (0, "", ""))
        mute.close()


OTHER_KEY, LOCKED = path("other.pem"), path("locked.pem")
openssl("ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", OTHER_KEY)
openssl("pkcs8", "-topk8", "-in", KEY, "-passout", "pass:secret", "-out", LOCKED)

for program in ("echo_server", "demo"):
    @case(f"{program}: --cert and --key are refused alone")
    def _(program=program):
        refused(program, "--cert", CERT, status=2, words=["--cert needs --key"])
        refused(program, "--key", KEY, status=2, words=["--key needs --cert"])

for what, cert, key, at_fault, cause in (
        ("a certificate that does not exist", path("none"), KEY, path("none"), "No such file"),
        ("a key that does not exist", CERT, path("none"), path("none"), "No such file"),
        ("a certificate that is none", KEY, KEY, KEY, "no start line"),
        ("an empty certificate", "/dev/null", KEY, "/dev/null", "no start line"),
        ("a key that is none", CERT, CERT, CERT, "no key"),
        ("the key of another certificate", CERT, OTHER_KEY, OTHER_KEY, "mismatch"),
        ("a key with a password", CERT, LOCKED, LOCKED, "decrypt")):
    @case(f"{what} is named with its cause")
    def _(cert=cert, key=key, at_fault=at_fault, cause=cause):
        for program in ("echo_server", "demo"):
            refused(program, "--port", "0", "--cert", cert, "--key", key, status=1, words=[f"{program}: {at_fault}: ", cause])


@case("50 handshakes of TLS that are never finished do not hold it up, and are ended")
def _():
    try:
        WAITING.result(20)
    finally:
        WAITED_FOR[0].kill()


run("tls:")
