"""What the views say of a run, without times and ids: to compare a run with one that was recorded before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from whyops._render.actors import actor_labels
from whyops._render.step_text import outline, step_text, turns
from whyops._trace.recorded import RecordedTrace

Told = tuple[object, ...]


def told_of(events: Iterable[Mapping[str, object]]) -> list[Told]:
    """Return for each step its depth, who acts where that is said, what the step is, how it ended, and what became of its calls."""
    trace = RecordedTrace.from_events(events)
    labels = actor_labels(trace)
    found: list[Told] = []
    for step, _, depth in outline(turns(trace)):
        said = step_text(step)
        found.append((depth, labels.get(id(step)), said.label, said.text, said.outcome, said.facts, said.interventions, said.not_recorded))
    return found
