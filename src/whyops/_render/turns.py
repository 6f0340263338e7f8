"""A trace's steps, as turns of a conversation."""

from __future__ import annotations

from collections.abc import Sequence

from .._trace.recorded import RecordedTrace
from .._trace.steps import Step


def turns(trace: RecordedTrace) -> list[tuple[Step, Sequence[Step]]]:
    """Return the steps at the top with those below them: what follows a user's message stands below it, and not beside it."""
    found: list[tuple[Step, list[Step]]] = []
    for step in trace.steps:
        if found and found[-1][0].kind == "user" and step.kind != "user":
            found[-1][1].append(step)
        else:
            found.append((step, list(step.children)))
    return [*found]
