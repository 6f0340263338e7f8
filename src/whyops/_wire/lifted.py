"""What the service takes out of an event, or keeps elsewhere → back in its place. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .read import RecordedEvent
from .values import as_mapping, as_text

_ROLES = frozenset({"system", "developer"})


def event_of_trace(given: Mapping[str, object], trace_id: str) -> dict[str, object] | None:
    """Return an event as it was recorded, from how the service gives it back: with null for what it lacks, perhaps without its trace.

    The service keeps the idempotency key in the metadata, and of a prompt's messages the users' texts: its messages are whole in the
    metadata, or were a single plain one. None, if it is no event of this trace.
    """
    event = {"traceId": trace_id, **{name: value for name, value in given.items() if value is not None or name == "content"}}
    metadata: Mapping[str, object] = as_mapping(event.get("metadata"))
    if key := as_text(metadata.get("idempotencyKey")):
        event.setdefault("idempotencyKey", key)
        metadata = {name: value for name, value in metadata.items() if name != "idempotencyKey"}
    if event.get("eventType") == "user_message":
        event["content"], metadata = _whole_prompt(event.get("content"), metadata)
    if "metadata" in event:
        event["metadata"] = metadata
    return event if isinstance(event.get("eventType"), str) and event["traceId"] == trace_id else None


def with_prompt(events: Sequence[RecordedEvent], prompt: str) -> list[Mapping[str, object]]:
    """Return the events, in order, with the prompt as the first message of the first one that has messages.

    Where one has it still, nothing is added; nor to those of our own making, which came whole.
    """
    raw = [event.raw for event in events]
    asked = [(index, event) for index, event in enumerate(events) if event.type == "user_message"]
    first = next((one for one in asked if "recordedAt" not in one[1].metadata), None)
    if first is not None and not any(_has_prompt(event) for _, event in asked):
        index, event = first
        raw[index] = {**event.raw, "content": _led_by({"role": "system", "content": prompt}, event)}
    return raw


def _whole_prompt(content: object, metadata: Mapping[str, object]) -> tuple[object, Mapping[str, object]]:
    """Return a prompt's content and metadata as they were recorded: the list of messages stands in the content alone."""
    if isinstance(messages := metadata.get("messages"), list):
        return messages, {name: value for name, value in metadata.items() if name != "messages"}
    if isinstance(content, str) and "recordedAt" in metadata:  # of our own making, which is always a list
        return [{"role": "user", "content": content}], metadata
    return content, metadata


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
