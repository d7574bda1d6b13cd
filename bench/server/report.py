#!/usr/bin/env python3
# Makes the page about servers of what measure.py wrote: method, machine, targets beside figures, all rows. The page goes
# to the file and to the screen. Nothing in it is typed by hand but method.md.
import pathlib
import statistics
import sys

import targets

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from chart import bar, chart
from page import digits, machine_lines, publish, quartiles, rounds_line, table

TITLES = {name: title for name, title, _ in targets.ECHOES}
NAMES = {"beast": "Boost.Beast", "bun": "bun (JavaScript handlers)"}


def times(ratio):
    """So exactly that it can be told from a target next to it."""
    return f"{ratio:.3f}" if ratio < 2 else digits(ratio)


def times_between(low, high):
    return f"{times(low)} – {times(high)}"


def name_of(server):
    return NAMES.get(server, server)


def ratios(rows, one, other, key):
    return [a / b for a, b in zip(rows[one][key], rows[other][key]) if b != 0]


def said(reached):
    return "reached" if reached else "MISSED"


def speed_targets(rows):
    """Cells of each target: what, against whom, wanted, measured, quartiles, by time on a processor, verdict."""
    judged = []
    for scenario, other, least in targets.SPEEDS:
        own, its = f"{scenario}/{targets.OWN}", f"{scenario}/{other}"
        if own not in rows or its not in rows:
            judged.append([TITLES[scenario], name_of(other), f"at least {least}", "", "", "", "not measured"])
            continue
        low, median, high = quartiles(ratios(rows, own, its, "per_second"))
        by_cpu = ratios(rows, its, own, "cpu_ns")
        judged.append([TITLES[scenario], name_of(other), f"at least {least}", times(median),
                       times_between(low, high), times(statistics.median(by_cpu)) if by_cpu else "",
                       said(median >= least)])
    return judged


def memory_targets(rows):
    judged = []
    for kind, title in (("idle", "{} idle connections, bytes each"),
                        ("idle-echoed", "{} connections after each echoed 1 MiB, bytes each")):
        own, its = f"{kind}/{targets.OWN}", f"{kind}/{targets.FLOOR}"
        if own not in rows or its not in rows:
            continue
        more = [a - b for a, b in zip(rows[own]["bytes"], rows[its]["bytes"])]
        low, median, high = quartiles(more)
        judged.append([title.format(f"{rows[own]['connections']:,}"), "floor, more than", f"at most {targets.MOST_IDLE}",
                       f"{median:.0f}", f"{low:.0f} – {high:.0f}", "", said(median <= targets.MOST_IDLE)])
    return judged


def fan_out_targets(rows):
    own, its = f"fan-out/{targets.OWN}", f"fan-out/{targets.FLOOR}"
    title = f"one message of {targets.PUBLISHED} B to {targets.SUBSCRIBERS:,} subscribers, times as long"
    if own not in rows or its not in rows:
        return [[title, "bare sends", f"at most {targets.MOST_FAN_OUT}", "", "", "", "not measured"]]
    low, median, high = quartiles(ratios(rows, own, its, "last_us"))
    by_cpu = ratios(rows, own, its, "cpu_ns")
    return [[title, "bare sends", f"at most {targets.MOST_FAN_OUT}", times(median), times_between(low, high),
             times(statistics.median(by_cpu)) if by_cpu else "", said(median <= targets.MOST_FAN_OUT)]]


def rate_of(per_second):
    return f"{per_second:,.0f}"


def echo_table(rows, scenario):
    cells = []
    own = f"{scenario}/{targets.OWN}"
    for row in (row for row in rows if row.split("/")[0] == scenario):
        samples = rows[row]
        low, median, high = quartiles(samples["per_second"])
        cpu = statistics.median(samples["cpu_ns"])
        first, middle, last = quartiles(ratios(rows, own, row, "per_second"))
        cells.append([name_of(row.split("/")[1]), rate_of(median), f"{rate_of(low)} – {rate_of(high)}",
                      rate_of(cpu) if cpu else "", digits(statistics.median(samples["p50_us"])),
                      digits(statistics.median(samples["p99_us"])), f"{statistics.median(samples['busy']):.2f}",
                      "" if row == own else times(middle), "" if row == own else times_between(first, last)])
    cells.sort(key=lambda cell: -float(cell[1].replace(",", "")))
    return table(["server", "messages/s", "quartiles", "server ns", "p50 us", "p99 us", "generator busy",
                  "navette's speed, times", "quartiles"], cells, texts=1)


