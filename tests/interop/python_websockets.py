"""python3-websockets against navette, in both directions: what one sends the other has received, to the byte."""

import asyncio
import os
import signal

import websockets

from cases import PATIENCE, Program, call, case, equal, holds, run
from certificate import FILES, trusting

SIZES = (0, 1, 125, 126, 65535, 65536, 1 << 20)
CLIENT = os.path.join(os.environ.get("NAVETTE_BUILD", "build/release"), "tests", "interop_client")


def text_of(size):
    """Text of exactly `size` bytes in UTF-8, of characters of every length."""
    text = "é中🧵a" * (size // 10)
    return text + "x" * (size - len(text.encode()))


def echo_server(*options):
    server = Program("echo_server", "--port", "0", *options)
    return server, server.line().removeprefix("listening on ")


def with_client(use, *options, **arguments):
    """`use(ws, server)` with a websockets client at an echo_server."""
    server, url = echo_server(*options)

    async def main():
        async with websockets.connect(url, max_size=None, **arguments) as ws:
            await use(ws, server)
    asyncio.run(asyncio.wait_for(main(), PATIENCE * 2))
    return server


def with_server(use, *options, program=CLIENT, drive=lambda client: client.end("", patience=PATIENCE * 2), **arguments):
    """`use(ws)` in a websockets server for one connection of a program of navette's, and what `drive(program)` returns."""
    result = {}

    async def main():
        done = asyncio.get_running_loop().create_future()

        async def handle(ws):
            try:
                await use(ws)
                await ws.wait_closed()
                done.set_result(None)
            except BaseException as error:  # handed to the case
                if not done.done():
                    done.set_exception(error)
                raise

        async with websockets.serve(handle, "127.0.0.1", 0, max_size=None, **arguments) as server:
            port = server.sockets[0].getsockname()[1]
            client = Program(program, *options, f"ws://127.0.0.1:{port}/")
            loop = asyncio.get_running_loop()
            ended = loop.run_in_executor(None, drive, client)
            await asyncio.wait_for(done, PATIENCE * 2)
            result["end"] = await ended
    asyncio.run(main())
    return result["end"]


async def echoed(ws, message):
    await ws.send(message)
    back = await ws.recv()
    holds(type(back) is type(message), f"{type(message)} came back as {type(back)}")
    holds(back == message, f"{len(message)} came back as {len(back)}, or different")


# ---- their client, our server

@case("client: text of every size comes back")
def _():
    async def use(ws, _):
        for size in SIZES:
            await echoed(ws, text_of(size))
    with_client(use)


@case("client: binary of every size comes back")
def _():
    async def use(ws, _):
        for size in SIZES:
            await echoed(ws, os.urandom(size))
    with_client(use)


@case("client: over TLS, text and binary of every size come back, and it closes")
def _():
    async def use(ws, _):
        for size in SIZES:
            await echoed(ws, text_of(size))
            await echoed(ws, os.urandom(size))
        await ws.close(3001, "enough")
        equal(ws.close_code, 3001)
    with_client(use, *FILES, ssl=trusting())


@case("client: over TLS, the server closes with 1001")
def _():
    async def use(ws, server):
        await echoed(ws, "there?")
        server.signal(signal.SIGTERM)
        await ws.wait_closed()
        equal(ws.close_code, 1001)
    equal(with_client(use, *FILES, ssl=trusting()).end(), (0, "", ""))


@case("client: 16 MiB come back, and one byte more is 1009")
def _():
    async def use(ws, _):
        await echoed(ws, os.urandom(16 << 20))
        try:
            await ws.send(os.urandom((16 << 20) + 1))
            await ws.recv()
        except websockets.ConnectionClosed as closed:
            equal(closed.rcvd.code if closed.rcvd else None, 1009)
            return
        raise AssertionError("it was taken")
    with_client(use)


@case("client: a fragmented message comes back whole")
def _():
    async def use(ws, _):
        for parts in (["Cou", "", "cou"], ["é"] * 100, [b"\0" * 70000, b"", b"\1"]):
            await ws.send(parts)
            back = await ws.recv()
            holds(back == type(parts[0])().join(parts), "different")
    with_client(use)


@case("client: a thousand messages under way come back in order")
def _():
    async def use(ws, _):
        sent = [f"{number} {'x' * (number % 300)}" for number in range(1000)]

        async def write():
            for message in sent:
                await ws.send(message)
        writer = asyncio.ensure_future(write())
        for message in sent:
            equal(await ws.recv(), message)
        await writer
    with_client(use)


@case("client: pings are answered")
def _():
    async def use(ws, _):
        for payload in (b"", b"x" * 125):
            await asyncio.wait_for(await ws.ping(payload), PATIENCE)
    with_client(use)


@case("client: it closes with a code and a reason")
def _():
    async def use(ws, _):
        await ws.close(3001, "enough")
        equal(ws.close_code, 3001)
    with_client(use)


@case("client: the server closes with 1001")
def _():
    async def use(ws, server):
        await echoed(ws, "there?")
        server.signal(signal.SIGTERM)
        await ws.wait_closed()
        equal(ws.close_code, 1001)
    equal(with_client(use).end(), (0, "", ""))


@case("client: it aborts, and the server goes on")
def _():
    server, url = echo_server()

    async def main():
        ws = await websockets.connect(url)
        await ws.send("x" * 100000)
        ws.transport.abort()
        async with websockets.connect(url) as again:
            await echoed(again, "still there")
    asyncio.run(asyncio.wait_for(main(), PATIENCE))
    holds(server.process.poll() is None, "the server has ended")


@case("client: the subprotocol is agreed in its order")
def _():
    async def use(ws, _):
        equal(ws.subprotocol, "b")
    with_client(use, "--subprotocols", "a,b", subprotocols=["c", "b", "a"])


@case("client: its offer of compression is declined by --no-deflate")
def _():
    async def use(ws, _):
        equal(ws.extensions, [])
        await echoed(ws, "plain")
    with_client(use, "--no-deflate", compression="deflate")


@case("client: an origin that is not listed gets 403")
def _():
    _, url = echo_server("--origin", "http://a.example")

    async def main():
        try:
            await websockets.connect(url, origin="http://b.example")
        except websockets.InvalidStatusCode as refusal:
            equal(refusal.status_code, 403)
            return
        raise AssertionError("it was let in")
    asyncio.run(asyncio.wait_for(main(), PATIENCE))


# ---- their server, our client

@case("server: text of every size comes back")
def _():
    async def use(ws):
        for size in SIZES:
            await echoed(ws, text_of(size))
        await ws.close()
    equal(with_server(use), (0, "open \nclosed 1000 \n", ""))


@case("server: binary of every size, and 16 MiB, come back")
def _():
    async def use(ws):
        for size in (*SIZES, 16 << 20):
            await echoed(ws, os.urandom(size))
        await ws.close()
    equal(with_server(use)[0], 0)


@case("server: one byte more than 16 MiB is refused with 1009")
def _():
    async def use(ws):
        try:
            await ws.send(os.urandom((16 << 20) + 1))
            await ws.recv()
        except websockets.ConnectionClosed as closed:
            equal(closed.rcvd.code if closed.rcvd else None, 1009)
            return
        raise AssertionError("it was taken")
    holds("message_too_big" in with_server(use)[1], "not named")


@case("server: fragmented messages, received and sent")
def _():
    async def use(ws):
        await ws.send(["Cou", "", "cou"])
        equal(await ws.recv(), "Coucou")
        await ws.send("/fragments 7")
        await echoed(ws, text_of(1000))
        await echoed(ws, os.urandom(100000))
        await ws.close()
    equal(with_server(use)[0], 0)


@case("server: pings both ways")
def _():
    async def use(ws):
        await asyncio.wait_for(await ws.ping(b"there?"), PATIENCE)
        await ws.send("/ping hello")
        await echoed(ws, "after the ping")
        await ws.close()
    equal(with_server(use), (0, "open \nclosed 1000 \n", ""))


@case("server: the server closes with a code and a reason")
def _():
    for code, reason in ((1000, ""), (1001, "away"), (3000, "é" * 61), (4999, "x")):
        async def use(ws, code=code, reason=reason):
            await ws.close(code, reason)
            equal(ws.close_code, code)
        equal(with_server(use), (0, f"open \nclosed {code} {reason}\n", ""))


@case("server: the client closes with a code and a reason")
def _():
    for code, reason in ((1000, ""), (3000, "enough"), (4999, "é" * 61)):
        async def use(ws, code=code, reason=reason):
            await ws.send(f"/close {code} {reason}")
            await ws.wait_closed()
            equal((ws.close_code, ws.close_reason), (code, reason))
        equal(with_server(use)[0], 0)


@case("server: the server aborts")
def _():
    async def use(ws):
        await echoed(ws, "there?")
        ws.transport.abort()
    holds(with_server(use)[1].startswith("open \nfailed "), "not noticed")


@case("server: the client aborts")
def _():
    async def use(ws):
        await ws.send("/abort")
        await ws.wait_closed()
        equal(ws.close_code, 1006)
    equal(with_server(use)[0], 0)


@case("server: the subprotocol is agreed")
def _():
    async def use(ws):
        equal(ws.subprotocol, "b")
        await ws.close()
    equal(with_server(use, "c", "b", subprotocols=["a", "b"]), (0, "open b\nclosed 1000 \n", ""))


@case("server: wscat's lines are received, and what comes is printed")
def _():
    lines = ["Coucou serveur", "", "é中🧵", "x" * 70000]

    async def use(ws):
        for line in lines:
            equal(await ws.recv(), line)
            await ws.send(line)
        await ws.wait_closed()
        equal(ws.close_code, 1000)

    def drive(client):
        for line in lines:
            client.write(line + "\n")
            equal(client.line(), line)
        return client.end()
    equal(with_server(use, program="wscat", drive=drive), (0, "", ""))


@case("server: wscat names the code and the reason it is closed with")
def _():
    async def use(ws):
        await ws.close(1011, "no room")
    status, _, err = with_server(use, program="wscat")
    holds(status == 1 and "1011" in err and "no room" in err, err)


run("python-websockets")
