"""Phoenix and MLflow, each behind a collector of its own, and programs of users that send there.

`nox -s engines` installs them. `WHYOPS_ENGINES` is the folder with an environment of each: `phoenix`, `mlflow`, `rotel`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from .behind import Behind
from .mlflow import Mlflow
from .phoenix import Phoenix
from .rotel import rotel

ENVIRONMENTS = os.environ.get("WHYOPS_ENGINES")
KINDS = {"phoenix": Phoenix, "mlflow": Mlflow}

collect_ignore_glob = [] if ENVIRONMENTS else ["test_*.py"]


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Mark all that is here: it runs in the nox session that has the engines."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.engines)
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session", params=list(KINDS))
def behind(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    """Give an engine behind a collector, both running."""
    environments, folder = Path(ENVIRONMENTS or "").resolve(), tmp_path_factory.mktemp(request.param)
    engine = KINDS[request.param](environments / request.param, folder / "engine")
    with engine.process, rotel(environments / "rotel", folder / "rotel", engine.process.url) as collector:
        yield Behind(engine, collector, folder, environments)


@pytest.fixture
def agent(request: pytest.FixtureRequest) -> str:
    """Give an agent's name that no other test has."""
    return str(request.node.name).partition("[")[0].removeprefix("test_").replace("_", "-")
