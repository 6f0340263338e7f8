"""One destination's part of what is recorded for several: its files, its position in them, and its bound."""

from __future__ import annotations

import contextlib
import errno
import sys
from collections.abc import Callable
from pathlib import Path

from .._runtime.clock import Clock
from .file_outbox import RETIRE_SECONDS, folder_bytes
from .segment import SUFFIX, Segment, settled_bytes
from .shared_file import SharedFile


class SharedOutbox:
    """The files of a `SharedFile` as one of its readers has them: each removed for this one alone, once all in it is settled.

    What waits in `folder` is bounded by `max_bytes`, up to a file per process: beyond it the oldest files go, unsent, for this destination
    alone, and `on_drop` is told each of their lines.
    """

    def __init__(
        self, shared: SharedFile, index: int, folder: Path, *, max_bytes: int, clock: Clock, on_drop: Callable[[bytes], None]
    ) -> None:
        self._shared = shared
        self.folder = folder
        self._max_bytes = max_bytes
        self._clock = clock
        self._on_drop = on_drop
        self._begun = shared.begun[index]
        self._current = self._begun.pop(0)
        self._retired: list[tuple[float, Segment]] = []
        self._closed = False
        self.loud_at = shared.loud_at
        self.append = shared.append
        """The first destination's is called for all of them."""

    def shelves(self) -> list[Segment]:
        """Return what there is to read, oldest first."""
        return [*(segment for _, segment in self._retired), self._current, *self._begun]

    def tend(self) -> bool:
        """Look after the file that is written to, and remove what is done with, or too much. Returns whether something was dropped.

        Raises:
            OSError: there can't be a new file; or, with `EBADF`, somebody has closed our descriptors.
        """
        if not all(map(Segment.is_open, self.shelves())):
            raise OSError(errno.EBADF, "somebody has closed it")
        self._shared.tend()
        self._follow()
        self._current.sealed = self._shared.is_sealed()
        dropped = self._drop_oldest()
        self._remove_retired(before=self._clock.monotonic() - RETIRE_SECONDS)
        return dropped

    def give_up(self) -> None:
        """Append no more: the lines that are there wait to be delivered, and late writers still have a moment."""
        self._shared.end()

    def is_over(self) -> bool:
        """Tell whether it was given up and has nothing left."""
        return self._shared.is_sealed() and all(map(Segment.is_drained, self.shelves()))

    def close(self) -> bool:
        """Give up the files: remove those that are drained, and leave the others to whoever comes next.

        Nothing more is written to them then for anybody: the next line begins a new file.

        Returns:
            Whether nothing is left.
        """
        self._closed = True
        self._shared.close()
        self._follow()
        self._remove_retired(before=self._clock.monotonic())
        if drained := self._current.is_drained():
            self._current.remove()
        else:
            self._current.release()
        for _, segment in self._retired:
            segment.release()
        return drained and not self._retired

    def forget(self) -> None:
        """Let go of all descriptors, without a word to the files: in a forked child they are the parent's."""
        self._closed = True
        for segment in self.shelves():
            segment.release()
        self._shared.forget()

    def abandon(self) -> None:
        """Let go of all descriptors, so that the files can be adopted; who waits for them then waits for that."""
        for segment in self.shelves():
            segment.acknowledged = sys.maxsize
        self.forget()

    def __del__(self) -> None:
        """Close what is open, if nobody has."""
        with contextlib.suppress(AttributeError, OSError):  # the constructor failed
            if not self._closed:
                self.close()

    def _follow(self) -> None:
        """Go on to the newest file, whichever destination's thread began it."""
        while self._begun:
            self._retired.append((self._clock.monotonic(), self._current))
            self._current = self._begun.pop(0)

    def _drop_oldest(self) -> bool:
        """Remove files of dead processes, then of this one, while more waits than may."""
        excess = folder_bytes(self.folder) - self._max_bytes
        dropped = False
        if excess > 0:
            excess -= settled_bytes(self.folder)
        if excess > 0:
            own = {segment.path: segment for _, segment in self._retired}
            for path in sorted(self.folder.glob(f"*{SUFFIX}")):
                if excess <= 0:
                    break
                segment = own.get(path) or (Segment.adopt(path) if path != self._current.path else None)
                if segment is not None:
                    excess -= segment.end() - segment.acknowledged
                    dropped = self._drop(segment) or dropped
                    if path not in own:
                        segment.remove()
        return dropped

    def _drop(self, segment: Segment) -> bool:
        """Settle all of a file without sending it. Returns whether there was something."""
        position, lines = segment.acknowledged, [b""]
        while lines:
            lines, position = segment.read(position, 1000, 1_000_000)
            for line in lines:
                self._on_drop(line)
        had_some = position > segment.acknowledged
        segment.acknowledge(segment.end())
        return had_some

    def _remove_retired(self, before: float) -> None:
        """Remove drained segments that were retired before a moment: long enough ago for every late writer to be through."""
        done = [segment for retired_at, segment in self._retired if retired_at <= before and segment.is_drained()]
        for segment in done:
            segment.remove()
        self._retired = [(retired_at, segment) for retired_at, segment in self._retired if segment not in done]
