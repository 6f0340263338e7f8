"""The outbox in files: what was appended outlives the process."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
from collections.abc import Callable
from pathlib import Path

from .._runtime.clock import Clock
from .._runtime.private_files import open_private
from . import fast_write as writing
from .destination import Destination, make_place
from .own_segments import RETIRE_SECONDS, OwnSegments, folder_bytes
from .segment import SUFFIX, Segment, close_if_ours, is_ours, settled_bytes

SEGMENT_BYTES = 8_000_000

_numbers = itertools.count(1)  # two outboxes of this process may begin in the same millisecond


class OutboxClosed(Exception):
    """The file was given up while a line was written to it: nobody may ever read that line."""


class FileOutbox:
    """The segments that this process writes, one after the other, in a destination's folder.

    Any thread appends, with one system call and no lock; all else is done by the sender's thread. The number of the descriptor that is
    written to stays the same for life: a new segment is put under it, so a late writer still writes to a file of ours.

    `loud_at` is a segment's worth: what lies in a file is safe, so the sender need not take the interpreter from a caller in a burst. It is
    a quarter of a small outbox at most, since a file gives its room back as a whole.
    """

    def __init__(
        self, folder: Path, destination: Destination, metadata_hash: str, *, nonce: Callable[[], str], max_bytes: int, clock: Clock
    ) -> None:
        self.folder = folder
        self._destination = destination
        self._metadata_hash = metadata_hash
        self._nonce = nonce
        self._max_bytes = max_bytes
        self.loud_at = min(SEGMENT_BYTES, max_bytes // 4)
        self._clock = clock
        self._closed = False
        self._given_up_at: float | None = None
        make_place(folder)
        segment, self._fd = self._new_segment()
        self._own = OwnSegments(segment, clock)
        self._room = self._room_left()

    def append(self, line: bytes) -> bool:
        """Add a line, unless there is no room for it.

        Raises:
            OSError: it could not be written.
            OutboxClosed: it was written, but too late.
        """
        size = len(line)
        if self._room < size:
            return False
        written = writing.write(self._fd, line)
        self._room -= written
        if written != size:
            self._own.newest.doubtful = True
            raise OSError("the disk took only a part of a line")
        if self._closed:
            raise OutboxClosed
        return True

    def shelves(self) -> list[Segment]:
        """Return what there is to read, oldest first."""
        return self._own.all()

    def tend(self) -> bool:
        """Begin a new segment if the current one is large, remove those that are done with, and look how much room there is.

        Returns:
            False: nothing is ever dropped that was taken.

        Raises:
            OSError: there can't be a new segment; or, with `EBADF`, somebody has closed our descriptors.
        """
        if not all(is_ours(segment.fd, segment.identity) for segment in self.shelves()) or not is_ours(self._fd, self._own.newest.identity):
            raise OSError(errno.EBADF, "somebody has closed it")
        if self._given_up_at is not None:
            self._own.newest.sealed = self._clock.monotonic() - self._given_up_at > RETIRE_SECONDS
        elif self._own.newest.end() >= self.loud_at:
            self._rotate()
        self._own.remove_drained()
        self._room = self._room_left()
        writing.prepare()
        return False

    def give_up(self) -> None:
        """Append no more: the lines that are there wait to be delivered, and late writers still have a moment."""
        self._given_up_at = self._clock.monotonic()

    def is_over(self) -> bool:
        """Tell whether it was given up and has nothing left."""
        return self._given_up_at is not None and self._own.newest.sealed and all(map(Segment.is_drained, self.shelves()))

    def close(self) -> bool:
        """Give up the files: remove those that are drained, and leave the others to whoever comes next.

        Returns:
            Whether nothing is left.
        """
        self._closed = True  # whoever writes from here on is told that it was too late; all before is seen below
        return self._own.close()

    def forget(self) -> None:
        """Let go of all descriptors, without a word to the files: in a forked child they are the parent's."""
        self._closed = True
        for segment in self.shelves():
            segment.release()
        close_if_ours(self._fd, self._own.newest.identity)
        self._fd = -1

    def abandon(self) -> None:
        """Let go of all descriptors, so that the files can be adopted; who waits for them then waits for that."""
        self._own.settle()
        self.forget()

    def __del__(self) -> None:
        """Close what is open; no late writer is left, since each holds a reference."""
        with contextlib.suppress(AttributeError, OSError):  # the constructor failed
            if not self._closed:
                self.close()
            self.forget()

    def _room_left(self) -> int:
        """Return how much more may wait in the folder. Where many processes write there, most of it may be settled, in files in use."""
        room = self._max_bytes - folder_bytes(self.folder)
        return room if room > self.loud_at else room + settled_bytes(self.folder)

    def _new_segment(self) -> tuple[Segment, int]:
        """Make a file, and return it with a descriptor to append through."""
        name = f"{int(self._clock.wall() * 1000):015d}-{self._nonce()}-{next(_numbers):06d}{SUFFIX}"
        segment = Segment.create(self.folder / name, self._destination, self._metadata_hash)
        try:
            return segment, open_private(segment.path, os.O_WRONLY | os.O_APPEND)
        except OSError:
            segment.remove()
            raise

    def _rotate(self) -> None:
        segment, fd = self._new_segment()
        os.dup2(fd, self._fd, inheritable=False)
        os.close(fd)
        self._own.begin(segment)
