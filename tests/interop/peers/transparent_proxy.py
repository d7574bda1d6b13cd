"""A proxy that nobody configured: its port is where the client believes the server to be. What it can read as HTTP it
treats as its kind does; TLS it can only carry."""

import socket
import threading

from cases import PATIENCE

HOP_BY_HOP = (b"connection:", b"upgrade:", b"proxy-connection:", b"keep-alive:", b"te:")


def _without_hop_by_hop(head):
    return b"\r\n".join(line for line in head.split(b"\r\n") if not line.lower().startswith(HOP_BY_HOP))


class TransparentProxy:
    """Carries to `server`, a port. `does`: "strip" takes out what is meant for one hop; "answer" sends a page of its own;
    "cut" ends the connection when it has read the request; "cut idle" ends it after a second without a byte; "pass"."""

    def __init__(self, does, server):
        self.does, self.server = does, server
        self.read = []  # the heads of requests
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        client.settimeout(PATIENCE)
        with client, socket.create_connection(("127.0.0.1", self.server), timeout=PATIENCE) as server:
            first = client.recv(65536)
            if first[:1] == b"\x16":  # a record of TLS
                server.sendall(first)
                return self._carry(client, server, PATIENCE)
            while b"\r\n\r\n" not in first:
                first += client.recv(65536)
            self.read.append(first)
            if self.does == "answer":
                page = b"<h1>Please log in</h1>"
                client.sendall(b"HTTP/1.1 200 OK\r\nVia: 1.1 gate\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(page) + page)
            elif self.does == "strip":
                server.sendall(_without_hop_by_hop(first))
                answer = server.recv(65536)
                client.sendall(_without_hop_by_hop(answer))
                self._carry(client, server, PATIENCE)
            elif self.does != "cut":
                server.sendall(first)
                self._carry(client, server, 1 if self.does == "cut idle" else PATIENCE)

    @staticmethod
    def _carry(client, server, patience):
        """Both ways, until one end is done, or for `patience` nothing has come either way."""
        heard = threading.Event()

        def one_way(source, sink):
            try:
                while piece := source.recv(65536):
                    heard.set()
                    sink.sendall(piece)
            except OSError:  # the other way has ended
                pass
            for each in (source, sink):
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        ways = [threading.Thread(target=one_way, args=pair, daemon=True) for pair in ((client, server), (server, client))]
        for way in ways:
            way.start()
        while all(way.is_alive() for way in ways) and heard.wait(patience):
            heard.clear()
        for each in (client, server):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for way in ways:
            way.join(PATIENCE)
