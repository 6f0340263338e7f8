"""What has begun and not ended: a table with a cap and an expiry, for what a framework never ends (a stream that nobody reads)."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MOST = 10_000
QUIET_SECONDS = 3600.0
_SWEEP_SECONDS = 30.0
_NO_ENTRY: tuple[None, None] = (None, None)


@dataclass(slots=True, eq=False)
class Activity:
    """When something last showed a sign of life, and for how long none may come. Entries that belong together share one."""

    quiet_seconds: float
    heard_at: float = 0.0


def _nothing(_: object) -> None:
    """Do nothing."""


class OpenTable(Generic[K, V]):
    """Entries by key, oldest first. Without a lock: each step is one operation of a dict, so threads and forks can't leave it half done.

    An entry without a sign of life for `quiet_seconds` is removed, and the oldest tenth where there are more than `most`: `given_up` is
    called with each.
    """

    __slots__ = ("_clock", "_entries", "_given_up", "_most", "_next_sweep", "_quiet_seconds")

    def __init__(
        self,
        most: int = MOST,
        quiet_seconds: float = QUIET_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        given_up: Callable[[V], None] = _nothing,
    ) -> None:
        self._entries: dict[K | None, tuple[V, Activity]] = {}
        self._most = most
        self._quiet_seconds = quiet_seconds
        self._clock = clock
        self._given_up = given_up
        self._next_sweep = 0.0

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, key: K, value: V, activity: Activity | None = None) -> None:
        """Keep an entry, and remove those that are due."""
        activity = activity or Activity(self._quiet_seconds)
        activity.heard_at = now = self._clock()
        self._entries[key] = value, activity
        if now >= self._next_sweep or len(self._entries) > self._most:
            self._remove_what_is_due(now)

    def add_if_new(self, key: K, value: V) -> V:
        """Keep an entry unless there is one; return the one that is there. Of several threads at once, the first one's stays."""
        now = self._clock()
        kept, _ = self._entries.setdefault(key, (value, Activity(self._quiet_seconds, now)))
        self._remove_what_is_due(now)
        return kept

    def get(self, key: K | None) -> V | None:
        """Return an entry, or None."""
        return self._entries.get(key, _NO_ENTRY)[0]

    def touch(self, key: K | None) -> V | None:
        """Return an entry that shows a sign of life, or None."""
        value, activity = self._entries.get(key, _NO_ENTRY)
        if activity is not None:
            activity.heard_at = self._clock()  # in place: another thread may have taken the entry meanwhile, and it must not be there again
        return value

    def take(self, key: K | None) -> V | None:
        """Return an entry for the last time, or None."""
        return self._entries.pop(key, _NO_ENTRY)[0]

    def values(self) -> list[V]:
        """Return the entries, oldest first."""
        return [value for value, _ in list(self._entries.values())]

    def clear(self) -> None:
        """Remove all entries."""
        self._entries.clear()

    def _remove_what_is_due(self, now: float) -> None:
        surplus = len(self._entries) - self._most * 9 // 10 if len(self._entries) > self._most else 0
        if not surplus and now < self._next_sweep:
            return
        self._next_sweep = now + _SWEEP_SECONDS
        for index, (key, (value, activity)) in enumerate(list(self._entries.items())):
            is_due = index < surplus or now - activity.heard_at > activity.quiet_seconds
            if is_due and self._entries.pop(key, None) is not None:
                self._given_up(value)
