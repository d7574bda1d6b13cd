#!/usr/bin/env python3
# Times codec_bench and writes all samples to a JSON file. In every round each group is run at each size, its rows
# interleaved at random by Google Benchmark, so that what else the machine does hits the rows that are compared alike;
# sample i of one row and sample i of another are at most seconds apart.
import argparse
import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from machine import machine, output_of, show, versions


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("out")
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--repetitions", type=int, required=True)
    parser.add_argument("--min-time", type=float, required=True, help="seconds of one sample")
    parser.add_argument("--packages", required=True)
    options = parser.parse_args()

    names = output_of(options.binary, "--benchmark_list_tests").split()
    windows = {}
    for name in names:
        group, _, size = name.split("/")
        windows.setdefault((group, size), []).append(name)

    load_before = os.getloadavg()[0]
    rows = {}
    for round_ in range(options.rounds):
        for done, (group, size) in enumerate(windows):
            show(f"round {round_ + 1} of {options.rounds}, {done} of {len(windows)}")
            report = json.loads(output_of(
                options.binary, f"--benchmark_filter=^{group}/[^/]*/{size}$",
                "--benchmark_format=json", "--benchmark_enable_random_interleaving=true",
                f"--benchmark_repetitions={options.repetitions}",
                f"--benchmark_min_time={options.min_time}"))
            runs = [run for run in report["benchmarks"] if run["run_type"] == "iteration"]
            for run in sorted(runs, key=lambda run: run["repetition_index"]):
                assert run["time_unit"] == "ns"
                row = rows.setdefault(run["run_name"], {"samples": []})
                row["operations"], row["bytes"] = int(run["operations"]), int(run["bytes"])
                row["samples"].append(round(run["cpu_time"] / run["operations"], 4))
    show("")

    expected = options.rounds * options.repetitions
    for name in names:
        if len(rows.get(name, {"samples": []})["samples"]) != expected:
            sys.exit(f"measure.py: {name} has not {expected} samples")

    head = {
        "machine": machine(),
        "versions": versions(options.packages.split()),
        "method": {"rounds": options.rounds, "repetitions": options.repetitions,
                   "min_time_s": options.min_time, "unit": "ns of CPU time per operation",
                   "load": [round(load_before, 2), round(os.getloadavg()[0], 2)]},
    }
    with open(options.out, "w", encoding="utf-8") as out:
        out.write(json.dumps(head, indent=1)[:-2] + ',\n "rows": {\n')
        out.write(",\n".join(f"  {json.dumps(name)}: {json.dumps(rows[name])}" for name in names))
        out.write("\n }\n}\n")


main()
