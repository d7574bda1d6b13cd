"""The interop matrix: every peer of peers/matrix/peers.py, in every role and scenario, against matrix_end. What both ends saw
is compared with what has to be seen; with --all it is written to docs/interop.md."""

import argparse
import json
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

from cases import BUILD, Program, report
from installing import Missing, install, version
from matrix_page import current_shape, page
from peers import PEERS

OURS = os.path.join(BUILD, "tests", "matrix_end")
PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "interop.md")


def expected_of(scenario):
    """What has to be seen, by the name of what is looked at."""
    facts = {"end": "closed 1000", "subprotocol": "echo", "compressed": "neither way", "what came back": "what was sent",
             "what it took": "what was sent", "its end": "1000"}
    more = {
        "compressed": {"compressed": "both ways"},
        "compressed-empty": {"compressed": "both ways"},
        "fragmented": {"continuations sent": 6 * 6},
        "empty-frames": {"continuations sent": 2 * 4},
        "refragmented": {"continuations received": 6 * 4},
        "pings": {"pings sent": 100, "pongs received": 100},
        "pinged": {"pings received": 100, "pongs sent": 100, "pongs it saw": 100},
        "close": {"its end": "1000 enough"},
        "close-bare": {"end": "closed 1005", "its end": "1005"},
        "closed": {"end": "closed 1000 enough"},
        "closed-bare": {"end": "closed 1005", "its end": "1005"},
        "cut": {"end": "cut", "its end": "1006", "closes sent": 0},
        "was-cut": {"end": "cut by the peer", "its end": None, "closes received": 0},
    }
    return facts | more.get(scenario, {})


# What our end says when a transport has ended without a Close: by a FIN, by a reset, or within TLS.
CUT = ("failed: the transport ended before the closing handshake was complete (RFC 6455, 7.1.5)",
       "failed: Connection reset by peer",
       "failed: the transport ended without the mark that its engine ends a stream with: it may have been cut (RFC 8446, 6.1)")


def found_in(scenario, ours, theirs):
    sent, received = ours["sent"], ours["received"]
    agreed = "permessage-deflate" in ours["extensions"]
    ways = [way for way, frames in (("ours", sent), ("its", received)) if "compressed" in frames]
    same = {True: "what was sent", False: "something else"}
    their_end = str(theirs["code"])
    if scenario == "close" and theirs["reason"]:
        their_end += " " + theirs["reason"]
    return {
        "end": "cut by the peer" if scenario == "was-cut" and ours["end"] in CUT else ours["end"],
        "subprotocol": ours["subprotocol"],
        "compressed": "both ways" if agreed and len(ways) == 2 else "neither way" if not agreed and not ways
                      else f"{'agreed' if agreed else 'not agreed'}, {' and '.join(ways) or 'none'} marked",
        "what came back": same[ours["sent_sha256"] == ours["received_sha256"]],
        "what it took": same[ours["sent_sha256"] == theirs["sha256"]],
        "its end": None if scenario == "was-cut" else their_end,
        "continuations sent": sent.get("continuation", 0),
        "continuations received": received.get("continuation", 0),
        "pings sent": sent.get("ping", 0),
        "pings received": received.get("ping", 0),
        "pongs sent": sent.get("pong", 0),
        "pongs received": received.get("pong", 0),
        "pongs it saw": theirs["pongs"],
        "closes sent": sent.get("close", 0),
        "closes received": received.get("close", 0),
    }


def differences(peer, role, scenario, ours, theirs):
    """What differs from what has to be seen, in words; nothing if all is well."""
    expected = expected_of(scenario) | peer.quirks.get(f"{role} {scenario}", ({}, ""))[0]
    found = found_in(scenario, ours, theirs)
    return "; ".join(f"{name}: found {found[name]!r}, expected {value!r}" for name, value in expected.items()
                     if name not in peer.silent and found[name] != value)


def line_of(program):
    """The next line of JSON that a program prints."""
    line = program.line()
    if not line:
        status, _, err = program.end(patience=5)
        raise AssertionError(f"it ended with status {status}: {err[-500:]}")
    return json.loads(line)


def port_of(program):
    line = program.line()
    if not line.startswith("listening on "):
        raise AssertionError(f"it does not listen: {line} {program.end(patience=5)[2][-500:]}")
    return line.removeprefix("listening on ")


