"""What the service answers: a status, a body, headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Answer:
    """One answer. `body` is any JSON value, or the bytes of an event stream."""

    status: int
    body: object
    headers: Mapping[str, str] = field(default_factory=dict)


UNAUTHORIZED = Answer(401, {"success": False, "error": "Unauthorized: Authentication required"})
NOT_FOUND = Answer(404, {"success": False, "error": "Not found"})
INTERNAL_ERROR = Answer(500, {"success": False, "error": "Internal server error"})
