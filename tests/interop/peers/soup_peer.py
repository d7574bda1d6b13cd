"""libsoup as a peer: soup_peer.py server, or soup_peer.py client URL."""

import sys

import gi

gi.require_version("Soup", "3.0")
from gi.repository import GLib, Gio, Soup  # noqa: E402

TEXT, BINARY = Soup.WebsocketDataType.TEXT, Soup.WebsocketDataType.BINARY
loop = GLib.MainLoop()


def text_of(size):
    text, n = "", 0
    length = 0
    while length + 64 < size:
        item = f'{{"n":{n * 7919 % 10007},"t":"é中🧵 la trame"}},'
        text, length, n = text + item, length + len(item.encode()), n + 1
    return (text + "x" * (size - length)).encode()


def conversation():
    """What is sent and what has to come back, one after the other."""
    for _ in range(2):
        for size in (0, 1, 125, 1000, 1000, 5000, 70000, 100000):
            yield TEXT, text_of(size), [text_of(size)]
        yield BINARY, bytes(100000), [bytes(100000)]
    answers = []
    for number in range(3):
        answers += [b"the news of today, for you: " + str(number).encode() + text_of(2000),
                    b"the news of today: " + text_of(2000)]
    yield TEXT, b"/prepared 3", answers


def fail(why):
    print(why, file=sys.stderr, flush=True)
    sys.exit(1)


def client(url):
    script, expected, kept = conversation(), [], []

    def go_on(ws):
        try:
            kind, data, answers = next(script)
        except StopIteration:
            ws.close(1000, None)
            return
        expected.extend((kind, answer) for answer in answers)
        ws.send_message(kind, GLib.Bytes.new(data))

    def on_message(ws, kind, data):
        if (kind, data.get_data() or b"") != expected.pop(0):
            fail("different bytes came back")
        if not expected:
            go_on(ws)

    def on_closed(ws):
        if ws.get_close_code() != 1000 or expected:
            fail(f"closed with {ws.get_close_code()}")
        print("closed", flush=True)
        loop.quit()

    def on_open(session, result):
        ws = session.websocket_connect_finish(result)
        kept.append(ws)
        ws.set_max_incoming_payload_size(1 << 26)
        ws.connect("message", on_message)
        ws.connect("closed", on_closed)
        go_on(ws)

    session = Soup.Session()
    session.add_feature_by_type(Soup.WebsocketExtensionManager)
    session.websocket_connect_async(Soup.Message.new("GET", url), None, None, 0, None, on_open)
    loop.run()


def server():
    kept = []

    def on_open(_server, _message, _path, ws):
        kept.append(ws)
        ws.set_max_incoming_payload_size(1 << 26)
        ws.connect("message", lambda ws, kind, data: ws.send_message(kind, data))

    listening = Soup.Server()
    listening.add_websocket_handler("/", None, None, on_open)
    listening.listen(Gio.InetSocketAddress.new_from_string("127.0.0.1", 0), 0)
    print("listening on", listening.get_uris()[0].get_port(), flush=True)
    loop.run()


if sys.argv[1] == "server":
    server()
else:
    client(sys.argv[2])
