#!/usr/bin/env python3
"""Compiles each subject in turn, several rounds, and writes what it took: seconds of user time, the compiler's largest
memory, the object, the stripped program."""

import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

import subjects

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import machine


def run(command, source=None):
    """(seconds of user time, bytes of memory at most) of a command and all that it starts; fails with its words"""
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=said, stderr=subprocess.STDOUT)
        child.stdin.write((source or "").encode())
        child.stdin.close()
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            said.seek(0)
            sys.exit(f"{' '.join(command)}:\n{said.read().decode(errors='replace')}")
    return used.ru_utime, used.ru_maxrss * 1024


def compiled(subject, optimised, scratch):
    flags = ["g++-12", f"-std={subject.standard}", *optimised, "-Iinclude", "-Iexamples", "-Ibench/server", *subject.flags]
    if subject.header:
        text = "".join(f"#include <{header}>\n" for header in subject.sources)
        seconds, memory = run([*flags, "-fsyntax-only", "-x", "c++", "-"], text)
        return {"seconds": seconds, "memory": memory}
    units = []
    for i, source in enumerate(subject.sources):
        made = scratch / f"{i}.o"
        text = source if source.startswith("#") else None
        seconds, memory = run([*flags, "-c", "-o", str(made), "-x", "c++", "-" if text else source], text)
        units.append({"seconds": seconds, "memory": memory, "object": made.stat().st_size})
    program = scratch / "program"
    objects = [str(scratch / f"{i}.o") for i in range(len(units))]
    run(["g++-12", "-s", "-o", str(program), *objects, "-pthread"])
    return {**units[0], "program": program.stat().st_size, "rest": units[1:]}


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("results", type=pathlib.Path, help="the file that is written")
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--only", nargs="*", help="the names of the subjects; all by default")
    options.add_argument("--packages", default="", help="those whose versions are told")
    asked = options.parse_args()

    samples = {}
    load = [os.getloadavg()[0]]
    with tempfile.TemporaryDirectory() as scratch:
        for i in range(asked.rounds):
            todo = [(subject, level) for subject in subjects.SUBJECTS for level in subjects.LEVELS
                    if (level == subjects.LEVELS[0] or not subject.header) and (not asked.only or subject.name in asked.only)]
            random.shuffle(todo)
            for n, (subject, level) in enumerate(todo):
                machine.show(f"round {i + 1} of {asked.rounds}: {n} of {len(todo)}")
                taken = compiled(subject, level.split(), pathlib.Path(scratch))
                samples.setdefault(subject.name, {}).setdefault("" if subject.header else level, []).append(taken)
    load.append(os.getloadavg()[0])
    told = {"machine": machine.machine(), "versions": machine.versions(asked.packages.split()),
            "method": {"rounds": asked.rounds, "load": load}, "samples": samples}
    asked.results.write_text(json.dumps(told, indent=1) + "\n")


main()
