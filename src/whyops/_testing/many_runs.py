"""Several runs of the same thing: how often each tool was chosen, where a model is not the same each time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload

from .failure import path_text
from .record import record
from .run import Run


class Runs(Sequence[Run]):
    """Runs of the same agent. `calling` counts those in which a tool was called; an assertion shows the first run that is otherwise."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs = tuple(runs)

    @overload
    def __getitem__(self, place: int, /) -> Run: ...
    @overload
    def __getitem__(self, place: slice, /) -> Sequence[Run]: ...
    def __getitem__(self, place: int | slice, /) -> Run | Sequence[Run]:
        return self._runs[place]

    def __len__(self) -> int:
        return len(self._runs)

    def __iter__(self) -> Iterator[Run]:
        return iter(self._runs)

    def __repr__(self) -> str:
        told = ", ".join(f"{name} in {number}" for name, number in self.tools().most_common())
        return f"<{len(self)} runs: {told or 'no tool was called'}>"

    def tools(self) -> Counter[str]:
        """Return for each tool the number of runs in which it was called."""
        return Counter(name for run in self._runs for name in {name for call in run.trace.calls for name in call.names})

    def calling(self, name: str) -> int:
        """Return the number of runs in which a tool was called."""
        return self.tools()[name]

    def failing(self) -> int:
        """Return the number of runs in which a step failed."""
        return sum(bool(run.errors) for run in self._runs)

    def at_least(self, number: int, name: str) -> Runs:
        """A tool was called in so many runs or more."""
        __tracebackhide__ = True
        found = self.calling(name)
        if found < number:
            other = next(run for run in self._runs if not run.calls(name))
            told = f"{name} was called in {found} of {len(self)} runs; expected: at least {number}."
            raise AssertionError(f"{told} The first without it:\n\n{path_text(other.trace)}")
        return self

    def at_most(self, number: int, name: str) -> Runs:
        """A tool was called in so many runs or fewer."""
        __tracebackhide__ = True
        found = self.calling(name)
        if found > number:
            run = next(run for run in self._runs if run.calls(name))
            told = f"{name} was called in {found} of {len(self)} runs; expected: at most {number}."
            raise AssertionError(f"{told} The first with it:\n\n{path_text(run.trace, run.calls(name))}")
        return self


def repeat(times: int, agent: Callable[[], object], **settings: Any) -> Runs:
    """Run an agent several times, each time recorded by itself. An exception of the agent passes. `settings` are those of `record`."""
    runs = []
    for _ in range(times):
        with record(**settings) as run:
            agent()
        runs.append(run)
    return Runs(runs)
