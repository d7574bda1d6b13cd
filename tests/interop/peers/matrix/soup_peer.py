"""libsoup 3 as a peer."""

import gi

from echo import Echo, is_server, listening, say, urls

gi.require_version("Soup", "3.0")
from gi.repository import Gio, GLib, Soup  # noqa: E402

TEXT = Soup.WebsocketDataType.TEXT
loop = GLib.MainLoop()
kept = []


def converse(ws, ended=lambda: None):
    echo = Echo()
    kept.append(ws)
    ws.set_max_incoming_payload_size(1 << 26)

    def on_message(ws, kind, data):
        payload = data.get_data() or b""
        order = echo.order(payload.decode() if kind == TEXT else payload)
        if order is None:
            ws.send_message(kind, data)
        elif order[0] == "close":
            ws.close(order[1] or Soup.WebsocketCloseCode.NO_STATUS, order[2] or None)
        elif order[0] == "cut":
            ws.get_io_stream().close()

    def on_closed(ws):
        echo.report(ws.get_close_code() or 1006, ws.get_close_data() or "")
        kept.remove(ws)
        ended()

    ws.connect("message", on_message)
    ws.connect("pong", lambda *_: None)
    ws.connect("closed", on_closed)


def serve():
    server = Soup.Server()
    server.add_websocket_handler("/", None, ["echo"], lambda _server, _message, _path, ws: converse(ws))
    server.listen(Gio.InetSocketAddress.new_from_string("127.0.0.1", 0), 0)
    listening(server.get_uris()[0].get_port())
    loop.run()


def call():
    session, left = Soup.Session(), iter(urls())
    session.add_feature_by_type(Soup.WebsocketExtensionManager)

    def go_on():
        url = next(left, None)
        if url is None:
            return loop.quit()
        session.websocket_connect_async(Soup.Message.new("GET", url), None, ["echo"], 0, None, on_open)

    def on_open(session, result):
        try:
            converse(session.websocket_connect_finish(result), go_on)
        except GLib.Error as error:
            say({"error": error.message})
            go_on()

    go_on()
    loop.run()


serve() if is_server() else call()
