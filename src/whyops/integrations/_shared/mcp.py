"""What an MCP server's tool answered, out of the envelope that it comes in. Pure, and imports no MCP package."""

from __future__ import annotations

import json
from typing import NamedTuple

from ..._encoding.class_fields import fields, short_name
from ..._providers.messages import shown_content


class ServerCall(NamedTuple):
    """A call of a server's tool, as a session makes it: what a frame is asked by whether it is the call that it stands for."""

    name: str


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


def result_of(value: object) -> object:
    """Return what a server's tool gave, as a tool here would have: its structured content, and beside it the text if that says more."""
    answer = answered(value)
    held = fields(value)
    structured = held.get("structuredContent", held.get("structured_content"))
    text = "" if answer is None else answer.result
    if not isinstance(structured, dict):
        return text
    alone = structured["result"] if structured.keys() == {"result"} else structured
    return alone if text in ("", alone) or _read(text) in (alone, structured) else {"result": text, "structuredContent": structured}


def _read(text: object) -> object:
    """Return what a text says as JSON, or the text."""
    try:
        return json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return text


def _part(part: object) -> object:
    """Return a text as it is; of an image, a sound or a file what is set, long data told by its length."""
    held = {name: each for name, each in fields(part).items() if each is not None and not name.startswith("_")}
    return held["text"] if held.get("type") == "text" and isinstance(held.get("text"), str) else shown_content(held)
