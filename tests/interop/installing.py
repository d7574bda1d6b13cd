"""Installs the peers of the interop matrix, by name, and builds their programs, all in build/interop/."""

import json
import os
import re
import shlex
import shutil
import subprocess
import threading

from cases import BUILD
from peers import SOURCE

ROOT = os.path.abspath(os.path.join(SOURCE, "..", "..", "..", ".."))
INSTALLED = os.path.join(ROOT, "build", "interop")
PATIENCE = 900  # seconds that one installation may take
# What Debian calls the tools that install and build.
TOOLS = {"npm": "npm", "node": "nodejs", "cargo": "cargo-web", "mvn": "maven", "javac": "default-jdk-headless", "go": "golang-go",
         "g++": "g++", "pip": "python3-pip"}


# apt and Maven keep what they share for one at a time.
alone = threading.Lock()


class Missing(Exception):
    """It could not be installed, or built."""


def run(*command, cwd=INSTALLED, **environment):
    try:
        done = subprocess.run(command, cwd=cwd, env=os.environ | environment, stdin=subprocess.DEVNULL, timeout=PATIENCE,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing(f"{shlex.join(command[:4])}: {error}") from None
    if done.returncode != 0:
        raise Missing(f"{shlex.join(command[:4])}: status {done.returncode}: {' '.join(done.stdout[-400:].split())}")
    return done.stdout


def parts(package):
    kind, rest = package.split(":", 1)
    at = rest.rfind("@", 1)
    return (kind, rest, "") if at < 0 else (kind, rest[:at], rest[at + 1:])


def folder(peer):
    return os.path.join(INSTALLED, peer.name)


def debian_version(name):
    shown = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", name], capture_output=True, text=True)
    status, _, number = shown.stdout.partition(" ")
    return number if status == "installed" else None


def install_debian(names):
    missing = [name for name in names if debian_version(name) is None]
    if not missing:
        return
    root = [] if os.geteuid() == 0 else ["sudo"]
    # What Debian would start is not wanted: each test starts its own.
    policy, ours = "/usr/sbin/policy-rc.d", not os.path.exists("/usr/sbin/policy-rc.d")
    if ours:
        run("sh", "-c", f"printf '#!/bin/sh\\nexit 101\\n' | {' '.join([*root, 'install', '-m', '755', '/dev/stdin', policy])}")
    try:
        run(*root, "apt-get", "update", "-q")
        run(*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-q", "-y", "--no-install-recommends", *missing)
    finally:
        if ours:
            run(*root, "rm", policy)


def install_packages(peer):
    by_kind = {}
    for package in peer.packages:
        kind, name, number = parts(package)
        by_kind.setdefault(kind, []).append((name, number))
    words = {{"maven": "mvn"}.get(kind, kind) for kind in by_kind} | set(peer.build.split()) | {peer.command[0]}
    tools = [package for tool, package in TOOLS.items() if tool in words and shutil.which(tool) is None]
    with alone:
        install_debian([*tools, *[name for name, _ in by_kind.get("deb", [])]])
    if "npm" in by_kind:
        run("npm", "install", "--prefix", folder(peer), "--no-save", "--no-package-lock", "--no-audit", "--no-fund",
            *[f"{name}@{number}" for name, number in by_kind["npm"]])
    if "pip" in by_kind:
        run("/usr/bin/python3", "-m", "pip", "install", "-q", "--disable-pip-version-check", "--upgrade", "--target", folder(peer),
            *[f"{name}=={number}" for name, number in by_kind["pip"]])
    if "cargo" in by_kind:
        dependencies = ""
        for name, wanted in by_kind["cargo"]:
            number, _, features = wanted.rstrip("]").partition("[")
            dependencies += f'{name} = {{ version = "={number}", features = {json.dumps(features.split(",") if features else [])} }}\n'
        write(peer, "Cargo.toml", f'''[package]
name = "peer"
version = "0.0.0"
edition = "2021"

[[bin]]
name = "peer"
path = "{SOURCE}/{peer.source}"

[profile.dev]
opt-level = 1
debug = false

[dependencies]
{dependencies}''')
    if "maven" in by_kind:
        dependencies = "".join("<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"
                               .format(*name.split(":"), number) for name, number in by_kind["maven"])
        write(peer, "pom.xml", "<project><modelVersion>4.0.0</modelVersion><groupId>navette</groupId><artifactId>peer</artifactId>"
                               f"<version>1</version><dependencies>{dependencies}</dependencies></project>")
        with alone:
            run("mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib", cwd=folder(peer))
    if "go" in by_kind:
        write(peer, "go.mod", "module peer\n")
        for name, number in by_kind["go"]:
            run("go", "get", f"{name}@{number}", cwd=folder(peer))


def write(peer, name, text):
    with open(os.path.join(folder(peer), name), "w", encoding="utf-8") as file:
        file.write(text)


def stamp_of(peer):
    """What its installation depends on, as text."""
    sources = [*re.findall(r"{source}/([\w.]+)", peer.build), *([peer.source] if peer.source else [])]
    if any(each.endswith(".cpp") for each in sources):
        sources.append("echo.hpp")
    return f"{peer.packages} {peer.build} {[os.stat(os.path.join(SOURCE, each)).st_mtime_ns for each in sources]}"


def install(peer):
    """Installs it unless that is done; the command that starts it."""
    os.makedirs(folder(peer), exist_ok=True)
    marker, stamp = folder(peer) + ".installed", stamp_of(peer)
    done = os.path.exists(marker) and open(marker, encoding="utf-8").read() == stamp
    if not done or any(debian_version(parts(each)[1]) is None for each in peer.packages if each.startswith("deb:")):
        install_packages(peer)
        if peer.build:
            run("sh", "-ec", fill(peer, peer.build), cwd=folder(peer))
        with open(marker, "w", encoding="utf-8") as file:
            file.write(stamp)
    command = [fill(peer, word) for word in peer.command]
    if shutil.which(command[0]) is None:
        raise Missing(f"there is no {command[0]}")
    return ["/usr/bin/env", f"NODE_PATH={folder(peer)}/node_modules", f"PYTHONPATH={folder(peer)}:{SOURCE}", *command]


def fill(peer, text):
    return text.replace("{installed}", folder(peer)).replace("{source}", SOURCE).replace("{build}", BUILD)


def version(peer):
    kind, name, number = parts(peer.packages[0])
    if kind == "deb":
        return debian_version(name)
    if kind == "recorded":
        return name
    return re.search(r"\d+(\.\d+)+", run(*name.split())).group() if kind == "program" else number.partition("[")[0]
