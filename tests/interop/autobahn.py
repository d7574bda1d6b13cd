"""Runs the Autobahn suite in both roles at once and reads its verdicts: each of its cases is one here.

The suite's exit status says nothing, and a peer that cannot be reached gives an empty report: every case has to be there.
"""

import datetime
import json
import os
import shutil
import socket
import subprocess
import sys
import time

from cases import BUILD, report
from daemons import free_ports

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
REPORTS = os.path.join(ROOT, "build", "autobahn")
RECORD = os.path.join(ROOT, "docs", "autobahn.tsv")
FULL = sys.argv[1:] == ["--full"]
SECONDS = 3600 if FULL else 420  # that each role may take, on a machine that does other things

# Whose outcome nobody demands: 7.1.6 (256 KiB and then a Close), 7.13.1 and 7.13.2 (close codes above 4999).
INFORMATIONAL = {"7.1.6", "7.13.1", "7.13.2"}

# How many cases each group has. Each of 12 and 13 is 18 sizes of 1,000 messages, of which a few are tried in every run.
SIMPLE = {"1.1": 8, "1.2": 8, "2": 11, "3": 7, "4.1": 5, "4.2": 5, "5": 20, "6.1": 3, "6.2": 4, "6.3": 2, "6.4": 4, "6.5": 5,
          "6.6": 11, "6.7": 4, "6.8": 2, "6.9": 4, "6.10": 3, "6.11": 5, "6.12": 8, "6.13": 5, "6.14": 10, "6.15": 1,
          "6.16": 3, "6.17": 5, "6.18": 5, "6.19": 5, "6.20": 7, "6.21": 8, "6.22": 34, "6.23": 7, "7.1": 6, "7.3": 6,
          "7.5": 1, "7.7": 13, "7.9": 9, "7.13": 2, "9.1": 6, "9.2": 6, "9.3": 9, "9.4": 9, "9.5": 6, "9.6": 6, "9.7": 6,
          "9.8": 6, "10.1": 1}
DEFLATE = [f"12.{i}" for i in range(1, 6)] + [f"13.{i}" for i in range(1, 8)]
SIZES = range(1, 19) if FULL else (1, 5, 11)
CASES = ([f"{group}.{n}" for group, count in SIMPLE.items() for n in range(1, count + 1)] +
         [f"{group}.{n}" for group in DEFLATE for n in SIZES])


def wstest(mode, folder, spec):
    """Starts the suite, with its report in `folder`."""
    out = os.path.join(REPORTS, folder)
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    path = os.path.join(REPORTS, f"{folder}.spec.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump({**spec, "outdir": out, "cases": CASES, "exclude-cases": [], "exclude-agent-cases": {}}, f)
    with open(os.path.join(REPORTS, f"{folder}.log"), "w", encoding="utf-8") as log:
        return subprocess.Popen([os.environ["PYTHON2"], os.path.join(os.environ["SUITE"], "bin", "wstest"),
                                 "--mode", mode, "--spec", path, "--webport", "0"], cwd=REPORTS, stdin=subprocess.DEVNULL,
                                stdout=log, stderr=log, env={**os.environ, "PYTHONPATH": "", "PYTHONUSERBASE": os.environ["SUITE"]})


def wait_for_port(port, process):
    for _ in range(600):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise RuntimeError("the suite does not listen")


def verdicts(folder, role):
    """Reports each case; gives how many were OK and INFORMATIONAL, if all the others are right, too."""
    try:
        with open(os.path.join(REPORTS, folder, "index.json"), encoding="utf-8") as f:
            found = json.load(f)["navette"]
    except (OSError, KeyError, ValueError):
        found = {}
    counted = {"OK": 0, "INFORMATIONAL": 0}
    for name in CASES:
        case = found.pop(name, {"behavior": "missing", "behaviorClose": "missing"})
        wanted = "INFORMATIONAL" if name in INFORMATIONAL else "OK"
        behavior, close = case["behavior"], case["behaviorClose"]
        if behavior == close == wanted:
            counted[behavior] += 1
            report(f"PASS autobahn: {role}, case {name}")
        else:
            report(f"FAIL autobahn: {role}, case {name}: behavior {behavior}, close {close}")
    for name in found:
        report(f"FAIL autobahn: {role}, case {name}: nobody asked for it")
    return counted if not found and sum(counted.values()) == len(CASES) else None


def tree():
    """What stands in include/navette, by its hash; none if that is not committed."""
    if subprocess.run(["git", "-C", ROOT, "status", "--porcelain", "include"], capture_output=True, check=False).stdout:
        return None
    done = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD:include/navette"], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def main():
    os.makedirs(REPORTS, exist_ok=True)
    running = []
    try:
        server = subprocess.Popen([os.path.join(BUILD, "examples", "echo_server"), "--port", "0"], stdout=subprocess.PIPE,
                                  text=True)
        running.append(server)
        url = server.stdout.readline().split()[-1]
        port, = free_ports(1)
        peers = wstest("fuzzingserver", "clients", {"url": f"ws://127.0.0.1:{port}"})
        running.append(peers)
        tester = wstest("fuzzingclient", "servers", {"servers": [{"agent": "navette", "url": url}]})
        running.append(tester)
        wait_for_port(port, peers)
        client = subprocess.Popen([os.path.join(BUILD, "tests", "autobahn_client"), f"ws://127.0.0.1:{port}"])
        running.append(client)
        ends = time.monotonic() + SECONDS
        for process, what in ((client, "client"), (tester, "server")):
            try:
                process.wait(max(1, ends - time.monotonic()))
            except subprocess.TimeoutExpired:
                print(f"autobahn: the {what}'s cases take longer than {SECONDS} s")
    finally:
        for process in running:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    counted = {"server": verdicts("servers", "server"), "client": verdicts("clients", "client")}
    print(f"autobahn: {len(CASES)} cases in each role: {counted}")
    now = tree()
    if FULL and all(counted.values()):
        if now is None:
            print("autobahn: docs/autobahn.tsv is not written: include/ is not committed")
            return 1
        today = datetime.date.today().isoformat()
        with open(RECORD, "w", encoding="utf-8") as f:
            f.write("date\trole\tOK\tINFORMATIONAL\ttree of include/navette\n")
            for role, of in counted.items():
                f.write(f"{today}\t{role}\t{of['OK']}\t{of['INFORMATIONAL']}\t{now}\n")
    try:
        with open(RECORD, encoding="utf-8") as f:
            recorded = {line.rstrip("\n").split("\t")[-1] for line in f.readlines()[1:]}
    except OSError:
        recorded = set()
    if recorded != {now}:
        print("STALE: docs/autobahn.tsv was measured on another tree; run tests/interop/autobahn.sh --full")
    return 0 if all(counted.values()) else 1


sys.exit(main())
