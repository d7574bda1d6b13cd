"""docs/interop.md: what the interop matrix saw, by peer."""

import os
import re

from peers import PEERS, ROLES, SCENARIOS

NO_CASE = "no case"
OPENING = """# Talks to everything

Written by `tests/interop/run.sh --all`, which installs each of these peers by its name, lets it talk to navette in both
roles, and compares what both ends saw: every message that came back, its SHA-256 at both ends, the frames on the wire, the
subprotocol `echo`, how it closed. What is no case, and why, is said of each peer; so is what it does otherwise than others.
Those in bold are tried in every run of the tests.
"""


def frames(counts):
    """{"text": 6, "close": 1, "compressed": 2}: "6 text, 1 close"."""
    return ", ".join(f"{number} {name}" for name, number in counts.items() if name != "compressed") or "nothing"


def cell(ours):
    sent, received = frames(ours["sent"]), frames(ours["received"])
    agreed = f"{ours['extensions']}; " if ours["extensions"] else ""
    return f"{agreed}{sent}; {'the same' if sent == received else received} back; `{ours['received_sha256'][:8]}`"


def rows(peer, seen):
    for scenario in SCENARIOS:
        cells = []
        for role in peer.roles:
            ours = seen.get((peer.name, role, scenario))
            cells.append(NO_CASE if peer.reason(role, scenario) else cell(ours) if ours else "failed")
        yield f"| {scenario} | {' | '.join(cells)} |"


def remarks(peer):
    """Why there is no case of what, and what it does otherwise, each said once for all roles and scenarios."""
    missing, quirks = {}, {}
    for role in peer.roles:
        for scenario in SCENARIOS:
            why = peer.reason(role, scenario)
            if why:
                missing.setdefault(why, {}).setdefault(scenario, []).append(role)
            elif f"{role} {scenario}" in peer.quirks:
                quirks.setdefault(peer.quirks[f"{role} {scenario}"][1], {}).setdefault(scenario, []).append(role)
    for title, notes in (("no case", missing), ("quirk", quirks)):
        for words, where in notes.items():
            names = [name if len(roles) == len(peer.roles) else f"{name} as the {roles[0]}" for name, roles in where.items()]
            yield f"- {title}: {', '.join(names)}: {words}"
    for fact, why in peer.silent.items():
        yield f"- not compared: {fact}: {why}"


def section(peer, seen, number):
    ours = [each for (name, *_), each in seen.items() if name == peer.name]
    says = sorted({each["server"] for (name, role, _), each in seen.items() if name == peer.name and role == "server"} - {""})
    status = sorted({each["status"] for (name, role, _), each in seen.items() if name == peer.name and role == "server"})
    lines = [f"## {peer.name} {number}", ""]
    if says or any(each != "HTTP/1.1 101 Switching Protocols" for each in status):
        lines += ["It answers " + ", ".join(f"`{each}`" for each in [*status, *[f"Server: {each}" for each in says]]) + ".", ""]
    lines += [f"| scenario | {' | '.join(ROLES[role] for role in peer.roles)} |", "| --- |" + " --- |" * len(peer.roles)]
    lines += [*rows(peer, seen), "", *remarks(peer)]
    return "\n".join(lines).rstrip() + "\n" if ours else None


def sections_of(path):
    """The sections of the page that stands there, by the peer's name."""
    if not os.path.exists(path):
        return {}
    text = open(path, encoding="utf-8").read()
    found = {}
    for part in re.split(r"^(?=## )", text, flags=re.MULTILINE)[1:]:
        name = next((peer.name for peer in sorted(PEERS, key=lambda peer: -len(peer.name))
                     if part.startswith(f"## {peer.name} ")), part.split("\n")[0])
        found[name] = part.rstrip() + "\n"
    return found


def page(seen, versions, path):
    kept = sections_of(path)
    versions = {name: text.split("\n")[0].removeprefix(f"## {name} ") for name, text in kept.items()} | versions
    digests = dict(re.findall(r"^\| (\S+) \| .* \| `(\w+)` \|$", open(path, encoding="utf-8").read(), re.MULTILINE)) if kept else {}
    digests |= {scenario: ours["sent_sha256"] for (_, _, scenario), ours in seen.items() if ours["received_sha256"] == ours["sent_sha256"]}
    parts = [OPENING, "| scenario | what it is | SHA-256 of all payloads |\n| --- | --- | --- |\n" + "".join(
        f"| {name} | {words} | `{digests.get(name, '')}` |\n" for name, words in SCENARIOS.items())]
    parts.append("| peer | version | it serves | it calls |\n| --- | --- | --- | --- |\n" + "".join(
        f"| {f'**{peer.name}**' if peer.every_run else peer.name} | {versions.get(peer.name, '')} "
        f"| {' | '.join(str(len([1 for of, _ in peer.cases() if of == role])) + ' cases' for role in ROLES)} |\n" for peer in PEERS))
    for peer in PEERS:
        made = section(peer, seen, versions.get(peer.name, "")) or kept.get(peer.name)
        if made:
            parts.append(made)
    return "\n".join(parts)


def current_shape(path):
    """In what the page is not the table's: other peers, roles or scenarios; nothing if it is."""
    found = sections_of(path)
    names = [peer.name for peer in PEERS]
    if list(found) != names:
        return f"its peers are {', '.join(found)}, and not {', '.join(names)}"
    for peer in PEERS:
        table = [line.strip("|").split(" | ") for line in found[peer.name].splitlines() if line.startswith("| ")][2:]
        has = {(role, row[0].strip()) for row in table for role, text in zip(peer.roles, row[1:]) if text.strip() != NO_CASE}
        if [row[0].strip() for row in table] != list(SCENARIOS) or has != set(peer.cases()):
            return f"{peer.name} has other cases there than here"
        if any(text.strip() in ("failed", "") for row in table for text in row):
            return f"{peer.name} has failed there"
    return ""
