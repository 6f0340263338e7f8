"""What a run has measured, and the figures that follow from it."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

Figures = dict[str, float]

OVER_BARE = ("p50_us", "mean_us", "p99_us", "caller_cpu_us", "cpu_us")
"""Figures that hold the function's own cost; what is reported is what the SDK adds to it."""

TIMED = ("burst", "paced", "async", "beside")


@dataclass(frozen=True)
class Record:
    """What one process measured."""

    scenario: str
    peer: str
    round: int
    figures: Figures


@dataclass(frozen=True)
class Results:
    """All records of a run, and where they come from."""

    machine: dict[str, object]
    environments: dict[str, dict[str, object]]
    records: list[Record]

    def save(self, path: Path) -> None:
        """Write them to a file."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", "utf-8")

    @classmethod
    def load(cls, path: Path) -> Results:
        """Read them from a file."""
        read = json.loads(path.read_text("utf-8"))
        return cls(read["machine"], read["environments"], [Record(**record) for record in read["records"]])

    def rounds(self, peer: str, scenario: str, figure: str) -> dict[int, float]:
        """Return a figure by round, with the bare function's taken off where it is a part of it."""
        found = {r.round: r.figures[figure] for r in self.records if (r.peer, r.scenario) == (peer, scenario) and figure in r.figures}
        if scenario in TIMED and figure in OVER_BARE and peer != "bare":
            own = {r.round: r.figures[figure] for r in self.records if (r.peer, r.scenario) == ("bare", scenario)}
            found = {number: max(0.01, value - own[number]) for number, value in found.items() if number in own}
        return found

    def median(self, peer: str, scenario: str, figure: str) -> float | None:
        """Return the middle one of the rounds, or None if there is none."""
        return middle(self.rounds(peer, scenario, figure).values())

    def ratios(self, scenario: str, figure: str, peer: str, to: str = "otel") -> list[float]:
        """Return, for each round, how many times another's figure it is."""
        others = self.rounds(to, scenario, figure)
        return [value / others[number] for number, value in self.rounds(peer, scenario, figure).items() if others.get(number)]

    def compared(self, scenario: str, figure: str, with_scenario: str, peer: str) -> list[float]:
        """Return, for each round, how many times the same SDK's figure in another scenario it is."""
        others = self.rounds(peer, with_scenario, figure)
        return [value / others[number] for number, value in self.rounds(peer, scenario, figure).items() if others.get(number)]


def middle(values: Iterable[float], pick: Callable[[list[float]], float] = statistics.median) -> float | None:
    """Return the median, or None of nothing."""
    listed = list(values)
    return pick(listed) if listed else None
