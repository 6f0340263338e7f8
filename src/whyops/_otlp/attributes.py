"""Values → texts that the receivers of spans can take. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping

from .._encoding.core import core

MAX_DEPTH = 30
"""How deep a value's lists and objects may be nested: one receiver fails for good on a trace with 33 levels."""

TOO_DEEP = "…[nested too deeply]"
MAX_CONVERSATION = 200
"""Characters of a conversation's id: a receiver refuses longer ones, with all that comes along."""

_write_carefully = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode


def json_text(value: object, depth: int = MAX_DEPTH) -> str:
    """Return a value as JSON, nested no deeper than receivers read: what is further in is the text of its JSON."""
    return json_bytes(value, depth).decode()


def json_bytes(value: object, depth: int = MAX_DEPTH) -> bytes:
    """Return the same in UTF-8."""
    text = _json(value)
    if text.count(b"{") + text.count(b"[") <= depth:
        return text
    return _json(_bounded(value, depth))


def plain_or_json(value: object) -> tuple[str | bytes, str]:
    """Return a value as text, or JSON in UTF-8, and its media type: a text is itself."""
    return (value, "text/plain") if isinstance(value, str) else (json_bytes(value), "application/json")


def _json(value: object) -> bytes:
    try:
        text: bytes = core().to_json(value)
    except ValueError:  # halves of characters, more digits or levels than it takes
        pass
    else:
        return text
    try:
        return _write_carefully(value).encode("utf-8", "replace")
    except (RecursionError, ValueError):
        return f'"{TOO_DEEP}"'.encode()


def _bounded(value: object, depth: int) -> object:
    if not isinstance(value, (dict, list, tuple, Mapping)):
        return value
    if depth == 0:
        return _json(value).decode()
    if isinstance(value, Mapping):
        return {name: _bounded(held, depth - 1) for name, held in value.items()}
    return [_bounded(held, depth - 1) for held in value]
