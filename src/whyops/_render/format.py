"""Values, times and counts → text. Whatever was recorded, it never raises."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone, tzinfo

from .._wire.used import Usage
from .._wire.values import as_mapping, as_sequence

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_INDENT = 2
_DEEPEST = 20
_AS_JSON = json.JSONEncoder(ensure_ascii=False, check_circular=False, default=str)
"""Of what goes in a circle it raises what it raises of what is nested too deep."""


def value_text(value: object) -> str:
    """Return a value as JSON in one line."""
    try:
        return _AS_JSON.encode(value)
    except (ValueError, TypeError, RecursionError):
        return "(a value that can't be shown)"


def pretty(value: object, width: int, depth: int = 0) -> str:
    """Return a value as it reads best over several lines: text as it is, and JSON that is broken only where it is wider than `width`."""
    if isinstance(value, str) and depth == 0:
        return value
    compact = value_text(value)
    width -= _INDENT
    if len(compact) <= width or depth > _DEEPEST or not isinstance(value, (Mapping, list)) or not value:
        return compact
    if isinstance(value, Mapping):
        opening, closing, items = "{", "}", [f"{value_text(str(key))}: {pretty(item, width, depth + 1)}" for key, item in value.items()]
    else:
        opening, closing, items = "[", "]", [pretty(item, width, depth + 1) for item in value]
    body = ",\n".join(items).replace("\n", "\n" + " " * _INDENT)
    return f"{opening}\n{' ' * _INDENT}{body}\n{closing}"


def arguments_text(arguments: object) -> str:
    """Return arguments as a call shows them: `order_id="123", limit=5`."""
    if isinstance(arguments, (dict, Mapping)):
        return ", ".join([f"{name}={value_text(value)}" for name, value in arguments.items()])
    return "" if arguments is None else value_text(arguments)


def content_text(content: object) -> str:
    """Return a message's content as text: its text parts, and a word in brackets for each part that is none."""
    if isinstance(content, str):
        return content
    parts = as_sequence(content)
    if parts and all(isinstance(part, (str, Mapping)) for part in parts):
        return "\n".join(_part_text(part) for part in parts)
    return "" if content is None else value_text(content)


def _part_text(part: object) -> str:
    fields = {"text": part} if isinstance(part, str) else as_mapping(part)
    text = fields.get("text")
    return text if isinstance(text, str) else f"[{fields.get('type', 'part')}]"


def duration_text(milliseconds: float | None) -> str:
    """Return a length of time in the unit that reads best; nothing for one that isn't known."""
    if milliseconds is None:
        return ""
    if milliseconds < 1:
        return f"{milliseconds:.1g} ms" if milliseconds >= 0.1 else "<0.1 ms"
    if milliseconds < 10:
        return f"{milliseconds:.1f} ms".replace(".0 ", " ")
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.{2 if milliseconds < 10_000 else 1}f} s"
    minutes, seconds = divmod(milliseconds // 1000, 60)
    return f"{minutes:.0f} min {seconds:.0f} s" if minutes < 60 else f"{minutes // 60:,.0f} h {minutes % 60:.0f} min"


def local_time(microseconds: int | None, zone: tzinfo | None) -> datetime | None:
    """Return a time, given in microseconds since 1970, in `zone`, the machine's own if None; None for one that can't be represented."""
    try:
        return None if microseconds is None else (_EPOCH + timedelta(microseconds=microseconds)).astimezone(zone)
    except (OverflowError, ValueError, OSError):
        return None


def time_text(microseconds: int | None, zone: tzinfo | None) -> str:
    """Return a date and time in `zone`, the machine's own if None; nothing for one that isn't known."""
    moment = local_time(microseconds, zone)
    return "" if moment is None else f"{moment:%a} {moment.day} {moment:%b %Y %H:%M:%S} {moment.tzname()}"


def share_text(share: float) -> str:
    """Return a share, from 0 to 1, in percent."""
    return f"{share * 100:.4g}%"


def bytes_text(number: int) -> str:
    """Return a size in the unit that reads best."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return f"{number} bytes"


def usage_facts(usage: Usage) -> list[str]:
    """Return `42 in` and `16 out`, with what came from a cache or was put there behind a plus."""
    if usage.unsplit and usage.unsplit == usage.total:
        return [f"{usage.unsplit:,} tokens"]
    cached = usage.cache_read + usage.cache_creation
    return [f"{usage.prompt:,}{f'+{cached:,}' if cached else ''} in", f"{usage.completion:,} out"] if usage else []
