#!/usr/bin/env python3
# Loads navette's servers and the floor with ever more connections, and with ever more subscribers. Writes all samples to a
# JSON file.
import argparse
import pathlib
import sys

import targets

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from servers import Server, fan_out, load, run, shuffled_rounds, write_results


def add(rows, name, found, **more):
    row = rows.setdefault(name, {"cpu_ns": [], "busy": [], **{key: [] for key in more}})
    for key, value in {"cpu_ns": found["server_cpu_ns"], "busy": found["generator_busy"], **more}.items():
        row[key].append(value)


def measure_connections(options, commands, rows):
    servers = {name: Server(name, command) for name, command in commands.items()}
    for curve, title, names, wanted in targets.CURVES:
        for connections in (n for n in targets.CONNECTIONS if n <= options.most):
            for server in shuffled_rounds(options.rounds, [servers[name] for name in names], f"{title}, {connections}"):
                given = [*wanted, "--deflate"] if server.name == targets.DEFLATE else wanted
                found = load(options.generator, server, [*given, "--connections", str(connections), "--patience", "60"],
                             options.seconds)
                add(rows, f"{curve}/{server.name}/{connections}", found, per_second=found["per_second"])
    for server in servers.values():
        server.end()


def measure_subscribers(options, floor, publisher, rows):
    servers = [Server(targets.FLOOR, [*floor, "--fan-out"]), Server(targets.OWN, publisher)]
    for subscribers in (n for n in targets.SUBSCRIBERS if n <= options.most):
        for server, found in fan_out(options.generator, servers, options.rounds, subscribers, targets.PUBLISHED, options.seconds):
            add(rows, f"fan-out/{server.name}/{subscribers}", found, last_us=found["latency_us"]["p50"])
    for server in servers:
        server.end()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("generator")
    parser.add_argument("out")
    parser.add_argument("--floor", required=True, help="its command")
    parser.add_argument("--navette", required=True, help="the echo server's command")
    parser.add_argument("--publisher", required=True, help="the command of the program that publishes")
    parser.add_argument("--certificate", required=True, help="the command's options that add TLS")
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True, help="of one sample")
    parser.add_argument("--most", type=int, required=True, help="connections, subscribers")
    parser.add_argument("--packages", required=True)
    options = parser.parse_args()

    floor, own = options.floor.split(), [*options.navette.split(), "--port", "0"]
    commands = {targets.FLOOR: floor, targets.OWN: [*own, "--no-deflate"],
                targets.TLS: [*own, "--no-deflate", *options.certificate.split()], targets.DEFLATE: own}
    rows = {}
    measure_connections(options, commands, rows)
    measure_subscribers(options, floor, options.publisher.split(), rows)
    write_results(options.out, options.packages, {"rounds": options.rounds, "seconds": options.seconds}, rows)


run(main)
