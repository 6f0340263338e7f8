"""A scenario: a small run of a framework, and in plain words what of it is recorded. The docs' table is made from these words.

    @scenario(feature="Summarised history", recorded="The summary, once, and by their ids the messages that were kept", streamed=True)
    def summarised(run: Run) -> None: ...

Each framework has a folder `scenarios/` with one file per kind of scenario, and a test that runs them all.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
_NEED = re.compile(r"([\w.-]+)(?:(>=|<)([\d.]+))?")


@dataclass(frozen=True)
class Scenario:
    """One run, and what is said of it.

    `streamed`: it is run twice, the second time streamed. `gaps` are the things that are rightly said to be missing, as
    `_trace.incomplete.gaps` tells them; none for most. `client` are the options that the client is made with. `concurrent`: model calls
    run at once, so that their order may be any. `repeats`: messages may rightly be recorded again.
    """

    run: Callable[[Any], Any]
    feature: str
    recorded: str
    streamed: bool = False
    needs: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    client: Mapping[str, Any] = field(default_factory=dict)
    concurrent: bool = False
    repeats: bool = False

    @property
    def name(self) -> str:
        """Return the name of the function."""
        return self.run.__name__

    @property
    def kind(self) -> str:
        """Return the name of the file that it stands in."""
        return self.run.__module__.rpartition(".")[2]

    @property
    def lacks(self) -> str | None:
        """Return the first of its needs that is not installed here; None if all are."""
        return next((need for need in self.needs if not is_met(need)), None)


def scenario(
    *,
    feature: str,
    recorded: str,
    streamed: bool = False,
    needs: str | tuple[str, ...] = (),
    gaps: tuple[str, ...] = (),
    client: Mapping[str, Any] | None = None,
    concurrent: bool = False,
    repeats: bool = False,
) -> Callable[[Callable[[Any], Any]], Scenario]:
    """Make a function a scenario. `needs` are packages, with a version if need be: `langchain>=1.1`; Python is one, too."""
    wanted = (needs,) if isinstance(needs, str) else needs

    def made(run: Callable[[Any], Any]) -> Scenario:
        return Scenario(run, feature, recorded, streamed, wanted, gaps, client or {}, concurrent, repeats)

    return made


def scenarios_in(folder: Path) -> list[Scenario]:
    """Return the scenarios of a folder, file by file; a file whose packages are not installed (`pytest.importorskip`) has none."""
    return [each for path in sorted(folder.glob("*.py")) for each in _in_file(path)]


def ways(scenarios: Iterable[Scenario]) -> list[Any]:
    """Return the parameters of a test with the arguments `case` and `streamed`, skipped where something is missing."""
    return [
        pytest.param(case, streamed, id=f"{case.kind}-{case.name}{'-streamed' if streamed else ''}", marks=_marks(case))
        for case in scenarios
        for streamed in ((False, True) if case.streamed else (False,))
    ]


def is_met(need: str) -> bool:
    """Tell whether a package is installed here, in the version that is needed."""
    found = _NEED.fullmatch(need)
    assert found is not None, need
    name, relation, wanted = found.groups()
    try:
        have = ".".join(map(str, sys.version_info[:2])) if name == "python" else metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    if relation is None:
        return True
    return (_numbers(have) < _numbers(wanted)) is (relation == "<")


def _in_file(path: Path) -> Iterator[Scenario]:
    try:
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    except pytest.skip.Exception:
        return
    yield from (each for each in vars(module).values() if isinstance(each, Scenario) and each.run.__module__ == module.__name__)


def _marks(case: Scenario) -> list[pytest.MarkDecorator]:
    return [] if case.lacks is None else [pytest.mark.skip(reason=f"needs {case.lacks}")]


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)[:3]]
