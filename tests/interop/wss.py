"""wss:// to others: wscat at those who end TLS in front of a server, and at servers that speak it
themselves. And the first bytes of wscat's TLS, read by hand."""

import os
import shutil
import socket

from cases import PATIENCE, Program, call, case, equal, holds, run
from daemons import Echo, daemon, free_ports, make_certificates, path, refused, talk, write

make_certificates()
echo = Echo()
NODE = shutil.which("node") or "/usr/bin/node"
SERVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers", "wss_server.cjs")


# ---- who ends TLS in front of echo.ws

def start_nginx():
    ports = dict(zip(("any", "1.1", "1.2", "1.3", "client", "named"), free_ports(6)))
    pair = f"ssl_certificate {path('server.pem')}; ssl_certificate_key {path('server.key')};"
    upgrade = (f"location / {{ proxy_pass http://127.0.0.1:{echo.ws}; proxy_http_version 1.1; "
               "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; }")

    def server(name, *directives, accept="", answers=upgrade):
        return f"server {{ listen 127.0.0.1:{ports[name]} ssl {accept}; {' '.join(directives)} {answers} }}"
    folders = " ".join(f"{kind}_temp_path {path('nginx.' + kind)};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    servers = "\n".join([
        server("any", pair),
        server("1.1", pair, "ssl_protocols TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0;"),
        server("1.2", pair, "ssl_protocols TLSv1.2;"),
        server("1.3", pair, "ssl_protocols TLSv1.3;"),
        server("client", pair, f"ssl_client_certificate {path('ca.pem')}; ssl_verify_client on;"),
        server("named", "ssl_reject_handshake on;", accept="default_server", answers=""),
        server("named", "server_name localhost;", pair)])
    configuration = (f"daemon off; pid {path('nginx.pid')}; error_log stderr; worker_processes 1; events {{ worker_connections 100; }}\n"
                     f"http {{ access_log off; {folders}\n{servers}\n}}\n")
    daemon("nginx", "-e", "stderr", "-c", write("nginx.conf", configuration), ports=ports.values())
    return ports


def start_haproxy():
    ports = dict(zip(("any", "1.2", "1.3"), free_ports(3)))
    lines = ["defaults", "mode http", "timeout connect 5s", "timeout client 20s", "timeout server 20s", "timeout tunnel 60s"]
    for name, port in ports.items():
        only = "" if name == "any" else f"ssl-min-ver TLSv{name} ssl-max-ver TLSv{name}"
        lines += [f"listen tls_{name}", f"bind 127.0.0.1:{port} ssl crt {path('both.pem')} {only}", f"server echo 127.0.0.1:{echo.ws}"]
    daemon("haproxy", "-db", "-f", write("haproxy.cfg", "\n".join(lines) + "\n"), ports=ports.values())
    return ports


def start_stunnel():
    ports = dict(zip(("any", "1.2", "1.3"), free_ports(3)))
    lines = ["foreground = yes", "pid ="]
    for name, port in ports.items():
        lines += [f"[tls_{name}]", f"accept = 127.0.0.1:{port}", f"connect = 127.0.0.1:{echo.ws}", f"cert = {path('both.pem')}"]
        lines += [] if name == "any" else [f"sslVersion = TLSv{name}"]
    daemon("stunnel4", write("stunnel.conf", "\n".join(lines) + "\n"), ports=ports.values())
    return ports


TERMINATORS = {"nginx": start_nginx(), "HAProxy": start_haproxy(), "stunnel": start_stunnel()}
nginx = TERMINATORS["nginx"]


def url(port, host="localhost"):
    return f"wss://{host}:{port}/"


