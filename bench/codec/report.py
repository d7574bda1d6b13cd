#!/usr/bin/env python3
# Makes the page about the codec of what measure.py wrote: method, machine, targets beside figures, all rows. The page
# goes to the file and to the screen. Nothing in it is typed by hand but method.md.
import pathlib
import statistics
import sys

import targets

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from page import between, digits, machine_lines, publish, quartiles, size_of, table

GROUPS = {
    "mask": "Unmasking in place",
    "mask-unaligned": "Unmasking in place, each payload where a frame's header puts it",
    "utf8-ascii": "UTF-8 validation, ASCII",
    "utf8-mixed": "UTF-8 validation, two- and three-byte characters",
    "fused-ascii": "Unmasking and validation in one go (fused), ASCII",
    "fused-mixed": "Unmasking and validation in one go (fused), two- and three-byte characters",
    "receive-masked": "Receiving masked binary frames (a server)",
    "receive-unmasked": "Receiving unmasked binary frames (a client)",
    "receive-masked-text": "Receiving masked text frames, ASCII (a server)",
    "receive-unmasked-text": "Receiving unmasked text frames, ASCII (a client)",
    "echo": "Echo: receiving masked binary frames and sending them back (a server)",
    "handshake-server": "Opening handshake, server",
    "handshake-client": "Opening handshake, client",
    "prepared": "One 1 KiB text to 1000 connections, per connection",
}
# What a row's time contains that is not the peer's.
SUBTRACTED = {"handshake-client": "answering-alone"}


class Results:
    def __init__(self, told):
        self.told = told
        self.rows = {}
        for name, row in told["rows"].items():
            group, peer, size = name.split("/")
            self.rows[name] = dict(row, group=group, peer=peer, size=int(size))

    def samples(self, name):
        return self.rows[name]["samples"]

    def net(self, name):
        group, _, size = name.split("/")
        if group not in SUBTRACTED:
            return self.samples(name)
        without = statistics.median(self.samples(f"{group}/{SUBTRACTED[group]}/{size}"))
        return [max(sample - without, 0.01) for sample in self.samples(name)]

    def ratio(self, other, own):
        """Quartiles and median of the ratios of samples taken together."""
        return quartiles([a / b for a, b in zip(self.net(other), self.net(own))])


def instruction_set(results):
    sets = results.told["machine"]["instruction_sets"]
    return targets.AVX512 if "avx512bw" in sets else targets.AVX2 if "avx2" in sets else "neither"


def target_tables(results):
    widest = instruction_set(results)

    def said(reached):
        return "reached" if reached else "MISSED"

    def judge(target):
        own = statistics.median(results.samples(target["own"]))
        if "most_ns" in target:
            low, median, high = quartiles(results.samples(target["own"]))
            return [target["what"], f"at most {digits(target['most_ns'])} ns", digits(median),
                    between(low, high), "", digits(own), said(median <= target["most_ns"])]
        least = target["least"]
        if isinstance(least, dict):
            least = least.get(widest)
        low, median, high = results.ratio(target["other"], target["own"])
        other = statistics.median(results.samples(target["other"]))
        return [target["what"], "none" if least is None else f"at least {least}", digits(median),
                between(low, high), digits(other), digits(own),
                "" if least is None else said(median >= least)]

    lines = []
    for title, wanted in (("Demanded", targets.DEMANDS), ("Aimed at", targets.AIMS)):
        judged = [judge(target) for target in wanted]
        reached = sum(row[-1] == "reached" for row in judged)
        lines += [f"### {title}: {reached} of {len(judged)} reached", ""]
        lines += table(["what, against whom", "wanted", "measured", "quartiles", "its ns",
                        "navette's ns", "verdict"], judged)
    return lines


def group_table(results, group):
    rows = [row for row in results.rows.values() if row["group"] == group]
    cells = []
    for row in sorted(rows, key=lambda row: row["size"]):
        name = f"{group}/{row['peer']}/{row['size']}"
        own = f"{group}/navette/{row['size']}"
        low, median, high = quartiles(row["samples"])
        first, times, last = results.ratio(name, own)
        speed = row["bytes"] / row["operations"] / median
        compared = name != own and row["peer"] != SUBTRACTED.get(group)
        cells.append([size_of(row["size"]), row["peer"], digits(median), between(low, high),
                      "" if group.startswith("handshake") else digits(speed),
                      digits(times) if compared else "",
                      between(first, last) if compared else ""])
    return table(["size", "row", "ns", "quartiles", "GB/s", "times navette's", "quartiles"], cells)


def page(told):
    results = Results(told)
    unknown = {row["group"] for row in results.rows.values()} ^ set(GROUPS)
    if unknown:
        sys.exit(f"report.py: no table, or no group, of {', '.join(sorted(unknown))}")
    machine, versions, method = (told[key] for key in ("machine", "versions", "method"))
    about, system = machine_lines(machine)
    peers = {"libboost-dev": "Boost", "libwebsocketpp-dev": "websocketpp", "libwslay-dev": "wslay",
             "libsimdjson-dev": "simdjson", "libbenchmark-dev": "Google Benchmark"}
    lines = [
        "# The codec, measured",
        "",
        "Made by `bench/run.sh codec`; do not edit. All samples are in `codec.json`.",
        "",
        (pathlib.Path(__file__).parent / "method.md").read_text(encoding="utf-8").strip(),
        "",
        "## This run",
        "",
        about,
        f"- Instruction sets: {', '.join(machine['instruction_sets'])}; the demands are those for "
        f"{instruction_set(results)}.",
        system,
        f"- Compiler: {versions['compiler']}, `-O3 -DNDEBUG`.",
        f"- navette {versions['navette']}; "
        + ", ".join(f"{name} {versions[key]}" for key, name in peers.items()) + ".",
        f"- Each row: {method['rounds']} times {method['repetitions']} samples of "
        f"{method['min_time_s']} s, in {method['unit']}; load average {method['load'][0]} before, "
        f"{method['load'][1]} after.",
        "",
        "## Targets",
        "",
        "A ratio is the other's time divided by navette's, of samples taken together; told are the "
        "median of such ratios and their quartiles, here and in the tables below.",
        "",
        *target_tables(results),
        "## All rows",
        "",
    ]
    for group, title in GROUPS.items():
        lines += [f"### {title}", "", *group_table(results, group)]
    return "\n".join(lines).rstrip("\n") + "\n"


publish(page)
