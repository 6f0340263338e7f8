"""The goals: what recording may cost at most, and what it cost in this run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from results import Results, middle

GRACE = 1.25
"""The machine is noisy: a limit counts as met within this factor."""


@dataclass(frozen=True)
class Goal:
    """One line of the table. `unit` "x" is a ratio to `to`."""

    what: str
    measured: list[float]
    limit: float
    unit: str = "x OTel"
    at_least: bool = False
    grace: float = GRACE

    def value(self) -> float | None:
        """Return the median of the rounds."""
        return middle(self.measured)

    def verdict(self) -> str:
        """Tell whether it is met."""
        value = self.value()
        if value is None:
            return "not measured"
        if self.at_least:
            return "met" if value >= self.limit else "NOT MET"
        if value <= self.limit:
            return "met"
        return "met with grace" if value <= self.limit * self.grace else "NOT MET"


def goals(results: Results, whose: str = "ours") -> Iterator[Goal]:
    """Yield all goals with what was measured."""
    yield from _calls(results, whose)
    yield from _starts(results, whose)
    yield from _arrivals(results, whose)
    yield from _faults(results, whose)


def _calls(results: Results, whose: str) -> Iterator[Goal]:
    limits = [
        ("loop", "burst", {"p50_us": 0.40, "mean_us": 0.35, "p99_us": 0.40}, 2.0),
        ("500/s", "paced", {"p50_us": 0.50, "p99_us": 0.50}, 1.5),
        ("async loop", "async", {"p50_us": 0.45, "p99_us": 0.40}, None),
    ]
    for name, scenario, figures, floors in limits:
        for figure, limit in figures.items():
            yield Goal(f"{name}, caller's {figure[:-3]}", results.ratios(scenario, figure, whose), limit)
        if floors is not None:
            yield Goal(f"{name}, caller's p50", results.ratios(scenario, "p50_us", whose, "floor"), floors, "x floor")
    yield Goal("loop, CPU of all threads", results.ratios("burst", "cpu_us", whose), 0.30)
    yield Goal("500/s, CPU of all threads", results.ratios("paced", "cpu_us", whose), 0.40)


def _starts(results: Results, whose: str) -> Iterator[Goal]:
    yield Goal("import", results.ratios("import", "ms", whose), 0.30)
    yield Goal("process start to first call", results.ratios("first", "s", whose), 0.42)
    yield Goal("modules after the first call", list(results.rounds(whose, "first", "modules").values()), 130, "modules", grace=1)


def _arrivals(results: Results, whose: str) -> Iterator[Goal]:
    for scenario in ("near", "far"):
        sent = results.rounds(whose, scenario, "calls")
        arrived = results.rounds(whose, scenario, "arrived")
        yield Goal(f"{scenario}: share that arrives", [arrived[number] / sent[number] for number in sent], 1, "of all", at_least=True)
        yield Goal(f"{scenario}: peak memory", results.ratios(scenario, "mb", whose), 1)
    yield Goal("far: caller's mean", results.compared("far", "mean_us", "near", whose), 1, "x near")
    yield Goal("far: flush", list(results.rounds(whose, "far", "flush_s").values()), 4, "s")
    yield Goal("kill -9 after 100: arrive", list(results.rounds(whose, "kill", "arrived").values()), 100, "calls", at_least=True)


def _faults(results: Results, whose: str) -> Iterator[Goal]:
    for scenario, name, seconds in (("down", "refuses", 2.5), ("hang", "hangs", 5.5)):
        yield Goal(f"service {name}: caller's mean", results.compared(scenario, "mean_us", "well", whose), 1, "x well")
        yield Goal(f"service {name}: worst call", list(results.rounds(whose, scenario, "worst_ms").values()), 50, "ms")
        yield Goal(f"service {name}: exit", list(results.rounds(whose, scenario, "exit_s").values()), seconds, "s")
        yield Goal(
            f"service {name}: lines that tell how many wait",
            list(results.rounds(whose, scenario, "counts_said").values()),
            1,
            "lines",
            grace=1,
        )


def table(results: Results) -> str:
    """Return the goals as a Markdown table; the last column is what the package reaches where it could not be compiled."""
    lines = ["| what | goal | measured | rounds | | uncompiled |", "|---|--:|--:|--:|---|--:|"]
    for goal, uncompiled in zip(goals(results), goals(results, "uncompiled"), strict=True):
        spread = f"{min(goal.measured):.3g} to {max(goal.measured):.3g}" if goal.measured else ""
        sign = "≥" if goal.at_least else "≤"
        limit = f"{sign} {goal.limit:g} {goal.unit}"
        lines.append(f"| {goal.what} | {limit} | {_figure(goal)} | {spread} | {goal.verdict()} | {_figure(uncompiled)} |")
    return "\n".join(lines) + "\n\n" + cheaper(results) + "\n"


def _figure(goal: Goal) -> str:
    value = goal.value()
    return "-" if value is None else f"{value:.3g}"


COSTS = {
    "burst": ("p50_us", "mean_us", "p99_us", "caller_cpu_us", "cpu_us"),
    "paced": ("p50_us", "p99_us", "cpu_us"),
    "async": ("p50_us", "p99_us"),
    "beside": ("p50_us", "mean_us"),
    "import": ("ms",),
    "first": ("s", "modules"),
    "near": ("mean_us", "mb"),
    "far": ("mean_us", "mb"),
    "well": ("mean_us",),
    "down": ("mean_us", "worst_ms", "exit_s"),
    "hang": ("mean_us", "worst_ms", "exit_s"),
}
"""The figures of which less is better."""


def cheaper(results: Results) -> str:
    """Say in which figures another SDK cost less than ours."""
    found = []
    for scenario, figures in COSTS.items():
        for figure in figures:
            ours = results.median("ours", scenario, figure)
            for peer in ("otel", "logfire", "langfuse", "langsmith", "published"):
                theirs = results.median(peer, scenario, figure)
                if ours is not None and theirs is not None and theirs < ours:
                    found.append(f"{peer} in {scenario} {figure} ({theirs:.3g} against {ours:.3g})")
    return "Another SDK cost less than ours: " + ("; ".join(found) if found else "nowhere") + "."


if __name__ == "__main__":
    print(table(Results.load(Path(sys.argv[1]))))
