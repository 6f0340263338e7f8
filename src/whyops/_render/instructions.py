"""The instructions that models were given, each at the step where it is new."""

from __future__ import annotations

from .._trace.recorded import RecordedTrace
from .._wire.read import RecordedEvent
from .._wire.values import as_text
from .format import content_text

_ROLES = ("system", "developer")


def instructions(trace: RecordedTrace) -> dict[int, list[str]]:
    """Return the instructions that a step's prompt holds and none before it did, by the step's `id()`."""
    known: set[str] = set()
    found: dict[int, list[str]] = {}
    for step in trace.walk():
        texts = [text for event in step.events if event.type == "user_message" for text in _in_prompt(event)]
        new = [text for text in dict.fromkeys(texts) if text not in known]
        known.update(new)
        if new:
            found[id(step)] = new
    return found


def _in_prompt(event: RecordedEvent) -> list[str]:
    told = [content_text(message.content) for message in event.messages if message.role in _ROLES]
    alone = as_text(event.metadata.get("systemPrompt"))
    return told or ([alone] if alone is not None else [])
