"""What a fleet of processes costs a collector, the engine behind it and the disks: `python -m tests.engines.fleet ENVIRONMENTS`.

All processes are of one machine and one agent. Times depend on the machine, so what they cost is told beside each other: CPU, by `/proc`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
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
    """CPU of a span in milliseconds: of its sender, the collector, the engine. `sent` and `shown`: so many seconds it took."""

    spans: int
    sender: float
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


@contextmanager
def rotel_alone(environments: Path) -> Iterator[Behind]:
    """Run a collector that throws away what it takes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with rotel(environments / "rotel", folder / "rotel", None) as collector:
            yield Behind(Phoenix(environments / "phoenix", folder / "engine"), collector, folder, environments)


def started(behind: Behind, agent: str, load: tuple[int, int, float], address: str | None = None) -> Popen[str]:
    """Start processes of an agent: so many, with so many turns each, one every so many seconds."""
    return behind.start(agent, PROGRAM, *map(str, load), address=address)


def ended(workers: Popen[str]) -> Sequence[dict[str, float]]:
    """Wait for processes, and return what each said."""
    said = workers.communicate(timeout=900)[0]
    assert workers.returncode == 0
    return [json.loads(line) for line in said.splitlines()]


def cost(behind: Behind, agent: str, load: tuple[int, int, float]) -> Cost:
    """Let processes work, and wait until the engine shows all they did."""
    spans = load[0] * load[1] * SPANS
    before, began = (behind.collector.cpu(), behind.engine.process.cpu()), time.monotonic()
    said = ended(started(behind, agent, load))
    sent = time.monotonic() - began
    eventually(lambda: behind.engine.count(agent), lambda count: count >= spans, seconds=900, pause=2)
    shown = time.monotonic() - began
    assert behind.engine.count(agent) == spans
    used = behind.collector.cpu() - before[0], behind.engine.process.cpu() - before[1]
    sender = sum(one["cpu"] for one in said) / len(said) / SPANS
    return Cost(spans, sender * 1_000, used[0] / spans * 1_000, used[1] / spans * 1_000, sent, shown)


@dataclass(frozen=True, order=True)
class OnDisk:
    """Files of lines that wait, or are in use, and their bytes."""

    size: int
    files: int

    def __str__(self) -> str:
        return f"{self.files} files, {self.size / 1000:.0f} kB"


def on_disk(behind: Behind, agent: str) -> OnDisk:
    """Return what there is of an agent."""
    sizes = []
    for path in behind.home(agent).rglob("*.lines"):
        with contextlib.suppress(OSError):  # it was delivered just now
            sizes.append(path.stat().st_size)
    return OnDisk(sum(sizes), len(sizes))


def print_costs(environments: Path, processes: int) -> None:
    """Print what a steady load and a burst cost."""
    with phoenix_behind_rotel(environments) as behind:
        for name, turns, pause in (("a turn each 2 s", 5, 2.0), ("without a pause", 5, 0.0)):
            found = cost(behind, name.replace(" ", "-"), (processes, turns, pause))
            print(f"{processes} processes, {name}: {found.spans} spans, sent after {found.sent:.1f} s, shown after {found.shown:.1f} s")
            print(
                f"  CPU a span: sender {found.sender:.2f} ms, collector {found.collector:.3f} ms, engine {found.engine:.2f} ms", flush=True
            )


def print_requests(environments: Path, processes: int) -> None:
    """Print how many requests a collector gets, and what it costs alone."""
    with rotel_alone(environments) as behind:
        with Cut(behind.collector.url, answers=0) as counted:
            ended(started(behind, "counted", (5, 10, 1.0), counted.url))
        size = sum(map(len, counted.answered)) / 5 / 10 / SPANS
        print(f"5 processes, 10 turns each, one a second: {len(counted.answered)} requests, {size:.0f} bytes a span", flush=True)
        before, began = behind.collector.cpu(), time.monotonic()
        ended(started(behind, "alone", (processes, 20, 0.0)))
        took, used, spans = time.monotonic() - began, behind.collector.cpu() - before, processes * 20 * SPANS
        print(f"{processes} processes: {spans} spans in {took:.1f} s, collector {used / spans * 1_000:.3f} ms of CPU a span", flush=True)


def print_disks(environments: Path, processes: int) -> None:
    """Print what is on the disk while all goes well, with the collector away, and once all is delivered."""
    with rotel_alone(environments) as behind:
        workers = started(behind, "running", (processes, 10, 1.0))
        most = max(on_disk(behind, "running") for _ in iter(lambda: time.sleep(0.25) or workers.poll(), 0))
        ended(workers)
        print(f"running, 10 turns each: at most {most}; ended: {on_disk(behind, 'running')}", flush=True)
        behind.collector.kill()
        ended(started(behind, "away", (processes, 20, -1.0)))
        print(f"the collector away, 20 turns each: {on_disk(behind, 'away')}", flush=True)
        behind.collector.start()
        began = time.monotonic()
        behind.whyops("away", "deliver", "--timeout", "300")
        print(f"delivered by one process in {time.monotonic() - began:.1f} s: {on_disk(behind, 'away')}", flush=True)


PARTS = {"costs": print_costs, "requests": print_requests, "disks": print_disks}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("environments", type=Path)
    parser.add_argument("--processes", type=int, default=50)
    parser.add_argument("--only", choices=PARTS, action="append")
    given = parser.parse_args()
    for part in given.only or PARTS:
        PARTS[part](given.environments.resolve(), given.processes)