class Run:
    """The scenarios of one peer in one role, one after the other; a peer that has failed is started again. `reach(port)` is the
    beginning of the URL by which who listens there is reached."""

    def __init__(self, peer, role, command, scenarios, options=(), reach=lambda port: f"ws://127.0.0.1:{port}"):
        self.peer, self.role, self.command, self.scenarios, self.reach = peer, role, command, scenarios, reach
        self.options = [*peer.ours, *options]
        self.theirs = self.ours = None

    def __call__(self, scenario):
        """What our end saw, and what the peer did."""
        try:
            return self._as_client(scenario) if self.role == "client" else self._as_server(scenario)
        except BaseException:
            self.end()
            raise

    def _as_server(self, scenario):
        if self.theirs is None:
            self.theirs = Program(*self.command, "server")
            self.url = self.reach(port_of(self.theirs)) + self.peer.path
        status, out, err = Program(OURS, *self.options, "client", scenario, self.url).end()
        if status != 0:
            raise AssertionError(f"our end: status {status}, {out} {err}")
        return json.loads(out), line_of(self.theirs)

    def _as_client(self, scenario):
        if self.ours is None:
            self.ours = Program(OURS, *self.options, "server")
            url = self.reach(port_of(self.ours))
            ahead = self.scenarios[self.scenarios.index(scenario):]
            self.theirs = Program(*self.command, "client", *[f"{url}/{each}" for each in ahead])
        theirs = line_of(self.theirs)
        if "error" in theirs:  # our end may have seen nothing of it, and would tell of the next one instead
            self.ours.signal(signal.SIGKILL)
            told = self.ours.end()[1].strip()
            raise AssertionError(f"it could not open: {theirs['error']}; our end: {told or 'nothing'}")
        return line_of(self.ours), theirs

    def end(self):
        for program in (self.theirs, self.ours):
            if program is not None:
                program.kill()
        self.theirs = self.ours = None


def try_case(name, what_is_wrong):
    """Reports a case; `what_is_wrong` tries it and says that, if anything is. Whether it has failed."""
    try:
        wrong = what_is_wrong()
    except Exception as error:  # a case may fail in any way
        wrong = " ".join(f"{type(error).__name__} {error}".split())
    report(f"FAIL {name}: {wrong}" if wrong else f"PASS {name}")
    return bool(wrong)


def try_peer(peer, command, seen):
    """Runs its cases and notes in `seen` what was seen; how many have failed."""
    failed = 0
    for role in peer.roles:
        scenarios = [each for of, each in peer.cases() if of == role]
        run = Run(peer, role, command, scenarios)

        def what_is_wrong(scenario):
            ours, theirs = run(scenario)
            seen[peer.name, role, scenario] = ours
            return differences(peer, role, scenario, ours, theirs)

        for scenario in scenarios:
            failed += try_case(f"matrix {peer.name} {role}: {scenario}", lambda: what_is_wrong(scenario))
        run.end()
    return failed


def try_peers(chosen, may_be_missing, ahead, seen, versions):
    """Those peers' cases, as soon as each is installed; how many have failed."""
    failed = 0
    installing = {ahead.submit(install, peer): peer for peer in chosen}
    waited = time.monotonic()
    for installed in as_completed(installing):
        peer = installing[installed]
        try:
            command = installed.result()
        except Missing as why:
            allowed = peer.name in may_be_missing
            report(f"{'SKIP' if allowed else 'FAIL'} matrix {peer.name}: {why}")
            failed += not allowed
            continue
        began = time.monotonic()
        versions[peer.name] = version(peer)
        failed += try_peer(peer, command, seen)
        print(f"     {peer.name} {versions[peer.name]}: {began - waited:.1f} s until installed, "
              f"{time.monotonic() - began:.1f} s", flush=True)
        waited = time.monotonic()
    return failed


def main():
    parser = argparse.ArgumentParser(prog="tests/interop/run.sh", allow_abbrev=False, description=__doc__)
    parser.error = lambda why: (print(f"tests/interop/run.sh: {why}", file=sys.stderr), sys.exit(2))
    parser.add_argument("--all", action="store_true", help="every peer, and docs/interop.md is written")
    parser.add_argument("--allow-skip", metavar="PEER", action="append", default=[],
                        help="with --all: this peer need not be there; what the page says of it is kept")
    parser.add_argument("--only", metavar="PEER", action="append", default=[],
                        help="for developers: these peers alone; with --all the rest of the page is kept")
    options = parser.parse_args()
    names = [peer.name for peer in PEERS]
    for name in options.allow_skip + options.only:
        if name not in names:
            parser.error(f"there is no peer {name}; the peers are: {', '.join(names)}")

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    chosen = [peer for peer in PEERS if (peer.name in options.only if options.only else options.all or peer.every_run)]
    seen, versions, ahead = {}, {}, ThreadPoolExecutor(2)
    try:
        failed = try_peers(chosen, options.allow_skip, ahead, seen, versions)
    finally:
        ahead.shutdown(wait=False, cancel_futures=True)
        for program in list(Program.running):
            program.kill()

    if options.all:
        text = page(seen, versions, PAGE)
        with open(PAGE, "w", encoding="utf-8") as file:
            file.write(text)
    wrong = current_shape(PAGE)
    report(f"FAIL matrix docs/interop.md is current: {wrong}" if wrong else "PASS matrix docs/interop.md is current")
    sys.exit(1 if failed or wrong else 0)


if __name__ == "__main__":
    main()
