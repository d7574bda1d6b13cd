"""Kaazing Gateway by its opening handshake, as its manual and the echo service that ran on it had it; the frames behind it are
python3-websockets'."""

import asyncio
import email.utils

import websockets

from echo import listening
from websockets_peer import OPTIONS, converse

FIELDS = (
    ("Access-Control-Allow-Credentials", "true"),
    ("Access-Control-Allow-Headers", "content-type"),
    ("Access-Control-Allow-Headers", "authorization"),
    ("Access-Control-Allow-Headers", "x-websocket-extensions"),
    ("Access-Control-Allow-Headers", "x-websocket-version"),
    ("Access-Control-Allow-Headers", "x-websocket-protocol"),
    ("Access-Control-Allow-Origin", "http://localhost"),
    ("Connection", "Upgrade"),
    ("Date", email.utils.formatdate(usegmt=True)),
    ("Sec-WebSocket-Accept", None),
    ("Sec-WebSocket-Protocol", "echo"),
    ("Server", "Kaazing Gateway"),
    ("Upgrade", "websocket"),
)


def answer(_connection, _request, response):
    """The same answer, in that gateway's words."""
    accept = response.headers["Sec-WebSocket-Accept"]
    response.reason_phrase = "Web Socket Protocol Handshake"
    response.headers = websockets.Headers([(name, value or accept) for name, value in FIELDS])
    return response


async def serve():
    async with websockets.serve(converse, "127.0.0.1", 0, process_response=answer, compression=None, **OPTIONS) as server:
        listening(server.sockets[0].getsockname()[1])
        await asyncio.get_running_loop().create_future()


asyncio.run(serve())
