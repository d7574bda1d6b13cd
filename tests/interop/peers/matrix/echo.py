"""What each peer in Python does with a connection (README.md)."""

import hashlib
import json
import sys


def pieces(data, count):
    """`data`, text or bytes, in `count` parts."""
    return [data[len(data) * i // count:len(data) * (i + 1) // count] for i in range(count)]


class Echo:
    def __init__(self):
        self.fragments, self.pongs, self.hash = 1, 0, hashlib.sha256()

    def order(self, message):
        """None if `message` is to be echoed, and then it counts; else what is to be done: "pings", number; "close", code
        or None, reason; "wait", seconds; "cut"; or nothing more."""
        if not isinstance(message, str) or not message.startswith("/"):
            self.hash.update(message.encode() if isinstance(message, str) else message)
            return None
        command, *rest = message[1:].split(" ", 2)
        if command == "fragments":
            self.fragments = int(rest[0])
            return ("nothing",)
        if command in ("pings", "wait"):
            return command, int(rest[0])
        if command == "close":
            return "close", int(rest[0]) if rest else None, rest[1] if rest else ""
        return (command,)

    def report(self, code, reason):
        say({"code": code, "reason": reason, "pongs": self.pongs, "sha256": self.hash.hexdigest()})


def say(what):
    print(json.dumps(what), flush=True)


def listening(port):
    print("listening on", port, flush=True)


def is_server():
    return sys.argv[1] == "server"


def urls():
    return sys.argv[2:]
