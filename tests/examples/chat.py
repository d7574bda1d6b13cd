"""chat: rooms, nicknames, its commands, its page, and readers that are too slow."""

import signal
import time
import urllib.error
import urllib.request

from cases import Program, call, case, equal, holds, refused, run
from wire import CLOSE, TEXT, close_payload, open_client, request


def start():
    server = Program("chat", "--port", "0")
    return server, int(server.line().rstrip("/").rsplit(":", 1)[1])


def join(port, target):
    peer = open_client(port, target=target)
    return peer


def says(peer):
    opcode, payload = peer.frame()
    equal(opcode, TEXT)
    return payload.decode()


@case("the first line says where it listens")
def _():
    server = Program("chat", "--port", "0")
    holds(server.line().startswith("listening on http://127.0.0.1:"), "not so")


@case("what one says all in the room hear, and nobody else")
def _():
    _, port = start()
    ada = join(port, "/salon?nick=ada")
    equal(says(ada), "* ada is here; in /salon: ada")
    bob = join(port, "/salon?nick=bob")
    equal(says(bob), "* bob is here; in /salon: ada, bob")
    equal(says(ada), "* bob is here; in /salon: ada, bob")
    eve = join(port, "/elsewhere?nick=eve")
    equal(says(eve), "* eve is here; in /elsewhere: eve")
    ada.send(TEXT, "bonjour")
    for peer in (ada, bob):
        equal(says(peer), "ada: bonjour")
    eve.send(TEXT, "alone")
    equal(says(eve), "eve: alone")


@case("who leaves is told")
def _():
    _, port = start()
    ada, bob = join(port, "/?nick=ada"), join(port, "/?nick=bob")
    says(ada), says(ada)
    bob.close()
    equal(says(ada), "* bob has left")


@case("/who names who is there, /nick changes a name")
def _():
    _, port = start()
    ada = join(port, "/?nick=ada")
    says(ada)
    ada.send(TEXT, "/nick augusta")
    equal(says(ada), "* ada is now augusta")
    ada.send(TEXT, "/who")
    equal(says(ada), "* in /: augusta")
    ada.send(TEXT, "/dance")
    holds(says(ada).startswith("* commands: "), "an unknown command is not explained")


@case("a name that is taken gets a number, and a percent-encoded one is read")
def _():
    _, port = start()
    first, second = join(port, "/?nick=%C3%A9mile"), join(port, "/?nick=%C3%A9mile")
    holds(says(first).startswith("* émile is here"), "not émile")
    holds(says(second).startswith("* émile-2 is here"), "not émile-2")
    second.send(TEXT, "/nick émile")
    holds("taken" in says(second), "a taken name was given")


@case("a name that is none becomes a guest's")
def _():
    _, port = start()
    for target in ("/", "/?nick=", "/?nick=a%20b", "/?nick=%ff", "/?nick=%00", "/?nick=" + "x" * 100):
        holds(says(join(port, target + ("&" if "?" in target else "?") + "x")).startswith("* guest"), target)


@case("a binary message is refused with 1003")
def _():
    _, port = start()
    peer = join(port, "/")
    says(peer)
    peer.send(2, b"x")
    opcode, payload = peer.frame()
    equal((opcode, payload[:2]), (CLOSE, close_payload(1003)))


@case("a page of another origin may not come in")
def _():
    _, port = start()
    equal(request(port, "Origin: http://evil.example")[0], 403)
    equal(request(port, f"Origin: http://127.0.0.1:{port}")[0], 101)


@case("its page is served on the same port")
def _():
    _, port = start()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
        holds(b"<!doctype html>" in answer.read(), "no page")


@case("a reader that is too slow misses lines, is told so, and costs bounded memory")
def _():
    server, port = start()
    slow, quick = join(port, "/?nick=slow"), join(port, "/?nick=quick")
    says(quick)
    for _ in range(10_000):
        quick.send(TEXT, "x" * 4000)
        says(quick)
    with open(f"/proc/{server.pid}/status", encoding="ascii") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    holds(peak < 24 * 1024, f"{peak} KiB of memory")
    seen = missed = 0
    while seen + missed < 10_002:  # two arrivals, and what quick said
        line = says(slow)
        if line.endswith("lines were left out: you read too slowly"):
            missed += int(line.split()[1])
        else:
            seen += 1
        if slow.seen == b"":
            slow.socket.settimeout(0.5)
            try:
                slow.seen = slow.socket.recv(65536)
            except TimeoutError:
                break
    slow.socket.settimeout(10)
    quick.send(TEXT, "now")
    says(quick)
    if seen + missed < 10_002:
        equal(says(slow), f"* {10_002 - seen - missed} lines were left out: you read too slowly")
    holds(missed < 10_002, "it has heard nothing")
    equal(says(slow), "quick: now")


@case("SIGTERM: Close 1001 to everybody, then exit 0")
def _():
    server, port = start()
    peer = join(port, "/")
    says(peer)
    server.signal(signal.SIGTERM)
    opcode, payload = peer.frame()
    equal((opcode, payload[:2]), (CLOSE, close_payload(1001)))
    peer.send(CLOSE, payload[:2])
    peer.close()
    equal(server.end(), (0, "", ""))


@case("bad options are refused")
def _():
    refused("chat", "--nonsense", status=2, words=["--nonsense"])
    refused("chat", "--port", "x", status=2, words=["--port"])


run("chat:")
