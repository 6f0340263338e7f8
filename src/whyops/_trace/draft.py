"""A step while its events and children are being found."""

from __future__ import annotations

from .._wire.model_tool_call import ModelToolCall
from .._wire.read import RecordedEvent
from .step_context import ALONE, Choice, Rank, StepContext, Told
from .steps import Step


class DraftChoice:
    """A tool that a model chose: the calls of it, in order, and what the model was told of it."""

    def __init__(self, call: ModelToolCall, turn: int, model: Draft) -> None:
        self.call = call
        self.turn = turn
        self.model = model
        self.runs: list[Draft] = []
        self.told: Told | None = None
        self.ran_elsewhere = False
        """Whether a call of it stands inside another step, as that of a graph's node."""

    def take(self, run: Draft) -> None:
        """Take a call as one of this choice's; what a result alone says is what the model was told."""
        self.runs.append(run)
        run.choice = self
        if run.is_result_alone:
            self.tell(Told(run.events[0].result, run.events[0]))

    def tell(self, told: Told) -> None:
        """Take note of what the model was told: the first of it counts."""
        self.told = self.told or told

    def finished(self, run: Draft | None = None) -> Choice:
        """Return what is known of it in the end; of one of its calls, if `run` is given: the last one is what the model was told of."""
        answer = self.model.events[0]
        told = self.told if run is None or run is self.runs[-1] else None
        has_run = self.ran_elsewhere or not all(draft.is_result_alone for draft in self.runs)
        return Choice(self.call, not (answer.truncated or answer.redacted), bool(self.runs) or self.ran_elsewhere, told, has_run)


class Draft:
    """A step while its events and children are being found."""

    __slots__ = (
        "attempt",
        "children",
        "choice",
        "choices",
        "depth",
        "events",
        "is_cut_off",
        "is_resumed",
        "kind",
        "parallel",
        "parent",
    )

    def __init__(self, kind: type[Step], events: list[RecordedEvent]) -> None:
        self.kind = kind
        self.events = events
        self.parent: Draft | None = None
        self.depth = 0
        self.children: list[Draft] = []
        self.attempt: Rank | None = None
        self.parallel: Rank | None = None
        self.is_resumed = False
        self.is_cut_off = False
        self.choice: DraftChoice | None = None
        self.choices: list[DraftChoice] = []

    @property
    def is_result_alone(self) -> bool:
        """Whether nothing tells of a call but its result."""
        return self.events[0].type == "tool_result"

    @property
    def call_id(self) -> str | None:
        """The id of the model's call that it is a part of."""
        return self.events[0].call_id

    @property
    def tool_call_id(self) -> str | None:
        """The id under which a model chose it."""
        for event in self.events:
            if "tool_call_id" in event.metadata and (chosen := event.tool_call_id):
                return chosen
        return None

    def finished(self) -> Step:
        """Make the step and those inside it."""
        return self.kind(tuple(self.events), tuple(child.finished() for child in self.children), self._context())

    def _context(self) -> StepContext:
        if not (self.choice or self.choices or self.attempt or self.parallel or self.is_resumed or self.is_cut_off):
            return ALONE
        choice = None if self.choice is None else self.choice.finished(self)
        choices = tuple(chosen.finished() for chosen in self.choices)
        return StepContext(self.attempt, self.parallel, self.is_resumed, choice, choices, self.is_cut_off)
