"""What has begun and not ended: a table with a cap and an expiry, for what LlamaIndex never ends (a stream that nobody reads)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

V = TypeVar("V")

MOST = 10_000
IDLE_SECONDS = 3600.0
_SWEEP_SECONDS = 60.0


class Open(Generic[V]):
    """Entries by id, oldest first. Without a lock: each step is one operation of a dict, so threads and forks can't leave it half done.

    An entry that is not touched for `idle_seconds`, or that is among the oldest where there are more than `most`, is forgotten.
    """

    __slots__ = ("_clock", "_entries", "_idle_seconds", "_most", "_next_sweep")

    def __init__(self, most: int = MOST, idle_seconds: float = IDLE_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._entries: dict[str, tuple[V, float]] = {}
        self._most = most
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._next_sweep = clock() + min(_SWEEP_SECONDS, idle_seconds)

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, key: str, value: V) -> None:
        """Keep an entry, and forget those that are due."""
        now = self._clock()
        self._entries[key] = (value, now)
        if len(self._entries) > self._most or now >= self._next_sweep:
            self._sweep(now)

    def get(self, key: str | None) -> V | None:
        """Return an entry, or None."""
        entry = self._entries.get(key) if key is not None else None
        return None if entry is None else entry[0]

    def touch(self, key: str | None) -> V | None:
        """Return an entry that shows a sign of life, or None."""
        entry = self._entries.get(key) if key is not None else None
        if entry is None or key is None:
            return None
        self._entries[key] = (entry[0], self._clock())
        return entry[0]

    def take(self, key: str | None) -> V | None:
        """Return an entry for the last time, or None."""
        entry = self._entries.pop(key, None) if key is not None else None
        return None if entry is None else entry[0]

    def values(self) -> list[V]:
        """Return the entries, oldest first."""
        return [value for value, _ in list(self._entries.values())]

    def clear(self) -> None:
        """Forget all entries."""
        self._entries.clear()

    def _sweep(self, now: float) -> None:
        self._next_sweep = now + min(_SWEEP_SECONDS, self._idle_seconds)
        entries = list(self._entries.items())
        surplus = len(entries) - self._most
        for index, (key, (_, touched)) in enumerate(entries):
            if index < surplus or now - touched > self._idle_seconds:
                self._entries.pop(key, None)
