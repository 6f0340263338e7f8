"""What commands, the local store and big backlogs cost beside a floor: CPU of processes of their own, in turns, medians, ratios.

`at_scale.py` measures all lines, `at_scale.py NAME…` some. `--scale 0.1` makes everything a tenth as large, `--beside SRC` measures another
revision's `src` in the same rounds, `--rounds N` repeats. `--docs` puts the table into the documents, with a picture of how each line's
cost grows over three decades, and fails if one is worse than linear. The floor of a line is what no program that reads the same can go
below.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import homes

from whyops._outbox.destination import Destination

HERE = Path(__file__).resolve().parents[2]
GRACE = 0.25
PARSE = "import json,sys\nfor line in open(sys.argv[1], 'rb'): json.loads(line)"
START = "import sqlite3, json, argparse"
STORE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[2])
connection.execute('PRAGMA journal_mode=WAL'); connection.execute('PRAGMA synchronous=NORMAL')
connection.execute('CREATE TABLE events (event INTEGER PRIMARY KEY, trace INTEGER, key TEXT, line BLOB)')
connection.execute('CREATE UNIQUE INDEX once ON events (trace, key)')
with open(sys.argv[1], 'rb') as file:
    for number, line in enumerate(file):
        connection.execute('INSERT INTO events (trace, key, line) VALUES (1, ?, ?)', (str(number), line))
        if number % 1000 == 999: connection.commit()
connection.commit()
"""
SEND = """
import sys; from itertools import islice; from pathlib import Path; from whyops._store.sink import SqliteSink
sink = SqliteSink(Path(sys.argv[2]))
with open(sys.argv[1], 'rb') as file:
    while batch := list(islice(file, 1000)): sink.send(batch)
sink.close()
"""


@dataclass(frozen=True)
class Work:
    """One line of the table: what the floor runs, what ours does, and what fills a home for it. A changed home is copied each time.

    `goal` is what we hold ourselves to, as a multiple of the floor, `most_memory` in MB.
    """

    floor: list[str]
    ours: list[str]
    fill: Callable[[Path, Path], None]
    goal: float
    most_memory: float | None = None
    changes: bool = False


@dataclass(frozen=True)
class Cost:
    """CPU in seconds, and the greatest memory in MB. `pace` is what the same Python took in the same turns for what is always the same."""

    cpu: float
    memory: float
    pace: float = 0.0


def command(*words: str) -> list[str]:
    """Return what starts a command of ours in `HOME`."""
    return ["-m", "whyops", *words]


def stored(plain: Path) -> Callable[[Path, Path], None]:
    """Return what fills a home's local store, by the code of a revision: each has its own form."""

    def fill(home: Path, source: Path) -> None:
        cost(["-c", SEND, str(plain), "HOME"], home, source)

    return fill


def left(destination: Destination, files: int, plain: Path) -> Callable[[Path, Path], None]:
    """Return what leaves lines in a home as dead processes do."""

    def fill(home: Path, _: Path) -> None:
        homes.leave(home, destination, files, plain)

    return fill


def starts(folder: Path, _: float) -> Iterator[tuple[str, Work]]:
    """Start commands in a home with a few traces."""
    plain = homes.written(folder / "plain", homes.lines(20, 3))
    for words, goal in (("show last", 3.2), ("list", 3.2), ("status", 3.2), ("--version", 2), ("--help", 2)):
        yield f"start: {words}", Work(["-c", START], command(*words.split()), stored(plain), goal)


def storing(folder: Path, scale: float) -> Iterator[tuple[str, Work]]:
    """Store events in traces of ten."""
    traces = max(round(10_000 * scale), 1)
    plain = homes.written(folder / "plain", homes.lines(traces, 4))
    ours, floor = (["-c", program, str(plain), "HOME"] for program in (SEND, STORE))
    yield f"store {traces * 10:,} events", Work([*floor[:-1], "HOME/floor.db"], ours, lambda home, _: home.mkdir(), 2.6, changes=True)


def many_traces(folder: Path, scale: float) -> Iterator[tuple[str, Work]]:
    """Export, list and prune a store of many traces."""
    traces = max(round(10_000 * scale), 1)
    plain = homes.written(folder / "few", homes.lines(traces, 3))
    floor = ["-c", PARSE, str(plain)]
    yield f"export {traces:,} traces", Work(floor, command("export"), stored(plain), 2)
    yield f"prune --user, {traces:,} traces", Work(floor, command("prune", "--user", "user_1"), stored(plain), 1.5, changes=True)
    traces *= 10
    plain = homes.written(folder / "many", homes.lines(traces, 0))
    yield f"list --all, {traces:,} traces", Work(["-c", PARSE, str(plain)], command("list", "--all"), stored(plain), 3.4)


def long_traces(folder: Path, scale: float) -> Iterator[tuple[str, Work]]:
    """Show a long trace, and make its report."""
    calls = max(round(5000 * scale), 1)
    plain = homes.written(folder / "long", homes.lines(1, calls))
    for words in ("show last", "show last --for-llm"):
        yield f"{words}, {calls * 2:,} events", Work(["-c", PARSE, str(plain)], command(*words.split()), stored(plain), 4)
    plain = homes.written(folder / "longer", homes.lines(1, calls * 10))
    ours = command("report", "last", "-o", str(folder / "report.html"))
    yield f"report, {calls * 20:,} events", Work(["-c", PARSE, str(plain)], ours, stored(plain), 3, 300)


