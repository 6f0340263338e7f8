"""Run every SDK through every scenario, side by side in one run, and write down what was measured.

Each figure comes from a process of its own, in its SDK's own environment. The rounds are interleaved: what the machine does meanwhile
falls on all alike, and only what is compared within a run says anything.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

import environments
import goals
import results
from environments import Environment
from processes import Child, Service, deaf_port, refusing_port

REFERENCE = ("bare", "floor", "ours", "uncompiled", "otel")
PEERS = ("langfuse", "langsmith", "logfire", "published")

SILENCE = 30.0
"""Seconds after which a process that does not come back is killed."""


@dataclass(frozen=True)
class Scenario:
    """How often to run what. `slow` are the calls that 0.1.1 makes, which takes some thousand times as long: 0 leaves it out."""

    name: str
    calls: int
    rounds: int = 5
    peers_rounds: int = 3
    slow: int = 100
    without: tuple[str, ...] = ()
    delay: float = 0.0

    def plan(self, names: list[str], number: int) -> Iterator[tuple[str, int]]:
        """Yield who runs in a round, and with how many calls; each round begins with another."""
        turned = names[number % len(names) :] + names[: number % len(names)]
        for name in turned:
            calls = self.slow if name == "published" else self.calls
            rounds = self.rounds if name in REFERENCE else 1 if name == "published" else self.peers_rounds
            if number < rounds and name not in self.without and (calls or not self.calls):
                yield name, calls


SENDS_NOTHING = ("bare", "floor")

SCENARIOS = (
    Scenario("import", 0, rounds=15, peers_rounds=5, without=("bare",)),
    Scenario("first", 0, rounds=15, peers_rounds=5),
    Scenario("burst", 2000, rounds=15, peers_rounds=5),
    Scenario("paced", 2000, rounds=11, slow=0),
    Scenario("async", 2000, rounds=15, peers_rounds=5),
    Scenario("beside", 300, slow=0, peers_rounds=1),
    Scenario("near", 20_020, slow=200, peers_rounds=1, without=SENDS_NOTHING),
    Scenario("far", 20_020, slow=0, peers_rounds=1, without=SENDS_NOTHING, delay=0.05),
    Scenario("kill", 100, peers_rounds=3, rounds=3, without=SENDS_NOTHING),
    Scenario("well", 500, peers_rounds=1, slow=20, without=SENDS_NOTHING),
    Scenario("down", 500, peers_rounds=1, slow=1, without=SENDS_NOTHING),
    Scenario("hang", 500, peers_rounds=1, rounds=3, slow=1, without=SENDS_NOTHING),
)


@dataclass
class Bench:
    """Runs scenarios and keeps what they gave."""

    environments: dict[str, Environment]
    service: Service
    records: list[results.Record] = field(default_factory=list)

    def python(self, name: str) -> str:
        """Return the interpreter that an adapter runs on."""
        return self.environments["ours" if name in SENDS_NOTHING else name].python

    def round(self, scenario: Scenario, names: list[str], number: int) -> None:
        """Run one round of a scenario, one SDK after the other; those that only have to end do so side by side."""
        with tempfile.TemporaryDirectory(prefix="bench-") as homes:
            ending: list[tuple[str, Child]] = []
            for name, calls in scenario.plan(names, number):
                if scenario.name in ("down", "hang", "well"):
                    ending.append((name, self._faults(scenario.name, name, calls, tempfile.mkdtemp(dir=homes))))
                else:
                    self._add(scenario.name, name, number, self._measure(scenario, name, calls, tempfile.mkdtemp(dir=homes)))
            for name, child in ending:
                left = child.exit_after(SILENCE)
                self._add(scenario.name, name, number, {**child.figures, **left})

    def _measure(self, scenario: Scenario, name: str, calls: int, home: str) -> results.Figures:
        self.service.reset(scenario.delay)
        figures = Child(self.python(name), scenario.name, name, self.service.url, calls, home).finish(120)
        if scenario.name == "kill":
            time.sleep(0.3)
            figures["arrived_before"] = self.service.count()["arrived"]
            if name in environments.OURS:
                Child(self.python(name), "recover", name, self.service.url, 0, home).finish(60)
        if scenario.name in ("burst", "near", "far", "kill"):
            figures |= {**self.service.count(), "calls": calls}
        return figures

    def _faults(self, fault: str, name: str, calls: int, home: str) -> Child:
        self.service.reset(0.0)
        url = refusing_port() if fault == "down" else deaf_port() if fault == "hang" else self.service.url
        child = Child(self.python(name), fault, name, url, calls, home)
        child.wait_for_calls(SILENCE)
        child.watch()
        return child

    def _add(self, scenario: str, name: str, number: int, figures: results.Figures) -> None:
        self.records.append(results.Record(scenario, name, number, figures))


def main() -> None:
    """Measure, write the results, and print the table of goals."""
    options = _options()
    names = [name for name in (*REFERENCE, *PEERS) if name in options.only]
    prepared = environments.prepare(options.environments.absolute(), [name for name in names if not (name == "ours" and options.python)])
    if options.python:
        prepared["ours"] = environments.existing(options.python, "ours")
    for name, environment in prepared.items():
        print(f"{name}: {environment.problem or environment.version}", flush=True)
    names = [name for name in names if name in SENDS_NOTHING or not prepared[name].problem]
    chosen = [scenario for scenario in SCENARIOS if scenario.name in options.scenarios]
    started = time.monotonic()
    with Service() as service:
        bench = Bench(prepared, service)
        measured = results.Results(_machine(), {name: environment.described() for name, environment in prepared.items()}, bench.records)
        for number in range(options.rounds):
            for scenario in chosen:
                if number < scenario.rounds:
                    bench.round(scenario, names, number)
                    print(f"round {number + 1}, {scenario.name}: {time.monotonic() - started:.0f} s", flush=True)
            measured.save(options.out)
            options.goals.write_text(goals.table(measured), "utf-8")
    print(goals.table(measured))


def _machine() -> dict[str, object]:
    return {
        "measured": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count() or 0,
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    every = ",".join((*REFERENCE, *PEERS))
    scenarios = ",".join(scenario.name for scenario in SCENARIOS)
    parser.add_argument("--environments", type=Path, required=True, help="where the SDKs' environments are kept")
    parser.add_argument("--out", type=Path, required=True, help="where to write the results")
    parser.add_argument("--goals", type=Path, default=Path(os.devnull), help="where to write the table of goals after each round")
    parser.add_argument("--python", help="an interpreter that has this package, in place of an environment of its own")
    parser.add_argument("--rounds", type=int, default=15, help="of each scenario at most")
    parser.add_argument("--only", default=every, help=f"of {every}", type=lambda text: text.split(","))
    parser.add_argument("--scenarios", default=scenarios, help=f"of {scenarios}", type=lambda text: text.split(","))
    parser.add_argument("--quick", action="store_true", help="two rounds, and no peers but OpenTelemetry")
    options = parser.parse_args()
    options.only = options.only if isinstance(options.only, list) else options.only.split(",")
    if options.quick:
        options.rounds, options.only = 2, list(REFERENCE)
    return options


if __name__ == "__main__":
    main()
