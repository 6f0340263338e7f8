"""One destination's part of what is recorded for several: its files, its position in them, and its bound."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable
from pathlib import Path

from .._runtime.clock import Clock
from .own_segments import OwnSegments, folder_bytes
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
        self._on_drop = on_drop
        self._begun = shared.begun[index]
        self._own = OwnSegments(self._begun.pop(0), clock)
        self._closed = False
        self.loud_at = shared.loud_at
        self.append = shared.append
        """The first destination's is called for all of them."""

    def shelves(self) -> list[Segment]:
        """Return what there is to read, oldest first."""
        return [*self._own.all(), *self._begun]

    def tend(self) -> bool:
        """Look after the file that is written to, and remove what is done with, or too much. Returns whether something was dropped.

        Raises:
            OSError: there can't be a new file; or, with `EBADF`, somebody has closed our descriptors.
        """
        if not all(map(Segment.is_open, self.shelves())):
            raise OSError(errno.EBADF, "somebody has closed it")
        self._shared.tend()
        self._follow()
        self._own.newest.sealed = self._shared.is_sealed()
        dropped = self._drop_oldest()
        self._own.remove_drained()
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
        return self._own.close()

    def forget(self) -> None:
        """Let go of all descriptors, without a word to the files: in a forked child they are the parent's."""
        self._closed = True
        for segment in self.shelves():
            segment.release()
        self._shared.forget()

    def abandon(self) -> None:
        """Let go of all descriptors, so that the files can be adopted; who waits for them then waits for that."""
        self._follow()
        self._own.settle()
        self.forget()

    def __del__(self) -> None:
        """Close what is open, if nobody has."""
        with contextlib.suppress(AttributeError, OSError):  # the constructor failed
            if not self._closed:
                self.close()

    def _follow(self) -> None:
        """Go on to the newest file, whichever destination's thread began it."""
        while self._begun:
            self._own.begin(self._begun.pop(0))

    def _drop_oldest(self) -> bool:
        """Remove files of dead processes, then of this one, while more waits than may."""
        excess = folder_bytes(self.folder) - self._max_bytes
        dropped = False
        if excess > 0:
            excess -= settled_bytes(self.folder)
        if excess > 0:
            own = {segment.path: segment for segment in self._own.retired()}
            for path in sorted(self.folder.glob(f"*{SUFFIX}")):
                if excess <= 0:
                    break
                segment = own.get(path) or (Segment.adopt(path) if path != self._own.newest.path else None)
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
