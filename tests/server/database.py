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
    finish_reason = content.get("finishReason") if isinstance(content, dict) else None
    checks = {
        "a NUL, a lone surrogate, or nested too deeply": all(map(is_storable, (content, metadata, event.get("idempotencyKey")))),
        "a step beyond 2147483647": all(event.get(field, 1) <= GREATEST_INTEGER for field in ("stepId", "parentStepId")),
        "the year 0000": not event.get("timestamp", "").startswith("0000"),
        "a provider that does not exist": "providerId" not in event,
        "latencyMs is not a whole number from 0 to 2147483647": is_count(metadata.get("latencyMs", 0)),
        "a token count is not a whole number from 0 to 2147483647": _usage_is_storable(metadata.get("usage")),
        "a model beyond 200 characters, or no text": _fits(metadata.get("model"), 200),
        "a finishReason beyond 100 characters, or no text": _fits(finish_reason, 100),
    }
    return next((reason for reason, holds in checks.items() if not holds), None)


def is_count(value: object) -> bool:
    """Tell whether an integer column takes `value`: 1.0 and "1" too. A negative one it would take; a count never is."""
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
