# What the pages of the benchmarks are made of: figures with three digits that matter, quartiles, tables.
import json
import pathlib
import statistics
import sys

from chart import draw


def quartiles(samples):
    if len(samples) == 1:
        return samples[0], samples[0], samples[0]
    low, _, high = statistics.quantiles(samples, n=4, method="inclusive")
    return low, statistics.median(samples), high


def digits(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def between(low, high):
    return f"{digits(low)} – {digits(high)}"


def size_of(size):
    if size >= 1 << 20 and size % (1 << 20) == 0:
        return f"{size >> 20} MiB"
    return f"{size >> 10} KiB" if size >= 1024 and size % 1024 == 0 else f"{size} B"


def table(head, rows, texts=2):
    """The first columns are text, the others figures."""
    widths = [max(map(len, column)) for column in zip(head, *rows)]

    def line(cells):
        aligned = [cell.ljust(width) if i < texts else cell.rjust(width)
                   for i, (cell, width) in enumerate(zip(cells, widths))]
        return f"| {' | '.join(aligned)} |"

    rules = ["-" * (width + 1) + ("-" if i < texts else ":") for i, width in enumerate(widths)]
    return [line(head), f"|{'|'.join(rules)}|", *map(line, rows), ""]


def machine_lines(machine):
    return [f"- Machine: {machine['cpu']}, family {machine['family']}, model {machine['model']}, {machine['architecture']}, "
            f"{machine['processors']} processors{', virtual' if machine['virtual'] else ''}; {', '.join(machine['caches'])}.",
            f"- System: {machine['system']}, Linux {machine['kernel']}."]


def rounds_line(method, more=""):
    return (f"- {method['rounds']} rounds of samples of {method['seconds']} s{more}; "
            + ("server and generator each on a processor of its own; " if method["pinned"] else
               "ONE PROCESSOR FOR BOTH, server and generator; ")
            + f"load average {method['load'][0]} before, {method['load'][1]} after.")


def publish(page, charts=lambda told: {}):
    """The program `report.py SAMPLES.json PAGE.md [--charts]`: what `page` makes of the samples goes to the file and to the
    screen, and what `charts` makes of them to files beside it."""
    if len(sys.argv) not in (3, 4) or sys.argv[3:] not in ([], ["--charts"]):
        sys.exit("usage: report.py SAMPLES.json PAGE.md [--charts]")
    with open(sys.argv[1], encoding="utf-8") as samples:
        told = json.load(samples)
    text = page(told)
    with open(sys.argv[2], "w", encoding="utf-8") as out:
        out.write(text)
    if sys.argv[3:]:
        draw(charts(told), pathlib.Path(sys.argv[2]).parent)
    print(text, end="")
