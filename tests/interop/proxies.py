"""wscat through real proxies: squid, tinyproxy, dante, an https one, chains of them, and those that nobody configured.
docs/proxies.md names the cases; the last case here sees that they exist.

The names in .test are known to the proxies alone: who reaches one has had it resolved by its proxy."""

import glob
import hashlib
import os
import re
import subprocess
import time

import cases
from cases import Program, case, equal, holds, run
from daemons import Echo, daemon, free_ports, make_certificates, path, refused, talk, write
from transparent_proxy import TransparentProxy

make_certificates()
echo = Echo()
WS, WSS = f"ws://server.test:{echo.ws}/", f"wss://server.test:{echo.wss}/"
URLS = {"ws": WS, "wss": WSS}


# ---- the proxies

def hosts(name, *names):
    return write(name, "127.0.0.2 forbidden.test\n" + "".join(f"127.0.0.1 {each}\n" for each in ("server.test", *names)))


def hashed(method):
    return subprocess.run(["openssl", "passwd", method, "secret"], check=True, capture_output=True, text=True).stdout.strip()


def start_squid():
    """Ports without a password, with Basic, with Digest, and under the rules that Debian's squid.conf begins with."""
    ports = dict(zip(("open", "basic", "digest", "stock"), free_ports(4)))
    with open("/etc/squid/squid.conf", encoding="utf-8") as file:
        stock = re.findall(r"^(?:acl (?:SSL|Safe)_ports .*|http_access deny (?:!Safe_ports|CONNECT !SSL_ports)) *$", file.read(), re.M)
    holds(any("CONNECT" in rule for rule in stock), "squid.conf has other rules now")
    write("squid.basic", f"user:{hashed('-apr1')}\n")
    write("squid.digest", "user:squid:" + hashlib.md5(b"user:squid:secret").hexdigest() + "\n")
    lines = [f"http_port 127.0.0.1:{port}\nacl at_{name} localport {port}" for name, port in ports.items()]
    for scheme, helper in (("basic", f"basic_ncsa_auth {path('squid.basic')}"), ("digest", f"digest_file_auth -c {path('squid.digest')}")):
        lines += [f"auth_param {scheme} program /usr/lib/squid/{helper}", f"auth_param {scheme} children 1",
                  f"auth_param {scheme} realm squid", f"auth_schemes {scheme} at_{scheme}"]
    lines += ["acl forbidden dstdomain forbidden.test", "http_access deny forbidden",
              *(rule.replace("http_access deny", "http_access deny at_stock") for rule in stock),
              "http_access allow at_open", "http_access allow at_stock", "acl known proxy_auth REQUIRED",
              "http_access allow known", "http_access deny all",
              f"hosts_file {hosts('squid.hosts', 'proxy.test')}", "dns_nameservers 127.0.0.1", f"cache_log {path('squid.log')}",
              "access_log none", "pid_filename none", "coredump_dir none", "netdb_filename none", "pinger_enable off",
              "memory_cache_shared off", "shutdown_lifetime 0 seconds", "visible_hostname squid.test"]
    daemon("squid", "-N", "-f", write("squid.conf", "\n".join(lines) + "\n"), ports=ports.values())
    return ports


def wrapped(**files):
    """What a program believes that asks the C library for names."""
    return {"LD_PRELOAD": "libnss_wrapper.so", **{f"NSS_WRAPPER_{name.upper()}": file for name, file in files.items()}}


def start_tinyproxy():
    ports = dict(zip(("open", "basic"), free_ports(2)))
    known = wrapped(hosts=hosts("tinyproxy.hosts", "behind.test"))
    for name, port in ports.items():
        login = "BasicAuth user secret\n" if name == "basic" else ""
        configuration = f"Listen 127.0.0.1\nPort {port}\nAllow 127.0.0.1\nFilter \"{write('filter', 'forbidden')}\"\n{login}"
        daemon("tinyproxy", "-d", "-c", write(f"tinyproxy.{name}", configuration), ports=[port], environment=known)
    return ports


