"""autobahn over asyncio as a peer."""

import asyncio
from urllib.parse import urlsplit

from autobahn.asyncio.websocket import (WebSocketClientFactory, WebSocketClientProtocol, WebSocketServerFactory,
                                        WebSocketServerProtocol)
from autobahn.websocket.compress import (PerMessageDeflateOffer, PerMessageDeflateOfferAccept, PerMessageDeflateResponse,
                                         PerMessageDeflateResponseAccept)

from echo import Echo, is_server, listening, pieces, urls


class Conversation:
    """What both roles of autobahn's protocol have in common."""
    def onOpen(self):
        self.echo = Echo()

    def onMessage(self, payload, isBinary):
        message = payload if isBinary else payload.decode()
        order = self.echo.order(message)
        if order is not None:
            self.obey(*order)
        elif self.echo.fragments == 1:
            self.sendMessage(payload, isBinary)
        else:
            self.beginMessage(isBinary)
            for part in pieces(payload, self.echo.fragments):
                self.sendMessageFrame(part)
            self.endMessage()

    def obey(self, order, *rest):
        if order == "pings":
            for number in range(rest[0]):
                self.sendPing(str(number).encode())
        elif order == "close":
            self.sendClose(rest[0], rest[1] or None)
        elif order == "cut":
            self.transport.abort()

    def onPong(self, payload):
        self.echo.pongs += 1

    def onClose(self, wasClean, code, reason):
        if hasattr(self, "echo"):
            code = (self.remoteCloseCode or 1005) if wasClean else 1006
            self.echo.report(code, self.remoteCloseReason or "")
        self.factory.ended(self)


class Server(Conversation, WebSocketServerProtocol):
    def onConnect(self, request):
        return "echo" if "echo" in request.protocols else None


class Client(Conversation, WebSocketClientProtocol):
    pass


OPTIONS = {"maxMessagePayloadSize": 1 << 26, "maxFramePayloadSize": 1 << 26, "autoPingInterval": 0}


async def serve():
    factory = WebSocketServerFactory(protocols=["echo"])
    factory.protocol, factory.ended = Server, lambda _: None
    factory.setProtocolOptions(**OPTIONS, perMessageCompressionAccept=lambda offers: next(
        (PerMessageDeflateOfferAccept(offer) for offer in offers if isinstance(offer, PerMessageDeflateOffer)), None))
    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)
    listening(server.sockets[0].getsockname()[1])
    await asyncio.get_running_loop().create_future()


async def call():
    loop = asyncio.get_running_loop()
    for url in urls():
        ended = loop.create_future()
        factory = WebSocketClientFactory(url, protocols=["echo"])
        factory.protocol, factory.ended = Client, lambda _, ended=ended: ended.done() or ended.set_result(None)
        factory.setProtocolOptions(
            **OPTIONS, perMessageCompressionOffers=[PerMessageDeflateOffer()], perMessageCompressionAccept=lambda response:
            PerMessageDeflateResponseAccept(response) if isinstance(response, PerMessageDeflateResponse) else None)
        await loop.create_connection(factory, "127.0.0.1", urlsplit(url).port)
        await asyncio.wait_for(ended, 60)


asyncio.run(serve() if is_server() else call())
