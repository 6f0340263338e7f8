"""Time as an event carries it: ISO 8601 in UTC, ending in `Z`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import cast

from .._encoding.coerce import text_in
from .._runtime.safely import Failed, safely

_SECOND = 1_000_000_000

DIGITS = tuple(map("{:03d}".format, range(1_000)))
"""Each number below a thousand in three digits: to write one costs several times what it costs to look it up."""


class EventClock:
    """Wall time for stamps and a steady time for latencies, both in nanoseconds, and the text of a stamp."""

    __slots__ = ("_second", "steady_ns", "wall_ns")

    def __init__(self, wall_ns: Callable[[], int] = time.time_ns, steady_ns: Callable[[], int] = time.perf_counter_ns) -> None:
        self.wall_ns: Callable[[], int] = wall_ns
        self.steady_ns: Callable[[], int] = steady_ns
        self._second = (0, "1970-01-01T00:00:00.")

    def text(self, wall_ns: int) -> str:
        """Return the stamp of a time given in nanoseconds since 1970. The second's text is kept, as most calls share it with the last."""
        start, text = self._second
        fraction = wall_ns - start
        if not 0 <= fraction < _SECOND:
            fraction = wall_ns % _SECOND
            start = wall_ns - fraction
            text = datetime.fromtimestamp(start // _SECOND, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.")
            self._second = (start, text)
        microseconds = fraction // 1_000
        return f"{text}{DIGITS[microseconds // 1_000]}{DIGITS[microseconds % 1_000]}Z"


def stamp_of(value: object) -> str | None:
    """Return a caller's timestamp in the form the service takes, or None if it is no time.

    Takes ISO 8601 text with any offset, or a `datetime`; without an offset it is taken as UTC.
    """
    text = text_in(value)
    moment = value if text is None else _parsed(text.strip())
    if not issubclass(type(moment), datetime):
        return None
    stamp = safely(_in_utc, cast("datetime", moment))  # a time zone may be a class of the caller's
    return None if isinstance(stamp, Failed) else stamp


def _in_utc(moment: datetime) -> str:
    utc = (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
    return utc.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _parsed(text: str) -> datetime | None:
    if text[-1:] in ("Z", "z"):
        text = text[:-1] + "+00:00"
    if sys.version_info < (3, 11):
        text = _with_six_digits(text)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _with_six_digits(text: str) -> str:
    """Return `text` with a fraction of six digits: Python 3.10 reads three or six, and nothing else."""
    head, dot, rest = text.partition(".")
    if not dot:
        return text
    digits = len(rest) - len(rest.lstrip("0123456789"))
    return f"{head}.{rest[:digits][:6]:0<6}{rest[digits:]}"
