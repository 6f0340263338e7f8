"""What a fleet of processes costs a collector, the engine behind it and the disks: `fleet.py ENVIRONMENTS [--processes 50]`.

All processes are of one machine and one agent. Times depend on the machine, so what they cost is told beside each other: CPU, by `/proc`.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from .behind import Behind
from .cut import Cut
from .phoenix import Phoenix
from .process import eventually
from .rotel import rotel

PROGRAM = "tests/engines/programs/worker.py"
SPANS = 7
"""Of a turn."""


@dataclass(frozen=True)
class Cost:
    """CPU in seconds: of all senders without their start, of the collector, of the engine. `sent` and `shown`: so many seconds it took."""

    spans: int
    senders: float
    collector: float
    engine: float
    sent: float
    shown: float


@contextmanager
def phoenix_behind_rotel(environments: Path) -> Iterator[Behind]:
    """Run both with empty folders."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        engine = Phoenix(environments / "phoenix", folder / "engine")
        with engine.process, rotel(environments / "rotel", folder / "rotel", engine.process.url) as collector:
            yield Behind(engine, collector, folder, environments)


def started(behind: Behind, agent: str, processes: int, turns: int, pause: float, address: str | None = None) -> Sequence[Popen[str]]:
    """Start workers of an agent."""
    return [behind.start(agent, PROGRAM, str(turns), str(pause), address=address) for _ in range(processes)]


def ended(workers: Sequence[Popen[str]]) -> Sequence[dict[str, float]]:
    """Wait for workers, and return what each said."""
    said = [worker.communicate(timeout=900)[0] for worker in workers]
    assert all(worker.returncode == 0 for worker in workers)
    return [json.loads(line) for line in said]


def cost(behind: Behind, agent: str, processes: int, turns: int, pause: float) -> Cost:
    """Let workers work, and wait until the engine shows all they did."""
    spans = processes * turns * SPANS
    before, began = (behind.collector.cpu(), behind.engine.process.cpu()), time.monotonic()
    said = ended(started(behind, agent, processes, turns, pause))
    sent = time.monotonic() - began
    eventually(lambda: behind.engine.count(agent), lambda count: count >= spans, seconds=900, pause=2)
    shown = time.monotonic() - began
    assert behind.engine.count(agent) == spans
    after = (behind.collector.cpu(), behind.engine.process.cpu())
    return Cost(spans, sum(one["cpu"] for one in said), after[0] - before[0], after[1] - before[1], sent, shown)


def on_disk(behind: Behind, agent: str) -> tuple[int, int]:
    """Return how many files of lines there are for an agent, and their bytes."""
    files = [path.stat() for path in behind.home(agent).rglob("*") if path.suffix in {".lines", ".shared"}]
    return len({one.st_ino for one in files}), sum({one.st_ino: one.st_size for one in files}.values())


def print_costs(behind: Behind, processes: int) -> None:
    """Print what a steady load and a burst cost."""
    print("| load | spans | CPU a span: senders, collector, engine | sent after | shown after |\n| --- | --- | --- | --- | --- |")
    for name, turns, pause in (("a turn each 2 s", 10, 2.0), ("as fast as they can", 20, 0.0)):
        found = cost(behind, name.replace(" ", "-"), processes, turns, pause)
        each = [f"{value / found.spans * 1_000:.2f} ms" for value in (found.senders, found.collector, found.engine)]
        print(
            f"| {processes} processes, {name} | {found.spans} | {', '.join(each)} | {found.sent:.1f} s | {found.shown:.1f} s |", flush=True
        )


def print_requests(behind: Behind) -> None:
    """Print how many requests a collector gets."""
    with Cut(behind.collector.url, answers=0) as counted:
        ended(started(behind, "counted", 5, 10, 1.0, counted.url))
    size = sum(map(len, counted.answered))
    print(
        f"\n5 processes, 10 turns each, one a second: {len(counted.answered)} requests, {size / 5 / 10 / SPANS:.0f} bytes a span",
        flush=True,
    )


def print_disks(behind: Behind, processes: int) -> None:
    """Print what is on the disk while all goes well, with the collector away, after kill -9, and once all is delivered."""
    workers = started(behind, "disks", processes, 10, 1.0)
    most = (0, 0)
    while any(worker.poll() is None for worker in workers):
        most = max(most, on_disk(behind, "disks"))
        time.sleep(0.25)
    ended(workers)
    print(f"\nrunning: at most {most[0]} files, {most[1]} bytes; ended: {on_disk(behind, 'disks')}", flush=True)
    behind.collector.kill()
    left = sum(one["left"] for one in ended(started(behind, "away", processes, 20, -1.0)))
    files, size = on_disk(behind, "away")
    print(f"away: {files} files, {size} bytes, {size / processes / 20:.0f} bytes a turn; {left:.0f} events wait", flush=True)
    behind.collector.start()
    began = time.monotonic()
    behind.whyops("away", "deliver", "--timeout", "300")
    print(f"delivered by one process in {time.monotonic() - began:.1f} s; left: {on_disk(behind, 'away')}", flush=True)
    workers = started(behind, "killed", processes, 1000, 1.0)
    time.sleep(20)
    for worker in workers:
        worker.kill()
        worker.wait()
    print(f"killed: {on_disk(behind, 'killed')}", flush=True)
    behind.whyops("killed", "deliver", "--timeout", "300")
    print(f"delivered; left: {on_disk(behind, 'killed')}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("environments", type=Path)
    parser.add_argument("--processes", type=int, default=50)
    given = parser.parse_args()
    print(f"{os.cpu_count()} cores")
    with phoenix_behind_rotel(given.environments.resolve()) as both:
        print_costs(both, given.processes)
        print_requests(both)
        print_disks(both, given.processes)
