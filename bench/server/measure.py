#!/usr/bin/env python3
# Starts the servers and loads them one after the other, in every round in another order, so that what else the machine does
# hits all of them alike. Writes all samples to a JSON file.
import argparse
import pathlib
import random
import sys

import targets

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from machine import show
from servers import Server, fan_out, load, run, write_results


class Elsewhere:
    """A server that somebody else has started: only its echoes are measured."""

    def __init__(self, name, url):
        self.name, self.url, self.pid = name, url, None


def measure_echoes(options, servers, rows):
    for round_ in range(options.rounds):
        for name, _, wanted in targets.ECHOES:
            for server in random.sample(servers, len(servers)):
                show(f"round {round_ + 1} of {options.rounds}: {name}, {server.name}")
                found = load(options.generator, server, wanted, options.seconds)
                row = rows.setdefault(f"{name}/{server.name}",
                                      {"per_second": [], "cpu_ns": [], "p50_us": [], "p99_us": [], "busy": []})
                row["per_second"].append(found["per_second"])
                row["cpu_ns"].append(found["server_cpu_ns"])
                row["p50_us"].append(found["latency_us"]["p50"])
                row["p99_us"].append(found["latency_us"]["p99"])
                row["busy"].append(found["generator_busy"])


def measure_idle(options, commands, rows):
    """Fresh servers each time: what one has held before, it may have kept."""
    names = [name for name in commands if name in (targets.FLOOR, targets.OWN) or not options.quick]
    wanted = ["--idle", "--connections", str(options.connections), "--size", str(targets.IDLE_MESSAGE), "--patience", "60"]
    for _ in range(options.memory_rounds):
        for name in names:
            show(f"{options.connections} idle connections: {name}")
            holds, echoes = name == targets.FLOOR, name == targets.OWN
            server = Server(name, [*commands[name], "--hold"] if holds else commands[name])
            found = load(options.generator, server, [*wanted, "--echo"] if echoes else wanted, 0)
            server.end()
            # The floor echoes nothing: its sockets are what it has in the end, too. Of the peers, for which so many
            # large messages take minutes, only what they hold before is told.
            for kind, value in (("idle", found["open_each"]),
                                ("idle-echoed", found["open_each"] if holds else found.get("echoed_each"))):
                if value is not None:
                    row = rows.setdefault(f"{kind}/{name}", {"bytes": [], "connections": options.connections})
                    row["bytes"].append(value)


def measure_fan_out(options, floor, publisher, rows):
    servers = [Server(targets.FLOOR, [*floor, "--fan-out"]), Server(targets.OWN, publisher)]
    for server, found in fan_out(options.generator, servers, options.rounds, options.subscribers, targets.PUBLISHED,
                                 options.seconds):
        row = rows.setdefault(f"fan-out/{server.name}", {"last_us": [], "cpu_ns": [], "busy": []})
        row["last_us"].append(found["latency_us"]["p50"])
        row["cpu_ns"].append(found["server_cpu_ns"])
        row["busy"].append(found["generator_busy"])
    for server in servers:
        server.end()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("generator")
    parser.add_argument("out")
    parser.add_argument("--program", action="append", default=[], help="NAME=COMMAND of a server")
    parser.add_argument("--publisher", default="", help="the command of navette's program that publishes")
    parser.add_argument("--server", action="append", default=[], help="NAME=URL of one that runs already")
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--memory-rounds", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True, help="of one sample")
    parser.add_argument("--connections", type=int, default=targets.IDLE)
    parser.add_argument("--subscribers", type=int, default=targets.SUBSCRIBERS)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--packages", required=True)
    options = parser.parse_args()

    commands = {}
    for program in options.program:
        name, command = program.split("=", 1)
        commands[name] = command.split()
    rows = {}
    servers = [Server(name, command) for name, command in commands.items()]
    measure_echoes(options, [*servers, *(Elsewhere(*named.split("=", 1)) for named in options.server)], rows)
    for server in servers:
        server.end()
    measure_idle(options, commands, rows)
    if options.publisher:
        measure_fan_out(options, commands[targets.FLOOR], options.publisher.split(), rows)
    write_results(options.out, options.packages,
                  {"rounds": options.rounds, "memory_rounds": options.memory_rounds, "seconds": options.seconds}, rows)


run(main)