for terminator, ports in TERMINATORS.items():
    @case(f"wscat at {terminator}")
    def _(port=ports["any"]):
        equal(talk(url(port)), "")

    for version in ("1.2", "1.3"):
        @case(f"wscat at {terminator}, TLS {version} alone")
        def _(port=ports[version], version=version):
            said = talk(url(port), "-v")
            holds(f"TLS is established: TLSv{version}, " in said, said)

    @case(f"wscat at {terminator}: an authority that is not known is refused [S61][client]")
    def _(port=ports["any"]):
        status, out, err = call("wscat", url(port))
        equal((status, out), (1, ""))
        holds("the peer's certificate is not accepted" in err, err)

    @case(f"wscat at {terminator}: a certificate for another host is refused [S61][client]")
    def _(port=ports["any"]):
        refused(url(port, "127.0.0.1"), words=["certificate is not accepted", "IP address mismatch"])

    @case(f"wscat at {terminator}: lost, and again, it resumes the session of TLS")
    def _(port=ports["any"]):
        program = Program("wscat", "-v", "--reconnect", "--ca", path("ca.pem"), url(port))
        for line in ("x", "drop"):
            program.write(line + "\n")
        equal(program.line(), "x")
        told = []
        while sum("the connection is open" in each for each in told) < 2:
            told.append(program.process.stderr.readline().decode())
            holds(told[-1], f"it ended after {told}")
        program.write("again\n")
        equal(program.line(), "again")
        equal(program.end()[0], 0)
        established = [each for each in told if "TLS is established" in each]
        equal(["a session was resumed" in each for each in established], [False, True])


@case("wscat at nginx, TLS 1.1 alone: refused")
def _():
    refused(url(nginx["1.1"]), words=["TLS: ", "protocol version"])


@case("wscat at nginx: a client's certificate is shown, and missed")
def _():
    talk(url(nginx["client"]), "--cert", path("server.pem"), "--key", path("server.key"))
    refused(url(nginx["client"]), words=["HTTP status 400"])


@case("wscat at nginx: the server is chosen by the name, and an address has none [C6][client]")
def _():
    talk(url(nginx["named"]))
    refused(url(nginx["named"], "127.0.0.1"), words=["TLS: "])


# ---- the first bytes

def client_hello(host):
    """What wscat sends first to wss://HOST:PORT/: the extensions, by number."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        program = Program("wscat", url(listener.getsockname()[1], host))
        connected, _ = listener.accept()
        with connected, connected.makefile("rb") as stream:
            kind, _, _, high, low = stream.read(5)
            equal(kind, 22)
            hello = stream.read(high << 8 | low)
        program.end()
    return extensions_of(hello)


def extensions_of(hello):
    """RFC 8446, 4.1.2: type and length, version, random, session, suites, compression, extensions."""
    equal((hello[0], int.from_bytes(hello[1:4], "big")), (1, len(hello) - 4))
    at = 4 + 2 + 32
    for size in (1, 2, 1):
        at += size + int.from_bytes(hello[at:at + size], "big")
    equal(int.from_bytes(hello[at:at + 2], "big"), len(hello) - at - 2)
    at, found = at + 2, {}
    while at < len(hello):
        kind, size = int.from_bytes(hello[at:at + 2], "big"), int.from_bytes(hello[at + 2:at + 4], "big")
        found[kind] = hello[at + 4:at + 4 + size]
        at += 4 + size
    return found


SERVER_NAME, ALPN = 0, 16


@case("the ClientHello to a name has it as SNI [C6][client]")
def _():
    name = b"localhost"
    entry = b"\0" + len(name).to_bytes(2, "big") + name
    equal(client_hello("localhost").get(SERVER_NAME), len(entry).to_bytes(2, "big") + entry)


@case("the ClientHello to an address has no SNI [C6][client]")
def _():
    found = client_hello("127.0.0.1")
    holds(len(found) > 5, f"only {sorted(found)}")
    equal(found.get(SERVER_NAME), None)


@case("the ClientHello offers http/1.1 and nothing else")
def _():
    equal(client_hello("localhost").get(ALPN), b"\0\x09\x08http/1.1")


# ---- servers that speak TLS themselves

@case("wscat at python-websockets")
def _():
    equal(talk(url(echo.wss)), "")


@case("wscat at npm-ws")
def _():
    server = Program(NODE, SERVER, path("server.pem"), path("server.key"))
    equal(talk(url(server.line())), "")


run("wss:")
