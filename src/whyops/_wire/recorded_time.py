"""A time as an event carries it → microseconds since 1970."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from functools import lru_cache

_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(?:(?<=:\d\d:\d\d)\.(\d+))?Z", re.ASCII)


def microseconds(timestamp: object) -> int | None:
    """Return a time in microseconds since 1970, from ISO 8601 in UTC with a `Z`."""
    if not isinstance(timestamp, str) or (found := _TIMESTAMP.fullmatch(timestamp)) is None:
        return None
    seconds = _seconds(found[1])
    return None if seconds is None else seconds * 1_000_000 + int((found[2] or "0")[:6].ljust(6, "0"))


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
