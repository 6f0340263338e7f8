"""When the events of a trace happened: for us to the microsecond, for the service in milliseconds that go up."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from .._wire.timestamps import EventClock

_STEP_NS = 1_000
"""A stamp tells microseconds: two that are so far apart are different ones."""

_MILLISECOND_NS = 1_000_000
_MOST_AHEAD = 1_000
_TRACES = 1_000


class Moments:
    """The times that one trace's events were given in this process.

    There is no lock, which would cost every call: of threads that share a trace, two may get the same time. Each thread's own times go up.
    """

    __slots__ = ("_last_ms", "_last_ns")

    def __init__(self) -> None:
        self._last_ns = 0
        self._last_ms = 0

    def next(self, clock: EventClock) -> tuple[str, str]:
        """Return when an event happens that happens now: exactly, and for the service.

        The service keeps milliseconds and orders by them alone. So an event that would share the last one's millisecond takes the next, as
        long as that is no more than a second ahead of the clock.
        """
        now = clock.wall_ns()
        if now - self._last_ns < _STEP_NS:
            now = self._last_ns + _STEP_NS
        self._last_ns = now
        exact = now // _MILLISECOND_NS
        shown = exact
        if exact <= self._last_ms:
            shown = self._last_ms + 1 if self._last_ms < exact + _MOST_AHEAD else self._last_ms
        self._last_ms = shown
        return clock.texts(now, shown)


def moments_of_traces() -> Callable[[str], Moments]:
    """Return a function that gives all writers of a trace the same one, by the trace's id; of the latest thousand traces."""
    return lru_cache(maxsize=_TRACES)(_begin)


def _begin(_trace_id: str) -> Moments:
    return Moments()
