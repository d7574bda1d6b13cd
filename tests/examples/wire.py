"""Both ends of a WebSocket connection by hand, so that a test can send what no library would, and sees every byte."""

import base64
import hashlib
import os
import socket
import struct
import threading

from cases import PATIENCE

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def accept_value(key):
    return base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()


def frame(opcode, payload=b"", masked=False, fin=True):
    size = len(payload)
    head = bytes([(0x80 if fin else 0) | opcode])
    bit = 0x80 if masked else 0
    if size < 126:
        head += bytes([bit | size])
    elif size < 65536:
        head += bytes([bit | 126]) + struct.pack(">H", size)
    else:
        head += bytes([bit | 127]) + struct.pack(">Q", size)
    if not masked:
        return head + payload
    key = os.urandom(4)
    mask = int.from_bytes((key * (size // 4 + 1))[:size], "big")
    return head + key + (int.from_bytes(payload, "big") ^ mask).to_bytes(size, "big")


def close_payload(code, reason=""):
    return struct.pack(">H", code) + reason.encode()


class Peer:
    """One end of a connection. `masks`: this is the client's end."""

    def __init__(self, connected, masks):
        self.socket = connected
        self.socket.settimeout(PATIENCE)
        self.masks = masks
        self.seen = b""

    def take(self, count):
        while len(self.seen) < count:
            piece = self.socket.recv(65536)
            if not piece:
                raise EOFError(f"the stream ended after {len(self.seen)} of {count} bytes")
            self.seen += piece
        taken, self.seen = self.seen[:count], self.seen[count:]
        return taken

    def head(self):
        """The lines of an HTTP head."""
        while b"\r\n\r\n" not in self.seen:
            piece = self.socket.recv(65536)
            if not piece:
                raise EOFError(f"the stream ended in a head: {self.seen!r}")
            self.seen += piece
        head, self.seen = self.seen.split(b"\r\n\r\n", 1)
        return head.decode("latin-1").split("\r\n")

    def frame(self):
        """The next frame: (opcode, payload). Checks its mask bit."""
        first, second = self.take(2)
        masked, size = bool(second & 0x80), second & 0x7F
        if masked == self.masks:
            raise AssertionError("the mask bit is wrong for this direction")
        if size == 126:
            size, = struct.unpack(">H", self.take(2))
        elif size == 127:
            size, = struct.unpack(">Q", self.take(8))
        key = self.take(4) if masked else b"\0\0\0\0"
        payload = self.take(size)
        mask = int.from_bytes((key * (size // 4 + 1))[:size], "big")
        return first & 0x0F, (int.from_bytes(payload, "big") ^ mask).to_bytes(size, "big")

    def send(self, opcode, payload=b"", fin=True):
        self.socket.sendall(frame(opcode, payload if isinstance(payload, bytes) else payload.encode(), self.masks, fin))

    def at_end(self):
        """Whether the stream has ended with nothing unread."""
        return self.seen == b"" and self.socket.recv(1) == b""

    def close(self):
        self.socket.close()


def fields(lines):
    return {name.strip().lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:])}


def request_head(port, *extra, target="/", host="127.0.0.1"):
    """An upgrade request with these further fields."""
    lines = [f"GET {target} HTTP/1.1", f"Host: {'[' + host + ']' if ':' in host else host}:{port}", "Upgrade: websocket", "Connection: Upgrade",
             f"Sec-WebSocket-Key: {KEY}", "Sec-WebSocket-Version: 13", *extra]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def ask(peer, head):
    """The raw answer to this head: (status, fields)."""
    peer.socket.sendall(head)
    answer = peer.head()
    return int(answer[0].split()[1]), fields(answer)


def opened(peer, head):
    status, answered = ask(peer, head)
    if status != 101 or answered["sec-websocket-accept"] != accept_value(KEY):
        raise AssertionError(f"not upgraded: {status} {answered}")
    return peer


def request(port, *extra, target="/", host="127.0.0.1"):
    """The raw answer to an upgrade request with these further fields: (status, fields, the peer)."""
    peer = Peer(socket.create_connection((host, port), timeout=PATIENCE), masks=True)
    return *ask(peer, request_head(port, *extra, target=target, host=host)), peer


def open_client(port, *extra, target="/", host="127.0.0.1"):
    peer = Peer(socket.create_connection((host, port), timeout=PATIENCE), masks=True)
    return opened(peer, request_head(port, *extra, target=target, host=host))


class Server:
    """Takes one connection at a time and hands it to `script(peer)` in a thread; what that raises, join() raises."""

    def __init__(self, script):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(PATIENCE)
        self.port = self.listener.getsockname()[1]
        self.error = None
        self.thread = threading.Thread(target=self._run, args=(script,), daemon=True)
        self.thread.start()

    def _run(self, script):
        try:
            connected, _ = self.listener.accept()
            with connected:
                script(Peer(connected, masks=False))
                self._end(connected)
        except Exception as error:  # shown by join
            self.error = error
        finally:
            self.listener.close()

    @staticmethod
    def _end(connected):
        """Ends the stream, not with a reset: that is what close() sends while something is unread."""
        try:
            connected.shutdown(socket.SHUT_WR)
            connected.settimeout(PATIENCE)
            while connected.recv(65536):
                pass
        except OSError:  # closed by the script, or by the peer
            pass

    def join(self):
        self.thread.join(PATIENCE)
        if self.thread.is_alive():
            raise AssertionError("the server's script did not end")
        if self.error is not None:
            raise self.error

    @property
    def url(self):
        return f"ws://127.0.0.1:{self.port}/"


def upgrade(peer, *extra):
    """The server's side of the opening handshake; returns the request's lines."""
    lines = peer.head()
    answer = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
              f"Sec-WebSocket-Accept: {accept_value(fields(lines)['sec-websocket-key'])}", *extra]
    peer.socket.sendall(("\r\n".join(answer) + "\r\n\r\n").encode())
    return lines
