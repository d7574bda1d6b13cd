"""A certificate for localhost and its key, made by the program openssl; and one end of TLS over memory, so that a test
decides which bytes go out together, and where they are cut."""

import os
import ssl
import subprocess
import tempfile

from cases import PATIENCE

_FOLDER = tempfile.TemporaryDirectory()


def path(name):
    return os.path.join(_FOLDER.name, name)


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=PATIENCE)


CERT, KEY = path("cert.pem"), path("key.pem")
openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
        "-keyout", KEY, "-out", CERT, "-subj", "/CN=test", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
FILES = ("--cert", CERT, "--key", KEY)


def trusting(cert=CERT):
    """A client's context that trusts this certificate alone, and tells a cut from an end."""
    context = ssl.create_default_context(cafile=cert)
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    return context


class SecureSocket:
    """What wire.Peer needs of a socket, with TLS over `raw`. `hold`: what goes out waits for `release`."""

    def __init__(self, raw, context, host="localhost", piece=None):
        self.raw, self.piece, self.hold = raw, piece, False
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=host)

    def shake_hands(self):
        self._until(self.tls.do_handshake)

    def recv(self, size):
        """Plain bytes; none: the other end has said that it ends. The end without that is an EOFError."""
        try:
            return self._until(lambda: self.tls.read(size))
        except ssl.SSLZeroReturnError:
            return b""
        except ssl.SSLError as error:
            if "EOF" not in (error.reason or ""):
                raise
            raise EOFError("the stream was cut without close_notify") from None

    def sendall(self, data):
        self._until(lambda: self.tls.write(data) if data else 0)

    def end(self):
        """Says that this end sends nothing more; it may still read."""
        try:
            self.tls.unwrap()
        except (ssl.SSLWantReadError, ssl.SSLSyscallError):
            pass
        self._flush()

    def release(self):
        self.hold = False
        self._flush()

    def settimeout(self, seconds):
        self.raw.settimeout(seconds)

    def close(self):
        self.raw.close()

    def _flush(self):
        if self.hold:
            return
        data = self.outgoing.read()
        step = self.piece or max(1, len(data))
        for at in range(0, len(data), step):
            self.raw.sendall(data[at:at + step])

    def _until(self, call):
        while True:
            try:
                result = call()
                self._flush()
                return result
            except ssl.SSLWantReadError:
                self._flush()
                piece = self.raw.recv(65536)
                self.incoming.write(piece) if piece else self.incoming.write_eof()
