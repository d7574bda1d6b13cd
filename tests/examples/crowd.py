"""echo_server is one thread that nobody can hold up: a thousand connections, half-open handshakes, a peer that never reads."""

import os
import socket
import threading
import time

from cases import Program, case, equal, holds, run
from wire import BINARY, TEXT, close_payload, frame, open_client, request

KEEP = []  # connections that stay open until the end of their case


def start():
    server = Program("echo_server", "--port", "0")
    return server, int(server.line()[:-1].rsplit(":", 1)[1])


def status(server, field):
    with open(f"/proc/{server.pid}/status", encoding="ascii") as lines:
        for line in lines:
            if line.startswith(field + ":"):
                return int(line.split()[1])
    raise KeyError(field)


def answers_within(port, seconds, times=20):
    peer = open_client(port)
    began = time.monotonic()
    for number in range(times):
        peer.send(TEXT, f"message {number}")
        equal(peer.frame(), (TEXT, f"message {number}".encode()))
    took = time.monotonic() - began
    peer.close()
    holds(took < seconds, f"{times} messages took {took:.2f} s")


@case("1,000 connections at once are served by one thread")
def _():
    server, port = start()
    peers = [open_client(port) for _ in range(1000)]
    for round_ in range(3):
        for number, peer in enumerate(peers):
            peer.send(TEXT, f"{round_} {number}")
        for number, peer in enumerate(peers):
            equal(peer.frame(), (TEXT, f"{round_} {number}".encode()))
    equal(status(server, "Threads"), 1)
    holds(status(server, "VmHWM") < 64 * 1024, f"{status(server, 'VmHWM')} KiB of memory")
    server.process.terminate()
    for peer in peers:
        opcode, payload = peer.frame()
        equal((opcode, payload[:2]), (8, close_payload(1001)))
        peer.send(8, payload[:2])
    for peer in peers:
        peer.close()
    equal(server.end(), (0, "", ""))


@case("50 handshakes that are never finished do not hold it up, and are ended")
def _():
    server, port = start()
    mute = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(25)]
    slow = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(25)]
    for peer in slow:
        peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
    answers_within(port, 2)
    began = time.monotonic()
    for peer in slow:  # a byte now and then buys no time
        peer.sendall(b"X")
    time.sleep(5)
    for peer in slow:
        peer.sendall(b"Y")
    for peer in mute + slow:
        while peer.recv(4096):
            pass
        peer.close()
    holds(time.monotonic() - began < 13, f"they were ended after {time.monotonic() - began:.1f} s")
    answers_within(port, 2)


@case("a peer that never reads is not read from, costs bounded memory, and holds up nobody")
def _():
    server, port = start()
    peer = open_client(port)
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.socket.setblocking(False)
    message = frame(BINARY, os.urandom(1 << 20), masked=True)
    sent, rest, idle_since = 0, b"", time.monotonic()
    while sent < 200 << 20 and time.monotonic() - idle_since < 1.5:
        rest = rest or message
        try:
            done = peer.socket.send(rest)
            sent, rest, idle_since = sent + done, rest[done:], time.monotonic()
        except BlockingIOError:
            time.sleep(0.01)
    holds(sent < 100 << 20, f"the server took {sent >> 20} MiB and nobody read")
    holds(status(server, "VmHWM") < 64 * 1024, f"{status(server, 'VmHWM')} KiB of memory")
    answers_within(port, 2)
    peer.close()
    answers_within(port, 2)


@case("a peer that reads slowly loses nothing")
def _():
    _, port = start()
    peer = open_client(port)
    peer.socket.setblocking(False)
    messages = [os.urandom(60_000) for _ in range(100)]
    wire = b"".join(frame(BINARY, message, masked=True) for message in messages)
    while wire:  # until nobody takes more
        try:
            wire = wire[peer.socket.send(wire):]
        except BlockingIOError:
            break
    peer.socket.setblocking(True)
    peer.socket.settimeout(10)
    writer = threading.Thread(target=peer.socket.sendall, args=(wire,))
    writer.start()
    for message in messages:
        equal(peer.frame(), (BINARY, message))
    writer.join()


@case("a peer that ends its side without a Close gets what it is owed")
def _():
    _, port = start()
    peer = open_client(port)
    messages = [os.urandom(30_000) for _ in range(1500)]

    def write():
        peer.socket.sendall(b"".join(frame(BINARY, message, masked=True) for message in messages))
        peer.socket.shutdown(socket.SHUT_WR)
    writer = threading.Thread(target=write)
    writer.start()
    time.sleep(0.3)  # until nobody takes more: the end then comes while much is owed
    for message in messages:
        equal(peer.frame(), (BINARY, message))
    holds(peer.at_end(), "the stream has not ended")
    writer.join()


@case("peers that vanish without a word leave nothing behind")
def _():
    server, port = start()
    files = lambda: len(os.listdir(f"/proc/{server.pid}/fd"))
    answers_within(port, 2)
    time.sleep(0.5)
    before = files()
    for _ in range(100):
        open_client(port).close()
        request(port, "Sec-WebSocket-Version: 8")[2].close()
    for _ in range(100):
        if files() == before:
            break
        time.sleep(0.05)
    equal(files(), before)


run("echo_server:")
