#!/usr/bin/env python3
# Makes the page about what the library costs to compile of what measure.py wrote. The page goes to the file and to the
# screen. Nothing in it is typed by hand but method.md.
import pathlib
import sys

import subjects

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from chart import bar, chart
from page import between, digits, machine_lines, publish, quartiles, table

BEAST = "boost/beast/websocket.hpp"
BODIES = "{}: the bodies, once"


def least(samples, key):
    return min(sample[key] for sample in samples)


def mebibytes(size):
    return digits(size / (1 << 20))


def kibibytes(size):
    return f"{size / 1024:,.0f}"


def seconds_cells(samples, others):
    low, _, high = quartiles([sample["seconds"] for sample in samples])
    fastest = least(samples, "seconds")
    times = fastest / least(others, "seconds")
    return [digits(fastest), between(low, high), f"{times:.2f}", mebibytes(least(samples, "memory"))]


def headers_of(samples):
    return [subject for subject in subjects.SUBJECTS if subject.header and subject.name in samples]


def programs_of(samples):
    return [subject for subject in subjects.SUBJECTS if not subject.header and subject.name in samples]


def is_own(subject):
    return subject.name.startswith("navette")


def header_table(samples):
    rows = [[subject.name, *seconds_cells(samples[subject.name][""], samples[BEAST][""])] for subject in headers_of(samples)]
    return table(["header", "s", "quartiles", "times Beast's", "MiB of the compiler's"], rows, texts=1)


def program_table(samples, level):
    rows = []
    for subject in programs_of(samples):
        taken = samples[subject.name][level]
        rows.append([subject.name, *seconds_cells(taken, samples["Boost.Beast"][level]), kibibytes(least(taken, "object")),
                     kibibytes(least(taken, "program"))])
        for i in range(len(taken[0]["rest"])):
            apart = [sample["rest"][i] for sample in taken]
            rows.append([BODIES.format(subject.name), *seconds_cells(apart, samples["Boost.Beast"][level]),
                         kibibytes(least(apart, "object")), ""])
    return table(["echo server", "s", "quartiles", "times Beast's", "MiB of the compiler's", "KiB of object", "KiB stripped"],
                 rows, texts=1)


def time_chart(samples):
    bars = []
    groups = [("", "a header alone", headers_of(samples))]
    groups += [(level, f"an echo server, {level}", programs_of(samples)) for level in subjects.LEVELS]
    for level, title, chosen in groups:
        for subject in chosen:
            _, _, high = quartiles([sample["seconds"] for sample in samples[subject.name][level]])
            fastest = least(samples[subject.name][level], "seconds")
            bars.append(bar(title, subject.name, fastest, fastest, high, digits(fastest), is_own(subject)))
            for i in range(len(samples[subject.name][level][0].get("rest", []))):
                once = least([sample["rest"][i] for sample in samples[subject.name][level]], "seconds")
                bars.append(bar(title, BODIES.format(subject.name), once, once, once, digits(once), True))
    return chart("Time of the compiler", "user time, the least of all rounds; the line ends at the upper quartile; less is "
                 "better", "s", bars)


def size_chart(samples):
    bars = []
    for subject in programs_of(samples):
        size = least(samples[subject.name][subjects.LEVELS[-1]], "program") / 1024
        bars.append(bar(subjects.LEVELS[-1], subject.name, size, size, size, f"{size:,.0f}", is_own(subject)))
    return chart("Size of an echo server", "stripped; less is better", "KiB", bars)


def charts(told):
    drawn = {"compile-time.svg": time_chart(told["samples"])}
    if programs_of(told["samples"]):
        drawn["compile-size.svg"] = size_chart(told["samples"])
    return drawn


def page(told):
    machine, versions, method, samples = (told[key] for key in ("machine", "versions", "method", "samples"))
    share = least(samples["navette/navette.hpp"][""], "seconds") / least(samples[BEAST][""], "seconds")
    lines = [
        "# What it costs to compile, measured",
        "",
        "Made by `bench/run.sh compile`; do not edit. All samples are in `compile.json`.",
        "",
        (pathlib.Path(__file__).parent / "method.md").read_text(encoding="utf-8").strip(),
        "",
        "## This run",
        "",
        *machine_lines(machine),
        f"- Compiler: {versions['compiler']}.",
        f"- navette {versions['navette']}; Boost {versions['libboost-dev']}, websocketpp {versions['libwebsocketpp-dev']}, "
        f"Asio {versions['libasio-dev']}.",
        f"- {method['rounds']} rounds; load average {method['load'][0]:.2f} before, {method['load'][1]:.2f} after.",
        "",
        f"`navette/navette.hpp` costs {share:.2f} times what Beast's header does; at most {subjects.MOST_INCLUDE} is wanted: "
        f"{'reached' if share <= subjects.MOST_INCLUDE else 'MISSED'}.",
        "",
        "![What the compiler takes for headers and echo servers](compile-time.svg)",
        "",
        *(["![How large the echo servers are](compile-size.svg)", ""] if programs_of(samples) else []),
        "## A header alone",
        "",
        *header_table(samples),
    ]
    for level in subjects.LEVELS if "Boost.Beast" in samples else []:
        lines += [f"## An echo server, `{level}`", "", *program_table(samples, level)]
    return "\n".join(lines).rstrip("\n") + "\n"


publish(page, charts)
