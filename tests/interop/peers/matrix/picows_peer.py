"""picows as a peer."""

import asyncio

from picows import (WSCloseCode, WSListener, WSMsgType, WSUpgradeResponse, WSUpgradeResponseWithListener, ws_connect,
                    ws_create_server)

from echo import Echo, is_server, listening, pieces, say, urls


class Listener(WSListener):
    def __init__(self):
        self.echo, self.parts, self.kind = Echo(), bytearray(), None
        self.code, self.reason = 1006, ""

    def on_ws_frame(self, transport, frame):
        if frame.msg_type == WSMsgType.PONG:
            self.echo.pongs += 1
        elif frame.msg_type == WSMsgType.CLOSE:
            self.code, self.reason = int(frame.get_close_code()) or 1005, (frame.get_close_message() or b"").decode()
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()
        elif frame.msg_type != WSMsgType.PING:
            self.take(transport, frame)

    def take(self, transport, frame):
        """Frames are handed over as they come: messages are put together here."""
        self.kind = self.kind if frame.msg_type == WSMsgType.CONTINUATION else frame.msg_type
        self.parts += frame.get_payload_as_bytes()
        if not frame.fin:
            return
        payload, self.parts = bytes(self.parts), bytearray()
        message = payload.decode() if self.kind == WSMsgType.TEXT else payload
        order = self.echo.order(message)
        if order is not None:
            return self.obey(transport, *order)
        parts = pieces(payload, self.echo.fragments)
        for i, part in enumerate(parts):
            transport.send(WSMsgType.CONTINUATION if i else self.kind, part, fin=i + 1 == len(parts))

    def obey(self, transport, order, *rest):
        if order == "pings":
            for number in range(rest[0]):
                transport.send_ping(str(number).encode())
        elif order == "close":
            transport.send_close(WSCloseCode(rest[0]) if rest[0] else WSCloseCode.NO_INFO, rest[1].encode() or None)
        elif order == "cut":
            transport.disconnect()

    def on_ws_disconnected(self, transport):
        self.echo.report(self.code, self.reason)


ECHO = {"Sec-WebSocket-Protocol": "echo"}


async def serve():
    def accept(_):
        return WSUpgradeResponseWithListener(WSUpgradeResponse.create_101_response(extra_headers=ECHO), Listener())
    server = await ws_create_server(accept, "127.0.0.1", 0, max_frame_size=1 << 26)
    listening(server.sockets[0].getsockname()[1])
    await server.serve_forever()


async def call():
    for url in urls():
        try:
            transport, _ = await ws_connect(Listener, url, max_frame_size=1 << 26, extra_headers=ECHO)
        except Exception as error:  # whatever it was: it is told
            say({"error": str(error)})
        else:
            await transport.wait_disconnected()


asyncio.run(serve() if is_server() else call())
