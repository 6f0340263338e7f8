"""Who acts in a trace's steps, said where it changes, and not at all where one does everything."""

from __future__ import annotations

from collections.abc import Sequence

from .._trace.recorded import RecordedTrace
from .._trace.steps import LLMResponse, Step, ToolCall
from .._wire.actor import Actor

Labels = dict[int, str]
"""The name to put before a step, by the step's `id()`."""


def actor_labels(trace: RecordedTrace) -> Labels:
    """Return who acts, for the first step of each run of steps; none where the trace knows one actor only."""
    labels: Labels = {}
    _label(trace.steps, "", None, labels)
    return labels if len(set(labels.values())) > 1 else {}


def _label(steps: Sequence[Step], shown: str, parent: Step | None, labels: Labels) -> None:
    """Label the steps beside each other; `shown` is the name that stands last before them, or around them."""
    for step in steps:
        name = shown if step.kind == "user" or _acts_for(step, parent) else step.actor.name
        if name and name != shown:
            is_said = isinstance(step, ToolCall) and step.name == name  # a postprocessor's own call has its name
            if not is_said and (shown or name != step.kind):  # a node `model` that calls its model: nothing new where nobody else has acted
                labels[id(step)] = name
            shown = name
        _label(step.children, shown, step, labels)


def _acts_for(step: Step, parent: Step | None) -> bool:
    """Tell whether a step is part of what is around it: a tool that a model chose, run in a node for that, is the model's."""
    if isinstance(step, ToolCall) and step.context.choice is not None:
        return True
    if parent is None or not isinstance(step, ToolCall):
        return False
    ours, theirs = step.actor, parent.actor
    if isinstance(parent, LLMResponse):
        return ours.agent == theirs.agent or ours == Actor()
    return ours in (theirs, Actor())
