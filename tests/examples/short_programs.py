"""The short programs run: clients, echo servers, own_stream and sans_io_poll, against each other and by hand."""

import os
import signal
import socket
import time
from functools import partial

from cases import PATIENCE, Program, call, case, equal, holds, run
from wire import BINARY, CLOSE, PING, PONG, TEXT, KEY, Peer, Server, close_payload, open_client, request, upgrade


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def serving(name):
    """Starts a server that takes its port as an argument; returns it and the port once it listens."""
    port = free_port()
    server = Program(name, f"127.0.0.1:{port}" if name.startswith("server_") else str(port))
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return server, port
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise AssertionError(f"{name} does not listen")


def prints_each_message(program):
    def script(peer):
        upgrade(peer)
        peer.send(TEXT, "one")
        peer.send(PING, "?")
        peer.send(TEXT, "tw", fin=False)
        peer.send(0, "o")
        equal(peer.frame(), (PONG, b"?"))
        peer.send(CLOSE, close_payload(1000))
        equal(peer.frame()[0], CLOSE)
    server = Server(script)
    equal(call(program, server.url), (0, "one\ntwo\n", ""))
    server.join()


def names_what_went_wrong(program):
    server = Server(lambda peer: upgrade(peer))
    status, out, err = call(program, server.url)
    equal((status, out, err.count("\n")), (1, "", 1))
    holds("closing handshake" in err, err)
    status, _, err = call(program, f"ws://127.0.0.1:{free_port()}/")
    holds(status == 1 and "refused" in err, err)
    status, _, err = call(program, "ftp://127.0.0.1/")
    holds(status == 1 and err.count("\n") == 1, err)


for program in "print_client", "callback_client", "asio_client":
    case(f"{program} prints each message and ends with 0 when the server closes")(partial(prints_each_message, program))
    case(f"{program} names what went wrong in one line")(partial(names_what_went_wrong, program))


@case("simple_echo echoes one client after the other")
def _():
    _, port = serving("simple_echo")
    for _ in range(3):
        peer = open_client(port)
        for opcode, payload in ((TEXT, "Coucou".encode()), (BINARY, os.urandom(100_000))):
            peer.send(opcode, payload)
            equal(peer.frame(), (opcode, payload))
        peer.send(CLOSE, close_payload(1000))
        equal(peer.frame()[0], CLOSE)
        peer.close()


def echoes_to_many_at_once(program):
    _, port = serving(program)
    peers = [open_client(port) for _ in range(20)]
    mute = [socket.create_connection(("127.0.0.1", port)) for _ in range(10)]
    for opcode, payload in ((TEXT, "Coucou".encode()), (BINARY, os.urandom(300_000)), (TEXT, b"")):
        for peer in peers:
            peer.send(opcode, payload)
            peer.send(PING, "?")
        for peer in peers:
            frames = [peer.frame(), peer.frame()]
            equal(sorted(frames), sorted([(opcode, payload), (PONG, b"?")]))
    for peer in peers[1:]:
        peer.send(CLOSE, close_payload(1000))
        equal(peer.frame(), (CLOSE, close_payload(1000)))
        holds(peer.at_end(), "the stream has not ended")
    for other in mute + [peers[0].socket]:
        other.close()
    peer = open_client(port)
    peer.send(TEXT, "there?")
    equal(peer.frame(), (TEXT, b"there?"))


def names_a_port_in_use(program):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        status, out, err = call(program, str(taken.getsockname()[1]))
    equal((status, out, err.count("\n")), (1, "", 1))
    holds("in use" in err, err)


for program in "asio_echo", "libuv_echo":
    case(f"{program} echoes to many at once, also beside peers that say nothing or vanish")(
        partial(echoes_to_many_at_once, program))
    case(f"{program} says in one line that its port is in use")(partial(names_a_port_in_use, program))


def talks_until_the_server_dies(client, server):
    running, port = serving(server)
    talking = Program(client, f"ws://127.0.0.1:{port}/")
    time.sleep(0.3)
    holds(talking.process.poll() is None, "the client has ended")
    running.kill()
    status, out, err = talking.end()
    equal((status, out, err.count("\n")), (1, "", 1))


for client, server in ("print_client", "simple_echo"), ("asio_client", "asio_echo"):
    case(f"{client} and {server} talk to each other, until the server dies")(
        partial(talks_until_the_server_dies, client, server))


@case("server_echo echoes many clients at once")
def _():
    _, port = serving("server_echo")
    peers = [open_client(port) for _ in range(50)]
    for opcode, payload in ((TEXT, "Coucou".encode()), (BINARY, os.urandom(100_000))):
        for peer in peers:
            peer.send(opcode, payload)
        for peer in peers:
            equal(peer.frame(), (opcode, payload))
    for peer in peers:
        peer.send(CLOSE, close_payload(1000))
        equal(peer.frame()[0], CLOSE)
        peer.close()


@case("server_echo names what went wrong in one line")
def _():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        status, out, err = call("server_echo", f"127.0.0.1:{taken.getsockname()[1]}")
    equal((status, out, err.count("\n")), (1, "", 1))
    holds("in use" in err, err)


