"""permessage-deflate against other implementations, both roles. A relay between the two reads along, so that each case
shows that what is on the wire is compressed, and not only that it arrives."""

import asyncio
import json
import os
import shutil

import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory

from cases import BUILD, PATIENCE, Program, case, equal, holds, run
from tap import Tap

PEERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers")
OURS = os.path.join(BUILD, "tests", "deflate_peer")
GORILLA = os.path.join(BUILD, "tests", "gorilla_peer")
NODE = shutil.which("node") or "/usr/bin/node"
SOUP = [os.environ.get("PYTHON", "/usr/bin/python3"), os.path.join(PEERS, "soup_peer.py")]

# How our side is told to be; each is tried against every peer, and libdeflate for the blocks that it ends messages with.
WISHES = {
    "by default": [],
    "narrow, without context": ["--send-bits", "9", "--receive-bits", "10", "--send-alone", "--receive-alone"],
    "eager, own context only": ["--receive-alone", "--eager", "--level", "1"],
    "libdeflate": ["--send-alone", "--libdeflate"],
}


def text_of(size):
    text, n, length = "", 0, 0
    while length + 64 < size:
        item = f'{{"n":{n * 7919 % 10007},"t":"é中🧵 la trame"}},'
        text, length, n = text + item, length + len(item.encode()), n + 1
    return text + "x" * (size - length)


def start(path, *options):
    """A program that prints `listening on PORT`: that port."""
    return int(Program(path, *options).line().removeprefix("listening on "))


def check_wire(tap):
    """Both directions were compressed, and no frame was marked that must not be."""
    for direction in (tap.up, tap.down):
        holds(direction.compressed >= 10, f"only {direction.compressed} messages are marked with RSV1")
        holds(direction.bytes < 300_000, f"{direction.bytes} bytes are on the wire")
        equal(direction.wrong, [])
    holds("permessage-deflate" in (tap.down.field("Sec-WebSocket-Extensions") or ""), "it was not agreed")


def against_client(wishes, *command):
    """Another's client at our server."""
    tap = Tap(start(OURS, *wishes, "server"))
    status, out, err = Program(*command, tap.url).end(patience=PATIENCE * 2)
    equal((status, out, err), (0, "closed\n", ""))
    tap.join()
    check_wire(tap)
    return tap


def against_server(wishes, port):
    """Our client at another's server."""
    tap = Tap(port)
    status, out, err = Program(OURS, *wishes, "client", tap.url).end(patience=PATIENCE * 2)
    equal((status, out.split("\n")[1:], err), (0, ["closed", ""], ""))
    tap.join()
    check_wire(tap)
    return out.split("\n")[0].removeprefix("agreed ")


# ---- python3-websockets, whose windows are of 12 bits

async def talk(ws):
    async def echoed(message):
        await ws.send(message)
        holds(await ws.recv() == message, "different")
    for _ in range(2):
        for size in (0, 1, 125, 1000, 1000, 5000, 70000, 300000):
            await echoed(text_of(size))
        await echoed(bytes(300000))
        await ws.send(["la ", "", text_of(1000), "fin"])
        equal(await ws.recv(), "la " + text_of(1000) + "fin")
    await ws.send("/prepared 3")
    for number in range(3):
        equal(await ws.recv(), f"the news of today, for you: {number}{text_of(2000)}")
        equal(await ws.recv(), "the news of today: " + text_of(2000))


def python_client(wishes, **settings):
    tap = Tap(start(OURS, *wishes, "server"))

    async def main():
        extensions = [ClientPerMessageDeflateFactory(**settings)]
        async with websockets.connect(tap.url, max_size=None, compression=None, extensions=extensions) as ws:
            await talk(ws)
    asyncio.run(asyncio.wait_for(main(), PATIENCE * 2))
    tap.join()
    check_wire(tap)


def python_server(wishes, **settings):
    async def echo(ws):
        async for message in ws:
            await ws.send(message)

    async def main():
        extensions = [ServerPerMessageDeflateFactory(**settings)]
        async with websockets.serve(echo, "127.0.0.1", 0, max_size=None, compression=None, extensions=extensions) as server:
            port = server.sockets[0].getsockname()[1]
            return await asyncio.get_running_loop().run_in_executor(None, against_server, wishes, port)
    return asyncio.run(asyncio.wait_for(main(), PATIENCE * 3))


TWELVE = {"server_max_window_bits": 12, "client_max_window_bits": 12}

for how, wishes in WISHES.items():
    @case(f"python-websockets client, 12 bits: {how} [C140]")
    def _(wishes=wishes):
        python_client(wishes, **TWELVE)

    @case(f"python-websockets server, 12 bits: {how} [C136]")
    def _(wishes=wishes):
        python_server(wishes, **TWELVE)


@case("python-websockets server without contexts: that is what we see")
def _():
    equal(python_server([], server_no_context_takeover=True, client_no_context_takeover=True), "15 alone 15 alone")


@case("python-websockets server that sets our window: we obey")
def _():
    equal(python_server([], client_max_window_bits=9), "9 15")


# ---- npm's ws

WS = {
    "by default": {"threshold": 0},
    "without contexts": {"threshold": 0, "serverNoContextTakeover": True, "clientNoContextTakeover": True},
    "narrow": {"threshold": 0, "serverMaxWindowBits": 10, "clientMaxWindowBits": 9},
}
for setting, settings in WS.items():
    @case(f"npm-ws client, {setting}")
    def _(settings=settings):
        against_client([], NODE, os.path.join(PEERS, "ws_peer.cjs"), json.dumps(settings), "client")

    @case(f"npm-ws server, {setting}")
    def _(settings=settings):
        against_server([], start(NODE, os.path.join(PEERS, "ws_peer.cjs"), json.dumps(settings), "server"))

for how, wishes in list(WISHES.items())[1:]:
    @case(f"npm-ws client: {how}")
    def _(wishes=wishes):
        against_client(wishes, NODE, os.path.join(PEERS, "ws_peer.cjs"), json.dumps(WS["by default"]), "client")

    @case(f"npm-ws server: {how}")
    def _(wishes=wishes):
        against_server(wishes, start(NODE, os.path.join(PEERS, "ws_peer.cjs"), json.dumps(WS["by default"]), "server"))


# ---- gorilla, which keeps no context and lets nobody choose a window

for how, wishes in WISHES.items():
    if "--receive-bits" not in wishes:
        @case(f"gorilla client: {how}")
        def _(wishes=wishes):
            against_client(wishes, GORILLA, "client")

        @case(f"gorilla server: {how} [C138]")
        def _(wishes=wishes):
            against_server(wishes, start(GORILLA, "server"))


# ---- libsoup

for how, wishes in WISHES.items():
    @case(f"libsoup client: {how}")
    def _(wishes=wishes):
        against_client(wishes, *SOUP, "client")

    @case(f"libsoup server: {how}")
    def _(wishes=wishes):
        against_server(wishes, start(*SOUP, "server"))


# ---- Chromium, one browser for all

@case("Chromium: every way")
def _():
    taps = [Tap(start(OURS, *wishes, "server")) for wishes in WISHES.values()]
    status, out, err = Program(NODE, os.path.join(PEERS, "chromium_peer.cjs"), *[tap.url for tap in taps]).end(patience=60)
    equal((status, out.split("\n")), (0, ["closed"] * len(taps) + [""]))
    for tap in taps:
        tap.join()
        check_wire(tap)


run("deflate")
