"""Measure what recording adds to a framework's run, above a handler that does nothing; interleaved, medians.

`compare.py [--rounds N] [--base FOLDER] [--out FILE]`: FOLDER is the `src` of another build of whyops that is measured beside.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
SCENARIOS = ("langgraph_agent", "function_agent", "langchain_token")


class Child:
    """A process that takes samples when it is asked."""

    def __init__(self, scenario: str, name: str, home: str, source: str | None) -> None:
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("WHYOPS_", "OTEL_", "LANG"))}
        environment |= {} if source is None else {"PYTHONPATH": source}
        command = [sys.executable, str(HERE / "sampler.py"), scenario, name, home]
        self.samples: list[float] = []
        self._process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        assert self._line() == "ready", f"{name} did not start"

    def take(self) -> None:
        """Take one."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        self.samples.append(float(self._line()))

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(60)

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()


def measured(scenario: str, sources: dict[str, str | None], rounds: int) -> dict[str, float]:
    """Return the median microseconds of a run, or of a token, with each handler."""
    with tempfile.TemporaryDirectory() as folder:
        children = {name: Child(scenario, name, f"{folder}/{name}", source) for name, source in sources.items()}
        for _ in range(rounds):
            for child in children.values():
                child.take()
        for child in children.values():
            child.close()
    return {name: statistics.median(child.samples) for name, child in children.items()}


def main() -> None:
    """Print a table, and write the figures if a file is named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--base")
    parser.add_argument("--out")
    parser.add_argument("--only", choices=SCENARIOS)
    options = parser.parse_args()
    sources: dict[str, str | None] = {"bare": None, "no-op": None, "ours": None}
    if options.base:
        sources["base"] = options.base
    figures = {}
    for scenario in [options.only] if options.only else SCENARIOS:
        figures[scenario] = found = measured(scenario, sources, options.rounds)
        above = {name: found[name] - found["no-op"] for name in sources.keys() - {"bare", "no-op"}}
        print(scenario, {name: round(value, 2) for name, value in found.items()}, "µs; above the no-op:", end=" ")
        print({name: round(value, 2) for name, value in sorted(above.items())}, end=" ")
        print(f"ratio {above['ours'] / above['base']:.2f}" if options.base else "")
    if options.out:
        Path(options.out).write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
