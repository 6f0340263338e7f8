"""What the service's schema refuses: the whole array with 400, and nothing is stored.

Two kinds of refusal. A format, length or range error, or a missing tool, is told with index and field. A wrong JSON type, an unknown
event type or a null is one detail with an empty field.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from .answer import Answer

EVENT_TYPES = frozenset(
    [
        "user_message",
        "llm_response",
        "llm_thinking",
        "embedding_request",
        "embedding_response",
        "tool_call_request",
        "tool_call_response",
        "tool_result",
        "error",
    ]
)
TOOL_CALLS = frozenset(["tool_call_request", "tool_call_response"])

_LENGTHS = {"traceId": (1, 128), "agentName": (1, 255), "spanId": (0, 128), "externalUserId": (0, 255), "idempotencyKey": (0, 128)}
_REQUIRED = frozenset(["eventType", "traceId", "agentName"])
_TIMESTAMP = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?Z", re.ASCII)

Detail = tuple[str, str]


class WrongTypeError(Exception):
    """A value of a type that the schema does not know at this place; the service does not say which."""


def refusal(body: object) -> Answer | None:
    """Give the answer to a body that the schema refuses, or None if it is taken."""
    try:
        details = list(_details(body))
    except WrongTypeError:
        return invalid_input()
    if not details:
        return None
    return _refused([{"field": field, "message": message} for field, message in details])


def invalid_input() -> Answer:
    """Give the answer that does not say what is wrong."""
    return _refused([{"field": "", "message": "Invalid input"}])


def _refused(details: list[dict[str, str]]) -> Answer:
    return Answer(400, {"success": False, "error": "Validation failed", "details": details})


def _details(body: object) -> Iterator[Detail]:
    if not isinstance(body, list):
        yield from event_details(body)
        return
    for index, event in enumerate(body):
        for field, message in event_details(event):
            yield f"{index}.{field}", message


def event_details(event: object) -> Iterator[Detail]:
    """Yield the errors of one event that can be named. Raises `WrongTypeError` for the others."""
    if not isinstance(event, dict) or not event.keys() >= _REQUIRED or event["eventType"] not in EVENT_TYPES:
        raise WrongTypeError
    for field, (least, most) in _LENGTHS.items():
        if field in event:
            yield from _length_details(field, event[field], least, most)
    for field in ("stepId", "parentStepId"):
        if field in event:
            yield from _step_details(field, event[field])
    if "timestamp" in event:
        yield from _timestamp_details(event["timestamp"])
    yield from _metadata_details(event)


def _length_details(field: str, value: object, least: int, most: int) -> Iterator[Detail]:
    if not isinstance(value, str):
        raise WrongTypeError
    if not least <= utf16_length(value) <= most:
        yield field, f"String must contain from {least} to {most} characters"


def _step_details(field: str, value: object) -> Iterator[Detail]:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise WrongTypeError
    if value < 1 or value % 1:
        yield field, "Number must be a whole number from 1"


def _timestamp_details(value: object) -> Iterator[Detail]:
    if not isinstance(value, str):
        raise WrongTypeError
    if not is_timestamp(value):
        yield "timestamp", "Invalid datetime"


def _metadata_details(event: dict[str, Any]) -> Iterator[Detail]:
    metadata = event.get("metadata", {})
    if not isinstance(metadata, dict):
        raise WrongTypeError
    if event["eventType"] in TOOL_CALLS and not metadata.get("tool"):
        yield "metadata.tool", "Required on tool call events"


def is_timestamp(value: str) -> bool:
    """Tell whether `value` is an existing moment in ISO 8601, in UTC with a Z. The year 0000 passes here."""
    match = _TIMESTAMP.fullmatch(value)
    if match is None:
        return False
    year, *rest = (int(part or 0) for part in match.groups())
    try:
        datetime(year or 2000, *rest)  # type: ignore[arg-type]  # noqa: DTZ001 - only asks whether the date exists
    except ValueError:
        return False
    return True


def utf16_length(value: str) -> int:
    """Count as JavaScript does: a character beyond U+FFFF is two."""
    return len(value.encode("utf-16-le", "surrogatepass")) // 2
