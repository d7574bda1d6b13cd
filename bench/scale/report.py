#!/usr/bin/env python3
# Makes the page about scale of what measure.py wrote: method, machine, tables, curves. Nothing in it is typed by hand but
# method.md.
import pathlib
import statistics
import sys

import targets

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from chart import curves
from page import digits, machine_lines, publish, quartiles, rounds_line, table


def counts(rows, curve, server):
    return sorted(int(row.split("/")[2]) for row in rows if row.startswith(f"{curve}/{server}/"))


def cost(rows, row):
    """Of the server's processor, for each message: ns."""
    return statistics.median(rows[row]["cpu_ns"])


def against(rows, curve, server, count, key):
    """The ratio of the samples of each round to the floor's: median and quartiles."""
    its, floor = rows[f"{curve}/{server}/{count}"][key], rows[f"{curve}/{targets.FLOOR}/{count}"][key]
    low, median, high = quartiles([a / b for a, b in zip(its, floor) if b != 0])
    return [f"{median:.2f}", f"{low:.2f} – {high:.2f}"]


def curve_table(rows, curve, names):
    cells = []
    for server in names:
        for count in counts(rows, curve, server):
            row   = f"{curve}/{server}/{count}"
            ratio = ["", ""] if server == targets.FLOOR else against(rows, curve, server, count, "per_second")
            cells.append([server, f"{count:,}", f"{statistics.median(rows[row]['per_second']):,.0f}",
                          f"{cost(rows, row):,.0f}", f"{statistics.median(rows[row]['busy']):.2f}", *ratio])
    return table(["server", "connections", "messages/s", "server ns", "generator busy", "times the floor's",
                  "quartiles"], cells, texts=1)


def fan_out_table(rows):
    cells = []
    for server in (targets.OWN, targets.FLOOR):
        for count in counts(rows, "fan-out", server):
            row   = f"fan-out/{server}/{count}"
            ratio = ["", ""] if server == targets.FLOOR else against(rows, "fan-out", server, count, "last_us")
            cells.append([server, f"{count:,}", digits(statistics.median(rows[row]["last_us"])), *ratio])
    return table(["server", "subscribers", "us until the last one has it", "times the floor's", "quartiles"], cells, texts=1)


def curve_chart(rows, curve, title, names):
    points = [{"name": server, "x": count, "y": cost(rows, f"{curve}/{server}/{count}") / 1000}
              for server in names for count in counts(rows, curve, server)]
    return curves("What a message costs the server", f"{title}; less is better", "connections",
                  "processor time of a message, us", points)


def fan_out_chart(rows):
    points = [{"name": server, "x": count, "y": statistics.median(rows[f"fan-out/{server}/{count}"]["last_us"]) / count}
              for server in (targets.OWN, targets.FLOOR) for count in counts(rows, "fan-out", server)]
    return curves("What publishing costs for each subscriber", f"a message of {targets.PUBLISHED} B until the last one has it; "
                  "the floor: bare sends; less is better", "subscribers", "us, divided by their number", points)


def charts(told):
    rows = told["rows"]
    return {**{f"scale-{curve}.svg": curve_chart(rows, curve, title, names) for curve, title, names, _ in targets.CURVES},
            "scale-fan-out.svg": fan_out_chart(rows)}


def page(told):
    machine, versions, method, rows = (told[key] for key in ("machine", "versions", "method", "rows"))
    lines = [
        "# Scale, measured",
        "",
        "Made by `bench/run.sh scale`; do not edit. All samples are in `scale.json`.",
        "",
        (pathlib.Path(__file__).parent / "method.md").read_text(encoding="utf-8").strip(),
        "",
        "## This run",
        "",
        *machine_lines(machine),
        f"- Compiler: {versions['compiler']}, `-O3 -DNDEBUG`. navette {versions['navette']}.",
        rounds_line(method),
        "",
    ]
    for curve, title, names, _ in targets.CURVES:
        lines += [f"## {title}", "", f"![Processor time of a message over the number of connections](scale-{curve}.svg)", "",
                  *curve_table(rows, curve, names)]
    lines += ["## Publishing", "", "![Time for each subscriber over their number](scale-fan-out.svg)", "",
              *fan_out_table(rows)]
    return "\n".join(lines).rstrip("\n") + "\n"


publish(page, charts)
