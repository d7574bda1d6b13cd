#!/usr/bin/env python3
# Times codec_bench and writes all samples to a JSON file. In every round each group is run at each size, its rows
# interleaved at random by Google Benchmark, so that what else the machine does hits the rows that are compared alike;
# sample i of one row and sample i of another are at most seconds apart.
import argparse
import json
import os
import pathlib
import platform
import re
import subprocess
import sys


def output_of(*command):
    # Google Benchmark tells on standard error what it thinks of the machine.
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True,
                          text=True).stdout


def show(progress):
    if sys.stderr.isatty():
        print(f"\r{progress:40}\r", end="", file=sys.stderr, flush=True)


def field_of_cpuinfo(name):
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        for line in lines:
            if line.split(":")[0].strip() == name:
                return line.split(":", 1)[1].strip()
    return ""


def caches():
    found = []
    for index in sorted(pathlib.Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        told = ((index / name).read_text().strip() for name in ("level", "type", "size"))
        level, kind, size = told
        if kind != "Instruction":
            found.append(f"L{level} {size}")
    return found


def machine():
    told = ["sse2", "ssse3", "avx2", "avx512f", "avx512bw", "avx512vl", "avx512vbmi", "sha_ni",
            "asimd", "sha1"]
    flags = (field_of_cpuinfo("flags") or field_of_cpuinfo("Features")).split()
    return {
        "architecture": platform.machine(),
        "cpu": field_of_cpuinfo("model name"),
        "family": field_of_cpuinfo("cpu family"),
        "model": field_of_cpuinfo("model"),
        "processors": os.cpu_count(),
        "virtual": "hypervisor" in flags,
        "instruction_sets": [flag for flag in told if flag in flags],
        "caches": caches(),
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", ""),
        "kernel": platform.release(),
    }


def versions(packages):
    lines = output_of("dpkg-query", "-W", "-f", "${Package} ${Version}\n", *packages).splitlines()
    found = dict(line.split(" ", 1) for line in lines)
    with open("include/navette/version.hpp", encoding="utf-8") as header:
        found["navette"] = re.search(r'NAVETTE_VERSION "([^"]*)"', header.read()).group(1)
    found["compiler"] = output_of("g++-12", "--version").splitlines()[0]
    return found


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
