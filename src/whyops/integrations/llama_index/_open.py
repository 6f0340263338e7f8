"""What has begun and not ended: a table with a cap and an expiry, for what LlamaIndex never ends (a stream that nobody reads)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

V = TypeVar("V")

MOST = 10_000
IDLE_SECONDS = 3600.0
_SWEEP_SECONDS = 60.0


class _Entry(Generic[V]):
    """What is kept, and when it last showed a sign of life."""

    __slots__ = ("touched", "value")

    def __init__(self, value: V, touched: float) -> None:
        self.value = value
        self.touched = touched


class Open(Generic[V]):
    """Entries by id, oldest first. Without a lock: each step is one operation of a dict, so threads and forks can't leave it half done.

    An entry that is not touched for `idle_seconds`, or that is among the oldest where there are more than `most`, is forgotten.
    """

    __slots__ = ("_clock", "_entries", "_idle_seconds", "_most", "_next_sweep")

    def __init__(self, most: int = MOST, idle_seconds: float = IDLE_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._entries: dict[str, _Entry[V]] = {}
        self._most = most
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._next_sweep = clock() + min(_SWEEP_SECONDS, idle_seconds)

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, key: str, value: V) -> None:
        """Keep an entry, and forget those that are due."""
        now = self._clock()
        self._entries[key] = _Entry(value, now)
        self._forget_what_is_due(now)

    def add_if_new(self, key: str, value: V) -> V:
        """Keep an entry unless there is one; return the one that is there. Of several threads at once, the first one's stays."""
        now = self._clock()
        kept = self._entries.setdefault(key, _Entry(value, now)).value
        self._forget_what_is_due(now)
        return kept

    def get(self, key: str | None) -> V | None:
        """Return an entry, or None."""
        entry = self._entries.get(key) if key is not None else None
        return None if entry is None else entry.value

    def touch(self, key: str | None) -> V | None:
        """Return an entry that shows a sign of life, or None."""
        entry = self._entries.get(key) if key is not None else None
        if entry is None:
            return None
        entry.touched = self._clock()  # in place: another thread may have taken it meanwhile, and it must not be there again
        return entry.value

    def take(self, key: str | None) -> V | None:
        """Return an entry for the last time, or None."""
        entry = self._entries.pop(key, None) if key is not None else None
        return None if entry is None else entry.value

    def values(self) -> list[V]:
        """Return the entries, oldest first."""
        return [entry.value for entry in list(self._entries.values())]

    def clear(self) -> None:
        """Forget all entries."""
        self._entries.clear()

    def _forget_what_is_due(self, now: float) -> None:
        if len(self._entries) <= self._most and now < self._next_sweep:
            return
        self._next_sweep = now + min(_SWEEP_SECONDS, self._idle_seconds)
        entries = list(self._entries.items())
        surplus = len(entries) - self._most
        for index, (key, entry) in enumerate(entries):
            if index < surplus or now - entry.touched > self._idle_seconds:
                self._entries.pop(key, None)
