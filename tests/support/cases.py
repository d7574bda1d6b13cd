"""Cases of the tests in Python: one line each, PASS, FAIL or SKIP, to the file $NAVETTE_RESULTS and to the screen.

A module decorates its functions with @case("a sentence") and ends with run(). A case fails by any exception.
"""

import os
import subprocess
import sys
import threading
import time
import traceback

BUILD = os.environ.get("NAVETTE_BUILD", os.path.join(os.path.dirname(__file__), "..", "..", "build", "release"))
PATIENCE = 40  # seconds that anything here may take before it counts as hanging

_cases = []


def case(name):
    def add(function):
        _cases.append((name, function))
        return function
    return add


def equal(found, expected):
    if found != expected:
        raise AssertionError(f"found {_short(found)}, expected {_short(expected)}")


def holds(condition, sentence):
    if not condition:
        raise AssertionError(sentence)


def _short(value):
    text = repr(value)
    return text if len(text) < 300 else f"{text[:300]}... ({len(text)} characters)"


def report(line):
    print(line + "\n", end="", flush=True)  # in one piece, whoever else prints
    if "NAVETTE_RESULTS" in os.environ:
        with open(os.environ["NAVETTE_RESULTS"], "a", encoding="utf-8") as results:
            results.write(line + "\n")


def run(prefix):
    failed = 0
    for name, function in _cases:
        began = time.monotonic()
        try:
            function()
            report(f"PASS {prefix} {name}")
        except Exception as error:  # a case may fail in any way
            failed += 1
            traceback.print_exc(file=sys.stdout)
            reason = " ".join(f"{type(error).__name__} {error}".split())
            report(f"FAIL {prefix} {name}: {reason}")
        finally:
            for program in list(Program.running):
                program.kill()
        took = time.monotonic() - began
        if took > 2:
            print(f"     ({took:.1f} s)", flush=True)
    sys.exit(1 if failed else 0)


class Program:
    """A program of examples/ (or any path), started with pipes; killed at the end of its case if it still runs."""

    running = []

    def __init__(self, name, *options, stdin=subprocess.PIPE, cwd=None):
        path = name if "/" in name else os.path.join(BUILD, "examples", name)
        self.process = subprocess.Popen([path, *options], stdin=stdin, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, cwd=cwd)
        Program.running.append(self)

    @property
    def pid(self):
        return self.process.pid

    def line(self):
        """The next line of standard output, without its end."""
        return _within(PATIENCE, self.process.stdout.readline).decode().removesuffix("\n")

    def write(self, data):
        self.process.stdin.write(data if isinstance(data, bytes) else data.encode())
        self.process.stdin.flush()

    def signal(self, number):
        self.process.send_signal(number)

    def end(self, data=None, patience=PATIENCE):
        """Closes its input and waits for it: (status, standard output, standard error)."""
        if data is not None and not isinstance(data, bytes):
            data = data.encode()
        try:
            out, err = self.process.communicate(data, timeout=patience)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.process.args[0]} did not end within {patience} s") from None
        if self in Program.running:
            Program.running.remove(self)
        return self.process.returncode, out.decode(errors="replace"), err.decode(errors="replace")

    def kill(self):
        self.process.kill()
        self.process.communicate()
        if self in Program.running:
            Program.running.remove(self)


def _within(seconds, function):
    result = []
    thread = threading.Thread(target=lambda: result.append(function()), daemon=True)
    thread.start()
    thread.join(seconds)
    if not result:
        raise AssertionError(f"nothing within {seconds} s")
    return result[0]


def call(name, *options, stdin=""):
    return Program(name, *options).end(stdin)


def refused(name, *options, status, words):
    """The program ends with `status`, nothing on standard output and one line on standard error that has all `words`."""
    code, out, err = call(name, *options)
    equal((code, out), (status, ""))
    holds(err.endswith("\n") and err.count("\n") == 1, f"not one line on standard error: {err!r}")
    for word in words:
        holds(word in err, f"{word!r} is not in {err!r}")