def leftovers(folder: Path, scale: float) -> Iterator[tuple[str, Work]]:
    """Store what dead processes left, in many files and in one; and show a trace while very much waits for a service."""
    files = max(round(5000 * scale), 1)
    plain = homes.written(folder / "files", homes.lines(files, 0))
    floor = ["-c", PARSE, str(plain)]
    yield f"{files:,} leftover files", Work(floor, command("list"), left(homes.LOCAL, files, plain), 18, changes=True)
    traces = max(round(20_000 * scale), 1)
    plain = homes.written(folder / "one", homes.lines(traces, 4))
    floor = ["-c", PARSE, str(plain)]
    yield f"drain {traces * 10:,} events", Work(floor, command("list"), left(homes.LOCAL, 1, plain), 1.5, changes=True)
    elsewhere = Destination("http://127.0.0.1:9/api", "shop", "0" * 12)
    yield f"show last, {traces * 10:,} events waiting", Work(floor, command("show", "last"), left(elsewhere, 1, plain), 2.3, 60)


LINES: tuple[Callable[[Path, float], Iterator[tuple[str, Work]]], ...] = (starts, storing, many_traces, long_traces, leftovers)


def cost(words: list[str], home: Path, source: Path) -> Cost:
    """Run a Python and return what it took.

    Raises:
        CalledProcessError: It failed.
    """
    variables = {**os.environ, "PYTHONPATH": str(source), "WHYOPS_HOME": str(home), "WHYOPS_API_KEY": "", "PYTHONIOENCODING": "utf-8"}
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    started = [sys.executable, *(word.replace("HOME", str(home)) for word in words)]
    with subprocess.Popen(started, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        told = process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.stderr.buffer.write(told)
        raise subprocess.CalledProcessError(process.returncode, started)
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def measured(work: Work, words: list[str], source: Path, home: Path) -> Cost:
    """Run one of a line's programs, in a copy of the home if it changes that."""
    if not work.changes:
        return cost(words, home, source)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        copy = Path(folder, "home")
        shutil.copytree(home, copy)
        return cost(words, copy, source)


def costs_of(work: Work, sources: Sequence[Path], rounds: int) -> list[Cost]:
    """Measure a line in turns, and return medians: of the floor, of ours, and of the other revision's."""
    found: list[list[Cost]] = [[] for _ in range(1 + len(sources))]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        all_homes = [Path(folder, str(number)) for number in range(len(sources))]
        for source, home in zip(sources, all_homes, strict=True):
            work.fill(home, source)
        paces = []
        for _ in range(rounds):
            paces += [cost(["-c", START], all_homes[0], sources[0]).cpu for _ in range(3)]
            found[0].append(measured(work, work.floor, sources[0], all_homes[0]))
            for place, (source, home) in enumerate(zip(sources, all_homes, strict=True), 1):
                found[place].append(measured(work, work.ours, source, home))
            paces += [cost(["-c", START], all_homes[0], sources[0]).cpu for _ in range(3)]
    pace = statistics.median(paces)
    return [Cost(statistics.median(one.cpu for one in costs), max(one.memory for one in costs), pace) for costs in found]


def verdict(work: Work, floor: Cost, ours: Cost) -> str:
    """Say whether a line's goals are met; a noisy machine may take a quarter more."""
    over = max(ours.cpu / floor.cpu / work.goal, ours.memory / (work.most_memory or ours.memory))
    return "met" if over <= 1 else "met with grace" if over <= 1 + GRACE else "NOT MET"


def row(name: str, work: Work, costs: Sequence[Cost]) -> str:
    """Return a line of the table."""
    floor, *others = costs
    cells = [f"{one.cpu:.3f} s ({one.cpu / floor.cpu:.2f}x), {one.memory:.0f} MB" for one in others]
    goal = f"≤ {work.goal:g}x" + (f", {work.most_memory:.0f} MB" if work.most_memory else "")
    return f"| {name} | {floor.cpu:.3f} s | {' | '.join(cells)} | {goal} | {verdict(work, floor, others[0])} |"


Found = list[tuple[str, Work, Sequence[Cost]]]
"""Of each line its name, its work, and the costs of the floor, of ours and of the other revision's."""


def table(asked: argparse.Namespace, sources: Sequence[Path]) -> tuple[list[str], Found]:
    """Measure what was asked for, print it, and return the table's lines, and what was found."""
    found: Found = []
    lines = [
        f"| CPU, in brackets as a multiple of the floor; memory | floor | ours |{' beside |' if len(sources) > 1 else ''} goal | |",
        f"|---|--:|--:|{'--:|' if len(sources) > 1 else ''}--:|---|",
    ]
    print("\n".join(lines))
    for line in LINES:
        if not asked.names or line.__name__ in asked.names:
            with tempfile.TemporaryDirectory(prefix="bench-") as folder:
                for name, work in line(Path(folder), asked.scale):
                    rounds = asked.rounds * (5 if line is starts else 1)
                    found.append((name, work, costs_of(work, sources, rounds)))
                    lines.append(row(*found[-1]))
                    print(lines[-1], flush=True)
    return lines, found


def main() -> int:
    """Measure what was asked for; return how many curves are worse than linear, where that was asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(one.__name__ for one in LINES)}; without any, all")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--beside", type=Path, metavar="SRC", help="the `src` of another revision")
    parser.add_argument("--docs", action="store_true", help="write the table and the picture of the growth into docs/")
    asked = parser.parse_args()
    lines, found = table(asked, [HERE / "src", *([asked.beside.resolve()] if asked.beside else [])])
    if not asked.docs:
        return 0
    import grown  # noqa: PLC0415  (it imports this module)

    return grown.write(lines, found, asked.scale)


if __name__ == "__main__":
    sys.exit(main())
