"""Time as an event carries it: ISO 8601 in UTC, ending in `Z`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import cast

from .._encoding.coerce import text_in
from .._runtime.safely import Failed, safely
from .digits import DIGITS

_SECOND_US = 1_000_000
_MOST_AHEAD_MS = 1_000


class Moments:
    """The last times that one trace's events were given in this process: exactly, and for the service."""

    __slots__ = ("last_ms", "last_us")

    def __init__(self) -> None:
        self.last_us: int = 0
        self.last_ms: int = 0


class EventClock:
    """Wall time for stamps and a steady time for latencies, both in nanoseconds, and the stamps themselves."""

    __slots__ = ("_second", "steady_ns", "wall_ns")

    def __init__(self, wall_ns: Callable[[], int] = time.time_ns, steady_ns: Callable[[], int] = time.perf_counter_ns) -> None:
        self.wall_ns: Callable[[], int] = wall_ns
        self.steady_ns: Callable[[], int] = steady_ns
        self._second = (0, 0, _text(0), _text(1))

    def stamp(self, moments: Moments) -> tuple[str, str]:
        """Return when an event happens that happens now: to the microsecond, and for the service.

        The exact times of a trace go up, each by a microsecond at least, also where the wall clock is set back. The service keeps
        milliseconds and orders by them alone: an event that would share the last one's takes the next, as long as that is no more than a
        second ahead of the clock. There is no lock, which would cost every call: of threads that share a trace, two may get the same time.
        """
        now = self.wall_ns() // 1_000
        if now <= moments.last_us:
            now = moments.last_us + 1
        moments.last_us = now
        start, start_ms, text, next_text = self._second  # kept, as most calls share the second with the last
        fraction = now - start
        if not 0 <= fraction < _SECOND_US:
            seconds = now // _SECOND_US
            fraction, start_ms, text, next_text = now % _SECOND_US, seconds * 1_000, _text(seconds), _text(seconds + 1)
            self._second = (now - fraction, start_ms, text, next_text)
        milliseconds = fraction // 1_000
        exact = f"{text}{DIGITS[milliseconds]}{DIGITS[fraction % 1_000]}Z"
        ahead = moments.last_ms - start_ms
        if ahead >= milliseconds:
            milliseconds = ahead + 1 if ahead < milliseconds + _MOST_AHEAD_MS else ahead
            if milliseconds >= 1_000:
                moments.last_ms = start_ms + milliseconds
                return exact, f"{next_text}{DIGITS[milliseconds - 1_000]}Z"
        moments.last_ms = start_ms + milliseconds
        return exact, f"{text}{DIGITS[milliseconds]}Z"

    def text_of(self, microseconds: int) -> str:
        """Return a time in microseconds since 1970 as text; quickly, if it shares its second with the last stamp."""
        start, _, text, _ = self._second
        fraction = microseconds - start
        if not 0 <= fraction < _SECOND_US:
            fraction, text = microseconds % _SECOND_US, _text(microseconds // _SECOND_US)
        return f"{text}{DIGITS[fraction // 1_000]}{DIGITS[fraction % 1_000]}Z"


def _text(seconds: int) -> str:
    """Return a time in seconds since 1970, up to the fraction."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.")


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
