"""A trace's steps → what its card says: what was asked and answered, how it ended, and where it first failed."""

from __future__ import annotations

from ..._printable import counted
from ..._trace.steps import ErrorStep, LLMResponse, Step, ToolCall
from ..step_text import FAILED, INTERRUPTED, OPEN, StepText

Data = dict[str, object]


class Card:
    """Is told of the steps, each before those inside it, and keeps the places of those that tell how the run ended."""

    def __init__(self) -> None:
        self._in_call: list[bool] = []
        """Of each step, whether it is a call or inside one."""
        self._asked: int | None = None
        self._questions = 0
        self._answered: int | None = None
        self._first_failed: int | None = None
        self._errors = 0
        self._ended_by: int | None = None
        """The last failure that was nobody's to deal with: an error outside all calls, or a call that no other call is around."""
        self._interrupted: tuple[int, str] | None = None
        self._open: str | None = None

    def add(self, step: Step, said: StepText, parent: int) -> None:
        """Take note of the next step; `parent` is the place of the one around it, -1 if there is none."""
        place = len(self._in_call)
        is_inside = parent >= 0 and self._in_call[parent]
        self._in_call.append(is_inside or isinstance(step, ToolCall))
        if said.kind == "user":
            self._questions += 1
            self._asked = place if self._asked is None else self._asked
        if _is_answer(step, said):
            self._answered = place
        if said.state == FAILED:
            self._errors += 1
            self._first_failed = place if self._first_failed is None else self._first_failed
            if isinstance(step, (ErrorStep, ToolCall)) and not is_inside:
                self._ended_by = place
        elif said.state == INTERRUPTED:
            self._interrupted = place, said.outcome or next(iter(said.facts), "stopped")
        elif said.state == OPEN:
            self._open = said.outcome

    def data(self) -> Data:
        """Return the places of the steps that asked, answered and failed first, how many questions there were, and the outcome in words."""
        state, words = self._outcome()
        on_the_way = f", after {counted(self._errors, 'error')}" if self._errors and state == "good" else ""
        data = {
            "asked": self._asked,
            "questions": self._questions,
            "answered": self._answered,
            "failed": self._first_failed,
            "state": state,
            "outcome": words + on_the_way,
        }
        return {name: value for name, value in data.items() if value is not None}

    def _outcome(self) -> tuple[str, str]:
        if self._open is not None:
            return "open", {"still open": "still running"}.get(self._open, f"not finished: {self._open}")
        answered = -1 if self._answered is None else self._answered
        if self._ended_by is not None and self._ended_by > answered:
            return "bad", "failed"
        if self._interrupted is not None and self._interrupted[0] >= answered:
            return "open", self._interrupted[1]
        if answered >= 0:
            return "good", "answered"
        return ("open", "no answer recorded") if self._asked is not None else ("good", "finished")


def _is_answer(step: Step, said: StepText) -> bool:
    """Tell whether a model said something that is not on the way to a tool."""
    return isinstance(step, LLMResponse) and bool(said.text) and (not step.requested or step.first.is_structured_answer)
