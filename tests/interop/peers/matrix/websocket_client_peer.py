"""websocket-client as a peer."""

import struct

import websocket

from echo import Echo, pieces, say, urls
from websocket import ABNF


def converse(ws):
    echo, code, reason = Echo(), 1006, ""

    def obey(order, *rest):
        if order == "pings":
            for number in range(rest[0]):
                ws.ping(str(number))
        elif order == "close":
            ws.send(struct.pack("!H", rest[0]) + rest[1].encode() if rest[0] else b"", ABNF.OPCODE_CLOSE)
        elif order == "cut":
            ws.shutdown()

    def send(data, opcode):
        parts = pieces(data, echo.fragments)
        for i, part in enumerate(parts):
            kind = ABNF.OPCODE_CONT if i else opcode
            ws.send_frame(ABNF.create_frame(part, kind, int(i + 1 == len(parts))))

    try:
        while ws.connected:
            opcode, data = ws.recv_data(control_frame=True)
            if opcode == ABNF.OPCODE_CLOSE:
                code = struct.unpack("!H", data[:2])[0] if data else 1005
                reason = data[2:].decode()
                break
            if opcode == ABNF.OPCODE_PONG:
                echo.pongs += 1
            if opcode not in (ABNF.OPCODE_TEXT, ABNF.OPCODE_BINARY):
                continue
            message = data.decode() if opcode == ABNF.OPCODE_TEXT else data
            order = echo.order(message)
            if order is None:
                send(data, opcode)
            else:
                obey(*order)
    except (websocket.WebSocketException, OSError):
        pass
    ws.shutdown()
    echo.report(code, reason)


for url in urls():
    try:
        converse(websocket.create_connection(url, subprotocols=["echo"], timeout=20))
    except websocket.WebSocketException as error:
        say({"error": str(error)})
