"""What passes the service's schema and fails in its database: 500 for this event, for ever, while its neighbours are stored."""

from __future__ import annotations

import re
from typing import Any

from .schema import utf16_length

GREATEST_INTEGER = 2**31 - 1
DEEPEST = 4000

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_NUMBER = re.compile(r"\s*\d+\s*", re.ASCII)


def refuses(event: dict[str, Any]) -> str | None:
    """Give the reason why the database cannot take an event that the schema took, or None."""
    metadata = event.get("metadata", {})
    content = event.get("content")
    if not is_storable(content) or not is_storable(metadata) or not is_storable(event.get("idempotencyKey")):
        return "a NUL, a lone surrogate, or nested too deeply"
    if any(event.get(field, 1) > GREATEST_INTEGER for field in ("stepId", "parentStepId")):
        return "a step beyond 2147483647"
    if event.get("timestamp", "").startswith("0000"):
        return "the year 0000"
    if "providerId" in event:
        return "a provider that does not exist"
    if "latencyMs" in metadata and not is_count(metadata["latencyMs"]):
        return "latencyMs is not a whole number from 0 to 2147483647"
    if not _usage_is_storable(metadata.get("usage")):
        return "a token count is not a whole number from 0 to 2147483647"
    if not _fits(metadata.get("model"), 200):
        return "a model beyond 200 characters, or no text"
    if isinstance(content, dict) and not _fits(content.get("finishReason"), 100):
        return "a finishReason beyond 100 characters, or no text"
    return None


def is_count(value: object) -> bool:
    """Tell whether an integer column takes `value`: 1.0 and "1" too. (A negative one it would take; a count never is.)"""
    if isinstance(value, str):
        return _NUMBER.fullmatch(value) is not None and int(value) <= GREATEST_INTEGER
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return 0 <= value <= GREATEST_INTEGER and value == int(value)


def is_storable(value: object) -> bool:
    """Tell whether a JSON column takes `value`: no NUL, no lone surrogate, not too deep."""
    level: list[object] = [value]
    for _ in range(DEEPEST + 1):
        if not all(_UNSTORABLE.search(item) is None for item in level if isinstance(item, str)):
            return False
        level = [inner for item in level if isinstance(item, (dict, list)) for inner in _inside(item)]
        if not level:
            return True
    return False


def _inside(value: dict[str, object] | list[object]) -> list[object]:
    return [*value.keys(), *value.values()] if isinstance(value, dict) else value


def _usage_is_storable(usage: object) -> bool:
    if not isinstance(usage, dict):
        return True
    return all(is_count(count) for name, count in usage.items() if name.endswith("Tokens"))


def _fits(value: object, most: int) -> bool:
    if isinstance(value, str):
        return utf16_length(value) <= most
    return not isinstance(value, (dict, list))
