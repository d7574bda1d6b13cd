#!/usr/bin/env python3
"""Counts the instructions of the workloads under callgrind and compares them with the figures that are kept: a workload
that costs more than 3 % more fails, and so does hostile input that costs more for each byte the more there is of it."""

import argparse
import os
import re
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

HERE = Path(__file__).resolve().parent
MOST_COST = 1.03    # times the figure that is kept
FLAT = 0.05         # of the instructions for a byte, from n bytes to sixteen times n
SETS = ("avx2", "portable")

Figure = namedtuple("Figure", "compiler set workload instructions")


def count(program, instruction_set, profile):
    profile.unlink(missing_ok=True)
    subprocess.run(["valgrind", "-q", "--tool=callgrind", "--instr-atstart=no", "--combine-dumps=yes",
                    f"--callgrind-out-file={profile}", program, instruction_set], check=True)


def counted(profile):
    """{workload: instructions}, in the order in which they ran"""
    parts = re.findall(r"^desc: Trigger: Client Request: (.+)\n(?:.*\n)*?^summary: (\d+)$", profile.read_text(), re.M)
    return {name: int(instructions) for name, instructions in parts}


def read(path):
    lines = path.read_text().splitlines() if path.exists() else []
    figures = [Figure(*line.split("\t")) for line in lines[1:]]
    return [f._replace(instructions=int(f.instructions)) for f in figures]


def write(path, figures):
    path.write_text("\n".join("\t".join(map(str, row)) for row in [Figure._fields, *sorted(figures)]) + "\n")


def say(line):
    print(line)
    if results := os.environ.get("NAVETTE_RESULTS"):
        with open(results, "a") as file:
            file.write(line + "\n")


def judge(name, why_not):
    say(f"FAIL {name}: {why_not}" if why_not else f"PASS {name}")
    return bool(why_not)


def judge_cost(compiler, instruction_set, counts, kept):
    """How many workloads cost more than they may; names those of which nothing is kept, and those that are gone."""
    known = {f.workload: f.instructions for f in kept if (f.compiler, f.set) == (compiler, instruction_set)}
    failed = 0
    for workload in list(counts) + [w for w in known if w not in counts]:
        now, before = counts.get(workload), known.get(workload)
        why_not = None
        if now is None:
            why_not = "it is kept, and not there any more"
        elif before is None:
            why_not = f"it takes {now:,}, and nothing is kept of it for {compiler}"
        elif now > before * MOST_COST:
            why_not = f"it takes {now:,}, {now / before - 1:.1%} more than {before:,}"
        elif now * MOST_COST < before:
            print(f"     {workload} takes {now:,}, {1 - now / before:.1%} less than {before:,}: keep it")
        failed += judge(f"instructions ({instruction_set}): {workload}", why_not)
    return failed


def judge_growth(instruction_set, counts):
    failed = 0
    sizes = {}
    for workload, instructions in counts.items():
        name, size = workload.rsplit(": ", 1)
        sizes.setdefault(name, []).append((int(size), instructions / int(size)))
    for name, ((n, few), (_, many)) in sizes.items():
        why_not = None
        if abs(many / few - 1) > FLAT:
            why_not = f"{few:.1f} for each of {n:,} bytes, {many:.1f} for each of sixteen times as many"
        failed += judge(f"instructions ({instruction_set}): {name}", why_not)
    return failed


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("program", help="the workloads, compiled")
    options.add_argument("compiler", help="and by what: a name and a version")
    options.add_argument("--kept", type=Path, default=HERE / "counts.tsv", help="the file of the figures")
    options.add_argument("--write", action="store_true", help="keep what is counted now")
    options.add_argument("--again", action="store_true", help="judge what was counted the last time")
    options.add_argument("--scratch", type=Path, default=Path("build/instructions"), help="where that is kept")
    asked = options.parse_args()

    kept, failed, new = read(asked.kept), 0, []
    for instruction_set in SETS:
        profile = asked.scratch / f"{instruction_set}.callgrind"
        if not asked.again:
            count(asked.program, instruction_set, profile)
        counts = counted(profile)
        if not counts:
            sys.exit("callgrind has counted nothing")
        hostile = {w: n for w, n in counts.items() if w.startswith("hostile: ")}
        usual = {w: n for w, n in counts.items() if w not in hostile}
        new += [Figure(asked.compiler, instruction_set, w, n) for w, n in usual.items()]
        if not asked.write:
            failed += judge_cost(asked.compiler, instruction_set, usual, kept)
        failed += judge_growth(instruction_set, hostile)
    if asked.write:
        write(asked.kept, [f for f in kept if f.compiler != asked.compiler] + new)
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