def start_dante():
    ports = dict(zip(("none", "username"), free_ports(2)))
    users = wrapped(hosts=hosts("dante.hosts", "proxy.test"), group=write("group", "user:x:1000:\nnogroup:x:65534:\n"),
                    passwd=write("passwd", "user:x:1000:1000::/:/bin/false\nnobody:x:65534:65534::/:/bin/false\n"),
                    shadow=write("shadow", f"user:{hashed('-6')}:19000:0:99999:7:::\n"))
    for method, port in ports.items():
        configuration = (f"logoutput: stderr\ninternal: 127.0.0.1 port = {port}\nexternal: 127.0.0.1\n"
                         f"clientmethod: none\nsocksmethod: {method}\n"
                         "client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }\n"
                         "socks block { from: 0.0.0.0/0 to: forbidden.test }\n"
                         "socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }\n")
        daemon("danted", "-f", write(f"dante.{method}", configuration), "-p", path(f"dante.{method}.pid"), ports=[port], environment=users)
    return ports


def start_stunnel(leads_to):
    """TLS in front of a proxy: an https proxy."""
    port, = free_ports(1)
    daemon("stunnel4", write("stunnel.conf", f"foreground = yes\npid =\n[proxy]\naccept = 127.0.0.1:{port}\n"
                             f"connect = 127.0.0.1:{leads_to}\ncert = {path('both.pem')}\n"), ports=[port])
    return port


squid, tinyproxy, dante = start_squid(), start_tinyproxy(), start_dante()
https = start_stunnel(squid["basic"])


def url(port, scheme="http", login="", host="127.0.0.1"):
    return f"{scheme}://{login}{host}:{port}"


PROXIES = {
    "squid": url(squid["open"]),
    "squid, Basic": url(squid["basic"], login="user:secret@"),
    "squid, Digest": url(squid["digest"], login="user:secret@"),
    "tinyproxy": url(tinyproxy["open"]),
    "tinyproxy, Basic": url(tinyproxy["basic"], login="user:secret@"),
    "dante": url(dante["none"], "socks5"),
    "dante, password": url(dante["username"], "socks5", "user:secret@"),
    "an https proxy": url(https, "https", "user:secret@", "localhost"),
}


# ---- the client knows its proxy

for proxy_name, proxy in PROXIES.items():
    for scheme, target in URLS.items():
        @case(f"{scheme} through {proxy_name}")
        def _(proxy=proxy, target=target):
            equal(talk(target, "--proxy", proxy), "")

for proxy_name, words in {"squid, Basic": ["407"], "squid, Digest": ["407"], "tinyproxy, Basic": ["401"],
                          "dante, password": ["the user name or the password was refused"]}.items():
    @case(f"a wrong password for {proxy_name}")
    def _(proxy=PROXIES[proxy_name], words=words):
        refused(WS, "--proxy", proxy.replace("user:secret", "user:secret2"), words=words)

for proxy_name, words in {"squid, Basic": ["407"], "squid, Digest": ["407"], "tinyproxy, Basic": ["407"],
                          "dante, password": ["the SOCKS proxy accepts none"]}.items():
    @case(f"no password for {proxy_name}")
    def _(proxy=PROXIES[proxy_name], words=words):
        refused(WS, "--proxy", proxy.replace("user:secret@", ""), words=words)

for proxy_name, words in {"squid": ["proxy answered", "403"], "tinyproxy": ["proxy answered", "403 Filtered"],
                          "dante": ["SOCKS proxy", "do not allow"]}.items():
    @case(f"{proxy_name} forbids the target")
    def _(proxy=PROXIES[proxy_name], words=words):
        refused("wss://forbidden.test/", "--proxy", proxy, words=words)

for proxy_name, words in {"squid": ["proxy answered", "503"], "tinyproxy": ["proxy answered", "500"],
                          "dante": ["refused the SOCKS proxy's connection"]}.items():
    @case(f"{proxy_name} does not reach the target")
    def _(proxy=PROXIES[proxy_name], words=words):
        refused(f"wss://server.test:{free_ports(1)[0]}/", "--proxy", proxy, words=words)


@case("squid's stock rules refuse ws on port 80, and not wss on port 443")
def _():
    stock = url(squid["stock"])
    refused("ws://server.test/", "--proxy", stock, words=["proxy answered", "403"])
    refused("wss://server.test/", "--proxy", stock, words=["503"])  # let through: nobody listens there


@case("an https proxy whose certificate is for another name is not talked to")
def _():
    refused(WSS, "--proxy", url(https, "https", "user:secret@"), words=["certificate is not accepted"])


@case("-v says that the first hop is a proxy, and tells the two layers of TLS apart")
def _():
    said = talk(WSS, "-v", "--proxy", PROXIES["an https proxy"])
    holds(f"connected to localhost:{https}" in said and "a proxy" in said, said)
    holds("within that of a proxy" in said, said)


