"""What the rest of a trace tells of one step: its place among tries and parallel calls, what was chosen, what the model was told."""

from __future__ import annotations

from typing import NamedTuple

from .._wire.model_tool_call import ModelToolCall
from .._wire.read import RecordedEvent


class Rank(NamedTuple):
    """The number of one among several, from 1."""

    number: int
    of: int


class Told(NamedTuple):
    """What a model was told as the result of a call that it had chosen, and the event that tells it."""

    value: object
    event: RecordedEvent


class Choice(NamedTuple):
    """A tool that a model chose: whether a call of it was recorded, and what the model was told, where that was recorded apart."""

    call: ModelToolCall
    is_whole: bool = True
    """Whether nothing was cut or taken out of the answer."""
    is_recorded: bool = False
    told: Told | None = None
    has_run: bool = False
    """Whether a tool is known to have run for it: not, where nothing is recorded but what the model was told."""


class StepContext(NamedTuple):
    """What the rest of the trace tells of a step; what is left out is not known, or usual."""

    attempt: Rank | None = None
    """Which try it is, where a prompt, or a chosen call, was tried again after it had failed."""
    parallel: Rank | None = None
    """Which of several questions it is that models were asked at the same time."""
    is_resumed: bool = False
    """Whether it goes on with a call that was interrupted before."""
    choice: Choice | None = None
    """What a model had chosen, of a tool's call."""
    choices: tuple[Choice, ...] = ()
    """What the model chose, of its answer."""
    is_cut_off: bool = False
    """Whether the process is known to have ended before the model answered a prompt."""


ALONE = StepContext()
