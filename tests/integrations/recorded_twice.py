"""What a trace of any framework records though it holds it already."""

from __future__ import annotations

from whyops._trace.recorded import RecordedTrace
from whyops._wire.prompt import PromptMessage, _of_event, listed


def twice(trace: RecordedTrace) -> list[PromptMessage]:
    """Return the messages that are recorded though they were before; what a user says last may be said again."""
    held: list[PromptMessage] = []
    found = []
    for event in trace.events:
        new = listed(event) if event.type == "user_message" else (_of_event(event),)
        turn = max((place for place, each in enumerate(new) if each.role != "system"), default=-1)
        is_turn = [place == turn and each.role == "user" for place, each in enumerate(new)]
        found += [each for each, said in zip(new, is_turn, strict=True) if event.type == "user_message" and not said and each in held]
        held += [each for each in new if not each.is_missing]
    return found
