#!/usr/bin/env python3
"""wsproto in the differential tests: a line of standard input is an input, a line of standard output is what became of it.

Input: s, c or h (see partner.hpp), then the pieces in hex, parted by spaces.
Output: the ending, the code of the Close that was written, then in hex, parted by commas: what was complained of, the
Sec-WebSocket-Accept, the messages, and the Pongs, each with a letter in front."""
import sys

import wsproto
from wsproto import ConnectionType, WSConnection
from wsproto.connection import Connection, ConnectionState
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Ping, Request, TextMessage
from wsproto.utilities import RemoteProtocolError


class Conversation:
    def __init__(self, to):
        self.ending, self.close, self.why, self.accept = "waits", 0, "", b""
        self.messages, self.pongs, self.message = [], [], b""
        self.opened = to != "h"
        self.ws = {
            "s": lambda: Connection(ConnectionType.SERVER),
            "c": lambda: Connection(ConnectionType.CLIENT),
            "h": lambda: WSConnection(ConnectionType.SERVER),
        }[to]()

    def receive(self, piece):
        """False once nothing more is to be read."""
        try:
            self.ws.receive_data(piece)
            was_open = None
            while was_open != self.opened:  # what came behind a request is there once that was accepted
                was_open = self.opened
                for event in self.ws.events():
                    self.hear(event)
                    if self.ending != "waits":
                        return False
        except RemoteProtocolError as error:
            self.ending, self.why = ("failed" if self.opened else "refused"), str(error)
        except Exception as error:  # it is meant to raise nothing else on what a peer sends
            self.ending, self.why = ("failed" if self.opened else "refused"), f"raised {type(error).__name__}"
        return self.ending == "waits"

    def hear(self, event):
        if isinstance(event, Request):
            head = self.ws.send(AcceptConnection())
            self.opened = True
            for line in head.split(b"\r\n"):
                name, _, value = line.partition(b":")
                if name.lower() == b"sec-websocket-accept":
                    self.accept = value.strip()
        elif isinstance(event, (TextMessage, BytesMessage)):
            text = isinstance(event, TextMessage)
            if not self.message:
                self.message = b"t" if text else b"b"
            self.message += event.data.encode("utf-8", "surrogatepass") if text else bytes(event.data)
            if event.message_finished:
                self.messages.append(self.message)
                self.message = b""
        elif isinstance(event, Ping):
            self.ws.send(event.response())
            self.pongs.append(b"p" + bytes(event.payload))
        elif isinstance(event, CloseConnection):
            # Received, or its own complaint: the state alone tells.
            received = self.ws.state is ConnectionState.REMOTE_CLOSING
            self.ending = "closed" if received else "failed"
            if not received:
                self.why = (event.reason or "").partition(" byte")[0]  # the same words for each byte
            wire = self.ws.send(event.response())
            self.close = self.code_of(wire)

    def code_of(self, wire):
        masked = wire[1] >= 0x80
        size = wire[1] & 0x7F
        payload = wire[6 if masked else 2:]
        if masked:
            payload = bytes(byte ^ wire[2 + i % 4] for i, byte in enumerate(payload))
        if wire[0] != 0x88 or size != len(payload) or size == 1:
            raise RuntimeError("no Close was written")
        return int.from_bytes(payload[:2], "big") if size else 1005


def answer(line):
    to, *pieces = line.split()
    talk = Conversation(to)
    for piece in pieces:
        if not talk.receive(bytes.fromhex(piece)):
            break
    lists = (",".join(each.hex() for each in of) for of in (talk.messages, talk.pongs))
    fields = [talk.ending, str(talk.close), talk.why.encode().hex(), talk.accept.hex(), *lists]
    return " ".join(field or "-" for field in fields)


def main():
    print(wsproto.__version__, flush=True)
    for line in sys.stdin:
        print(answer(line), flush=True)


main()
