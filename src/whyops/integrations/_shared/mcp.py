"""What an MCP server's tool answered, out of the envelope that it comes in. Pure, and imports no MCP package."""

from __future__ import annotations

from typing import NamedTuple

from ..._encoding.class_fields import fields, short_name
from ..._providers.messages import shown_content


class Answered(NamedTuple):
    """What a tool of a server gave, and whether the server says that it failed."""

    result: object
    failed: bool


def answered(value: object) -> Answered | None:
    """Open a `CallToolResult`: its text, or its parts where it has more than text. None of what is no such result."""
    if short_name(type(value)) != "CallToolResult":
        return None
    held = fields(value)
    parts = held.get("content")
    shown = [_part(part) for part in parts] if isinstance(parts, list) else []
    texts = [part for part in shown if isinstance(part, str)]
    structured = held.get("structuredContent", held.get("structured_content"))
    result: object = "\n".join(texts) if shown and len(texts) == len(shown) else shown or structured or ""
    return Answered(result, bool(held.get("isError", held.get("is_error"))))


def _part(part: object) -> object:
    """Return a text as it is; of an image, a sound or a file what is set, long data told by its length."""
    held = {name: each for name, each in fields(part).items() if each is not None and not name.startswith("_")}
    return held["text"] if held.get("type") == "text" and isinstance(held.get("text"), str) else shown_content(held)
