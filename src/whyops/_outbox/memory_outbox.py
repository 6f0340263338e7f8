"""The outbox in memory, where no file can be written."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

LOUD_BYTES = 1_000_000


class MemoryOutbox:
    """Lines in a queue, bounded by their bytes.

    Any thread appends; one thread reads and acknowledges. The lock is for the bound: bytes that are not counted would let it grow.
    Positions are numbers of lines. `loud_at` is a full request's worth: what is in memory is lost with the process, but waking the sender
    for less would have it disturb each burst all the time.
    """

    def __init__(self, max_bytes: int, also: Callable[[bytes], None] | None = None) -> None:
        self._also = also
        self._lines: deque[bytes] = deque()
        self._max_bytes = max_bytes
        self.loud_at = min(LOUD_BYTES, max_bytes // 4)
        self._written = 0
        self._counting = threading.RLock()  # a `__del__` may record while the same thread appends
        self._freed = 0
        self.acknowledged = 0

    def append(self, line: bytes) -> bool:
        """Add a line, unless there is no room for it; what `also` gets the lines has its own room."""
        if self._also is not None:
            self._also(line)
        with self._counting:
            if self._written - self._freed + len(line) > self._max_bytes:
                return False
            self._lines.append(line)
            self._written += len(line)
        return True

    def __len__(self) -> int:
        return len(self._lines)

    def end(self) -> int:
        """Return the position after the last line."""
        return self.acknowledged + len(self._lines)

    def read(self, after: int, max_events: int, max_bytes: int) -> tuple[list[bytes], int]:
        """Return lines after a position, at least one if there is one, and the position after them."""
        start = after - self.acknowledged
        stop = min(len(self._lines), start + max_events)  # what others append meanwhile is not looked at
        lines: list[bytes] = []
        size = 0
        for index in range(start, stop):
            size += len(self._lines[index])
            if lines and size > max_bytes:
                break
            lines.append(self._lines[index])
        return lines, after + len(lines)

    def lines(self) -> list[bytes]:
        """Return what waits, as it is now. May be called by any thread."""
        return list(self._lines.copy())

    def acknowledge(self, position: int) -> None:
        """Let go of the lines before a position."""
        while self.acknowledged < position:
            self._freed += len(self._lines.popleft())
            self.acknowledged += 1
