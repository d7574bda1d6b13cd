"""Other people's proxies and servers for the length of a test: with configurations of their own in a temporary folder, on
free ports of the loopback interface, not as root, ended by their process ids. And python3-websockets, behind all of them."""

import asyncio
import atexit
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

import websockets

from cases import PATIENCE, Program, call, equal, holds

FOLDER = tempfile.mkdtemp()
NOT_ROOT = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
if NOT_ROOT:
    shutil.chown(FOLDER, "nobody", "nogroup")

_running = []


def path(name):
    return os.path.join(FOLDER, name)


def write(name, text):
    with open(path(name), "w", encoding="utf-8") as file:
        file.write(text)
    return path(name)


def free_ports(count):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


def daemon(*command, ports, environment={}):
    """Starts a program, which stays in the foreground, and waits until it accepts connections on these ports."""
    log = path(os.path.basename(command[0]) + f".{len(_running)}.log")
    with open(log, "wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=FOLDER,
                                   env={**os.environ, "PATH": "/usr/sbin:/sbin:" + os.environ["PATH"], **environment}, **NOT_ROOT)
    _running.append(process)
    until = time.monotonic() + PATIENCE
    for port in ports:
        while process.poll() is None and time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
                break
            except OSError:
                time.sleep(0.02)
        else:
            with open(log, encoding="utf-8", errors="replace") as said:
                raise AssertionError(f"{command[0]} does not listen on {port}: {said.read()[-2000:]}")


def _end():
    for process in _running:
        process.terminate()
    for process in _running:
        try:
            process.wait(2)
        except subprocess.TimeoutExpired:
            process.kill()
    shutil.rmtree(FOLDER, ignore_errors=True)


atexit.register(_end)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


def make_certificates():
    """ca.pem; server.pem and server.key, issued by it for localhost and server.test; both.pem, which is the two in one."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=PATIENCE, **NOT_ROOT)
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    openssl("req", "-x509", *curve, "-keyout", path("ca.key"), "-out", path("ca.pem"), "-subj", "/CN=test root")
    openssl("req", "-x509", *curve, "-keyout", path("server.key"), "-out", path("server.pem"), "-subj", "/CN=server",
            "-CA", path("ca.pem"), "-CAkey", path("ca.key"), "-addext", "basicConstraints=CA:FALSE",
            "-addext", "subjectAltName=DNS:localhost,DNS:server.test")
    subprocess.run(["sh", "-c", "umask 077 && cat server.pem server.key >both.pem"], check=True, cwd=FOLDER, **NOT_ROOT)


def server_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path("server.pem"), path("server.key"))
    return context


class Echo:
    """python3-websockets in a thread: an echo on the ports `ws`, `pinging` (five times a second) and, over TLS,
    `wss`. To the message "drop" it drops the connection."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.ws = self._serve()
        self.pinging = self._serve(ping_interval=0.2)
        self.wss = self._serve(ssl=server_context())

    def _serve(self, **arguments):
        async def echo(ws):
            try:
                async for message in ws:
                    if message == "drop":
                        ws.transport.abort()
                    else:
                        await ws.send(message)
            except websockets.ConnectionClosed:  # not by a Close: the case is about that
                pass

        async def serve():
            server = await websockets.serve(echo, "127.0.0.1", 0, max_size=None, **arguments)
            return server.sockets[0].getsockname()[1]
        return asyncio.run_coroutine_threadsafe(serve(), self.loop).result(PATIENCE)


LINES = ("é中🧵 la trame", "x" * 70000, "", "é" * 50000)


def talk(url, *options):
    """wscat says this and that to an echo and hears it again, each time; what it said on standard error."""
    program = Program("wscat", "--ca", path("ca.pem"), *options, url)
    for line in LINES:
        program.write(line + "\n")
        equal(program.line(), line)
    status, out, err = program.end()
    equal((status, out), (0, ""))
    return err


def refused(url, *options, words):
    """wscat does not get there, and says so in one line with these words, but without the password."""
    status, out, err = call("wscat", "--ca", path("ca.pem"), *options, url)
    equal((status, out), (1, ""))
    holds(err.startswith("wscat: ") and err.count("\n") == 1, f"not one line: {err!r}")
    holds("secret" not in err, err)
    for word in words:
        holds(word in err, f"{word!r} is not in {err!r}")
