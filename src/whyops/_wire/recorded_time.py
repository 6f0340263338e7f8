"""A time as an event carries it → microseconds since 1970."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from functools import lru_cache

_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(?:(?<=:\d\d:\d\d)\.(\d+))?Z", re.ASCII)
_UNITS = {len("2026-01-01T00:00:00.000000Z"): 1, len("2026-01-01T00:00:00.000Z"): 1000}
"""In microseconds, what the last digit of a time counts, by the length of its text."""


def microseconds(timestamp: object) -> int | None:
    """Return a time in microseconds since 1970, from ISO 8601 in UTC with a `Z`."""
    if type(timestamp) is str and (unit := _UNITS.get(len(timestamp))) and timestamp[19] == "." and timestamp[-1] == "Z":  # as ours
        fraction, start = timestamp[20:-1], _seconds_of_exact(timestamp[:19])
        if start is not None and fraction.isdecimal() and fraction.isascii():
            return start + int(fraction) * unit
    if not isinstance(timestamp, str) or (found := _TIMESTAMP.fullmatch(timestamp)) is None:
        return None
    seconds = _seconds(found[1])
    return None if seconds is None else seconds * 1_000_000 + int((found[2] or "0")[:6].ljust(6, "0"))


@lru_cache(maxsize=256)
def _seconds_of_exact(text: str) -> int | None:
    """Return a time without its fraction in microseconds; None, if it is written otherwise than ours."""
    seconds = _seconds(text) if _TIMESTAMP.fullmatch(f"{text}Z") is not None else None
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
