"""The rows of the conformance table: what each demands, the test that shows it, and the edit that breaks it.

rows.tsv has, behind headings that begin with `## `, one line for each row and role, by tabs:
  row     C1, S27
  role    client, server, both; or none if nothing has to be shown yet, and `rule` says why
  clause  of RFC 6455 unless another is named
  rule    one sentence
  test    path below tests/, a colon, the name of the Catch2 case
  file    below include/navette
  old     a part of one line of that file that stands in it once
  new     what it is replaced by, so that the rule is broken
"""

import concurrent.futures
import os
import random
import re
import shutil
import subprocess
import sys

from cases import report

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
TABLE = os.path.join(ROOT, "tests", "rows.tsv")
PAGE = os.path.join(ROOT, "docs", "conformance.md")
MADE = os.path.join(ROOT, "build", "rows")
COMPILER = "clang++-14"
DRAWN = 15
SECONDS = 120  # that a case may run
FLAGS = ["-std=c++20", "-O0", "-w", "-DASIO_HAS_CO_AWAIT", "-DASIO_HAS_STD_COROUTINE", "-DBOOST_ASIO_HAS_CO_AWAIT",
         "-DBOOST_ASIO_HAS_STD_COROUTINE", f"-I{ROOT}/tests"]
LIBRARIES = ["-lz", "-ldeflate", "-lssl", "-lcrypto", "-pthread"]
WAITING = {"C148", "C149", "C150", "C151", "C152", "C153", "C154", "C155", "C156", "S64"}  # for an HTTP/2 adapter
LAST = {"C": 166, "S": 65}


class Row:
    def __init__(self, fields, heading):
        (self.row, self.role, self.clause, self.rule, self.test, self.file, self.old, self.new) = fields
        self.heading = heading
        self.path, _, self.case = self.test.partition(": ")

    def __str__(self):
        return f"{self.row} ({self.role})"


def read_table():
    rows, wrong, heading = [], [], ""
    with open(TABLE, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.rstrip("\n")
            if line.startswith("## "):
                heading = line[3:]
            elif line and not line.startswith("#"):
                fields = line.split("\t")
                if len(fields) == 8:
                    rows.append(Row(fields, heading))
                else:
                    wrong.append(f"rows.tsv:{number}: {len(fields)} fields, not 8")
    return rows, wrong


def text_of(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as f:
        return f.read()


def read_proofs():
    """(row, path, case): the roles for which the case proves the row, by its tags, as tests/house/rows.sh reads them."""
    subprocess.run(["bash", os.path.join(ROOT, "tests", "house", "rows.sh")], capture_output=True, check=False)
    proofs, row = {}, ""
    for line in text_of("build", "rows.txt").splitlines():
        if not line.startswith(" "):
            row = line.split(" ")[0]
        elif match := re.fullmatch(r"    tests/(\S+): (.*) \(([a-z, ]*)\)", line):
            case = re.sub(r"\\(.)", r"\1", match[2])
            proofs[row, match[1], case] = match[3].split(", ")
    return proofs


def faults(row, proofs):
    if row.role == "none":
        return [] if row.row in WAITING else ["it has no test"]
    if row.role not in ("client", "server", "both"):
        return [f"there is no role {row.role}"]
    wrong = []
    if not row.rule.endswith(".") or not row.clause:
        wrong.append("its rule is no sentence, or names no clause")
    if not os.path.isfile(os.path.join(ROOT, "tests", row.path)):
        return wrong + [f"there is no tests/{row.path}"]
    proved = proofs.get((row.row, row.path, row.case), [])
    wrong += [f"tests/{row.path} has no case '{row.case}' with the tag [{row.row}] for the {role}"
              for role in (("client", "server") if row.role == "both" else (row.role,)) if role not in proved]
    if not os.path.isfile(os.path.join(ROOT, "include", "navette", row.file)):
        wrong.append(f"there is no include/navette/{row.file}")
    elif (times := text_of("include", "navette", row.file).count(row.old)) != 1 or not row.old:
        wrong.append(f"'{row.old}' stands in {row.file} {times} times")
    if row.old == row.new:
        wrong.append("its edit changes nothing")
    return wrong


def check(rows, wrong, proofs):
    wrong = list(wrong)
    roles = {}
    for row in rows:
        wrong += [f"{row}: {fault}" for fault in faults(row, proofs)]
        if row.role in roles.setdefault(row.row, set()):
            wrong.append(f"{row}: stands there twice")
        roles[row.row].add(row.role)
    for kind, last in LAST.items():
        wrong += [f"{kind}{n}: has no line" for n in range(1, last + 1) if f"{kind}{n}" not in roles]
    for fault in wrong:
        print(fault)
    if wrong:
        report(f"FAIL rows: each row has its test and its edit: {wrong[0]}, and {len(wrong) - 1} more")
    else:
        report("PASS rows: each row has its test and its edit")
    return not wrong


def page(rows):
    lines = ["# What navette keeps to, rule by rule", "",
             "Written by `tests/rows.sh --write` from `tests/rows.tsv`. Each rule has a test, and an edit of the library that",
             "breaks the rule; `tests/rows.sh --long` makes each edit and sees the test fail.", "",
             "C rows are what RFC 6455 (and RFC 7692, and the HTTP rules of the opening handshake) demand; S rows are how others",
             "were broken. A clause without the number of an RFC is one of RFC 6455."]
    heading = None
    for row in rows:
        if row.heading != heading:
            heading = row.heading
            lines += ["", f"## {heading}", "", "| Row | Role | Clause | Rule | Test |", "| --- | --- | --- | --- | --- |"]
        cells = [row.row, "" if row.role == "none" else row.role, row.clause, row.rule,
                 "no HTTP/2 adapter yet" if row.role == "none" else f"[{row.case}](../tests/{row.path})"]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def run(command, seconds=600):
    silent = {k: v for k, v in os.environ.items() if k != "NAVETTE_RESULTS"}  # what fails here has to
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=seconds, check=False,
                              stdin=subprocess.DEVNULL, cwd=MADE, env=silent)
        return done.returncode, done.stdout + done.stderr
    except subprocess.TimeoutExpired:
        return None, f"did not end within {seconds} s"


def prepare():
    """What all rows share: Catch2, compiled once."""
    shown = os.path.join(MADE, "catch")
    os.makedirs(shown, exist_ok=True)
    if not os.path.islink(os.path.join(shown, "catch2")) and os.path.isdir("/usr/include/catch2"):
        os.symlink("/usr/include/catch2", os.path.join(shown, "catch2"))
    FLAGS.append(f"-isystem{shown}")
    for made, command in (("main.o", ["-c", f"{ROOT}/tests/support/main.cpp", "-o", f"{MADE}/main.o"]),
                          ("catch.pch", ["-x", "c++-header", f"{ROOT}/tests/support/catch.hpp", "-o", f"{MADE}/catch.pch"])):
        if not os.path.exists(os.path.join(MADE, made)):
            status, said = run([COMPILER, *FLAGS, *command])
            if status != 0:
                sys.exit(f"rows: {made} does not compile\n{said}")


def outcome(row, edited):
    """`passes`, `fails` by an assertion, or what else became of the row's case over headers that are edited or not."""
    at = os.path.join(MADE, f"{row.row}-{row.role}" + ("" if edited else "-whole"))
    shutil.rmtree(at, ignore_errors=True)
    shutil.copytree(os.path.join(ROOT, "include"), os.path.join(at, "include"))
    if edited:
        path = os.path.join(at, "include", "navette", row.file)
        with open(path, encoding="utf-8") as f:
            text = f.read()
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace(row.old, row.new))
    watches = "__wrap_malloc" in text_of("tests", row.path)  # one file of property/ does, for all of them
    wrapped = ["-Wl,--wrap=malloc", "-Wl,--wrap=free"] if watches else []
    status, said = run([COMPILER, "-include-pch", f"{MADE}/catch.pch", *FLAGS, f"-I{at}/include", "-c",
                        f"{ROOT}/tests/{row.path}", "-o", f"{at}/test.o"])
    if status == 0:
        status, said = run([COMPILER, f"{MADE}/main.o", f"{at}/test.o", "-o", f"{at}/test", *wrapped, *LIBRARIES])
    if status != 0:
        return "does not compile", said
    # The instances of a template case have names of their own: `name - type`.
    listed = run([f"{at}/test", "--list-test-names-only"])[1].splitlines()
    names = [n for n in listed if n == row.case or n.startswith(row.case + " - ")] or [row.case]
    status, said = run([f"{at}/test", ",".join(re.sub(r'([\\,\[\]"])', r"\\\1", n) for n in names)], SECONDS)
    shutil.rmtree(at)
    if status is None:
        return "hangs", said
    if status == 0:
        return "passes", said
    if re.search(r"FAILED:\s+(CHECK|REQUIRE)\w*\(|FAILED:\s+explicitly with message", said):
        return "fails", said
    return "ends otherwise", said


