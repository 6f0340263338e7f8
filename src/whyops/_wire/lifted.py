"""The system prompt that the service takes out of a trace's messages → back among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .read import RecordedEvent

_ROLES = frozenset({"system", "developer"})


def with_prompt(events: Sequence[RecordedEvent], prompt: str) -> list[Mapping[str, object]]:
    """Return the events, in order, with the prompt as the first message of the first one that has messages.

    Where one has it still, or was kept whole in its metadata, nothing is added.
    """
    raw = [event.raw for event in events]
    asked = [index for index, event in enumerate(events) if event.type == "user_message"]
    if asked and not any(map(_has_prompt, (events[index] for index in asked))):
        raw[asked[0]] = {**raw[asked[0]], "content": _led_by({"role": "system", "content": prompt}, events[asked[0]])}
    return raw


def _has_prompt(event: RecordedEvent) -> bool:
    return not event.metadata.keys().isdisjoint({"messages", "systemPrompt"}) or any(message.role in _ROLES for message in event.messages)


def _led_by(first: Mapping[str, object], event: RecordedEvent) -> object:
    """Return an event's content with one more message before its own; a bare text is what the user said."""
    if isinstance(event.content, str):
        return [first, {"role": "user", "content": event.content}]
    if isinstance(event.content, list):
        return [first, *event.content]
    messages = event.fields.get("messages")
    return {**event.fields, "messages": [first, *messages]} if isinstance(messages, list) else event.content
