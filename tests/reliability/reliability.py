"""echo_server, a process of its own, under crowds that are another one: ten thousand at once, a hundred thousand that vanish,
peers that never read, never finish or dawdle, no descriptors left, and the end by a signal in the middle of it all."""

import os
import resource
import signal
import socket
import sys
import time

from cases import BUILD, Program, case, equal, holds, run
from wire import TEXT, close_payload, open_client

CROWD = os.environ["NAVETTE_CROWD"]
LONG = os.environ.get("NAVETTE_LONG") == "yes"
SANITIZED = os.environ.get("NAVETTE_SANITIZED") == "yes"
PATIENCE = 150  # seconds that a crowd may take, on a machine that has more to do

# What a short run does with the server as it is released; a sanitizer keeps what was freed for a while, and is slow.
AT_ONCE = 2_000 if SANITIZED else 10_000
BATCHES, BATCH = (10, 10_000) if LONG and not SANITIZED else (10, 2_000)
PESTS = 300
# Bytes that may be resident after the last batch beyond those after the second, since never quite as many are there at
# once: 65 for each connection that has vanished between, in a long run 13; the smallest thing that could leak is larger.
TOLERANCE = 1 << 20


def start(*options, limit=None):
    """The server and its port; `limit`: descriptors that it may have."""
    command = [os.path.join(BUILD, "examples", "echo_server"), "--port", "0", *options]
    if limit:
        command = ["prlimit", f"--nofile={limit}:{limit}", *command]
    server = Program("/usr/bin/env", *command)
    return server, int(server.line()[:-1].rsplit(":", 1)[1])


def crowd(*words):
    return Program(CROWD, *map(str, words))


def said(program, wanted):
    """Waits for the crowd's line, or for why there is none."""
    began = time.monotonic()
    line = _line_within(program, PATIENCE)
    holds(line == wanted, f"the crowd said {line!r}, not {wanted!r}: {_why(program) if not line else ''}")
    return time.monotonic() - began


def _line_within(program, seconds):
    deadline = time.monotonic() + seconds
    os.set_blocking(program.process.stdout.fileno(), False)
    text = b""
    while not text.endswith(b"\n") and time.monotonic() < deadline:
        piece = program.process.stdout.read()
        if piece == b"" and program.process.poll() is not None:
            break
        text += piece or b""
        time.sleep(0.01)
    os.set_blocking(program.process.stdout.fileno(), True)
    return text.decode().removesuffix("\n")


def _why(program):
    return program.end()[2].strip()


def ended(program, patience=PATIENCE):
    status, out, err = program.end(patience=patience)
    equal((status, err), (0, ""))
    return out.strip()


def resident(server):
    with open(f"/proc/{server.pid}/smaps_rollup", encoding="ascii") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Rss:"))


def descriptors(server):
    return len(os.listdir(f"/proc/{server.pid}/fd"))


def left_alone(server):
    """Its descriptors when nobody is connected, once they stay the same for a tenth of a second."""
    counts = [descriptors(server), 0, 0]
    for _ in range(100):
        if len(set(counts)) == 1:
            break
        time.sleep(0.05)
        counts = [*counts[1:], descriptors(server)]
    return counts[-1]


def comes_true(condition, seconds, sentence):
    deadline = time.monotonic() + seconds
    while not condition():
        holds(time.monotonic() < deadline, sentence() if callable(sentence) else sentence)
        time.sleep(0.02)


def slowest_answer(port, times):
    """Seconds that the slowest of so many echoes took."""
    peer = open_client(port)
    slowest = 0.0
    for number in range(times):
        began = time.monotonic()
        peer.send(TEXT, f"message {number}")
        equal(peer.frame(), (TEXT, f"message {number}".encode()))
        slowest = max(slowest, time.monotonic() - began)
    peer.close()
    return slowest


def stops(server, patience=10):
    """Ctrl-C: exit 0, and nothing on standard error but what it had to say before."""
    server.signal(signal.SIGTERM)
    status, _, err = server.end(patience=patience)
    equal(status, 0)
    return err


@case(f"{AT_ONCE:,} connections at once: each echoes, each says goodbye")
def _():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    holds(hard >= AT_ONCE + 100,
          f"{AT_ONCE} connections need as many descriptors; the soft limit is {soft}, the hard one {hard}")
    server, port = start()
    before = left_alone(server)
    all_of_them = crowd("echo", port, AT_ONCE)
    said(all_of_them, f"{AT_ONCE} echoed")
    holds(descriptors(server) >= AT_ONCE, f"{descriptors(server)} descriptors for {AT_ONCE} connections")
    holds(slowest_answer(port, 20) < 2, "another client waits too long beside them")
    equal(ended(all_of_them), f"{AT_ONCE} closed")
    comes_true(lambda: descriptors(server) == before, 20, lambda: f"{descriptors(server)} descriptors are left of {before}")
    equal(stops(server), "")


