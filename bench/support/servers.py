# The servers that a benchmark starts, each pinned to the first processor, and the generator, pinned to the last, that loads
# them. What fails ends the run with a line that says which server and why.
import json
import os
import random
import signal
import subprocess
import sys

from machine import machine, show, versions

PROCESSORS = sorted(os.sched_getaffinity(0))
LOAD_BEFORE = os.getloadavg()[0]
PATIENCE = 20  # seconds that a server has to say where it listens


def pinned(place):
    """For a child: to the first processor (0) or the last (-1), if there are two."""
    return lambda: os.sched_setaffinity(0, {PROCESSORS[place]})


class Server:
    """A program that says on its first line `listening on URL`. Ends with this one at the latest."""

    running = []

    def __init__(self, name, command):
        self.name = name
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        preexec_fn=pinned(0))
        Server.running.append(self)
        signal.alarm(PATIENCE)
        line = self.process.stdout.readline().decode().strip()
        signal.alarm(0)
        if not line.startswith("listening on "):
            self.end()
            sys.exit(f"bench: {name} does not say where it listens: {line!r}")
        self.url = line.removeprefix("listening on ")
        self.pid = self.process.pid

    def end(self):
        self.process.kill()
        self.process.wait()
        Server.running.remove(self)


def load(generator, server, wanted, seconds):
    """One run of the generator: what it found in `seconds`, behind a fifth of them that is not measured; 0: what ends by itself.
    An echo of raw bytes knows no text."""
    options = [*wanted, "--seconds", str(seconds), "--warmup", str(seconds / 5)] if seconds else wanted
    if server.url.startswith("tcp:"):
        options = [word for word in options if word not in ("--text", "--characters", "mixed")]
    command = [generator, "--json", "--url", server.url, *options]
    if server.pid is not None:
        command += ["--pid", str(server.pid)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
                          timeout=seconds + 540, preexec_fn=pinned(-1))
    if done.returncode != 0:
        sys.exit(f"bench: {server.name} at {server.url}: {done.stderr.strip()} ({' '.join(options)})")
    return json.loads(done.stdout)


def shuffled_rounds(rounds, servers, name):
    """Each server once in every round, in another order, so that what else the machine does hits all of them alike."""
    for round_ in range(rounds):
        for server in random.sample(servers, len(servers)):
            show(f"round {round_ + 1} of {rounds}: {name}, {server.name}")
            yield server


def fan_out(generator, servers, rounds, subscribers, size, seconds):
    """Publishes messages of `size` bytes to so many: (server, what was found), in shuffled rounds."""
    for server in shuffled_rounds(rounds, servers, f"publishing to {subscribers}"):
        yield server, load(generator, server, ["--fan-out", "--connections", str(subscribers), "--size", str(size),
                                               "--patience", "60"], seconds)


def write_results(out, packages, method, rows):
    """All samples, and where they come from."""
    show("")
    method["load"] = [round(LOAD_BEFORE, 2), round(os.getloadavg()[0], 2)]
    told = {"machine": machine(), "versions": versions(packages.split()),
            "method": {**method, "pinned": len(PROCESSORS) > 1}}
    with open(out, "w", encoding="utf-8") as results:
        results.write(json.dumps(told, indent=1)[:-2] + ',\n "rows": {\n')
        results.write(",\n".join(f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items()))
        results.write("\n }\n}\n")


def run(main):
    """Runs the program, and ends what it has started."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: ended by a signal"))
    signal.signal(signal.SIGALRM, lambda *_: sys.exit("bench: a server does not say where it listens"))
    try:
        main()
    finally:
        for left in list(Server.running):
            left.end()
