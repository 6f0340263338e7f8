"""A trace's steps → what its card says: what was asked and answered, how it ended, and where it first failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..._printable import counted
from ..._trace.steps import ErrorStep, LLMResponse, Step, ToolCall
from ..step_text import FAILED, INTERRUPTED, OPEN, StepText

Data = dict[str, object]


class Told(NamedTuple):
    """A step of the outline, with what a view says of it, its parent's place and its depth."""

    step: Step
    said: StepText
    parent: int
    depth: int


@dataclass(frozen=True)
class _Ends:
    """The places of the steps that tell how a run ended; None, where there is no such step."""

    answered: int | None
    failed: int | None
    interrupted: int | None
    open: int | None


def card(steps: Sequence[Told]) -> Data:
    """Return the places of the steps that asked, answered and failed first, how many questions there were, and the outcome in words."""
    asked = [place for place, told in enumerate(steps) if told.said.kind == "user"]
    failed = [place for place, told in enumerate(steps) if told.said.state == FAILED]
    ends = _Ends(
        next((place for place in range(len(steps) - 1, -1, -1) if _is_answer(steps[place])), None),
        next((place for place in reversed(failed) if _ends_the_run(place, steps)), None),
        _last(steps, INTERRUPTED),
        _last(steps, OPEN),
    )
    state, words = _outcome(steps, ends, bool(asked))
    errors = len(failed)
    on_the_way = f", after {counted(errors, 'error')}" if errors and state == "good" else ""
    data = {
        "asked": asked[0] if asked else None,
        "questions": len(asked),
        "answered": ends.answered,
        "failed": failed[0] if failed else None,
        "state": state,
        "outcome": words + on_the_way,
    }
    return {name: value for name, value in data.items() if value is not None}


def _outcome(steps: Sequence[Told], ends: _Ends, has_question: bool) -> tuple[str, str]:  # noqa: FBT001  (used above alone)
    if ends.open is not None:
        return "open", {"still open": "still running"}.get(steps[ends.open].said.outcome, f"not finished: {steps[ends.open].said.outcome}")
    answered = -1 if ends.answered is None else ends.answered
    if ends.failed is not None and ends.failed > answered:
        return "bad", "failed"
    if ends.interrupted is not None and ends.interrupted >= answered:
        return "open", steps[ends.interrupted].said.outcome or next(iter(steps[ends.interrupted].said.facts), "stopped")
    if answered >= 0:
        return "good", "answered"
    return ("open", "no answer recorded") if has_question else ("good", "finished")


def _is_answer(told: Told) -> bool:
    """Tell whether a model said something that is not on the way to a tool."""
    step = told.step
    return isinstance(step, LLMResponse) and bool(told.said.text) and (not step.requested or step.first.is_structured_answer)


def _ends_the_run(place: int, steps: Sequence[Told]) -> bool:
    """Tell whether a failure was nobody's to deal with: an error outside all calls, or a call that no other call is around."""
    step = steps[place].step
    around = list(_around(place, steps))
    return isinstance(step, (ErrorStep, ToolCall)) and not any(isinstance(one, ToolCall) for one in around)


def _around(place: int, steps: Sequence[Told]) -> Iterator[Step]:
    while (place := steps[place].parent) >= 0:
        yield steps[place].step


def _last(steps: Sequence[Told], state: str) -> int | None:
    return next((place for place in range(len(steps) - 1, -1, -1) if steps[place].said.state == state), None)