def break_all(rows, both):
    jobs = int(os.environ.get("NAVETTE_JOBS") or os.cpu_count() or 1)
    good = True
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        tried = [(row, pool.submit(outcome, row, False) if both else None, pool.submit(outcome, row, True)) for row in rows]
        for row, whole, broken in tried:
            if whole is not None and whole.result()[0] != "passes":
                result, said = f"whole, its test {whole.result()[0]}", whole.result()[1]
            else:
                result, said = broken.result()
            if result == "fails":
                report(f"PASS rows: {row}, once broken, is noticed")
            else:
                print(said[-2000:])
                report(f"FAIL rows: {row}, once broken, is noticed: its test {result}")
                good = False
    return good


def main(arguments):
    rows, wrong = read_table()
    if arguments == ["--write"]:
        with open(PAGE, "w", encoding="utf-8") as f:
            f.write(page(rows))
        return 0
    proofs = read_proofs()
    named = [a for a in arguments if not a.startswith("--")]
    right = True
    if not named:
        right = check(rows, wrong, proofs)
        current = os.path.exists(PAGE) and text_of("docs", "conformance.md") == page(rows)
        report("PASS rows: docs/conformance.md is current" if current else
               "FAIL rows: docs/conformance.md is current: run tests/rows.sh --write")
        if not right or not current:
            return 1
    if arguments == ["--check"]:
        return 0
    rows = [row for row in rows if row.role != "none"]
    if named:
        rows = [row for row in rows if row.row in named]
        wrong += [f"there is no row {name} to break" for name in named if name not in {row.row for row in rows}]
        wrong += [f"{row}: {fault}" for row in rows for fault in faults(row, proofs)]
        for fault in wrong:
            print(fault)
        if wrong:
            return 1
    elif "--long" not in arguments:
        commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"], capture_output=True, text=True, check=False).stdout
        rows = random.Random(commit).sample(rows, min(DRAWN, len(rows)))
    os.makedirs(MADE, exist_ok=True)
    prepare()
    return 0 if break_all(rows, bool(named) or "--long" in arguments) else 1


sys.exit(main(sys.argv[1:]))