@case("server_habit lets one origin in, speaks one subprotocol, and tells text and binary apart")
def _():
    _, port = serving("server_habit")
    equal(request(port, "Origin: https://elsewhere.example")[0], 403)
    status, answered, peer = request(port, "Origin: https://example.com", "Sec-WebSocket-Protocol: other, echo")
    equal((status, answered.get("sec-websocket-protocol")), (101, "echo"))
    for opcode, payload in ((TEXT, b"Coucou"), (BINARY, b"\xff\x00")):
        peer.send(opcode, payload)
        equal(peer.frame(), (opcode, payload))


@case("wscat and simple_echo talk to each other")
def _():
    _, port = serving("simple_echo")
    equal(call("wscat", f"ws://127.0.0.1:{port}/", stdin="Coucou\nserveur\n"), (0, "Coucou\nserveur\n", ""))


@case("print_client ends with 0 when echo_server is stopped")
def _():
    server = Program("echo_server", "--port", "0")
    client = Program("print_client", server.line().removeprefix("listening on "))
    time.sleep(0.3)
    server.signal(signal.SIGTERM)
    equal(server.end(), (0, "", ""))
    equal(client.end(), (0, "", ""))


@case("own_stream echoes over a socket that it was started with")
def _():
    ours, theirs = socket.socketpair()
    program = Program("own_stream", stdin=theirs)
    theirs.close()
    peer = Peer(ours, masks=True)
    ours.sendall(("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
    holds(peer.head()[0].startswith("HTTP/1.1 101 "), "not upgraded")
    for opcode, payload in ((TEXT, b"Coucou"), (BINARY, os.urandom(200_000))):
        peer.send(opcode, payload)
        equal(peer.frame(), (opcode, payload))
    peer.send(CLOSE, close_payload(1000))
    equal(peer.frame(), (CLOSE, close_payload(1000)))
    peer.close()
    equal(program.process.wait(PATIENCE), 0)


@case("epoll_coroutines echoes to many at once, answers pings and the closing handshake")
def _():
    _, port = serving("epoll_coroutines")
    peers = [open_client(port) for _ in range(50)]
    large = os.urandom(300_000)
    for peer in peers:
        peer.send(TEXT, "Cou", fin=False)
        peer.send(PING, "?")
        peer.send(0, "cou")
    for peer in peers:
        frames = sorted((peer.frame(), peer.frame()))
        equal(frames, [(TEXT, b"Coucou"), (PONG, b"?")])
    for peer in peers[:5]:
        peer.send(BINARY, large)
        equal(peer.frame(), (BINARY, large))
    for peer in peers:
        peer.send(CLOSE, close_payload(1000))
        equal(peer.frame(), (CLOSE, close_payload(1000)))
        holds(peer.at_end(), "the stream has not ended")
        peer.close()


@case("epoll_coroutines is not held up by peers that say nothing, read nothing or go")
def _():
    _, port = serving("epoll_coroutines")
    mute = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
    gone = open_client(port)
    gone.send(TEXT, "gone before the answer")
    gone.close()
    deaf = open_client(port)
    deaf.socket.setblocking(False)
    try:
        for _ in range(5000):
            deaf.socket.send(b"\x82\xfe\x10\x00\0\0\0\0" + bytes(4096))
    except BlockingIOError:
        pass
    peer = open_client(port)
    peer.send(TEXT, "there?")
    equal(peer.frame(), (TEXT, b"there?"))
    for other in mute:
        other.close()
    peer.send(TEXT, "still?")
    equal(peer.frame(), (TEXT, b"still?"))


@case("wscat and epoll_coroutines talk to each other")
def _():
    _, port = serving("epoll_coroutines")
    equal(call("wscat", f"ws://127.0.0.1:{port}/", stdin="Coucou\nserveur\n"), (0, "Coucou\nserveur\n", ""))


@case("sans_io_poll echoes messages piece by piece, answers pings and the closing handshake")
def _():
    _, port = serving("sans_io_poll")
    peers = [open_client(port) for _ in range(20)]
    for peer in peers:
        peer.send(TEXT, "Cou", fin=False)
        peer.send(PING, "?")
        peer.send(0, "cou")
    for peer in peers:
        whole, frames = b"", []
        while whole != b"Coucou":
            opcode, payload = peer.frame()
            frames.append(opcode)
            whole += payload if opcode != PONG else b""
        holds(frames.count(PONG) == 1 and frames.count(TEXT) == 1, f"{frames}")
        peer.send(CLOSE, close_payload(1000))
        while (frame := peer.frame())[0] != CLOSE:
            equal(frame, (0, b""))
        equal(frame, (CLOSE, close_payload(1000)))
        holds(peer.at_end(), "the stream has not ended")


@case("sans_io_poll is not held up by peers that say nothing or read nothing")
def _():
    _, port = serving("sans_io_poll")
    mute = [socket.create_connection(("127.0.0.1", port)) for _ in range(50)]
    deaf = open_client(port)
    deaf.socket.setblocking(False)
    try:
        for _ in range(2000):
            deaf.socket.send(b"\x82\xfe\x10\x00\0\0\0\0" + bytes(4096))
    except BlockingIOError:
        pass
    peer = open_client(port)
    peer.send(TEXT, "there?")
    equal(peer.frame(), (TEXT, b"there?"))
    for other in mute:
        other.close()


run("short programs:")