@case(f"{BATCHES * BATCH:,} connections that vanish at random points leave nothing behind")
def _():
    server, port = start()
    before = left_alone(server)
    slowest_answer(port, 5)
    memory = []
    for batch in range(BATCHES):
        gone = crowd("abort", port, BATCH, batch + 1)
        equal(ended(gone), f"{BATCH} gone")
        # The last ones may still be on their way through the server.
        comes_true(lambda: descriptors(server) == before, 20,
                   lambda: f"{descriptors(server)} descriptors are left of {before} after batch {batch + 1}")
        memory.append(resident(server))
    print(f"     resident after each batch: {', '.join(f'{bytes_ >> 10} KiB' for bytes_ in memory)}")
    holds(SANITIZED or memory[-1] - memory[1] <= TOLERANCE,
          f"{memory[-1] - memory[1]} bytes more than after the second batch; {TOLERANCE} are tolerated")
    holds(slowest_answer(port, 20) < 2, "a client waits too long after them")
    equal(stops(server), "")


@case(f"{PESTS} peers that never finish, never read, or send a byte a second: a good client is served at once")
def _():
    server, port = start()
    slowest_answer(port, 5)
    pests = crowd("nuisance", port, PESTS)
    said(pests, "ready")
    deadline = time.monotonic() + (45 if LONG else 12)
    slowest, answers = 0.0, 0
    while time.monotonic() < deadline:
        slowest = max(slowest, slowest_answer(port, 20))
        answers += 20
        time.sleep(0.2)
    print(f"     the slowest of {answers} answers took {slowest * 1000:.1f} ms")
    # Somebody who is held up waits for a deadline of the server's, ten seconds or more; a busy machine takes one.
    holds(slowest < 5, f"one of {answers} answers took {slowest:.2f} s")
    # Of each that never reads it keeps what it could not write, and a message.
    most = PESTS // 3 * (1 << 20) + (32 << 20)
    holds(SANITIZED or resident(server) < most, f"{resident(server)} bytes of memory; {most} are tolerated")
    told = ended(pests)
    words = told.split()
    unfinished, deaf = int(words[3]), int(words[5])
    equal(unfinished, PESTS // 3)  # its ten seconds are over
    holds(not LONG or deaf == PESTS // 3, f"{deaf} of {PESTS // 3} that never read were ended in 45 s: {told}")
    equal(stops(server), "")


@case("out of descriptors it says so, serves those that it has, and takes others again when some have left")
def _():
    most = 64
    server, port = start(limit=most)
    peers = []
    try:
        for _ in range(100):
            peer = socket.create_connection(("127.0.0.1", port), timeout=5)  # by the kernel; the server may not know
            peers.append(peer)
        comes_true(lambda: descriptors(server) >= most - 4, 10, lambda: f"it has {descriptors(server)} descriptors of {most}")
        used = _cpu_seconds(server)
        time.sleep(1)
        used = _cpu_seconds(server) - used
        holds(used < 0.3, f"it worked for {used:.2f} s of a second in which it could do nothing")
        equal(server.process.poll(), None)
    finally:
        for peer in peers:
            peer.close()
    holds(slowest_answer(port, 20) < 2, "a client waits too long afterwards")
    err = stops(server)
    holds("descriptor" in err or "open files" in err, f"it did not say that it had no descriptors: {err!r}")


def _cpu_seconds(server):
    with open(f"/proc/{server.pid}/schedstat", encoding="ascii") as figures:
        return int(figures.read().split()[0]) / 1e9


@case("those that it has are served while it has no descriptors for others")
def _():
    server, port = start(limit=64)
    # A sanitizer that first sees a type's object wants a pipe to look at it: here, the errors of those who just go.
    slowest_answer(port, 1)
    left_alone(server)
    inside = open_client(port)
    waiting = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(100)]
    comes_true(lambda: descriptors(server) >= 60, 10, lambda: f"it has {descriptors(server)} descriptors")
    for number in range(20):
        inside.send(TEXT, f"{number}")
        equal(inside.frame(), (TEXT, f"{number}".encode()))
    for peer in [inside, *waiting]:
        peer.close()
    stops(server)


@case("SIGTERM under load: everybody is told 1001, and it ends with 0 in time")
def _():
    server, port = start()
    busy = crowd("busy", port, 500)
    said(busy, "500 echoed")
    idle = [open_client(port) for _ in range(20)]
    half_open = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(20)]
    for peer in half_open:
        peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
    silent = [open_client(port) for _ in range(20)]  # they never answer the Close
    slowest_answer(port, 1)
    began = time.monotonic()
    server.signal(signal.SIGTERM)
    for peer in idle:
        opcode, payload = peer.frame()
        equal((opcode, payload[:2]), (8, close_payload(1001)))
        peer.send(8, payload[:2])
        holds(peer.at_end(), "the stream goes on behind the Close")
    for peer in silent:
        opcode, payload = peer.frame()
        equal((opcode, payload[:2]), (8, close_payload(1001)))
    for peer in half_open:  # it may be refused with a status, or just ended
        try:
            answer = peer.recv(4096)
        except ConnectionResetError:
            answer = b""
        holds(answer == b"" or answer.startswith(b"HTTP/1.1 5") or answer.startswith(b"HTTP/1.1 4"), f"it got {answer!r}")
    said(busy, "500 told 1001")
    equal(ended(busy), "")
    status, _, err = server.end(patience=30 if SANITIZED else 10)
    equal((status, err), (0, ""))
    took = time.monotonic() - began
    print(f"     it ended after {took:.1f} s")
    holds(took < (30 if SANITIZED else 8), f"it took {took:.1f} s; five are for those that do not answer a Close")
    for peer in half_open:
        peer.close()


run("reliability (sanitizers):" if SANITIZED else "reliability:")
