"""navette behind nginx, HAProxy, Apache and Caddy with the configurations of docs/reverse-proxies.md, and in front of them as a
client; the other end is python3-websockets. The time-outs are made shorter, so that idle connections meet them."""

import os
import re
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from daemons import FOLDER, daemon, free_ports, make_certificates, path, write
from installing import install
from matrix import CUT, Run, expected_of, found_in, try_case
from peers import PEERS

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "reverse-proxies.md")
PEER = PEERS[0]
IDLE = ("idle", "silent")  # for three times as long as the proxy allows, with our heartbeat and without


def configuration(name, port, ports, is_short):
    """The page's, with these ports and files, and maybe with time-outs of a second."""
    with open(PAGE, encoding="utf-8") as file:
        text = re.search(rf"^```{name}\n(.*?)^```", file.read(), re.MULTILINE | re.DOTALL).group(1)
    before = r"(listen |bind :|Listen |\*:|localhost:)"
    for what, instead in (("127.0.0.1:9001", f"127.0.0.1:{port}"), ("/etc/ssl/", f"{FOLDER}/"),
                          (f"{before}8080", rf"\g<1>{ports[0]}"), (f"{before}8443", rf"\g<1>{ports[1]}")):
        text = re.sub(what, instead, text)
    if is_short:
        text = re.sub(r"(timeout |tunnel |Timeout |timeout=)60", r"\g<1>1", text)
    if re.search(r"\b(9001|8080|8443)\b|/etc/ssl", text):
        raise AssertionError(f"not all of it was replaced: {text}")
    return text


def nginx(port, ports, is_short):
    folders = " ".join(f"{kind}_temp_path {path(f'nginx.{port}.{is_short}.{kind}')};"
                       for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    text = configuration("nginx", port, ports, is_short).replace("listen ", "listen 127.0.0.1:")
    write(f"nginx.{port}.{is_short}", f"daemon off; pid {path(f'nginx.{port}.{is_short}.pid')}; error_log stderr; worker_processes 1;\n"
                           f"events {{ worker_connections 100; }}\nhttp {{ access_log off; {folders}\n{text}}}\n")
    return "nginx", "-e", "stderr", "-c", path(f"nginx.{port}.{is_short}")


def haproxy(port, ports, is_short):
    text = configuration("haproxy", port, ports, is_short).replace("bind :", "bind 127.0.0.1:")
    return "haproxy", "-db", "-f", write(f"haproxy.{port}.{is_short}", text)


def apache(port, ports, is_short):
    modules = "".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"
                      for name in ("mpm_event", "authz_core", "proxy", "proxy_http", "socache_shmcb", "ssl"))
    text = configuration("apache", port, ports, is_short).replace("Listen ", "Listen 127.0.0.1:")
    name = f"apache.{port}.{is_short}"
    write(name, f"{modules}ServerRoot {FOLDER}\nDefaultRuntimeDir {FOLDER}\nServerName localhost\nStartServers 1\n"
                f"PidFile {path(f'{name}.pid')}\nErrorLog {path(f'{name}.log')}\n{text}")
    return "apache2", "-D", "FOREGROUND", "-f", path(name)


def caddy(port, ports, is_short):
    text = configuration("caddyfile", port, ports, is_short)
    write(f"caddy.{port}.{is_short}", "{\n    admin off\n    default_bind 127.0.0.1\n    auto_https disable_redirects\n"
                           "    log {\n        level ERROR\n    }\n}\n" + text)
    return "caddy", "run", "--adapter", "caddyfile", "--config", path(f"caddy.{port}.{is_short}")


PROXIES = {"nginx": nginx, "HAProxy": haproxy, "Apache": apache, "Caddy": caddy}
NEVER = ("Caddy",)  # ends an idle connection
starting = threading.Lock()


def in_front_of(proxy, port, is_short):
    """Starts one; the ports for ws and wss."""
    with starting:  # or one takes the ports that another has found free
        ports = free_ports(2)
        homes = dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"), FOLDER)
        daemon(*PROXIES[proxy](port, ports, is_short), ports=ports, environment=homes)
    return dict(zip(("ws", "wss"), ports))


def expected(proxy, role, scenario):
    facts = expected_of(scenario) | PEER.quirks.get(f"{role} {scenario}", ({}, ""))[0]
    if scenario == "silent" and proxy not in NEVER:
        facts |= {"end": "cut", "what came back": "something else", "its end": "1006"}
    return facts


def found(scenario, ours, theirs):
    facts = found_in(scenario, ours, theirs)
    return facts | {"end": "cut"} if scenario == "silent" and facts["end"] in CUT else facts


def what_is_wrong(run, proxy, scenario):
    """What differs from what has to be seen, in words; nothing if all is well."""
    ours, theirs = run(scenario)
    if scenario == "idle" and ours["sent"].get("ping", 0) < 2:
        return "there was no heartbeat"
    has = found(scenario, ours, theirs)
    return "; ".join(f"{fact}: found {has[fact]!r}, expected {value!r}"
                     for fact, value in expected(proxy, run.role, scenario).items() if has[fact] != value)


def try_proxy(proxy, command):
    """Runs its cases; how many have failed."""
    failed = 0
    usual = [each for role, each in PEER.cases() if role == "server"]
    for role, where in (("client", "navette behind"), ("server", "navette in front")):
        for scheme in ("ws", "wss"):
            for scenarios, is_short in ((usual, False), (list(IDLE), True)):
                run = Run(PEER, role, command, scenarios, ("--ca", path("ca.pem")), lambda port, scheme=scheme, is_short=is_short:
                          f"{scheme}://localhost:{in_front_of(proxy, port, is_short)[scheme]}")
                for scenario in scenarios:
                    failed += try_case(f"reverse-proxies {proxy}, {scheme}, {where}: {scenario}",
                                       lambda: what_is_wrong(run, proxy, scenario))
                run.end()
    return failed


def main():
    make_certificates()
    os.environ["SSL_CERT_FILE"] = path("ca.pem")
    command = install(PEER)
    with ThreadPoolExecutor(len(PROXIES)) as pool:
        failed = sum(pool.map(lambda proxy: try_proxy(proxy, command), PROXIES))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
