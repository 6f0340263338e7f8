"""Measure what recording adds to a framework's run, above a handler that does nothing; interleaved, medians.

`compare.py [--rounds N] [--base FOLDER] [--peers FOLDER] [--out FILE]`: the first FOLDER is the `src` of another build of whyops that is
measured beside, the second where the other SDKs' environments are kept. They send to a stub on loopback, ours writes to its local store.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

import peer_environments as environments

HERE = Path(__file__).parent
SCENARIOS = tuple(environments.SCENARIOS)

SETTINGS = ("WHYOPS_", "OTEL_", "LANG", "MLFLOW_", "OPIK_")
"""How the environment variables begin that any of the SDKs reads."""


class Runs(NamedTuple):
    """How a sample is taken: by which Python, with which other packages, and where the service is."""

    python: str = sys.executable
    source: str | None = None
    url: str | None = None


class Child:
    """A process that takes samples when it is asked."""

    def __init__(self, scenario: str, name: str, home: str, runs: Runs) -> None:
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith(("WHYOPS_", "OTEL_", "LANG", "MLFLOW_", "OPIK_"))
        }
        environment |= {} if runs.source is None else {"PYTHONPATH": runs.source}
        environment |= {} if runs.url is None else {"BENCH_URL": runs.url, "PYTHONPATH": ""}
        command = [runs.python, str(HERE / "sampler.py"), scenario, name, home]
        self.samples: list[float] = []
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the child)
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True, bufsize=1
        )
        self.is_ready = self._line() == "ready"

    def take(self) -> None:
        """Take one."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        self.samples.append(float(self._line()))

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def told(self) -> str:
        """Return the last of what it said of errors."""
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")[-1_000:]

    def _line(self) -> str:
        """Return the next line that says something of the bench: an SDK may print, too."""
        assert self._process.stdout
        for line in self._process.stdout:
            if line.strip() == "ready" or line.startswith("sample "):
                return line.strip().removeprefix("sample ")
        return ""


def measured(scenario: str, sources: dict[str, Runs], rounds: int) -> dict[str, list[float]]:
    """Return the microseconds of runs, or of tokens, with each handler, by round."""
    with tempfile.TemporaryDirectory() as folder:
        children = {name: Child(scenario, name, f"{folder}/{name}", runs) for name, runs in sources.items()}
        for name, child in children.items():
            if not child.is_ready:
                print(f"{name} did not start: {child.told()}")
        running = {name: child for name, child in children.items() if child.is_ready}
        for number in range(rounds):
            turned = list(running.values())
            for child in turned[number % len(turned) :] + turned[: number % len(turned)]:
                child.take()
        for child in children.values():
            child.close()
    return {name: child.samples for name, child in running.items()}


def compare(options: argparse.Namespace, pythons: dict[str, str], url: str | None) -> dict[str, dict[str, list[float]]]:
    """Measure all scenarios, and print each."""
    figures: dict[str, dict[str, list[float]]] = {}
    for scenario in [options.only] if options.only else SCENARIOS:
        sources = {"bare": Runs(), "no-op": Runs(), "ours": Runs()}
        if options.base:
            sources["base"] = Runs(source=options.base)
        sources |= {name: Runs(pythons[name], url=url) for name in environments.SCENARIOS[scenario] if name in pythons}
        figures[scenario] = measured(scenario, sources, options.rounds)
        found = {name: statistics.median(samples) for name, samples in figures[scenario].items()}
        above = {name: round(found[name] - found["no-op"], 2) for name in found.keys() - {"bare", "no-op"}}
        print(
            scenario, {name: round(value, 2) for name, value in found.items()}, "µs; above the no-op:", dict(sorted(above.items())), end=" "
        )
        print(f"ratio {above['ours'] / above['base']:.2f}" if options.base else "", flush=True)
    return figures


def main() -> None:
    """Print the figures, and write them if a file is named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--base")
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--out")
    parser.add_argument("--only", choices=SCENARIOS)
    options = parser.parse_args()
    machine = {"measured": datetime.now(timezone.utc).strftime("%Y-%m-%d"), "python": platform.python_version(), "cores": os.cpu_count()}
    if options.peers is None:
        figures, versions = compare(options, {}, None), {}
    else:
        sys.path.append(str(HERE.parent / "peers"))
        from processes import Service  # noqa: PLC0415  (of the other bench: its stub answers what any of them sends)

        pythons = environments.prepare(options.peers.absolute())
        versions = {name: environments.version(python, name) for name, python in pythons.items()}
        with Service() as service:
            figures = compare(options, pythons, service.url)
    if options.out:
        Path(options.out).write_text(json.dumps({"machine": machine, "versions": versions, "figures": figures}, indent=1) + "\n")


if __name__ == "__main__":
    main()
