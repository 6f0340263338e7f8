"""What a failed assertion says: one sentence, and the run's steps with those marked that it is about."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NoReturn

from .._printable import counted, printable
from .._render.step_text import FAILED, headline, outline, step_text, turns
from .._trace.recorded import RecordedTrace
from .._trace.steps import Step

_AROUND = 3
_SHOWN_WHOLE = 30
_WIDTH = 110
_MARK = "> "


def fail(sentence: str, trace: RecordedTrace, marked: Collection[Step] = ()) -> NoReturn:
    """Fail with a sentence and the steps of the run, those in `marked` behind a `>`."""
    __tracebackhide__ = True
    raise AssertionError(f"{sentence}\n\n{path_text(trace, marked)}")


def path_text(trace: RecordedTrace, marked: Collection[Step] = ()) -> str:
    """Return a run's steps, a line each; of a long run those near what is marked, and the first and last ones."""
    events = {id(step.first) for step in marked}  # a turn holds copies of its steps
    steps = outline(turns(trace))
    places = [place for place, (step, _, _) in enumerate(steps) if id(step.first) in events]
    return "\n".join(_lines(steps, places)) or "  (nothing was recorded)"


def _lines(steps: list[tuple[Step, int, int]], places: list[int]) -> Iterator[str]:
    near = {one for place in (0, *places, len(steps) - 1) for one in range(place - _AROUND, place + _AROUND + 1)}
    left_out = 0
    for place, (step, _, depth) in enumerate(steps):
        if len(steps) > _SHOWN_WHOLE and place not in near:
            left_out += 1
            continue
        if left_out:
            yield f"  … {counted(left_out, 'more step')}"
            left_out = 0
        yield _line(step, depth, is_marked=place in places)


def _line(step: Step, depth: int, *, is_marked: bool) -> str:
    said = step_text(step)
    text = headline(said)
    if said.outcome:
        text += f" → {'✗ ' if said.state == FAILED else ''}{said.outcome}"
    in_one_line = printable(" ".join(text.split("\n")), "utf-8")
    line = f"{_MARK if is_marked else '  '}{'  ' * depth}{in_one_line}"
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 1]}…"
