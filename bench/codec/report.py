#!/usr/bin/env python3
# Makes the page about the codec of what measure.py wrote: method, machine, targets beside figures, all rows. The page
# goes to the file and to the screen. Nothing in it is typed by hand but method.md.
import json
import pathlib
import statistics
import sys

import targets

GROUPS = {
    "mask": "Unmasking in place",
    "mask-unaligned": "Unmasking in place, each payload where a frame's header puts it",
    "utf8-ascii": "UTF-8 validation, ASCII",
    "utf8-mixed": "UTF-8 validation, two- and three-byte characters",
    "fused-ascii": "Unmasking and validation, ASCII",
    "fused-mixed": "Unmasking and validation, two- and three-byte characters",
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


def quartiles(samples):
    low, _, high = statistics.quantiles(samples, n=4, method="inclusive")
    return low, statistics.median(samples), high


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
        """Quartiles of the ratios of samples taken together, and between them the ratio of the medians."""
        a, b = self.net(other), self.net(own)
        low, _, high = quartiles([x / y for x, y in zip(a, b)])
        return low, statistics.median(a) / statistics.median(b), high


def digits(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def between(low, high):
    return f"{digits(low)} – {digits(high)}"


def size_of(size):
    if size >= 1 << 20 and size % (1 << 20) == 0:
        return f"{size >> 20} MiB"
    return f"{size >> 10} KiB" if size >= 1024 and size % 1024 == 0 else f"{size} B"


def table(head, rows):
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    line = lambda cells: "| " + " | ".join(
        cell.ljust(width) if i < 2 else cell.rjust(width) for i, (cell, width) in enumerate(zip(cells, widths))) + " |"
    rule = "|" + "|".join("-" * (width + 2) if i < 2 else "-" * (width + 1) + ":" for i, width in enumerate(widths)) + "|"
    return [line(head), rule, *map(line, rows), ""]


def instruction_set(results):
    sets = results.told["machine"]["instruction_sets"]
    return targets.AVX512 if "avx512bw" in sets else targets.AVX2 if "avx2" in sets else "neither"


def target_tables(results):
    widest = instruction_set(results)

    def judge(target):
        own = statistics.median(results.samples(target["own"]))
        if "most_ns" in target:
            low, median, high = quartiles(results.samples(target["own"]))
            return [target["what"], f"at most {digits(target['most_ns'])} ns", f"{digits(median)} ns",
                    between(low, high), "reached" if median <= target["most_ns"] else "MISSED"]
        least = target["least"].get(widest) if isinstance(target["least"], dict) else target["least"]
        low, median, high = results.ratio(target["other"], target["own"])
        other = statistics.median(results.samples(target["other"]))
        verdict = "no demand" if least is None else "reached" if median >= least else "MISSED"
        return [target["what"], "none" if least is None else f"at least {least}",
                f"{digits(median)} ({digits(other)} / {digits(own)} ns)", between(low, high), verdict]

    lines = []
    for title, wanted in (("Demanded", targets.DEMANDS), ("Aimed at", targets.AIMS)):
        judged = [judge(target) for target in wanted]
        reached = sum(row[-1] == "reached" for row in judged)
        lines += [f"### {title}: {reached} of {len(judged)} reached", ""]
        lines += table(["what, against whom", "wanted", "measured", "quartiles", ""], judged)
    return lines


def group_table(results, group):
    rows = sorted((row for row in results.rows.values() if row["group"] == group), key=lambda row: row["size"])
    timed = not group.startswith("handshake")
    cells = []
    for row in rows:
        name = f"{group}/{row['peer']}/{row['size']}"
        own = f"{group}/navette/{row['size']}"
        low, median, high = quartiles(row["samples"])
        first, times, last = results.ratio(name, own)
        cells.append([size_of(row["size"]), row["peer"], digits(median), between(low, high)]
                     + ([digits(row["bytes"] / row["operations"] / median)] if timed else [])
                     + (["1", ""] if name == own else
                        ["", ""] if row["peer"] == SUBTRACTED.get(group) else [digits(times), between(first, last)]))
    head = ["size", "row", "ns", "quartiles"] + (["GB/s"] if timed else []) + ["times navette's", "quartiles"]
    return table(head, cells)


def page(results):
    machine, versions, method = (results.told[key] for key in ("machine", "versions", "method"))
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
        f"- Machine: {machine['cpu']}, family {machine['family']}, model {machine['model']}, {machine['architecture']}, "
        f"{machine['processors']} processors{', virtual' if machine['virtual'] else ''}; "
        f"{', '.join(machine['caches'])}.",
        f"- Instruction sets: {', '.join(machine['instruction_sets'])}; the demands are those for "
        f"{instruction_set(results)}.",
        f"- System: {machine['system']}, Linux {machine['kernel']}; {versions['compiler']}, `-O3 -DNDEBUG`.",
        f"- navette {versions['navette']}; " + ", ".join(f"{name} {versions[key]}" for key, name in peers.items()) + ".",
        f"- {method['rounds']} rounds of {method['repetitions']} samples of {method['min_time_s']} s for each row, in "
        f"{method['unit']}; load average {method['load'][0]} before, {method['load'][1]} after.",
        "",
        "## Targets",
        "",
        "A ratio is the other's time divided by navette's: medians, then the quartiles of the ratios of samples taken "
        "together.",
        "",
        *target_tables(results),
        "## All rows",
        "",
    ]
    for group, title in GROUPS.items():
        lines += [f"### {title}", "", *group_table(results, group)]
    return "\n".join(lines).rstrip("\n") + "\n"


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: report.py SAMPLES.json PAGE.md")
    with open(sys.argv[1], encoding="utf-8") as samples:
        results = Results(json.load(samples))
    unknown = {row["group"] for row in results.rows.values()} ^ set(GROUPS)
    if unknown:
        sys.exit(f"report.py: groups without a table, or tables without a group: {', '.join(sorted(unknown))}")
    text = page(results)
    with open(sys.argv[2], "w", encoding="utf-8") as out:
        out.write(text)
    print(text, end="")


main()
