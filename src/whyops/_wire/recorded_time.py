"""The times that an event carries → microseconds since 1970."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from functools import lru_cache
from math import inf

_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(?:(?<=:\d\d:\d\d)\.(\d+))?Z", re.ASCII)
_UNITS = {len("2026-01-01T00:00:00.000000Z"): 1, len("2026-01-01T00:00:00.000Z"): 1000}
"""In microseconds, what the last digit of a time counts, by the length of its text."""

_ENDS = frozenset({"embedding_response", "llm_response", "tool_call_response"})


def happened(raw: Mapping[str, object], metadata: Mapping[str, object]) -> int | None:
    """Return when an event happened: as it was, if that was recorded apart from the service's milliseconds."""
    exact = microseconds(metadata["recordedAt"]) if "recordedAt" in metadata else None
    return microseconds(raw.get("timestamp")) if exact is None else exact


def began(kind: str, at: int | None, metadata: Mapping[str, object]) -> int | None:
    """Return when what an event of a kind tells of began: the block that it opened, or a call that ended with it, at that time."""
    if at is None:
        return None
    begun = at
    if kind in _ENDS and (took := duration_ms(metadata)):
        begun = at - round(took * 1000)
        begun = begun if begun > 0 else at
    opened = microseconds(metadata["startedAt"]) if "startedAt" in metadata else None
    return begun if opened is None else min(begun, opened)


def duration_ms(metadata: Mapping[str, object]) -> float | None:
    """Return how long what an event tells of took: the exact time if it was recorded, else the whole milliseconds."""
    for name in ("durationMs", "latencyMs"):
        value = metadata.get(name)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < inf:
            return float(value) if value < 2**53 else None
    return None


def microseconds(timestamp: object) -> int | None:
    """Return a time in microseconds since 1970, from ISO 8601 in UTC with a `Z`."""
    if type(timestamp) is str and (unit := _UNITS.get(len(timestamp))):  # as our own lines have it
        start, fraction = _start(timestamp[:20]), timestamp[20:-1]
        if start is not None and timestamp[-1] == "Z" and fraction.isdecimal() and fraction.isascii():
            return start + int(fraction) * unit
    if not isinstance(timestamp, str) or (found := _TIMESTAMP.fullmatch(timestamp)) is None:
        return None
    seconds = _seconds(found[1])
    return None if seconds is None else seconds * 1_000_000 + int((found[2] or "0")[:6].ljust(6, "0"))


@lru_cache(maxsize=256)
def _start(text: str) -> int | None:
    """Return a time up to the point before its fraction in microseconds; None, if it is written otherwise than ours."""
    seconds = _seconds(text[:-1]) if text[-1] == "." and _TIMESTAMP.fullmatch(f"{text[:-1]}Z") is not None else None
    return None if seconds is None else seconds * 1_000_000


@lru_cache(maxsize=256)
def _seconds(text: str) -> int | None:
    """Return a time without its fraction in seconds: what is recorded one after another shares it."""
    day, _, time = text.partition("T")
    try:
        year, month, date = map(int, day.split("-"))
        hour, minute, second = map(int, f"{time}:0".split(":")[:3])
        return int(datetime(year, month, date, hour, minute, second, tzinfo=timezone.utc).timestamp())
    except ValueError:
        return None
