"""aiohttp as a peer."""

import asyncio
import socket

import aiohttp
from aiohttp import WSMsgType, web

from echo import Echo, is_server, listening, say, urls

OPTIONS = {"max_msg_size": 1 << 26, "protocols": ("echo",), "timeout": aiohttp.ClientWSTimeout(ws_close=20)}


async def converse(ws, cut):
    echo, reason = Echo(), ""

    async def obey(order, *rest):
        if order == "pings":
            for number in range(rest[0]):
                await ws.ping(str(number).encode())
        elif order == "close":
            await ws.close(code=rest[0], message=rest[1].encode())
        elif order == "cut":
            cut()

    while True:
        message = await ws.receive()
        if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.PONG):
            break
        order = echo.order(message.data)
        if order is not None:
            await obey(*order)
        elif message.type is WSMsgType.TEXT:
            await ws.send_str(message.data)
        else:
            await ws.send_bytes(message.data)
    if message.type is WSMsgType.CLOSE:
        reason = message.extra
    echo.pongs = None  # kept from us
    echo.report(ws.close_code, reason)


async def handle(request):
    ws = web.WebSocketResponse(max_msg_size=1 << 26, protocols=("echo",), timeout=20)
    await ws.prepare(request)
    await converse(ws, request.transport.abort)
    return ws


async def serve():
    application = web.Application()
    application.router.add_get("/{path:.*}", handle)
    runner = web.AppRunner(application, handler_cancellation=False)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    listening(runner.addresses[0][1])
    await asyncio.get_running_loop().create_future()


async def call():
    async with aiohttp.ClientSession() as session:
        for url in urls():
            try:
                ws = await session.ws_connect(url, compress=15, **OPTIONS)
            except aiohttp.ClientError as error:
                say({"error": str(error)})
            else:
                await converse(ws, lambda ws=ws: ws.get_extra_info("socket").shutdown(socket.SHUT_RDWR))


asyncio.run(serve() if is_server() else call())
