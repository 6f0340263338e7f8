"""One step of a trace → all that is known of it, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timezone, tzinfo

from ..._printable import counted, printable
from ..._trace.recorded import RecordedTrace
from ..._trace.steps import Step
from ..actors import actor_labels
from ..format import pretty, time_text
from ..step_text import FAILED, RESULT, IsAlive, StepText, headline, outline, step_text, turns
from .paint import Line, Piece, glyphs_for, painted, paragraph
from .width import cut

_LEAST_WIDTH = 24
_MARGIN = "  "
_MOST_OF_A_HEADLINE = 2000


def render_step(
    trace: RecordedTrace,
    number: int,
    *,
    width: int,
    color: bool,
    encoding: str = "utf-8",
    zone: tzinfo | None = timezone.utc,
    is_alive: IsAlive | None = None,
) -> str | None:
    """Return a step by its number in the tree, from 1, with every value in full; None, if there are not so many.

    The text is at most `width` columns wide; `is_alive` is that of `step_text`; the time is shown in `zone`, the machine's own if None.
    """
    steps = outline(turns(trace))
    if not 1 <= number <= len(steps):
        return None
    view = _OneStep(trace, steps, max(width, _LEAST_WIDTH), encoding, is_alive)
    return painted(view.lines(number - 1, zone), width=view.width, color=color, ellipsis=view.glyphs.ellipsis)


class _OneStep:
    def __init__(
        self, trace: RecordedTrace, steps: Sequence[tuple[Step, int, int]], width: int, encoding: str, is_alive: IsAlive | None
    ) -> None:
        self.trace = trace
        self.steps = steps
        self.width = width
        self.encoding = encoding
        self.is_alive = is_alive
        self.glyphs = glyphs_for(encoding)

    def lines(self, place: int, zone: tzinfo | None) -> Iterator[Line]:
        """Yield where the step stands, what it says of itself, and each of its values whole."""
        step = self.steps[place][0]
        said = step_text(step, self.is_alive)
        yield Line([Piece(self._say(self.trace.trace_id), "bold")], [Piece(f"step {place + 1:,} of {len(self.steps):,}", "dim")])
        for above in reversed(list(self._above(place))):
            yield Line([Piece(f"in {above + 1}  ", "dim"), Piece(self._headline(self.steps[above][0]), "dim")])
        yield Line()
        yield from self._head(step, said)
        yield from self._facts(step, said, zone)
        failure = self._failure(said)
        yield from paragraph(failure, "bad text", self.width, _MARGIN, self.encoding) if failure else ()
        for value in said.values:
            if value.title == "Error" and isinstance(value.value, str) and value.value in failure:
                continue
            yield from (Line(), Line([Piece(value.title, "bold")]))
            style = "bad text" if value.title in ("Error", "Stack") else ""
            for line in pretty(value.value, self.width - len(_MARGIN)).split("\n"):
                yield from paragraph(line, style, self.width, _MARGIN, self.encoding)
        yield from self._inside(place)

    def _above(self, place: int) -> Iterator[int]:
        while (place := self.steps[place][1]) >= 0:
            yield place

    def _head(self, step: Step, said: StepText) -> Iterator[Line]:
        actor = actor_labels(self.trace).get(id(step)) or step.actor.name
        cross = f"{self.glyphs.cross} " if said.state == FAILED else ""
        style = "bad text" if said.state == FAILED else {"tool": "tool", "model": "model", "user": "user"}.get(said.kind, "bold")
        name = said.name if said.kind == "tool" else said.label
        yield from paragraph(f"{cross}{f'{actor}: ' if actor else ''}{name}", style, self.width, "", self.encoding)

    def _facts(self, step: Step, said: StepText, zone: tzinfo | None) -> Iterator[Line]:
        outcome = "" if said.state == FAILED or (said.state == RESULT and said.values and said.kind != "embedding") else said.outcome
        facts = (time_text(step.started_at, zone), *said.measures, *said.facts, outcome)
        dot = f" {self.glyphs.dot} "
        yield from paragraph(dot.join(filter(None, facts)), "dim", self.width, _MARGIN, self.encoding)
        number = next((number for number, call in enumerate(self.trace.model_calls, 1) if call.prompt and _ends(call.events, step)), None)
        if number is not None:
            yield from paragraph(f"its prompt: --prompt {number}", "dim", self.width, _MARGIN, self.encoding)
        if step.span_id:
            yield from paragraph(f"span {step.span_id}", "dim", self.width, _MARGIN, self.encoding)
        for warning in (*said.warnings, *(f"requested, but not recorded: {call}" for call in said.not_recorded)):
            yield from paragraph(f"~ {warning}", "warn", self.width, _MARGIN, self.encoding)

    @staticmethod
    def _failure(said: StepText) -> str:
        return said.outcome or said.text if said.state == FAILED else ""

    def _inside(self, place: int) -> Iterator[Line]:
        children = [at for at in range(place + 1, len(self.steps)) if self.steps[at][1] == place]
        if not children:
            return
        yield from (Line(), Line([Piece(f"{counted(len(children), 'step')} inside", "bold")]))
        digits = len(str(children[-1] + 1))
        for at in children:
            yield Line([Piece(f"{_MARGIN}{at + 1:>{digits}}  ", "dim"), Piece(self._headline(self.steps[at][0]))])

    def _headline(self, step: Step) -> str:
        said = step_text(step, self.is_alive)
        text = f"{said.kind} {said.name}" if said.kind in ("tool", "model") else headline(said)
        return cut(self._say(" ".join(text[:_MOST_OF_A_HEADLINE].split())), self.width, self.glyphs.ellipsis)

    def _say(self, text: str) -> str:
        return printable(text, self.encoding)


def _ends(events: Sequence[object], step: Step) -> bool:
    mine = {id(event) for event in step.events if event.type in ("llm_response", "error")}
    return any(id(event) in mine for event in events)
