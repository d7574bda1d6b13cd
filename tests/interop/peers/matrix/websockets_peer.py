"""python3-websockets as a peer, of whatever version."""

import asyncio

import websockets

from echo import Echo, is_server, listening, pieces, say, urls

OPTIONS = {"max_size": None, "subprotocols": ["echo"], "ping_interval": None}


async def converse(ws):
    echo = Echo()

    async def obey(order, *rest):
        if order == "pings":
            for waiter in [await ws.ping(str(number)) for number in range(rest[0])]:
                await asyncio.wait_for(waiter, 20)
                echo.pongs += 1
        elif order == "close":
            await ws.close(*rest)
        elif order == "wait":
            await asyncio.sleep(rest[0])
        elif order == "cut":
            ws.transport.abort()

    try:
        async for message in ws:
            order = echo.order(message)
            if order is None:
                await ws.send(pieces(message, echo.fragments) if echo.fragments > 1 else message)
            else:
                await obey(*order)
    except websockets.ConnectionClosedError:
        pass
    await ws.wait_closed()
    echo.report(ws.close_code, ws.close_reason)


async def serve():
    async with websockets.serve(converse, "127.0.0.1", 0, **OPTIONS) as server:
        listening(server.sockets[0].getsockname()[1])
        await asyncio.get_running_loop().create_future()


async def call():
    for url in urls():
        try:
            ws = await websockets.connect(url, **OPTIONS)
        except Exception as error:  # whatever it was: it is told
            say({"error": str(error)})
        else:
            await converse(ws)


if __name__ == "__main__":
    asyncio.run(serve() if is_server() else call())