# The last proxy of a chain knows behind.test, the first one proxy.test, and neither the other's.
CHAINS = {
    "squid, then tinyproxy": ("squid, Basic", url(tinyproxy["basic"], login="user:secret@", host="proxy.test"), "behind.test"),
    "dante, then tinyproxy": ("dante, password", url(tinyproxy["open"], host="proxy.test"), "behind.test"),
    "tinyproxy, then dante": ("tinyproxy, Basic", url(dante["username"], "socks5", "user:secret@", "server.test"), "server.test"),
    "https, then dante, then tinyproxy": ("an https proxy", url(dante["none"], "socks5", host="proxy.test") + ","
                                          + url(tinyproxy["open"], host="proxy.test"), "behind.test"),
}
for chain_name, (first, rest, server) in CHAINS.items():
    @case(f"a chain: {chain_name}; ws and wss")
    def _(chain=PROXIES[first] + "," + rest, server=server):
        talk(WS.replace("server.test", server), "--proxy", chain)
        # behind.test is in no certificate
        talk(WSS.replace("server.test", server), "--insecure", "--proxy", chain)


@case("a chain: the second proxy refuses, and it is told")
def _():
    second = url(tinyproxy["basic"], login="user:secret2@", host="proxy.test")
    refused(WS, "--proxy", PROXIES["squid"] + "," + second, words=["proxy answered", "401"])


# ---- the environment

VARIABLES = [f"{name}_proxy" for name in ("http", "https", "all", "ws", "wss", "no")]


def with_environment(use, **variables):
    before = dict(os.environ)
    for name in VARIABLES:
        os.environ.pop(name, None)
        os.environ.pop(name.upper(), None)
    os.environ.update(variables)
    try:
        return use()
    finally:
        os.environ.clear()
        os.environ.update(before)


DEAD = "http://127.0.0.1:9"  # no proxy is there


def direct(target):
    refused(target, words=["cannot connect to server.test"])


def wrong_proxy(target):
    refused(target, words=["cannot connect to 127.0.0.1:9"])


@case("the environment: without a variable nothing leads to server.test")
def _():
    with_environment(lambda: (direct(WS), direct(WSS)))


@case("the environment: the most special variable counts")
def _():
    ours = PROXIES["squid, Digest"]
    with_environment(lambda: talk(WS), ws_proxy=ours, https_proxy=DEAD, http_proxy=DEAD, all_proxy=DEAD, wss_proxy=DEAD)
    with_environment(lambda: talk(WS), https_proxy=ours, http_proxy=DEAD, all_proxy=DEAD, wss_proxy=DEAD)
    with_environment(lambda: talk(WS), http_proxy=ours, all_proxy=DEAD, wss_proxy=DEAD)
    with_environment(lambda: talk(WSS), wss_proxy=ours, https_proxy=DEAD, http_proxy=DEAD, all_proxy=DEAD, ws_proxy=DEAD)
    with_environment(lambda: talk(WSS), https_proxy=ours, http_proxy=DEAD, all_proxy=DEAD, ws_proxy=DEAD)
    with_environment(lambda: direct(WSS), http_proxy=DEAD)


@case("the environment: all_proxy with socks5, for ws and wss")
def _():
    with_environment(lambda: (talk(WS), talk(WSS)), all_proxy=PROXIES["dante, password"])


@case("the environment: capitals count after small letters, and HTTP_PROXY not in a CGI program")
def _():
    with_environment(lambda: talk(WS), HTTPS_PROXY=PROXIES["squid"])
    with_environment(lambda: talk(WS), https_proxy=PROXIES["squid"], HTTPS_PROXY=DEAD)
    with_environment(lambda: wrong_proxy(WS), HTTP_PROXY=DEAD)
    with_environment(lambda: direct(WS), HTTP_PROXY=DEAD, REQUEST_METHOD="GET")


@case("the environment: no_proxy exempts names, suffixes and ports")
def _():
    for exempt in ("server.test", ".test", "example.org, TEST.", "*", f"server.test:{echo.ws}"):
        with_environment(lambda: direct(WS), ws_proxy=DEAD, no_proxy=exempt)
    for other in ("", "erver.test", "example.org", f"server.test:{echo.wss}", "127.0.0.0/8"):
        with_environment(lambda: wrong_proxy(WS), ws_proxy=DEAD, no_proxy=other)


