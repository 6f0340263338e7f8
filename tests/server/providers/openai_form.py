"""What OpenAI's APIs have in common: the key, errors, the events of a stream, what messages may be."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.server.answer import Answer

KEY = "sk-good"

_CODES = {401: "invalid_api_key", 429: "rate_limit_exceeded"}
_TYPES = {400: "invalid_request_error", 401: "invalid_request_error", 429: "requests", 500: "server_error"}


def knows_key(headers: Mapping[str, str]) -> bool:
    """Tell whether the request has a good key."""
    return headers.get("authorization") == f"Bearer {KEY}"


def error(status: int, message: str) -> Answer:
    """Give an error in OpenAI's form."""
    return Answer(status, {"error": {"message": message, "type": _TYPES[status], "param": None, "code": _CODES.get(status)}})


def pieces(text: str, length: int = 4) -> Iterator[str]:
    """Cut a text as tokens cut it."""
    for start in range(0, len(text), length):
        yield text[start : start + length]


def event(data: Mapping[str, Any], name: str | None = None) -> bytes:
    """Write one event of a stream."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data)}\n\n".encode()


def numbered(usage: Mapping[str, Any]) -> bool:
    """Tell whether all counts are whole numbers."""
    return all(numbered(value) if isinstance(value, Mapping) else type(value) is int for value in usage.values())
