"""A relay between the two ends of WebSocket connections, which reads along: what stands on the wire, whoever wrote it."""

import socket
import struct
import threading

from cases import PATIENCE


class Direction:
    """The frames of one direction, behind the HTTP head."""

    def __init__(self):
        self.head = b""
        self.seen = b""
        self.compressed = 0  # messages whose first frame has RSV1
        self.plain = 0       # and those without
        self.bytes = 0       # of payload, of data frames
        self.wrong = []      # RSV1 where RFC 7692, 6 has none

    def feed(self, piece):
        self.seen += piece
        if not self.head:
            if b"\r\n\r\n" not in self.seen:
                return
            self.head, self.seen = self.seen.split(b"\r\n\r\n", 1)
        at = 0
        while (end := self._frame(at)) is not None:
            at = end
        self.seen = self.seen[at:]

    def _frame(self, at):
        if len(self.seen) < at + 2:
            return None
        first, second = self.seen[at], self.seen[at + 1]
        size, begin = second & 0x7F, at + 2
        if size == 126:
            if len(self.seen) < begin + 2:
                return None
            size, begin = struct.unpack_from(">H", self.seen, begin)[0], begin + 2
        elif size == 127:
            if len(self.seen) < begin + 8:
                return None
            size, begin = struct.unpack_from(">Q", self.seen, begin)[0], begin + 8
        end = begin + (4 if second & 0x80 else 0) + size
        if len(self.seen) < end:
            return None
        opcode, marked = first & 0x0F, bool(first & 0x40)
        if opcode in (1, 2):
            self.compressed += marked
            self.plain += not marked
        elif marked:
            self.wrong.append(opcode)
        if opcode < 8:
            self.bytes += size
        return end

    def field(self, name):
        for line in self.head.decode("latin-1").split("\r\n")[1:]:
            if line.lower().startswith(name.lower() + ":"):
                return line.split(":", 1)[1].strip()
        return None


class Tap:
    """Listens on `port` and relays one connection to `target`; `up` is what the client said, `down` the server."""

    def __init__(self, target):
        self.up, self.down = Direction(), Direction()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(PATIENCE * 2)
        self.port = self.listener.getsockname()[1]
        self.url = f"ws://127.0.0.1:{self.port}/"
        self.thread = threading.Thread(target=self._run, args=(target,), daemon=True)
        self.thread.start()

    def _run(self, target):
        try:
            client, _ = self.listener.accept()
        except OSError:
            return
        finally:
            self.listener.close()
        with client, socket.create_connection(("127.0.0.1", target), timeout=PATIENCE * 2) as server:
            client.settimeout(PATIENCE * 2)
            other = threading.Thread(target=self._relay, args=(server, client, self.down), daemon=True)
            other.start()
            self._relay(client, server, self.up)
            other.join(PATIENCE)

    @staticmethod
    def _relay(source, sink, direction):
        try:
            while piece := source.recv(65536):
                direction.feed(piece)
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)
        except OSError:  # one end has gone; the other will see
            pass

    def join(self):
        self.thread.join(PATIENCE)
