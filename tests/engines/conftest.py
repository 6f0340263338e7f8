"""Phoenix and MLflow, each behind a collector of its own, and programs of users that send there.

`nox -s engines` installs them. `WHYOPS_ENGINES` is the folder with an environment of each: `phoenix`, `mlflow`, `rotel`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from .mlflow import Mlflow
from .phoenix import Phoenix
from .process import Process
from .rotel import rotel

ENVIRONMENTS = os.environ.get("WHYOPS_ENGINES")
ROOT = Path(__file__).parents[2]
KINDS = {"phoenix": Phoenix, "mlflow": Mlflow}

collect_ignore_glob = [] if ENVIRONMENTS else ["test_*.py"]


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Mark all that is here: it runs in the nox session that has the engines."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.engines)
            item.add_marker(pytest.mark.timeout(600))


class Behind:
    """An engine and the collector before it, and a user whose programs send there."""

    def __init__(self, engine: Phoenix | Mlflow, collector: Process, folder: Path) -> None:
        self.engine = engine
        self.collector = collector
        self.folder = folder

    def environment(self, agent: str, address: str | None = None) -> dict[str, str]:
        """Give the environment of a program of this agent. It sends to the collector, unless another address is named."""
        return {
            **os.environ,
            "WHYOPS_HOME": str(self.folder / "homes" / agent),
            "WHYOPS_API_KEY": "",
            "WHYOPS_AGENT_NAME": agent,
            "WHYOPS_OTLP": "1",
            "OTEL_EXPORTER_OTLP_ENDPOINT": address or self.collector.url,
            "OTEL_EXPORTER_OTLP_HEADERS": "x-mlflow-experiment-id=0",
        }

    def run(self, agent: str, *command: str, address: str | None = None, code: int | None = 0) -> str:
        """Run a Python to its end, which must be as told, and return what it says."""
        environment = self.environment(agent, address)
        done = subprocess.run([sys.executable, *command], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)
        assert code is None or done.returncode == code, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="session", params=list(KINDS))
def behind(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    """Give an engine behind a collector, both running."""
    environments, folder = Path(ENVIRONMENTS or "").resolve(), tmp_path_factory.mktemp(request.param)
    engine = KINDS[request.param](environments / request.param, folder / "engine")
    with engine.process, rotel(environments / "rotel", folder / "rotel", engine.process.url) as collector:
        yield Behind(engine, collector, folder)
