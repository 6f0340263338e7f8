"""An engine and the collector before it, and a user whose programs send there."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from .mlflow import Mlflow
from .phoenix import Phoenix
from .process import Process, eventually
from .rotel import rotel
from .shown import Shown

ROOT = Path(__file__).parents[2]
SETTLED_SECONDS = 1.0
"""What comes too often comes at most so much later than what had to come."""


class Behind:
    """Gives programs their settings and runs them; waits for what the engine shows of them."""

    def __init__(self, engine: Phoenix | Mlflow, collector: Process, folder: Path, environments: Path) -> None:
        self.engine = engine
        self.collector = collector
        self._folder = folder
        self._environments = environments

    def another_collector(self, name: str, engine: str) -> Process:
        """Return a collector before this address."""
        return rotel(self._environments / "rotel", self._folder / name, engine)

    def home(self, agent: str) -> Path:
        """Return where programs of an agent keep what waits."""
        return self._folder / "homes" / agent

    def environment(self, agent: str, address: str | None = None) -> dict[str, str]:
        """Give the environment of a program of this agent. It sends to the collector, unless another address is named."""
        return {
            **os.environ,
            "WHYOPS_HOME": str(self.home(agent)),
            "WHYOPS_API_KEY": "",
            "WHYOPS_AGENT_NAME": agent,
            "WHYOPS_OTLP": "1",
            "OTEL_EXPORTER_OTLP_ENDPOINT": address or self.collector.url,
            "OTEL_EXPORTER_OTLP_HEADERS": "x-mlflow-experiment-id=0",
        }

    def start(self, agent: str, *command: str, address: str | None = None) -> subprocess.Popen[str]:
        """Start a Python that reads and writes here."""
        environment = self.environment(agent, address)
        return subprocess.Popen(
            [sys.executable, *command], env=environment, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, agent: str, *command: str, address: str | None = None) -> str:
        """Run a Python to its end, which must be a good one, and return what it says."""
        environment = self.environment(agent, address)
        done = subprocess.run(
            [sys.executable, *command], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def whyops(self, agent: str, *command: str, address: str | None = None) -> str:
        """Run a command of `whyops` to its good end, and return what it says."""
        return self.run(agent, "-m", "whyops", *command, address=address)

    def sent(self, agent: str, *command: str, count: int, address: str | None = None) -> Sequence[Shown]:
        """Run a Python to its end, and return the spans that came of it: so many, or what is there if there are more."""
        before = {span.id for span in self.engine.spans(agent)}
        self.run(agent, *command, address=address)
        return self.arrived(agent, count, before)

    def arrived(self, agent: str, count: int, before: frozenset[str] | set[str] = frozenset()) -> Sequence[Shown]:
        """Wait until an agent has so many spans besides those from before, and return them all."""

        def new() -> list[Shown]:
            return [span for span in self.engine.spans(agent) if span.id not in before]

        eventually(lambda: len(new()), lambda found: found >= count, self._log)
        time.sleep(SETTLED_SECONDS)
        return new()

    def has_all(self, agent: str) -> None:
        """Wait until the engine has all that was sent to it by now, whichever way: a last turn of an agent is there."""
        for address in (self.collector.url, self.engine.process.url):
            last = f"after {agent}"
            before = {span.id for span in self.engine.spans(last)}
            self.run(last, "tests/engines/programs/support.py", f"{last} {len(before)}", address=address)
            self.arrived(last, 12, before)

    def _log(self) -> str:
        return self.engine.process.log() + self.collector.log()