def memory_table(rows):
    cells = []
    for row in (row for row in rows if row.startswith("idle")):
        kind, server = row.split("/")
        cells.append([name_of(server) + (", holding" if server == targets.FLOOR else ""),
                      "after 1 MiB each" if kind == "idle-echoed" else "never spoke",
                      f"{rows[row]['connections']:,}", f"{statistics.median(rows[row]['bytes']):,.0f}"])
    return table(["server", "connections that", "of them", "bytes resident each"], cells)


def servers_of(rows, scenario):
    """In the order of the charts, with its samples each: navette, its peers, others, the floor; those that were measured."""
    measured = [row.split("/")[1] for row in rows if row.split("/")[0] == scenario]
    known = [targets.OWN, *targets.PEERS]
    order = known + sorted(set(measured) - {*known, targets.FLOOR}) + [targets.FLOOR]
    return [(server, rows[f"{scenario}/{server}"]) for server in order if server in measured]


def rate_chart(rows):
    bars = []
    for scenario, title, _ in targets.ECHOES:
        for server, samples in servers_of(rows, scenario):
            if server == targets.FLOOR:
                continue
            low, median, high = quartiles(ratios(rows, f"{scenario}/{server}", f"{scenario}/{targets.FLOOR}", "per_second"))
            rate = rate_of(statistics.median(samples["per_second"]))
            bars.append(bar(title, name_of(server), median, low, high, f"{times(median)} · {rate} /s", server == targets.OWN))
    return chart("Messages echoed in a second", "as a share of an epoll loop that sends back raw bytes; more is better",
                 "times the floor", bars)


def latency_chart(rows):
    bars = []
    for scenario, title, _ in targets.ECHOES[:2]:
        for server, samples in servers_of(rows, scenario):
            half, most = (statistics.median(samples[key]) / 1000 for key in ("p50_us", "p99_us"))
            bars.append(bar(title, name_of(server), half, half, most, f"{digits(half)}, {digits(most)}", server == targets.OWN))
    return chart("Time until the echo is there", "of half of the messages; the line: of 99 in 100; every server at its limit; "
                 "less is better", "ms", bars)


def memory_chart(rows):
    bars = []
    for kind, title in (("idle", "connections that never spoke"), ("idle-echoed", "connections that echoed 1 MiB each")):
        for server, samples in servers_of(rows, kind):
            if server != targets.FLOOR:
                median = statistics.median(samples["bytes"])
                title_of = f"{samples['connections']:,} {title}"
                bars.append(bar(title_of, name_of(server), median, median, median, f"{median:,.0f}", server == targets.OWN))
    return chart("Memory of an idle connection", "resident, without the kernel's; less is better", "bytes", bars)


def charts(told):
    rows = told["rows"]
    return {name: make(rows) for name, (make, _) in CHARTS.items()}


# The files beside the page, and what is said to those who cannot see them.
CHARTS = {
    "server-rate.svg": (rate_chart, "Messages a second of each server, as a share of the floor's"),
    "server-latency.svg": (latency_chart, "Latencies of each server"),
    "server-memory.svg": (memory_chart, "Bytes that an idle connection takes in each server"),
}


def page(told):
    machine, versions, method, rows = (told[key] for key in ("machine", "versions", "method", "rows"))
    peers = {"libboost-dev": "Boost", "libwebsocketpp-dev": "websocketpp", "libwebsockets-dev": "libwebsockets"}
    judged = speed_targets(rows) + memory_targets(rows) + fan_out_targets(rows)
    reached = sum(row[-1] == "reached" for row in judged)
    lines = [
        "# The server, measured",
        "",
        "Made by `bench/run.sh server`; do not edit. All samples are in `server.json`.",
        "",
        (pathlib.Path(__file__).parent / "method.md").read_text(encoding="utf-8").strip(),
        "",
        "## This run",
        "",
        *machine_lines(machine),
        f"- Compiler: {versions['compiler']}, `-O3 -DNDEBUG`.",
        f"- navette {versions['navette']}; "
        + ", ".join(f"{name} {versions[key]}" for key, name in peers.items() if key in versions) + ".",
        rounds_line(method, f", {method['memory_rounds']} of memory"),
        "",
        f"## Targets: {reached} of {len(judged)} reached",
        "",
        *table(["what", "against", "wanted", "measured", "quartiles", "by processor time", "verdict"], judged),
        *(line for name, (_, text) in CHARTS.items() for line in (f"![{text}]({name})", "")),
        "## All rows",
        "",
    ]
    for name, title, _ in targets.ECHOES:
        if any(row.startswith(name + "/") for row in rows):
            lines += [f"### {title}", "", *echo_table(rows, name)]
    if any(row.startswith("idle") for row in rows):
        lines += ["### Memory", "", *memory_table(rows)]
    return "\n".join(lines).rstrip("\n") + "\n"


publish(page, charts)
