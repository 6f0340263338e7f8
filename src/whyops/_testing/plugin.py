"""The pytest plugin: the fixture `whyops_run`, and what is shown of a failed test's runs. It loads nothing until one of it is used."""

from __future__ import annotations

import re
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .run import Run

_RECORDING = "whyops._testing.record"
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
_MOST_OF_A_NAME = 120


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("whyops", "recorded runs of agents")
    group.addoption("--whyops-report", metavar="DIR", help="write an HTML page of what each failed test recorded into this folder")
    group.addoption("--whyops-update", action="store_true", help="write the golden runs that `run.matches(…)` compares with")


def pytest_configure(config: pytest.Config) -> None:
    """Let golden runs be written, if that is asked for."""
    if config.getoption("--whyops-update"):
        from . import golden  # noqa: PLC0415  (a run of pytest that does not use this loads nothing)

        golden.update = True


def pytest_unconfigure(config: pytest.Config) -> None:
    """Put that back: a test may run pytest in its own process."""
    if config.getoption("--whyops-update"):
        from . import golden  # noqa: PLC0415  (as above)

        golden.update = False


@pytest.fixture
def whyops_run() -> Iterator[Run]:
    """What the test's agent does: tools, model calls with their prompts, errors. Nothing is sent, and nothing is stored."""
    from .record import record  # noqa: PLC0415  (as above)

    with record() as run:
        yield run


def pytest_runtest_setup() -> None:
    """Forget what earlier tests recorded."""
    if (recording := sys.modules.get(_RECORDING)) is not None:
        recording.runs.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the decision paths of a failed test's runs into its report, and write their page if that is asked for."""
    report = yield
    recording = sys.modules.get(_RECORDING)
    if recording is not None and call.when == "call" and report.failed and recording.runs:
        report.sections += [("whyops: what was recorded", str(run)) for run in recording.runs]
        if folder := item.config.getoption("--whyops-report"):
            report.sections.append(("whyops: report", str(_page(Path(folder), item.nodeid, recording.runs))))
    return report


def _page(folder: Path, test: str, runs: list[Run]) -> Path:
    """Write the page of a test's runs. Returns where it is."""
    from .. import __version__  # noqa: PLC0415  (as above)
    from .._render.page.html import render_report  # noqa: PLC0415  (as above)

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{_UNFIT.sub('-', test)[-_MOST_OF_A_NAME:].strip('-.')}.html"
    traces = [trace for run in runs for trace in run.traces]
    if traces:
        path.write_text(render_report(traces, version=__version__), encoding="utf-8")
    return path
