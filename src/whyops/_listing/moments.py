"""How long ago, or a date, as one writes it → a time."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def age_of(text: str) -> timedelta | None:
    """Read a length of time: a number and its unit, one of s, m, h, d and w. None for any other text."""
    found = _AGE.fullmatch(text.strip())
    return None if found is None else timedelta(**{_UNITS[found[2]]: float(found[1])})


def moment_of(text: str) -> datetime | None:
    """Read a time: how long ago, or a date with or without a time, in the machine's own zone if it names none. None for any other text."""
    try:
        age = age_of(text)
        if age is not None:
            return datetime.now(timezone.utc) - age
        return datetime.fromisoformat(text.strip().replace("Z", "+00:00")).astimezone()
    except (ValueError, OverflowError, OSError):
        return None


def sortable_moment(moment: datetime | None) -> str | None:
    """Return a time as the store's order has it: ISO 8601 in UTC with six digits of fraction."""
    return None if moment is None else moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
