"""Which steps a tree shows, and their numbers: those that failed with the way to them, or those that are not nested too deep."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ..._printable import counted
from ..._trace.recorded import RecordedTrace
from ..._trace.steps import Step
from ..step_text import FAILED, outline, step_text, turns


class Wanted(NamedTuple):
    """What to show of a tree: steps down to `depth`, where those at the left have depth 1; those that failed alone; steps' numbers."""

    depth: int | None = None
    errors: bool = False
    numbers: bool = False


EVERYTHING = Wanted()


class Selected:
    """The steps of a trace that are wanted, as turns of a conversation, each with its number in the whole tree."""

    def __init__(self, trace: RecordedTrace, wanted: Wanted) -> None:
        found = turns(trace)
        self._wanted = wanted
        self._numbers: dict[int, int] = {}
        self._kept: set[int] = set()
        self.margin = 0
        """How many columns the numbers take at the left, with the blank behind them."""
        self._is_part = wanted != EVERYTHING
        if self._is_part:
            self._select(outline(found))
        self._calls = _calls_by_event(trace) if self._shows_numbers else {}
        self.turns = list(self._of(found))

    @property
    def _shows_numbers(self) -> bool:
        """Where steps are left out, their numbers tell so."""
        return self._wanted.numbers or self._wanted.errors

    @property
    def only_failures(self) -> bool:
        """Whether steps that did not fail are left out."""
        return self._wanted.errors

    def children(self, step: Step) -> Sequence[Step]:
        """Return the wanted ones of the steps inside a step."""
        return [*self._of(step.children)] if self._is_part else step.children

    def inside(self, step: Step) -> str:
        """Return how many steps inside a step are left out as too deep; nothing if none is."""
        if self._wanted.depth is None or not step.children or self.children(step):
            return ""
        below = [one for child in step.children for one in child.walk()]
        failed = sum(map(has_failed, below))
        if self._wanted.errors and not failed:
            return ""
        return f"{counted(len(below), 'step')} inside" + (f", {failed:,} failed" if failed else "")

    def number(self, step: Step) -> str:
        """Return what stands in the margin before a step."""
        return f"{self._numbers[id(step)]:>{self.margin - 1}} " if self.margin else ""

    def model_call(self, step: Step) -> int | None:
        """Return which of the trace's model calls a step ends, where numbers are shown."""
        if not self._calls:
            return None
        return next((self._calls[id(event)] for event in step.events if id(event) in self._calls), None)

    def _of(self, steps: Iterable[Step]) -> Iterator[Step]:
        return (step for step in steps if id(step) in self._kept) if self._is_part else iter(steps)

    def _select(self, steps: Sequence[tuple[Step, int, int]]) -> None:
        for place, (step, _, _) in enumerate(steps):
            self._numbers[id(step)] = place + 1
            if not self._wanted.errors:
                self._kept.add(id(step))
            elif has_failed(step):
                self._keep_with_way(steps, place)
        if self._wanted.depth is not None:
            self._kept -= {id(step) for step, _, depth in steps if depth >= self._wanted.depth}
        self.margin = len(str(len(steps))) + 1 if self._shows_numbers else 0

    def _keep_with_way(self, steps: Sequence[tuple[Step, int, int]], place: int) -> None:
        while place >= 0 and id(steps[place][0]) not in self._kept:
            self._kept.add(id(steps[place][0]))
            place = steps[place][1]


def has_failed(step: Step) -> bool:
    """Tell whether a step is shown as one that failed."""
    return step_text(step).state == FAILED


def _calls_by_event(trace: RecordedTrace) -> dict[int, int]:
    """Return which model call an answer or an error ends, by the event's `id()`."""
    return {
        id(event): number
        for number, call in enumerate(trace.model_calls, 1)
        for event in call.events
        if call.prompt and event.type in ("llm_response", "error")
    }
