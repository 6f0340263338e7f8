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


@dataclass(frozen=True)
class Raw:
    """Bytes on the wire in place of an answer. `again` follows each `pause` seconds, until the client goes; without it we hang up."""

    first: bytes
    again: bytes = b""
    pause: float = 0.0

    @property
    def status(self) -> None:
        """Give none: whether this is an answer is for the client to say."""


def raw(status: int, body: bytes, kind: str = "application/json", **headers: str) -> bytes:
    """Return an answer as it stands on the wire; nobody looks whether it makes sense."""
    told = {
        "Content-Type": kind,
        "Content-Length": str(len(body)),
        "Connection": "close",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {value}" for name, value in told.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


UNAUTHORIZED = Answer(401, {"success": False, "error": "Unauthorized: Authentication required"})
NOT_FOUND = Answer(404, {"success": False, "error": "Not found"})
INTERNAL_ERROR = Answer(500, {"success": False, "error": "Internal server error"})
