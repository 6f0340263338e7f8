"""A trace's steps, as turns of a conversation."""

from __future__ import annotations

from .._trace.recorded import RecordedTrace
from .._trace.steps import Step

Turn = tuple["Step | None", "list[Step]"]


def turns(trace: RecordedTrace) -> list[Turn]:
    """Return each message of the user with the steps that follow it; first, without a message, those before any."""
    found: list[Turn] = []
    for step in trace.steps:
        if step.kind == "user":
            found.append((step, list(step.children)))
        else:
            if not found:
                found.append((None, []))
            found[-1][1].append(step)
    return found