@case("the environment: no_proxy exempts networks of addresses")
def _():
    any_address = f"ws://0.0.0.0:{echo.ws}/"  # on Linux it leads to this machine, and is not in 127.0.0.0/8
    with_environment(lambda: wrong_proxy(any_address), ws_proxy=DEAD, no_proxy="127.0.0.0/8,1.0.0.0/8")
    with_environment(lambda: talk(any_address), ws_proxy=DEAD, no_proxy="0.0.0.0/8")


@case("the environment: this machine is reached without a proxy, unless --proxy says otherwise")
def _():
    local = f"ws://127.0.0.1:{echo.ws}/"
    with_environment(lambda: talk(local), all_proxy=DEAD)
    with_environment(lambda: talk(local, "--proxy", PROXIES["squid"]), all_proxy=DEAD)
    refused(local, "--proxy", DEAD, words=["cannot connect to 127.0.0.1:9"])


# ---- the client knows of no proxy

def ws_by(proxy):
    return f"ws://localhost:{proxy.port}/"


def wss_by(proxy):
    return f"wss://localhost:{proxy.port}/"


@case("a transparent proxy that lets ws pass is not noticed")
def _():
    proxy = TransparentProxy("pass", echo.ws)
    equal(talk(ws_by(proxy)), "")
    equal(len(proxy.read), 1)


@case("a transparent proxy strips Upgrade: ws fails, with the advice")
def _():
    proxy = TransparentProxy("strip", echo.ws)
    refused(ws_by(proxy), words=["426", "took the request to upgrade out", "wss on port 443"])


@case("a transparent proxy answers itself: ws fails, with the advice")
def _():
    proxy = TransparentProxy("answer", echo.ws)
    refused(ws_by(proxy), words=["200", "a proxy or a cache on the way", "wss on port 443"])


@case("a transparent proxy cuts before the answer: ws fails, with the advice")
def _():
    proxy = TransparentProxy("cut", echo.ws)
    refused(ws_by(proxy), words=["the connection was cut before an answer came", "wss on port 443"])


@case("a transparent proxy can only carry wss")
def _():
    for does in ("strip", "answer", "cut", "cut idle"):
        proxy = TransparentProxy(does, echo.wss)
        equal(talk(wss_by(proxy)), "")
        equal(proxy.read, [])


def silent_for(seconds, target, *options):
    """How wscat ends that says something, then nothing for a while, then something again."""
    program = Program("wscat", "--ca", path("ca.pem"), *options, target)
    program.write("before\n")
    equal(program.line(), "before")
    time.sleep(seconds)
    try:
        program.write("after\n")
        heard = program.line()
    except BrokenPipeError:
        heard = ""
    status, _, err = program.end()
    return status, heard, err


@case("a transparent proxy cuts idle connections: ws is lost, wss is not")
def _():
    status, heard, err = silent_for(1.5, ws_by(TransparentProxy("cut idle", echo.ws)))
    equal((status, heard), (1, ""))
    holds("before the closing handshake" in err and "a silence" not in err, err)
    equal(silent_for(1.5, wss_by(TransparentProxy("cut idle", echo.wss))), (0, "after", ""))


@case("a transparent proxy cuts idle connections: after 20 seconds the error says so, with the advice")
def _():
    library, = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
    proxy = TransparentProxy("cut idle", echo.ws)
    _, _, err = with_environment(lambda: silent_for(1.5, ws_by(proxy), "--timeout", "600"),
                                 LD_PRELOAD=library, FAKETIME="+0 x60")  # a second is a minute
    holds("was cut in a silence" in err and "wss on port 443" in err, err)


@case("a transparent proxy cuts idle connections: with pings ws is not idle")
def _():
    equal(silent_for(1.5, ws_by(TransparentProxy("cut idle", echo.pinging))), (0, "after", ""))


# ---- the document

@case("docs/proxies.md names a test for each leaf of its figure, and each exists")
def _():
    docs = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs")
    with open(os.path.join(docs, "proxies.md"), encoding="utf-8") as file:
        table = dict(re.findall(r"^\| ([A-Z]) \|.*\| (`.*`) \|$", file.read(), re.M))
    with open(os.path.join(docs, "proxies.svg"), encoding="utf-8") as file:
        leaves = re.findall(r'<text class="leaf"[^>]*>([A-Z])</text>', file.read())
    holds(len(leaves) >= 4, "the figure has no leaves")
    equal(sorted(leaves), sorted(table))
    existing = {name for name, _ in cases._cases}
    for leaf, tests in table.items():
        for test in re.findall(r"`([^`]+)`", tests):
            holds(test in existing, f"leaf {leaf}: there is no case {test!r}")


run("proxies:")
