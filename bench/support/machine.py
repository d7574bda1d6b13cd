# What a benchmark says of where it ran: the machine, the packages, the compiler; and its progress on a terminal.
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
