"""The segments of this process that one reader has: the one that is written to, and those before it."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from .._runtime.clock import Clock
from .segment import Segment

RETIRE_SECONDS = 2.0
"""How long a file stays after the next one was begun: long enough for every late writer to be through."""


class OwnSegments:
    """The newest segment, which is written to, and the retired ones before it, each until all in it is settled."""

    def __init__(self, newest: Segment, clock: Clock) -> None:
        self.newest = newest
        self._clock = clock
        self._retired: list[tuple[float, Segment]] = []

    def all(self) -> list[Segment]:
        """Return them, oldest first."""
        return [*self.retired(), self.newest]

    def retired(self) -> list[Segment]:
        """Return those that are no longer written to, oldest first."""
        return [segment for _, segment in self._retired]

    def begin(self, segment: Segment) -> None:
        """Take a new one, and retire the one before it."""
        self._retired.append((self._clock.monotonic(), self.newest))
        self.newest = segment

    def remove_drained(self) -> None:
        """Remove retired segments that are drained and that no late writer can have."""
        self._remove(before=self._clock.monotonic() - RETIRE_SECONDS)

    def close(self) -> bool:
        """Remove those that are drained, and leave the others to whoever comes next.

        Returns:
            Whether nothing is left.
        """
        self._remove(before=self._clock.monotonic())
        if drained := self.newest.is_drained():
            self.newest.remove()
        else:
            self.newest.release()
        for segment in self.retired():
            segment.release()
        return drained and not self._retired

    def settle(self) -> None:
        """Wait for nothing in them any more: whoever adopts the files does."""
        for segment in self.all():
            segment.acknowledged = sys.maxsize

    def _remove(self, before: float) -> None:
        done = [segment for retired_at, segment in self._retired if retired_at <= before and segment.is_drained()]
        for segment in done:
            segment.remove()
        self._retired = [(retired_at, segment) for retired_at, segment in self._retired if segment not in done]


def folder_bytes(folder: Path) -> int:
    """Return the size of all files in a folder, other processes' too."""
    total = 0
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                total += entry.stat(follow_symlinks=False).st_size
    return total
